package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/sandbox"
)

const ada = "ada@example.com"

// shop is an application with managed login, its backend, and a clock that both go by.
type shop struct {
	*app
	backend *backend
	clock   *clock
}

// startShop starts an application at host in which ada has an account.
func startShop(t testing.TB, host string, cookies amplifyhttp.CookieOptions, client sandbox.Client) *shop {
	t.Helper()
	site := newSite(t, host)
	clock := new(clock)
	backend := startBackend(t, sandbox.Config{AppOrigins: []string{site.origin}, Clock: clock.now, Clients: []sandbox.Client{client}})
	backend.addUser(t, sandbox.User{Email: ada})
	app := startApp(t, site, backend, appOptions{Options: amplifyhttp.Options{
		Origin: site.origin, Cookies: cookies, App: amplify.Options{Clock: clock.now},
	}})
	return &shop{app, backend, clock}
}

// clock is a clock that tests set forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(by time.Duration) { c.ahead.Add(int64(by)) }

// signIn signs ada in and ends on the entrance page.
func (s *shop) signIn(b *tab) {
	b.t.Helper()
	b.open(s.origin + "/api/auth/sign-in")
	b.managedLogin(ada, password)
	b.arrives(s.origin + "/")
	b.sees("Hello, ")
}

// session returns the names of the cookies that hold a session at the shop, without what all of
// them begin with.
func (s *shop) session(b *tab) []string {
	b.t.Helper()
	var keys []string
	for name := range b.cookies() {
		if strings.HasPrefix(name, "CognitoIdentityServiceProvider.") {
			keys = append(keys, name[strings.LastIndex(name, ".")+1:])
		}
	}
	return keys
}

func TestAuthRoutes(t *testing.T) {
	shop := startShop(t, "localhost", amplifyhttp.CookieOptions{}, sandbox.Client{})

	t.Run("return_to", func(t *testing.T) {
		b := browser.profile(t)
		b.open(shop.origin + "/")
		b.sees("Hello, stranger.")
		b.click("Go inside")
		b.arrives(shop.backend.URL())
		b.managedLogin(ada, password)
		b.arrives(shop.origin + "/protected?room=1&lamp=on")
		b.sees("Inside, ")
		// Whoever is signed in is taken there at once.
		b.open(shop.origin + "/api/auth/sign-in?return_to=/protected%3Froom%3D2")
		b.arrives(shop.origin + "/protected?room=2")
	})

	t.Run("return_to elsewhere", func(t *testing.T) {
		elsewhere := newSite(t, "evil.localhost")
		for _, to := range []string{elsewhere.origin, strings.TrimPrefix(elsewhere.origin, "http:"), `/\evil.localhost`, "/\t/evil.localhost", "/api/auth/sign-out"} {
			b := browser.profile(t)
			b.open(shop.origin + "/api/auth/sign-in?" + url.Values{"return_to": {to}}.Encode())
			b.managedLogin(ada, password)
			b.sees("Hello, ")
			if at := b.arrives(shop.origin + "/"); at.Path != "/" {
				t.Errorf("return_to %q leads to %s", to, at.Path)
			}
		}
	})

	t.Run("sign-up", func(t *testing.T) {
		b := browser.profile(t)
		b.open(shop.origin + "/api/auth/sign-up?return_to=/protected")
		b.sees("Create an account")
		b.fill("Email address", "grace@example.com")
		b.fill("Password", password)
		b.fill("Repeat the password", password)
		b.click("Create account")
		b.sees("Confirm your account")
		b.fill("Code", shop.backend.code(t, "grace@example.com"))
		b.click("Confirm account")
		b.arrives(shop.origin + "/protected")
	})

	t.Run("providers", func(t *testing.T) {
		for provider, title := range map[string]string{"Google": "Google", "facebook": "Facebook", "AMAZON": "Amazon", "Apple": "Apple"} {
			b := browser.profile(t)
			b.open(shop.origin + "/api/auth/sign-in?provider=" + provider)
			b.sees("Pretend " + title)
			b.click("Grace Hopper")
			b.arrives(shop.origin + "/")
			b.sees("Hello, ")
		}
	})

	t.Run("refused", func(t *testing.T) {
		b := browser.profile(t)
		b.open(shop.origin + "/api/auth/sign-in?provider=Google")
		b.click("Cancel, as if access was refused")
		if got := b.arrives(shop.origin + "/?").Query().Get("error"); got != "access_denied" {
			t.Errorf("error=%s", got)
		}
	})

	t.Run("login_hint and lang", func(t *testing.T) {
		b := browser.profile(t)
		b.open(shop.origin + "/api/auth/sign-in?" + url.Values{"login_hint": {ada}, "lang": {"fr"}}.Encode())
		b.fill("Mot de passe", password) // the address is there already
		b.click("Se connecter")
		b.arrives(shop.origin + "/")
		b.sees("Hello, ")
	})

	t.Run("foreign callbacks", func(t *testing.T) {
		b := browser.profile(t)
		// A link that somebody else has made, opened in a browser that began nothing, ...
		b.open(shop.origin + "/api/auth/sign-in-callback?code=1b671a64-40d5-491e-99b0-da01ff1f3341&state=" + strings.Repeat("a", 32))
		if got := b.arrives(shop.origin + "/?").Query().Get("error"); got != "timeout" {
			t.Errorf("error=%s", got)
		}
		// ... and in one that has begun to sign in.
		b.open(shop.origin + "/api/auth/sign-in")
		b.open(shop.origin + "/api/auth/sign-in-callback?code=1b671a64-40d5-491e-99b0-da01ff1f3341&state=" + strings.Repeat("a", 32))
		b.sees("You are not signed in")
		b.open(shop.origin + "/api/auth/sign-out-callback")
		b.sees("You are not signed out")
		if got := shop.session(b); len(got) > 0 {
			t.Errorf("cookies of a session: %v", got)
		}
	})

	t.Run("two tabs", func(t *testing.T) {
		one := browser.profile(t)
		two := one.beside()
		one.open(shop.origin + "/protected?room=1")
		one.arrives(shop.backend.URL())
		two.open(shop.origin + "/protected?room=2")
		two.arrives(shop.backend.URL())
		one.managedLogin(ada, password)
		one.arrives(shop.origin + "/protected?room=1")
		two.managedLogin(ada, password)
		two.arrives(shop.origin + "/protected?room=2")

		one.open(shop.origin + "/api/auth/sign-out")
		one.sees("Hello, stranger.")
		two.click("Next room")
		two.arrives(shop.backend.URL())
	})

	t.Run("sign-out", func(t *testing.T) {
		b := browser.profile(t)
		shop.signIn(b)
		b.click("Sign out")
		b.sees("Hello, stranger.")
		if got := b.cookies(); shop.session(b) != nil {
			t.Errorf("cookies are left: %v", got)
		}
		// Managed login has forgotten as well: it asks for the password again.
		b.click("Sign in")
		b.managedLogin(ada, password)
		b.sees("Hello, ")
	})

	// Whoever closes the browser when Cognito has signed them out there is still signed in here,
	// and can sign out again.
	t.Run("sign-out interrupted after Cognito's logout", func(t *testing.T) {
		b := browser.profile(t)
		shop.signIn(b)
		restore := shop.fail(t, outage{of: signOutCallback}, func() { b.click("Sign out") })
		b.arrives(noPage)
		restore()
		b.open(shop.origin + "/")
		b.sees("Hello, ")
		if got := b.whoami(); got.Username == "" {
			t.Errorf("not signed in any more: %s", got.Reason)
		}
		b.click("Sign out")
		b.sees("Hello, stranger.")
		if got := shop.session(b); len(got) > 0 {
			t.Errorf("cookies are left: %v", got)
		}
	})

	// The tokens have been revoked, but the browser never learned it: the next visit tidies up.
	t.Run("sign-out interrupted after revocation", func(t *testing.T) {
		b := browser.profile(t)
		shop.signIn(b)
		restore := shop.fail(t, outage{of: lastStepOfSignOut, answers: true}, func() { b.click("Sign out") })
		b.arrives(noPage)
		if got := shop.session(b); len(got) != 4 {
			t.Fatalf("the answer was not lost: cookies %v", got)
		}
		restore()
		b.open(shop.origin + "/")
		b.sees("Hello, stranger.")
		if got := shop.session(b); len(got) > 0 {
			t.Errorf("cookies are left: %v", got)
		}
	})
}

func signOutCallback(r *http.Request) bool { return r.URL.Path == "/api/auth/sign-out-callback" }

// lastStepOfSignOut is the one that the application's own page leads to.
func lastStepOfSignOut(r *http.Request) bool {
	return signOutCallback(r) && r.Header.Get("Sec-Fetch-Site") == "same-origin"
}

func TestOtherSites(t *testing.T) {
	shop := startShop(t, "localhost", amplifyhttp.CookieOptions{}, sandbox.Client{})
	// Another site, with a link as in an e-mail, and with what it may try.
	other := newSite(t, "other.localhost")
	other.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { show(w, "other", shop.origin) }))

	// Managed login would let them pass without asking, but it must not even be asked.
	for name, b := range map[string]func(t *testing.T) *tab{
		"a link to somebody who is signed in":                   func(t *testing.T) *tab { return browser.profile(t) },
		"a link to somebody who is signed in and has no script": func(t *testing.T) *tab { return browser.profile(t).withoutScript() },
	} {
		t.Run(name, func(t *testing.T) {
			b := b(t)
			shop.signIn(b)
			before := shop.backend.Calls()["/oauth2/authorize"]
			b.open(other.origin)
			b.click("Look at this")
			b.arrives(shop.origin + "/protected?from=mail")
			b.sees("Inside, ")
			if after := shop.backend.Calls()["/oauth2/authorize"]; after != before {
				t.Error("they were sent to sign in")
			}
		})
	}
	t.Run("a link to somebody who is not", func(t *testing.T) {
		b := browser.profile(t)
		b.open(other.origin)
		b.click("Look at this")
		b.arrives(shop.backend.URL())
		b.managedLogin(ada, password)
		b.arrives(shop.origin + "/protected?from=mail")
		b.sees("Inside, ")
	})
	t.Run("a link that signs out", func(t *testing.T) {
		b := browser.profile(t)
		shop.signIn(b)
		b.open(other.origin)
		b.click("Win a prize")
		b.sees("Do you want to sign out on all devices?")
		if got := shop.session(b); len(got) != 4 {
			t.Errorf("cookies %v", got)
		}
		b.click("Sign out")
		b.sees("Hello, stranger.")
	})
	t.Run("images and prefetches that sign out", func(t *testing.T) {
		b := browser.profile(t)
		shop.signIn(b)
		before := shop.backend.Calls()["/logout"]
		for _, page := range []string{other.origin, shop.origin + "/page"} {
			b.open(page)
			b.await("for the page to have tried", nil, `performance.getEntriesByType('resource').some(e => e.name.endsWith('/sign-out'))`)
		}
		b.open(shop.origin + "/")
		b.sees("Hello, ")
		if got := b.whoami(); got.Username == "" {
			t.Errorf("not signed in any more: %s", got.Reason)
		}
		if after := shop.backend.Calls()["/logout"]; after != before {
			t.Error("a sign-out has reached managed login")
		}
		if c := b.cookies()["com.amplify.server_auth.isSigningOut"]; c != nil {
			t.Error("a sign-out has begun")
		}
	})
}

// TestTooManyCookies: a user whose cookies are too many to be read can delete them.
func TestTooManyCookies(t *testing.T) {
	shop := startShop(t, "localhost", amplifyhttp.CookieOptions{}, sandbox.Client{})
	b := browser.profile(t)
	b.open(shop.origin + "/")
	const many = 20
	b.await("for many cookies", nil, `[...Array(%s).keys()].every(i => document.cookie = "junk" + i + "=" + "x".repeat(3900))`, many)
	for ctx := b.patiently(); len(b.cookies()) < many && ctx.Err() == nil; {
		// They are on their way to the process that sends requests.
	}
	b.open(shop.origin + "/protected")
	b.sees("Too many cookies")
	b.click("Delete the cookies of this site")
	b.arrives(shop.backend.URL()) // to sign in
	b.managedLogin(ada, password)
	b.arrives(shop.origin + "/protected")
	b.sees("Inside, ")
}

func TestCookiesWithDomain(t *testing.T) {
	shop := startShop(t, "www.shop.localhost", amplifyhttp.CookieOptions{Domain: "shop.localhost"}, sandbox.Client{})
	// Another host below the domain, which only reads the session.
	api := startApp(t, newSite(t, "api.shop.localhost"), shop.backend, appOptions{})
	b := browser.profile(t)
	shop.signIn(b)
	for name, c := range b.cookies() {
		if strings.HasPrefix(name, "Cognito") && c.Domain != ".shop.localhost" {
			t.Errorf("%s: Domain %s", name, c.Domain)
		}
	}
	b.open(api.origin + "/")
	b.sees("Hello, ")
	b.open(shop.origin + "/")
	b.click("Sign out")
	b.sees("Hello, stranger.")
	if got := shop.session(b); len(got) > 0 {
		t.Errorf("cookies are left: %v", got)
	}
	b.open(api.origin + "/")
	b.sees("Hello, stranger.")
}

func TestSessionExpires(t *testing.T) {
	t.Run("between two clicks", func(t *testing.T) {
		shop := startShop(t, "localhost", amplifyhttp.CookieOptions{}, sandbox.Client{})
		b := browser.profile(t)
		shop.signIn(b)
		before := b.whoami()
		shop.clock.forward(2 * time.Hour)
		b.click("Go inside")
		b.sees("Inside, ")
		after := b.whoami()
		if after.Sub != before.Sub || after.IssuedAt <= before.IssuedAt {
			t.Errorf("the session was not refreshed: issued %d, then %d, %s", before.IssuedAt, after.IssuedAt, after.Reason)
		}
		if got := shop.backend.Calls()["GetTokensFromRefreshToken"]; got != 1 {
			t.Errorf("%d refreshes", got)
		}

		// The refresh token lasts for 30 days.
		shop.clock.forward(31 * 24 * time.Hour)
		b.click("Next room")
		b.arrives(shop.backend.URL())
		b.managedLogin(ada, password)
		b.arrives(shop.origin + "/protected?room=2")
		b.sees("Inside, ")
	})

	// Every refresh token is good for one use, and two tabs come with the same one.
	t.Run("in two tabs with rotation", func(t *testing.T) {
		shop := startShop(t, "localhost", amplifyhttp.CookieOptions{}, sandbox.Client{RotateRefreshTokens: true})
		one := browser.profile(t)
		shop.signIn(one)
		two := one.beside()
		two.open(shop.origin + "/protected")
		for range 3 {
			shop.clock.forward(2 * time.Hour)
			var answers []whoami
			one.script(&answers, `Promise.all([1, 2, 3, 4].map(() => fetch('/me').then(r => r.json())))`)
			for _, answer := range answers {
				if answer.Username == "" {
					t.Errorf("signed out: %s", answer.Reason)
				}
			}
			two.reload()
			two.sees("Inside, ")
		}
	})
}
