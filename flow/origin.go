package flow

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify"
)

// origin is where browsers reach the application, such as "https://myapp.com". It is
// empty if none is configured.
type origin string

// parseOrigin checks s, which must not be empty. The form is that of adapter-nextjs, matched as a
// whole: the expression there lets a path follow "http://localhost", and anything precede the rest.
// Hosts must have the form in which browsers name them: labels as RFC 1123 §2.1 has them, or an
// IPv4 address of four numbers.
func parseOrigin(s string) (origin, *amplify.ConfigError) {
	const label = `[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`
	m := regexp.MustCompile(`^https?://(` + label + `(?:\.` + label + `)*)(?::(\d{1,5}))?$`).FindStringSubmatch(s)
	problem := ""
	if m == nil {
		problem = "must be http or https, a host in lower case and at most a port: no path, no trailing slash"
	} else if _, err := strconv.ParseUint("0"+m[2], 10, 16); err != nil {
		problem = "has a port that is out of range"
	} else if _, err := netip.ParseAddr(m[1]); err != nil && endsInNumber(m[1]) {
		problem = "has a host that ends in a number and is not an IPv4 address"
	}
	if problem == "" {
		return origin(s), nil
	}
	value := s
	if strings.Contains(s, "@") {
		value = "" // it may hold a password
	}
	return "", &amplify.ConfigError{Field: "Options.Origin", Value: value, Problem: problem, Err: &amplify.Error{
		Name:               "AmplifyServerContextError",
		Message:            "AMPLIFY_APP_ORIGIN environment variable contains an invalid origin string.",
		RecoverySuggestion: "Ensure the AMPLIFY_APP_ORIGIN environment variable, or Options.Origin, is a valid origin such as https://myapp.com.",
	}}
}

// endsInNumber reports whether browsers take host for an IPv4 address:
// https://url.spec.whatwg.org/#ends-in-a-number-checker
func endsInNumber(host string) bool {
	return regexp.MustCompile(`(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$`).MatchString(host)
}

// secure reports whether browsers reach the application by https.
func (o origin) secure() bool { return strings.HasPrefix(string(o), "https://") }

// host returns the host without the port.
func (o origin) host() string {
	_, host, _ := strings.Cut(string(o), "://")
	host, _, _ = strings.Cut(host, ":")
	return host
}

// isLoopback reports whether host, without a port, is a name that leads to the machine itself.
func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// others returns the hosts, with the port, under which browsers may reach the same application: the
// other loopback names of a loopback name, else the twin with or without "www.".
func (o origin) others() []string {
	_, host, _ := strings.Cut(string(o), "://")
	port := strings.TrimPrefix(host, o.host()) // with its colon, or ""
	if isLoopback(o.host()) {
		return []string{"localhost" + port, "127.0.0.1" + port, "[::1]" + port}
	}
	if apex, ok := strings.CutPrefix(o.host(), "www."); ok {
		return []string{apex + port}
	}
	return []string{"www." + o.host() + port}
}

// insecure reports whether traffic to the application leaves the machine unencrypted.
func (o origin) insecure() bool {
	host := o.host()
	return o != "" && !o.secure() && host != "localhost" && !strings.HasSuffix(host, ".localhost") && host != "127.0.0.1"
}

// owns reports whether u, an absolute URL, belongs to the origin. It compares scheme, host and port
// as wholes: by prefix, https://myapp.com.evil.test would belong to https://myapp.com.
func (o origin) owns(u *url.URL) bool {
	return o != "" && u.User == nil && u.Opaque == "" && u.Scheme+"://"+u.Host == string(o)
}

// redirect returns the one of urls that belongs to the origin: the first that is answered if there
// is one, else the first. setting is RedirectSignIn or RedirectSignOut; advice says what to do if
// none belongs to the origin.
func (o origin) redirect(setting, advice string, urls []string, answered func(*url.URL) bool) (*url.URL, *amplify.ConfigError) {
	var first *url.URL
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil || !o.owns(u) {
			continue
		}
		if answered(u) {
			return u, nil
		}
		if first == nil {
			first = u
		}
	}
	if first != nil {
		return first, nil
	}
	kind := strings.ToLower(setting[:1]) + setting[1:] // as in JavaScript
	return nil, &amplify.ConfigError{
		Field: "Config.Auth.OAuth." + setting, Problem: "has no URL of the application's origin " + string(o) + ": " + advice,
		Err: &amplify.Error{
			Name:               "AmplifyServerContextError",
			Message:            "No valid " + kind + " url found in the OAuth config.",
			RecoverySuggestion: "Check the OAuth config and ensure the " + kind + " url is valid: one of them must belong to the application's origin.",
		},
	}
}

// callback returns the redirect URL that leads to an auth route of the application: a URL of the
// origin, below base, whose last segment is the route. setting is RedirectSignIn or
// RedirectSignOut.
func (o origin) callback(base, setting, route string, urls []string) (*url.URL, *amplify.ConfigError) {
	answered := func(u *url.URL) bool {
		return lastSegment(u.Path) == route && strings.HasPrefix(u.EscapedPath(), base+"/")
	}
	kind := "a callback URL of the app client (callbackUrls in defineAuth)"
	if route == routeSignOutCallback {
		kind = "a sign-out URL of the app client (logoutUrls in defineAuth)"
	}
	advice := "register " + string(o) + base + "/api/auth/" + route +
		", or where else the auth routes are mounted, as " + kind
	u, fault := o.redirect(setting, advice, urls, answered)
	if fault != nil || answered(u) {
		return u, fault
	}
	return nil, &amplify.ConfigError{
		Field: "Config.Auth.OAuth." + setting, Value: u.String(),
		Problem: "leads to none of the auth routes: " + advice,
	}
}
