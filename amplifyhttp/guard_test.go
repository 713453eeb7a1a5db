package amplifyhttp

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/static"
)

// TestGuards: a guard lets requests pass or answers them, with Middleware around it or without.
func TestGuards(t *testing.T) {
	f := newFixture(t, nil, nil)
	alice := f.backend.Session("alice", time.Hour, map[string]any{"cognito:groups": []string{"editors"}})
	for name, tt := range map[string]struct {
		guard    func(http.Handler) http.Handler
		target   string
		cookies  string
		status   int
		location string
	}{
		"signed in":     {must(f.RequireUser(Guard{SignIn: "/sign-in"})), "/", alice, 204, ""},
		"not signed in": {must(f.RequireUser(Guard{SignIn: "/sign-in"})), "/notes", "", 303, "/sign-in?return_to=%2Fnotes"},
		"excepted":      {must(f.RequireUser(Guard{Except: []string{"/static/"}})), "/static/a.css", "", 204, ""},
		"in the group":  {must(f.RequireGroup(Guard{}, "editors")), "/", alice, 204, ""},
		"in another":    {must(f.RequireGroup(Guard{}, "admins")), "/", alice, 403, ""},
		"has the scope": {must(f.RequireScope(Guard{}, "email")), "/", alice, 204, ""},
		"lacks it":      {must(f.RequireScope(Guard{}, "notes/write")), "/", alice, 403, ""},
	} {
		for _, h := range []http.Handler{tt.guard(http.HandlerFunc(ok)), f.Middleware(tt.guard(http.HandlerFunc(ok)))} {
			w := serve(h, request(tt.target, tt.cookies, navigation...))
			if w.StatusCode != tt.status || w.Header.Get("Location") != tt.location {
				t.Errorf("%s: status %d, location %q", name, w.StatusCode, w.Header.Get("Location"))
			}
			if tt.target != "/static/a.css" && w.Header.Get("Cache-Control") != private {
				t.Errorf("%s: Cache-Control %q", name, w.Header.Get("Cache-Control"))
			}
		}
	}
}

// TestGuardedStaticPage: shared caches do not get a page that only some may see, although it is the
// same for all of them; nor the cookies of a session that was refreshed before the page was served.
func TestGuardedStaticPage(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.Refreshed("alice"), nil)
	pages, err := static.New(f.ServerRunner, static.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close(t.Context())
	page, err := pages.Page(static.PageOptions{
		Name: "page", Revalidate: time.Hour,
		Render: func(context.Context, static.Request) (*static.Content, error) {
			return &static.Content{}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	guarded := must(f.RequireUser(Guard{}))(page)
	greeted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := auth.GetCurrentUser(r.Context()); err != nil {
			t.Error(err)
		}
		page.ServeHTTP(w, r)
	})
	good := f.backend.Session("alice", time.Hour, nil)
	over := f.backend.Session("alice", -time.Minute, nil)
	for name, tt := range map[string]struct {
		handler   http.Handler
		session   string
		refreshed bool
	}{
		"guard":                   {guarded, good, false},
		"Middleware":              {f.Middleware(guarded), good, false},
		"guard, refreshed":        {guarded, over, true},
		"Middleware, refreshed":   {f.Middleware(guarded), over, true},
		"session read, refreshed": {f.Middleware(greeted), over, true},
	} {
		w := serve(tt.handler, request("/", tt.session))
		control, cookies := w.Header.Get("Cache-Control"), w.Header["Set-Cookie"]
		if w.StatusCode != 200 || control != private || (len(cookies) > 0) != tt.refreshed {
			t.Errorf("%s: status %d, Cache-Control %q, %d cookies",
				name, w.StatusCode, control, len(cookies))
		}
	}
}

// TestGuardFaults: a guard that cannot work is an error, not a panic.
func TestGuardFaults(t *testing.T) {
	f := newFixture(t, nil, nil)
	bad := Guard{SignIn: "//evil.test", Except: []string{"/{"}}
	for name, guard := range map[string]func() (func(http.Handler) http.Handler, error){
		"user":  func() (func(http.Handler) http.Handler, error) { return f.RequireUser(bad) },
		"group": func() (func(http.Handler) http.Handler, error) { return f.RequireGroup(bad, "x") },
		"scope": func() (func(http.Handler) http.Handler, error) { return f.RequireScope(bad, "x") },
	} {
		if h, err := guard(); h != nil || len(amplify.ConfigErrors(err)) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGuardDenied: an application that answers itself gets the reason, and nothing is
// answered for it.
func TestGuardDenied(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := must(f.RequireUser(Guard{SignIn: "/sign-in", Denied: func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, string(amplify.ReasonOf(err)), http.StatusTeapot)
	}}))(http.HandlerFunc(ok))
	w := serve(h, request("/", "", fromAfar...))
	if body, _ := io.ReadAll(w.Body); w.StatusCode != http.StatusTeapot || string(body) != "no_session\n" || w.Header["Set-Cookie"] != nil {
		t.Errorf("%d %s", w.StatusCode, body)
	}
}

// TestProtect: forms of other sites are refused.
func TestProtect(t *testing.T) {
	h := newFixture(t, nil, nil).Protect(http.HandlerFunc(ok))
	for origin, status := range map[string]int{"https://myapp.com": 204, "https://evil.test": 403} {
		r := request("/", "", "Sec-Fetch-Site", "cross-site", "Origin", origin)
		r.Method = http.MethodPost
		if w := serve(h, r); w.StatusCode != status {
			t.Errorf("%s: status %d", origin, w.StatusCode)
		}
	}
}
