package flow

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/flowtest"
)

// below returns a change of the settings for an application whose auth routes have a prefix, and of
// which a proxy takes off base.
func below(base, prefix string) func(*amplify.Config, *Options) {
	return func(cfg *amplify.Config, o *Options) {
		o.BasePath = base
		cfg.Auth.OAuth.RedirectSignIn = []string{flowtest.Origin + prefix + "/api/auth/sign-in-callback"}
		cfg.Auth.OAuth.RedirectSignOut = []string{flowtest.Origin + prefix + "/api/auth/sign-out-callback"}
	}
}

// TestGuardBehindPrefixes: a guard sends users to where browsers find the page to sign in on, and
// that page passes, in one spelling.
func TestGuardBehindPrefixes(t *testing.T) {
	for _, tt := range []struct {
		base, strip, signIn, target string
		location                    string // "" if it passes
	}{
		{"/app", "", "/sign-in", "/notes?a=1", "/app/sign-in?return_to=%2Fapp%2Fnotes%3Fa%3D1"},
		{"/app", "", "/sign-in", "/sign-in", ""},
		{"/app", "", "/sign-in", "/sign-in?return_to=%2Fapp%2Fnotes", ""},
		{"/app", "", "/sign-in", "/app/sign-in", "/app/sign-in"},
		{"/app", "", "https://myapp.com/app/sign-in?a=b#c", "/sign-in", ""},
		{"/app", "", "https://myapp.com/sign-in", "/sign-in", "/sign-in"},
		{"/app", "", "/api/auth/sign-in", "/notes", "/app/api/auth/sign-in?return_to=%2Fapp%2Fnotes"},
		{"/app", "", "/api/auth/sign-in", "/api/auth/sign-in", ""},
		{"/app", "", "/app/api/auth/sign-in", "/notes", "/app/api/auth/sign-in?return_to=%2Fapp%2Fnotes"}, // as browsers see it
		{"/app", "", "/app/api/auth/sign-in", "/api/auth/sign-in", ""},
		{"/app", "", "", "/api/auth/sign-out-callback", ""},
		{"/app", "", "/sign-in", "/app/api/auth/sign-in", "/app/sign-in"},

		{"", "/app", "/sign-in", "/app/notes?a=1", "/app/sign-in?return_to=%2Fapp%2Fnotes%3Fa%3D1"},
		{"", "/app/", "https://myapp.com/app/sign-in", "/app/notes", "/app/sign-in?return_to=%2Fapp%2Fnotes"},
		{"", "/app", "/sign-in", "/app/sign-in", ""},
		{"", "/app", "/sign-in", "http://other.test/app/sign-in", ""},
		{"", "/app", "/sign-in?x", "/app/sign-in", ""},
		{"", "/app", "/sign-in", "/app/sign%2Din", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/%73ign-in", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/Sign-in", "/app/sign-in?return_to=%2Fapp%2FSign-in"},
		{"", "/app", "/sign-in", "/app//sign-in", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/./sign-in", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/x/%2e%2e/sign-in", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/x%2f..%2fsign-in", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/sign-in/", "/app/sign-in"},
		{"", "/app", "/api/auth/sign-in", "/app/api/auth/sign-in", ""},
		{"", "/app", "/app/api/auth/sign-in", "/app/api/auth/sign-in", ""}, // as browsers see it
		{"", "/app", "/app/api/auth/sign-in", "/app/notes", "/app/api/auth/sign-in?return_to=%2Fapp%2Fnotes"},
		{"", "/app", "", "/app/api/auth/sign-out-callback", ""},
		{"", "/app/admin", "/sign-in", "/app/admin/api/auth/sign-in", "/app/admin/sign-in"}, // they are elsewhere
		{"/base", "/app", "/sign-in", "/app/notes", "/base/app/sign-in?return_to=%2Fbase%2Fapp%2Fnotes"},
		{"/base", "/app", "/sign-in", "/app/sign-in", ""},
		{"/base", "/app", "", "/app/api/auth/sign-in", ""},

		// What browsers leave as it is, and Go encodes.
		{"/app", "", "/sign-in", "/a|b", "/app/sign-in?return_to=%2Fapp%2Fa%257Cb"},
		{"", "/app", "/sign-in", "/app/a|b", "/app/sign-in?return_to=%2Fapp%2Fa%257Cb"},
		{"", "/app", "/sign-in", "/app/a^b/{c}", "/app/sign-in?return_to=%2Fapp%2Fa%255Eb%2F%257Bc%257D"},
		{"", "/app", "/sign|in", "/app/notes", "/app/sign%7Cin?return_to=%2Fapp%2Fnotes"},
		{"", "/app", "/sign|in", "/app/sign|in", ""},
		{"", "/app", "/sign-in", "/app/x|/../sign-in", "/app/sign-in"},
		{"", "/app", "/sign-in", "/app/" + strings.Repeat("a", maxReturnTo), "/app/sign-in"},
	} {
		prefix := tt.base + "/app"
		if tt.base == "/app" {
			prefix = "/app"
		}
		f := newFixture(t, nil, below(tt.base, prefix))
		h := http.StripPrefix(tt.strip, f.guarded(f.RequireUser(GuardOptions{SignIn: tt.signIn})))
		w := serve(h, request(tt.target, "", navigation...))
		status := http.StatusSeeOther
		if tt.location == "" {
			status = http.StatusNoContent
		}
		if got := w.Header.Get("Location"); w.StatusCode != status || got != tt.location {
			t.Errorf("%v: status %d, location %q", tt, w.StatusCode, got)
		}
	}
}

// TestMadeUpPrefixes: what a request is taken to have as its prefix leads nowhere else. A handler
// that takes off any first segment lets requests choose it.
func TestMadeUpPrefixes(t *testing.T) {
	f := newFixture(t, nil, nil)
	guarded := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	routes := f.routes(t, RoutesOptions{RedirectOnSignOutComplete: "/bye"})
	for _, target := range []string{
		"//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "/%5cevil.test", "/%2fevil.test", "/%2Fevil.test", "/\t/evil.test",
		"/.", "/..", "/a/..", "/%2e%2e", "/a/%2e%2e", "/a//b", "/a/", "/%00", "/%0d%0aSet-Cookie:x", "https://evil.test", "/%zz", "evil.test",
	} {
		for segment, h := range map[string]http.Handler{"/notes": guarded, "/sign-in-callback": routes} {
			r := request(segment+"?code=c&state=s", "", navigation...)
			r.RequestURI = target + segment + "?code=c&state=s"
			w := serve(h, r)
			location := w.Header.Get("Location")
			u, err := url.Parse(location)
			if err != nil || u.Host != "" || u.Path != "/sign-in" && u.Path != "/bye" {
				t.Errorf("%q: status %d, location %q", target, w.StatusCode, location)
			}
		}
	}
}

// TestRewrittenPaths: where a handler in front has put another path into r.URL, on account of a
// header perhaps, the page to sign in on and the auth routes are none.
func TestRewrittenPaths(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	for asked, served := range map[string]string{"/sign-in": "/admin", "/admin": "/sign-in", "/x": "/api/auth/sign-in", "/api/auth/sign-in": "/admin"} {
		r := request(asked, "", fetched...)
		r.URL.Path = served
		if w := serve(h, r); w.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s for %s: status %d", served, asked, w.StatusCode)
		}
	}
}

// TestReturnToBehindBasePath: what browsers would misread is no address to return to, with a prefix
// in front of it either.
func TestReturnToBehindBasePath(t *testing.T) {
	f := newFixture(t, nil, below("/app", "/app"))
	h := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	for target, want := range map[string]string{
		"/notes":                       "/app/notes",
		"https://myapp.com/notes":      "/app/notes",
		"//evil.test/x":                "",
		"/%5cevil.test":                "",
		"/%2fevil.test":                "",
		"https://evil.test/notes":      "",
		"https://myapp.com.evil.test/": "",
		"/api/auth/sign-out/x/..":      "",
		"/x/../api/auth/sign-out/":     "",
	} {
		w := serve(h, request(target, "", navigation...))
		u, err := url.Parse(w.Header.Get("Location"))
		if err != nil || u.Path != "/app/sign-in" || u.Query().Get("return_to") != want {
			t.Errorf("%s: location %q", target, w.Header.Get("Location"))
		}
	}
}

// TestTargetsBehindPrefixes: all that the auth routes send users to has the prefix, and URLs have
// none put in front.
func TestTargetsBehindPrefixes(t *testing.T) {
	for _, tt := range []struct{ base, strip, target, to, want string }{
		{"/app", "", "/api/auth/", "/home", "/app/home"},
		{"/app", "", "/api/auth/", "", "/app/"},
		{"/app", "", "/api/auth/", "https://other.test/x", "https://other.test/x"},
		{"", "/app", "/app/api/auth/", "/home", "/app/home"},
		{"", "/app", "/app/api/auth/", "", "/app/"},
		{"", "/app/api/auth", "/app/api/auth/", "/home", "/home"}, // the place of the routes, and none of an application
		{"", "/app/api/auth/", "/app/api/auth/", "/home", "/home"},
		{"", "", "/app/api/auth/", "/home", "/home"},
		{"/app", "/api/auth", "/api/auth/", "/home", "/app/home"},
	} {
		f := newFixture(t, nil, below(tt.base, "/app"))
		h := http.StripPrefix(tt.strip, f.routes(t, RoutesOptions{RedirectOnSignInComplete: tt.to, RedirectOnSignOutComplete: tt.to}))
		for route, cookies := range map[string]string{
			"sign-in":                         f.backend.Session("alice", time.Hour, nil),
			"signed-out":                      f.backend.Session("alice", time.Hour, nil),
			"sign-out-callback":               signingOutCookie + "=true",
			"sign-in-callback?code=c&state=s": "", // too late
		} {
			w := serve(h, request(tt.target+route, cookies))
			got, _, _ := strings.Cut(w.Header.Get("Location"), "?error=timeout")
			if w.StatusCode != http.StatusFound || got != tt.want {
				t.Errorf("%v, %s: status %d, location %q", tt, route, w.StatusCode, got)
			}
		}
	}
}

// TestLinksBehindPrefixes: links and pages lead to where browsers find the application.
func TestLinksBehindPrefixes(t *testing.T) {
	f := newFixture(t, nil, below("/app", "/app"))
	for want, link := range map[string]SignInLink{
		"/app/api/auth/sign-in?return_to=%2Fapp%2Fnews":  {},
		"/app/api/auth/sign-in?return_to=%2Fapp%2Fnotes": {ReturnTo: "/notes"},
		"/app/api/auth/sign-up?return_to=%2Fx":           {SignUp: true, ReturnTo: "https://myapp.com/x"},
	} {
		if got := f.signInURL(request("/news", ""), link); got != want {
			t.Errorf("%+v: %s", link, got)
		}
	}
	for _, evil := range []string{"//evil.test", "/\\evil.test", "https://evil.test/"} {
		if got := f.signInURL(request("/news", ""), SignInLink{ReturnTo: evil}); got != "/app/api/auth/sign-in?return_to=%2Fapp%2Fnews" {
			t.Errorf("%s: %s", evil, got)
		}
	}
	for want, h := range map[string]http.Handler{
		"/app/api/auth/sign-in": f.guarded(f.RequireUser(GuardOptions{})),
		"/app/":                 f.protected(),
	} {
		r := request("/notes", "", append([]string{"Origin", "https://evil.test"}, fromAfar...)...)
		r.Method = http.MethodPost
		w := serve(h, r)
		if got := bodyTargets(bodyOf(t, w))["link"]; got != want {
			t.Errorf("a page leads to %q, want %q", got, want)
		}
	}
	// The page for arrivals opens the same address again.
	w := serve(f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"})), request("/notes", "", fromAfar...))
	if got := bodyTargets(bodyOf(t, w))["link"]; got != "/app/notes" {
		t.Errorf("an arrival leads to %q", got)
	}
}

// TestBasePath: only clean paths can stand in front of others.
func TestBasePath(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	for base, fits := range map[string]bool{
		"": true, "/app": true, "/a/b": true, "/my%20app": true, "/~alice": true,
		"app": false, "/": false, "/app/": false, "//app": false, "/app//x": false, "/.": false, "/..": false, "/app/..": false, "/app/../x": false,
		"/app/.": false, "/%2e%2e": false, "/app%2f..": false, "/app?x": false, "/app?": false, "/app#x": false, "/my app": false, " /app": false,
		"/app\\x": false, "/\\evil.test": false, "/%5cx": false, "/%2fevil.test": false, "/a\nb": false, "/%0a": false, "/%zz": false, "/é": false,
		"https://myapp.com/app": false, "https://evil.test": false,
	} {
		runner, err := New(amplify.Config{}, Options{BasePath: base})
		if err == nil {
			err = runner.Close(t.Context())
		}
		faults := amplify.ConfigErrors(err)
		if fits != (err == nil) || !fits && (len(faults) != 1 || faults[0].Field != "Options.BasePath" || faults[0].Value != base) {
			t.Errorf("%q: %v", base, err)
		}
	}
}
