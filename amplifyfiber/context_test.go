package amplifyfiber

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/timeout"
	"github.com/valyala/fasthttp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

func whoami(ctx context.Context) (string, error) {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return "", err
	}
	return user.Username, nil
}

// TestAccess: operations see and change what their access allows, behind Middleware and without.
func TestAccess(t *testing.T) {
	f := newFixture(t, nil, nil)
	expired, answers := f.backend.Session("alice", -time.Minute, nil), f.backend.Refreshed("alice")
	const notWritable = amplify.ReasonRefreshNeedsWritableResponse
	guest := func(c fiber.Ctx) Access { return Static(c.Context()) }
	nothing := func(fiber.Ctx) Access { return Access{} }
	for name, tt := range map[string]struct {
		middleware bool
		access     func(fiber.Ctx) Access
		reason     amplify.Reason
		calls      int
	}{
		"ReadWrite":                   {false, ReadWrite, "", 1},
		"ReadOnly":                    {false, ReadOnly, notWritable, 0},
		"Static":                      {false, guest, amplify.ReasonNoSession, 0},
		"nothing":                     {false, nothing, amplify.ReasonNoSession, 0},
		"ReadWrite behind Middleware": {true, ReadWrite, "", 1},
		"ReadOnly behind Middleware":  {true, ReadOnly, notWritable, 0},
		"Static behind Middleware":    {true, guest, amplify.ReasonNoSession, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, answers, nil)
			app := newApp()
			if tt.middleware {
				app.Use(f.Middleware)
			}
			app.Get("/", func(c fiber.Ctx) error {
				c.Set("CDN-Cache-Control", "max-age=60")
				name, err := RunWithServerContext(f.ServerRunner, tt.access(c),
					func(ctx context.Context) (string, error) {
						c.Cookie(&fiber.Cookie{Name: "note", Value: "1"})
						return whoami(ctx)
					})
				if amplify.ReasonOf(err) != tt.reason || err == nil && name != "alice" {
					t.Errorf("%s, %v", name, err)
				}
				return c.SendString("x")
			})
			w := serve(t, app, request("/", expired))
			if n := len(w.Header["Set-Cookie"]); n != 1+4*tt.calls ||
				len(f.upstream.Calls()) != tt.calls {
				t.Errorf("%d cookies, calls %v", n, f.upstream.Calls())
			}
			changed := w.Header.Get("Cache-Control") == private &&
				w.Header.Get("CDN-Cache-Control") == ""
			if tt.calls == 1 && !changed {
				t.Errorf("header %v", w.Header)
			}
		})
	}
}

// TestOperationsOnOneResponse: what one operation has written the next one reads, without
// Middleware too.
func TestOperationsOnOneResponse(t *testing.T) {
	f := newFixture(t, nil, nil)
	access, id := f.backend.Tokens("bob", time.Hour, nil)
	app := newApp()
	app.Get("/", func(c fiber.Ctx) error {
		_, err := RunWithServerContext(f.ServerRunner, ReadWrite(c),
			func(ctx context.Context) (any, error) {
				server, err := amplify.FromContext(ctx)
				if err != nil {
					return nil, err
				}
				return nil, server.StartSession(ctx, amplify.IssuedTokens{
					AccessToken: amplify.NewSecret(access), IDToken: amplify.NewSecret(id),
				})
			})
		if err != nil {
			return err
		}
		name, err := RunWithServerContext(f.ServerRunner, ReadWrite(c), whoami)
		if err != nil {
			return err
		}
		return c.SendString(name)
	})
	w := serve(t, app, request("/", f.backend.Session("alice", time.Hour, nil)))
	if got := body(t, w); got != "bob" ||
		setCookies(w.Header["Set-Cookie"])[testPrefix+"LastAuthUser"]["value"] != "bob" {
		t.Errorf("the user is %q", got)
	}
}

// TestContextOfFiber: fiber.Ctx belongs to the next request as soon as this one has been answered,
// and is none of Amplify's contexts therefore. The error says which one is.
func TestContextOfFiber(t *testing.T) {
	f := newFixture(t, nil, nil)
	app := newApp()
	app.Use(f.Middleware)
	app.Get("/", func(c fiber.Ctx) error {
		_, err := auth.GetCurrentUser(c)
		if e := (*amplify.Error)(nil); !errors.As(err, &e) || e.Reason != amplify.ReasonNoContext ||
			!strings.Contains(e.RecoverySuggestion, "c.Context()") {
			t.Error(err)
		}
		return ok(c)
	})
	serve(t, app, request("/", f.backend.Session("alice", time.Hour, nil)))
}

// TestGoroutineLeftBehind: what a handler leaves behind gets no user once the response has been
// sent: not its own, and not that of the next request, which fasthttp serves in the same memory.
func TestGoroutineLeftBehind(t *testing.T) {
	for name, immutable := range map[string]bool{"default": false, "immutable": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil, nil)
			app := newApp(func(c *fiber.Config) { c.Immutable = immutable })
			app.Use(f.Middleware)
			leaked := make(chan context.Context, 1)
			app.Get("/", func(c fiber.Ctx) error {
				server, err := amplify.FromContext(c.Context())
				if err != nil {
					return err
				}
				lifetime := server.Lifetime()
				if c.Query("leak") != "" {
					leaked <- context.WithValue(c.Context(), lifetimeKey{}, lifetime)
				}
				name, err := whoami(c.Context())
				if err != nil {
					return err
				}
				return c.SendString(name)
			})
			client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			url := listen(t, app)
			// The first use of the context is after its request.
			session := f.backend.Session("alice", time.Hour, nil)
			if got := body(t, get(t, client, url+"/?leak=1", session)); got != "alice" {
				t.Fatal(got)
			}
			ctx := <-leaked
			select {
			case <-ctx.Value(lifetimeKey{}).(context.Context).Done():
			case <-time.After(10 * time.Second):
				t.Fatal("the server context is not closed")
			}
			for range 3 {
				session := f.backend.Session("bob", time.Hour, nil)
				if got := body(t, get(t, client, url+"/", session)); got != "bob" {
					t.Errorf("bob gets the page of %s", got)
				}
				if name, err := whoami(ctx); !errors.Is(err, amplify.ErrServerContextClosed) {
					t.Errorf("a context of the past is %s's: %v", name, err)
				}
			}
		})
	}
}

type lifetimeKey struct{}

// TestManyUsersAtOnce: no request sees another one's user, whatever its goroutines do, on
// connections whose memory is used over and over. It is for the race detector too.
func TestManyUsersAtOnce(t *testing.T) {
	const users, connections, requests = 20, 16, 20
	f := newFixture(t, nil, nil)
	app := newApp()
	app.Use(f.Middleware)
	check := func(ctx context.Context, want string) {
		if name, err := whoami(ctx); err != nil &&
			!errors.Is(err, amplify.ErrServerContextClosed) || err == nil && name != want {
			t.Errorf("%s, %v instead of %s", name, err, want)
		}
	}
	var left sync.WaitGroup
	answer := func(c fiber.Ctx) error {
		ctx, want := c.Context(), strings.Clone(c.Query("user"))
		left.Go(func() { check(ctx, want) }) // not waited for
		name, err := whoami(ctx)
		if err != nil {
			return err
		}
		if c.Query("stream") == "" {
			return c.SendString(name)
		}
		return c.SendStreamWriter(func(w *bufio.Writer) {
			for range 3 {
				check(ctx, want)
				_ = w.Flush()
			}
			_, _ = w.WriteString(name)
		})
	}
	app.Get("/guarded", must(f.RequireUser(Guard{})), answer)
	app.Get("/", answer)
	url := listen(t, app)
	var cookies []string
	for i := range users {
		cookies = append(cookies,
			f.backend.Session(fmt.Sprintf("user-%d", i), time.Hour, nil)+strings.Repeat("; x=y", i))
	}
	var all sync.WaitGroup
	for connection := range connections {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			for i := range requests {
				n := (connection*7 + i) % users
				path := []string{"/", "/guarded", "/?stream=1"}[i%3]
				path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] +
					fmt.Sprintf("user=user-%d", n)
				w := get(t, client, url+path, cookies[n])
				if got, want := body(t, w), fmt.Sprintf("user-%d", n); got != want {
					t.Errorf("%s gets %d, the page of %s", want, w.StatusCode, got)
				}
				if i%5 == 0 { // somebody without a session, on the same connection
					if w := get(t, client, url+"/guarded", ""); w.StatusCode != 401 {
						t.Errorf("nobody gets %d %s", w.StatusCode, body(t, w))
					} else {
						body(t, w)
					}
				}
			}
		})
	}
	all.Wait()
	left.Wait()
}

// TestTwoRunners: each has its own user pool client, cookies and context.
func TestTwoRunners(t *testing.T) {
	a := newFixture(t, nil, nil)
	b := newFixture(t, nil,
		func(cfg *amplify.Config, _ *Options) { cfg.Auth.UserPoolClientID = "another" })
	app := newApp()
	app.Use(a.Middleware, b.Middleware)
	app.Get("/", func(c fiber.Ctx) error {
		if _, err := whoami(c.Context()); amplify.ReasonOf(err) != amplify.ReasonNoSession {
			t.Error("the inner runner sees the outer one's session:", err)
		}
		name, err := RunWithServerContext(a.ServerRunner, ReadWrite(c), whoami)
		if name != "alice" {
			t.Error(name, err)
		}
		return c.Next()
	}, must(a.RequireUser(Guard{})), func(c fiber.Ctx) error {
		// Of several the innermost counts.
		if name, err := whoami(c.Context()); name != "alice" {
			t.Error(name, err)
		}
		return ok(c)
	})
	w := serve(t, app, request("/", a.backend.Session("alice", time.Hour, nil)))
	if w.StatusCode != 204 {
		t.Errorf("status %d", w.StatusCode)
	}
}

// TestTwoRunnersAfterTheirTime: a handler that has run out of time gets no server context that
// would outlive its request, whichever runner's guard it calls.
func TestTwoRunnersAfterTheirTime(t *testing.T) {
	a := newFixture(t, nil, nil)
	b := newFixture(t, nil,
		func(cfg *amplify.Config, _ *Options) { cfg.Auth.UserPoolClientID = "another" })
	app := newApp()
	guard := must(a.RequireUser(Guard{}))
	answered, left := make(chan struct{}), make(chan error)
	app.Use(guard, b.Middleware)
	app.Get("/", timeout.New(func(c fiber.Ctx) error {
		<-answered
		return guard(c)
	}, timeout.Config{Timeout: time.Millisecond}), func(c fiber.Ctx) error {
		_, err := whoami(c.Context())
		left <- err
		return nil
	})
	w := serve(t, app, request("/", a.backend.Session("alice", time.Hour, nil)))
	close(answered)
	if w.StatusCode != 408 {
		t.Errorf("status %d", w.StatusCode)
	}
	if err := <-left; !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Error(err)
	}
}

// TestHandlersReplaceTheContext: what handlers put into the context and take out of it does not
// change who sends a request.
func TestHandlersReplaceTheContext(t *testing.T) {
	f := newFixture(t, nil, nil)
	app := newApp()
	type key struct{}
	app.Use(func(c fiber.Ctx) error {
		c.SetContext(context.WithValue(c.Context(), key{}, "before"))
		return c.Next()
	}, f.Middleware, func(c fiber.Ctx) error {
		if c.Context().Value(key{}) != "before" {
			t.Error("the context of earlier handlers is lost")
		}
		c.SetContext(context.Background())
		return c.Next()
	}, must(f.RequireUser(Guard{})))
	app.Get("/", func(c fiber.Ctx) error {
		if name, err := whoami(c.Context()); name != "alice" {
			t.Error(name, err)
		}
		return ok(c)
	})
	w := serve(t, app, request("/", f.backend.Session("alice", time.Hour, nil)))
	if w.StatusCode != 204 {
		t.Errorf("status %d", w.StatusCode)
	}
}

// TestRunAsGuest: an operation without a request has no user, and its context ends with it.
func TestRunAsGuest(t *testing.T) {
	f := newFixture(t, nil, nil)
	var leaked context.Context
	wrong := errors.New("wrong")
	err := f.RunAsGuest(t.Context(), func(ctx context.Context) error {
		leaked = ctx
		if _, err := whoami(ctx); amplify.ReasonOf(err) != amplify.ReasonNoSession {
			t.Error(err)
		}
		return wrong
	})
	if err != wrong { //nolint:errorlint // the very error
		t.Error(err)
	}
	if _, err := whoami(leaked); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Error(err)
	}
}

// TestForwardSession: the other server gets the refreshed tokens and no refresh token, and the
// browser gets all of them.
func TestForwardSession(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.Refreshed("alice"), nil)
	app := newApp()
	app.Use(f.Middleware)
	seen := ""
	app.Get("/", func(c fiber.Ctx) error {
		out := fasthttp.AcquireRequest()
		defer fasthttp.ReleaseRequest(out)
		c.Request().CopyTo(out)
		err := f.ForwardSession(c, out, ForwardOptions{})
		seen = string(out.Header.Peek("Cookie"))
		return err
	})
	w := serve(t, app, request("/", "a=1; "+f.backend.Session("alice", -time.Minute, nil)))
	set := setCookies(w.Header["Set-Cookie"])
	for _, key := range []string{"accessToken", "idToken"} {
		fresh := set[testPrefix+"alice."+key]["value"]
		if fresh == "" || strings.Count(seen, key+"="+fresh) != 1 ||
			strings.Count(seen, key+"=") != 1 {
			t.Errorf("the other server got %v, the browser %v", seen, set)
		}
	}
	if strings.Contains(seen, "refreshToken") || strings.Count(seen, "a=1") != 1 {
		t.Errorf("the other server got %v", seen)
	}
	// A request without a session is passed on without one, and without Middleware nothing is
	// refreshed.
	f = newFixture(t, nil, nil)
	app = newApp()
	app.Get("/", func(c fiber.Ctx) error {
		err := f.ForwardSession(c, c.Request(), ForwardOptions{})
		if amplify.ReasonOf(err) != amplify.ReasonRefreshNeedsWritableResponse {
			t.Error(err)
		}
		seen = string(c.Request().Header.Peek("Cookie"))
		return ok(c)
	})
	serve(t, app, request("/", "a=1; "+f.backend.Session("alice", -time.Minute, nil)))
	if seen != "a=1" {
		t.Errorf("passed on %q", seen)
	}
}
