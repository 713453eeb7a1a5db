package amplifyhttp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

// hiding is what many middlewares wrap a ResponseWriter in: it forwards the three
// methods and nothing else.
type hiding struct{ http.ResponseWriter }

// unwrapping is what the better ones do.
type unwrapping struct{ http.ResponseWriter }

func (u unwrapping) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func wrapIn(wrap func(http.ResponseWriter) http.ResponseWriter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrap(w), r) })
}

// TestCookiesPrecedeTheHeader refreshes a session in handlers that send their header in every way
// there is. The refreshed tokens must be in it.
func TestCookiesPrecedeTheHeader(t *testing.T) {
	refresh := func(r *http.Request) {
		if _, err := auth.GetCurrentUser(r.Context()); err != nil {
			panic(err)
		}
	}
	asHiding := func(w http.ResponseWriter) http.ResponseWriter { return hiding{w} }
	asUnwrapping := func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{w} }
	tests := []struct {
		name    string
		handler http.HandlerFunc
		outside func(http.Handler) http.Handler // around Middleware
		inside  func(http.Handler) http.Handler // below it
		status  int
	}{
		{name: "Write", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); _, _ = w.Write([]byte("x")) }},
		{name: "WriteString", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); _, _ = io.WriteString(w, "x") }},
		{name: "WriteHeader", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); w.WriteHeader(404) }, status: 404},
		{name: "redirect", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); http.Redirect(w, r, "/x", 303) }, status: 303},
		{name: "nothing", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r) }},
		{name: "Flusher", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); w.(http.Flusher).Flush() }},
		{name: "ResponseController.Flush", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
		}},
		{name: "informational", handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			refresh(r) // 103 was not the final header: this is not too late
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(202)
		}, status: 202},
		{name: "ReadFrom", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			_, _ = io.CopyN(w, strings.NewReader("body"), 4)
		}},
		{name: "ServeContent", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("body"))
		}},
		{name: "hijack", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			answerByHand(rw, w.Header())
		}, status: 299},
		{name: "ResponseController.Hijack", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			conn, rw, err := http.NewResponseController(unwrapping{w}).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			answerByHand(rw, w.Header())
		}, status: 299},
		{name: "panic below a recovery outside", handler: func(_ http.ResponseWriter, r *http.Request) { refresh(r); panic("x") },
			outside: recovering, status: 500},
		{name: "panic below a recovery inside", handler: func(_ http.ResponseWriter, r *http.Request) { refresh(r); panic("x") },
			inside: recovering, status: 500},
		{name: "time-out inside", handler: func(_ http.ResponseWriter, r *http.Request) { refresh(r); <-r.Context().Done() },
			inside: func(next http.Handler) http.Handler { return http.TimeoutHandler(next, 200*time.Millisecond, "") }, status: 503},
		{name: "time-out outside", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); _, _ = w.Write([]byte("x")) },
			outside: func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Minute, "") }},
		{name: "hiding writer outside", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); _, _ = w.Write([]byte("x")) },
			outside: func(next http.Handler) http.Handler { return wrapIn(asHiding, next) }},
		{name: "hiding writer inside", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); _, _ = w.Write([]byte("x")) },
			inside: func(next http.Handler) http.Handler { return wrapIn(asHiding, next) }},
		{name: "unwrapping writer inside", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			_ = http.NewResponseController(w).Flush()
		}, inside: func(next http.Handler) http.Handler { return wrapIn(asUnwrapping, next) }},
		{name: "unwrapping writer outside", handler: func(w http.ResponseWriter, r *http.Request) {
			refresh(r)
			_ = http.NewResponseController(w).Flush()
		}, outside: func(next http.Handler) http.Handler { return wrapIn(asUnwrapping, next) }},
		{name: "middleware twice", handler: func(w http.ResponseWriter, r *http.Request) { refresh(r); _, _ = w.Write([]byte("x")) }},
		{name: "by hand", handler: func(http.ResponseWriter, *http.Request) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, nil, nil)
			f = newFixture(t, f.backend.Refreshed("alice"), nil)
			h := http.Handler(tt.handler)
			switch tt.name {
			case "by hand":
				h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r = r.WithContext(context.WithValue(r.Context(), servingKey{f.ServerRunner}, nil)) // as if there were no middleware
					if _, err := RunWithServerContext(f.ServerRunner, ReadWrite(w, r), auth.GetCurrentUser); err != nil {
						t.Error(err)
					}
				})
			case "middleware twice":
				h = f.Middleware(h)
			}
			if tt.inside != nil {
				h = tt.inside(h)
			}
			h = f.Middleware(h)
			if tt.outside != nil {
				h = tt.outside(h)
			}
			server := httptest.NewUnstartedServer(h)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Start()
			defer server.Close()

			r, _ := http.NewRequest(http.MethodGet, server.URL+"/page", nil)
			r.Header.Set("Cookie", f.backend.Session("alice", -time.Minute, nil))
			r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
					if h["Set-Cookie"] != nil {
						return errors.New("an informational response carries cookies")
					}
					return nil
				},
			}))
			w, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Body.Close()
			if want := max(tt.status, 200); tt.status == 0 && w.StatusCode != want || tt.status != 0 && w.StatusCode != tt.status {
				t.Errorf("status %d", w.StatusCode)
			}
			set := setCookies(w.Header["Set-Cookie"])
			if got := set[testPrefix+"alice.refreshToken"]["value"]; got != "rotated" {
				t.Errorf("refresh token %q in %v", got, w.Header)
			}
			if n := len(w.Header["Set-Cookie"]); n != 4 {
				t.Errorf("%d cookies", n)
			}
			if got := w.Header.Get("Cache-Control"); got != private {
				t.Errorf("Cache-Control %q", got)
			}
			if got := w.Header.Get("Vary"); got != "Cookie" {
				t.Errorf("Vary %q", got)
			}
		})
	}
}

// answerByHand writes a response as those do who have taken the connection over.
func answerByHand(rw *bufio.ReadWriter, h http.Header) {
	_, _ = rw.WriteString("HTTP/1.1 299 By Hand\r\nContent-Length: 0\r\nConnection: close\r\n")
	_ = h.Write(rw)
	_, _ = rw.WriteString("\r\n")
	_ = rw.Flush()
}

// recovering answers 500 for handlers that panic.
func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(500)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// TestReadOnlyOnceTheHeaderIsGone: a refresh whose cookies could not be sent would lose a rotated
// refresh token.
func TestReadOnlyOnceTheHeaderIsGone(t *testing.T) {
	for name, send := range map[string]func(http.ResponseWriter){
		"write":  func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) },
		"header": func(w http.ResponseWriter) { w.WriteHeader(200) },
		"flush":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil, nil)
			f = newFixture(t, f.backend.Refreshed("alice"), nil)
			w := serve(f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				send(w)
				_, err := auth.GetCurrentUser(r.Context())
				if reason := amplify.ReasonOf(err); reason != amplify.ReasonRefreshNeedsWritableResponse {
					t.Errorf("error %v", err)
				}
			})), request("/", f.backend.Session("alice", -time.Minute, nil)))
			if calls := f.upstream.Calls(); len(calls) != 0 || w.Header["Set-Cookie"] != nil {
				t.Errorf("calls %v, header %v", calls, w.Header)
			}
		})
	}
}

// TestPanicsPropagate: the runner must not hide a panic, nor change it, and its context ends with
// it.
func TestPanicsPropagate(t *testing.T) {
	f := newFixture(t, nil, nil)
	var leaked context.Context
	h := f.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked = r.Context()
		panic(http.ErrAbortHandler)
	}))
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("recovered %v", got)
		}
		if _, err := auth.GetCurrentUser(leaked); !errors.Is(err, amplify.ErrServerContextClosed) {
			t.Errorf("error %v", err)
		}
	}()
	serve(h, request("/", ""))
}

// TestWriterKeepsAbilities: what the server's writer can do can be done through ours.
func TestWriterKeepsAbilities(t *testing.T) {
	f := newFixture(t, nil, nil)
	server := httptest.NewServer(f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(time.Now().Add(time.Minute)), c.SetWriteDeadline(time.Now().Add(time.Minute)), c.EnableFullDuplex()); err != nil {
			t.Error(err)
		}
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("no io.ReaderFrom")
		}
		// A recorder can neither be hijacked nor given deadlines: errors say so.
		inner := &responseWriter{next: httptest.NewRecorder(), x: f.exchangeOf(r), ctx: r.Context()}
		if _, _, err := inner.Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
	})))
	defer server.Close()
	w, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
}

// TestCloseNotifier: handlers of old learn through the writer that their client has gone, whatever
// the writers outside are.
func TestCloseNotifier(t *testing.T) {
	f := newFixture(t, nil, nil)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	told := false
	handler := f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		notifier := w.(interface{ CloseNotify() <-chan bool })
		gone := notifier.CloseNotify()
		if again := notifier.CloseNotify(); again != gone {
			t.Error("each call costs another channel")
		}
		select {
		case <-gone:
			t.Error("told too early")
		default:
		}
		hangUp()
		told = <-gone
	}))
	handler.ServeHTTP(hiding{httptest.NewRecorder()}, request("/", "").WithContext(ctx))
	if !told {
		t.Error("not told")
	}
}
