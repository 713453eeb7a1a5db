package login

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// authorize begins a sign-in: within a login session the code goes out at once,
// otherwise the browser goes to the page that asks who is there.
func (h *Handler) authorize(x *exchange) error {
	s, err := h.session(x.r)
	switch {
	case err != nil:
		return err
	case s.answers(x.authRequest):
		return h.grant(x, s)
	case x.prompts("none"):
		return x.fail("login_required", "The user is not signed in.") // OpenID Connect Core §3.1.2.6
	case x.Provider != "" && x.Provider != providerCognito:
		x.redirect(x.link("/pretend/" + url.PathEscape(x.Provider)))
	default:
		x.redirect(x.link("/login"))
	}
	return nil
}

// codeLife: Cognito's codes are good for five minutes; RFC 6749 §4.1.2 asks for at
// most ten.
const codeLife = 5 * time.Minute

// replayMemory is how long a redeemed code is remembered, so that tokens of a code
// that turns up again can be revoked.
const replayMemory = 24 * time.Hour

// An authorizationCode is what a code stands for.
type authorizationCode struct {
	// ClientID, RedirectURI and Challenge are what the code is bound to.
	ClientID, RedirectURI, Challenge string
	Sub                              string
	Scopes                           []string
	Nonce                            string
	AuthTime                         time.Time
	Expires                          time.Time

	// Redeemed is set by the first attempt to use the code, successful or not.
	Redeemed bool
	// Replayed is set by any further attempt.
	Replayed bool
	// OriginJTI is the token session that the code was exchanged for.
	OriginJTI string
}

// grant issues a code for the user of s and sends it to the application.
func (h *Handler) grant(x *exchange, s *session) error {
	code := ui.NewToken()
	now := h.pool.Now()
	c := authorizationCode{
		ClientID: x.Client.ID, RedirectURI: x.RedirectURI, Challenge: x.Challenge,
		Sub: s.Sub, Scopes: x.Scopes, Nonce: x.Nonce, AuthTime: s.AuthTime, Expires: now.Add(codeLife),
	}
	if err := h.store.Update(x.ctx(), func(tx *store.Tx) error {
		return tx.Put(codeBucket, keyOf(code), c, c.Expires.Add(replayMemory), now)
	}); err != nil {
		return err
	}
	q := url.Values{"code": {code}}
	if x.State != "" {
		q.Set("state", x.State)
	}
	x.redirect(withQuery(x.RedirectURI, q))
	return nil
}

// logout ends the login session. It goes on to logout_uri, or to a new sign-in if
// there is an authorization request in its place (Cognito Developer Guide,
// "Logout endpoint"). A request with neither is refused, and ends nothing.
func (h *Handler) logout(x *exchange) error {
	target, err := h.logoutTarget(x.r)
	if err != nil {
		return err
	}
	if err := h.end(x); err != nil {
		return err
	}
	x.redirect(target)
	return nil
}

func (h *Handler) logoutTarget(r *http.Request) (string, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", &pageError{"invalid_request", "The query string of this address is malformed."}
	}
	if !q.Has("logout_uri") && q.Has("redirect_uri") {
		req, err := parseRequest(r.URL.RawQuery, h.client)
		if err != nil {
			return "", err
		}
		return req.link("/login"), nil
	}
	if len(q["client_id"]) != 1 || len(q["logout_uri"]) != 1 {
		return "", &pageError{"invalid_request", "Give the parameters client_id and logout_uri exactly once each."}
	}
	client, err := h.client(q.Get("client_id"))
	if err != nil {
		return "", err
	}
	uri := q.Get("logout_uri")
	if !slices.Contains(client.LogoutURLs, uri) {
		return "", &pageError{"redirect_mismatch", mismatch("logout URI", "sign-out", uri, client.LogoutURLs)}
	}
	return uri, nil
}

// client returns an app client; that there is none is a [*pageError].
func (h *Handler) client(id string) (*userpool.Client, error) {
	c, err := h.pool.Client(id)
	if userpool.CodeOf(err) == userpool.ResourceNotFound {
		return nil, &pageError{"invalid_client", fmt.Sprintf("There is no app client %q in this user pool.", id)}
	}
	return c, err
}
