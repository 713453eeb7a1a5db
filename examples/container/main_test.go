package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/internal/frameworktest"
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

// TestProcess: the program starts, is ready when it has the keys, and is stopped while a request is
// under way, which it finishes.
func TestProcess(t *testing.T) {
	pool := amplifytest.New(t, amplifytest.Options{})
	refreshing, goOn := make(chan struct{}), make(chan struct{})
	outputs := frameworktest.Backend(t, pool, func(r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetTokensFromRefreshToken") {
			close(refreshing)
			<-goOn
		}
	})
	pool.SetOutage(amplifytest.Down)
	app := start(t, outputs)

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
	<-refreshing
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
	close(goOn)
	if got := <-answered; got != (answer{200, "Hello, ann!\n"}) {
		t.Errorf("the last request: %+v", got)
	}
	if err := app.wait(); err != nil {
		t.Error(err)
	}
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
	cmd.Env = []string{
		asProgram + "=1", "PORT=0",
		"AMPLIFY_APP_ORIGIN=https://example.com", "AMPLIFY_OUTPUTS=" + outputs,
	}
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
