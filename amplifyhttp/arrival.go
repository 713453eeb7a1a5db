package amplifyhttp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/amplify-go/amplify/cookie"
)

// arrivalCookie marks that a browser has been given the arrival page.
const arrivalCookie = "com.amplify.server_auth.arrival"

// arrival answers somebody who follows a link on another site, an e-mail for instance, to a guarded
// page. Their browser withholds SameSite=Strict cookies from that one request, so that they
// look signed out. They get a page that opens the same address again, this time from our own site
// and with the cookies. It reports whether it has answered.
//
// Browsers then send Sec-Fetch-Site: same-origin, which ends it. In case one does not, a short-lived
// cookie for this address does: nobody gets the page twice.
func (s *ServerRunner) arrival(w http.ResponseWriter, r *http.Request) bool {
	if s.origin == "" || s.cookies.SameSite != http.SameSiteStrictMode || r.Method != http.MethodGet ||
		r.Header.Get("Sec-Fetch-Site") != "cross-site" ||
		r.Header.Get("Sec-Fetch-Mode") != "navigate" ||
		r.Header.Get("Sec-Fetch-Dest") != "document" {
		return false
	}
	target, ok := s.origin.returnTo(address(r))
	if !ok {
		return false
	}
	sum := sha256.Sum256([]byte(target))
	mark := hex.EncodeToString(sum[:8])
	for name, value := range cookie.Parse(r.Header["Cookie"]) {
		if name == arrivalCookie && value == mark {
			return false
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: arrivalCookie, Value: mark, Path: "/", MaxAge: int((10 * time.Second).Seconds()),
		HttpOnly: true, Secure: s.origin.secure(), SameSite: http.SameSiteLaxMode,
	})
	s.pages.write(w, page{
		Status: http.StatusOK, Title: "One moment…", Text: "You are being taken to the page.",
		Link: target, LinkText: "Continue", Follow: true,
	})
	return true
}
