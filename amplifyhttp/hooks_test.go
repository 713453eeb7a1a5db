package amplifyhttp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/auth"
)

// TestHooksBelowMiddleware: AfterSignIn acts as the user who has signed in, and not as the one
// whose session the request still carries. Middleware's context is that user's.
func TestHooksBelowMiddleware(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.SignedIn("alice"), nil)
	var called []string
	note := func(ctx context.Context) error {
		user, err := auth.GetCurrentUser(ctx)
		if err == nil {
			called = append(called, user.Username)
		}
		return err
	}
	routes, err := f.AuthRoutes(AuthRoutesOptions{AfterSignIn: note, BeforeSignOut: note})
	if err != nil {
		t.Fatal(err)
	}
	h := f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := note(r.Context()); err != nil { // the session is read before the hook has its own
			called = append(called, "nobody")
		}
		routes.ServeHTTP(w, r)
	}))
	bob := f.backend.Session("bob", time.Hour, nil)

	w := serve(routes, request("/api/auth/sign-in", ""))
	to, err := url.Parse(w.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	cookies := []string{bob}
	for _, c := range w.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	callback := "/api/auth/sign-in-callback?code=the-code&state=" + to.Query().Get("state")
	w = serve(h, request(callback, strings.Join(cookies, "; "), fromAfar...))
	if got := setCookies(w.Header["Set-Cookie"])[testPrefix+"LastAuthUser"]["value"]; w.StatusCode != 200 || got != "alice" {
		t.Errorf("%d, signed in %q", w.StatusCode, got)
	}
	w = serve(h, request("/api/auth/sign-out-callback", bob+"; com.amplify.server_auth.isSigningOut=true", navigation...))
	if w.StatusCode != 302 {
		t.Errorf("sign-out: %d", w.StatusCode)
	}
	if got := strings.Join(called, " "); got != "bob alice bob bob" {
		t.Errorf("called for %s", got)
	}
}
