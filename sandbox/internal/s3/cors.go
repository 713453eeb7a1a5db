package s3

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// headerName matches the names of headers (RFC 9110 §5.1).
var headerName = regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$")

// Amplify's construct allows all origins in all buckets
// (backend-storage/src/construct.ts of aws-amplify/amplify-backend).

func allowOrigin(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE")
	header.Set("Access-Control-Expose-Headers",
		"x-amz-server-side-encryption, x-amz-request-id, x-amz-id-2, ETag")
	header.Set("Access-Control-Max-Age", "3000")
	header.Add("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
}

// preflight answers the CORS preflight (Fetch standard). It needs no signature, and tells nothing.
func (h *Handler) preflight(w http.ResponseWriter, r *http.Request, requestID string) {
	method := r.Header.Get("Access-Control-Request-Method")
	switch {
	case r.Header.Get("Origin") == "":
		fail(w, r, badRequest("BadRequest",
			"Insufficient information. Origin request header needed."), requestID)
		return
	case !slices.Contains(methods, method):
		fail(w, r, badRequest("BadRequest", "Invalid Access-Control-Request-Method: "+method),
			requestID)
		return
	}
	asked := r.Header.Get("Access-Control-Request-Headers")
	for name := range strings.SplitSeq(asked, ",") {
		if asked != "" && !headerName.MatchString(strings.Trim(name, " ")) {
			fail(w, r, badRequest("BadRequest", `Access-Control-Request-Headers "`+name+
				`" contains invalid character.`), requestID)
			return
		}
	}
	allowOrigin(w.Header())
	if asked != "" {
		w.Header().Set("Access-Control-Allow-Headers", asked)
	}
	w.WriteHeader(http.StatusOK)
}
