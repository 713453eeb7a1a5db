package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify/sandbox"
)

// keySet returns the key set of the sandbox with the outputs given.
func keySet(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	_, body := call(t, "GET", s.URL()+"/"+outputsOf(t, s).Auth.PoolID+"/.well-known/jwks.json", "", nil)
	return body
}

// TestKeyFile: a restart with a key file leaves the users of the configuration signed in.
func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	alice := sandbox.User{Username: "alice", Email: email, Password: password}
	cfg := sandbox.Config{Outputs: []byte(given), KeyFile: filepath.Join(dir, "keys.json"), Users: []sandbox.User{alice}}
	s := start(t, cfg)
	if err := s.AddUser(t.Context(), sandbox.User{Username: "bob", Email: "bob@example.com", Password: password}); err != nil {
		t.Fatal(err)
	}
	before := map[string]sandbox.Tokens{}
	for _, name := range []string{"alice", "bob"} {
		tokens, err := s.Tokens(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		before[name] = tokens
	}
	// Keys that a rotation made are kept as well.
	if err := s.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	rotated, err := s.Tokens(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	keys := keySet(t, s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := allPrivate(t, cfg.KeyFile); len(names) != 1 {
		t.Errorf("files = %v", names)
	}
	if err := os.Chmod(cfg.KeyFile, 0o644); err != nil { // as after a checkout
		t.Fatal(err)
	}

	s = start(t, cfg)
	allPrivate(t, cfg.KeyFile)
	if got := keySet(t, s); got != keys {
		t.Errorf("the keys were\n%s and are\n%s", keys, got)
	}
	for what, test := range map[string]struct{ token, exception string }{
		"a user of the configuration":        {before["alice"].AccessToken, ""},
		"the same, with a rotated key":       {rotated.AccessToken, ""},
		"a user who was added later":         {before["bob"].AccessToken, "UserNotFoundException"},
		"an ID token in the place of access": {before["alice"].IDToken, "NotAuthorizedException"},
	} {
		_, err := sdk(s).GetUser(t.Context(), &cognito.GetUserInput{AccessToken: aws.String(test.token)})
		refused(t, what, err, test.exception)
	}
	_, err = sdk(s).GetTokensFromRefreshToken(t.Context(), &cognito.GetTokensFromRefreshTokenInput{
		ClientId: aws.String(outputsOf(t, s).Auth.ClientID), RefreshToken: aws.String(before["alice"].RefreshToken)})
	refused(t, "a refresh", err, "NotAuthorizedException")
}

// TestSubs: users of the configuration keep their sub where they are made at every start, and only
// there: a directory remembers the sessions of a user who was deleted.
func TestSubs(t *testing.T) {
	sub := func(cfg sandbox.Config, name string) string {
		cfg.Users = []sandbox.User{{Username: name, Email: email, Password: password}}
		s := start(t, cfg)
		u, err := sdk(s).AdminGetUser(t.Context(), &cognito.AdminGetUserInput{
			UserPoolId: aws.String(outputsOf(t, s).Auth.PoolID), Username: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range u.UserAttributes {
			if *a.Name == "sub" {
				return *a.Value
			}
		}
		t.Fatal("no sub")
		return ""
	}
	otherPool := strings.ReplaceAll(given, "eu-central-1_AbCdEfGhI", "eu-central-1_Other")
	first := sub(sandbox.Config{Outputs: []byte(given)}, "alice")
	for what, test := range map[string]struct {
		cfg  sandbox.Config
		name string
		same bool
	}{
		"a restart":      {sandbox.Config{Outputs: []byte(given)}, "alice", true},
		"another case":   {sandbox.Config{Outputs: []byte(given)}, "Alice", true},
		"another name":   {sandbox.Config{Outputs: []byte(given)}, "alice2", false},
		"another pool":   {sandbox.Config{Outputs: []byte(otherPool)}, "alice", false},
		"data in a file": {sandbox.Config{Outputs: []byte(given), DataDir: t.TempDir()}, "alice", false},
	} {
		if got := sub(test.cfg, test.name); (got == first) != test.same {
			t.Errorf("%s: the sub is %s after %s", what, got, first)
		}
	}
}

// TestKeyFileOfAnotherPool: its keys are not used, and the log says that new ones replace them.
func TestKeyFileOfAnotherPool(t *testing.T) {
	cfg := sandbox.Config{Outputs: []byte(given), KeyFile: filepath.Join(t.TempDir(), "keys.json")}
	keys := keySet(t, start(t, cfg))
	var log bytes.Buffer
	cfg.Outputs = []byte(strings.ReplaceAll(given, "eu-central-1_AbCdEfGhI", "eu-central-1_Other"))
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if got := keySet(t, start(t, cfg)); got == keys {
		t.Error("two user pools have the same keys")
	}
	if !strings.Contains(log.String(), "another user pool") || !strings.Contains(log.String(), cfg.KeyFile) {
		t.Errorf("the log does not say it: %s", &log)
	}
	log.Reset()
	start(t, cfg)
	if strings.Contains(log.String(), "another user pool") {
		t.Errorf("the keys were not replaced: %s", &log)
	}
}

// TestKeyFileFaults: a file that cannot be used stops the start, is not changed, and the error says
// what to do without quoting it.
func TestKeyFileFaults(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.json")
	start(t, sandbox.Config{Outputs: []byte(given), KeyFile: path})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		PoolID string           `json:"user_pool_id"`
		Keys   []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	kid := file.Keys[0]["kid"].(string)
	one, err := json.Marshal(map[string]any{"user_pool_id": file.PoolID, "keys": file.Keys[:1]})
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct{ text, want string }{
		"cut off":     {whole[:len(whole)/2], "not JSON"},
		"empty":       {"", "not JSON"},
		"one key":     {string(one), "keys for access and for ID tokens"},
		"no PEM":      {strings.ReplaceAll(whole, "-----BEGIN", "-----BEGUN"), "not in PEM"},
		"no key":      {strings.ReplaceAll(whole, `PRIVATE KEY-----\nMII`, `PRIVATE KEY-----\nMAA`), "no RSA key"},
		"same id":     {strings.Replace(whole, file.Keys[1]["kid"].(string), kid, 1), "no id of its own"},
		"too large":   {whole + strings.Repeat(" ", 64<<10), "more than 65536 bytes"},
		"another use": {strings.ReplaceAll(whole, `"use": "id"`, `"use": "refresh"`), "keys for access and for ID tokens"},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := startFails(t, sandbox.Config{Outputs: []byte(given), KeyFile: path})
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want the path and %q", err, test.want)
			}
			if strings.Contains(err.Error(), kid) || strings.Contains(err.Error(), "MII") {
				t.Errorf("the error shows the file: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != test.text {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}

	for what, target := range map[string]string{"to keys": path, "to nothing": filepath.Join(dir, "new.json")} {
		link := filepath.Join(t.TempDir(), "keys.json")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := startFails(t, sandbox.Config{Outputs: []byte(given), KeyFile: link}); !strings.Contains(err.Error(), "is a symbolic link") {
			t.Errorf("a link %s: %v", what, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new.json")); err == nil {
		t.Error("written through the link")
	}
}

// startFails returns the error of a start that must fail.
func startFails(t *testing.T, cfg sandbox.Config) error {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	s, err := sandbox.Start(t.Context(), cfg)
	if err == nil {
		return errors.Join(errors.New("it started"), s.Close(t.Context()))
	}
	return err
}

// TestKeyFileOfManySandboxes: those that start at once, or replace keys, leave a whole file behind.
func TestKeyFileOfManySandboxes(t *testing.T) {
	cfg := sandbox.Config{Outputs: []byte(given), KeyFile: filepath.Join(t.TempDir(), "keys.json")}
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			if err := start(t, cfg).RotateKeys(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	start(t, cfg)
	if left, err := os.ReadDir(filepath.Dir(cfg.KeyFile)); err != nil || len(left) != 1 {
		t.Errorf("files = %v, %v", left, err)
	}
}
