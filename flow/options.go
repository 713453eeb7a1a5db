package flow

import (
	"fmt"
	"html/template"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
)

// originVariable is the environment variable of adapter-nextjs with the origin.
const originVariable = "AMPLIFY_APP_ORIGIN"

// Options are the settings of a runner. The zero value reads sessions that Amplify JS keeps in the
// browser (ssr: true) on AWS.
type Options struct {
	// Origin is where browsers reach the application, such as "https://myapp.com". It turns on
	// signing in on the server. The default is the environment variable AMPLIFY_APP_ORIGIN.
	Origin string
	// BasePath is the part of the application's path that a proxy takes off, so that it never
	// reaches this process, such as "/app": https://myapp.com/app/notes arrives as /notes. It
	// begins with a slash and does not end in one. See "Prefixes" in the package documentation.
	BasePath string
	// Cookies are the attributes of the cookies that hold a session.
	Cookies CookieOptions
	// Bearer accepts the access token of an Authorization: Bearer header in place of cookies, for
	// callers that are services, mobile or single-page applications. Such a session has no ID token
	// and is never refreshed. A request with that header is judged by it alone.
	Bearer bool
	// PageTemplate renders the small pages of this library in place of its own: that a user has
	// signed in or out or could not, those of guards, and some more. Its data is a [Page]. It must
	// not be changed afterwards.
	//
	// The pages load nothing from other sites, and no form of theirs can be sent: a
	// Content-Security-Policy says so. Styles and scripts come from the application's own origin,
	// or are elements with the nonce of the page.
	PageTemplate *template.Template
	// App says how AWS is reached.
	App amplify.Options
	// Cognito holds the rules of sessions.
	Cognito cognito.Options
}

// CookieOptions are the attributes of the session's cookies that may be chosen, those of
// runtimeOptions.cookies in adapter-nextjs. Path is always "/". HttpOnly follows from
// the origin, and so does Secure unless Insecure is set.
type CookieOptions struct {
	// Domain makes the session visible to a domain and all below it, such as
	// ".myapp.com". The default is the application's host alone. Any host below the
	// domain can then overwrite the cookies.
	Domain string
	// SameSite is [http.SameSiteStrictMode] if zero and an origin is configured, else
	// [http.SameSiteLaxMode].
	SameSite http.SameSite
	// MaxAge is how long browsers keep the cookies. If it and Expires are zero it is 365 days.
	MaxAge time.Duration
	// Expires is until when browsers keep the cookies. MaxAge wins over it.
	Expires time.Time
	// Insecure leaves Secure off on the developer's own machine: Safari refuses Secure cookies on
	// http://localhost. The host of the origin must be localhost or 127.0.0.1. Without an origin,
	// where Amplify JS signs users in, it counts for the requests that come by plain http under a
	// loopback name (localhost, 127.0.0.1, [::1]), and no others.
	Insecure bool
}

// resolve fills in defaults and returns the faults of o, those of App and Cognito apart.
func (o Options) resolve() (own origin, c cookie.Options, faults []*amplify.ConfigError) {
	source := ""
	if o.Origin == "" {
		o.Origin, source = os.Getenv(originVariable), originVariable
	}
	if o.Origin != "" {
		var fault *amplify.ConfigError
		if own, fault = parseOrigin(o.Origin); fault != nil {
			fault.Source = source
			faults = append(faults, fault)
		}
	}
	if o.BasePath != "" && !isPrefix(o.BasePath) {
		faults = append(faults, &amplify.ConfigError{
			Field: "Options.BasePath", Value: o.BasePath,
			Problem: `is not a clean path: begin with a slash and end without one, as in "/app"`,
		})
	}
	c = cookie.Options{
		Domain:   o.Cookies.Domain,
		SameSite: o.Cookies.SameSite,
		MaxAge:   o.Cookies.MaxAge,
		Expires:  o.Cookies.Expires,
	}
	if own != "" {
		c.HTTPOnly = true
		c.SessionOnly = true
		c.Insecure = !own.secure() || o.Cookies.Insecure
		if o.Cookies.Insecure && !isLoopback(own.host()) {
			faults = append(faults, &amplify.ConfigError{
				Field: "Options.Cookies.Insecure", Value: "true",
				Problem: fmt.Sprintf("is for localhost and 127.0.0.1 alone, and the origin is %s: leave it off", own),
			})
		}
		if c.SameSite == 0 {
			c.SameSite = http.SameSiteStrictMode
		}
		if strings.TrimPrefix(c.Domain, ".") != "" && !covers(c.Domain, own.host()) {
			// RFC 6265bis §5.7 step 10: browsers would ignore every cookie.
			faults = append(faults, &amplify.ConfigError{
				Field: "Options.Cookies.Domain", Value: c.Domain,
				Problem: fmt.Sprintf("does not cover the host of the origin %s: give the domain that the host ends in, or none", own),
			})
		}
	}
	loosest := c // what a request may get
	loosest.Insecure = c.Insecure || o.Cookies.Insecure
	return own, c, append(faults, faultsOf("Options.Cookies", loosest.Validate())...)
}

// covers reports whether cookies with that Domain attribute reach a host.
func covers(domain, host string) bool {
	d := strings.TrimPrefix(domain, ".")
	return d != "" && (host == d || strings.HasSuffix(host, "."+d))
}

// faultsOf returns the faults that err reports. Those that are no [amplify.ConfigError] become one
// of the setting called field.
func faultsOf(field string, err error) (faults []*amplify.ConfigError) {
	if err == nil {
		return nil
	}
	if found := amplify.ConfigErrors(err); len(found) > 0 {
		return found
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			faults = append(faults, faultsOf(field, err)...)
		}
		return faults
	}
	return []*amplify.ConfigError{{Field: field, Problem: err.Error()}}
}
