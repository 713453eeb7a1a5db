package static

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/loglimit"
)

// Page is a page that is the same for all readers, and the handler that serves it. It is safe for
// concurrent use.
type Page struct {
	pages     *Pages
	options   PageOptions
	single    bool // there is one variant
	singleKey key
	name      tag                  // which all variants have
	only      atomic.Pointer[kept] // of a single page
	listed    map[key]bool         // by PageOptions.Prerender
	limiter   *rate.Limiter        // of variants that are not in memory
	renders   chan struct{}        // has an element for each render that is running
	unknown   chan struct{}        // has one, too, if it is of a variant that is not in memory
	logs      loglimit.Limit

	mu      sync.Mutex
	flights map[key]*flight // one for each variant at most
	failed  map[key]failure // variants whose last render failed
	pruneAt int             // how many of these there may be before old ones are looked for

	// How many flights wait for their turn, those of variants that are not in memory apart.
	queued, queuedUnknown int
}

// load returns what is kept under a key, or nil.
func (p *Page) load(k key) *kept {
	if p.single {
		return p.only.Load()
	}
	page, _ := p.pages.cache.GetIfPresent(k)
	return page
}

// keep keeps a page.
func (p *Page) keep(k key, page *kept) {
	if p.single {
		p.only.Store(page)
		return
	}
	p.pages.cache.Set(k, page)
}

// isFresh reports whether a page may be served without a render of the next one.
func (p *Page) isFresh(k *kept, now time.Time) bool {
	return !k.isDue(now) && !p.pages.invalidated.concern(k)
}

// log logs what went wrong with the page. Visitors can have many variants rendered, and fail.
func (p *Page) log(level slog.Level, message string, args ...any) {
	args = append([]any{"page", p.options.Name}, args...)
	p.logs.Log(context.Background(), p.pages.options.Logger, p.pages.now(), level, message, args...)
}

// ServeHTTP serves the page. It answers GET and HEAD. Requests whose Params and Query have more
// than 4 KiB get status 414.
//
// The response has an ETag, and answers conditional requests and those for a range (RFC 9110, §13
// and §14). Cache-Control lets browsers keep the page and ask each time whether it has changed,
// and lets CDNs serve it until it is due.
//
// A Cache-Control that is in the header of w already stays as it is: that is how middleware keeps a
// page that only some may see out of shared caches. Without one, no cache may keep a response in
// which a middleware has set a cookie.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	wanted := p.request(r)
	if wanted.size() > maxVariant {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "URI Too Long", http.StatusRequestURITooLong)
		return
	}
	page, err := p.get(r.Context(), wanted)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	header := w.Header()
	for name, lines := range page.header {
		header[name] = append([]string(nil), lines...)
	}
	if len(header["Cache-Control"]) == 0 {
		header["Cache-Control"] = []string{p.cacheControl(page, isPersonal(header, r.Header))}
	}
	if page.status == http.StatusOK {
		header["Etag"] = []string{page.etag}
		if isConditional(r.Header) {
			http.ServeContent(w, withOneRange(r), "", time.Time{}, bytes.NewReader(page.body))
			return
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(page.body)))
	w.WriteHeader(page.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.body) // an error means that the reader has left
	}
}

// isConditional reports whether a request wants a part of the page, or the page only if it has
// changed. Others are answered without ServeContent, which copies the body once more.
func isConditional(h http.Header) bool {
	return h["If-None-Match"] != nil || h["If-Match"] != nil || h["Range"] != nil
}

// withOneRange returns r, without its Range if that asks for several: the answer to many small ones
// is many times as long as the page. A server may ignore Range (RFC 9110, §14.2 and §17.15).
func withOneRange(r *http.Request) *http.Request {
	if !strings.Contains(r.Header.Get("Range"), ",") {
		return r
	}
	whole := r.WithContext(r.Context())
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	return whole
}

// isPersonal reports whether a response is for one reader alone: a middleware has set a cookie, or
// the reader has a condition, which fails with status 412 (RFC 9110, §13.1.1). Caches would give
// the next reader the same.
func isPersonal(response, request http.Header) bool {
	return response["Set-Cookie"] != nil || request["If-Match"] != nil
}

// cacheControl says who may keep a page. Shared caches may serve it for what is left of its time
// (s-maxage, RFC 9111 §5.2.2.10), counted from the Date of this response: so it needs no Age. A
// page that is due has no time left.
func (p *Page) cacheControl(k *kept, personal bool) string {
	if personal {
		return "private, no-store"
	}
	now := p.pages.now()
	var left time.Duration
	if p.isFresh(k, now) {
		left = k.due.Sub(now)
	}
	return "public, max-age=0, must-revalidate, s-maxage=" + strconv.Itoa(int(left/time.Second))
}

// fail answers a request for which there is no page.
func (p *Page) fail(w http.ResponseWriter, r *http.Request, err error) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	seconds := 1
	if unavailable, ok := err.(*unavailableError); ok {
		seconds = max(1, int(math.Ceil(unavailable.after.Seconds())))
	}
	header.Set("Retry-After", strconv.Itoa(seconds))
	if p.options.Failed != nil {
		p.options.Failed(w, r, err)
		return
	}
	http.Error(w, "This page is not available at the moment.", http.StatusServiceUnavailable)
}

// Refresh renders a variant of the page and waits for it: a handler that has changed what the page
// shows calls it, so that its user sees the change. The render begins after the call. Readers do
// not wait meanwhile. After a failed render Refresh returns its error until the next may be tried.
//
// It needs all of the page's Params, and takes nothing in Query that the page ignores.
func (p *Page) Refresh(ctx context.Context, r Request) error {
	if !p.options.fits(r) {
		return &amplify.Error{
			Name: "AmplifyStaticPageError", Reason: amplify.ReasonInvalidRequest,
			Message:            fmt.Sprintf("The page has no variant %q.", p.options.Name+r.text()),
			RecoverySuggestion: "Set all of its Params, and only what it lists in Query.",
		}
	}
	r = p.normal(r)
	since := p.pages.invalidated.add(p.pages.now(), tag(p.key(r)))
	return p.renew(ctx, r, since)
}

// renew waits until there is a fresh page of the variant r, whose render has begun after the
// invalidation of that number. Zero is none.
func (p *Page) renew(ctx context.Context, r Request, since uint64) error {
	k := p.key(r)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, page, err := p.next(k, r, true)
		switch {
		case err != nil:
			return err
		case page != nil:
			return nil
		}
		if page, err = f.wait(ctx, f.ended); err != nil || page.after >= since {
			return err
		}
	}
}

// get returns the variant r of the page. It waits only if there is none to be served.
func (p *Page) get(ctx context.Context, r Request) (*kept, error) {
	k, now := p.key(r), p.pages.now()
	page := p.load(k)
	if page != nil && page.hasExpired(now) {
		page = nil
	}
	if page != nil && p.isFresh(page, now) {
		return page, nil
	}
	f, newer, err := p.next(k, r, false)
	switch {
	case newer != nil:
		return newer, nil
	case page != nil:
		return page, nil // whatever becomes of the next one
	case err != nil:
		return nil, err
	}
	page, err = f.wait(ctx, f.available)
	if page != nil && page.hasExpired(p.pages.now()) {
		page, err = f.wait(ctx, f.ended) // what was there has expired meanwhile
	}
	switch {
	case page == nil:
		return nil, err
	case page.hasExpired(p.pages.now()):
		return nil, unavailable("The page has expired.", err, firstBackoff)
	}
	return page, nil
}

// unavailableError says that there is no page, and when it is worth while to ask again.
type unavailableError struct {
	error
	after time.Duration
}

func (e *unavailableError) Unwrap() error { return e.error }

func unavailable(message string, cause error, after time.Duration) error {
	return &unavailableError{&amplify.Error{
		Name: "AmplifyStaticPageError", Reason: amplify.ReasonServiceUnavailable,
		Message: message, Err: cause,
	}, after}
}
