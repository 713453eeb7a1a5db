package amplify

import (
	"context"
	"sync"
	"sync/atomic"
)

// ServerContext is what one request, and no other, can see: the App, and the providers that act as
// the user who sent it. The APIs of auth, storage and data find it in the [context.Context] that
// they are given.
//
// It lives as long as the operation it was made for. Afterwards every use, from any goroutine, gets
// [ErrServerContextClosed]. A ServerContext is safe for concurrent use.
type ServerContext struct {
	app       *App
	providers Providers

	closed atomic.Bool

	mu      sync.Mutex
	life    context.Context // see Lifetime; nil until it is asked for
	endLife context.CancelCauseFunc
}

// serverContextKey is the key of the ServerContext in a context.Context.
type serverContextKey struct{}

// WithServerContext returns a context that carries a new server context, and the function that
// closes it. Most callers want [RunWithServerContext], which cannot forget to; middlewares, which
// have no single operation, use this.
//
// A server context that ctx already carries is hidden, not joined: closing one of them does
// nothing to the other.
func WithServerContext(ctx context.Context, app *App, p Providers) (context.Context, func()) {
	c := &serverContext{Context: ctx, server: ServerContext{app: app, providers: p}}
	return c, c.server.close
}

// serverContext is a context and the server context that it carries, in one allocation: there is
// one for each request.
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

// RunWithServerContext runs operation with a context that carries a server context of its own, and
// returns what operation returns. The server context is closed when operation returns, also by a
// panic.
//
// What operation starts and does not wait for finds the server context closed.
//
// It corresponds to runWithAmplifyServerContext of aws-amplify/adapter-core.
func RunWithServerContext[T any](ctx context.Context, app *App, p Providers, operation func(context.Context) (T, error)) (T, error) {
	ctx, done := WithServerContext(ctx, app, p)
	defer done()
	return operation(ctx)
}

// FromContext returns the server context in ctx. It returns an error with [ReasonNoContext] if
// there is none, and [ErrServerContextClosed] if its operation has returned.
func FromContext(ctx context.Context) (*ServerContext, error) {
	sc, ok := ctx.Value(serverContextKey{}).(*ServerContext)
	if !ok {
		return nil, &Error{
			Name:    "NoAmplifyContextError",
			Reason:  ReasonNoContext,
			Message: "The context carries no Amplify server context.",
			RecoverySuggestion: "Call Amplify APIs with the context of a request that passed through the runner's Middleware, " +
				"or inside RunWithServerContext: c.Context() with Fiber, c.Request.Context() with Gin.",
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

// Tokens returns the verified tokens of the request's user. If the request is not signed in, the
// error matches [ErrUnauthenticated] and says why.
func (sc *ServerContext) Tokens(ctx context.Context, in TokensInput) (*Tokens, error) {
	if err := sc.check(); err != nil {
		return nil, err
	}
	if sc.providers.Tokens == nil {
		return nil, Unauthenticated(ReasonNoSession, nil)
	}
	t, err := sc.providers.Tokens.Tokens(ctx, in)
	// The answer of a call that was under way when the operation returned is given to no caller.
	if closed := sc.check(); closed != nil {
		return nil, closed
	}
	return t, err
}

// Credentials returns temporary AWS credentials for the request's user or, where the identity pool
// allows guests, for a guest. It returns nil, nil where there are none to be had: no identity pool,
// no guests, or a session without an ID token.
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

// StartSession makes tokens, which a sign-in has yielded, the session of their user. It verifies
// them first. Afterwards the same request is signed in, and what was handed out for an earlier
// session has ended.
//
// Where the response cannot keep a session (read-only, bearer and static contexts, and once the
// header has been sent) it fails with [ReasonReadOnly].
func (sc *ServerContext) StartSession(ctx context.Context, tokens IssuedTokens) error {
	if err := sc.check(); err != nil {
		return err
	}
	if sc.providers.Session == nil {
		return ReadOnlyError()
	}
	return sc.providers.Session.Start(ctx, tokens)
}

// EndSession signs the request's user out: see [SessionKeeper]. Afterwards the same request is not
// signed in, and what was handed out for the session has ended. The user is signed out even if it
// returns an error, unless that has [ReasonReadOnly]: then nothing has been done.
func (sc *ServerContext) EndSession(ctx context.Context, in EndInput) error {
	if err := sc.check(); err != nil {
		return err
	}
	if sc.providers.Session == nil {
		return ReadOnlyError()
	}
	return sc.providers.Session.End(ctx, in)
}

// Lifetime returns a context for what an API hands out and what outlives the call: an iterator, a
// body, a credentials provider. It is cancelled when the server context closes, and when the
// request's session ends or gives way to another one. [context.Cause] then returns the error to
// report: [ErrServerContextClosed], or one that matches [ErrUnauthenticated].
func (sc *ServerContext) Lifetime() context.Context {
	parent := context.Background()
	if keeper := sc.providers.Session; keeper != nil {
		parent = keeper.Lifetime()
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	closed := sc.closed.Load()
	if sc.life == nil || sc.life.Err() != nil && !closed {
		sc.life, sc.endLife = context.WithCancelCause(parent)
	}
	if closed {
		sc.endLife(ErrServerContextClosed)
	}
	return sc.life
}

func (sc *ServerContext) check() error {
	if sc.closed.Load() {
		return ErrServerContextClosed
	}
	return nil
}

func (sc *ServerContext) close() {
	sc.closed.Store(true)
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.endLife != nil {
		sc.endLife(ErrServerContextClosed)
	}
}
