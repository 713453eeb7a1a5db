package amplifytest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify/internal/testpool"
)

// Targets of calls of the JSON APIs, without their operations.
const (
	userPoolTarget     = "AWSCognitoIdentityProviderService."
	identityPoolTarget = "AWSCognitoIdentityService."
)

// upstream is the network of the application under test: the pool, and nothing else.
type upstream struct{ pool *Pool }

// RoundTrip implements [http.RoundTripper].
func (u upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	p := u.pool
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	operation, answer := p.operation(r, body)
	if answer == nil {
		p.errorf("the application calls %s %s %s, which the pool does not know: tests have no network",
			r.Method, withoutQuery(r.URL), r.Header.Get("X-Amz-Target"))
		return nil, errors.New("amplifytest: no such call: " + r.URL.Host)
	}
	p.mu.Lock()
	p.calls[operation]++
	outage := p.outage
	p.mu.Unlock()
	switch {
	case outage == Down:
		return p.backend.Response(r, testpool.Answer{Status: http.StatusServiceUnavailable})
	case outage == Throttled && strings.HasPrefix(operation, "/"):
		return p.backend.Response(r, testpool.Answer{Status: http.StatusTooManyRequests})
	case outage == Throttled && operation != keysOperation:
		return p.backend.Response(r, testpool.Refused(http.StatusBadRequest, "TooManyRequestsException", "Too many requests"))
	}
	return answer()
}

// keysOperation is the name that requests for keys are counted under.
const keysOperation = "jwks.json"

// operation returns the name of the call r, whose body is given, and what answers it; nil if the
// pool has no such call.
func (p *Pool) operation(r *http.Request, body []byte) (name string, answer func() (*http.Response, error)) {
	_, target, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch r.URL.Scheme + "://" + r.URL.Host {
	case identityPoolURL:
		if target == testpool.GetID || target == testpool.GetCredentials {
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			return target, func() (*http.Response, error) { return p.backend.RoundTrip(r) }
		}
	case userPoolURL:
		if strings.HasSuffix(r.URL.Path, "/.well-known/jwks.json") {
			return keysOperation, func() (*http.Response, error) { return p.backend.RoundTrip(r) }
		}
		if call := userPoolCalls[target]; call != nil {
			return target, func() (*http.Response, error) {
				var in userPoolInput
				if err := json.Unmarshal(body, &in); err != nil {
					return nil, err
				}
				return p.backend.Response(r, call(p, in))
			}
		}
	case "https://" + p.loginHost():
		if call := loginCalls[r.URL.Path]; call != nil {
			return r.URL.Path, func() (*http.Response, error) {
				form, err := url.ParseQuery(string(body))
				if err != nil {
					return nil, err
				}
				response, err := p.backend.Response(r, call(p, form))
				if err == nil {
					response.Header.Set("Content-Type", "application/json")
				}
				return response, err
			}
		}
	}
	return "", nil
}

// userPoolInput has the members of what the user pools API is called with.
type userPoolInput struct{ RefreshToken, Token, AccessToken string }

// userPoolCalls are the operations of the user pools API.
var userPoolCalls = map[string]func(*Pool, userPoolInput) testpool.Answer{
	"GetTokensFromRefreshToken": (*Pool).refreshed,
	"RevokeToken": func(p *Pool, in userPoolInput) testpool.Answer {
		p.revoke(in.Token)
		return done()
	},
	"GlobalSignOut": func(p *Pool, in userPoolInput) testpool.Answer {
		u, refusal := p.userOf(in.AccessToken)
		if refusal != nil {
			return *refusal
		}
		p.Revoke(u)
		return done()
	},
	"GetUser": (*Pool).attributes,
}

// loginCalls are the paths of managed login that applications call.
var loginCalls = map[string]func(*Pool, url.Values) testpool.Answer{
	"/oauth2/token": (*Pool).redeem,
	"/oauth2/revoke": func(p *Pool, form url.Values) testpool.Answer {
		p.revoke(form.Get("token"))
		return done()
	},
}

// done is an answer without content.
func done() testpool.Answer { return testpool.Answer{Status: http.StatusOK, Body: map[string]any{}} }

// notAuthorized is how Cognito refuses tokens.
func notAuthorized(message string) testpool.Answer {
	return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", message)
}

// refreshed answers a refresh.
func (p *Pool) refreshed(in userPoolInput) testpool.Answer {
	p.mu.Lock()
	s := p.refresh[in.RefreshToken]
	if s == nil || s.revoked {
		p.mu.Unlock()
		if s == nil {
			return notAuthorized("Invalid Refresh Token")
		}
		return notAuthorized("Refresh Token has been revoked")
	}
	u := p.users[s.sub]
	p.mu.Unlock()
	access, id := p.mint(u, s, p.Now())
	return testpool.Answer{Status: http.StatusOK, Body: map[string]any{"AuthenticationResult": map[string]any{
		"AccessToken": access, "IdToken": id, "ExpiresIn": int(tokenLife.Seconds()), "TokenType": "Bearer",
	}}}
}

// revoke ends the session of a refresh token. An unknown one is no error (RFC 7009 §2.2).
func (p *Pool) revoke(refreshToken string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.refresh[refreshToken]; s != nil {
		s.revoked = true
	}
}

// userOf returns the user of an access token, or why it is refused.
func (p *Pool) userOf(accessToken string) (User, *testpool.Answer) {
	claims := payload(accessToken)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sessions[claims.OriginJTI]
	message := ""
	switch {
	case s == nil:
		message = "Invalid Access Token"
	case s.revoked:
		message = "Access Token has been revoked"
	case p.Now().Unix() >= claims.Expires:
		message = "Access Token has expired"
	default:
		return p.users[s.sub], nil
	}
	refusal := notAuthorized(message)
	return User{}, &refusal
}

// attributes answers with the attributes of a user.
func (p *Pool) attributes(in userPoolInput) testpool.Answer {
	u, refusal := p.userOf(in.AccessToken)
	if refusal != nil {
		return *refusal
	}
	var list []map[string]string
	for name, value := range u.attributes() {
		list = append(list, map[string]string{"Name": name, "Value": value})
	}
	return testpool.Answer{Status: http.StatusOK, Body: map[string]any{"Username": u.name(), "UserAttributes": list}}
}

// grant is what an authorization code was issued for.
type grant struct {
	sub, redirectURI, challenge string
}

// redeem answers the token endpoint (RFC 6749 §4.1.3, RFC 7636 §4.6).
func (p *Pool) redeem(form url.Values) testpool.Answer {
	p.mu.Lock()
	g, known := p.codes[form.Get("code")]
	u := p.users[g.sub]
	delete(p.codes, form.Get("code"))
	p.mu.Unlock()
	if !known || form.Get("grant_type") != "authorization_code" || form.Get("redirect_uri") != g.redirectURI ||
		oauth2.S256ChallengeFromVerifier(form.Get("code_verifier")) != g.challenge {
		return testpool.Answer{Status: http.StatusBadRequest, Body: map[string]any{"error": "invalid_grant"}}
	}
	tokens := p.Tokens(u)
	return testpool.Answer{Status: http.StatusOK, Body: map[string]any{
		"access_token": tokens.AccessToken.Reveal(), "id_token": tokens.IDToken.Reveal(), "refresh_token": tokens.RefreshToken.Reveal(),
		"token_type": "Bearer", "expires_in": int(tokenLife.Seconds()),
	}}
}

// authorize is managed login's answer to a user who comes to sign in: back to the application with
// a code.
func (p *Pool) authorize(u User, q url.Values) (redirect, problem string) {
	oauth, auth := p.config.Auth.OAuth, p.config.Auth
	back := q.Get("redirect_uri")
	switch {
	case q.Get("client_id") != auth.UserPoolClientID:
		return "", "another app client: client_id is " + q.Get("client_id")
	case !slices.Contains(oauth.RedirectSignIn, back):
		return "", "redirect_uri is none of the redirect URLs: give the pool the application's configuration by Options.Config. It is " + back
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256":
		return "", "only the authorization code grant with PKCE (S256) is known"
	}
	code := newUUID()
	p.mu.Lock()
	p.codes[code] = grant{u.ID(), back, q.Get("code_challenge")}
	p.mu.Unlock()
	return back + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), ""
}

// logout is managed login's answer to a user who comes to sign out.
func (p *Pool) logout(q url.Values) (redirect, problem string) {
	back := q.Get("logout_uri")
	if !slices.Contains(p.config.Auth.OAuth.RedirectSignOut, back) {
		return "", "logout_uri is none of the redirect URLs: give the pool the application's configuration by Options.Config. It is " + back
	}
	return back, ""
}

// loginHost returns the host of managed login, or "".
func (p *Pool) loginHost() string {
	if oauth := p.config.Auth.OAuth; oauth != nil {
		return oauth.Domain
	}
	return ""
}
