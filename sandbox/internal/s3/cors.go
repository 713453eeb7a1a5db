package s3

import (
	"net/http"
	"slices"
)

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
	case !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost,
		http.MethodDelete}, method):
		fail(w, r, newError(http.StatusForbidden, "AccessForbidden",
			"CORSResponse: This CORS request is not allowed. This is usually because "+
				"the evalution of Origin, request method / Access-Control-Request-Method or "+
				"Access-Control-Request-Headers are not whitelisted "+
				"by the resource's CORS spec.", "Method", method, "ResourceType", "OBJECT"),
			requestID)
		return
	}
	allowOrigin(w.Header())
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		w.Header().Set("Access-Control-Allow-Headers", asked)
	}
	w.WriteHeader(http.StatusOK)
}
