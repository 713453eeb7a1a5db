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
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/srptest"
)

// runningSandbox is "amplify-go sandbox" in a process of its own.
type runningSandbox struct {
	*exec.Cmd
	t *testing.T
	ready
	stderr io.Reader
	log    string // up to the record that it is ready
}

// ready is the record of the log that says where things are.
type ready struct {
	Msg, Outputs, URL, Console, Inbox, Keys, Schema string

	StorageAdmin string `json:"storage_admin"`

	TLSURL      string `json:"tls_url"`
	CA          string `json:"node_extra_ca_certs"`
	NodeOptions string `json:"node_options"`
	Rules       string `json:"host_resolver_rules"`
}

// startSandbox runs the command on a free port and waits until it is ready.
func startSandbox(t *testing.T, dir string, args ...string) *runningSandbox {
	t.Helper()
	s := beginSandbox(t, dir, args...)
	s.wait()
	return s
}

// beginSandbox runs the command on a free port.
func beginSandbox(t *testing.T, dir string, args ...string) *runningSandbox {
	t.Helper()
	s := &runningSandbox{t: t, Cmd: command(t, dir, append([]string{"--log-format=json", "sandbox", "--port=0"}, args...)...)}
	var err error
	if s.stderr, err = s.StderrPipe(); err != nil {
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
	return s
}

// wait waits until the sandbox is ready.
func (s *runningSandbox) wait() {
	s.t.Helper()
	for lines := bufio.NewScanner(s.stderr); lines.Scan(); {
		s.log += lines.Text() + "\n"
		if err := json.Unmarshal(lines.Bytes(), &s.ready); err == nil && s.Msg == "The sandbox is ready." {
			go io.Copy(io.Discard, s.stderr)
			return
		}
	}
	s.t.Fatalf("the sandbox did not start:\n%s", s.log)
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

// signIn signs a user in by SRP and returns the status and the answer.
func (s *runningSandbox) signIn(clientID, email, password string) (int, string) {
	s.t.Helper()
	config, err := amplify.ParseConfig([]byte(read(s.t, s.Outputs)))
	if err != nil {
		s.t.Fatal(err)
	}
	user, err := srptest.New(config.Auth.UserPoolID, password)
	if err != nil {
		s.t.Fatal(err)
	}
	status, answer := s.call("InitiateAuth", map[string]any{"ClientId": clientID, "AuthFlow": "USER_SRP_AUTH",
		"AuthParameters": map[string]string{"USERNAME": email, "SRP_A": user.A()}})
	if status != http.StatusOK {
		return status, answer
	}
	var challenge struct {
		ChallengeName       string
		ChallengeParameters map[string]string
	}
	if err := json.Unmarshal([]byte(answer), &challenge); err != nil {
		s.t.Fatal(err)
	}
	responses, err := user.Answer(challenge.ChallengeParameters)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.call("RespondToAuthChallenge", map[string]any{"ClientId": clientID,
		"ChallengeName": challenge.ChallengeName, "ChallengeResponses": responses})
}

// call calls an operation of the user pool and returns the status and the answer.
func (s *runningSandbox) call(operation string, input any) (int, string) {
	s.t.Helper()
	body, err := json.Marshal(input)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 any")
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
	if strings.Contains(said.String(), "Private keys") {
		t.Errorf("tells of a key file where the data directory has the keys:\n%s", &said)
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

// A restart leaves the users of --users signed in, and tells where the keys are that this takes.
func TestSandboxKeepsKeys(t *testing.T) {
	dir := t.TempDir()
	users := write(t, dir, "users.json", aliceFile)
	s := startSandbox(t, dir, "--users", users)
	config, err := amplify.LoadConfig(s.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.signIn(config.Auth.UserPoolClientID, "alice@example.com", "Sunflowers-1888")
	var tokens struct{ AuthenticationResult struct{ AccessToken string } }
	if err := json.Unmarshal([]byte(answer), &tokens); err != nil || status != 200 {
		t.Fatalf("signing in: %d %s", status, answer)
	}
	s.stop(syscall.SIGKILL)
	if want := strings.TrimSuffix(s.Outputs, ".json") + ".keys.json"; s.Keys != want {
		t.Errorf("the keys are in %s, want %s", s.Keys, want)
	}
	if info, err := os.Stat(s.Keys); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key file: %v, %v; want mode 0600", info, err)
	}

	s = startSandbox(t, dir, "--users", users)
	if status, answer := s.call("GetUser", map[string]any{"AccessToken": tokens.AuthenticationResult.AccessToken}); status != 200 {
		t.Errorf("the session from before: %d %s", status, answer)
	}
}

// Two sandboxes that start in one folder leave whole files behind.
func TestSandboxTwiceInOneFolder(t *testing.T) {
	dir := t.TempDir()
	first, second := beginSandbox(t, dir), beginSandbox(t, dir)
	first.wait()
	second.wait()
	first.stop(syscall.SIGINT)
	second.stop(syscall.SIGINT)

	s := startSandbox(t, dir)
	if _, err := amplify.LoadConfig(s.Outputs); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A file of Gen 1 becomes outputs that mean the same to the library.
func TestSandboxImitatesGen1(t *testing.T) {
	files, err := filepath.Glob("../../testdata/configs/gen1-*.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // where the first one leaves keys, so that the others need not make any
	compared := 0
	for _, file := range files {
		want, err := amplify.LoadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		if want.Auth == nil {
			continue // there is nothing to imitate
		}
		compared++
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := startSandbox(t, dir, "--outputs", write(t, dir, "amplifyconfiguration.json", read(t, file)))
			got, err := amplify.LoadConfig(s.Outputs)
			if err != nil {
				t.Fatal(err)
			}
			// Amplify JS takes what is verified for required, too, in files of Gen 1.
			for _, c := range []*amplify.Config{&want, &got} {
				c.Auth.RequiredAttributes, c.Auth.SignUpVerificationMethod = nil, ""
				if c.Auth.IdentityPoolID == "" {
					c.Auth.AllowGuestAccess = false // there are no guests
				}
			}
			for what, values := range map[string][2]any{
				"Auth": {want.Auth, got.Auth}, "Data": {want.Data, got.Data}, "Storage": {want.Storage, got.Storage},
			} {
				if !reflect.DeepEqual(values[0], values[1]) {
					w, _ := json.Marshal(values[0])
					g, _ := json.Marshal(values[1])
					t.Errorf("%s is\n%s, want\n%s", what, g, w)
				}
			}
			if !strings.Contains(s.log, "Gen 1") {
				t.Errorf("does not say that these are other outputs:\n%s", s.log)
			}
		})
	}
	if compared < 5 {
		t.Errorf("%d files were compared", compared)
	}
}

// What is no configuration of Amplify is refused, with which file is wanted.
func TestSandboxRefusesOutputs(t *testing.T) {
	for file, want := range map[string]string{
		"wrong-aws-exports.js": "give amplifyconfiguration.json",
		"wrong-es-module.js":   "give amplifyconfiguration.json",
		"wrong-common-js.js":   "give amplifyconfiguration.json",
		"wrong-version-2.json": "--outputs-version 1.4",
		"gen1-data-only.json":  "amplify add auth",
	} {
		_, stderr, status := output(t, t.TempDir(), "sandbox", "--port=0", "--outputs", testConfig(t, file))
		if status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, want 1 and %q; stderr: %s", file, status, want, stderr)
		}
	}
}

func testConfig(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../testdata/configs", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Outputs without managed login get it for the application, and the log says what to deploy.
func TestSandboxAddsManagedLogin(t *testing.T) {
	dir := t.TempDir()
	s := startSandbox(t, dir, "--outputs", write(t, dir, "amplify_outputs.json", realOutputs), "--app-origin=http://localhost:8080")
	config, err := amplify.LoadConfig(s.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	if o := config.Auth.OAuth; o == nil || o.Domain == "" || o.RedirectSignIn[0] != "http://localhost:8080/api/auth/sign-in-callback" {
		t.Errorf("managed login is %+v", o)
	}
	if want := "callbackUrls: ['http://localhost:8080/api/auth/sign-in-callback']"; !strings.Contains(s.log, want) {
		t.Errorf("does not say %q:\n%s", want, s.log)
	}
}

// The app client has the settings of the flags, and its secret is shown nowhere.
func TestSandboxClientSettings(t *testing.T) {
	const secret = "hush-hush-0123456789"
	dir := t.TempDir()
	s := startSandbox(t, dir, "--client-secret-file", write(t, dir, "secret", secret+"\n"), "--rotate-refresh-tokens", "--rotation-grace=20s",
		"--auth-flows=ALLOW_USER_PASSWORD_AUTH,ALLOW_CUSTOM_AUTH", "--access-token-validity=5m", "--id-token-validity=10s", "--refresh-token-validity=48h")
	config, err := amplify.LoadConfig(s.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.call("DescribeUserPoolClient", map[string]any{
		"UserPoolId": config.Auth.UserPoolID, "ClientId": config.Auth.UserPoolClientID})
	var described struct {
		UserPoolClient struct {
			ClientSecret                                               string
			ExplicitAuthFlows                                          []string
			AccessTokenValidity, IDTokenValidity, RefreshTokenValidity int
			TokenValidityUnits                                         struct{ AccessToken, IDToken, RefreshToken string }
			RefreshTokenRotation                                       struct {
				Feature                 string
				RetryGracePeriodSeconds int
			}
		}
	}
	if err := json.Unmarshal([]byte(answer), &described); err != nil || status != 200 {
		t.Fatalf("%d %s, %v", status, answer, err)
	}
	c := described.UserPoolClient
	life := func(n int, unit string) time.Duration {
		return time.Duration(n) * map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}[unit]
	}
	slices.Sort(c.ExplicitAuthFlows)
	if c.ClientSecret != secret || strings.Join(c.ExplicitAuthFlows, " ") != "ALLOW_CUSTOM_AUTH ALLOW_USER_PASSWORD_AUTH" || c.RefreshTokenRotation.Feature != "ENABLED" || c.RefreshTokenRotation.RetryGracePeriodSeconds != 20 ||
		life(c.AccessTokenValidity, c.TokenValidityUnits.AccessToken) != 5*time.Minute ||
		life(c.IDTokenValidity, c.TokenValidityUnits.IDToken) != 10*time.Second ||
		life(c.RefreshTokenValidity, c.TokenValidityUnits.RefreshToken) != 48*time.Hour {
		t.Errorf("the app client is %s", answer)
	}
	if strings.Contains(s.log, secret) || strings.Contains(read(t, s.Outputs), secret) {
		t.Error("the secret is shown")
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

// TestSandboxStorageAdmin: the key for S3 is printed as JSON, if it was asked for, and kept with the
// data.
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

// A client for machines gets tokens for itself, by the secret of its file.
func TestSandboxMachineClient(t *testing.T) {
	dir := t.TempDir()
	s := startSandbox(t, dir, "--custom-scopes=photos/read,photos/write", "--machine-client=job",
		"--machine-secret-file", write(t, dir, "secret", "hush-hush-0123456789\n"))
	for secret, want := range map[string]int{"hush-hush-0123456789": 200, "wrong": 400} {
		response, err := http.PostForm(s.URL+"/oauth2/token", url.Values{"grant_type": {"client_credentials"},
			"client_id": {"job"}, "client_secret": {secret}, "scope": {"photos/write"}})
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("with the secret %q: %s %s, want status %d", secret, response.Status, answer, want)
		}
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
