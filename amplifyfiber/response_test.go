package amplifyfiber

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cache"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

// TestCookiesPrecedeTheHeader refreshes a session in handlers that answer in every way there is.
// The refreshed tokens must be in the header.
func TestCookiesPrecedeTheHeader(t *testing.T) {
	refresh := func(c fiber.Ctx) {
		if _, err := auth.GetCurrentUser(c.Context()); err != nil {
			panic(err)
		}
	}
	for name, tt := range map[string]struct {
		handler fiber.Handler
		outside fiber.Handler // in front of Middleware
		inside  fiber.Handler // behind it
		status  int
	}{
		"body":    {handler: func(c fiber.Ctx) error { refresh(c); return c.SendString("x") }},
		"nothing": {handler: func(c fiber.Ctx) error { refresh(c); return nil }},
		"status": {
			handler: func(c fiber.Ctx) error { refresh(c); return c.SendStatus(404) }, status: 404,
		},
		"redirect": {
			handler: func(c fiber.Ctx) error { refresh(c); return c.Redirect().To("/x") },
			status:  303,
		},
		"file": {handler: func(c fiber.Ctx) error {
			refresh(c)
			return c.SendFile("response_test.go")
		}},
		"error": {
			handler: func(c fiber.Ctx) error { refresh(c); return errors.New("x") }, status: 500,
		},
		"not found": {
			handler: func(c fiber.Ctx) error { refresh(c); return c.Next() }, status: 404,
		},
		"panic": {handler: func(c fiber.Ctx) error { refresh(c); panic("x") }, status: 500},
		"panic, recovered behind": {
			handler: func(c fiber.Ctx) error { refresh(c); panic("x") }, inside: recover.New(),
			status: 500,
		},
		"early hints": {handler: func(c fiber.Ctx) error {
			if err := c.SendEarlyHints([]string{"</style.css>; rel=preload"}); err != nil {
				return err
			}
			refresh(c) // that was not the final header: this is not too late
			return c.SendString("x")
		}},
		"stream": {handler: func(c fiber.Ctx) error {
			refresh(c)
			return c.SendStreamWriter(func(w *bufio.Writer) { _, _ = w.WriteString("x") })
		}},
		"reader": {handler: func(c fiber.Ctx) error {
			refresh(c)
			return c.SendStream(strings.NewReader("x"))
		}},
		"hijack": {handler: func(c fiber.Ctx) error {
			refresh(c)
			c.Status(101)
			c.RequestCtx().Hijack(func(net.Conn) {})
			return nil
		}, status: 101},
		"response begun again": {handler: func(c fiber.Ctx) error {
			refresh(c)
			c.Response().Reset()
			return nil
		}},
		"handlers behind one another": {
			handler: func(c fiber.Ctx) error { return c.SendString("x") },
			inside:  func(c fiber.Ctx) error { refresh(c); return c.Next() },
		},
		"after the next handler": {
			handler: func(c fiber.Ctx) error { return c.SendString("x") },
			inside:  func(c fiber.Ctx) error { err := c.Next(); refresh(c); return err },
		},
		"another path": {
			handler: func(c fiber.Ctx) error { refresh(c); return c.SendString("x") },
			inside: func(c fiber.Ctx) error {
				if c.Path() == "/again" {
					return c.Next()
				}
				c.Path("/again")
				return c.RestartRouting()
			},
		},
		"time left": {handler: timeout.New(func(c fiber.Ctx) error {
			refresh(c)
			return c.SendString("x")
		}, timeout.Config{Timeout: time.Minute})},
		"time-out": {handler: timeout.New(func(c fiber.Ctx) error {
			refresh(c)
			<-c.Context().Done()
			return nil
		}, timeout.Config{Timeout: time.Second}), status: 408},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil, nil)
			f = newFixture(t, f.backend.Refreshed("alice"), nil)
			app := newApp()
			for _, h := range []fiber.Handler{tt.outside, f.Middleware, f.Middleware, tt.inside} {
				if h != nil {
					app.Use(h)
				}
			}
			app.All("/*", tt.handler)
			w := serve(t, app, request("/page", f.backend.Session("alice", -time.Minute, nil)))
			if w.StatusCode != cmp.Or(tt.status, 200) {
				t.Errorf("status %d", w.StatusCode)
			}
			set := setCookies(w.Header["Set-Cookie"])
			if got := set[testPrefix+"alice.refreshToken"]["value"]; got != "rotated" {
				t.Errorf("refresh token %q in %v", got, w.Header)
			}
			if n := len(w.Header["Set-Cookie"]); n != 4 {
				t.Errorf("%d cookies", n)
			}
			if got := w.Header.Get("Cache-Control"); got != private {
				t.Errorf("Cache-Control %q", got)
			}
			if got := w.Header.Get("Vary"); got != "Cookie" {
				t.Errorf("Vary %q", got)
			}
		})
	}
}

// TestTimeOutInFront: a time limit in front of Middleware answers while its handlers go on. They
// leave that answer alone, and their server context is closed when they return.
func TestTimeOutInFront(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.Refreshed("alice"), nil)
	app := newApp()
	asked, answered, left := make(chan struct{}), make(chan struct{}), make(chan context.Context)
	limit := timeout.Config{Timeout: time.Second, OnTimeout: func(fiber.Ctx) error {
		<-asked // Fiber reads the header without a lock
		return fiber.ErrRequestTimeout
	}}
	app.Use(timeout.New(func(c fiber.Ctx) error {
		err := f.Middleware(c)
		if h := &c.RequestCtx().LastTimeoutErrorResponse().Header; len(h.Peek("Set-Cookie")) != 0 {
			t.Errorf("what is being sent has become\n%s", h)
		}
		left <- c.Context()
		return err
	}, limit))
	app.Get("/", func(c fiber.Ctx) error {
		if _, err := auth.GetCurrentUser(c.Context()); err != nil {
			t.Error(err)
		}
		close(asked)
		<-answered
		return nil
	})
	w := serve(t, app, request("/", f.backend.Session("alice", -time.Minute, nil)))
	close(answered)
	ctx := <-left
	if w.StatusCode != 408 || w.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, %v", w.StatusCode, w.Header)
	}
	if _, err := auth.GetCurrentUser(ctx); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Error(err)
	}
}

// TestHeadersOfHandlers: what handlers and other middleware have put into the header stays, beside
// the session's cookies.
func TestHeadersOfHandlers(t *testing.T) {
	for name, config := range map[string]func(*fiber.Config){
		"default":        func(*fiber.Config) {},
		"not normalized": func(c *fiber.Config) { c.DisableHeaderNormalizing = true },
		"immutable":      func(c *fiber.Config) { c.Immutable = true },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil, nil)
			f = newFixture(t, f.backend.Refreshed("alice"), nil)
			app := newApp(config)
			app.Use(f.Middleware)
			app.Get("/", func(c fiber.Ctx) error {
				c.Cookie(&fiber.Cookie{Name: "note", Value: "1", Path: "/"})
				c.Response().Header.Add("Set-Cookie", "raw=2")
				c.Response().Header.Add("Set-Cookie", "raw=3; Path=/x")
				c.Set("surrogate-control", "max-age=60")
				c.Set("Cache-Control", "max-age=60")
				c.Set("vary", "Accept")
				c.Set("X-Own", "own")
				_, err := auth.GetCurrentUser(c.Context())
				return err
			})
			w := serve(t, app, request("/", f.backend.Session("alice", -time.Minute, nil)))
			if n := len(w.Header["Set-Cookie"]); n != 7 {
				t.Errorf("%d cookies", n)
			}
			all := strings.Join(w.Header["Set-Cookie"], "\n")
			for _, line := range []string{
				"note=1; path=/", "raw=2", "raw=3; Path=/x",
				testPrefix + "alice.refreshToken=rotated",
			} {
				if strings.Count(all, line) != 1 {
					t.Errorf("%s is there %d times: %s", line, strings.Count(all, line), all)
				}
			}
			vary := w.Header.Values("Vary")
			if w.Header.Get("X-Own") != "own" || !slices.Contains(vary, "Accept") ||
				!slices.Contains(vary, "Cookie") {
				t.Errorf("header %v", w.Header)
			}
			if w.Header.Get("Cache-Control") != private || w.Header["Surrogate-Control"] != nil {
				t.Errorf("header %v", w.Header)
			}
		})
	}
}

// TestCachesBetween: a cache between Middleware and the handler sees a response before it is
// complete. It must not keep one user's page for another.
func TestCachesBetween(t *testing.T) {
	f := newFixture(t, nil, nil)
	app := newApp()
	app.Use(f.Middleware, cache.New())
	app.Get("/", func(c fiber.Ctx) error {
		user, err := auth.GetCurrentUser(c.Context())
		if err != nil {
			return c.SendString("nobody")
		}
		return c.SendString(user.Username)
	})
	for _, name := range []string{"alice", "bob"} {
		w := serve(t, app, request("/", f.backend.Session(name, time.Hour, nil)))
		if got := body(t, w); got != name || w.Header.Get("Cache-Control") != private {
			t.Errorf("%s got the page of %s, %v", name, got, w.Header)
		}
	}
	// A handler's own decision stands, unless the session changes.
	app.Get("/own", func(c fiber.Ctx) error {
		c.Set("Cache-Control", "private, max-age=10")
		_, err := auth.GetCurrentUser(c.Context())
		return err
	})
	w := serve(t, app, request("/own", f.backend.Session("alice", time.Hour, nil)))
	if got := w.Header.Get("Cache-Control"); got != "private, max-age=10" {
		t.Errorf("Cache-Control %q", got)
	}
}

// TestReadOnlyOnceTheHandlersHaveReturned: a refresh whose cookies could not be sent would lose a
// rotated refresh token. Error handlers still learn who is there.
func TestReadOnlyOnceTheHandlersHaveReturned(t *testing.T) {
	whoami := func(ctx context.Context) string {
		user, err := auth.GetCurrentUser(ctx)
		if err != nil {
			return string(amplify.ReasonOf(err))
		}
		return user.Username
	}
	for life, want := range map[time.Duration]string{
		time.Hour: "alice", -time.Minute: string(amplify.ReasonRefreshNeedsWritableResponse),
	} {
		f := newFixture(t, nil, nil)
		f = newFixture(t, f.backend.Refreshed("alice"), nil)
		app := newApp(func(c *fiber.Config) {
			c.ErrorHandler = func(c fiber.Ctx, _ error) error {
				return c.Status(500).SendString(whoami(c.Context()))
			}
		})
		app.Use(f.Middleware)
		app.Get("/error", func(fiber.Ctx) error { return errors.New("x") })
		w := serve(t, app, request("/error", f.backend.Session("alice", life, nil)))
		if got := body(t, w); got != want || w.Header["Set-Cookie"] != nil ||
			len(f.upstream.Calls()) != 0 {
			t.Errorf("%v: %s instead of %s, %v, %v", life, got, want, w.Header, f.upstream.Calls())
		}
	}
}

// listen serves app on a connection of its own for each client, and returns its URL.
func listen(t testing.TB, app *fiber.App) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() {
		served <- app.Listener(listener,
			fiber.ListenConfig{DisableStartupMessage: true})
	}()
	t.Cleanup(func() {
		if err := errors.Join(app.Shutdown(), <-served); err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

// get asks a server that listens.
func get(t testing.TB, client *http.Client, url, cookies string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookies)
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestStream: a stream acts as its user for as long as it lasts, with the cookies in front of it. A
// refresh that comes later is refused, and no token is lost. When the stream has ended, or its
// client has hung up, the server context is closed.
func TestStream(t *testing.T) {
	f := newFixture(t, nil, nil)
	expired, answers := f.backend.Session("alice", -time.Minute, nil), f.backend.Refreshed("alice")
	for name, tt := range map[string]struct {
		first   bool // the handler asks before it streams
		hangsUp bool
		says    string
		cookies int
	}{
		"asked before": {true, false, "alice", 4},
		"asked late":   {false, false, string(amplify.ReasonRefreshNeedsWritableResponse), 0},
		"hang-up":      {true, true, "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, answers, nil)
			app := newApp()
			app.Use(f.Middleware)
			goOn, lifetime := make(chan struct{}), make(chan context.Context, 1)
			app.Get("/events", func(c fiber.Ctx) error {
				ctx := c.Context()
				if tt.first {
					if _, err := auth.GetCurrentUser(ctx); err != nil {
						return err
					}
				}
				return c.SendStreamWriter(func(w *bufio.Writer) {
					server, err := amplify.FromContext(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					lifetime <- server.Lifetime()
					_, _ = w.WriteString(":\n")
					_ = w.Flush()
					<-goOn
					for tt.hangsUp {
						_, _ = w.WriteString(":\n")
						if w.Flush() != nil {
							return
						}
					}
					if user, err := auth.GetCurrentUser(ctx); err != nil {
						_, _ = w.WriteString(string(amplify.ReasonOf(err)))
					} else {
						_, _ = w.WriteString(user.Username)
					}
				})
			})
			client := &http.Client{Transport: &http.Transport{}}
			w := get(t, client, listen(t, app)+"/events", expired)
			defer w.Body.Close()
			if n := len(w.Header["Set-Cookie"]); n != tt.cookies {
				t.Errorf("%d cookies", n)
			}
			end := <-lifetime
			if end.Err() != nil {
				t.Error("closed while it streams")
			}
			close(goOn)
			if tt.hangsUp {
				w.Body.Close()
			} else if got := strings.TrimPrefix(body(t, w), ":\n"); got != tt.says {
				t.Errorf("streams %q", got)
			}
			<-end.Done()
			if err := context.Cause(end); !errors.Is(err, amplify.ErrServerContextClosed) {
				t.Error(err)
			}
			client.CloseIdleConnections()
			if n := len(f.upstream.Calls()); n != min(tt.cookies, 1) {
				t.Errorf("%d calls", n)
			}
		})
	}
}
