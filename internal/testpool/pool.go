// Package testpool is a user pool for tests of sessions: it mints tokens, good and forged,
// publishes keys, answers refreshes, and keeps the time. Only tests import it, and package
// amplifytest, which makes a whole backend of it.
package testpool

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/partition"
)

// What the pool of [New] is called.
const (
	ID     = "eu-west-1_TestPool1"
	Client = "4testclientid000000000001"
	Issuer = "https://cognito-idp.eu-west-1.amazonaws.com/" + ID
	// Prefix begins the keys of a session.
	Prefix = "CognitoIdentityServiceProvider." + Client + "."
)

// User is a user of the pool.
type User struct{ Sub, Name string }

// Alice and Bob are two users.
var (
	Alice = User{"6f8b1c2a-1111-4222-8333-944445555666", "alice"}
	Bob   = User{"7a7a7a7a-2222-4333-8444-955556666777", "bob"}
)

// Pool is the user pool. It is an [http.RoundTripper], to be the Transport of an App's HTTPClient,
// and safe for concurrent use.
type Pool struct {
	id, client, issuer, region string

	keys map[string]*rsa.PrivateKey

	mu         sync.Mutex
	now        time.Time
	published  []string
	keysDown   bool
	keyFetches map[string]int
	refreshes  []map[string]any
	refresh    func(in map[string]any) Answer

	revoke  func(in map[string]any) Answer
	revoked []string

	exchange  func(form url.Values) Answer
	exchanges []url.Values

	identityCalls  []IdentityCall
	identity       func(IdentityCall) Answer
	grants, guests int
}

// Answer is what the pool answers to a call. Body is sent as JSON.
type Answer struct {
	Status int
	Body   any
}

// New returns a pool that publishes the keys "key-1" and "key-2". There is a third, "rogue".
func New(t testing.TB) *Pool {
	t.Helper()
	return NewOf(t, ID, Client)
}

// NewOf returns a pool like that of [New], with another id and another app client.
func NewOf(t testing.TB, id, client string) *Pool {
	t.Helper()
	keys, err := makeKeys()
	if err != nil {
		t.Fatal(err)
	}
	region, _, _ := strings.Cut(id, "_")
	return &Pool{
		id: id, client: client, region: region,
		issuer:     "https://cognito-idp." + region + "." + partition.DNSSuffix(region) + "/" + id,
		keys:       keys,
		now:        time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		published:  []string{"key-1", "key-2"},
		keyFetches: map[string]int{},
	}
}

// makeKeys makes the keys, once: that takes longer than most tests.
var makeKeys = sync.OnceValues(func() (map[string]*rsa.PrivateKey, error) {
	keys := map[string]*rsa.PrivateKey{}
	for _, id := range []string{"key-1", "key-2", "rogue"} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		keys[id] = key
	}
	return keys, nil
})

// Config returns the configuration of an application of the pool.
func (p *Pool) Config() amplify.Config {
	return amplify.Config{Auth: &amplify.AuthConfig{UserPoolID: p.id, UserPoolClientID: p.client}}
}

// Options returns the options of an App that lives on the pool and on its time.
func (p *Pool) Options() amplify.Options {
	return amplify.Options{HTTPClient: &http.Client{Transport: p}, Clock: p.Now}
}

// Now tells the pool's time, which stands still.
func (p *Pool) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// Advance moves the time on.
func (p *Pool) Advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// Publish makes ids the keys that are published.
func (p *Pool) Publish(ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.published = ids
}

// KeysDown makes the address of the keys answer 503, or answer again.
func (p *Pool) KeysDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keysDown = down
}

// KeyFetches tells how often the keys at a host, such as "cognito-idp.eu-west-1.amazonaws.com",
// were asked for.
func (p *Pool) KeyFetches(host string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keyFetches[host]
}

// OnRefresh makes f answer refreshes. in is the call's body.
func (p *Pool) OnRefresh(f func(in map[string]any) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh = f
}

// Refreshes returns the bodies of the refreshes so far.
func (p *Pool) Refreshes() []map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]map[string]any(nil), p.refreshes...)
}

// OnRevoke makes f answer calls of RevokeToken, whose body is in. By default they succeed.
func (p *Pool) OnRevoke(f func(in map[string]any) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoke = f
}

// Revoked returns the tokens that RevokeToken was called for, and "global" for each GlobalSignOut.
func (p *Pool) Revoked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.revoked)
}

// OnExchange makes f answer the token endpoint.
func (p *Pool) OnExchange(f func(form url.Values) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchange = f
}

// Exchanges returns the forms that the token endpoint got.
func (p *Pool) Exchanges() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.exchanges)
}

// Exchanged returns the token endpoint's answer with tokens of u.
func (p *Pool) Exchanged(u User, refreshToken string, edits ...Claim) Answer {
	return Answer{http.StatusOK, map[string]any{
		"access_token": p.Access(u, edits...), "id_token": p.ID(u, edits...), "refresh_token": refreshToken,
		"token_type": "Bearer", "expires_in": 3600,
	}}
}

// Refreshed returns the answer to a refresh with new tokens of u and, unless it is empty, a new
// refresh token.
func (p *Pool) Refreshed(u User, refreshToken string) Answer {
	result := map[string]any{"AccessToken": p.Access(u), "IdToken": p.ID(u), "ExpiresIn": 3600, "TokenType": "Bearer"}
	if refreshToken != "" {
		result["RefreshToken"] = refreshToken
	}
	return Answer{http.StatusOK, map[string]any{"AuthenticationResult": result}}
}

// Refused returns an error answer.
func Refused(status int, name, message string) Answer {
	return Answer{status, map[string]any{"__type": name, "message": message}}
}

// Claim edits the claims of a token; a nil value removes the claim.
type Claim struct {
	Name  string
	Value any
}

// Access mints an access token of u, issued now and good for an hour.
func (p *Pool) Access(u User, edits ...Claim) string {
	return p.Sign("key-1", p.AccessClaims(u), u, edits)
}

// AccessClaims returns the claims of an access token of u.
func (p *Pool) AccessClaims(u User) map[string]any {
	return p.Claims(map[string]any{
		"token_use": "access", "client_id": p.client, "username": u.Name, "scope": "aws.cognito.signin.user.admin",
		"jti": "a0000000-0000-4000-8000-000000000001",
	}, u)
}

// ID mints an ID token of u, issued now and good for an hour.
func (p *Pool) ID(u User, edits ...Claim) string {
	return p.Sign("key-1", p.IDClaims(u), u, edits)
}

// IDClaims returns the claims of an ID token of u.
func (p *Pool) IDClaims(u User) map[string]any {
	return p.Claims(map[string]any{
		"token_use": "id", "aud": p.client, "cognito:username": u.Name, "email": u.Name + "@example.com", "email_verified": true,
		"jti": "b0000000-0000-4000-8000-000000000002",
	}, u)
}

// Sign mints a token of u with the key of that id.
func (p *Pool) Sign(keyID string, claims map[string]any, u User, edits []Claim) string {
	return p.JWT(jwt.SigningMethodRS256, p.keys[keyID], map[string]any{"kid": keyID}, p.Claims(claims, u, edits...))
}

// Claims adds to claims what all tokens of u have, and edits them.
func (p *Pool) Claims(claims map[string]any, u User, edits ...Claim) map[string]any {
	now := p.Now().Unix()
	all := map[string]any{
		"sub": u.Sub, "iss": p.issuer, "iat": now, "auth_time": now, "exp": now + 3600,
		"origin_jti": "c0000000-" + strings.TrimPrefix(u.Sub, u.Sub[:min(9, len(u.Sub))]), "event_id": "d0000000-0000-4000-8000-000000000004",
	}
	maps.Copy(all, claims)
	for _, e := range edits {
		if all[e.Name] = e.Value; e.Value == nil {
			delete(all, e.Name)
		}
	}
	return all
}

// JWT makes a token as told, however wrong.
func (p *Pool) JWT(method jwt.SigningMethod, key any, header, claims map[string]any) string {
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	maps.Copy(token.Header, header)
	s, err := token.SignedString(key)
	if err != nil {
		panic(err)
	}
	return s
}

// Key returns a private key.
func (p *Pool) Key(id string) *rsa.PrivateKey { return p.keys[id] }

// Cookies returns a Cookie header with a session under u's name. An empty token is left out.
func Cookies(u User, access, id, refresh string) string {
	header := Prefix + "LastAuthUser=" + u.Name
	for _, c := range [][2]string{{"accessToken", access}, {"idToken", id}, {"refreshToken", refresh}} {
		if c[1] != "" {
			header += "; " + Prefix + u.Name + "." + c[0] + "=" + c[1]
		}
	}
	return header
}

// RoundTrip answers requests for keys and tokens, and calls of the user pool and the identity pool.
// It fails on others.
func (p *Pool) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/jwks.json"):
		return p.keysAnswer(r)
	case r.URL.Path == "/oauth2/token":
		return p.tokenAnswer(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("testpool: unexpected call of %s: %w", r.URL, err)
	}
	target := r.Header.Get("X-Amz-Target")
	if operation, ok := strings.CutPrefix(target, "AWSCognitoIdentityService."); ok {
		return p.Response(r, p.answerIdentity(IdentityCall{operation, r.URL.Host, in}))
	}
	p.mu.Lock()
	var answer func(map[string]any) Answer
	switch strings.TrimPrefix(target, "AWSCognitoIdentityProviderService.") {
	case "GetTokensFromRefreshToken":
		p.refreshes = append(p.refreshes, in)
		answer = p.refresh
	case "RevokeToken":
		token, _ := in["Token"].(string)
		p.revoked = append(p.revoked, token)
		if answer = p.revoke; answer == nil {
			answer = func(map[string]any) Answer { return Answer{http.StatusOK, map[string]any{}} }
		}
	case "GlobalSignOut":
		p.revoked = append(p.revoked, "global")
		answer = func(map[string]any) Answer { return Answer{http.StatusOK, map[string]any{}} }
	}
	p.mu.Unlock()
	if answer == nil {
		return nil, fmt.Errorf("testpool: unexpected call of %s %q", r.URL, target)
	}
	return p.Response(r, answer(in))
}

func (p *Pool) tokenAnswer(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.exchanges = append(p.exchanges, r.PostForm)
	exchange := p.exchange
	p.mu.Unlock()
	if exchange == nil {
		return nil, errors.New("testpool: unexpected call of the token endpoint")
	}
	response, err := p.Response(r, exchange(r.PostForm))
	if err == nil {
		response.Header.Set("Content-Type", "application/json")
	}
	return response, err
}

func (p *Pool) keysAnswer(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.keyFetches[r.URL.Host]++
	published, down := p.published, p.keysDown
	p.mu.Unlock()
	switch {
	case down:
		return p.Response(r, Answer{http.StatusServiceUnavailable, nil})
	case r.URL.Path != "/"+p.id+"/.well-known/jwks.json":
		return p.Response(r, Answer{http.StatusNotFound, nil})
	case strings.HasPrefix(r.URL.Host, "issuer-"):
		return p.Response(r, Answer{http.StatusForbidden, nil}) // the pool was never switched
	}
	return p.Response(r, Answer{http.StatusOK, p.KeySet(published...)})
}

// KeySet returns the JSON Web Key Set of keys.
func (p *Pool) KeySet(ids ...string) map[string]any {
	keys := []any{}
	for _, id := range ids {
		public := p.keys[id].PublicKey
		keys = append(keys, map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": id,
			"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	return map[string]any{"keys": keys}
}

// Response returns a as the response to r, at the pool's time.
func (p *Pool) Response(r *http.Request, a Answer) (*http.Response, error) {
	body, err := json.Marshal(a.Body)
	if err != nil {
		return nil, err
	}
	h := http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"Date":         {p.Now().UTC().Format(http.TimeFormat)},
	}
	return &http.Response{
		StatusCode: a.Status, Status: http.StatusText(a.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}
