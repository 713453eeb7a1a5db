package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/amplify-go/amplify"
)

// runningSandbox is "amplify-go sandbox" in a process of its own.
type runningSandbox struct {
	*exec.Cmd
	t *testing.T
	ready
}

// ready is the record of the log that says where things are.
type ready struct {
	Msg, Outputs, URL, Console, Inbox string

	StorageAdmin string `json:"storage_admin"`

	TLSURL      string `json:"tls_url"`
	CA          string `json:"node_extra_ca_certs"`
	NodeOptions string `json:"node_options"`
	Rules       string `json:"host_resolver_rules"`
}

// startSandbox runs the command on a free port and waits until it is ready.
func startSandbox(t *testing.T, dir string, args ...string) *runningSandbox {
	t.Helper()
	s := &runningSandbox{t: t, Cmd: command(t, dir, append([]string{"--log-format=json", "sandbox", "--port=0"}, args...)...)}
	log, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.ProcessState == nil {
			s.stop(syscall.SIGKILL)
		}
	})
	var said strings.Builder
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if err := json.Unmarshal(lines.Bytes(), &s.ready); err == nil && s.Msg == "The sandbox is ready." {
			go io.Copy(io.Discard, log)
			return s
		}
	}
	t.Fatalf("the sandbox did not start:\n%s", &said)
	return nil
}

// stop sends a signal and returns the exit status.
func (s *runningSandbox) stop(signal os.Signal) int {
	s.t.Helper()
	if err := s.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	_ = s.Wait() // the status tells
	return s.ProcessState.ExitCode()
}

// signIn asks for tokens with a password and returns the status and the answer.
func (s *runningSandbox) signIn(clientID, email, password string) (int, string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"ClientId": clientID, "AuthFlow": "USER_PASSWORD_AUTH",
		"AuthParameters": map[string]string{"USERNAME": email, "PASSWORD": password},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const aliceFile = `[{"email": "alice@example.com", "password": "Sunflowers-1888", "attributes": {"name": "Alice"}, "groups": ["curators"]}]`

// realOutputs are the outputs of a deployed backend: no sandbox wrote them.
const realOutputs = `{"version": "1.4", "auth": {"aws_region": "eu-west-1", "user_pool_id": "eu-west-1_Real00001",
	"user_pool_client_id": "realclient000000000000001", "username_attributes": ["email"]}}`

func TestSandboxServesAndStops(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			s := startSandbox(t, dir, "--users", write(t, dir, "users.json", aliceFile))

			config, err := amplify.ParseConfig([]byte(read(t, s.Outputs)))
			if err != nil {
				t.Fatal(err)
			}
			if want := "http://localhost:3000/api/auth/sign-in-callback"; config.Auth.OAuth.RedirectSignIn[0] != want {
				t.Errorf("redirects to %q, want %q", config.Auth.OAuth.RedirectSignIn, want)
			}
			if status, answer := s.signIn(config.Auth.UserPoolClientID, "alice@example.com", "Sunflowers-1888"); status != 200 {
				t.Errorf("signing in: %d %s", status, answer)
			}
			for _, page := range []string{s.Console, s.Inbox} {
				response, err := http.Get(page)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != 200 {
					t.Errorf("%s answers %s", page, response.Status)
				}
			}
			if status := s.stop(signal); status != 0 {
				t.Errorf("exit status %d after %v", status, signal)
			}
			if _, err := http.Get(s.URL); err == nil {
				t.Error("it still answers")
			}
		})
	}
}

// What people see comes on standard output, what happens on standard error.
func TestSandboxTellsPeople(t *testing.T) {
	cmd := command(t, t.TempDir(), "sandbox", "--port=0", "--tls-port=0", "--data=kept")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Ctrl+C") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v; stderr: %s", err, &stderr)
	}
	for _, want := range []string{"The sandbox is ready.", "amplify_outputs.sandbox.json\n", "/console\n", "/inbox\n", "/kept\n", "ca.pem\n", version() + "\n"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("does not say %q:\n%s", want, &said)
		}
	}
	if !strings.Contains(stderr.String(), "The sandbox stops.") {
		t.Errorf("the log is %q", &stderr)
	}
}

// With --tls-port, a client needs to know two things: the authority to trust, and that AWS's hosts
// are at the sandbox.
func TestSandboxServesAWSHosts(t *testing.T) {
	dir := t.TempDir()
	s := startSandbox(t, dir, "--outputs", write(t, dir, "amplify_outputs.json", realOutputs), "--tls-port=0")
	const host = "cognito-idp.eu-west-1.amazonaws.com"
	address := strings.TrimPrefix(s.TLSURL, "https://")
	if !strings.Contains(s.Rules, "MAP "+host+" "+address) {
		t.Errorf("rules %q do not lead from %s to %s", s.Rules, host, address)
	}
	if _, preload, ok := strings.Cut(s.NodeOptions, "--require="); !ok || read(t, strings.Trim(preload, `"`)) == "" {
		t.Errorf("NODE_OPTIONS is %q", s.NodeOptions)
	}

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(t, s.CA)))
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + host + "/eu-west-1_Real00001/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("the key set answers %s", response.Status)
	}
}

func TestSandboxImitatesOutputs(t *testing.T) {
	dir := t.TempDir()
	real := write(t, dir, "amplify_outputs.json", realOutputs)
	s := startSandbox(t, dir, "--outputs", real)
	config, err := amplify.ParseConfig([]byte(read(t, s.Outputs)))
	if err != nil {
		t.Fatal(err)
	}
	if config.Auth.UserPoolID != "eu-west-1_Real00001" || config.Auth.UserPoolClientID != "realclient000000000000001" {
		t.Errorf("imitates pool %s, client %s", config.Auth.UserPoolID, config.Auth.UserPoolClientID)
	}
	if s.Outputs == real || read(t, real) != realOutputs {
		t.Error("the file to imitate was changed")
	}
}

// The outputs of a real backend are never written over, whichever way they are named.
func TestSandboxSparesRealOutputs(t *testing.T) {
	for name, text := range map[string]string{"a backend": realOutputs, "no outputs at all": "precious", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, "amplify_outputs.json", text)
			_, stderr, status := output(t, dir, "sandbox", "--port=0", "--write-outputs=amplify_outputs.json")
			if status != 1 || !strings.Contains(stderr, "--write-outputs") {
				t.Errorf("status %d, want 1 and advice; stderr: %s", status, stderr)
			}
			if read(t, path) != text {
				t.Error("the file was written over")
			}
		})
	}
}

// Outputs are not written through a symbolic link, nor in its place.
func TestSandboxRefusesLinks(t *testing.T) {
	dir := t.TempDir()
	s := startSandbox(t, dir)
	s.stop(syscall.SIGINT)
	for what, target := range map[string]string{"a file": write(t, dir, "precious", "precious"), "a sandbox's outputs": s.Outputs, "nothing": "new"} {
		t.Run(what, func(t *testing.T) {
			before, _ := os.ReadFile(target)
			link := filepath.Join(t.TempDir(), "link.json")
			if err := os.Symlink(target, link); err != nil {
				t.Fatal(err)
			}
			_, stderr, status := output(t, dir, "sandbox", "--port=0", "--write-outputs", link)
			if status != 1 || !strings.Contains(stderr, "symbolic link") || !strings.Contains(stderr, "--write-outputs") {
				t.Errorf("status %d, want 1 and advice; stderr: %s", status, stderr)
			}
			if got, err := os.Readlink(link); err != nil || got != target {
				t.Errorf("the link leads to %q, %v", got, err)
			}
			if after, _ := os.ReadFile(target); string(after) != string(before) {
				t.Errorf("the target contains %q", after)
			}
		})
	}
}

// Without a data directory the user pool changes, but its ids stay as long as the outputs are
// there.
func TestSandboxKeepsIDs(t *testing.T) {
	dir := t.TempDir()
	var ids [2]string
	for i := range ids {
		s := startSandbox(t, dir)
		config, err := amplify.ParseConfig([]byte(read(t, s.Outputs)))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = config.Auth.UserPoolID + " " + config.Auth.UserPoolClientID
		s.stop(syscall.SIGINT)
	}
	if ids[0] != ids[1] {
		t.Errorf("%s became %s", ids[0], ids[1])
	}
}

func TestSandboxKeepsData(t *testing.T) {
	dir := t.TempDir()
	users := write(t, dir, "users.json", aliceFile)
	startSandbox(t, dir, "--data=kept", "--users", users).stop(syscall.SIGKILL)

	s := startSandbox(t, dir, "--data=kept")
	config, err := amplify.ParseConfig([]byte(read(t, s.Outputs)))
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := s.signIn(config.Auth.UserPoolClientID, "alice@example.com", "Sunflowers-1888"); status != 200 {
		t.Errorf("signing in after the restart: %d %s", status, answer)
	}
}

// TestSandboxStorageAdmin: the key for S3 is printed as JSON, if it was asked for, and kept with the data.
func TestSandboxStorageAdmin(t *testing.T) {
	dir := t.TempDir()
	s := startSandbox(t, dir, "--data=data", "--storage-admin")
	var key struct{ AccessKeyId, SecretAccessKey string }
	if err := json.Unmarshal([]byte(s.StorageAdmin), &key); err != nil || !strings.HasPrefix(key.AccessKeyId, "AKIA") || key.SecretAccessKey == "" {
		t.Errorf("%q: %v", s.StorageAdmin, err)
	}
	s.stop(syscall.SIGTERM)
	if again := startSandbox(t, dir, "--data=data", "--storage-admin"); again.StorageAdmin != s.StorageAdmin {
		t.Error("the key changed with a restart")
	}
	if other := startSandbox(t, t.TempDir()); other.StorageAdmin != "" {
		t.Errorf("a key that nobody asked for: %s", other.StorageAdmin)
	}
}

func TestSandboxPortTaken(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := strconv.Itoa(other.Addr().(*net.TCPAddr).Port)
	_, stderr, status := output(t, t.TempDir(), "sandbox", "--port", port)
	if status != 1 || !strings.Contains(stderr, port) || !strings.Contains(stderr, "--port") {
		t.Errorf("status %d, stderr %q; want 1, the port and what to do", status, stderr)
	}
}

// The tokens of every user are as the file says.
func TestSandboxPreToken(t *testing.T) {
	dir := t.TempDir()
	s := startSandbox(t, dir, "--users", write(t, dir, "users.json", aliceFile), "--pre-token", write(t, dir, "hook.json",
		`{"claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"claimsToAddOrOverride": {"tenant": {"id": 7}}, "scopesToAdd": ["photos/read"]}}}`))
	config, err := amplify.ParseConfig([]byte(read(t, s.Outputs)))
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.signIn(config.Auth.UserPoolClientID, "alice@example.com", "Sunflowers-1888")
	var tokens struct{ AuthenticationResult struct{ AccessToken string } }
	if err := json.Unmarshal([]byte(answer), &tokens); err != nil || status != 200 {
		t.Fatalf("signing in: %d %s", status, answer)
	}
	parts := strings.Split(tokens.AuthenticationResult.AccessToken, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"tenant":{"id":7}`, `"scope":"aws.cognito.signin.user.admin photos/read"`} {
		if !strings.Contains(string(payload), want) {
			t.Errorf("the access token has %s, want %s", payload, want)
		}
	}
}

// The error of a bad file names the file, the member, and what is allowed there.
func TestSandboxPreTokenFaults(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "hook.json", `{"claimsOverrideDetails": {"claimsToAdd": {}, "claimsToSuppress": [1]}}`)
	_, stderr, status := output(t, dir, "sandbox", "--port=0", "--pre-token=hook.json")
	for _, want := range []string{"hook.json", `claimsOverrideDetails: there is no member "claimsToAdd": use claimsToAddOrOverride, `,
		"claimsOverrideDetails.claimsToSuppress: use a list of texts"} {
		if status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("status %d, want 1 and %q; stderr: %s", status, want, stderr)
		}
	}
}

func TestReadUsers(t *testing.T) {
	good := write(t, t.TempDir(), "users.json", aliceFile)
	users, err := readUsers(good)
	if err != nil || len(users) != 1 || users[0].Email != "alice@example.com" || users[0].Attributes["name"] != "Alice" || users[0].Groups[0] != "curators" {
		t.Errorf("got %+v, %v", users, err)
	}
	tests := map[string]struct{ text, want string }{
		"empty":            {``, "not a list of users"},
		"an object":        {`{"email": "a@b.c", "password": "Hush-hush-1"}`, "not a list of users"},
		"unknown member":   {`[{"mail": "a@b.c", "password": "Hush-hush-1"}]`, `"mail"`},
		"no password":      {`[{"email": "a@b.c"}]`, "user 1"},
		"no name":          {`[{"email": "a@b.c", "password": "x"}, {"password": "Hush-hush-1"}]`, "user 2"},
		"two values":       {`[] []`, "goes on"},
		"password, number": {`[{"email": "a@b.c", "password": 12345678}]`, "password"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readUsers(write(t, t.TempDir(), "users.json", test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), "Hush") || strings.Contains(err.Error(), "12345678")) {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}
