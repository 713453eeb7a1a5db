package flow

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
)

// How long the hooks of an application may take.
const (
	afterSignInTimeout   = 10 * time.Second
	beforeSignOutTimeout = 5 * time.Second
)

// errNotAccepted is what all requests get of a sign-in that AfterSignIn has refused.
var errNotAccepted = errors.New("AfterSignIn has refused the sign-in")

// accept returns what decides whether a sign-in goes on: the application's AfterSignIn, called with
// values, which is the context of the first request that brings the code. It is nil without a hook.
//
// The new session begins in an exchange of its own, which no browser sees: the hook runs before the
// user has any cookie, and the session ends without a trace if it fails.
func (a *Routes) accept(values context.Context) func(context.Context, amplify.IssuedTokens) error {
	hook := a.options.AfterSignIn
	if hook == nil {
		return nil
	}
	values = context.WithoutCancel(values) // a reload must not fail the sign-in that it waits for
	return func(flight context.Context, tokens amplify.IssuedTokens) error {
		var x Exchange
		a.runner.Begin(&x, &http.Request{})
		if err := x.Start(flight, tokens); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(values, afterSignInTimeout)
		defer cancel()
		defer context.AfterFunc(flight, cancel)()
		providers := x.Providers()
		providers.Session = nil // if the hook began another session, that one would be ended below
		err := a.runner.call(ctx, hook, providers)
		if err == nil {
			return nil
		}
		a.runner.log(values, slog.LevelError, "AfterSignIn failed: the user is not signed in",
			"error", err)
		if err := x.End(values, amplify.EndInput{}); err != nil {
			a.runner.log(values, slog.LevelWarn, "session ended without telling Cognito", "error", err)
		}
		return errNotAccepted
	}
}

// beforeSignOut calls the application's BeforeSignOut, unless another request of the same session
// does: then it waits for that. The caller ends the session, and then calls left.
func (a *Routes) beforeSignOut(ctx context.Context, x *Exchange) (left func()) {
	left = func() {}
	if a.options.BeforeSignOut == nil || x.providers().Session == nil || !x.cookies.Writable() {
		return left
	}
	limited, cancel := context.WithTimeout(ctx, beforeSignOutTimeout)
	defer cancel()
	tokens, err := x.Tokens(limited, amplify.TokensInput{})
	if err != nil {
		if !errors.Is(err, amplify.ErrUnauthenticated) {
			a.runner.log(ctx, slog.LevelWarn, "BeforeSignOut not called: session not read",
				"error", err)
		}
		return left
	}
	key := sha256.Sum256([]byte(tokens.AccessToken.Reveal()))
	called, first := a.departures.begin(key)
	if !first {
		select {
		case <-called:
		case <-limited.Done():
		}
		return left
	}
	left = func() { a.departures.end(key) }
	defer close(called)
	providers := x.ReadOnly() // these see it if another request has just ended the session
	if _, err := providers.Tokens.Tokens(limited, amplify.TokensInput{}); err != nil {
		return left
	}
	if err := a.runner.call(limited, a.options.BeforeSignOut, providers); err != nil {
		a.runner.log(ctx, slog.LevelError, "BeforeSignOut failed: the user is signed out all the same",
			"error", err)
	}
	return left
}

// departures are the sessions that are about to end, by the SHA-256 of their access tokens. The
// zero value is ready for use.
type departures struct {
	mu    sync.Mutex
	calls map[[sha256.Size]byte]chan struct{} // closed when the hook has been called
}

// begin returns the channel of a session, and whether the caller is the first to ask for it.
func (d *departures) begin(key [sha256.Size]byte) (called chan struct{}, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if called, ok := d.calls[key]; ok {
		return called, false
	}
	if d.calls == nil {
		d.calls = map[[sha256.Size]byte]chan struct{}{}
	}
	d.calls[key] = make(chan struct{})
	return d.calls[key], true
}

func (d *departures) end(key [sha256.Size]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.calls, key)
}

// call calls a hook in a server context of its own, and waits for it as long as ctx allows. A hook
// that goes on then finds the server context closed. A panic becomes an error.
func (r *Runner) call(ctx context.Context, hook func(context.Context) error, p amplify.Providers) error {
	ctx, done := amplify.WithServerContext(ctx, r.app, p)
	defer done()
	returned := make(chan error, 1)
	go func() {
		err := errors.New("the hook has ended its goroutine")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
			returned <- err
		}()
		err = hook(ctx)
	}()
	select {
	case err := <-returned:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
