package frameworktest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

// record is a test that is expected to fail: it logs and counts its failures.
type record struct {
	testing.TB
	failures atomic.Int32
}

func (r *record) Error(args ...any) {
	r.failures.Add(1)
	r.Log(args...)
}

func (r *record) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

func (r *record) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *record) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// parts are what the smallest application that the suite accepts is made of. A test takes one away,
// or puts a broken one in its place.
type parts struct {
	around, protect, middleware func(http.Handler) http.Handler // from outside
	page, user, admin           func(http.Handler) http.Handler // guards
	routes                      http.Handler                    // nil without managed login
	greet, me, events, note     http.Handler
	clock                       func() time.Time // of the runner
}

// broken returns an application that change has broken.
func broken(change func(*parts)) Serve {
	return func(t testing.TB, cfg amplify.Config, o amplifyhttp.Options) string {
		newApp := func(r *amplifyhttp.ServerRunner, managedLogin bool) (http.Handler, error) {
			p, err := newParts(r, managedLogin)
			if err != nil {
				return nil, err
			}
			p.clock = o.App.Clock
			change(p)
			return p.handler(), nil
		}
		return Handler(newApp)(t, cfg, o)
	}
}

func newParts(runner *amplifyhttp.ServerRunner, managedLogin bool) (*parts, error) {
	p := &parts{
		around: unchanged, protect: runner.Protect, middleware: runner.Middleware,
		greet: http.HandlerFunc(greet), me: forUser(writeJSON),
		events: forUser(writeEvents), note: http.HandlerFunc(note),
	}
	var err1, err2, err3, err4 error
	p.page, err1 = runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	p.user, err2 = runner.RequireUser(amplifyhttp.Guard{})
	p.admin, err3 = runner.RequireGroup(amplifyhttp.Guard{}, "admins")
	if managedLogin {
		p.routes, err4 = runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
	}
	return p, errors.Join(err1, err2, err3, err4)
}

func (p *parts) handler() http.Handler {
	mux := http.NewServeMux()
	if p.routes != nil {
		mux.Handle("/api/auth/", p.routes)
	}
	mux.Handle("GET /{$}", p.greet)
	mux.Handle("GET /home", p.page(p.greet))
	mux.Handle("GET /me", p.user(p.me))
	mux.Handle("GET /events", p.user(p.events))
	mux.Handle("POST /note", p.user(p.note))
	mux.Handle("/admin", p.admin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "admins only")
	})))
	return p.around(p.protect(p.middleware(mux)))
}

func unchanged(next http.Handler) http.Handler { return next }

func nameOf(ctx context.Context) string {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return ""
	}
	return cmp.Or(user.Name, user.Email, user.Username)
}

func greet(w http.ResponseWriter, r *http.Request) {
	text := "Welcome!"
	if name := nameOf(r.Context()); name != "" {
		text = "Hello, " + template.HTMLEscapeString(name) + "!"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, text)
}

// forUser returns a handler that answers a user.
func forUser(answer func(w http.ResponseWriter, who identity)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := auth.GetCurrentUser(r.Context())
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		answer(w, identity{user.Username, user.UserID})
	})
}

func writeJSON(w http.ResponseWriter, who identity) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(who)
}

func writeEvents(w http.ResponseWriter, who identity) {
	w.Header().Set("Content-Type", "text/event-stream")
	for n := range 3 {
		_, _ = fmt.Fprintf(w, "data: %d %s\n\n", n+1, who.Username)
		if http.NewResponseController(w).Flush() != nil {
			return
		}
	}
}

func note(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "note", Value: url.QueryEscape(r.PostFormValue("note"))})
	http.Redirect(w, r, "/home", http.StatusSeeOther)
}

// branch asks the one handler if a request is such a one, and otherwise the other.
func branch(is func(*http.Request) bool, one, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if is(r) {
			one.ServeHTTP(w, r)
		} else {
			other.ServeHTTP(w, r)
		}
	})
}

func isGet(r *http.Request) bool { return r.Method == http.MethodGet }

// cleaned is what a framework does that tidies paths.
func cleaned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = path.Clean(r.URL.Path)
		next.ServeHTTP(w, r)
	})
}

// headerWriter calls change before a header is written.
type headerWriter struct {
	http.ResponseWriter
	change  func(status int, h http.Header) int
	written bool
}

func (w *headerWriter) WriteHeader(status int) {
	if !w.written {
		w.written = true
		status = w.change(status, w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *headerWriter) Write(b []byte) (int, error) {
	if !w.written {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

func (w *headerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// writing puts a writer around those of all responses.
func writing(wrap func(http.ResponseWriter) http.ResponseWriter) func(*parts) {
	return func(p *parts) {
		p.around = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(wrap(w), r)
			})
		}
	}
}

// changing breaks the headers of all responses.
func changing(change func(status int, h http.Header) int) func(*parts) {
	return writing(func(w http.ResponseWriter) http.ResponseWriter {
		return &headerWriter{ResponseWriter: w, change: change}
	})
}

// without drops a field of all responses.
func without(name string) func(*parts) {
	return changing(func(status int, h http.Header) int {
		h.Del(name)
		return status
	})
}

// hidden keeps a writer from being flushed.
type hidden struct{ w http.ResponseWriter }

func (h hidden) Header() http.Header         { return h.w.Header() }
func (h hidden) Write(b []byte) (int, error) { return h.w.Write(b) }
func (h hidden) WriteHeader(status int)      { h.w.WriteHeader(status) }

// lazy is hidden, and claims that it has flushed.
type lazy struct{ hidden }

func (lazy) Flush() {}

type outerWriter struct{}

// bypass has events go out past the writer of the runner, which is asked for the user each time: as
// in a framework whose own writer stands outside of the runner's.
func bypass(p *parts) {
	p.around = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), outerWriter{}, w)))
		})
	}
	p.events = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w := r.Context().Value(outerWriter{}).(http.ResponseWriter)
		begin := p.clock()
		_, _ = fmt.Fprint(w, "data: 1 alice\n\n")
		_ = http.NewResponseController(w).Flush()
		for p.clock().Sub(begin) < 2*time.Hour { // until the session has expired
			runtime.Gosched()
		}
		if user, err := auth.GetCurrentUser(r.Context()); err == nil {
			_, _ = fmt.Fprintf(w, "data: 2 %s\n\ndata: 3 %[1]s\n\n", user.Username)
		}
	})
}

// firstUser has handlers answer everybody as the one who came first.
func firstUser(p *parts) {
	var first atomic.Pointer[identity]
	p.me = forUser(func(w http.ResponseWriter, who identity) {
		first.CompareAndSwap(nil, &who)
		writeJSON(w, *first.Load())
	})
	p.events = forUser(func(w http.ResponseWriter, who identity) {
		first.CompareAndSwap(nil, &who)
		writeEvents(w, *first.Load())
	})
}

// nextAnswer has cookies come in the answer after their own, too, as with a header that is used
// again.
func nextAnswer(p *parts) {
	var last atomic.Pointer[[]string]
	changing(func(status int, h http.Header) int {
		own := h["Set-Cookie"]
		if lines := last.Swap(&own); lines != nil {
			h["Set-Cookie"] = append(*lines, own...)
		}
		return status
	})(p)
}
