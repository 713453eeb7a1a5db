package flow

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/amplify-go/amplify/cookie"
)

// mode says where cookies go that are set.
type mode int

const (
	// readOnly: no cookie can be set. The header has been sent, or there is none.
	readOnly mode = iota
	// waiting: cookies wait for the final header.
	waiting
	// direct: cookies go at once into a header that others send.
	direct
)

// store holds the cookies of one request and of its response, as a [cookie.Store]. It
// is safe for concurrent use: handlers start goroutines, and a refresh may end while
// the final header is being written.
type store struct {
	request []string // the lines of the Cookie header
	session string   // what the keys of the session's cookies begin with

	mu      sync.Mutex
	mode    mode
	header  http.Header // where Set-Cookie lines go: a header of the store's own, or the response's
	pending http.Header // direct: the Set-Cookie lines that were in the header at first, and the store's
	read    bool        // the response depends on the session
	changed bool        // the response sets cookies
}

// CookieHeader returns the lines of the Cookie header. The session is read through it.
func (s *store) CookieHeader() []string {
	s.noteRead()
	return s.request
}

// noteRead notes that the response depends on the session.
func (s *store) noteRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = true
}

// hasRead reports whether the response depends on the session.
func (s *store) hasRead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

// SetCookieHeader returns the Set-Cookie lines that are set, and those that an earlier exchange has
// put into the header. The response's own header is not read: its handler may be writing it.
func (s *store) SetCookieHeader() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == waiting {
		return s.header["Set-Cookie"]
	}
	return s.pending["Set-Cookie"]
}

// Writable reports whether cookies can still be set.
func (s *store) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode != readOnly
}

// Set sets c, or deletes the cookie if c.MaxAge is negative.
func (s *store) Set(c *http.Cookie) { s.SetAll([]*http.Cookie{c}) }

// SetAll sets all cookies, or none if it returns false. The header does not go until all of them
// are in it: half a session must not be sent.
func (s *store) SetAll(cookies []*http.Cookie) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == readOnly {
		return false
	}
	if s.header == nil {
		s.header = http.Header{}
	}
	for _, c := range cookies {
		cookie.Add(s.header, c)
		cookie.Add(s.pending, c)
	}
	s.header["Set-Cookie"] = s.bounded(s.header["Set-Cookie"], cookie.MaxSetCookies)
	s.changed = true
	if s.mode == direct {
		notShared(s.header)
	}
	return true
}

// bounded returns at most limit of the Set-Cookie lines, and in any case those that set a session.
// Others are dropped from the end: deletions first, those of a session last among them.
func (s *store) bounded(lines []string, limit int) []string {
	if len(lines) <= limit {
		return lines
	}
	rank := func(line string) int {
		name, rest, _ := strings.Cut(line, "=")
		ofSession := s.session != "" && strings.HasPrefix(cookie.DecodeName(name), s.session)
		deletion := strings.Contains(rest, "; Max-Age=0")
		switch {
		case ofSession && !deletion:
			return 0
		case !deletion:
			return 1
		case ofSession:
			return 2
		}
		return 3
	}
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b string) int { return rank(a) - rank(b) })
	keep := max(limit, 0)
	for keep < len(lines) && rank(lines[keep]) == 0 {
		keep++
	}
	return lines[:keep]
}

// commit completes h, the final header, with the cookies that have waited for it. From then on no
// cookie can be set, and the header is not touched any more. It reports whether any was set; ok is
// false if it has been called before, or nothing could be set in the first place.
func (s *store) commit(h http.Header) (changed, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == readOnly {
		return false, false
	}
	if s.mode == waiting && s.header != nil {
		own := s.bounded(s.header["Set-Cookie"], cookie.MaxSetCookies-len(h["Set-Cookie"]))
		h["Set-Cookie"] = append(h["Set-Cookie"], own...)
	}
	s.mode, s.header = readOnly, nil
	return s.changed, true
}
