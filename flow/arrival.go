package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// arrival answers a user who follows a link on another site, an e-mail for instance, to a guarded
// page. The browser withholds SameSite=Strict cookies from that one request, so that the user looks
// signed out. The answer is a page that opens the same address again, this time from our own site
// and with the cookies. arrival returns nil for other requests.
//
// Browsers then send Sec-Fetch-Site: same-origin, which ends it. In case one does not, a
// short-lived cookie for this address does: the page is never shown twice.
func (r *Runner) arrival(x *Exchange, request *http.Request) *Response {
	if r.origin == "" || r.cookies.SameSite != http.SameSiteStrictMode ||
		request.Header.Get("Sec-Fetch-Site") != "cross-site" ||
		request.Header.Get("Sec-Fetch-Mode") != "navigate" ||
		request.Header.Get("Sec-Fetch-Dest") != "document" {
		return nil
	}
	target := r.here(request)
	if target == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(target))
	mark := hex.EncodeToString(sum[:8])
	if slices.Contains(x.flowCookies().arrivals, mark) {
		return nil
	}
	c := r.flowCookie(arrivalCookie, mark)
	c.Domain, c.MaxAge = "", int((10 * time.Second).Seconds())
	x.cookies.Set(c)
	return r.page(request, Page{
		Name: "arrival", Status: http.StatusOK, Title: "One moment…", Text: "You are being taken to the page.",
		Link: target, LinkText: "Continue", Follow: true,
	})
}
