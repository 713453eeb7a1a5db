package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/verify"
)

// TestWasm runs the library under GOOS=js, where requests are sent by fetch. fetch follows
// redirects by itself and has no time-outs.
func TestWasm(t *testing.T) {
	const email = "ada@example.com"
	backend := startBackend(t, sandbox.Config{})
	backend.addUser(t, sandbox.User{Email: email})
	tokens, err := newPoolClient(t, backend.Outputs()).signIn(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	prefix := "CognitoIdentityServiceProvider." + backend.outputs(t).Auth.ClientID + "."
	cookies := fmt.Sprintf("%[1]sLastAuthUser=username; %[1]susername.accessToken=%[2]s; "+
		"%[1]susername.idToken=%[3]s; %[1]susername.refreshToken=%[4]s",
		prefix, *tokens.AccessToken, *tokens.IdToken, *tokens.RefreshToken)

	var redirecting, target recorder
	elsewhere := serve(t, target.record)
	redirects := serve(t, func(w http.ResponseWriter, r *http.Request) {
		redirecting.record(w, r)
		http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
	})
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	stalls := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"Username":"ada","UserAttributes":[]}`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})

	var got struct {
		User, Email string
		SetCookies  []string
		Errors      map[string]string
		Seconds     map[string]float64
	}
	runWasm(t, "./e2e/wasm", map[string]any{
		"Outputs": json.RawMessage(backend.Outputs()), "Cookies": cookies,
		"Redirects": redirects, "Silent": silent, "Stalls": stalls,
	}, &got)

	if got.User == "" || got.Email != email {
		t.Errorf("the user is %q with the address %q", got.User, got.Email)
	}
	wantNewerSession(t, backend, got.SetCookies, *tokens.AccessToken)
	for name, most := range map[string]float64{
		"redirected refresh":                   5,
		"redirected refresh by another client": 5,
		"redirected request":                   5,
		"redirected request by another client": 5,
		"no answer":                            40,
		"half of an answer":                    40,
		"half of the attributes":               1,
	} {
		const slack = 5 // seconds, for a busy machine
		if got.Errors[name] == "" || got.Seconds[name] > most+slack {
			t.Errorf("%s: error %q after %.1f s", name, got.Errors[name], got.Seconds[name])
		}
	}
	refreshes := 0
	for _, request := range redirecting.all() {
		if strings.Contains(request, *tokens.RefreshToken) {
			refreshes++
		}
	}
	if refreshes < 2 {
		t.Errorf("%d refreshes reached the address that redirects", refreshes)
	}
	if got := target.all(); len(got) != 1 || got[0] != "GET /control " {
		t.Errorf("the target of the redirects got %q", got)
	}
}

// wantNewerSession expects the lines of Set-Cookie headers to make a session of a newer access token
// than old.
func wantNewerSession(t testing.TB, backend *backend, lines []string, old string) {
	t.Helper()
	var cookies []string
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	header := strings.Join(cookies, "; ")
	if len(cookies) == 0 || strings.Contains(header, old) {
		t.Errorf("%d cookies were set, among them the old access token", len(cookies))
	}
	config := backend.outputs(t).Auth
	_, keys := fetch(t, http.MethodGet, backend.URL()+"/"+config.UserPoolID+"/.well-known/jwks.json", "", nil)
	v, err := verify.New(verify.Options{UserPoolID: config.UserPoolID, ClientID: config.ClientID, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Session(header); err != nil {
		t.Errorf("the refreshed session: %v", err)
	}
}

// recorder keeps what requests consist of: method, path and body.
type recorder struct {
	mu       sync.Mutex
	requests []string
}

func (r *recorder) record(_ http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, fmt.Sprintf("%s %s %s", req.Method, req.URL.Path, body))
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// serve returns the address of a server that ends with the test.
func serve(t testing.TB, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// smallWasm are the flags by which docs/guides/edge.md builds a program small.
var smallWasm = []string{
	"-tags=nethttpomithttp2", "-gcflags=all=-l", "-gcflags=crypto/internal/fips140/...=",
}

// buildWasm builds a command of this workspace for WebAssembly, and returns the path of the module.
// goos is "js" or "wasip1".
func buildWasm(t testing.TB, goos, pkg string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.wasm")
	args := append([]string{"build", "-o", path, "-trimpath", "-ldflags=-s -w"}, flags...)
	build := exec.CommandContext(t.Context(), program(t, "go"), append(args, pkg)...)
	build.Dir, build.Env = "..", append(os.Environ(), "GOOS="+goos, "GOARCH=wasm")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, output)
	}
	return path
}

// goWasm returns the path of a file that the go command brings along to run WebAssembly.
func goWasm(t testing.TB, name string) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), program(t, "go"), "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", name)
}

// runWasm builds a command of this workspace for GOOS=js and runs it in Node.js. in goes to
// standard input, and out comes from standard output, both as JSON.
func runWasm(t testing.TB, pkg string, in, out any) {
	t.Helper()
	path := buildWasm(t, "js", pkg, smallWasm...)
	script := goWasm(t, "wasm_exec_node.js")
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, "node"), "--stack-size=8192", script, path)
	// net/http uses fetch unless argv[0] begins with "node" (net/http/roundtrip_js.go).
	cmd.Args[0] = "js"
	cmd.Env = []string{} // a wasm program has room for a few KiB of environment only
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", pkg, err, stderr.Bytes())
	}
	if err := json.Unmarshal(output, out); err != nil {
		t.Fatalf("%s printed %q: %v\n%s", pkg, output, err, stderr.Bytes())
	}
	if t.Failed() {
		t.Logf("%s printed:\n%s", pkg, stderr.Bytes())
	}
}
