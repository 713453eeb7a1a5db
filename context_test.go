package amplify_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/amplify-go/amplify"
)

func newApp(t testing.TB) *amplify.App {
	t.Helper()
	app, err := amplify.New(amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "eu-west-1_Corpus001", UserPoolClientID: "4corpusclientid0000000001",
	}}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return app
}

// providersFor gives the tokens and credentials of one user.
func providersFor(user string) amplify.Providers {
	return amplify.Providers{
		Tokens: fixedTokens{&amplify.Tokens{AccessToken: amplify.NewToken("token of "+user, &amplify.Claims{Username: user})}},
		Credentials: credentialsFunc(func(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
			return &amplify.Credentials{IdentityID: user}, nil
		}),
	}
}

type tokensFunc func(context.Context, amplify.TokensInput) (*amplify.Tokens, error)

func (f tokensFunc) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	return f(ctx, in)
}

type credentialsFunc func(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error)

func (f credentialsFunc) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	return f(ctx, in)
}

// username is what an API does: it finds the server context and asks it.
func username(ctx context.Context) (string, error) {
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		return "", err
	}
	tokens, err := sc.Tokens(ctx, amplify.TokensInput{})
	if err != nil {
		return "", err
	}
	credentials, err := sc.Credentials(ctx, amplify.CredentialsInput{})
	if err != nil {
		return "", err
	}
	if name := tokens.AccessToken.Claims().Username; name != credentials.IdentityID {
		return "", fmt.Errorf("tokens of %s with credentials of %s", name, credentials.IdentityID)
	}
	return tokens.AccessToken.Claims().Username, nil
}

// TestIsolation runs the requests of 1,000 users side by side, each with 50 goroutines that are
// partly still at work when the request is over. Nobody may ever see another user.
func TestIsolation(t *testing.T) {
	const users, goroutines = 1000, 50
	app := newApp(t)
	var requests, leaked sync.WaitGroup
	for i := range users {
		requests.Go(func() {
			user := "user-" + strconv.Itoa(i)
			_, err := amplify.RunWithServerContext(t.Context(), app, providersFor(user), func(ctx context.Context) (any, error) {
				var waited sync.WaitGroup
				for g := range goroutines {
					work := func() {
						switch name, err := username(ctx); {
						case errors.Is(err, amplify.ErrServerContextClosed) && g%2 == 1:
						case err != nil:
							t.Errorf("%s: %v", user, err)
						case name != user:
							t.Errorf("%s sees %s", user, name)
						}
					}
					if g%2 == 0 {
						waited.Go(work)
					} else {
						leaked.Go(work)
					}
				}
				waited.Wait()
				return nil, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
	leaked.Wait()
}

func TestServerContextClosed(t *testing.T) {
	app := newApp(t)
	use := map[string]func(context.Context, *amplify.ServerContext) error{
		"FromContext": func(ctx context.Context, _ *amplify.ServerContext) error {
			_, err := amplify.FromContext(ctx)
			return err
		},
		"Tokens": func(ctx context.Context, sc *amplify.ServerContext) error {
			_, err := sc.Tokens(ctx, amplify.TokensInput{})
			return err
		},
		"Credentials": func(ctx context.Context, sc *amplify.ServerContext) error {
			_, err := sc.Credentials(ctx, amplify.CredentialsInput{})
			return err
		},
		"a derived context": func(ctx context.Context, _ *amplify.ServerContext) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := username(ctx)
			return err
		},
	}
	operationFailed := errors.New("operation failed")
	ends := map[string]func(){
		"return": func() {},
		"panic":  func() { panic("of the operation") },
		"Goexit": runtime.Goexit,
	}
	for end, f := range ends {
		for name, use := range use {
			for _, p := range []amplify.Providers{providersFor("alice"), {}} {
				var kept context.Context
				var sc *amplify.ServerContext
				over := make(chan struct{})
				go func() {
					defer close(over)
					defer func() { _ = recover() }()
					_, err := amplify.RunWithServerContext(t.Context(), app, p, func(ctx context.Context) (any, error) {
						kept = ctx
						var err error
						if sc, err = amplify.FromContext(ctx); err != nil {
							t.Error(err)
						}
						f()
						return nil, operationFailed
					})
					if err != operationFailed {
						t.Errorf("the error of the operation became %v", err)
					}
				}()
				<-over
				if err := use(kept, sc); !errors.Is(err, amplify.ErrServerContextClosed) || amplify.ReasonOf(err) != amplify.ReasonContextClosed {
					t.Errorf("%s after %s: %v", name, end, err)
				}
			}
		}
	}
}

// TestServerContextClosesUnderCalls lets the operation return while a goroutine that it left behind
// waits for its tokens and credentials: what arrives then belongs to nobody.
func TestServerContextClosesUnderCalls(t *testing.T) {
	app := newApp(t)
	asked, closed := make(chan struct{}, 2), make(chan struct{})
	errs := make(chan error, 2)
	p := amplify.Providers{
		Tokens: tokensFunc(func(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
			asked <- struct{}{}
			<-closed
			return &amplify.Tokens{AccessToken: amplify.NewToken("late", &amplify.Claims{})}, nil
		}),
		Credentials: credentialsFunc(func(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
			asked <- struct{}{}
			<-closed
			return &amplify.Credentials{}, nil
		}),
	}
	_, err := amplify.RunWithServerContext(t.Context(), app, p, func(ctx context.Context) (any, error) {
		sc, err := amplify.FromContext(ctx)
		if err != nil {
			return nil, err
		}
		go func() {
			tokens, err := sc.Tokens(ctx, amplify.TokensInput{})
			if tokens != nil {
				err = errors.New("got tokens")
			}
			errs <- err
		}()
		go func() {
			credentials, err := sc.Credentials(ctx, amplify.CredentialsInput{})
			if credentials != nil {
				err = errors.New("got credentials")
			}
			errs <- err
		}()
		<-asked
		<-asked
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	close(closed)
	for range 2 {
		if err := <-errs; !errors.Is(err, amplify.ErrServerContextClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestServerContextsNest(t *testing.T) {
	app := newApp(t)
	see := func(ctx context.Context, want string) {
		t.Helper()
		if got, err := username(ctx); err != nil || got != want {
			t.Errorf("see %q, %v; want %q", got, err, want)
		}
	}
	outer, closeOuter := amplify.WithServerContext(t.Context(), app, providersFor("outer"))
	inner, closeInner := amplify.WithServerContext(outer, app, providersFor("inner"))
	see(outer, "outer")
	see(inner, "inner")
	closeInner()
	see(outer, "outer")
	if _, err := username(inner); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Errorf("a closed server context falls back to the one around it: %v", err)
	}

	inner, closeInner = amplify.WithServerContext(outer, app, providersFor("inner"))
	defer closeInner()
	closeOuter()
	see(inner, "inner")
	if _, err := username(outer); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Errorf("got %v", err)
	}
}

func TestLifetimeEndsWithTheServerContext(t *testing.T) {
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t), amplify.Providers{})
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before := sc.Lifetime()
	if before.Err() != nil || sc.Lifetime() != before {
		t.Error("it has ended already, or there are two")
	}
	done()
	if cause := context.Cause(before); cause != error(amplify.ErrServerContextClosed) {
		t.Errorf("handed out before it closed: %v", cause)
	}
	if cause := context.Cause(sc.Lifetime()); cause != error(amplify.ErrServerContextClosed) {
		t.Errorf("handed out after it closed: %v", cause)
	}
	done()
}

// keeper is a session keeper whose session can be replaced.
type keeper struct {
	life context.Context
	end  context.CancelCauseFunc
}

func (k *keeper) Lifetime() context.Context { return k.life }

func (k *keeper) Start(context.Context, amplify.IssuedTokens) error {
	if k.end != nil {
		k.end(amplify.Unauthenticated(amplify.ReasonSessionReplaced, nil))
	}
	k.life, k.end = context.WithCancelCause(context.Background())
	return nil
}

func (k *keeper) End(context.Context, amplify.EndInput) error {
	k.end(amplify.Unauthenticated(amplify.ReasonSignedOut, nil))
	return nil
}

func TestLifetimeEndsWithTheSession(t *testing.T) {
	k := &keeper{}
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t), amplify.Providers{Session: k})
	defer done()
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	start := func() context.Context {
		if err := sc.StartSession(ctx, amplify.IssuedTokens{}); err != nil {
			t.Fatal(err)
		}
		life := sc.Lifetime()
		if life.Err() != nil {
			t.Fatalf("the new session has ended: %v", context.Cause(life))
		}
		return life
	}
	first := start()
	second := start()
	if reason := amplify.ReasonOf(context.Cause(first)); reason != amplify.ReasonSessionReplaced {
		t.Errorf("replaced: %v", context.Cause(first))
	}
	if err := sc.EndSession(ctx, amplify.EndInput{}); err != nil {
		t.Fatal(err)
	}
	if cause := context.Cause(second); amplify.ReasonOf(cause) != amplify.ReasonSignedOut || !errors.Is(cause, amplify.ErrUnauthenticated) {
		t.Errorf("ended: %v", cause)
	}
}

func TestSessionWithoutAKeeper(t *testing.T) {
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t), amplify.Providers{})
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	change := func(want amplify.Reason) {
		t.Helper()
		if err := sc.StartSession(ctx, amplify.IssuedTokens{}); amplify.ReasonOf(err) != want {
			t.Errorf("start: %v", err)
		}
		if err := sc.EndSession(ctx, amplify.EndInput{}); amplify.ReasonOf(err) != want {
			t.Errorf("end: %v", err)
		}
	}
	change(amplify.ReasonReadOnly)
	done()
	change(amplify.ReasonContextClosed)
}

func TestNoServerContext(t *testing.T) {
	_, err := username(t.Context())
	var e *amplify.Error
	if !errors.As(err, &e) || e.Name != "NoAmplifyContextError" || e.Reason != amplify.ReasonNoContext || e.RecoverySuggestion == "" {
		t.Errorf("without a server context: %v", err)
	}
	_, err = amplify.RunWithServerContext(t.Context(), nil, amplify.Providers{}, username)
	if amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Errorf("without an App: %v", err)
	}
}

func TestNoProviders(t *testing.T) {
	_, err := amplify.RunWithServerContext(t.Context(), newApp(t), amplify.Providers{}, func(ctx context.Context) (any, error) {
		sc, err := amplify.FromContext(ctx)
		if err != nil {
			return nil, err
		}
		if c, err := sc.Credentials(ctx, amplify.CredentialsInput{}); c != nil || err != nil {
			t.Errorf("credentials %v, %v", c, err)
		}
		return sc.Tokens(ctx, amplify.TokensInput{})
	})
	if !errors.Is(err, amplify.ErrUnauthenticated) || amplify.ReasonOf(err) != amplify.ReasonNoSession {
		t.Errorf("tokens: %v", err)
	}
}

func TestWithServerContextAllocates(t *testing.T) {
	app, p := newApp(t), providersFor("alice")
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		_, done := amplify.WithServerContext(ctx, app, p)
		done()
	}); n > 3 {
		t.Errorf("%v allocations, want 3 at most", n)
	}
}

func BenchmarkWithServerContext(b *testing.B) {
	app, p := newApp(b), providersFor("alice")
	b.ReportAllocs()
	for b.Loop() {
		ctx, done := amplify.WithServerContext(context.Background(), app, p)
		if _, err := amplify.FromContext(ctx); err != nil {
			b.Fatal(err)
		}
		done()
	}
}
