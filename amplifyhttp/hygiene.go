package amplifyhttp

import (
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/cookie"
)

// maxCookieBytes is when it is time to warn: many proxies and servers refuse headers of more than 8 KiB (status 431).
const maxCookieBytes = 7 << 10

// clear deletes everything that is kept of sessions of this client: of any user, and the notes of Amplify JS
// beside the tokens too (clockDrift, signInDetails, device keys, the identity of a guest).
func (s *ServerRunner) clear(x *exchange) {
	prefixes := []string{s.session}
	if auth := s.app.Config().Auth; auth.IdentityPoolID != "" {
		prefixes = append(prefixes, "com.amplify.Cognito."+auth.IdentityPoolID+".")
	}
	forget(x, prefixes, func(string) bool { return true })
}

// purge deletes what would add up in a browser that several people use: the cookies of other users of this
// client than user, and those of the clients to forget. It is called when a session of user is written.
func (s *ServerRunner) purge(x *exchange, user string) {
	forget(x, []string{s.session}, func(rest string) bool {
		dot := strings.LastIndexByte(rest, '.') // a user name may hold dots, the key behind it does not
		return dot >= 0 && rest[:dot] != user
	})
	forget(x, s.forget, func(string) bool { return true })

	size := 0
	for _, line := range x.request.Header["Cookie"] {
		size += len(line)
	}
	if size > maxCookieBytes {
		s.app.Logger().Warn("The browser sends more cookies than many proxies take (status 431). "+
			"Give tokens fewer claims, list clients of the past in Options.ForgetClients, or raise the limit of the proxy.",
			"bytes", size, "advisable", maxCookieBytes)
	}
}

// maxForgotten bounds the work of one response. Browsers keep fewer cookies of a site.
const maxForgotten = 200

// forget deletes the request's cookies whose keys begin with one of prefixes and end with what doomed approves of.
func forget(x *exchange, prefixes []string, doomed func(rest string) bool) {
	kv := x.sessionStorage()
	for _, prefix := range prefixes {
		var keys []string
		for key := range kv.All(prefix) {
			if doomed(key[len(prefix):]) && len(keys) < maxForgotten {
				keys = append(keys, key)
			}
		}
		for _, key := range keys {
			_ = kv.Delete(key) // fails only where nothing can be written
		}
	}
}

// writtenUser returns whose session c makes, or "" if it does not.
func (s *ServerRunner) writtenUser(c *http.Cookie) string {
	key, ok := strings.CutSuffix(cookie.DecodeName(c.Name), ".accessToken")
	user, own := strings.CutPrefix(key, s.session)
	if !ok || !own || s.session == "" || c.MaxAge < 0 {
		return ""
	}
	return user
}
