package doctor

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
)

// services examines what the application needs of AWS.
func (e *examination) services(ctx context.Context, c *cognito.Client) {
	auth := e.cfg.Auth
	if auth == nil {
		return
	}
	if auth.UserPoolID != "" {
		e.keys(ctx, c)
		e.clock()
		e.appClient(ctx)
	}
	switch {
	case auth.OAuth == nil:
	case auth.OAuth.Domain == "":
		e.problem("managed-login", "Give the user pool a domain, and generate the outputs again; or leave oauth out.", "The configuration has oauth without a domain.")
	default:
		e.managedLogin(ctx)
	}
	e.identityPool(ctx)
	e.guest(ctx, c)
}

// keys examines whether the keys of the user pool can be had.
func (e *examination) keys(ctx context.Context, c *cognito.Client) {
	status := Problem
	if o := e.in.Options.Cognito; len(o.Keys) > 0 {
		// Those given would answer in place of the user pool.
		o.Keys = nil
		fresh, err := cognito.New(e.app, o)
		if err != nil {
			e.fault("keys", Problem, err)
			return
		}
		defer fresh.Close(context.WithoutCancel(ctx))
		c, status = fresh, Warning
	}
	if err := c.WarmUp(ctx); err != nil {
		advice := "Check that this machine reaches the internet, and that the user pool exists."
		if own := (*amplify.Error)(nil); errors.As(err, &own) && own.Err != nil {
			err = own.Err
		}
		e.add(Finding{Check: "keys", Status: status, Reason: amplify.ReasonKeysUnavailable, Advice: advice,
			Message: "The keys that tokens are verified by cannot be fetched: " + e.describe(err) + "."})
		return
	}
	e.ok("keys", "The user pool publishes the keys that tokens are verified by.")
}

const (
	// clockTolerance is more than answers travel.
	clockTolerance = 10 * time.Second
	// clockLimit is when AWS refuses signed requests
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html).
	clockLimit = 5 * time.Minute
)

// clock compares the clock with the one of the host that publishes the keys.
func (e *examination) clock() {
	skew, known := e.dates.skew()
	if !known {
		return
	}
	direction := "behind"
	if skew < 0 {
		direction = "ahead of"
	}
	const advice = "Let the clock be set by NTP."
	switch size := skew.Abs(); {
	case size >= clockLimit:
		e.problem("clock", advice, "This machine's clock is %s %s Cognito's: AWS refuses signed requests, and tokens expire at the wrong time.", span(size), direction)
	case size >= clockTolerance:
		e.warn("clock", advice, "This machine's clock is %s %s Cognito's: tokens expire at the wrong time.", span(size), direction)
	default:
		e.ok("clock", "This machine's clock agrees with Cognito's.")
	}
}

// get asks for a page. The body may be read up to 64 KiB.
func (e *examination) get(ctx context.Context, address string, h http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if h != nil {
		r.Header = h
	}
	r.Header.Set("User-Agent", "amplify-go-doctor")
	response, err := e.client.Do(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, 64<<10), response.Body}
	return response, nil
}

// describe says in a few words why a host did not answer. Addresses are left out, since queries may
// hold secrets, and so are answers that repeat what they were sent.
func (e *examination) describe(err error) string {
	var (
		dns       *net.DNSError
		addressed *url.Error
	)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the name " + dns.Name + " does not exist in DNS"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &addressed) && addressed.Timeout():
		return "there is no answer in time"
	case errors.As(err, &addressed):
		err = addressed.Err
	}
	return e.show(err.Error())
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

// dates is a transport that notes what time it is for those who answer.
type dates struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	ahead time.Duration
	known bool
}

func (d *dates) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := d.next.RoundTrip(r)
	if err != nil || response.Header.Get("Age") != "" { // then the date is that of a cache's copy
		return response, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ahead, d.known = date.Sub(d.now()), true
	}
	return response, nil
}

// skew returns how far the others' clock is ahead.
func (d *dates) skew() (ahead time.Duration, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ahead, d.known
}

// span writes a duration for people: in its largest units.
func span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return plural(int(d.Seconds()), "second")
	case d < 2*time.Hour:
		return plural(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour")
	}
	return plural(int(d.Hours()/24), "day")
}
