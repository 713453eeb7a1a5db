package amplifyhttp

import (
	"context"
	"iter"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// Access says what an operation may see and change of a request: see [ReadWrite], [ReadOnly] and [Static].
// It corresponds to the nextServerContext of adapter-nextjs. The zero value is a guest's.
type Access struct {
	ctx     context.Context
	writer  http.ResponseWriter
	request *http.Request
}

// ReadWrite acts as the user who sent r, and sets refreshed tokens on w. Within [ServerRunner.Middleware] the two
// may be the handler's own or derived from them. Elsewhere the operation must run before
// anything is written to w.
func ReadWrite(w http.ResponseWriter, r *http.Request) Access {
	return Access{r.Context(), w, r}
}

// ReadOnly acts as the user who sent r, and sets no cookies. An expired session is not refreshed where
// that would lose a refresh token.
func ReadOnly(r *http.Request) Access { return Access{r.Context(), nil, r} }

// Static acts as a guest: for pages that are the same for everybody.
func Static(ctx context.Context) Access { return Access{ctx, nil, nil} }

// RunWithServerContext runs operation with a context that Amplify's APIs accept, and returns what operation
// returns. The context ends with the operation: later use, from any goroutine,
// gets [amplify.ErrServerContextClosed].
//
// It corresponds to runWithAmplifyServerContext of adapter-nextjs. Below [ServerRunner.Middleware] the
// request's own context does as well.
func RunWithServerContext[T any](runner *ServerRunner, access Access, operation func(context.Context) (T, error)) (T, error) {
	if access.ctx == nil {
		access.ctx = context.Background()
	}
	providers := amplify.Providers{Credentials: runner.cognito.GuestCredentialsProvider()}
	if r := access.request; r != nil {
		x := runner.exchangeOf(r)
		switch {
		case x == nil:
			x = runner.newExchange(access.writer, r, false)
			defer func() { x.commit(x.header) }()
			providers = amplify.Providers{Tokens: x, Credentials: x}
		case access.writer == nil:
			providers = x.readOnly()
		default:
			providers = amplify.Providers{Tokens: x, Credentials: x}
		}
	}
	return amplify.RunWithServerContext(access.ctx, runner.app, providers, operation)
}

// readOnly returns sources of the request's tokens and credentials that set no cookies, though the exchange still could.
func (x *exchange) readOnly() amplify.Providers {
	kv := x.sessionStorage()
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.newProviders(readOnly{kv})
}

// readOnly is a storage that cannot be written.
type readOnly struct{ kv *cookie.KeyValueStorage }

func (s readOnly) All(prefix string) iter.Seq2[string, string] { return s.kv.All(prefix) }
func (s readOnly) TooLarge() bool                              { return s.kv.TooLarge() }
func (readOnly) Set(string, string) error                      { return cookie.ErrReadOnly }
func (readOnly) Delete(string) error                           { return cookie.ErrReadOnly }
func (readOnly) Writable() bool                                { return false }
