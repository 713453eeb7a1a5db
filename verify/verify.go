package verify

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/internal/cookieheader"
	"github.com/amplify-go/amplify/internal/sessionkey"
	"github.com/amplify-go/amplify/internal/token"
)

// Options say whose tokens count. UserPoolID, ClientID and Keys are required.
type Options struct {
	// UserPoolID is auth.user_pool_id of amplify_outputs.json.
	UserPoolID string
	// ClientID is the app client: auth.user_pool_client_id of amplify_outputs.json.
	ClientID string
	// Keys is the JSON Web Key Set of the user pool, as the address that [KeysURL] returns has it.
	// If the pool has several issuers, it holds the keys of all of them.
	Keys json.RawMessage
	// Leeway is how far the clock may differ from Cognito's: up to five minutes.
	Leeway time.Duration
	// ReplicaRegions are the other regions of a replicated user pool.
	ReplicaRegions []string
	// Issuers are further issuers of the user pool, for partitions that this library does not know.
	Issuers []string
	// BearerClientIDs are further app clients whose access tokens [Verifier.AccessToken] accepts.
	BearerClientIDs []string
	// Clock tells the time. It is [time.Now] if nil. With a slow clock expired tokens count: some
	// hosts of WebAssembly have one that stands still unless they are told otherwise.
	Clock func() time.Time
}

// maxLeeway is that of package cognito.
const maxLeeway = 5 * time.Minute

// KeysURL returns the address at which a user pool publishes its keys.
func KeysURL(userPoolID string) string {
	return token.Issuer(userPoolID) + "/.well-known/jwks.json"
}

// Verifier verifies sessions and tokens of one user pool. It calls nobody and remembers nothing.
// A session costs two signature checks, and any request at most eight. A Verifier is safe for
// concurrent use.
type Verifier struct {
	clientID      string
	bearerClients []string
	prefix        string // of the keys of the app client's sessions
	issuers       map[string]*keys
	leeway        time.Duration
	clock         func() time.Time
}

// New returns the Verifier that o describes, or every fault of o at once.
func New(o Options) (*Verifier, error) {
	var faults []error
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("verify: "+format, a...))
	}
	if !token.IsPoolID(o.UserPoolID) {
		fault("Options.UserPoolID is %q: copy user_pool_id of amplify_outputs.json, such as "+
			"\"eu-west-1_AbCdEfGhI\"", o.UserPoolID)
	}
	if o.ClientID == "" {
		fault("Options.ClientID is empty: copy user_pool_client_id of amplify_outputs.json")
	}
	if slices.Contains(o.BearerClientIDs, "") {
		fault("Options.BearerClientIDs contains an empty id")
	}
	if o.Leeway < 0 || o.Leeway > maxLeeway {
		fault("Options.Leeway is %v: choose 0 to %v", o.Leeway, maxLeeway)
	}
	public, err := token.ParseKeys(o.Keys)
	if err != nil {
		fault("Options.Keys: %w: fetch it from %s", err, KeysURL(o.UserPoolID))
	}
	issuers, err := token.Issuers(o.UserPoolID, o.ReplicaRegions, o.Issuers)
	if err != nil {
		fault("%w", err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	v := &Verifier{
		clientID:      strings.Clone(o.ClientID),
		bearerClients: append(slices.Clone(o.BearerClientIDs), o.ClientID),
		prefix:        sessionkey.Prefix(o.ClientID),
		issuers:       map[string]*keys{},
		leeway:        o.Leeway,
		clock:         o.Clock,
	}
	if v.clock == nil {
		v.clock = time.Now
	}
	for _, issuer := range issuers {
		v.issuers[issuer] = &keys{issuer, public}
	}
	return v, nil
}

// Session is what the cookies of a signed-in user say.
type Session struct {
	// AccessToken and IDToken belong to one user.
	AccessToken, IDToken *Token
	// Expires is when the session expires, unless a server refreshes it.
	Expires time.Time
}

// Token is a token that has been verified.
type Token struct {
	Claims
	payload string // base64url. The signature is left out: this cannot be used as a token
}

// Claims are the claims that the library itself looks at. [Token.Decode] reads others.
type Claims struct {
	Subject     string // sub
	Username    string // username of an access token, cognito:username of an ID token
	Issuer      string // iss
	ClientID    string // client_id of an access token, aud of an ID token
	TokenUse    string // "access" or "id"
	IssuedAt    time.Time
	ExpiresAt   time.Time
	AuthTime    time.Time
	Scopes      []string // scope, split at spaces
	Groups      []string // cognito:groups
	Name, Email string   // what users say of themselves; "" in access tokens
}

// Decode unmarshals the token's payload, a JSON object with all claims, into v.
func (t *Token) Decode(v any) error {
	b, err := base64.RawURLEncoding.DecodeString(t.payload)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return fmt.Errorf("verify: decoding the claims of a token: %w", err)
	}
	return nil
}

// Session returns the session in the cookies of a request: the lines of its Cookie header, of which
// there is usually one. Which cookies count is decided as in package cognito. If there is no
// session, or none that counts, the error is an [*Error].
func (v *Verifier) Session(cookies ...string) (*Session, error) {
	if cookieheader.TooLarge(cookies) {
		return nil, &Error{Reason: ReasonCookiesTooLarge}
	}
	values := v.values(cookies)
	check := v.check(cookieheader.MaxSize)
	candidates := v.candidates(values, check)
	if len(candidates) == 0 {
		if len(values.List) > 0 {
			return nil, &Error{Reason: ReasonIncompleteSession}
		}
		return nil, &Error{Reason: ReasonNoSession}
	}
	var refused error
	for _, c := range candidates {
		pair, err := check.Pair(context.Background(), c.access, c.id)
		if err == nil {
			return v.session(pair, values.Drift(c.user))
		}
		if refused == nil {
			refused = err
		}
	}
	return nil, refused
}

// values returns what the cookies hold of sessions.
func (v *Verifier) values(cookies []string) *sessionkey.Values {
	values := &sessionkey.Values{Prefix: v.prefix}
	var arena strings.Builder
	cookieheader.Keys(cookies, v.prefix, &arena, func(key, value string) bool {
		return values.Add(key, cookieheader.Decode(cookieheader.Unquote(value), &arena))
	})
	return values
}

// candidate is a pair of tokens that may be the session.
type candidate struct {
	token.Candidate
	user       string
	access, id *token.Token
}

// candidates returns the candidates in the order in which they are to be tried.
func (v *Verifier) candidates(values *sessionkey.Values, check *verifier) (all []*candidate) {
	for _, user := range values.Users() {
		for _, p := range values.Pairs(user) {
			access := check.Read(p.Access, token.UseAccess, v.clientID)
			id := check.Read(p.ID, token.UseID, v.clientID)
			judged := token.NewCandidate(access, id, p.AsWritten)
			all = append(all, &candidate{judged, user, access, id})
		}
	}
	slices.SortStableFunc(all, func(a, b *candidate) int { return a.Compare(&b.Candidate) })
	return all
}

// session returns the session of a pair of tokens that have been verified.
func (v *Verifier) session(pair *token.Pair, drift time.Duration) (*Session, error) {
	notBefore, expires := token.Span(pair.Access.Payload, pair.ID.Payload)
	expires = expires.Add(-drift)
	if err := v.judgeTimes(notBefore, expires); err != nil {
		return nil, err
	}
	return &Session{newToken(pair.Access), newToken(pair.ID), expires}, nil
}

// AccessToken verifies an access token: that of an Authorization header, for instance, without
// "Bearer ". If it does not count, the error is an [*Error].
func (v *Verifier) AccessToken(raw string) (*Token, error) {
	return v.token(raw, token.UseAccess, v.bearerClients...)
}

// IDToken verifies an ID token. If it does not count, the error is an [*Error].
func (v *Verifier) IDToken(raw string) (*Token, error) {
	return v.token(raw, token.UseID, v.clientID)
}

func (v *Verifier) token(raw, use string, clients ...string) (*Token, error) {
	if raw == "" {
		return nil, &Error{Reason: ReasonNoSession}
	}
	check := v.check(token.MaxBytes)
	verified, err := check.Verify(context.Background(), check.Read(raw, use, clients...))
	if err != nil {
		return nil, err
	}
	if err := v.judgeTimes(token.Span(verified.Payload)); err != nil {
		return nil, err
	}
	return newToken(verified), nil
}

// judgeTimes refuses tokens that do not count yet, or no longer.
func (v *Verifier) judgeTimes(notBefore, expires time.Time) error {
	now := v.clock()
	switch {
	case now.Add(v.leeway).Before(notBefore):
		return &Error{Reason: ReasonNotYetValid}
	case !now.Add(-v.leeway).Before(expires):
		return &Error{Reason: ReasonExpired}
	}
	return nil
}

func newToken(t *token.Verified) *Token {
	payload := strings.Split(t.Raw, ".")[1]
	return &Token{Claims(t.Payload.Claims), strings.Clone(payload)}
}

// verifier checks the tokens of one request.
type verifier = token.Verifier[*keys]

// check returns the verifier of a request whose tokens have up to maxBytes.
func (v *Verifier) check(maxBytes int) *verifier {
	return &verifier{Issuers: v.issuers, MaxBytes: maxBytes, Refuse: refuse}
}

// keys are the keys of one issuer.
type keys struct {
	issuer string
	public map[string]*rsa.PublicKey
}

// Issuer implements [token.Keys].
func (k *keys) Issuer() string { return k.issuer }

// MayHave implements [token.Keys].
func (k *keys) MayHave(id string) bool { return k.public[id] != nil }

// Key implements [token.Keys].
func (k *keys) Key(_ context.Context, id string) (token.Key, error) {
	public := k.public[id]
	if public == nil {
		return nil, &Error{Reason: ReasonUnknownKey}
	}
	return key{public}, nil
}

type key struct{ public *rsa.PublicKey }

// Public implements [token.Key].
func (k key) Public() *rsa.PublicKey { return k.public }
