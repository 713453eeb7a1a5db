package cookie

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/internal/cookieheader"
)

// HeaderStore is a [Store] on the headers of a request and its response. It has all the abilities
// that a Store can have. But it cannot see that a header has gone: cookies are to be set before
// anything is written to the body. The middleware of package amplifyhttp does see it.
type HeaderStore struct {
	lines    []string
	response http.Header
}

var (
	_ WritableStore = (*HeaderStore)(nil)
	_ AtomicStore   = (*HeaderStore)(nil)
	_ PendingStore  = (*HeaderStore)(nil)
)

// NewHeaderStore returns a Store that reads the Cookie lines of request, and writes Set-Cookie
// lines to response. If response is nil, no cookie can be set.
func NewHeaderStore(request, response http.Header) *HeaderStore {
	return &HeaderStore{request["Cookie"], response}
}

// CookieHeader implements [Store].
func (s *HeaderStore) CookieHeader() []string { return s.lines }

// Set implements [Store].
func (s *HeaderStore) Set(c *http.Cookie) { Add(s.response, c) }

// Writable implements [WritableStore]. It reports whether there is a response.
func (s *HeaderStore) Writable() bool { return s.response != nil }

// SetAll implements [AtomicStore].
func (s *HeaderStore) SetAll(cookies []*http.Cookie) bool {
	for _, c := range cookies {
		Add(s.response, c)
	}
	return s.response != nil
}

// SetCookieHeader implements [PendingStore].
func (s *HeaderStore) SetCookieHeader() []string { return s.response["Set-Cookie"] }

// Add adds c to the Set-Cookie lines of h. It replaces the line of a cookie with the same name,
// Domain and Path, since a response should not have two (RFC 6265bis §4.1.1). If h is nil, or if c
// cannot be a Set-Cookie line ([Format]), Add does nothing.
func Add(h http.Header, c *http.Cookie) {
	line := Format(c)
	if h == nil || line == "" {
		return
	}
	added, prefix := parseSetCookie(line), line[:len(c.Name)+len("=")]
	lines := h["Set-Cookie"]
	for i, l := range lines {
		if strings.HasPrefix(l, prefix) && parseSetCookie(l).sameScope(added) {
			lines[i] = line
			return
		}
	}
	h.Add("Set-Cookie", line)
}

// setCookie is what a Set-Cookie line says, as far as this package needs it.
type setCookie struct {
	name, value  string
	domain, path string
	deletion     bool
}

// parseSetCookie parses a Set-Cookie line. Nothing is decoded.
func parseSetCookie(line string) (c setCookie) {
	c.name, c.value, line = cookieheader.Cut(line)
	for attribute := range strings.SplitSeq(line, ";") {
		name, value, _ := strings.Cut(attribute, "=")
		value = cookieheader.Trim(value)
		switch strings.ToLower(cookieheader.Trim(name)) {
		case "domain":
			c.domain = strings.ToLower(strings.TrimPrefix(value, "."))
		case "path":
			c.path = value
		case "max-age":
			seconds, err := strconv.Atoi(value)
			c.deletion = err == nil && seconds <= 0
		}
	}
	return c
}

// sameScope reports whether two cookies have the same Domain and Path.
func (c setCookie) sameScope(other setCookie) bool {
	return c.domain == other.domain && c.path == other.path
}
