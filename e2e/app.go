package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

// site is an address that browsers can open, before anything answers there: the backend wants to
// know it first.
type site struct {
	listener net.Listener
	origin   string
}

// newSite takes a free port. host is localhost or a name below it, which browsers take to be this
// machine.
func newSite(t testing.TB, host string) *site {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // closed already where it was served
	return &site{listener, "http://" + net.JoinHostPort(host, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))}
}

// serve answers requests until the test ends.
func (s *site) serve(t testing.TB, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving %s: %v", s.origin, err)
		}
	})
}

// app is a Go application, as a user of this library would write it.
type app struct {
	*site
	pages  http.Handler
	outage atomic.Pointer[outage]
}

// outage is a network that fails between the browser and the application.
type outage struct {
	// of tells which requests are hit.
	of func(*http.Request) bool
	// answers tells what gets lost: the answer of the application, which has done its work, or the
	// request before that.
	answers  bool
	happened chan struct{} // closed once a request was hit
}

// appOptions say which application it is.
type appOptions struct {
	amplifyhttp.Options
	// Script is the bundle of Amplify JS, and Configuration what the page /amplify configures it
	// with.
	Script        []byte
	Configuration any
}

// startApp starts an application at s for the users of backend. If o.Origin is not given, its
// sessions are those that Amplify JS makes in the page.
func startApp(t testing.TB, s *site, backend *backend, o appOptions) *app {
	t.Helper()
	config, err := amplify.ParseConfig(backend.Outputs())
	if err != nil {
		t.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(config, o.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing the runner: %v", err)
		}
	})
	mux := http.NewServeMux()
	if o.Origin != "" {
		routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{RedirectOnSignInComplete: "/", RedirectOnSignOutComplete: "/"})
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/api/auth/", routes)
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("GET /{$}", home)
	mux.HandleFunc("GET /me", me)
	mux.Handle("GET /protected", signedIn(http.HandlerFunc(protected)))
	mux.HandleFunc("GET /amplify", func(w http.ResponseWriter, _ *http.Request) { show(w, "amplify", o.Configuration) })
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) { show(w, "page", nil) })
	mux.HandleFunc("GET /amplify.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(o.Script)
	})

	a := &app{site: s, pages: runner.Middleware(mux)}
	s.serve(t, a)
	return a
}

// fail starts an outage and waits until it has hit a request that act causes. The outage lasts
// until the function that fail returns is called.
func (a *app) fail(t testing.TB, o outage, act func()) (restore func()) {
	t.Helper()
	o.happened = make(chan struct{})
	a.outage.Store(&o)
	act()
	select {
	case <-o.happened:
	case <-time.After(patience):
		t.Fatal("no request came that could have been lost")
	}
	return func() { a.outage.Store(nil) }
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := a.outage.Load()
	if o == nil || !o.of(r) {
		a.pages.ServeHTTP(w, r)
		return
	}
	select {
	case <-o.happened: // browsers try again on their own
	default:
		if o.answers {
			a.pages.ServeHTTP(httptest.NewRecorder(), r)
		}
		close(o.happened)
	}
	panic(http.ErrAbortHandler)
}

var pages = template.Must(template.New("").Parse(`
{{define "home"}}<!doctype html><title>Home</title>
<h1>{{with .}}Hello, {{.}}.{{else}}Hello, stranger.{{end}}</h1>
<a href="/api/auth/sign-in">Sign in</a> <a href="/api/auth/sign-up">Sign up</a> <a href="/api/auth/sign-out">Sign out</a>
<a href="/protected?room=1&amp;lamp=on">Go inside</a>{{end}}

{{define "protected"}}<!doctype html><title>Inside</title><h1>Inside, {{.}}.</h1> <a href="/protected?room=2">Next room</a>{{end}}

{{define "page"}}<!doctype html><title>Page</title><h1>A page with a prefetch</h1><link rel="prefetch" href="/api/auth/sign-out">{{end}}

{{define "other"}}<!doctype html><title>Other site</title><h1>Another site</h1>
<a href="{{.}}/protected?from=mail">Look at this</a> <a href="{{.}}/api/auth/sign-out?global=true">Win a prize</a> <img src="{{.}}/api/auth/sign-out" alt="">{{end}}

{{define "amplify"}}<!doctype html><title>Amplify JS</title><h1>Amplify JS runs here.</h1>
<script type="application/json" id="amplify-configuration">{{.}}</script><script src="/amplify.js"></script>{{end}}
`))

func show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pages.ExecuteTemplate(w, page, data)
}

func home(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	switch {
	case errors.Is(err, amplify.ErrUnauthenticated):
		show(w, "home", nil)
	case err != nil:
		http.Error(w, string(amplify.ReasonOf(err)), http.StatusServiceUnavailable)
	default:
		show(w, "home", user.Username)
	}
}

func protected(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		http.Error(w, string(amplify.ReasonOf(err)), http.StatusInternalServerError)
		return
	}
	show(w, "protected", user.Username)
}

// me answers who is asking as JSON, or why nobody is. With ?refresh the session is refreshed
// whether it has expired or not.
func me(w http.ResponseWriter, r *http.Request) {
	var answer whoami
	status := http.StatusOK
	session, err := auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{ForceRefresh: r.URL.Query().Has("refresh")})
	switch {
	case err != nil:
		answer.Reason, status = string(amplify.ReasonOf(err)), http.StatusInternalServerError
	case session.Tokens == nil:
		answer.Reason, status = string(amplify.ReasonOf(session.Unauthenticated)), http.StatusUnauthorized
	default:
		claims := session.Tokens.IDToken.Claims()
		answer = whoami{Username: claims.Username, Sub: claims.Subject, IssuedAt: claims.IssuedAt.Unix(), ExpiresAt: claims.ExpiresAt.Unix()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// whoami is what /me answers, here and in the Next.js application.
type whoami struct {
	Username  string `json:"username,omitempty"`
	Sub       string `json:"sub,omitempty"`
	IssuedAt  int64  `json:"issuedAt,omitempty"`
	ExpiresAt int64  `json:"expiresAt,omitempty"`
	Reason    string `json:"reason,omitempty"`
}
