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

// authorize begins a sign-in. Within a login session it issues a
// code at once. Otherwise it sends the browser to the sign-in page.
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

// codeLife is the life of a code with Cognito. RFC 6749 §4.1.2 recommends ten minutes at most.
const codeLife = 5 * time.Minute

// replayMemory is how long the store remembers a redeemed
// code. If the code is used again, its tokens are revoked.
const replayMemory = 24 * time.Hour

// authorizationCode is the stored data of a code.
type authorizationCode struct {
	// ClientID, RedirectURI and Challenge are those of the
	// authorization request, which the code is bound to.
	ClientID, RedirectURI, Challenge string
	Sub                              string
	Scopes                           []string
	Nonce                            string
	AuthTime                         time.Time
	Expires                          time.Time

	// Redeemed is set by the first attempt to use the code, also by one that fails.
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

// logout ends the login session. It redirects to logout_uri, or to a new sign-in if
// the query is an authorization request instead (Cognito Developer Guide, "Logout
// endpoint"). It refuses a request with neither, and then does not end the session.
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
		req, err := h.parse(r.URL.RawQuery)
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

// parse is [parseRequest] for the pool.
func (h *Handler) parse(rawQuery string) (*authRequest, error) {
	return parseRequest(rawQuery, h.client, h.pool.Config().ProviderIdentifiers)
}

// client returns an app client. If there is none, the error is a [*pageError].
func (h *Handler) client(id string) (*userpool.Client, error) {
	c, err := h.pool.Client(id)
	if userpool.CodeOf(err) == userpool.ResourceNotFound {
		return nil, &pageError{"invalid_client", fmt.Sprintf("There is no app client %q in this user pool.", id)}
	}
	return c, err
}
