package flow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/internal/conformance"
)

// signedInFixture returns a fixture whose token endpoint signs alice in, and revokes.
func signedInFixture(t *testing.T, change func(*amplify.Config, *Options)) *fixture {
	t.Helper()
	answers := newFixture(t, nil, nil).backend.SignedIn("alice")
	answers["POST /oauth2/revoke"] = []conformance.Answer{{Status: 200}}
	return newFixture(t, answers, change)
}

// calls returns the paths that the backend was asked for, with the tokens that were revoked.
func (f *fixture) calls() (list []string) {
	for _, call := range f.upstream.Calls() {
		list = append(list, strings.TrimSpace(call.Path+" "+call.Form["token"]))
	}
	return list
}

type requestValue struct{}

// TestAfterSignIn: the hook acts as the new user, and its context ends with it.
func TestAfterSignIn(t *testing.T) {
	f := signedInFixture(t, nil)
	var kept context.Context
	b := f.browser(t, RoutesOptions{AfterSignIn: func(ctx context.Context) error {
		kept = ctx
		if got := ctx.Value(requestValue{}); got != "of the request" {
			t.Errorf("value %v", got)
		}
		if _, ok := ctx.Deadline(); !ok {
			t.Error("no deadline")
		}
		user, err := auth.GetCurrentUser(ctx)
		if err != nil || user.Username != "alice" {
			t.Errorf("user %v, %v", user, err)
		}
		attributes, err := auth.FetchUserAttributes(ctx)
		if err != nil || attributes["sub"] != "sub-of-alice" {
			t.Errorf("attributes %v, %v", attributes, err)
		}
		return err
	}})
	callback := b.begin("?return_to=/notes")
	r := request(callback, b.cookies(), fromAfar...)
	w := serve(b.handler, r.WithContext(context.WithValue(r.Context(), requestValue{}, "of the request")))
	session, body := read(t, w)
	if w.StatusCode != 200 || len(session) != 4 || bodyTargets(body)["link"] != "/notes" {
		t.Errorf("%d %v %s", w.StatusCode, session, body)
	}
	if kept == nil {
		t.Fatal("not called")
	}
	if _, err := auth.GetCurrentUser(kept); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Errorf("a kept context: %v", err)
	}
	if err := kept.Err(); err == nil {
		t.Error("a kept context has not ended")
	}
}

// TestAfterSignInRefreshes: a hook that has changed the user's groups refreshes the tokens, and the
// browser gets the new ones.
func TestAfterSignInRefreshes(t *testing.T) {
	f := newFixture(t, nil, nil)
	answers := f.backend.SignedIn("alice")
	for name, answer := range f.backend.Refreshed("alice") {
		answers[name] = answer
	}
	f = newFixture(t, answers, nil)
	b := f.browser(t, RoutesOptions{AfterSignIn: func(ctx context.Context) error {
		_, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{ForceRefresh: true})
		return err
	}})
	w, _ := b.get(b.begin(""), fromAfar...)
	if got := b.values[testPrefix+"alice.refreshToken"]; w.StatusCode != 200 || got != "rotated" {
		t.Errorf("%d, refresh token %q", w.StatusCode, got)
	}
}

// TestAfterSignInOnce: a callback that arrives several times calls the hook once, and has one
// outcome.
func TestAfterSignInOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		outcome error
		status  int
		calls   []string
	}{
		"signed in": {nil, 200, []string{"/oauth2/token"}},
		"refused":   {errors.New("no"), 403, []string{"/oauth2/token", "/oauth2/revoke refresh-of-alice"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := signedInFixture(t, nil)
			var called atomic.Int32
			release := make(chan struct{})
			b := f.browser(t, RoutesOptions{AfterSignIn: func(context.Context) error {
				called.Add(1)
				<-release
				return tt.outcome
			}})
			callback := b.begin("")
			cookies := b.cookies()
			check := func() {
				w := serve(b.handler, request(callback, cookies, fromAfar...))
				if session, body := read(t, w); w.StatusCode != tt.status || (len(session) == 4) != (tt.outcome == nil) {
					t.Errorf("%d %v %s", w.StatusCode, session, body)
				}
			}
			var all sync.WaitGroup
			for range 20 {
				all.Go(check)
			}
			close(release)
			all.Wait()
			check() // a restored tab
			if n := called.Load(); n != 1 {
				t.Errorf("called %d times", n)
			}
			if d := gocmp.Diff(tt.calls, f.calls()); d != "" {
				t.Errorf("calls (-want +got)\n%s", d)
			}
		})
	}
}

// TestAfterSignInReload: a browser that reloads the callback while the hook runs gives up the first
// request. The second one gets the outcome.
func TestAfterSignInReload(t *testing.T) {
	f := signedInFixture(t, nil)
	began, release := make(chan struct{}), make(chan struct{})
	b := f.browser(t, RoutesOptions{AfterSignIn: func(ctx context.Context) error {
		close(began)
		<-release
		return ctx.Err()
	}})
	callback := b.begin("")
	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan *http.Response)
	go func() { first <- serve(b.handler, request(callback, b.cookies(), fromAfar...).WithContext(ctx)) }()
	<-began
	giveUp()
	if session, _ := read(t, <-first); len(session) != 0 {
		t.Errorf("the request that was given up: %v", session)
	}
	second := make(chan *http.Response)
	go func() { second <- serve(b.handler, request(callback, b.cookies(), fromAfar...)) }()
	close(release)
	w := <-second
	if session, body := read(t, w); w.StatusCode != 200 || len(session) != 4 {
		t.Errorf("%d %v %s", w.StatusCode, session, body)
	}
}

// TestAfterSignInRefuses: whatever goes wrong in the hook, the browser gets no session, the tokens
// are revoked and refused, and what went wrong is logged and not shown.
func TestAfterSignInRefuses(t *testing.T) {
	const secret = "database db7 is down"
	other, otherID := newFixture(t, nil, nil).backend.Tokens("bob", time.Hour, nil)
	for name, tt := range map[string]struct {
		hook func(context.Context) error
		log  string
	}{
		"error":            {func(context.Context) error { return errors.New(secret) }, secret},
		"panic":            {func(context.Context) error { panic(secret) }, secret},
		"end of goroutine": {func(context.Context) error { runtime.Goexit(); return nil }, "goroutine"},
		"another session": {func(ctx context.Context) error {
			server, err := amplify.FromContext(ctx)
			if err != nil {
				return err
			}
			return errors.Join(server.EndSession(ctx, amplify.EndInput{}), server.StartSession(ctx, amplify.IssuedTokens{
				AccessToken: amplify.NewSecret(other), IDToken: amplify.NewSecret(otherID),
			}), errors.New(secret))
		}, string(amplify.ReasonReadOnly)},
		"too slow":        {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "deadline"},
		"deaf to its end": {func(context.Context) error { time.Sleep(time.Hour); return nil }, "deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for landing, want := range map[string]struct {
					status   int
					location string
				}{
					"":     {403, ""},
					"/bye": {302, "/bye?error=sign_in_failed&error_description=You+could+not+be+signed+in.&return_to=%2Fnotes"},
				} {
					f := signedInFixture(t, nil)
					b := f.browser(t, RoutesOptions{RedirectOnSignOutComplete: landing, AfterSignIn: tt.hook})
					start := time.Now()
					w, body := b.get(b.begin("?return_to=/notes"), fromAfar...)
					if w.StatusCode != want.status || w.Header.Get("Location") != want.location {
						t.Errorf("%d %s", w.StatusCode, w.Header.Get("Location"))
					}
					if took := time.Since(start); took > afterSignInTimeout {
						t.Errorf("took %v", took)
					}
					if landing == "" && bodyTargets(body)["link"] != "/api/auth/sign-in?return_to=%2Fnotes" {
						t.Errorf("body %s", body)
					}
					if strings.Contains(body, secret) || strings.Contains(b.cookies(), testPrefix) {
						t.Errorf("cookies %s, body %s", b.cookies(), body)
					}
					if d := gocmp.Diff([]string{"/oauth2/token", "/oauth2/revoke refresh-of-alice"}, f.calls()); d != "" {
						t.Errorf("calls (-want +got)\n%s", d)
					}
					if !strings.Contains(f.backend.Log.String(), "AfterSignIn failed") || !strings.Contains(f.backend.Log.String(), tt.log) {
						t.Errorf("log %s", f.backend.Log)
					}
					// Whoever has the tokens all the same is not signed in.
					stolen := request("/", f.backend.Session("alice", time.Hour, nil), fetched...)
					if w := serve(f.guarded(f.RequireUser(GuardOptions{})), stolen); w.StatusCode != 401 {
						t.Errorf("the tokens are good: %d", w.StatusCode)
					}
				}
				time.Sleep(time.Hour) // until the hooks have returned
			})
		})
	}
}

// TestAfterSignInNeedsTokens: the hook is not called for tokens that do not verify, or that the
// browser could not keep.
func TestAfterSignInNeedsTokens(t *testing.T) {
	f := newFixture(t, nil, nil)
	for name, tt := range map[string]struct {
		extra  map[string]any
		status int
		text   string
	}{
		"another client": {map[string]any{"client_id": "another"}, 500, "could not be verified"},
		"too large":      {map[string]any{"custom:x": strings.Repeat("x", 2850)}, 500, "more attributes or groups"},
	} {
		access, id := f.backend.Tokens("alice", time.Hour, tt.extra)
		f := newFixture(t, map[string][]conformance.Answer{"POST /oauth2/token": {{
			Status: 200, JSON: []byte(`{"access_token":"` + access + `","id_token":"` + id + `","token_type":"Bearer"}`),
		}}}, nil)
		b := f.browser(t, RoutesOptions{AfterSignIn: func(context.Context) error {
			t.Errorf("%s: called", name)
			return nil
		}})
		w, body := b.get(b.begin(""))
		if w.StatusCode != tt.status || !strings.Contains(body, tt.text) {
			t.Errorf("%s: %d %s", name, w.StatusCode, body)
		}
	}
}

// signOutCallback returns the request that ends a sign-out.
func signOutCallback(session string) *http.Request {
	return request("/api/auth/sign-out-callback", session+"; "+signingOutCookie+"=true", navigation...)
}

// TestBeforeSignOut: the hook acts as the user while the session still lives, and cannot keep the
// user from signing out.
func TestBeforeSignOut(t *testing.T) {
	for name, tt := range map[string]struct {
		hook func(context.Context) error
		took time.Duration
		log  string
	}{
		"done":            {func(context.Context) error { return nil }, 0, ""},
		"error":           {func(context.Context) error { return errors.New("audit is down") }, 0, "audit is down"},
		"panic":           {func(context.Context) error { panic("audit is down") }, 0, "audit is down"},
		"slow":            {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, beforeSignOutTimeout, "deadline"},
		"deaf to its end": {func(context.Context) error { time.Sleep(time.Hour); return nil }, beforeSignOutTimeout, "deadline"},
		"writes": {func(ctx context.Context) error {
			server, err := amplify.FromContext(ctx)
			if err != nil {
				return err
			}
			return server.EndSession(ctx, amplify.EndInput{})
		}, 0, string(amplify.ReasonReadOnly)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := signedInFixture(t, nil)
				called := make(chan string, 1)
				h := f.routes(t, RoutesOptions{BeforeSignOut: func(ctx context.Context) error {
					u, err := auth.GetCurrentUser(ctx)
					if err != nil {
						return err
					}
					called <- fmt.Sprintf("%s after %d calls", u.Username, len(f.upstream.Calls()))
					return tt.hook(ctx)
				}})
				start := time.Now()
				ctx, gone := context.WithCancel(t.Context())
				gone() // the browser does not wait
				w := serve(h, signOutCallback(f.backend.Session("alice", time.Hour, nil)).WithContext(ctx))
				if got := <-called; got != "alice after 0 calls" {
					t.Errorf("called for %s", got)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if w.StatusCode != 302 || setCookies(w.Header["Set-Cookie"])[testPrefix+"alice.idToken"]["deleted"] == "" {
					t.Errorf("%d %v", w.StatusCode, w.Header)
				}
				synctest.Wait()
				if d := gocmp.Diff([]string{"/oauth2/revoke refresh-of-alice"}, f.calls()); d != "" {
					t.Errorf("calls (-want +got)\n%s", d)
				}
				if log := f.backend.Log.String(); strings.Contains(log, "BeforeSignOut failed") != (tt.log != "") || !strings.Contains(log, tt.log) {
					t.Errorf("log %s", log)
				}
				time.Sleep(time.Hour) // until the hook has returned
			})
		})
	}
}

// TestBeforeSignOutOnce: of requests that end the same session, one after the other or side by
// side, one calls the hook, and the session lives until that has returned.
func TestBeforeSignOutOnce(t *testing.T) {
	t.Run("one after the other and side by side", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := signedInFixture(t, nil)
			var called atomic.Int32
			h := f.routes(t, RoutesOptions{BeforeSignOut: func(ctx context.Context) error {
				called.Add(1)
				time.Sleep(time.Second)
				if n := len(f.upstream.Calls()); n != 0 {
					t.Errorf("%d calls before the hook has returned", n)
				}
				_, err := auth.GetCurrentUser(ctx)
				return err
			}})
			session := f.backend.Session("alice", time.Hour, nil)
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if w := serve(h, signOutCallback(session)); w.StatusCode != 302 || w.Header.Get("Location") != "/" {
						t.Errorf("%d %v", w.StatusCode, w.Header)
					}
				})
			}
			all.Wait()
			if w := serve(h, signOutCallback(session)); w.StatusCode != 302 {
				t.Errorf("%d %v", w.StatusCode, w.Header)
			}
			if n := called.Load(); n != 1 {
				t.Errorf("called %d times", n)
			}
			if strings.Contains(f.backend.Log.String(), "BeforeSignOut failed") {
				t.Errorf("log %s", f.backend.Log)
			}
		})
	})
	t.Run("known before it ended", func(t *testing.T) {
		f := signedInFixture(t, nil)
		called := 0
		routes, err := f.Routes(RoutesOptions{BeforeSignOut: func(context.Context) error { called++; return nil }})
		if err != nil {
			t.Fatal(err)
		}
		var exchanges [2]Exchange
		for i := range exchanges {
			f.Begin(&exchanges[i], signOutCallback(f.backend.Session("alice", time.Hour, nil)))
			if _, err := exchanges[i].Tokens(t.Context(), amplify.TokensInput{}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range exchanges {
			if w := routes.signOutCallback(&exchanges[i], signOutCallback("")); w.Status != 302 {
				t.Errorf("status %d", w.Status)
			}
		}
		if called != 1 || len(routes.departures.calls) != 0 {
			t.Errorf("called %d times, %d sessions are kept", called, len(routes.departures.calls))
		}
	})
}

// TestBeforeSignOutIsOfVerifiedUsers: the hook is called for users whose tokens verify, and for
// nobody else.
func TestBeforeSignOutIsOfVerifiedUsers(t *testing.T) {
	f := newFixture(t, nil, nil)
	refreshed := f.backend.Refreshed("alice")
	session := func(life time.Duration, extra map[string]any) string { return f.backend.Session("alice", life, extra) }
	access, _ := f.backend.Tokens("alice", time.Hour, nil)
	_, other := f.backend.Tokens("bob", time.Hour, nil)
	forged := access[:strings.LastIndexByte(access, '.')] + other[strings.LastIndexByte(other, '.'):]
	for name, tt := range map[string]struct {
		cookies string
		headers []string
		want    string
	}{
		"signed in":         {session(time.Hour, nil), nil, "alice"},
		"expired":           {session(-time.Minute, nil), nil, "alice"},
		"no session":        {"x=y", nil, ""},
		"forged":            {strings.Replace(session(time.Hour, nil), access, forged, 1), nil, ""},
		"another client":    {session(time.Hour, map[string]any{"client_id": "another"}), nil, ""},
		"another user's ID": {testPrefix + "LastAuthUser=alice; " + testPrefix + "alice.accessToken=" + access + "; " + testPrefix + "alice.idToken=" + other, nil, ""},
		"bearer":            {"x=y", []string{"Authorization", "Bearer " + access}, ""},
	} {
		f := newFixture(t, refreshed, func(_ *amplify.Config, o *Options) { o.Bearer = true })
		got := ""
		h := f.routes(t, RoutesOptions{BeforeSignOut: func(ctx context.Context) error {
			user, err := auth.GetCurrentUser(ctx)
			got = "?"
			if err == nil {
				got = user.Username
			}
			return err
		}})
		r := signOutCallback(tt.cookies)
		for i := 0; i < len(tt.headers); i += 2 {
			r.Header.Set(tt.headers[i], tt.headers[i+1])
		}
		serve(h, r)
		if got != tt.want {
			t.Errorf("%s: called for %q, want %q", name, got, tt.want)
		}
	}
}
