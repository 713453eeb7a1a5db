package e2e

import (
	"context"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/sandbox"
)

// neighbours are a Go server and a Next.js server on one host, with one user pool: what one writes
// into cookies, the other reads.
type neighbours struct {
	backend *backend
	browser *chromium
	// clock is what the Go server and the user pool go by.
	clock *clock
	// golang and next are the origins of the two.
	golang, next string
}

// startNeighbours starts both. next is the directory of the Next.js application.
func startNeighbours(t testing.TB, next string) *neighbours {
	t.Helper()
	goSite, nextSite := newSite(t, "localhost"), newSite(t, "localhost")
	clock := new(clock)
	backend := startBackend(t, sandbox.Config{
		TLSAddr: "127.0.0.1:0", AppOrigins: []string{goSite.origin, nextSite.origin}, Clock: clock.now,
	})
	backend.addUser(t, sandbox.User{Email: ada})
	startApp(t, goSite, backend, appOptions{Options: amplifyhttp.Options{
		Origin: goSite.origin, App: amplify.Options{Clock: clock.now},
	}})

	_ = nextSite.listener.Close() // for the process to take
	startNext(t, next, nextSite.origin, append(backend.nodeEnvironment(t),
		"AMPLIFY_OUTPUTS="+string(backend.Outputs()),
		"AMPLIFY_APP_ORIGIN="+nextSite.origin,
	)...)

	// Next.js sends browsers to managed login by its own name.
	return &neighbours{backend, backend.browser(t), clock, goSite.origin, nextSite.origin}
}

// signIn signs ada in by the routes of the server at origin.
func (n *neighbours) signIn(b *tab, origin string) {
	b.t.Helper()
	b.open(origin + "/api/auth/sign-in")
	b.managedLogin(ada, password)
	b.arrives(origin + "/")
}

// whoami asks a server who is signed in.
func (n *neighbours) whoami(b *tab, origin string) whoami {
	b.t.Helper()
	b.open(origin + "/")
	return b.whoami()
}

func TestNextJS(t *testing.T) { testSharedSessions(t, npmProject(t, "js/next")) }

func testSharedSessions(t *testing.T, next string) {
	n := startNeighbours(t, next)
	cookies := map[string]map[string]string{}
	for _, server := range []struct{ name, one, other string }{ // Go first: others are compared with it
		{"Go", n.golang, n.next},
		{"Next.js", n.next, n.golang},
	} {
		name, one, other := server.name, server.one, server.other
		t.Run("a session made by "+name, func(t *testing.T) {
			b := n.browser.profile(t)
			n.signIn(b, one)
			made := n.whoami(b, one)
			if got := n.whoami(b, other); made.Username == "" || got != made {
				t.Fatalf("%s knows %+v, the other %+v", name, made, got)
			}
			b.open(other + "/protected")
			b.sees("Inside, " + made.Username)
			cookies[name] = attributesOfSession(b)

			b.open(one + "/")
			b.click("Sign out")
			b.sees("Hello, stranger.")
			for _, origin := range []string{one, other} {
				if got := n.whoami(b, origin); got.Username != "" {
					t.Errorf("%s still knows %s", origin, got.Username)
				}
			}
			if got := attributesOfSession(b); len(got) > 0 {
				t.Errorf("cookies are left: %v", got)
			}
		})
		t.Run("a session refreshed by "+name, func(t *testing.T) {
			b := n.browser.profile(t)
			n.signIn(b, other)
			before, token := n.whoami(b, other), b.cookie("accessToken")
			b.open(one + "/me?refresh")
			if b.cookie("accessToken") == token {
				t.Fatalf("%s did not refresh", name)
			}
			if got := n.whoami(b, other); got.Sub != before.Sub || got.IssuedAt < before.IssuedAt {
				t.Errorf("the other knows %+v", got)
			}
			if diff := cmp.Diff(cookies["Go"], attributesOfSession(b)); diff != "" {
				t.Errorf("the refresh changed the cookies (-Go at sign-in +now):\n%s", diff)
			}
			// And ended by the one that did not make it.
			b.open(one + "/")
			b.click("Sign out")
			b.sees("Hello, stranger.")
			if got := n.whoami(b, other); got.Username != "" {
				t.Errorf("the other still knows %s", got.Username)
			}
		})
	}
	if diff := cmp.Diff(cookies["Next.js"], cookies["Go"]); diff != "" {
		t.Errorf("cookies of a session (-Next.js +Go):\n%s", diff)
	}
}

// Next.js goes by the time of day, Go and the user pool by a clock that is nearly an hour slow: to
// Next.js, tokens of an hour expire at once, and its middleware refreshes them.
func TestNextJSRefreshesExpiredSessions(t *testing.T) {
	testExpiredSessions(t, npmProject(t, "js/next"))
}

func testExpiredSessions(t *testing.T, next string) {
	n := startNeighbours(t, next)
	n.clock.forward(time.Second - time.Hour)
	b := n.browser.profile(t)
	n.signIn(b, n.golang)
	made, token := n.whoami(b, n.golang), b.cookie("accessToken")
	for b.cookie("accessToken") == token {
		b.open(n.next + "/protected")
		b.sees("Inside, " + made.Username)
	}
	refreshed, token := n.whoami(b, n.golang), b.cookie("accessToken")
	if refreshed.Sub != made.Sub || refreshed.IssuedAt < made.IssuedAt {
		t.Errorf("the session that Next.js refreshed: Go knows %+v", refreshed)
	}

	n.clock.forward(2 * time.Hour)
	b.open(n.golang + "/protected")
	b.sees("Inside, " + made.Username)
	if b.cookie("accessToken") == token {
		t.Error("Go did not refresh")
	}
	if got := n.whoami(b, n.next); got.Sub != made.Sub || got.IssuedAt <= refreshed.IssuedAt {
		t.Errorf("the session that Go refreshed: Next.js knows %+v", got)
	}
}

// attributesOfSession returns the attributes of the cookies that make a session, by the last part
// of their names.
func attributesOfSession(b *tab) map[string]string {
	b.t.Helper()
	attributes := map[string]string{}
	for name, c := range b.cookies() {
		if key, ok := strings.CutPrefix(name, "CognitoIdentityServiceProvider."); ok {
			text := strings.Join([]string{c.Domain, c.Path, string(c.SameSite)}, " ")
			if c.HTTPOnly {
				text += " HttpOnly"
			}
			if c.Secure {
				text += " Secure"
			}
			attributes[key[strings.LastIndex(key, ".")+1:]] = text
		}
	}
	return attributes
}

// TestNextJSBehindGo: Go stands in front of Next.js, as docs/guides/nextjs.md has it. Pages and
// server actions know the user.
func TestNextJSBehindGo(t *testing.T) {
	n := startNeighbours(t, npmProject(t, "js/next"))
	config, err := amplify.ParseConfig(n.backend.Outputs())
	if err != nil {
		t.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(config, amplifyhttp.Options{
		App: amplify.Options{Clock: n.clock.now},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	inner, err := url.Parse(n.next)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(inner)
		p.SetXForwarded()
		if err := runner.ForwardSession(p.In, p.Out, amplifyhttp.ForwardOptions{}); err != nil {
			t.Errorf("%s: %v", p.In.URL, err)
		}
	}}
	front := newSite(t, "localhost")
	front.serve(t, runner.Middleware(proxy))

	b := n.browser.profile(t)
	n.signIn(b, n.golang)
	made := n.whoami(b, n.golang)
	b.open(front.origin + "/name")
	b.fill("Name", "Countess")
	b.click("Rename")
	b.sees(made.Username + " is now Countess")
}
