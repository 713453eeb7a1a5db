package amplifyhttp

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify"
)

// origin is where browsers reach the application, such as "https://myapp.com". The
// empty origin means that none is configured.
type origin string

// parseOrigin checks s, which must not be empty. The form is that of adapter-nextjs, matched as a whole: its own
// expression lets a path follow "http://localhost", and anything precede the rest.
func parseOrigin(s string) (origin, error) {
	form := regexp.MustCompile(`^https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(\d{1,5}))?$`)
	m := form.FindStringSubmatch(s)
	if m == nil {
		return "", invalidOrigin(fmt.Errorf("it must be http or https, a host in lower case and at most a port: no path, no trailing slash"))
	}
	if m[1] != "" {
		if _, err := strconv.ParseUint(m[1], 10, 16); err != nil {
			return "", invalidOrigin(fmt.Errorf("port %s is out of range", m[1]))
		}
	}
	return origin(s), nil
}

func invalidOrigin(cause error) error {
	return &amplify.Error{
		Name:               "AmplifyServerContextError",
		Reason:             amplify.ReasonConfiguration,
		Message:            "AMPLIFY_APP_ORIGIN environment variable contains an invalid origin string.",
		RecoverySuggestion: "Ensure the AMPLIFY_APP_ORIGIN environment variable, or Options.Origin, is a valid origin such as https://myapp.com.",
		Err:                cause,
	}
}

// secure reports whether browsers reach the application by https.
func (o origin) secure() bool { return strings.HasPrefix(string(o), "https://") }

// host returns the host without the port.
func (o origin) host() string {
	_, host, _ := strings.Cut(string(o), "://")
	host, _, _ = strings.Cut(host, ":")
	return host
}

// insecure reports whether traffic to the application leaves the machine unencrypted.
func (o origin) insecure() bool {
	host := o.host()
	return o != "" && !o.secure() && host != "localhost" && !strings.HasSuffix(host, ".localhost") && host != "127.0.0.1"
}

// owns reports whether u, an absolute URL, belongs to the origin. It compares scheme, host and port as
// wholes: by prefix, https://myapp.com.evil.test would belong to https://myapp.com.
func (o origin) owns(u *url.URL) bool {
	return o != "" && u.User == nil && u.Opaque == "" && u.Scheme+"://"+u.Host == string(o)
}

// redirect returns the first of urls that belongs to the origin. kind names the
// setting in the error, as the JavaScript library does.
func (o origin) redirect(kind string, urls []string) (*url.URL, error) {
	for _, s := range urls {
		if u, err := url.Parse(s); err == nil && o.owns(u) {
			return u, nil
		}
	}
	return nil, &amplify.Error{
		Name:               "AmplifyServerContextError",
		Reason:             amplify.ReasonConfiguration,
		Message:            "No valid " + kind + " url found in the OAuth config.",
		RecoverySuggestion: "Check the OAuth config and ensure the " + kind + " url is valid: one of them must belong to the application's origin.",
	}
}
