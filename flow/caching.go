package flow

import (
	"net/http"
	"net/textproto"
	"strings"

	"github.com/amplify-go/amplify/cookie"
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

// Personal marks a response that a session was read for, unless the handler has decided itself. The
// line is the exchange's own, since this happens with nearly every response.
//
// [Exchange.Commit] does the same. An adapter calls Personal when a guard has let a request pass,
// before the handler runs: a handler that is the same for all, and would let shared caches keep its
// response, can tell then that not everybody may see it.
func (x *Exchange) Personal(h http.Header) {
	if lines := h["Cache-Control"]; x.marked && len(lines) == 1 && lines[0] == revalidated || !has(h, "Cache-Control") {
		x.line[0] = private
		h["Cache-Control"] = x.line[:]
	}
}

// mayBePersonal marks a response for which the session has not been read yet, if there may be one
// and the handler has not decided. It reports whether it has.
func (x *Exchange) mayBePersonal(h http.Header) bool {
	if has(h, "Cache-Control") || !x.carriesSession() {
		return false
	}
	x.line[0] = revalidated
	h["Cache-Control"] = x.line[:]
	return true
}

// carriesSession reports whether the request has a bearer token or a cookie of this client's
// sessions. It is taken to have one if it has too many cookies to look.
func (x *Exchange) carriesSession() bool {
	if _, ok := x.bearerToken(); ok {
		return true
	}
	// A storage of its own: to look is not to read the session, on which the response would depend.
	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(x.request.Header, nil), x.runner.cookies)
	if x.runner.session != "" {
		for range kv.All(x.runner.session) {
			return true
		}
	}
	return kv.TooLarge()
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
