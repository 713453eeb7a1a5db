package flow

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Three parts make up the path of an address as browsers see it:
//
//   - Options.BasePath, which a proxy takes off: no request has it;
//   - what [http.StripPrefix] takes off in front of the application: r.RequestURI has it, and r.URL
//     has not;
//   - the path that the application's handlers see.
//
// The first two are the prefix of the application. Paths are put together as they are written in
// addresses, with percent-encoding.

// isPrefix reports whether s can stand in front of a path: "/app", not "/app/", "//app" or
// "/app/..".
func isPrefix(s string) bool {
	u, ok := origin("").local(s)
	return ok && u.EscapedPath() == s && path.Clean(u.Path) == u.Path && u.Path != "/"
}

// prefix returns the prefix of an application that gets a request in this form.
func (r *Runner) prefix(request *http.Request) string {
	taken, ok := strings.CutSuffix(requestPath(request), request.URL.EscapedPath())
	if !strings.HasPrefix(request.URL.Path, "/") {
		taken = strings.TrimSuffix(taken, "/") // http.StripPrefix("/app/", h) takes both
	}
	if !ok || taken == "" || r.base+taken+"/" == r.routes || !isPrefix(taken) {
		// Not http.StripPrefix has changed the path, or it has taken off the place of the auth
		// routes, which is none of an application.
		return r.base
	}
	return r.base + taken
}

// requestPath returns the path that a request was sent with, before handlers changed r.URL, in the
// encoding of [url.URL.EscapedPath].
func requestPath(r *http.Request) string {
	p, _, _ := strings.Cut(r.RequestURI, "?")
	if strings.HasPrefix(p, "/") && (r.URL.RawPath == "" || len(p) > maxReturnTo) { // most requests
		return p
	}
	// A whole URL, or a path in another encoding than Go's: browsers leave "|" as it is.
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// public returns where a setting sends users, a path of the application or a URL, as browsers see
// it.
func (x *Exchange) public(to string) string {
	if strings.HasPrefix(to, "/") {
		return x.runner.prefix(x.request) + to
	}
	return to
}

// path returns the path of a request as browsers see it. It is empty if a handler has rewritten
// r.URL otherwise than [http.StripPrefix] does: then the two say different things.
func (r *Runner) path(request *http.Request) string {
	p := requestPath(request)
	if !strings.HasSuffix(p, request.URL.EscapedPath()) {
		return ""
	}
	return r.base + p
}

// address returns the address of a request as browsers see it: path and query. It refuses what
// browsers would misread.
func (r *Runner) address(request *http.Request) (*url.URL, bool) {
	s := request.RequestURI
	if s == "" {
		s = request.URL.RequestURI()
	}
	u, ok := r.origin.local(s)
	if !ok || r.base == "" {
		return u, ok
	}
	return r.origin.local(r.base + u.String())
}

// lastSegment returns what follows the last slash of a path.
func lastSegment(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }
