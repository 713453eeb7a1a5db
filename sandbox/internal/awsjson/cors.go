package awsjson

import (
	"net/http"
	"strings"
)

// AllowOrigin allows pages of any origin to read the answer, as Cognito does.
func AllowOrigin(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date")
}

// Preflight answers the CORS preflight (Fetch standard). It allows all headers that are
// asked for except two: Authorization, and "*", which some browsers extend to Authorization.
func Preflight(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	AllowOrigin(header)
	header.Set("Access-Control-Allow-Methods", "POST")
	var allowed []string
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.TrimSpace(name); name != "" && name != "*" && !strings.EqualFold(name, "Authorization") {
			allowed = append(allowed, name)
		}
	}
	header.Set("Access-Control-Allow-Headers", strings.Join(allowed, ","))
	header.Set("Access-Control-Max-Age", "172800")
	header.Add("Vary", "Access-Control-Request-Headers")
	w.WriteHeader(http.StatusOK)
}
