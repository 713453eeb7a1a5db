package amplifyhttp

import (
	"net/http"
	"net/textproto"
	"strings"
)

// private is what a response says that only the user it was made for may see, and nobody may keep: a shared cache
// that stored it would hand one user's page, or session, to the next (RFC 9111 §5.2.2.5 and §5.2.2.7).
const private = "private, no-store"

// personal marks a response that a session was read for, unless the handler has decided itself. The line is
// the exchange's own, since this happens with nearly every response.
func (x *exchange) personal(h http.Header) {
	if len(h["Cache-Control"]) == 0 {
		x.line[0] = private
		h["Cache-Control"] = x.line[:]
	}
}

// notShared marks a response that sets or clears a session, whatever the handler has decided. Handlers cannot
// know that tokens were refreshed meanwhile.
func notShared(h http.Header) {
	h["Cache-Control"] = []string{private}
	for key := range h {
		// Targeted fields take precedence over Cache-Control (RFC 9213 §2.2; Surrogate-Control is its forerunner).
		if strings.HasSuffix(textproto.CanonicalMIMEHeaderKey(key), "Cdn-Cache-Control") || key == "Surrogate-Control" {
			delete(h, key)
		}
	}
	// For caches that store in spite of it: the response depends on the cookies.
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, "Cookie") {
				return
			}
		}
	}
	h["Vary"] = append(h["Vary"], "Cookie")
}
