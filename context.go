package amplify

import (
	"context"
	"sync"
	"sync/atomic"
)

// ServerContext is what one request, and nobody else, can see: the App, and the
// providers that act as the user who sent it. The APIs of auth, storage and data find it
// in the [context.Context] that they are given.
//
// It lives as long as the operation it was made for. Afterwards every use, from
// any goroutine, gets [ErrServerContextClosed]. A ServerContext is safe for
// concurrent use.
type ServerContext struct {
	app       *App
	providers Providers

	closed  atomic.Bool
	mu      sync.Mutex
	closers []func()
}

// serverContextKey is the key of the ServerContext in a context.Context.
type serverContextKey struct{}

// WithServerContext returns a context that carries a new server context, and the
// function that closes it. Most callers want [RunWithServerContext], which
// cannot forget to; middlewares, which have no single operation, use this.
//
// A server context that ctx already carries is hidden, not joined: closing one of them does
// nothing to the other.
func WithServerContext(ctx context.Context, app *App, p Providers) (context.Context, func()) {
	c := &serverContext{Context: ctx, server: ServerContext{app: app, providers: p}}
	return c, c.server.close
}

// serverContext is a context and the server context that it carries, in one allocation: there is one for each request.
type serverContext struct {
	context.Context
	server ServerContext
}

func (c *serverContext) Value(key any) any {
	if key == (serverContextKey{}) {
		return &c.server
	}
	return c.Context.Value(key)
}

// RunWithServerContext runs operation with a context that carries a server
// context of its own, and returns what operation returns. The server context is
// closed when operation returns, also by a panic.
//
// What operation starts and does not wait for finds the server context closed.
//
// It corresponds to runWithAmplifyServerContext of aws-amplify/adapter-core.
func RunWithServerContext[T any](ctx context.Context, app *App, p Providers, operation func(context.Context) (T, error)) (T, error) {
	ctx, done := WithServerContext(ctx, app, p)
	defer done()
	return operation(ctx)
}

// FromContext returns the server context in ctx. It returns an error with
// [ReasonNoContext] if there is none, and [ErrServerContextClosed] if its
// operation has returned.
func FromContext(ctx context.Context) (*ServerContext, error) {
	sc, ok := ctx.Value(serverContextKey{}).(*ServerContext)
	if !ok {
		return nil, &Error{
			Name:    "NoAmplifyContextError",
			Reason:  ReasonNoContext,
			Message: "The context carries no Amplify server context.",
			RecoverySuggestion: "Call Amplify APIs with the context of a request that passed through the runner's Middleware, " +
				"or inside RunWithServerContext.",
		}
	}
	if err := sc.check(); err != nil {
		return nil, err
	}
	if sc.app == nil {
		return nil, &Error{
			Name:               "AmplifyServerContextError",
			Reason:             ReasonConfiguration,
			Message:            "The server context was made without an App.",
			RecoverySuggestion: "Pass the App that amplify.New returned, and do not go on where it returned an error.",
		}
	}
	return sc, nil
}

// App returns the App that the server context was made for.
func (sc *ServerContext) App() *App { return sc.app }

// Tokens returns the verified tokens of the request's user. Where nobody is
// signed in the error matches [ErrUnauthenticated] and says why.
func (sc *ServerContext) Tokens(ctx context.Context, in TokensInput) (*Tokens, error) {
	if err := sc.check(); err != nil {
		return nil, err
	}
	if sc.providers.Tokens == nil {
		return nil, Unauthenticated(ReasonNoSession, nil)
	}
	t, err := sc.providers.Tokens.Tokens(ctx, in)
	// The answer of a call that was under way when the operation returned
	// belongs to nobody any more.
	if closed := sc.check(); closed != nil {
		return nil, closed
	}
	return t, err
}

// Credentials returns temporary AWS credentials for the request's user or, where
// the identity pool allows guests, for a guest. It returns nil, nil where there are none
// to be had: no identity pool, no guests, or a session without an ID token.
func (sc *ServerContext) Credentials(ctx context.Context, in CredentialsInput) (*Credentials, error) {
	if err := sc.check(); err != nil {
		return nil, err
	}
	if sc.providers.Credentials == nil {
		return nil, nil
	}
	c, err := sc.providers.Credentials.Credentials(ctx, in)
	if closed := sc.check(); closed != nil {
		return nil, closed
	}
	return c, err
}

// OnClose registers f to be called when the server context closes, the last one first. APIs that hand
// out something with a life of its own (an iterator, a body, a credentials
// provider) use it to end that with the request. If the server
// context has been closed already, f is called at once.
func (sc *ServerContext) OnClose(f func()) {
	sc.mu.Lock()
	if !sc.closed.Load() {
		sc.closers = append(sc.closers, f)
		sc.mu.Unlock()
		return
	}
	sc.mu.Unlock()
	f()
}

func (sc *ServerContext) check() error {
	if sc.closed.Load() {
		return ErrServerContextClosed
	}
	return nil
}

func (sc *ServerContext) close() {
	sc.mu.Lock()
	sc.closed.Store(true)
	closers := sc.closers
	sc.closers = nil
	sc.mu.Unlock()
	for _, f := range closers {
		defer f() // all of them, also if one panics
	}
}
