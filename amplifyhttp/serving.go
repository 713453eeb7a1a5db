package amplifyhttp

import (
	"context"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/flow"
)

// serving is a request that is being served: its exchange, the context in which others find it, and
// the writer that completes the header. They are one allocation.
type serving struct {
	runner   *ServerRunner
	request  *http.Request // as handlers get it
	exchange flow.Exchange
	context  servingContext
	writer   responseWriter
}

// servingKey is the key of a runner's serving in a context: runners do not see each other's.
type servingKey struct{ runner *ServerRunner }

// servingContext carries a serving.
type servingContext struct {
	context.Context
	serving *serving
}

func (c *servingContext) Value(key any) any {
	if k, ok := key.(servingKey); ok && k.runner == c.serving.runner {
		return c.serving
	}
	return c.Context.Value(key)
}

// exchangeOf returns the exchange that r belongs to, or nil.
//
// A request that a handler has made up from the context of another one is not that other request,
// unless it has the same credentials.
func (s *ServerRunner) exchangeOf(r *http.Request) *flow.Exchange {
	v, ok := r.Context().Value(servingKey{s}).(*serving)
	if !ok || v.request != r && !v.exchange.Covers(r) {
		return nil
	}
	return &v.exchange
}

// handler handles a request with its exchange.
type handler func(http.ResponseWriter, *http.Request, *flow.Exchange)

// serve calls next with the request's exchange, and with a writer and a context of it. It begins
// the exchange unless an outer handler of the same runner has.
func (s *ServerRunner) serve(w http.ResponseWriter, r *http.Request, next handler) {
	if x := s.exchangeOf(r); x != nil {
		if server, err := amplify.FromContext(r.Context()); err == nil && server.App() != s.App() {
			// Another runner's middleware came in between.
			ctx, done := amplify.WithServerContext(r.Context(), s.App(), x.Providers())
			defer done()
			r = r.WithContext(ctx)
		}
		next(w, r, x)
		return
	}
	v := &serving{runner: s}
	x := &v.exchange
	s.flow.Begin(x, r)
	v.writer = responseWriter{next: w, x: x, ctx: r.Context()}
	v.context = servingContext{r.Context(), v}
	ctx, done := amplify.WithServerContext(&v.context, s.App(), x.Providers())
	v.request = r.WithContext(ctx)
	// Not recovered: panics are left to the server. The answer to one has the cookies, too.
	defer func() {
		done()
		x.Commit(w.Header())
	}()
	next(&v.writer, v.request, x)
}
