package amplifyhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

func TestAccess(t *testing.T) {
	f := newFixture(t, nil, nil)
	expired := f.backend.Session("alice", -time.Minute, nil)
	answers := f.backend.Refreshed("alice")
	whoami := func(ctx context.Context) (string, error) {
		user, err := auth.GetCurrentUser(ctx)
		if err != nil {
			return "", err
		}
		return user.Username, nil
	}

	t.Run("ReadWrite sets refreshed tokens", func(t *testing.T) {
		f := newFixture(t, answers, nil)
		w := httptest.NewRecorder()
		w.Header().Set("CDN-Cache-Control", "max-age=60")
		name, err := RunWithServerContext(f.ServerRunner, ReadWrite(w, request("/", expired)), whoami)
		if err != nil || name != "alice" {
			t.Fatal(name, err)
		}
		if len(w.Header()["Set-Cookie"]) != 4 || w.Header().Get("Cache-Control") != private || w.Header().Get("CDN-Cache-Control") != "" {
			t.Errorf("header %v", w.Header())
		}
	})
	t.Run("ReadWrite marks what it has read", func(t *testing.T) {
		f := newFixture(t, nil, nil)
		w := httptest.NewRecorder()
		_, _ = RunWithServerContext(f.ServerRunner, ReadWrite(w, request("/", "")), whoami)
		if w.Header().Get("Cache-Control") != private {
			t.Errorf("header %v", w.Header())
		}
	})
	t.Run("ReadOnly does not refresh", func(t *testing.T) {
		f := newFixture(t, answers, nil)
		_, err := RunWithServerContext(f.ServerRunner, ReadOnly(request("/", expired)), whoami)
		if amplify.ReasonOf(err) != amplify.ReasonRefreshNeedsWritableResponse || len(f.upstream.Calls()) != 0 {
			t.Error(err, f.upstream.Calls())
		}
	})
	t.Run("ReadOnly below Middleware does not refresh", func(t *testing.T) {
		f := newFixture(t, answers, nil)
		serve(f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := RunWithServerContext(f.ServerRunner, ReadOnly(r), whoami)
			if amplify.ReasonOf(err) != amplify.ReasonRefreshNeedsWritableResponse || len(f.upstream.Calls()) != 0 {
				t.Error(err, f.upstream.Calls())
			}
			// Once it has been refreshed where that was possible, it can be read.
			if _, err := RunWithServerContext(f.ServerRunner, ReadWrite(w, r), whoami); err != nil {
				t.Error(err)
			}
			if name, err := RunWithServerContext(f.ServerRunner, ReadOnly(r), whoami); err != nil || name != "alice" {
				t.Error(name, err)
			}
			if _, err := auth.GetCurrentUser(r.Context()); err != nil || len(f.upstream.Calls()) != 1 {
				t.Error(err, f.upstream.Calls())
			}
		})), request("/", expired))
	})
	t.Run("Static is a guest", func(t *testing.T) {
		f := newFixture(t, nil, nil)
		serve(f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := RunWithServerContext(f.ServerRunner, Static(r.Context()), whoami)
			if amplify.ReasonOf(err) != amplify.ReasonNoSession {
				t.Error(err)
			}
		})), request("/", f.backend.Session("alice", time.Hour, nil)))
	})
	t.Run("ends with the operation", func(t *testing.T) {
		f := newFixture(t, nil, nil)
		r := request("/", f.backend.Session("alice", time.Hour, nil))
		leaked, _ := RunWithServerContext(f.ServerRunner, ReadOnly(r), func(ctx context.Context) (context.Context, error) { return ctx, nil })
		if _, err := whoami(leaked); !errors.Is(err, amplify.ErrServerContextClosed) {
			t.Error(err)
		}
	})
	t.Run("ends with the handler", func(t *testing.T) {
		f := newFixture(t, nil, nil)
		var leaked context.Context
		serve(f.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = r.Context() })),
			request("/", f.backend.Session("alice", time.Hour, nil)))
		if _, err := whoami(leaked); !errors.Is(err, amplify.ErrServerContextClosed) {
			t.Error(err)
		}
	})
}

// TestRequestsOfOthers: a handler may make up requests from its own one's context. They are not its
// user's.
func TestRequestsOfOthers(t *testing.T) {
	f := newFixture(t, nil, nil)
	alice, bob := f.backend.Session("alice", time.Hour, nil), f.backend.Session("bob", time.Hour, nil)
	h := f.Middleware(http.HandlerFunc(me))
	outer := f.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for cookies, want := range map[string]int{bob: 200, "": 401} {
			inner := request("/me", cookies).WithContext(r.Context())
			w := httptest.NewRecorder()
			h.ServeHTTP(w, inner)
			if w.Code != want || cookies == bob && w.Body.String() != `{"userId":"sub-of-bob","username":"bob"}`+"\n" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
	}))
	serve(outer, request("/", alice))

	// The same cookies, and the token of another user.
	f = newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Bearer = true })
	access, _ := f.backend.Tokens("bob", time.Hour, nil)
	h = f.Middleware(http.HandlerFunc(me))
	outer = f.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for authorization, want := range map[string]int{"Bearer " + access: 200, "Bearer x": 401} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request("/me", alice, "Authorization", authorization).WithContext(r.Context()))
			if w.Code != want || want == 200 && w.Body.String() != `{"userId":"sub-of-bob","username":"bob"}`+"\n" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
	}))
	serve(outer, request("/", alice))
}

// TestTwoRunners: each has its own user pool client, cookies and context.
func TestTwoRunners(t *testing.T) {
	a := newFixture(t, nil, nil)
	b := newFixture(t, nil, func(cfg *amplify.Config, _ *Options) { cfg.Auth.UserPoolClientID = "another" })
	h := a.Middleware(b.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := auth.GetCurrentUser(r.Context()); amplify.ReasonOf(err) != amplify.ReasonNoSession {
			t.Error("the inner runner sees the outer one's session:", err)
		}
		user, err := RunWithServerContext(a.ServerRunner, ReadWrite(w, r), auth.GetCurrentUser)
		if err != nil || user.Username != "alice" {
			t.Error(user, err)
		}
		called := false
		must(a.RequireUser(Guard{}))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true })).ServeHTTP(w, r)
		if !called {
			t.Error("the outer runner's guard looks at the inner one's session")
		}
	})))
	serve(h, request("/", a.backend.Session("alice", time.Hour, nil)))

	// Of several middlewares the innermost counts.
	h = a.Middleware(b.Middleware(a.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if user, err := auth.GetCurrentUser(r.Context()); err != nil || user.Username != "alice" {
			t.Error(user, err)
		}
	}))))
	serve(h, request("/", a.backend.Session("alice", time.Hour, nil)))
}

// TestManyUsersAtOnce: no request sees another one's user, whatever its goroutines do.
// It is for the race detector too.
func TestManyUsersAtOnce(t *testing.T) {
	const users, requests, goroutines = 100, 10, 50
	f := newFixture(t, nil, nil)
	h := f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := r.URL.Query().Get("user")
		var group sync.WaitGroup
		for range goroutines {
			group.Go(func() {
				user, err := auth.GetCurrentUser(r.Context())
				if err != nil || user.Username != want {
					t.Errorf("user %v instead of %s: %v", user, want, err)
				}
			})
		}
		group.Wait()
	}))
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range users {
		user := fmt.Sprintf("user-%d", i)
		cookies := f.backend.Session(user, time.Hour, nil)
		for range requests {
			group.Go(func() {
				<-start
				serve(h, request("/?user="+user, cookies))
			})
		}
	}
	close(start)
	group.Wait()
}

// TestGoroutineLeftBehind: after the operation its goroutines do not touch the handler's header,
// not even with the outcome of a call that was under way. It is for the race detector.
func TestGoroutineLeftBehind(t *testing.T) {
	f := newFixture(t, nil, nil)
	answers := f.backend.Refreshed("alice")
	calling, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f = newFixture(t, answers, func(_ *amplify.Config, o *Options) {
		next := o.App.HTTPClient.Transport
		o.App.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("X-Amz-Target") != "" {
				once.Do(func() { close(calling) })
				<-answer
			}
			return next.RoundTrip(r)
		})}
	})
	w := httptest.NewRecorder()
	left := make(chan error)
	_, _ = RunWithServerContext(f.ServerRunner, ReadWrite(w, request("/", f.backend.Session("alice", -time.Minute, nil))),
		func(ctx context.Context) (any, error) {
			go func() {
				for {
					if _, err := auth.GetCurrentUser(ctx); errors.Is(err, amplify.ErrServerContextClosed) {
						left <- err
						return
					}
				}
			}()
			<-calling
			return nil, nil
		})
	close(answer)
	for i := range 1000 {
		w.Header().Set("X-Count", strconv.Itoa(i))
	}
	<-left
	for i := range 1000 {
		w.Header().Set("X-Count", strconv.Itoa(i))
	}
	if w.Header()["Set-Cookie"] != nil {
		t.Errorf("header %v", w.Header())
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOperationsOnOneResponse: what one operation has written the next one reads,
// without Middleware too.
func TestOperationsOnOneResponse(t *testing.T) {
	f := newFixture(t, nil, nil)
	access, id := f.backend.Tokens("bob", time.Hour, nil)
	w, r := httptest.NewRecorder(), request("/", f.backend.Session("alice", time.Hour, nil))
	run := func(operation func(context.Context, *amplify.ServerContext) error) {
		t.Helper()
		_, err := RunWithServerContext(f.ServerRunner, ReadWrite(w, r), func(ctx context.Context) (any, error) {
			server, err := amplify.FromContext(ctx)
			if err != nil {
				return nil, err
			}
			return nil, operation(ctx, server)
		})
		if err != nil {
			t.Error(err)
		}
	}
	run(func(ctx context.Context, server *amplify.ServerContext) error {
		return server.StartSession(ctx, amplify.IssuedTokens{AccessToken: amplify.NewSecret(access), IDToken: amplify.NewSecret(id)})
	})
	run(func(ctx context.Context, _ *amplify.ServerContext) error {
		user, err := auth.GetCurrentUser(ctx)
		if err == nil && user.Username != "bob" {
			t.Errorf("the user is %s", user.Username)
		}
		return err
	})
}

// TestRunAsGuest: an operation without a request has no user, and its context ends with it.
func TestRunAsGuest(t *testing.T) {
	f := newFixture(t, nil, nil)
	var leaked context.Context
	wrong := errors.New("wrong")
	err := f.RunAsGuest(t.Context(), func(ctx context.Context) error {
		leaked = ctx
		if _, err := auth.GetCurrentUser(ctx); amplify.ReasonOf(err) != amplify.ReasonNoSession {
			t.Error(err)
		}
		return wrong
	})
	if err != wrong { //nolint:errorlint // the very error
		t.Error(err)
	}
	if _, err := auth.GetCurrentUser(leaked); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Error(err)
	}
}
