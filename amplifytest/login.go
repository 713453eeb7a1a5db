package amplifytest

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify/internal/testpool"
)

// loginHost returns the host of managed login, or "".
func (p *Pool) loginHost() string {
	if oauth := p.config.Auth.OAuth; oauth != nil {
		return oauth.Domain
	}
	return ""
}

// loginEndpoints are the paths of managed login that applications call.
var loginEndpoints = map[string]func(*Pool, url.Values) testpool.Answer{
	"/oauth2/token": (*Pool).redeem,
	"/oauth2/revoke": func(p *Pool, form url.Values) testpool.Answer {
		p.revoke(form.Get("token"))
		return answerWith(object{})
	},
}

// grant is what an authorization code was issued for.
type grant struct {
	sub, redirectURI, challenge string
}

// redeem answers the token endpoint (RFC 6749 §4.1.3, RFC 7636 §4.6).
func (p *Pool) redeem(form url.Values) testpool.Answer {
	code := form.Get("code")
	p.mu.Lock()
	g, known := p.codes[code]
	u := p.users[g.sub]
	delete(p.codes, code)
	p.mu.Unlock()
	switch {
	case !known,
		form.Get("grant_type") != "authorization_code",
		form.Get("redirect_uri") != g.redirectURI,
		oauth2.S256ChallengeFromVerifier(form.Get("code_verifier")) != g.challenge:
		return testpool.Answer{
			Status: http.StatusBadRequest, Body: object{"error": "invalid_grant"},
		}
	}
	tokens := p.Tokens(u)
	return answerWith(object{
		"access_token":  tokens.AccessToken.Reveal(),
		"id_token":      tokens.IDToken.Reveal(),
		"refresh_token": tokens.RefreshToken.Reveal(),
		"token_type":    "Bearer",
		"expires_in":    tokenLife.Seconds(),
	})
}

// notRegistered says that managed login sends nobody to an address.
func notRegistered(parameter, address string) string {
	return parameter + " is none of the redirect URLs: give the pool the application's " +
		"configuration by Options.Config. It is " + address
}

// authorize returns where managed login sends a user who comes to sign in: back to the application
// with a code. If it sends the user nowhere, problem says why.
func (p *Pool) authorize(sub string, q url.Values) (to, problem string) {
	auth, back := p.config.Auth, q.Get("redirect_uri")
	switch {
	case q.Get("client_id") != auth.UserPoolClientID:
		return "", "another app client: client_id is " + q.Get("client_id")
	case !slices.Contains(auth.OAuth.RedirectSignIn, back):
		return "", notRegistered("redirect_uri", back)
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256":
		return "", "only the authorization code grant with PKCE (S256) is known"
	}
	code := newUUID()
	p.mu.Lock()
	p.codes[code] = grant{sub, back, q.Get("code_challenge")}
	p.mu.Unlock()
	return back + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), ""
}

// logout returns where managed login sends a user who comes to sign out.
func (p *Pool) logout(q url.Values) (to, problem string) {
	back := q.Get("logout_uri")
	if !slices.Contains(p.config.Auth.OAuth.RedirectSignOut, back) {
		return "", notRegistered("logout_uri", back)
	}
	return back, ""
}
