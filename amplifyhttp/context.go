package amplifyhttp

import (
	"context"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/flow"
)

// Access says what an operation may see and change of a request: see [ReadWrite], [ReadOnly] and
// [Static]. It corresponds to the nextServerContext of adapter-nextjs. The zero value is a guest's.
type Access struct {
	ctx     context.Context
	writer  http.ResponseWriter
	request *http.Request
}

// ReadWrite acts as the user who sent r, and sets refreshed tokens on w. Within
// [ServerRunner.Middleware] the two may be the handler's own or derived from them. Elsewhere the
// operation must run before anything is written to w. The header of w is not touched any more when
// the operation has returned.
func ReadWrite(w http.ResponseWriter, r *http.Request) Access {
	return Access{r.Context(), w, r}
}

// ReadOnly acts as the user who sent r, and sets no cookies. An expired session is not refreshed if
// that would lose a refresh token.
func ReadOnly(r *http.Request) Access { return Access{r.Context(), nil, r} }

// Static acts as a guest: for pages that are the same for all users.
func Static(ctx context.Context) Access { return Access{ctx, nil, nil} }

// RunWithServerContext runs operation with a context that Amplify's APIs accept, and returns what
// operation returns. The context ends with the operation: later use, from any goroutine, gets
// [amplify.ErrServerContextClosed].
//
// It corresponds to runWithAmplifyServerContext of adapter-nextjs. Below [ServerRunner.Middleware]
// the request's own context does as well.
func RunWithServerContext[T any](runner *ServerRunner, access Access, operation func(context.Context) (T, error)) (T, error) {
	if access.ctx == nil {
		access.ctx = context.Background()
	}
	providers, done := runner.providers(access)
	defer done()
	return amplify.RunWithServerContext(access.ctx, runner.App(), providers, operation)
}

// RunAsGuest runs operation with the context of a guest, as [RunWithServerContext] does with
// [Static].
func (s *ServerRunner) RunAsGuest(ctx context.Context, operation func(context.Context) error) error {
	return s.flow.RunAsGuest(ctx, operation)
}

// providers returns the providers for what access allows, and the function to call when the
// operation has ended.
func (s *ServerRunner) providers(access Access) (p amplify.Providers, done func()) {
	r, done := access.request, func() {}
	if r == nil {
		return s.flow.GuestProviders(), done
	}
	x := s.exchangeOf(r)
	switch {
	case x != nil && access.writer == nil:
		return x.ReadOnly(), done
	case x != nil:
	case access.writer == nil:
		x = &flow.Exchange{}
		s.flow.BeginDirect(x, r, nil)
	default:
		x = &flow.Exchange{}
		s.flow.BeginDirect(x, r, access.writer.Header())
		done = func() { x.Commit(access.writer.Header()) }
	}
	return x.Providers(), done
}
