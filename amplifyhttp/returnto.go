package amplifyhttp

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// The routes that AuthRoutes serves, each the last segment of a path.
const (
	routeSignIn          = "sign-in"
	routeSignUp          = "sign-up"
	routeSignOut         = "sign-out"
	routeSignInCallback  = "sign-in-callback"
	routeSignOutCallback = "sign-out-callback"
)

// maxReturnTo bounds what a flow cookie has to carry.
const maxReturnTo = 1024

// returnTo checks where somebody wants to go after signing in, and returns it as a path with its query on
// the application's own origin. The value comes from outside, and sending a user who has just
// signed in elsewhere is an open redirect (RFC 9700 §4.11.1). What is refused:
//
//   - anything but an absolute path; a URL of the application's own origin is taken as its path;
//   - "//host" and "/\host", which browsers read as another host;
//   - control characters, which browsers drop: "/\t/host" becomes "//host";
//   - the auth routes themselves, wherever they are mounted: returning to sign-out would end the session again.
func (o origin) returnTo(s string) (string, bool) {
	if o != "" {
		s = strings.TrimPrefix(s, string(o))
	}
	if len(s) == 0 || len(s) > maxReturnTo || s[0] != '/' || !utf8.ValidString(s) {
		return "", false
	}
	if strings.HasPrefix(s, "//") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return "", false
	}
	// The decoded path must hold as well: what is behind us may decode once more than a browser does.
	if strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(u.Path, func(r rune) bool { return r < ' ' || r == '\\' }) {
		return "", false
	}
	if isAuthRoute(path.Base(path.Clean(u.Path))) {
		return "", false
	}
	return u.String(), true
}

// isAuthRoute reports whether segment, the last of a path, is one of the auth routes'.
func isAuthRoute(segment string) bool {
	return slices.Contains([]string{routeSignIn, routeSignUp, routeSignOut, routeSignInCallback, routeSignOutCallback}, segment)
}
