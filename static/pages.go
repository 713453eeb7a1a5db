package static

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/amplify-go/amplify"
)

// Pages keeps the pages of a site. It is made once, and safe for concurrent use.
type Pages struct {
	runner      Runner
	options     Options
	cache       *otter.Cache[key, *kept] // variants of pages that have more than one
	invalidated invalidations
	store       *store // nil without Options.Store

	ctx    context.Context // of all renders
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // renders; begun under mu
	pages   []*Page
}

// New returns Pages that are rendered with the guest contexts of runner. It reports every fault of
// o at once; see [amplify.ConfigErrors].
func New(runner Runner, o Options) (*Pages, error) {
	faults := o.resolve()
	if runner == nil {
		faults = append(faults, &amplify.ConfigError{
			Field: "Runner", Problem: "it is nil: pass the ServerRunner of the application",
		})
	}
	if err := amplify.NewConfigError(faults...); err != nil {
		return nil, err
	}
	cache, err := otter.New(&otter.Options[key, *kept]{
		MaximumWeight: uint64(o.MaxBytes),
		Weigher:       func(_ key, k *kept) uint32 { return uint32(min(k.size(), 1<<32-1)) },
	})
	if err != nil {
		return nil, err
	}
	p := &Pages{runner: runner, options: o, cache: cache}
	if o.Store != nil {
		p.store = newStore(o.Store)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Page adds a page. It reports every fault of o at once; see [amplify.ConfigErrors].
func (p *Pages) Page(o PageOptions) (*Page, error) {
	faults := o.faults()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range p.pages {
		if other.options.Name == o.Name {
			faults = append(faults, &amplify.ConfigError{
				Field: "PageOptions.Name", Value: o.Name, Problem: "another page has this name",
			})
		}
	}
	if err := amplify.NewConfigError(faults...); err != nil {
		return nil, err
	}
	perMinute := p.options.MaxNewVariants
	page := &Page{
		pages: p, options: o,
		single:  len(o.Params) == 0 && len(o.Query) == 0,
		name:    newTag(o.Name),
		listed:  map[key]bool{},
		limiter: rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), perMinute),
		renders: make(chan struct{}, p.options.MaxRenders),
		unknown: make(chan struct{}, (p.options.MaxRenders+1)/2),
		flights: map[key]*flight{},
		failed:  map[key]failure{},
	}
	page.singleKey = key(newTag(page.Tag(Request{})))
	for _, r := range o.Prerender {
		page.listed[page.key(page.normal(r))] = true
	}
	p.pages = append(p.pages, page)
	return page, nil
}

// Invalidate says that what pages with any of the tags show has changed: they are due. Their next
// readers get them once more, and start renders that begin after this call. The tags of a page are
// the Tags of its Content, the Name of its Page, and that of [Page.Tag].
//
// It concerns this process. Others, and CDNs, keep what they have until it is due.
func (p *Pages) Invalidate(tags ...string) {
	hashes := make([]tag, len(tags))
	for i, text := range tags {
		hashes[i] = newTag(text)
	}
	p.invalidated.add(p.now(), hashes...)
}

// Prerender renders the pages without Params and Query, and the variants that PageOptions.Prerender
// lists, unless they are there and fresh, and waits for them until ctx ends. A server may call it
// before it listens, and may go on after an error: pages that failed are rendered again when they
// are asked for. The error joins those of all pages.
func (p *Pages) Prerender(ctx context.Context) error {
	p.mu.Lock()
	pages := p.pages
	p.mu.Unlock()
	var mu sync.Mutex
	var errs []error
	var group errgroup.Group
	group.SetLimit(p.options.MaxRenders)
	for _, page := range pages {
		requests := page.options.Prerender
		if page.single {
			requests = []Request{{}}
		}
		for _, r := range requests {
			group.Go(func() error {
				if err := page.renew(ctx, page.normal(r), 0); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, fmt.Errorf("page %q: %w", page.Tag(r), err))
				}
				return nil
			})
		}
	}
	_ = group.Wait()
	return errors.Join(errs...)
}

// Close ends the renders that are under way, and waits for them until ctx ends. Afterwards pages
// that are in memory are served, and nothing is rendered. Close it before the runner.
func (p *Pages) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	ended := make(chan struct{})
	go func() {
		p.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// now tells the time. It has no monotonic reading: see [amplify.App.Now].
func (p *Pages) now() time.Time { return p.options.Clock().Round(0) }

// begin announces a render, which ends with a call of p.running.Done.
func (p *Pages) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed()
	}
	p.running.Add(1)
	return nil
}

func errClosed() error {
	return &amplify.Error{
		Name: "AmplifyClosedError", Reason: amplify.ReasonConfiguration,
		Message:            "The static pages have been closed.",
		RecoverySuggestion: "Close them after the server has stopped taking requests.",
	}
}
