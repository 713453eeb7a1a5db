package sandbox_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// given is an outputs file with sections and keys that the sandbox does not know.
const given = `{
	"version": "1.3",
	"auth": {
		"user_pool_id": "eu-central-1_AbCdEfGhI", "user_pool_client_id": "2example23456789", "aws_region": "eu-central-1",
		"identity_pool_id": "eu-central-1:01234567-89ab-cdef-0123-456789abcdef", "unauthenticated_identities_enabled": false,
		"username_attributes": [], "standard_required_attributes": ["email"], "user_verification_types": ["email"],
		"groups": [{"Admins": {"precedence": 0}}, {"Editors": {"precedence": 1}}],
		"password_policy": {"min_length": 12, "require_lowercase": false, "require_numbers": true, "require_symbols": false, "require_uppercase": false},
		"oauth": {
			"identity_providers": ["GOOGLE"], "domain": "auth.my-app.example", "scopes": ["openid", "email"],
			"redirect_sign_in_uri": ["http://localhost:3000/", "https://my-app.example/"], "redirect_sign_out_uri": ["http://localhost:3000/bye"],
			"response_type": "code", "future": true
		},
		"mfa_configuration": "NONE"
	},
	"storage": {"bucket_name": "b", "aws_region": "eu-central-1"},
	"custom": {"mine": [1, 2], "amplify_go": {"endpoints": {"user_pool": "http://old"}}}
}`

func TestOutputs(t *testing.T) {
	s := start(t, sandbox.Config{Outputs: []byte(given), AppOrigins: []string{"http://localhost:3000"}})
	var before, after map[string]any
	for text, v := range map[string]*map[string]any{given: &before, string(s.Outputs()): &after} {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			t.Fatal(err)
		}
	}
	before["version"] = "1.4"
	before["custom"].(map[string]any)["amplify_go"] = map[string]any{"endpoints": map[string]any{
		"user_pool": s.URL(), "user_pool_keys": s.URL(), "identity_pool": s.URL(), "oauth": s.URL(), "storage": s.URL()}}
	oauth := before["auth"].(map[string]any)["oauth"].(map[string]any)
	// The application's own routes come first: an application takes the first that belongs to its
	// origin.
	oauth["redirect_sign_in_uri"] = []any{"http://localhost:3000/api/auth/sign-in-callback", "http://localhost:3000/", "https://my-app.example/"}
	oauth["redirect_sign_out_uri"] = []any{"http://localhost:3000/api/auth/sign-out-callback", "http://localhost:3000/bye"}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if err := s.AddUser(t.Context(), sandbox.User{Username: "bob", Email: "bob@example.com", Password: "12345678901a", Groups: []string{"Editors"}}); err != nil {
		t.Error(err)
	}
	for what, u := range map[string]sandbox.User{
		"a password that the policy refuses": {Username: "eve", Email: "eve@example.com", Password: "1234567890a"},
		"no password":                        {Username: "eve", Email: "eve@example.com"},
		"no name":                            {Password: "12345678901a"},
	} {
		if s.AddUser(t.Context(), u) == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

// TestOutputsMade: without outputs there is a pool where one signs in by e-mail, and a kept
// directory keeps it.
func TestOutputsMade(t *testing.T) {
	dir := t.TempDir()
	s := start(t, sandbox.Config{DataDir: dir})
	first := outputsOf(t, s)
	a := first.Auth
	if first.Version != "1.4" || a.Region != "us-east-1" || !strings.HasPrefix(a.PoolID, "us-east-1_") || len(a.ClientID) != 26 || !strings.HasSuffix(a.OAuth.Domain, ".auth.us-east-1.amazoncognito.com") {
		t.Errorf("outputs = %s", s.Outputs())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = start(t, sandbox.Config{DataDir: dir})
	second := outputsOf(t, s)
	first.Custom, second.Custom = outputs{}.Custom, outputs{}.Custom // the port is another
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("a restart changed the outputs (-first +second):\n%s", diff)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.Start(t.Context(), sandbox.Config{DataDir: dir, Outputs: []byte(given)}); err == nil || !strings.Contains(err.Error(), "belongs to user pool "+first.Auth.PoolID) {
		t.Errorf("another pool in the directory: %v", err)
	}
}

// TestStartRefusals: what cannot be is said at the start, with what to do.
func TestStartRefusals(t *testing.T) {
	for what, c := range map[string]struct {
		cfg  sandbox.Config
		want string
	}{
		"not JSON":             {sandbox.Config{Outputs: []byte("{")}, "not a JSON object"},
		"null":                 {sandbox.Config{Outputs: []byte("null")}, "not a JSON object"},
		"no auth":              {sandbox.Config{Outputs: []byte(`{"version": "1"}`)}, "no section auth"},
		"Gen 1":                {sandbox.Config{Outputs: []byte(`{"aws_user_pools_id": "x"}`)}, "Gen 2"},
		"empty auth":           {sandbox.Config{Outputs: []byte(`{"auth": {}}`)}, "lack auth.user_pool_id"},
		"bad pool id":          {sandbox.Config{Outputs: []byte(strings.ReplaceAll(given, "eu-central-1_AbCdEfGhI", "x"))}, `the id "x"`},
		"other machines":       {sandbox.Config{Addr: ":0"}, "not a loopback address"},
		"other machines, TLS":  {sandbox.Config{TLSAddr: "0.0.0.0:0"}, "not a loopback address"},
		"no port":              {sandbox.Config{Addr: "127.0.0.1"}, "missing port"},
		"origin with a path":   {sandbox.Config{AppOrigins: []string{"http://localhost:3000/"}}, "is not an origin"},
		"origin without login": {sandbox.Config{AppOrigins: []string{"http://localhost:3000"}, Outputs: []byte(`{"auth": {"user_pool_id": "a_b", "aws_region": "a", "user_pool_client_id": "c"}}`)}, "no section auth.oauth"},
		"long grace":           {sandbox.Config{Clients: []sandbox.Client{{RotationGrace: 61e9}}}, "0 to 60 s"},
		"weak password":        {sandbox.Config{Users: []sandbox.User{{Email: email, Password: "weak"}}}, "Password not long enough"},
	} {
		c.cfg.Logger = slog.New(slog.DiscardHandler)
		c.cfg.AccessTokenKey, c.cfg.IDTokenKey = testKeys()[0], testKeys()[1]
		s, err := sandbox.Start(t.Context(), c.cfg)
		if err == nil {
			err = errors.Join(errors.New("it started"), s.Close(t.Context()))
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// TestSeeds: users of a kept directory are not made twice, nor set back.
func TestSeeds(t *testing.T) {
	cfg := sandbox.Config{DataDir: t.TempDir(), Users: []sandbox.User{{Email: email, Password: password, Groups: []string{"Admins"}}}}
	s := start(t, cfg)
	o := outputsOf(t, s)
	in, err := signIn(t, sdk(s), o.Auth.ClientID, email, password)
	if err != nil {
		t.Fatal(err)
	}
	res, body := call(t, "POST", s.URL(), `{"AccessToken": "`+*in.AuthenticationResult.AccessToken+`", "PreviousPassword": "`+password+`", "ProposedPassword": "Fresh-1-password"}`,
		map[string]string{"X-Amz-Target": target + "ChangePassword"})
	if res.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	_, err = signIn(t, sdk(s), o.Auth.ClientID, email, "Fresh-1-password")
	refused(t, "the changed password", err, "")
}
