package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/amplify-go/amplify/amplifytest"
)

// asProgram is the environment variable that makes the test binary the program.
const asProgram = "CONTAINER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	m.Run()
}

// TestProcess: the program starts, is ready when it has the keys, and is stopped while
// a request is under way, which it finishes.
func TestProcess(t *testing.T) {
	pool := amplifytest.New(t, amplifytest.Options{})
	backend := newBackend(t, pool)
	pool.SetOutage(amplifytest.Down)
	app := start(t, backend.outputs)

	if status, body := app.get("/health/live", ""); status != 200 || body != "live\n" {
		t.Errorf("live: %d %q", status, body)
	}
	app.logs("not ready: ")
	if status, _ := app.get("/health/ready", ""); status != 503 {
		t.Errorf("ready without keys: %d", status)
	}
	pool.SetOutage(amplifytest.NoOutage)
	for status := 0; status != 200; {
		if status, _ = app.get("/health/ready", ""); t.Context().Err() != nil {
			t.Fatal("not ready")
		}
	}
	if status, _ := app.get("/", ""); status != 401 {
		t.Errorf("nobody: %d", status)
	}

	// A request waits for the refresh of its session.
	r := httptest.NewRequest("GET", "/", nil)
	pool.SignIn(r, amplifytest.User{Name: "ann"}, amplifytest.Expired)
	type answer struct {
		status int
		body   string
	}
	answered := make(chan answer)
	go func() {
		status, body := app.get("/", r.Header.Get("Cookie"))
		answered <- answer{status, body}
	}()
	<-backend.refreshing
	if err := app.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	app.logs("stopping")
	for t.Context().Err() == nil { // new connections are not taken any more
		conn, err := net.Dial("tcp", app.address)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(backend.goOn)
	if got := <-answered; got != (answer{200, "Hello, ann!\n"}) {
		t.Errorf("the last request: %+v", got)
	}
	if err := app.wait(); err != nil {
		t.Error(err)
	}
}

// backend is a pool at a loopback address, for another process.
type backend struct {
	outputs    string        // the file
	refreshing chan struct{} // closed when the first session is being refreshed
	goOn       chan struct{} // closed by the test: the refresh may go on
}

func newBackend(t *testing.T, pool *amplifytest.Pool) *backend {
	b := &backend{refreshing: make(chan struct{}), goOn: make(chan struct{})}
	o := pool.Options()
	userPool, err := url.Parse(o.App.Endpoints.UserPool)
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetTokensFromRefreshToken") {
			once.Do(func() { close(b.refreshing) })
			<-b.goOn
		}
		out := r.Clone(r.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host, out.Host = "", userPool.Scheme, userPool.Host, userPool.Host
		answer, err := o.App.HTTPClient.Transport.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)

	cfg := pool.Config().Auth
	outputs, err := json.Marshal(map[string]any{
		"version": "1.4",
		"auth": map[string]any{
			"aws_region": "eu-west-1", "user_pool_id": cfg.UserPoolID, "user_pool_client_id": cfg.UserPoolClientID,
			"oauth": map[string]any{
				"identity_providers": []string{}, "domain": cfg.OAuth.Domain, "scopes": cfg.OAuth.Scopes, "response_type": "code",
				"redirect_sign_in_uri": cfg.OAuth.RedirectSignIn, "redirect_sign_out_uri": cfg.OAuth.RedirectSignOut,
			},
		},
		"custom": map[string]any{"amplify_go": map[string]any{"endpoints": map[string]string{
			"user_pool": server.URL, "user_pool_keys": server.URL,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.outputs = filepath.Join(t.TempDir(), "amplify_outputs.json")
	if err := os.WriteFile(b.outputs, outputs, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// app is the program, running.
type app struct {
	t       *testing.T
	process *os.Process
	log     *bufio.Scanner
	address string
	wait    func() error
}

// start starts the program at a port of its own.
func start(t *testing.T, outputs string) *app {
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(file)
	cmd.Env = []string{asProgram + "=1", "PORT=0", "AMPLIFY_APP_ORIGIN=https://example.com", "AMPLIFY_OUTPUTS=" + outputs}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, process: cmd.Process, log: bufio.NewScanner(stderr)}
	a.wait = sync.OnceValue(func() error {
		_, _ = io.Copy(io.Discard, stderr)
		return cmd.Wait()
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = a.wait()
	})
	line := a.logs("listening on ")
	_, port, err := net.SplitHostPort(line[strings.LastIndexByte(line, ' ')+1:])
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	a.address = net.JoinHostPort("127.0.0.1", port)
	return a
}

// logs waits for a line of the log that contains text.
func (a *app) logs(text string) string {
	a.t.Helper()
	for a.log.Scan() {
		if strings.Contains(a.log.Text(), text) {
			return a.log.Text()
		}
	}
	a.t.Fatalf("the program ends without logging %q: %v", text, a.log.Err())
	return ""
}

// get asks for a page. It may be called from any goroutine.
func (a *app) get(path, cookies string) (status int, body string) {
	r, err := http.NewRequestWithContext(context.Background(), "GET", "http://"+a.address+path, nil)
	if err != nil {
		a.t.Error(err)
		return 0, ""
	}
	r.Header.Set("Cookie", cookies)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Error(err)
	}
	return response.StatusCode, string(text)
}
