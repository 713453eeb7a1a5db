package amplifyfiber

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/gofiber/fiber/v3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/flow"
)

// serving is a request that is being served. It holds nothing of Fiber's: all that it has of the
// request is copied, since fasthttp uses its memory for the next one.
type serving struct {
	runner   *ServerRunner
	exchange flow.Exchange
	request  *http.Request
	context  context.Context // c.Context() of the handlers that follow

	mu     sync.Mutex // a handler that has run out of time may begin contexts while they are closed
	closed bool
	done   []func() // close the server contexts
}

// servingKey is the key of a runner's serving among the values of a request: runners do not see
// each other's. It is not kept in c.Context(), which handlers may replace.
type servingKey struct{ runner *ServerRunner }

// servingOf returns the serving that c belongs to, or nil.
func (s *ServerRunner) servingOf(c fiber.Ctx) *serving {
	v, _ := c.RequestCtx().UserValue(servingKey{s}).(*serving)
	return v
}

// exchangeOf returns the exchange that c belongs to, or else one that sets no cookies.
func (s *ServerRunner) exchangeOf(c fiber.Ctx) *flow.Exchange {
	if v := s.servingOf(c); v != nil {
		return &v.exchange
	}
	x := &flow.Exchange{}
	s.flow.BeginDirect(x, newRequest(c), nil)
	return x
}

// serve calls next with the exchange of c, whose request is r at the moment, and completes the
// header of the response afterwards. It begins the serving unless an earlier handler of the same
// runner has.
func (s *ServerRunner) serve(c fiber.Ctx, r *http.Request, next func(*flow.Exchange) error) error {
	if v := s.servingOf(c); v != nil {
		v.restore(c)
		return next(&v.exchange)
	}
	v := s.begin(c, r)
	// Not recovered: panics are left to Fiber's middleware. The answer to one has the cookies, too.
	defer v.commit(c)
	return next(&v.exchange)
}

// begin begins the serving of c.
func (s *ServerRunner) begin(c fiber.Ctx, r *http.Request) *serving {
	s.readBuffer.Do(func() { s.checkReadBuffer(c) })
	v := &serving{runner: s, request: r}
	s.flow.Begin(&v.exchange, r)
	if h := &c.Response().Header; len(h.Peek(fiber.HeaderCacheControl)) == 0 { // most requests
		marked := http.Header{}
		v.exchange.Mark(marked)
		apply(h, nil, marked)
	}
	v.context = v.serverContext(c)
	c.SetContext(v.context)
	// fasthttp closes the values of a request when it has sent the response, or failed to.
	c.RequestCtx().SetUserValue(servingKey{s}, v)
	return v
}

// restore gives c a server context of v if another runner's handler came in between.
func (v *serving) restore(c fiber.Ctx) {
	server, err := amplify.FromContext(c.Context())
	if err == nil && server.App() == v.runner.App() {
		return
	}
	c.SetContext(v.serverContext(c))
}

// serverContext returns c.Context() with a server context, which is closed with v.
func (v *serving) serverContext(c fiber.Ctx) context.Context {
	ctx, done := amplify.WithServerContext(c.Context(), v.runner.App(), v.exchange.Providers())
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		done()
	} else {
		v.done = append(v.done, done)
	}
	return ctx
}

// commit completes the header of the response. From then on the server context sets no cookies.
func (v *serving) commit(c fiber.Ctx) {
	ctx := c.RequestCtx()
	timedOut := ctx.LastTimeoutErrorResponse()
	switch {
	case timedOut == nil:
		edit(&ctx.Response.Header, v.exchange.Commit)
		return
	case c.IsAbandoned() && v.context.Err() == nil:
		// A handler behind this one has run out of time and goes on. It may be writing to the
		// response, of which a copy is sent.
		edit(&timedOut.Header, v.exchange.Commit)
	default:
		// It is this handler that has, and the copy is being sent.
		v.exchange.Commit(http.Header{})
	}
	_ = v.Close() // what belongs to the request is never closed by fasthttp
}

// Close closes the server contexts. It implements [io.Closer] for fasthttp.
func (v *serving) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	for _, done := range v.done {
		done()
	}
	v.done = nil
	return nil
}

// current returns the request of c as it is now: handlers may have changed its method, its path and
// its context.
func (s *ServerRunner) current(c fiber.Ctx) *http.Request {
	v := s.servingOf(c)
	if v == nil {
		return newRequest(c)
	}
	ctx, uri := c.Context(), c.Request().URI()
	if ctx == v.context && c.Method() == v.request.Method && isPathOf(v.request.URL, uri) {
		return v.request
	}
	r := v.request.WithContext(ctx)
	r.Method, r.URL = c.Method(), &url.URL{}
	setURL(r.URL, uri)
	return r
}
