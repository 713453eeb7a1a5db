package flow

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
)

func TestParseOrigin(t *testing.T) {
	for _, s := range []string{"https://a", "https://a-b.c-d", "https://xn--bcher-kva.example", "http://127.0.0.1:3000", "https://1a.b", "https://a.0xg", "https://0.example"} {
		if got, fault := parseOrigin(s); fault != nil || string(got) != s {
			t.Errorf("%s: %v", s, fault)
		}
	}
	for _, s := range []string{
		"https://1.2.3.4.5", "https://1.2.3", "https://256.1.1.1", "https://01.2.3.4", "https://a.1", "https://a.0x1f", "https://0x", "https://7",
		"https://-", "https://--", "https://a.-b", "https://a-.b", "https://-a", "https://a-", "https://a.b-:80", "https://a:70000",
	} {
		if _, fault := parseOrigin(s); fault == nil || fault.Err.Name != "AmplifyServerContextError" {
			t.Errorf("%s: %v", s, fault)
		}
	}
}

// TestOwnTargets: a target that is a URL of the own origin stays one.
func TestOwnTargets(t *testing.T) {
	for to, want := range map[string]string{
		"":                       "/",
		"/home?a=1":              "/home?a=1",
		"https://myapp.com":      "https://myapp.com",
		"https://myapp.com/a?b":  "https://myapp.com/a?b",
		"https://other.test/a#b": "https://other.test/a#b",
	} {
		f := newFixture(t, nil, nil)
		routes := f.routes(t, RoutesOptions{RedirectOnSignInComplete: to, RedirectOnSignOutComplete: to})
		w := serve(routes, request("/api/auth/sign-in", f.backend.Session("alice", 1e12, nil)))
		if got := w.Header.Get("Location"); got != want {
			t.Errorf("%s: sign-in of a user leads to %s", to, got)
		}
		w = serve(routes, request("/api/auth/sign-out-callback", signingOutCookie+"=true"))
		if got := w.Header.Get("Location"); w.StatusCode != http.StatusFound || got != want {
			t.Errorf("%s: sign-out leads to %s", to, got)
		}
		w = serve(routes, request("/api/auth/sign-in-callback?code=c&state=s", ""))
		if got := w.Header.Get("Location"); !strings.HasPrefix(got, strings.TrimSuffix(want, "#b")) {
			t.Errorf("%s: a sign-in that takes too long leads to %s", to, got)
		}
	}
}

// TestNoDomain: a pool without a domain for managed login is as good as any other until there are
// routes.
func TestNoDomain(t *testing.T) {
	f := newFixture(t, nil, func(c *amplify.Config, _ *Options) { c.Auth.OAuth.Domain = "" })
	_, err := f.Routes(RoutesOptions{})
	if !slices.ContainsFunc(amplify.ConfigErrors(err), func(e *amplify.ConfigError) bool {
		return e.Field == "Config.Auth.OAuth" && e.Err.Name == "OAuthNotConfigureException"
	}) {
		t.Errorf("got %v", err)
	}
}
