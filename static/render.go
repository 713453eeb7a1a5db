package static

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/amplify-go/amplify"
)

const (
	// After a failed render the next one waits: twice as long each time.
	firstBackoff = time.Second
	maxBackoff   = time.Minute
	// queueFactor is how many renders of a page may wait, for each that may run.
	queueFactor = 10
	// minPrune is how many failures are remembered before old ones are looked for.
	minPrune = 1000
)

// failure is what is known of a variant whose last render failed.
type failure struct {
	count int
	retry time.Time // when the next one may begin
	err   error
}

// backoff returns how long to wait after that many failures.
func backoff(failures int) time.Duration {
	d := firstBackoff
	for ; failures > 1 && d < maxBackoff; failures-- {
		d *= 2
	}
	return min(d, maxBackoff)
}

// blocks reports whether no render may begin yet. A clock that has been put back makes no wait
// longer.
func (f failure) blocks(now time.Time) bool {
	return now.Before(f.retry) && f.retry.Sub(now) <= maxBackoff
}

// flight is a render under way, for all who need its page.
type flight struct {
	page    *Page
	key     key
	request Request
	unknown bool // the variant is not in memory

	available chan struct{} // closed when there is a result or an error
	ended     chan struct{} // closed when the flight has ended, or failed

	// Guarded by page.mu.
	queue   *int  // counts the flight while it waits for its turn; nil afterwards
	settled bool  // it has succeeded or failed
	result  *kept // may be there before that
	err     error
}

// wait waits for one of the flight's channels, but not longer than ctx, and returns what there is.
func (f *flight) wait(ctx context.Context, done <-chan struct{}) (*kept, error) {
	select {
	case <-done:
		f.page.mu.Lock()
		defer f.page.mu.Unlock()
		return f.result, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// next returns the render that is under way, and begins one if there is none. If another has just
// ended, it returns the fresh page instead. It returns an error if none may begin now. Renders that
// the program asks for do not count as new.
func (p *Page) next(k key, r Request, byProgram bool) (*flight, *kept, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.pages.now()
	inMemory := p.load(k)
	if inMemory != nil && p.isFresh(inMemory, now) {
		return nil, inMemory, nil
	}
	// One that has its page and only stores it is over: that page may be due or expired by now.
	if f := p.flights[k]; f != nil && (!f.settled || f.err != nil) {
		return f, nil, nil
	}
	if last, ok := p.failed[k]; ok && last.blocks(now) {
		return nil, nil,
			unavailable("The page could not be rendered.", last.err, last.retry.Sub(now))
	}
	f := &flight{
		page: p, key: k, request: r.clone(),
		unknown:   inMemory == nil && !p.single && !p.listed[k] && !byProgram,
		available: make(chan struct{}), ended: make(chan struct{}),
	}
	turns := p.renders
	if f.queue = &p.queued; f.unknown {
		turns, f.queue = p.unknown, &p.queuedUnknown
	}
	switch {
	case *f.queue >= queueFactor*cap(turns):
		return nil, nil,
			unavailable("Too many renders of this page are waiting.", nil, firstBackoff)
	case f.unknown && !p.limiter.AllowN(now, 1):
		return nil, nil,
			unavailable("Too many new variants of this page are asked for.", nil, firstBackoff)
	}
	if err := p.pages.begin(); err != nil {
		return nil, nil, err
	}
	*f.queue++
	p.flights[k] = f
	go f.run()
	return f, nil, nil
}

// run obtains the page. It returns when the render has returned, also if its time has long been
// over: until then there is no other render of the same variant.
func (f *flight) run() {
	pages := f.page.pages
	defer pages.running.Done()
	defer f.end()
	ctx, cancel := context.WithTimeout(pages.ctx, pages.options.RenderTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { f.settle(nil, errTooLong) })
	defer stop()

	if stored := f.fromStore(ctx); stored != nil {
		if f.page.isFresh(stored, pages.now()) {
			f.settle(stored, nil)
			return
		}
		f.offer(stored)
	}
	page, err := f.render(ctx)
	f.settle(page, err)
	if err == nil {
		f.toStore(page)
	}
}

var (
	errTooLong   = errors.New("the render took too long")
	errNoReturn  = errors.New("the render ended its goroutine (runtime.Goexit)")
	errNoContent = errors.New("the render returned no content")
)

// render waits for its turn and renders the page.
func (f *flight) render(ctx context.Context) (*kept, error) {
	p := f.page
	turns := []chan struct{}{p.renders}
	if f.unknown {
		turns = []chan struct{}{p.unknown, p.renders}
	}
	for _, turn := range turns {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return nil, errTooLong
		}
	}
	f.leaveQueue()
	after, started := p.pages.invalidated.count.Load(), p.pages.now()
	c, err := f.content(ctx)
	if err != nil {
		return nil, err
	}
	page, err := c.keep(&p.options, started, p.pages.now(), p.pages.options.MaxBytes/8)
	if err != nil {
		return nil, err
	}
	page.after = after
	page.clean.Store(after)
	page.tags = append(page.tags, p.name, tag(f.key))
	return page, nil
}

// content calls Render as a guest.
func (f *flight) content(ctx context.Context) (c *Content, err error) {
	pages := f.page.pages
	defer func() {
		if r := recover(); r != nil {
			f.page.log(slog.LevelError, "amplify: the render of a static page panicked",
				"panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			c, err = nil, errors.New("the render panicked")
		}
	}()
	err = pages.runner.RunAsGuest(ctx, func(ctx context.Context) error {
		guest, err := amplify.FromContext(ctx)
		if err != nil {
			return err
		}
		c, err = amplify.RunWithServerContext(ctx, guest.App(),
			amplify.Providers{Tokens: noSession{}, Credentials: guest},
			func(ctx context.Context) (*Content, error) {
				return f.page.options.Render(ctx, f.request)
			})
		return err
	})
	if err == nil && c == nil {
		err = errNoContent
	}
	return c, err
}

// noSession is the token provider of renders: it tells those who ask for a session why there is
// none.
type noSession struct{}

// Tokens implements [amplify.TokenProvider].
func (noSession) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	e := amplify.Unauthenticated(amplify.ReasonStaticPage, nil)
	e.Message = "A static page is the same for all readers: its render has no user and no session."
	e.RecoverySuggestion = "Render what depends on the user in a handler of its own, with the " +
		"context of the request."
	return nil, e
}

// offer makes page what is served until the flight has a better one.
func (f *flight) offer(page *kept) {
	p := f.page
	p.mu.Lock()
	defer p.mu.Unlock()
	current := p.load(f.key)
	if f.settled || current != nil && !current.hasExpired(p.pages.now()) {
		return
	}
	p.keep(f.key, page)
	f.result = page
	close(f.available)
}

// settle says how the flight came out. The first call counts.
func (f *flight) settle(page *kept, err error) {
	p := f.page
	failures, served := f.outcome(page, err)
	if failures > 0 { // logged when nobody waits for it
		p.log(slog.LevelWarn, "amplify: a static page could not be rendered",
			"error", err, "failures", failures, "served", served)
	}
}

// outcome notes how the flight came out, unless it is known. After a failure it returns how many
// there have been, and whether there is a page nevertheless.
func (f *flight) outcome(page *kept, err error) (failures int, served bool) {
	p := f.page
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.settled {
		return 0, false
	}
	f.settled = true
	switch {
	case err == nil:
		f.result = page
		p.keep(f.key, page)
		delete(p.failed, f.key)
	case p.pages.ctx.Err() != nil:
		f.err = errClosed()
	default:
		failures, served = p.note(f.key, err).count, p.load(f.key) != nil
		f.err = unavailable("The page could not be rendered.", err, backoff(failures))
	}
	if !isClosed(f.available) {
		close(f.available)
	}
	if err != nil {
		close(f.ended)
	}
	return failures, served
}

// end ends the flight.
func (f *flight) end() {
	f.settle(nil, errNoReturn) // unless it has settled
	f.leaveQueue()
	p := f.page
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flights[f.key] == f {
		delete(p.flights, f.key)
	}
	if !isClosed(f.ended) {
		close(f.ended)
	}
}

// leaveQueue says that the flight does not wait for its turn any more.
func (f *flight) leaveQueue() {
	f.page.mu.Lock()
	defer f.page.mu.Unlock()
	if f.queue != nil {
		*f.queue--
		f.queue = nil
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// note notes that a render has failed. p.mu is held.
func (p *Page) note(k key, err error) failure {
	now := p.pages.now()
	last := p.failed[k]
	last.count++
	last.err, last.retry = err, now.Add(backoff(last.count))
	if len(p.failed) >= p.pruneAt {
		// New variants come at a bounded rate, and those in memory are bounded, so that few are
		// left.
		for k, f := range p.failed {
			if now.Sub(f.retry) > maxBackoff {
				delete(p.failed, k)
			}
		}
		p.pruneAt = max(minPrune, 2*len(p.failed))
	}
	p.failed[k] = last
	return last
}
