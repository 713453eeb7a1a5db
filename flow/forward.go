package flow

import (
	"context"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/cookie"
)

// ForwardOptions say what of a session goes on to another server: see [Exchange.Forward].
type ForwardOptions struct {
	// RefreshToken passes the refresh token on, too. Whoever has it can be the user for as long as
	// it lasts. If both servers redeem it, and the app client rotates refresh tokens without a
	// grace period, the session is lost.
	RefreshToken bool
}

// Forward puts the session of the exchange, as it is now, into the Cookie header of a request to
// another server of the same app client. The tokens are refreshed first if that is due: the request
// of the browser may carry what has been replaced in the meantime. Other cookies stay.
//
// Of this client's cookies the header holds those of the session that verifies, and no others. If
// there is none, Forward returns why, in an error of [amplify.TokenProvider], and the header says
// that nobody is signed in. An Authorization header is left as it is.
func (x *Exchange) Forward(ctx context.Context, header http.Header, o ForwardOptions) error {
	pairs := x.othersCookies(takeCookies(header))
	entries, err := x.runner.client.Entries(ctx, x.providers().Tokens, o.RefreshToken)
	for _, e := range entries {
		pairs = append(pairs, cookie.EncodeName(e[0])+"="+cookie.EncodeValue(e[1]))
	}
	if len(pairs) > 0 {
		header["Cookie"] = []string{strings.Join(pairs, "; ")}
	}
	return err
}

// takeCookies removes the Cookie lines of a header, and returns them. Their key may be spelled in
// another way than net/http's: they would be sent nevertheless.
func takeCookies(header http.Header) (lines []string) {
	for key, values := range header {
		if strings.EqualFold(key, "Cookie") {
			lines = append(lines, values...)
			delete(header, key)
		}
	}
	return lines
}

// othersCookies returns the cookies in lines that do not belong to this client's sessions, as they
// were sent. Of too many cookies it returns none.
func (x *Exchange) othersCookies(lines []string) (pairs []string) {
	if tooLarge(lines) {
		return nil
	}
	for name, value := range cookie.Parse(lines) {
		if session := x.runner.session; session == "" || !strings.HasPrefix(cookie.DecodeName(name), session) {
			pairs = append(pairs, name+"="+value)
		}
	}
	return pairs
}
