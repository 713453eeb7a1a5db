package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
)

// Input is what to examine beside the configuration.
type Input struct {
	// Options are those that the application gives to [amplifyhttp.NewServerRunner].
	Options amplifyhttp.Options
	// Requests are those whose sessions are judged: by their Cookie lines or, with Options.Bearer,
	// by their Authorization header. Without any only the configuration is examined.
	Requests []*http.Request
	// URL is an address of the running application. It is asked what it answers to the session of
	// the first of the Requests, by GET. A session that is due for a refresh is not sent there,
	// since its refresh token may be good for one use only.
	URL string
	// Guest asks the identity pool for a guest's credentials. That makes an identity in it, which
	// stays.
	Guest bool
	// Offline asks nothing of the network. Tokens can then be verified only by
	// Options.Cognito.Keys.
	Offline bool
}

const (
	// requestTimeout bounds what is asked of one host, and timeout all of it.
	requestTimeout = 10 * time.Second
	timeout        = time.Minute
)

// Examine examines the configuration and, as far as they are given, the session of a request and a
// running application. It takes up to a minute where hosts do not answer, and ends early with ctx.
//
// It changes nothing: no token is refreshed and, unless in.Guest asks for it, no identity made.
func Examine(ctx context.Context, cfg amplify.Config, in Input) *Report {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if in.Options.Origin == "" {
		in.Options.Origin = os.Getenv("AMPLIFY_APP_ORIGIN")
	}
	e := &examination{report: &Report{Findings: []Finding{}}, cfg: cfg, in: in}
	e.useClient()
	e.in.Options.App.Logger = slog.New(slog.DiscardHandler) // findings say it all

	runner, err := amplifyhttp.NewServerRunner(cfg, e.in.Options)
	if err != nil {
		e.fault("configuration", Problem, err)
		return e.report
	}
	defer runner.Close(context.WithoutCancel(ctx))
	e.app = runner.App()
	c := runner.Client()

	e.settings(runner)
	e.bucketRules()
	if !in.Offline {
		e.services(ctx, c)
		e.buckets(ctx)
	}
	for i, r := range in.Requests {
		e.request = r
		if len(in.Requests) > 1 {
			e.about = e.show(strings.Join(strings.Fields(r.Method+" "+address(r)), " "))
		}
		e.cookies()
		refreshDue := e.session(ctx, c)
		if i == 0 {
			e.refreshDue = refreshDue
		}
	}
	e.about = ""
	if in.URL != "" && !in.Offline {
		e.application(ctx)
	}
	return e.report
}

// examination is one examination under way.
type examination struct {
	report *Report
	cfg    amplify.Config
	in     Input
	client *http.Client
	dates  *dates
	app    *amplify.App
	routes http.Handler // those that the application could mount, or nil

	request       *http.Request // whose session is examined
	about         string        // what findings say about that
	clientUnknown bool          // Cognito does not know the app client
	refreshDue    bool          // the first session is not to be sent anywhere
}

// address returns where a request goes, without the query, which may hold secrets.
func address(r *http.Request) string {
	host := cmp.Or(r.URL.Host, r.Host)
	if r.URL.Scheme != "" {
		host = r.URL.Scheme + "://" + host
	}
	return host + r.URL.EscapedPath()
}

var errOffline = errors.New("nothing is asked of the network")

// useClient makes the client of the options one that follows no redirects, waits for a bounded time
// and notes what the clocks of others say; or one that refuses everything.
func (e *examination) useClient() {
	client := &http.Client{}
	if given := e.in.Options.App.HTTPClient; given != nil {
		*client = *given
	}
	client.Jar = nil
	client.Timeout = requestTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	now := e.in.Options.App.Clock
	if now == nil {
		now = time.Now
	}
	e.dates = &dates{next: client.Transport, now: now}
	if e.dates.next == nil {
		e.dates.next = http.DefaultTransport
	}
	client.Transport = e.dates
	if e.in.Offline {
		client.Transport = offline{}
	}
	e.client, e.in.Options.App.HTTPClient = client, client
}

type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errOffline }

func (e *examination) add(f Finding) {
	f.Request = e.about
	e.report.Findings = append(e.report.Findings, f)
}

func (e *examination) ok(check, format string, a ...any) {
	e.add(Finding{Check: check, Status: OK, Message: fmt.Sprintf(format, a...)})
}

func (e *examination) warn(check, advice, format string, a ...any) {
	e.add(Finding{Check: check, Status: Warning, Message: fmt.Sprintf(format, a...), Advice: advice})
}

func (e *examination) problem(check, advice, format string, a ...any) {
	e.add(Finding{Check: check, Status: Problem, Message: fmt.Sprintf(format, a...), Advice: advice})
}

// fault adds a finding about an error of this library, or several where err joins several.
func (e *examination) fault(check string, status Status, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			e.fault(check, status, err)
		}
		return
	}
	f := Finding{Check: check, Status: status, Message: err.Error(), Reason: amplify.ReasonOf(err)}
	if own := (*amplify.Error)(nil); errors.As(err, &own) {
		f.Message, f.Advice = own.Message, own.RecoverySuggestion
		if all := amplify.ConfigErrors(err); len(all) > 0 {
			for _, c := range all {
				f.Message = c.Error()
				e.add(f)
			}
			return
		}
		if own.Err != nil {
			f.Message += " " + strings.ReplaceAll(own.Err.Error(), "\n", "; ")
		}
	}
	e.add(f)
}
