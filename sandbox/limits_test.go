package sandbox

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestServerLimits(t *testing.T) {
	server := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if server.ReadHeaderTimeout <= 0 || server.IdleTimeout <= 0 {
		t.Error("a client that sends nothing keeps its connection")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	defer func() {
		_ = server.Close()
		<-done
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", strings.Repeat("x", 128<<10))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
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
