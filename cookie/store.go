package cookie

import (
	"net/http"
	"strings"
)

// Store gives access to the cookies of one request and of its response. Web
// frameworks have their own ways to these; adapting one takes four short methods.
// A Store need not be safe for concurrent use: [KeyValueStorage] makes its calls one at a time.
//
// Names and values are those of the Cookie header, not decoded. A Store may implement three more methods:
//
//	CookieHeader() []string            // the lines of the Cookie header: read instead of GetAll, faster and complete
//	Writable() bool                    // whether Set and Delete still reach the browser; without it they always do
//	SetAll(cookies []*http.Cookie) bool // adds all, deletions too, or, once the header has gone, none and returns false
//
// SetAll is for those whose header may go while cookies are being set: half a session must not be sent.
type Store interface {
	// Get returns the value of the first cookie with that name in the request.
	Get(name string) (string, bool)
	// GetAll returns all cookies of the request in the order in which they were sent,
	// duplicates included.
	GetAll() []*http.Cookie
	// Set adds c to the response. It replaces a cookie that was set before with
	// the same name, Domain and Path.
	Set(c *http.Cookie)
	// Delete adds a deletion to the response. Its Domain and Path are those of the
	// cookie to delete; it is ready to be sent as it is, with Max-Age=0.
	Delete(c *http.Cookie)
}

// HeaderStore is a [Store] on the headers of a request and its response.
type HeaderStore struct {
	lines    []string
	response http.Header
}

// NewHeaderStore returns a Store that reads the Cookie lines of request, and writes
// Set-Cookie lines to response. If response is nil it cannot be written.
func NewHeaderStore(request, response http.Header) *HeaderStore {
	return &HeaderStore{request["Cookie"], response}
}

// CookieHeader returns the lines of the Cookie header.
func (s *HeaderStore) CookieHeader() []string { return s.lines }

// Writable reports whether there is a response.
func (s *HeaderStore) Writable() bool { return s.response != nil }

// Get returns the value of the first cookie with that name in the request.
func (s *HeaderStore) Get(name string) (string, bool) {
	for n, v := range Parse(s.lines) {
		if n == name {
			return v, true
		}
	}
	return "", false
}

// GetAll returns all cookies of the request.
func (s *HeaderStore) GetAll() []*http.Cookie {
	var all []*http.Cookie
	for n, v := range Parse(s.lines) {
		all = append(all, &http.Cookie{Name: n, Value: v})
	}
	return all
}

// Set adds c to the response.
func (s *HeaderStore) Set(c *http.Cookie) { Add(s.response, c) }

// Delete adds a deletion to the response.
func (s *HeaderStore) Delete(c *http.Cookie) { Add(s.response, c) }

// Add adds c to the Set-Cookie lines of h. It replaces the line of a cookie with the same name, Domain and
// Path, since a response should not have two (RFC 6265bis §4.1.1). A nil h, or a cookie that
// cannot be written, changes nothing.
func Add(h http.Header, c *http.Cookie) {
	line := Format(c)
	if h == nil || line == "" {
		return
	}
	lines := h["Set-Cookie"]
	for i, l := range lines {
		if strings.HasPrefix(l, c.Name+"=") && sameScope(l, line) {
			lines[i] = line
			return
		}
	}
	h.Add("Set-Cookie", line)
}

// sameScope reports whether two Set-Cookie lines of one name have the same Domain and Path.
func sameScope(a, b string) bool {
	domain := func(line string) (domain, path string) {
		_, attributes, _ := strings.Cut(line, ";")
		for attribute := range strings.SplitSeq(attributes, ";") {
			name, value, _ := strings.Cut(attribute, "=")
			switch strings.ToLower(trim(name)) {
			case "domain":
				domain = strings.ToLower(strings.TrimPrefix(trim(value), "."))
			case "path":
				path = trim(value)
			}
		}
		return domain, path
	}
	ad, ap := domain(a)
	bd, bp := domain(b)
	return ad == bd && ap == bp
}
