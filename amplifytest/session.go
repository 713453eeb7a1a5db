package amplifytest

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/testpool"
)

// tokenLife is how long access and ID tokens last, the default of app clients.
const tokenLife = time.Hour

// adminScope is the scope of tokens that the user pools API itself issues.
const adminScope = "aws.cognito.signin.user.admin"

// Flaw is something that is wrong with a session. A session may have several.
type Flaw int

// What can be wrong with a session. The reasons are those of [amplify.ReasonOf] if there is no
// other flaw.
const (
	// Expired: the access and the ID token have expired an hour ago. The application gets new ones
	// where it can set cookies.
	Expired Flaw = iota
	// Revoked: the refresh token was revoked. An Expired session then has
	// [amplify.ReasonRefreshRejected]. One that has not expired is signed in until it does.
	Revoked
	// Forged: a stranger has signed the tokens ([amplify.ReasonBadSignature]).
	Forged
	// OtherClient: the tokens were issued to another app client of the user pool
	// ([amplify.ReasonWrongClient]).
	OtherClient
	// OtherPool: the tokens come from another user pool ([amplify.ReasonWrongIssuer]).
	OtherPool
)

// foreign reports whether the user pool and its app client know nothing of the session.
func (f Flaw) foreign() bool { return f == Forged || f == OtherClient || f == OtherPool }

// session is a session that the user pool knows.
type session struct {
	id      string // origin_jti
	sub     string
	began   time.Time
	revoked bool
}

// SignIn adds the cookies of a new session of u to r, as Amplify JS and the auth routes write them.
// They replace those of an earlier SignIn. The user is signed in unless flaws say otherwise:
//
//	pool.SignIn(r, ann)
//	pool.SignIn(r, ann, amplifytest.Expired, amplifytest.Revoked)
func (p *Pool) SignIn(r *http.Request, u User, flaws ...Flaw) {
	p.t.Helper()
	session, err := Cookies(p.config, p.Tokens(u, flaws...))
	if err != nil {
		p.t.Fatal(err)
	}
	var pairs []string
	for name, value := range cookie.Parse(r.Header["Cookie"]) {
		if !strings.HasPrefix(name, sessionPrefix(p.config)) {
			pairs = append(pairs, name+"="+value)
		}
	}
	for _, c := range session {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	r.Header.Set("Cookie", strings.Join(pairs, "; "))
}

// Authorize gives r the access token of a new session of u, in the header Authorization, as mobile
// apps and services send it. The application must accept it: see amplifyhttp.Options.Bearer.
func (p *Pool) Authorize(r *http.Request, u User, flaws ...Flaw) {
	p.t.Helper()
	r.Header.Set("Authorization", "Bearer "+p.Tokens(u, flaws...).AccessToken.Reveal())
}

// Tokens returns the tokens of a new session of u, for [Cookies] or for what else an application
// does with tokens.
func (p *Pool) Tokens(u User, flaws ...Flaw) amplify.IssuedTokens {
	p.t.Helper()
	p.SetUser(u)
	began := p.Now()
	if slices.Contains(flaws, Expired) {
		began = began.Add(-2 * tokenLife)
	}
	s := &session{newUUID(), u.ID(), began, slices.Contains(flaws, Revoked)}
	access, id := p.mint(u, s, began, flaws...)
	refresh := newRefreshToken()
	if !slices.ContainsFunc(flaws, Flaw.foreign) {
		p.mu.Lock()
		p.sessions[s.id], p.refresh[refresh] = s, s
		p.mu.Unlock()
	}
	return amplify.IssuedTokens{
		AccessToken:  amplify.NewSecret(access),
		IDToken:      amplify.NewSecret(id),
		RefreshToken: amplify.NewSecret(refresh),
	}
}

// Revoke ends all sessions that a user has so far: refreshes are refused from now on. Tokens that
// have not expired go on to be accepted by the application, as with Cognito.
func (p *Pool) Revoke(u User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		if s.sub == u.ID() {
			s.revoked = true
		}
	}
}

// mint returns the access and the ID token of a session, issued at a time.
func (p *Pool) mint(u User, s *session, issued time.Time, flaws ...Flaw) (access, id string) {
	user := testpool.User{Sub: u.ID(), Name: u.name()}
	ofAccess, ofID := p.backend.AccessClaims(user), p.backend.IDClaims(user)
	ofAccess["scope"] = strings.Join(p.scopes(u), " ")
	delete(ofID, "email")
	delete(ofID, "email_verified")
	for name, value := range u.attributes() {
		ofID[name] = attributeClaim(name, value)
	}
	for _, claims := range []map[string]any{ofAccess, ofID} {
		claims["iat"], claims["exp"] = issued.Unix(), issued.Add(tokenLife).Unix()
		claims["auth_time"], claims["origin_jti"] = s.began.Unix(), s.id
		claims["jti"], claims["event_id"] = newUUID(), newUUID()
		if len(u.Groups) > 0 {
			claims["cognito:groups"] = u.Groups
		}
		maps.Copy(claims, u.Claims)
	}

	signer := "key-1"
	for _, flaw := range flaws {
		switch flaw {
		case Forged:
			signer = "rogue"
		case OtherClient:
			const other = "5otherclientid00000000002"
			ofAccess["client_id"], ofID["aud"] = other, other
		case OtherPool:
			signer = "rogue"
			other := ofID["iss"].(string) + "2"
			ofAccess["iss"], ofID["iss"] = other, other
		}
	}
	sign := func(claims map[string]any) string {
		header := map[string]any{"kid": "key-1"}
		return p.backend.JWT(jwt.SigningMethodRS256, p.backend.Key(signer), header, claims)
	}
	return sign(ofAccess), sign(ofID)
}

// scopes returns the scopes of the access tokens of u.
func (p *Pool) scopes(u User) []string {
	switch oauth := p.config.Auth.OAuth; {
	case u.Scopes != nil:
		return u.Scopes
	case oauth != nil && len(oauth.Scopes) > 0:
		return oauth.Scopes
	}
	return []string{adminScope}
}

// attributeClaim returns the claim of an ID token that an attribute becomes. All are strings but
// these.
func attributeClaim(name, value string) any {
	switch name {
	case "email_verified", "phone_number_verified":
		return value == "true"
	case "address": // OpenID Connect Core §5.1.1
		return map[string]string{"formatted": value}
	}
	return value
}

// newRefreshToken returns a random text of the form and size of Cognito's refresh tokens, which are
// encrypted JWTs: cookies have to hold them.
func newRefreshToken() string {
	const header = `{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`
	parts := []string{base64.RawURLEncoding.EncodeToString([]byte(header))}
	for _, n := range []int{256, 12, 946, 16} { // encrypted key, nonce, text, tag: RFC 7516 §7.1
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails (crypto/rand)
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	return strings.Join(parts, ".")
}
