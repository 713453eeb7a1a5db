package cookie

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Options are the attributes of the cookies that are written. The zero value is the
// default of Amplify's server adapters: Path=/; SameSite=Lax; Secure; Max-Age=31536000.
type Options struct {
	// Domain makes the cookies visible to a domain and all below it, for instance
	// ".myapp.com". The default is the host of the request alone.
	Domain string
	// Path is "/" if empty. Amplify JS uses "/".
	Path string
	// SameSite is [http.SameSiteLaxMode] if zero.
	SameSite http.SameSite
	// Insecure leaves Secure out, so that the cookies travel over plain http too. It is
	// for development on hosts other than localhost.
	Insecure bool
	// HTTPOnly keeps the cookies from scripts. Amplify JS in the browser then does not know the
	// session.
	HTTPOnly bool
	// MaxAge is how long the browser keeps the cookies. If both MaxAge and Expires are zero it
	// is 365 days, else zero leaves the attribute out. Browsers cut it to 400 days
	// (RFC 6265bis §5.5).
	MaxAge time.Duration
	// Expires is until when the browser keeps the cookies. MaxAge wins over it.
	Expires time.Time
	// SessionOnly keeps nothing but the keys of a session: LastAuthUser, accessToken, idToken and
	// refreshToken. Setting any other key does nothing. Amplify's adapters do the same where only
	// the server signs users in.
	SessionOnly bool
}

// defaultMaxAge is the life of cookies for which none was configured, as in Amplify's adapters.
const defaultMaxAge = 365 * 24 * time.Hour

// Validate reports every fault of the options at once.
func (o Options) Validate() error {
	var errs []error
	fault := func(format string, a ...any) { errs = append(errs, fmt.Errorf("cookie: "+format, a...)) }
	// What net/http finds invalid it leaves out, and the cookie would go to another place than was asked for.
	if err := (&http.Cookie{Name: "n", Domain: o.Domain}).Valid(); err != nil {
		fault("Domain %q is not a host name: write it as in \".myapp.com\", without scheme and port", o.Domain)
	}
	if err := (&http.Cookie{Name: "n", Path: o.Path}).Valid(); err != nil || o.Path != "" && o.Path[0] != '/' {
		fault("Path %q does not begin with \"/\", or holds a character that no path can have", o.Path)
	}
	if o.SameSite < 0 || o.SameSite > http.SameSiteNoneMode {
		fault("SameSite %d is none of the constants of net/http", o.SameSite)
	}
	if o.SameSite == http.SameSiteNoneMode && o.Insecure {
		// RFC 6265bis §5.7.
		fault("browsers refuse SameSite=None cookies without Secure: leave Insecure off or choose another SameSite")
	}
	if o.MaxAge != 0 && o.MaxAge < time.Second {
		fault("MaxAge %v is less than a second: leave it zero for the default of 365 days", o.MaxAge)
	}
	if !o.Expires.IsZero() && o.Expires.Year() < 1601 {
		fault("Expires %v is before 1601, which no cookie can say", o.Expires)
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

// deletion returns the cookie that deletes one with these attributes. A cookie is replaced only
// by one with the same name, Domain and Path (RFC 6265bis §5.7), and a Secure one only by a Secure one
// where the connection is not.
func (o Options) deletion(name string) *http.Cookie {
	c := o.cookie(name, "")
	c.MaxAge, c.Expires = -1, time.Time{}
	return c
}
