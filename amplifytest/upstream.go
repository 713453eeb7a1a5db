package amplifytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/amplify-go/amplify/internal/testpool"
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
	operation := p.operation(r)
	if operation == "" {
		p.errorf("the application calls %s %s %s, which the pool does not know: "+
			"tests have no network", r.Method, withoutQuery(r.URL), r.Header.Get("X-Amz-Target"))
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
		return p.backend.Response(r, refuse("TooManyRequestsException", "Too many requests"))
	}
	return p.answer(operation, r, body)
}

// keysOperation is the name that requests for keys are counted under.
const keysOperation = "jwks.json"

// operation returns the name of the call r, or "" if the pool has no such call.
func (p *Pool) operation(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	known := false
	switch r.URL.Scheme + "://" + r.URL.Host {
	case identityPoolURL:
		known = name == testpool.GetID || name == testpool.GetCredentials
	case userPoolURL:
		if strings.HasSuffix(r.URL.Path, "/.well-known/jwks.json") {
			return keysOperation
		}
		known = userPoolOperations[name] != nil
	case "https://" + p.loginHost():
		name = r.URL.Path
		known = loginEndpoints[name] != nil
	}
	if !known {
		return ""
	}
	return name
}

// answer answers a call of an operation that the pool has.
func (p *Pool) answer(operation string, r *http.Request, body []byte) (*http.Response, error) {
	if call := userPoolOperations[operation]; call != nil {
		var in userPoolInput
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return p.backend.Response(r, call(p, in))
	}
	if call := loginEndpoints[operation]; call != nil {
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
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	return p.backend.RoundTrip(in)
}

// userPoolInput has the members of what the user pools API is called with.
type userPoolInput struct{ RefreshToken, Token, AccessToken string }

// userPoolOperations are the operations of the user pools API.
var userPoolOperations = map[string]func(*Pool, userPoolInput) testpool.Answer{
	"GetTokensFromRefreshToken": (*Pool).refreshed,
	"RevokeToken": func(p *Pool, in userPoolInput) testpool.Answer {
		p.revoke(in.Token)
		return answerWith(object{})
	},
	"GlobalSignOut": func(p *Pool, in userPoolInput) testpool.Answer {
		u, refusal := p.userOf(in.AccessToken)
		if refusal != nil {
			return *refusal
		}
		p.Revoke(u)
		return answerWith(object{})
	},
	"GetUser": (*Pool).attributes,
}

// object is a JSON object.
type object = map[string]any

// answerWith returns an answer with a body.
func answerWith(body object) testpool.Answer {
	return testpool.Answer{Status: http.StatusOK, Body: body}
}

// refuse returns how Cognito refuses a call.
func refuse(exception, message string) testpool.Answer {
	return testpool.Refused(http.StatusBadRequest, exception, message)
}

// notAuthorized is how Cognito refuses tokens.
func notAuthorized(message string) testpool.Answer {
	return refuse("NotAuthorizedException", message)
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
	return answerWith(object{"AuthenticationResult": object{
		"AccessToken": access, "IdToken": id,
		"ExpiresIn": tokenLife.Seconds(), "TokenType": "Bearer",
	}})
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
	return answerWith(object{"Username": u.name(), "UserAttributes": list})
}
