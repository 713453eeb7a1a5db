package static

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
)

// Runner runs an operation with the context of a guest. The ServerRunner of package amplifyhttp is
// one, and so are the runners of other adapters.
type Runner interface {
	RunAsGuest(ctx context.Context, operation func(context.Context) error) error
}

// Options are the settings of [Pages]. The zero value serves a site with some thousands of pages.
type Options struct {
	// MaxBytes is how much memory the variants of pages with Params or Query may take, bookkeeping
	// included. Beyond it those that are read the least are dropped. The default is 64 MiB. A page
	// without Params and Query always stays. No page may be larger than an eighth of MaxBytes.
	MaxBytes int64
	// MaxRenders is how many renders of one page may run at once. The default is 16. Variants that
	// are not in memory get half of them, so that those in memory are always renewed.
	MaxRenders int
	// MaxNewVariants is how many variants of one page that are not in memory may be rendered a
	// minute. Visitors choose the parameters: beyond it they get an error, and what is in memory is
	// served as before. The default is 600. Variants in PageOptions.Prerender do not count.
	MaxNewVariants int
	// RenderTimeout is how long a render may take, its wait for others included. Then its context
	// ends, and it has failed. The default is 10 seconds.
	RenderTimeout time.Duration
	// Store keeps pages outside this process, too. It may be nil.
	Store Store
	// Logger gets renders that fail, and failures of the Store. The default is [slog.Default].
	Logger *slog.Logger
	// Clock tells the time. The default is [time.Now]. If the App has a clock of its own, pass it.
	Clock func() time.Time
}

const (
	defaultMaxBytes       = 64 << 20
	defaultMaxRenders     = 16
	defaultMaxNewVariants = 600
	defaultRenderTimeout  = 10 * time.Second
)

// resolve fills in defaults and returns the faults of o.
func (o *Options) resolve() (faults []*amplify.ConfigError) {
	negative := func(field string, value any, isNegative bool) {
		if isNegative {
			faults = append(faults, &amplify.ConfigError{
				Field: "Options." + field, Value: fmt.Sprint(value),
				Problem: "it must not be negative; zero is the default",
			})
		}
	}
	negative("MaxBytes", o.MaxBytes, o.MaxBytes < 0)
	negative("MaxRenders", o.MaxRenders, o.MaxRenders < 0)
	negative("MaxNewVariants", o.MaxNewVariants, o.MaxNewVariants < 0)
	negative("RenderTimeout", o.RenderTimeout, o.RenderTimeout < 0)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultMaxBytes)
	o.MaxRenders = cmp.Or(o.MaxRenders, defaultMaxRenders)
	o.MaxNewVariants = cmp.Or(o.MaxNewVariants, defaultMaxNewVariants)
	o.RenderTimeout = cmp.Or(o.RenderTimeout, defaultRenderTimeout)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return faults
}

// PageOptions describe one page. Name and Render are needed.
type PageOptions struct {
	// Name tells the page from others: letters, digits, ".", "_" and "-". It is also the tag that
	// all variants of the page have.
	Name string
	// Render makes the page. Its context is a guest's, with the deadline of Options.RenderTimeout.
	// It does not depend on the request that happens to need the page: it has none of its values,
	// and goes on if that client hangs up. The APIs of storage and data act as a guest in it, and
	// those that need a session fail with [amplify.ReasonStaticPage].
	//
	// If it returns an error or panics, the last good page goes on being served. It is called for
	// several variants at once.
	Render func(context.Context, Request) (*Content, error)

	// Revalidate is how long a page is fresh, from the start of its render on: a second at least.
	// The first reader after that gets it once more, and starts the render of the next one. Content
	// may say something else. Zero leaves it to Content.
	Revalidate time.Duration

	// Params are the names of wildcards of the pattern: "slug" for "GET /posts/{slug}". Their
	// values are those of [http.Request.PathValue]. Routers that do not set them can, by
	// [http.Request.SetPathValue].
	Params []string
	// Query are the names of the query parameters that the page depends on. All others are ignored.
	Query []string
	// Prerender are the variants that [Pages.Prerender] renders. [Options.MaxNewVariants] does not
	// count them. A page without Params and Query has one variant, which is always rendered.
	Prerender []Request

	// Failed answers if there is no page to serve. Retry-After and Cache-Control are set, and it
	// may change them. The default is a line of text with status 503.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
}

var names = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// faults returns what is wrong with o.
func (o PageOptions) faults() (faults []*amplify.ConfigError) {
	fault := func(field, value, problem string) {
		faults = append(faults, &amplify.ConfigError{
			Field: "PageOptions." + field, Value: value, Problem: problem,
		})
	}
	if !names.MatchString(o.Name) {
		fault("Name", o.Name, `it must be 1 to 100 letters, digits, ".", "_" and "-"`)
	}
	if o.Render == nil {
		fault("Render", "", "it is missing")
	}
	if o.Revalidate != 0 && o.Revalidate < time.Second {
		fault("Revalidate", o.Revalidate.String(),
			"it must be a second at least, or zero if Content says until when it is good")
	}
	distinct := func(field string, list []string) {
		sorted := slices.Sorted(slices.Values(list))
		if slices.Contains(list, "") || len(slices.Compact(sorted)) < len(list) {
			fault(field, strings.Join(list, ","), "each name must be there once, and not be empty")
		}
	}
	distinct("Params", o.Params)
	distinct("Query", o.Query)
	for _, r := range o.Prerender {
		if !o.fits(r) {
			fault("Prerender", r.text(), "it needs all of Params, and none that is not listed")
		}
	}
	return faults
}

// fits reports whether r has all parameters of the page's path and none that the page ignores.
func (o PageOptions) fits(r Request) bool {
	for _, name := range o.Params {
		if _, ok := r.Params[name]; !ok {
			return false
		}
	}
	for name := range r.Query {
		if !slices.Contains(o.Query, name) {
			return false
		}
	}
	return len(r.Params) == len(o.Params)
}
