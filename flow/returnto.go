package flow

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// The auth routes, each the last segment of a path.
const (
	routeSignIn          = "sign-in"
	routeSignUp          = "sign-up"
	routeSignOut         = "sign-out"
	routeSignInCallback  = "sign-in-callback"
	routeSignOutCallback = "sign-out-callback"
	routeSignedOut       = "signed-out"
)

// maxReturnTo bounds what a flow cookie has to carry.
const maxReturnTo = 1024

// returnTo checks where a user wants to go after signing in, and returns it as a path with its
// query on the application's own origin. The value comes from outside, and sending a user who has
// just signed in elsewhere is an open redirect (RFC 9700 §4.11.1). The auth routes are refused as
// well, wherever they are mounted: returning to sign-out would end the session again.
func (o origin) returnTo(s string) (string, bool) {
	if len(s) > maxReturnTo {
		return "", false
	}
	u, ok := o.local(s)
	if !ok || isAuthRoute(path.Base(path.Clean(u.Path))) {
		return "", false
	}
	return u.String(), true
}

// local returns s if it is an absolute path with an optional query, on the
// application's own origin. Of a URL of that origin it returns the path. It refuses
// what browsers read as another address than it seems:
//
//   - "//host" and "/\host", which lead to another host;
//   - control characters, which browsers drop: "/\t/host" becomes "//host".
func (o origin) local(s string) (*url.URL, bool) {
	if o != "" {
		s = strings.TrimPrefix(s, string(o))
	}
	odd := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsFunc(s, odd) || !utf8.ValidString(s) {
		return nil, false
	}
	u, err := url.Parse(s)
	// The decoded path must be good as well: a handler may decode once more than a browser does.
	if err != nil || u.Host != "" || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(u.Path, odd) {
		return nil, false
	}
	return u, true
}

// isAuthRoute reports whether segment, the last of a path, is one of the auth routes'.
func isAuthRoute(segment string) bool {
	return slices.Contains([]string{routeSignIn, routeSignUp, routeSignOut, routeSignInCallback, routeSignOutCallback, routeSignedOut}, segment)
}

// isAuthRoute reports whether p, a path as browsers see it, is one of the auth routes at the place
// where the configuration says they are.
func (r *Runner) isAuthRoute(p string) bool {
	dir, route := path.Split(p)
	return r.routes != "" && dir == r.routes && isAuthRoute(route)
}
