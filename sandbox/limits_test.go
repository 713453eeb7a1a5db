package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serveLimited serves handler with limits and returns a function that opens a connection to it.
func serveLimited(t *testing.T, handler http.HandlerFunc, l limits, log io.Writer) func() net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(handler, slog.New(slog.NewTextHandler(log, nil)), l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return func() net.Conn {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil { // of the test's patience
			t.Fatal(err)
		}
		return c
	}
}

// short are limits that a test can wait for.
var short = limits{header: 50 * time.Millisecond, body: 50 * time.Millisecond, answer: 50 * time.Millisecond, idle: 50 * time.Millisecond, headerBytes: 4 << 10}

func TestSlowClients(t *testing.T) {
	readBody := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}
	noBody := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10<<10)) }
	silent := func(http.ResponseWriter, *http.Request) {}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		send    string
	}{
		"header":                       {readBody, "POST / HTTP/1.1\r\nHost: localhost\r\n"},
		"body":                         {readBody, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"},
		"chunk":                        {readBody, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"},
		"body that is not read":        {noBody, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"},
		"body that is not read, empty": {silent, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"},
		"next request":                 {readBody, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			connection := serveLimited(t, c.handler, short, io.Discard)()
			if _, err := io.WriteString(connection, c.send); err != nil {
				t.Fatal(err)
			}
			// The server closes the connection: reading it ends.
			if _, err := io.ReadAll(connection); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("the server waits: %v", err)
			}
		})
	}
}

func TestSlowReader(t *testing.T) {
	stopped := make(chan error, 1)
	connection := serveLimited(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				stopped <- err
				return
			}
		}
	}, short, io.Discard)()
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stopped:
	case <-time.After(20 * time.Second):
		t.Error("the server waits for a client that does not read")
	}
}

// TestLateAnswers lets a handler take longer than all limits,
// before it reads the body and before it answers, as faults do.
func TestLateAnswers(t *testing.T) {
	connection := serveLimited(t, func(w http.ResponseWriter, r *http.Request) {
		wait := func() {
			select {
			case <-time.After(3 * short.body):
			case <-r.Context().Done():
				t.Error("the request was cancelled")
			}
		}
		wait()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the body: %v", err)
		}
		wait()
		_, _ = w.Write(body)
	}, short, io.Discard)()
	answers := bufio.NewReader(connection)
	for i := range 2 { // on one connection
		text := fmt.Sprintf("body %d", i)
		if _, err := fmt.Fprintf(connection, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(text), text); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != text {
			t.Errorf("%q, %v", body, err)
		}
	}
}

func TestLargeHeader(t *testing.T) {
	connection := serveLimited(t, func(http.ResponseWriter, *http.Request) {}, short, io.Discard)()
	go func() {
		_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: "+strings.Repeat("x", 32<<10)+"\r\n\r\n")
	}()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(response.Status)
	}
}

// TestPanic finds a panic in the log, and faults that break connections not.
func TestPanic(t *testing.T) {
	for reason, logged := range map[any]bool{"a mistake": true, http.ErrAbortHandler: false} {
		var log bytes.Buffer
		handler := logPanics(slog.New(slog.NewTextHandler(&log, nil)), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(reason) }))
		func() {
			defer func() {
				if got := recover(); got != http.ErrAbortHandler {
					t.Errorf("%v: net/http hears of %v", reason, got)
				}
			}()
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/broken", nil))
		}()
		if got := strings.Contains(log.String(), "a mistake"); got != logged {
			t.Errorf("%v: the log is %q", reason, &log)
		}
	}
}

func TestCheckLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "192.168.0.1": false, "0.0.0.0": false, "::": false} {
		if err := checkLoopback(&net.TCPAddr{IP: net.ParseIP(address), Port: 80}); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestDNSName(t *testing.T) {
	for name, want := range map[string]bool{
		"auth.my-app.example": true, "x.auth.us-east-1.amazoncognito.com": true, "a_b.example": true,
		"com": false, "*.com": false, "com.": false, "192.168.0.1": false, "0.0.0.0": false, "": false, "::1": false,
		"a..example": false, "-a.example": false, "a-.example": false, "a.example/": false, "a b.example": false,
	} {
		if got := dnsName.MatchString(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
