package amplifyfiber

import (
	"context"

	"github.com/gofiber/fiber/v3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/flow"
)

// Access says what an operation may see and change of a request: see [ReadWrite], [ReadOnly] and
// [Static]. It corresponds to the nextServerContext of adapter-nextjs. The zero value is a guest's.
type Access struct {
	ctx   context.Context
	c     fiber.Ctx
	write bool
}

// ReadWrite acts as the user who sent the request of c, and sets refreshed tokens on its response.
// Elsewhere than below [ServerRunner.Middleware] the response has them when the operation has
// returned.
func ReadWrite(c fiber.Ctx) Access { return Access{c.Context(), c, true} }

// ReadOnly acts as the user who sent the request of c, and sets no cookies. An expired session is
// not refreshed if that would lose a refresh token.
func ReadOnly(c fiber.Ctx) Access { return Access{c.Context(), c, false} }

// Static acts as a guest: for pages that are the same for all users.
func Static(ctx context.Context) Access { return Access{ctx, nil, false} }

// RunWithServerContext runs operation with a context that Amplify's APIs accept, and returns what
// operation returns. The context ends with the operation: later use, from any goroutine, gets
// [amplify.ErrServerContextClosed].
//
// It corresponds to runWithAmplifyServerContext of adapter-nextjs. Below [ServerRunner.Middleware]
// the request's own context does as well.
func RunWithServerContext[T any](
	runner *ServerRunner, access Access, operation func(context.Context) (T, error),
) (T, error) {
	if access.ctx == nil {
		access.ctx = context.Background()
	}
	providers, done := runner.providers(access)
	defer done()
	return amplify.RunWithServerContext(access.ctx, runner.App(), providers, operation)
}

// RunAsGuest runs operation with the context of a guest, as [RunWithServerContext] does with
// [Static].
func (s *ServerRunner) RunAsGuest(
	ctx context.Context, operation func(context.Context) error,
) error {
	return s.flow.RunAsGuest(ctx, operation)
}

// providers returns the providers for what access allows, and the function to call when the
// operation has ended.
func (s *ServerRunner) providers(access Access) (p amplify.Providers, done func()) {
	c, done := access.c, func() {}
	if c == nil {
		return s.flow.GuestProviders(), done
	}
	v, x := s.servingOf(c), &flow.Exchange{}
	switch {
	case v != nil && !access.write:
		return v.exchange.ReadOnly(), done
	case v != nil:
		x = &v.exchange
	case !access.write:
		s.flow.BeginDirect(x, newRequest(c), nil)
	default:
		// The operation's goroutines write to a copy: Fiber's header is for one at a time.
		before, header := lines(&c.Response().Header), lines(&c.Response().Header)
		s.flow.BeginDirect(x, newRequest(c), header)
		done = func() {
			x.Commit(header)
			apply(&c.Response().Header, before, header)
		}
	}
	return x.Providers(), done
}
