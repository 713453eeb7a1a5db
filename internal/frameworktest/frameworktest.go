// Package frameworktest is the suite that each of the small applications below examples passes.
// They differ in their web framework and answer the same routes:
//
//	GET /         HTML for everybody: "Hello, <name>!", or "Welcome!" to those who are not signed in
//	GET /home     HTML for users: "Hello, <name>!". Others are sent to /api/auth/sign-in
//	GET /me       JSON for users: {"username": ..., "userId": ...}
//	GET /admin    "admins only", for users of the group admins
//	GET /events   Server-Sent Events for users: "data: 1 <username>", 2 and 3, flushed one by one
//	POST /note    for users: keeps the form value note, URL-escaped, in the cookie note, and
//	              redirects to /home with status 303. Other sites' forms are refused
//	/api/auth/*   the auth routes, where there is an origin. They lead to /home, and out to
//	              /api/auth/signed-out
//
// The application is asked over a real connection, since frameworks have response writers, contexts
// and pools of their own: sessions that are refreshed just before the first byte, clients that hang
// up, and many users at once are where they differ.
package frameworktest

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
)

// Serve starts an application on a loopback listener, for a backend and with the options of its
// runner, and returns the listener's address, such as "127.0.0.1:54321". If the options have no
// origin, the application has no auth routes. It ends with the test, and waits for its handlers
// then.
type Serve = func(t testing.TB, cfg amplify.Config, o amplifyhttp.Options) (address string)

// Handler returns what serves an application that is a handler of net/http. newApp makes it for a
// runner, with or without managed login.
func Handler(newApp func(*amplifyhttp.ServerRunner, bool) (http.Handler, error)) Serve {
	return func(t testing.TB, cfg amplify.Config, o amplifyhttp.Options) string {
		runner, err := amplifyhttp.NewServerRunner(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := runner.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		app, err := newApp(runner, o.Origin != "")
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(app)
		server.Config.ErrorLog = log.New(t.Output(), "", 0)
		server.Start()
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
}

// Run runs the suite. It sets an environment variable, so that the test of t cannot be parallel.
func Run(t *testing.T, serve Serve) { run(t, serve, stream) }

// RunBuffered is [Run] for servers that send a response when its handler has returned. There the
// events of /events arrive together.
func RunBuffered(t *testing.T, serve Serve) { run(t, serve, buffered) }

func run(t *testing.T, serve Serve, stream check) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "") // of the machine that runs the tests
	for name, check := range checks {
		t.Run(name, func(t *testing.T) { check(newApp(t, serve, true)) })
	}
	t.Run("stream", func(t *testing.T) { stream(newApp(t, serve, true)) })
	t.Run("Amplify JS", func(t *testing.T) { amplifyJS(newApp(t, serve, false)) })
}

// check asks an application, and fails its test if the answers are not what they must be.
type check = func(*app)

// checks are those of all applications with managed login.
var checks = map[string]check{
	"anonymous":                           anonymous,
	"signed in":                           signedIn,
	"sessions that are refused":           refusedSessions,
	"refresh":                             refresh,
	"outage":                              outage,
	"managed login":                       managedLogin,
	"stream that outlives its session":    lateStream,
	"hang-up in mid-stream":               hangUp,
	"refresh that ends after its request": lateRefresh,
	"two users at once":                   twoUsers,
	"unusual paths":                       unusualPaths,
	"HEAD and other methods":              methods,
	"notes":                               notes,
	"forms of other sites":                otherSites,
	"many cookies":                        manyCookies,
	"panic":                               panics,
}

// The users of the suite. The names are what no page may show without escaping them.
var (
	alice = amplifytest.User{
		Name: "alice", Attributes: map[string]string{"name": `<b>Alice</b> & "co"`},
	}
	bob  = amplifytest.User{Name: "bob", Email: "bob@example.com"}
	root = amplifytest.User{Name: "root", Groups: []string{"admins"}}
)

// app is an application under test, and what it stands on.
type app struct {
	testing.TB
	pool    *amplifytest.Pool
	address string

	managedLogin bool
	client       *http.Client                        // has no cookies and follows no redirects
	onClock      atomic.Pointer[func()]              // called when the library asks for the time
	onCall       atomic.Pointer[func(*http.Request)] // called when it calls AWS
}

// newApp starts an application, which has an origin or leaves signing in to Amplify JS.
func newApp(t testing.TB, serve Serve, managedLogin bool) *app {
	a := &app{TB: t, pool: amplifytest.New(t, amplifytest.Options{}), managedLogin: managedLogin}
	o := a.pool.Options()
	if !managedLogin {
		o.Origin = ""
	}
	now, aws := o.App.Clock, o.App.HTTPClient.Transport
	o.App.Clock = func() time.Time {
		if hook := a.onClock.Load(); hook != nil {
			(*hook)()
		}
		return now()
	}
	transport := func(r *http.Request) (*http.Response, error) {
		if hook := a.onCall.Load(); hook != nil {
			(*hook)(r)
		}
		return aws.RoundTrip(r)
	}
	o.App.HTTPClient = &http.Client{Transport: roundTripper(transport)}
	a.address = serve(t, a.pool.Config(), o)
	connections := &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, a.address)
		},
	}
	t.Cleanup(connections.CloseIdleConnections)
	a.client = &http.Client{
		Transport: connections,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return a
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// session returns the Cookie header of a new session.
func (a *app) session(u amplifytest.User, flaws ...amplifytest.Flaw) string {
	a.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	a.pool.SignIn(r, u, flaws...)
	return r.Header.Get("Cookie")
}

// refreshes returns how many sessions have been refreshed.
func (a *app) refreshes() int { return a.pool.Calls()["GetTokensFromRefreshToken"] }

// question is a request.
type question struct {
	method, path string // GET if empty
	cookies      string
	form         string            // the body, a form
	header       map[string]string // further fields
}

// Headers of browsers.
var (
	navigation = map[string]string{
		"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate",
		"Sec-Fetch-Dest": "document",
	}
	fromAfar = map[string]string{
		"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site",
		"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
	}
)

// answer is a response.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a *app) request(ctx context.Context, q question) *http.Request {
	a.Helper()
	address, body := "http://example.com"+q.path, strings.NewReader(q.form)
	r, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		a.Fatal(err)
	}
	if q.form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if q.cookies != "" {
		r.Header.Set("Cookie", q.cookies)
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	return r
}

// ask sends a request and returns the answer. It may be called from any goroutine.
func (a *app) ask(q question) answer {
	a.Helper()
	response, err := a.client.Do(a.request(a.Context(), q))
	if err != nil {
		a.Errorf("%s %s: %v", q.method, q.path, err)
		return answer{}
	}
	return a.read(response)
}

func (a *app) read(response *http.Response) answer {
	a.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.Errorf("%s: %v", response.Request.URL, err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// raw sends a request by hand, with a target that a client would change, on a connection of its
// own. A server that hangs up answers nothing.
func (a *app) raw(method, target, cookies string) answer {
	a.Helper()
	conn, err := net.Dial("tcp", a.address)
	if err != nil {
		a.Fatal(err)
	}
	defer conn.Close()
	text := method + " " + target + " HTTP/1.1\r\n" +
		"Host: example.com\r\nConnection: close\r\nContent-Length: 0\r\n"
	if cookies != "" {
		text += "Cookie: " + cookies + "\r\n"
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		a.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return answer{}
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body) // of a malformed request servers leave the rest unread
	return answer{response.StatusCode, response.Header, string(body)}
}

// wants checks an answer, which must set no cookies.
func (a *app) wants(q question, got answer, status int, text string) {
	a.Helper()
	if got.status != status || !strings.Contains(got.body, text) {
		a.Errorf("%s %s: status %d, want %d with %q:\n%s",
			cmp.Or(q.method, "GET"), q.path, got.status, status, text, got.body)
	}
	if set := got.header["Set-Cookie"]; set != nil {
		a.Errorf("%s %s sets cookies: %s", q.method, q.path, set)
	}
}
