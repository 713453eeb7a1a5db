package cookie

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Options are the attributes of the cookies that are written. The zero value is the default of
// Amplify's server adapters: Path=/; SameSite=Lax; Secure; Max-Age=31536000.
type Options struct {
	// Domain makes the cookies visible to a domain and to all hosts below it, for instance
	// ".myapp.com". If it is empty, only the host of the request sees them.
	Domain string
	// Path is "/" if empty. Amplify JS uses "/".
	Path string
	// SameSite is [http.SameSiteLaxMode] if zero.
	SameSite http.SameSite
	// Insecure leaves Secure out, so that the cookies are sent over plain http too. It is for
	// development on hosts other than localhost.
	Insecure bool
	// HTTPOnly hides the cookies from scripts. Amplify JS in the browser then does not see the
	// session.
	HTTPOnly bool
	// MaxAge is how long the browser keeps the cookies, at least a second. If both MaxAge and
	// Expires are zero it is 365 days. If only MaxAge is zero the attribute is left out. Browsers
	// cut it to 400 days (RFC 6265bis §5.5).
	MaxAge time.Duration
	// Expires is when the browser drops the cookies. Browsers ignore it if MaxAge is set, too.
	Expires time.Time
	// SessionOnly writes nothing but the keys of a session: LastAuthUser, accessToken, idToken
	// and refreshToken. Setting any other key does nothing. Amplify's adapters do the same where
	// only the server signs users in.
	SessionOnly bool
}

// defaultMaxAge is the MaxAge of Amplify's adapters.
const defaultMaxAge = 365 * 24 * time.Hour

// Validate reports all faults of the options at once. Each is an [*OptionError]; they are joined by
// [errors.Join].
func (o Options) Validate() error {
	var errs []error
	fault := func(field string, value any, problem string) {
		errs = append(errs, &OptionError{Field: field, Value: fmt.Sprint(value), Problem: problem})
	}
	// net/http leaves out an attribute that it finds invalid. The cookie would then have another
	// scope than the one that was configured.
	if (&http.Cookie{Name: "n", Domain: o.Domain}).Valid() != nil {
		fault("Domain", o.Domain,
			"not a host name: write it like \".myapp.com\", without scheme and port")
	}
	if (&http.Cookie{Name: "n", Path: o.Path}).Valid() != nil || o.Path != "" && o.Path[0] != '/' {
		fault("Path", o.Path,
			"not a path: begin with \"/\", and use neither \";\" nor control characters")
	}
	switch {
	case o.SameSite < 0 || o.SameSite > http.SameSiteNoneMode:
		fault("SameSite", int(o.SameSite), "none of the constants of net/http")
	case o.SameSite == http.SameSiteNoneMode && o.Insecure: // RFC 6265bis §5.7
		fault("SameSite", "None", "browsers refuse SameSite=None cookies without Secure: "+
			"leave Insecure off, or choose another SameSite")
	}
	if o.MaxAge != 0 && o.MaxAge < time.Second {
		fault("MaxAge", o.MaxAge, "less than a second: leave it zero for the default of 365 days")
	}
	if !o.Expires.IsZero() && o.Expires.Year() < 1601 { // RFC 6265bis §5.6.1
		fault("Expires", o.Expires.Format(time.RFC3339),
			"before 1601, the first year that a cookie can name")
	}
	return errors.Join(errs...)
}

// cookie returns a cookie with these attributes.
func (o Options) cookie(name, value string) *http.Cookie {
	c := &http.Cookie{
		Name:     name,
		Value:    value,
		Domain:   o.Domain,
		Path:     o.Path,
		Expires:  o.Expires,
		MaxAge:   int(o.MaxAge / time.Second),
		SameSite: o.SameSite,
		Secure:   !o.Insecure,
		HttpOnly: o.HTTPOnly,
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if o.MaxAge == 0 && o.Expires.IsZero() {
		c.MaxAge = int(defaultMaxAge / time.Second)
	}
	return c
}

// deletion returns the cookie that deletes one with these attributes. A cookie is replaced only by
// one with the same name, Domain and Path, and over plain http a Secure cookie is not replaced by
// one without Secure (RFC 6265bis §5.7).
func (o Options) deletion(name string) *http.Cookie {
	c := o.cookie(name, "")
	c.MaxAge, c.Expires = -1, time.Time{}
	return c
}
