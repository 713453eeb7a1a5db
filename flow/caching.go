package flow

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/cookieheader"
)

const (
	// private is what a response says that only its user may see, and no cache may
	// keep: a shared cache that stored it would hand one user's page, or session, to
	// the next (RFC 9111 §5.2.2.5 and §5.2.2.7).
	private = "private, no-store"
	// revalidated is what a response says that may turn out to be its user's after the header has
	// been sent. The browser may keep it, and asks before it shows it again.
	revalidated = "private, no-cache"
)

// Mark says in h, the header of the response, who may keep it, unless the handler has decided that:
// nobody, if the session has been read; no shared cache, if there may be one. Other responses are
// left alone.
//
// [Exchange.Commit] does the same. An adapter calls Mark before that, for those who decide by the
// header that they find: when a guard has let a request pass, so that a handler that is the same for
// all leaves the response to those who may see it; and ahead of the handlers in frameworks in which
// the header is completed after them, so that no cache among them keeps one user's page for the next.
func (x *Exchange) Mark(h http.Header) {
	lines := h["Cache-Control"]
	if i := slices.Index(lines, x.line[0]); i >= 0 && x.line[0] != "" {
		// The line is Mark's own. It may stand beside those of a handler for net/http in another
		// framework, which has not seen it. Only if it was a precaution do they count.
		if len(lines) > 1 && x.line[0] == revalidated {
			h["Cache-Control"] = slices.Delete(slices.Clone(lines), i, i+1)
			return
		}
	} else if has(h, "Cache-Control") {
		return
	}
	switch {
	case x.cookies.hasRead():
		x.line[0] = private
	case x.line[0] == revalidated || x.carriesSession():
		x.line[0] = revalidated
	default:
		return
	}
	h["Cache-Control"] = x.line[:]
}

// carriesSession reports whether the request has a bearer token or a cookie of this client's
// sessions. It is taken to have one if it has too many cookies to look. To look is not to read the
// session, on which the response would depend.
func (x *Exchange) carriesSession() bool {
	if _, ok := x.bearerToken(); ok {
		return true
	}
	lines := x.cookies.request
	if x.runner.session == "" || cookieheader.TooLarge(lines) {
		return cookieheader.TooLarge(lines)
	}
	var arena strings.Builder
	none := func(string, string) bool { return false }
	return !cookieheader.Keys(lines, x.runner.session, &arena, none)
}

// notShared marks a response that sets cookies, whatever the handler has decided. Handlers cannot
// know that tokens were refreshed meanwhile.
func notShared(h http.Header) {
	var vary []string
	for key, lines := range h {
		switch name := textproto.CanonicalMIMEHeaderKey(key); {
		case name == "Cache-Control", name == "Surrogate-Control", strings.HasSuffix(name, "Cdn-Cache-Control"):
			// Targeted fields take precedence over Cache-Control (RFC 9213 §2.2).
			// Surrogate-Control is their forerunner.
			delete(h, key)
		case name == "Vary":
			vary = append(vary, lines...)
		}
	}
	h["Cache-Control"] = []string{private}
	// For caches that store in spite of it: the response depends on the cookies.
	for _, line := range vary {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, "Cookie") {
				return
			}
		}
	}
	h["Vary"] = append(h["Vary"], "Cookie")
}

// has reports whether h has a field of that canonical name, however its key is spelled: handlers
// may put keys into the map that net/http would have spelled otherwise.
func has(h http.Header, name string) bool {
	if len(h[name]) > 0 {
		return true
	}
	for key, lines := range h {
		if len(key) == len(name) && len(lines) > 0 && strings.EqualFold(key, name) {
			return true
		}
	}
	return false
}
