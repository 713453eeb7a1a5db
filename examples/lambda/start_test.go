package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

// asProgram is the environment variable that makes the test binary the program.
const asProgram = "LAMBDA_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	m.Run()
}

// TestProgram: the program starts as Lambda starts it, with the keys of the user pool, and answers
// what the runtime API hands out.
func TestProgram(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l := newRuntime(t)
	l.start(t, executable)
	<-l.asked
	if n := l.pool.Calls()["jwks.json"]; n != 1 {
		t.Errorf("the keys are fetched %d times before the first request", n)
	}
	r := httptest.NewRequest("GET", "/home", nil)
	l.pool.SignIn(r, amplifytest.User{Name: "ann"})
	l.events <- integrations["function URL"].event(t, r)
	var got answer
	text := <-l.answers
	err = json.Unmarshal(text, &got)
	if err != nil || got.StatusCode != 200 || !strings.Contains(got.Body, "Hello, ann!") {
		t.Errorf("%s, %v", text, err)
	}
}

// BenchmarkColdStart measures what a function does before it can take a request: it starts the
// program, and waits until that asks for its first event. The keys come from loopback.
func BenchmarkColdStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-tags=lambda.norpc", "-ldflags=-s", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	l := newRuntime(b)
	var cpu time.Duration
	for b.Loop() {
		cmd := l.start(b, program)
		<-l.asked
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op")
}

// runtime is the runtime API of Lambda: Lambda Developer Guide, "Using the Lambda runtime API for
// custom runtimes".
type runtime struct {
	pool    *amplifytest.Pool
	server  *httptest.Server
	outputs string        // the file
	asked   chan struct{} // the program asks for an event
	events  chan []byte
	answers chan []byte
}

func newRuntime(t testing.TB) *runtime {
	pool := amplifytest.New(t, amplifytest.Options{})
	l := &runtime{
		pool: pool, outputs: frameworktest.Backend(t, pool, func(*http.Request) {}),
		asked: make(chan struct{}, 1), events: make(chan []byte), answers: make(chan []byte),
	}
	const invocation = "/2018-06-01/runtime/invocation/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+invocation+"next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case l.asked <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		select {
		case event := <-l.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			deadline := time.Now().Add(time.Minute).UnixMilli()
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(deadline))
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST "+invocation+"1/response", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		l.answers <- text
	})
	l.server = httptest.NewServer(mux)
	t.Cleanup(l.server.Close)
	return l
}

// start starts the program as Lambda does. It ends with the test.
func (l *runtime) start(t testing.TB, program string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Env = []string{
		asProgram + "=1", "AMPLIFY_OUTPUTS=" + l.outputs, "AMPLIFY_APP_ORIGIN=https://example.com",
		"AWS_LAMBDA_RUNTIME_API=" + l.server.Listener.Addr().String(),
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}
