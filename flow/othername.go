package flow

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxLoggedHost bounds what is logged of a Host header: names have at most 253 characters.
const maxLoggedHost = 253

// toOrigin answers a request for sign-in or sign-out under another name than the origin's, such as
// http://127.0.0.1:3000 where the origin is http://localhost:3000. Browsers keep the cookies of
// names apart, and Cognito sends them back to the origin: there the cookies of the flow would be
// missing. It returns nil for other requests.
//
// The answer leads to the same address at the origin, from names that are known to mean the same
// application: loopback names, and the twin with or without "www.". A Host header is compared, and
// never part of an answer. A proxy may send another name than the browser's, so that the request
// comes back as it was: a short-lived cookie ends that after the first time.
func (r *Runner) toOrigin(x *Exchange, request *http.Request) *Response {
	name := hostname(request.Host)
	if name == "" || strings.EqualFold(name, r.origin.host()) || covers(r.cookies.Domain, name) {
		return nil
	}
	r.otherNames.Do(func() {
		r.app.Logger().WarnContext(request.Context(),
			"sign-in under another name than the origin's: browsers keep their cookies apart",
			"host", request.Host[:min(len(request.Host), maxLoggedHost)], "origin", string(r.origin),
			"hint", "open the application by its origin, or let the proxy pass the Host header on")
	})
	if !slices.Contains(r.origin.others(), request.Host) || x.flowCookies().otherName {
		return nil
	}
	u, ok := r.address(request)
	if !ok || len(u.Path) > maxParameter || len(u.RawQuery) > maxParameter {
		return nil
	}
	c := r.flowCookie(otherNameCookie, "true")
	c.Domain, c.MaxAge = "", int((10 * time.Second).Seconds())
	x.cookies.Set(c)
	return redirect(http.StatusFound, string(r.origin)+u.String())
}
