package identity

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

const (
	testPool   = "eu-west-1:11111111-2222-3333-4444-555555555555"
	testClient = "client1"
	testGroup  = "arn:aws:iam::000000000000:role/editors"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// userPool is a user pool whose tokens a test signs as it likes.
type userPool struct {
	issuer  string
	key     *rsa.PrivateKey
	mu      sync.Mutex
	revoked map[string]bool
}

func (p *userPool) Issuer() string { return p.issuer }

func (p *userPool) PublicKey(kid string) *rsa.PublicKey {
	if kid != "k1" {
		return nil
	}
	return &p.key.PublicKey
}

func (p *userPool) SignedIn(_ context.Context, originJTI string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.revoked[originJTI], nil
}

func (p *userPool) name() string { return strings.TrimPrefix(p.issuer, "https://") }

// token returns an ID token of the user, with claims changed as said; nil removes one.
func (p *userPool) token(t testing.TB, sub string, change jwt.MapClaims) string {
	t.Helper()
	return p.signed(t, jwt.SigningMethodRS256, "k1", p.key, sub, change)
}

func (p *userPool) signed(t testing.TB, method jwt.SigningMethod, kid string, key any, sub string, change jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": p.issuer, "aud": testClient, "sub": sub, "token_use": "id", "cognito:username": "name-" + sub,
		"origin_jti": "session-" + sub, "iat": testNow.Unix(), "exp": testNow.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	tok := jwt.NewWithClaims(method, claims)
	tok.Header["kid"] = kid
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// logins are the Logins of a user.
func (p *userPool) logins(t *testing.T, sub string) map[string]string {
	t.Helper()
	return map[string]string{p.name(): p.token(t, sub, nil)}
}

// testKeys are made once, since that takes long: each user pool has a key of its own.
var testKeys = sync.OnceValue(func() map[string]*rsa.PrivateKey {
	keys := map[string]*rsa.PrivateKey{}
	for _, id := range []string{"eu-west-1_aaaaaaaaa", "eu-west-1_bbbbbbbbb", "eu-west-1_ccccccccc"} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[id] = key
	}
	return keys
})

func newUserPool(id string) *userPool {
	return &userPool{issuer: "https://cognito-idp.eu-west-1.amazonaws.com/" + id, key: testKeys()[id], revoked: map[string]bool{}}
}

// newPool returns an identity pool over two user pools, its clock standing at testNow.
func newPool(t testing.TB, change func(*Config)) (*Pool, *userPool, *userPool) {
	t.Helper()
	a, b := newUserPool("eu-west-1_aaaaaaaaa"), newUserPool("eu-west-1_bbbbbbbbb")
	cfg := Config{
		ID: testPool, AllowGuests: true, Clock: func() time.Time { return testNow },
		Providers: []Provider{
			{UserPool: a, ClientIDs: []string{"client0", testClient}},
			{UserPool: b, ClientIDs: []string{testClient}},
		},
	}
	if change != nil {
		change(&cfg)
	}
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	p, err := New(t.Context(), st, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p, a, b
}

func mustID(t *testing.T, p *Pool, logins map[string]string) string {
	t.Helper()
	id, err := p.Identify(t.Context(), logins)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func mustCredentials(t *testing.T, p *Pool, id string, logins map[string]string) (*Credentials, Principal) {
	t.Helper()
	c, err := p.Credentials(t.Context(), id, logins, "")
	if err != nil {
		t.Fatal(err)
	}
	who, secret, err := p.Lookup(c.AccessKeyID, c.SessionToken)
	if err != nil || secret != c.SecretKey || who.IdentityID != c.IdentityID {
		t.Fatalf("Lookup of new credentials: %v, %v", who, err)
	}
	return c, who
}

// wantRefusal fails unless err is a refusal with that code and message.
func wantRefusal(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || e.Message != message {
		t.Errorf("got error %v\nwant %s: %s", err, code, message)
	}
}

func TestGuestsAreNew(t *testing.T) {
	p, _, _ := newPool(t, nil)
	a, b := mustID(t, p, nil), mustID(t, p, map[string]string{})
	if a == b {
		t.Error("two guests have one identity")
	}
	if !strings.HasPrefix(a, "eu-west-1:") || !identityID.MatchString(a) {
		t.Errorf("identity id %q", a)
	}
	c, who := mustCredentials(t, p, a, nil)
	want := Principal{IdentityID: a, Guest: true, Role: p.cfg.GuestRole}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Error(diff)
	}
	if want := testNow.Add(time.Hour); !c.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", c.Expires, want)
	}
	if len(c.AccessKeyID) != 20 || !strings.HasPrefix(c.AccessKeyID, "ASIA") || len(c.SecretKey) != 40 {
		t.Errorf("access key id %q and a secret of %d bytes are not AWS's form", c.AccessKeyID, len(c.SecretKey))
	}
}

func TestGuestsRefused(t *testing.T) {
	p, a, _ := newPool(t, nil)
	guest := mustID(t, p, nil)
	p.cfg.AllowGuests = false
	const message = "Unauthenticated access is not supported for this identity pool."
	_, err := p.Identify(t.Context(), nil)
	wantRefusal(t, err, NotAuthorized, message)
	_, err = p.Credentials(t.Context(), guest, nil, "")
	wantRefusal(t, err, NotAuthorized, message)
	mustID(t, p, a.logins(t, "ann"))
}

func TestOneIdentityPerUser(t *testing.T) {
	p, a, b := newPool(t, nil)
	ann := mustID(t, p, a.logins(t, "ann"))
	if again := mustID(t, p, map[string]string{a.name(): a.token(t, "ann", jwt.MapClaims{"aud": "client0"})}); again != ann {
		t.Error("another client gave another identity")
	}
	if bob := mustID(t, p, a.logins(t, "bob")); bob == ann {
		t.Error("two users have one identity")
	}
	if other := mustID(t, p, b.logins(t, "ann")); other == ann {
		t.Error("users of two pools with the same sub have one identity")
	}
	_, who := mustCredentials(t, p, ann, a.logins(t, "ann"))
	want := Principal{IdentityID: ann, Role: p.cfg.UserRole, Sub: "ann", Username: "name-ann"}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Error(diff)
	}
}

func TestConcurrentLoginsGetOneIdentity(t *testing.T) {
	p, a, _ := newPool(t, nil)
	logins := a.logins(t, "ann")
	ids := make(chan string, 20)
	var wg sync.WaitGroup
	for range cap(ids) {
		wg.Go(func() {
			id, err := p.Identify(t.Context(), logins)
			if err != nil {
				t.Error(err)
			}
			ids <- id
		})
	}
	wg.Wait()
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Fatal("one user got two identities")
		}
	}
}

// There are no credentials for the identity of another user.
func TestIsolation(t *testing.T) {
	p, a, b := newPool(t, nil)
	ann := mustID(t, p, a.logins(t, "ann"))
	const forbidden = "Access to Identity '%s' is forbidden."
	const mismatch = "Logins don't match. Please include at least one valid login for this identity or identity pool."
	guest := mustID(t, p, nil)
	merged := mustID(t, p, nil)
	mustCredentials(t, p, merged, a.logins(t, "ann"))
	for _, tt := range []struct {
		name    string
		id      string
		logins  map[string]string
		message string
	}{
		{"no login", ann, nil, fmt.Sprintf(forbidden, ann)},
		{"a merged guest without login", merged, nil, fmt.Sprintf(forbidden, merged)},
		{"a user without identity", ann, a.logins(t, "bob"), mismatch},
		{"a user without identity, by a merged guest", merged, a.logins(t, "bob"), mismatch},
		{"same sub in another user pool", ann, b.logins(t, "ann"), mismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.Credentials(t.Context(), tt.id, tt.logins, "")
			wantRefusal(t, err, NotAuthorized, tt.message)
		})
	}
	bob := mustID(t, p, a.logins(t, "bob"))
	_, err := p.Credentials(t.Context(), ann, a.logins(t, "bob"), "")
	wantRefusal(t, err, NotAuthorized, mismatch)
	_, err = p.Credentials(t.Context(), merged, a.logins(t, "bob"), "")
	wantRefusal(t, err, NotAuthorized, mismatch)
	if c, _ := mustCredentials(t, p, guest, a.logins(t, "bob")); c.IdentityID != bob {
		t.Error("the guest was not merged into the identity of its user")
	}
}

func TestGuestJoins(t *testing.T) {
	p, a, b := newPool(t, nil)
	t.Run("a new user keeps the identity of the guest", func(t *testing.T) {
		guest := mustID(t, p, nil)
		if c, who := mustCredentials(t, p, guest, a.logins(t, "new")); c.IdentityID != guest || who.Guest {
			t.Errorf("credentials of %+v, want those of a user with identity %s", who, guest)
		}
		if id := mustID(t, p, a.logins(t, "new")); id != guest {
			t.Error("the identity is not linked to the user")
		}
	})
	t.Run("a known user gets the own identity", func(t *testing.T) {
		ann, guest := mustID(t, p, a.logins(t, "ann")), mustID(t, p, nil)
		for range 2 { // the second is a request that was under way
			if c, _ := mustCredentials(t, p, guest, a.logins(t, "ann")); c.IdentityID != ann {
				t.Errorf("identity %s, want %s", c.IdentityID, ann)
			}
		}
		identity, err := p.Identity(t.Context(), guest)
		if err != nil || identity.MergedInto != ann || len(identity.Logins) != 0 {
			t.Errorf("guest afterwards: %+v, %v", identity, err)
		}
	})
	t.Run("two logins of one person", func(t *testing.T) {
		both := a.logins(t, "two")
		first := mustID(t, p, both)
		maps.Copy(both, b.logins(t, "zwei"))
		if id := mustID(t, p, both); id != first {
			t.Error("a further login made a new identity")
		}
		if id := mustID(t, p, b.logins(t, "zwei")); id != first {
			t.Error("the further login was not linked")
		}
	})
	t.Run("logins of two people", func(t *testing.T) {
		mustID(t, p, a.logins(t, "x"))
		mustID(t, p, b.logins(t, "y"))
		both := a.logins(t, "x")
		maps.Copy(both, b.logins(t, "y"))
		_, err := p.Identify(t.Context(), both)
		wantRefusal(t, err, ResourceConflict, "A login is already linked to another identity.")
	})
	t.Run("a second login of one provider", func(t *testing.T) {
		both := a.logins(t, "p")
		maps.Copy(both, b.logins(t, "q"))
		mustID(t, p, both)
		maps.Copy(both, b.logins(t, "r"))
		_, err := p.Identify(t.Context(), both)
		wantRefusal(t, err, ResourceConflict, "A login is already linked to another identity.")
	})
}

func TestLoginTokens(t *testing.T) {
	p, a, b := newPool(t, func(c *Config) { c.Providers[0].ServerSideTokenCheck = true })
	foreign := newUserPool("eu-west-1_ccccccccc")
	const (
		unsigned = "Invalid login token. Couldn't verify signed token."
		noToken  = "Invalid login token. Not a valid OpenId Connect identity token."
		foreignP = "Token is not from a supported provider of this identity pool."
		issuer   = "Invalid login token. Issuer doesn't match providerName"
	)
	a.revoked["session-gone"] = true
	expired := testNow.Unix()
	for _, tt := range []struct {
		name, provider, token, code, message string
	}{
		{"empty", a.name(), "", NotAuthorized, noToken},
		{"garbage", a.name(), "garbage", NotAuthorized, noToken},
		{"garbage for another provider", "login.example", "garbage", InvalidParameter, "Please provide a valid public provider"},
		{"provider with scheme", a.issuer, a.token(t, "ann", nil), NotAuthorized, issuer},
		{"token of another pool", b.name(), a.token(t, "ann", nil), NotAuthorized, issuer},
		{"unknown pool", foreign.name(), foreign.token(t, "ann", nil), NotAuthorized, foreignP},
		{"unknown client", a.name(), a.token(t, "ann", jwt.MapClaims{"aud": "client9"}), NotAuthorized, foreignP},
		{"client of another pool", b.name(), b.token(t, "ann", jwt.MapClaims{"aud": "client0"}), NotAuthorized, foreignP},
		{"access token", a.name(), a.token(t, "ann", jwt.MapClaims{"aud": nil, "token_use": "access"}), NotAuthorized, "Invalid login token. Missing a required claim: aud"},
		{"wrong use", a.name(), a.token(t, "ann", jwt.MapClaims{"token_use": "access"}), NotAuthorized, noToken},
		{"no sub", a.name(), a.token(t, "", nil), NotAuthorized, noToken},
		{"no exp", a.name(), a.token(t, "ann", jwt.MapClaims{"exp": nil}), NotAuthorized, noToken},
		{"expired now", a.name(), a.token(t, "ann", jwt.MapClaims{"exp": expired}), NotAuthorized, fmt.Sprintf("Invalid login token. Token expired: %d >= %d", expired, expired)},
		{"revoked", a.name(), a.token(t, "gone", nil), NotAuthorized, "Invalid login token. Token has been revoked."},
		{"another's key", a.name(), a.signed(t, jwt.SigningMethodRS256, "k1", b.key, "ann", nil), NotAuthorized, unsigned},
		{"unknown kid", a.name(), a.signed(t, jwt.SigningMethodRS256, "k2", a.key, "ann", nil), NotAuthorized, unsigned},
		{"PS256", a.name(), a.signed(t, jwt.SigningMethodPS256, "k1", a.key, "ann", nil), NotAuthorized, unsigned},
		{"alg none", a.name(), a.signed(t, jwt.SigningMethodNone, "k1", jwt.UnsafeAllowNoneSignatureType, "ann", nil), NotAuthorized, unsigned},
		{"HS256 with the modulus", a.name(), a.signed(t, jwt.SigningMethodHS256, "k1", a.key.N.Bytes(), "ann", nil), NotAuthorized, unsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.Identify(t.Context(), map[string]string{tt.provider: tt.token})
			wantRefusal(t, err, tt.code, tt.message)
			guest := mustID(t, p, nil)
			_, err = p.Credentials(t.Context(), guest, map[string]string{tt.provider: tt.token}, "")
			wantRefusal(t, err, tt.code, tt.message)
			if identity, err := p.Identity(t.Context(), guest); err != nil || len(identity.Logins) > 0 || identity.MergedInto != "" {
				t.Errorf("the refused token was linked: %+v, %v", identity, err)
			}
		})
	}
	t.Run("revoked, without the check", func(t *testing.T) {
		p, a, _ := newPool(t, nil)
		a.revoked["session-gone"] = true
		mustCredentials(t, p, mustID(t, p, a.logins(t, "gone")), a.logins(t, "gone"))
	})
	t.Run("one bad login beside a good one", func(t *testing.T) {
		_, err := p.Identify(t.Context(), map[string]string{a.name(): a.token(t, "ann", nil), b.name(): "garbage"})
		wantRefusal(t, err, NotAuthorized, noToken)
	})
	t.Run("a pool without user pools", func(t *testing.T) {
		p, _, _ := newPool(t, func(c *Config) { c.Providers = nil })
		_, err := p.Identify(t.Context(), a.logins(t, "ann"))
		wantRefusal(t, err, NotAuthorized, "Logins don't match. Please include at least one valid login for this identity or identity pool.")
	})
	t.Run("too many", func(t *testing.T) {
		logins := map[string]string{}
		for i := range maxLogins + 1 {
			logins[fmt.Sprint(i)] = "x"
		}
		_, err := p.Identify(t.Context(), logins)
		wantRefusal(t, err, Validation, "1 validation error detected: Value at 'logins' failed to satisfy constraint: Member must have length less than or equal to 10")
	})
}

func TestRoles(t *testing.T) {
	const writers = "arn:aws:iam::000000000000:role/writers"
	roles := jwt.MapClaims{"cognito:roles": []string{testGroup, writers}, "cognito:groups": []string{"editors", "writers"}}
	preferred := maps.Clone(roles)
	preferred["cognito:preferred_role"] = testGroup
	for _, tt := range []struct {
		name   string
		claims jwt.MapClaims
		custom string
		deny   bool
		want   string // role, or the message of the refusal
	}{
		{"no group", nil, "", false, "arn:aws:iam::000000000000:role/sandbox-authenticated"},
		{"ambiguous", roles, "", false, "arn:aws:iam::000000000000:role/sandbox-authenticated"},
		{"ambiguous, denied", roles, "", true, "The ambiguous role mapping rules for: cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aaaaaaaaa denied this request."},
		{"preferred", preferred, "", true, testGroup},
		{"custom", preferred, writers, false, writers},
		{"custom that is not the user's", preferred, "arn:aws:iam::000000000000:role/admins", false, "Access to Role 'arn:aws:iam::000000000000:role/admins' is forbidden."},
		{"custom without roles", nil, writers, false, "Access to Role '" + writers + "' is forbidden."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, a, _ := newPool(t, func(c *Config) { c.DenyAmbiguousRole = tt.deny })
			logins := map[string]string{a.name(): a.token(t, "ann", tt.claims)}
			c, err := p.Credentials(t.Context(), mustID(t, p, logins), logins, tt.custom)
			if err != nil {
				wantRefusal(t, err, NotAuthorized, tt.want)
				return
			}
			who, _, err := p.Lookup(c.AccessKeyID, c.SessionToken)
			if err != nil || who.Role != tt.want {
				t.Errorf("role %q, %v; want %q", who.Role, err, tt.want)
			}
			if tt.claims != nil && !cmp.Equal(who.Groups, []string{"editors", "writers"}) {
				t.Errorf("groups %v", who.Groups)
			}
		})
	}
	t.Run("custom as a guest", func(t *testing.T) {
		p, _, _ := newPool(t, nil)
		_, err := p.Credentials(t.Context(), mustID(t, p, nil), nil, writers)
		wantRefusal(t, err, NotAuthorized, "Access to Role '"+writers+"' is forbidden.")
	})
}

func TestLookup(t *testing.T) {
	p, a, _ := newPool(t, nil)
	now := testNow
	p.cfg.Clock = func() time.Time { return now }
	ann, _ := mustCredentials(t, p, mustID(t, p, a.logins(t, "ann")), a.logins(t, "ann"))
	bob, _ := mustCredentials(t, p, mustID(t, p, a.logins(t, "bob")), a.logins(t, "bob"))
	flipped := []byte(ann.SessionToken)
	flipped[20] ^= 1
	other, _, _ := newPool(t, nil)
	strange, _ := mustCredentials(t, other, mustID(t, other, nil), nil)
	for _, tt := range []struct{ name, id, token string }{
		{"another's session token", ann.AccessKeyID, bob.SessionToken},
		{"no session token", ann.AccessKeyID, ""},
		{"no access key", "", ann.SessionToken},
		{"not base64", ann.AccessKeyID, "?"},
		{"tampered", ann.AccessKeyID, string(flipped)},
		{"of another sandbox", strange.AccessKeyID, strange.SessionToken},
	} {
		if who, secret, err := p.Lookup(tt.id, tt.token); err != ErrUnknownCredentials || secret != "" || who.IdentityID != "" {
			t.Errorf("%s: %v, %v", tt.name, who, err)
		}
	}
	now = testNow.Add(time.Hour - time.Second)
	if _, _, err := p.Lookup(ann.AccessKeyID, ann.SessionToken); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	now = testNow.Add(time.Hour)
	if _, secret, err := p.Lookup(ann.AccessKeyID, ann.SessionToken); err != ErrExpiredCredentials || secret != "" {
		t.Errorf("at the end: %v, want %v", err, ErrExpiredCredentials)
	}
}

// Identities, and credentials that are still good, survive a restart.
func TestRestart(t *testing.T) {
	dir, a := t.TempDir(), newUserPool("eu-west-1_aaaaaaaaa")
	start := func() (*Pool, func()) {
		st, err := store.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(t.Context(), st, Config{ID: testPool, Clock: func() time.Time { return testNow }, Providers: []Provider{
			{UserPool: a, ClientIDs: []string{testClient}}}})
		if err != nil {
			t.Fatal(err)
		}
		return p, func() { st.Close() }
	}
	p, stop := start()
	ann := mustID(t, p, a.logins(t, "ann"))
	c, _ := mustCredentials(t, p, ann, a.logins(t, "ann"))
	stop()
	p, stop = start()
	defer stop()
	if id := mustID(t, p, a.logins(t, "ann")); id != ann {
		t.Error("another identity after the restart")
	}
	if _, secret, err := p.Lookup(c.AccessKeyID, c.SessionToken); err != nil || secret != c.SecretKey {
		t.Errorf("credentials after the restart: %v", err)
	}
}

func TestConfig(t *testing.T) {
	_, err := New(t.Context(), nil, Config{ID: "eu-west-1_x", CredentialsValidity: -1,
		Providers: []Provider{{UserPool: newUserPool("eu-west-1_aaaaaaaaa")}}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`"eu-west-1_x"`, "validity", "eu-west-1_aaaaaaaaa has no app client"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %s", err, want)
		}
	}
}

// The default clock is the machine's.
func TestExpiryByTheClock(t *testing.T) {
	p, _, _ := newPool(t, func(c *Config) { c.Clock = nil })
	c, _ := mustCredentials(t, p, mustID(t, p, nil), nil)
	if life := time.Until(c.Expires); life > time.Hour || life < time.Hour-time.Minute {
		t.Errorf("credentials live %v, want an hour", life)
	}
}

// A login leaves its identity. Whoever the identity belonged to, nobody takes it over.
func TestUnlink(t *testing.T) {
	p, a, b := newPool(t, nil)
	ctx, ann := t.Context(), a.logins(t, "ann")
	both := map[string]string{a.name(): ann[a.name()], b.name(): b.token(t, "ann", nil)}
	id := mustID(t, p, both)
	wantRefusal := func(what string, err error, code string) {
		t.Helper()
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Code != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	unlink := func(id string, logins map[string]string, providers ...string) error {
		return p.Unlink(ctx, id, logins, providers)
	}
	wantRefusal("without a login", unlink(id, nil, a.name()), NotAuthorized)
	wantRefusal("another user", unlink(id, a.logins(t, "bob"), a.name()), NotAuthorized)
	mustID(t, p, a.logins(t, "bob"))
	wantRefusal("another identity's user", unlink(id, a.logins(t, "bob"), a.name()), NotAuthorized)
	wantRefusal("an unknown identity", unlink("eu-west-1:0", ann, a.name()), ResourceNotFound)

	// One login goes; the other one still opens the identity.
	if err := unlink(id, ann, b.name()); err != nil {
		t.Fatal(err)
	}
	identity, err := p.Identity(ctx, id)
	if err != nil || len(identity.Logins) != 1 || identity.Disabled {
		t.Errorf("identity %+v, %v", identity, err)
	}
	mustCredentials(t, p, id, ann)
	if fresh := mustID(t, p, b.logins(t, "ann")); fresh == id {
		t.Error("the unlinked login still leads to the identity")
	}

	// Then the last one goes.
	if err := unlink(id, ann, a.name()); err != nil {
		t.Fatal(err)
	}
	identity, err = p.Identity(ctx, id)
	if err != nil || len(identity.Logins) != 0 || !identity.Disabled {
		t.Errorf("identity %+v, %v; want it disabled", identity, err)
	}
	for what, logins := range map[string]map[string]string{
		"a guest": nil, "its user": ann,
		"another user": a.logins(t, "bob"), "a new user": a.logins(t, "carol"),
	} {
		_, err := p.Credentials(ctx, id, logins, "")
		wantRefusal("credentials for "+what, err, NotAuthorized)
	}
	wantRefusal("its user unlinks again", unlink(id, ann, a.name()), NotAuthorized)
	if fresh := mustID(t, p, ann); fresh == id {
		t.Error("its user got the disabled identity again")
	}
}

// Deleted identities are gone, with their logins. A guest merged into one stays closed.
func TestDelete(t *testing.T) {
	p, a, _ := newPool(t, nil)
	ctx, ann := t.Context(), a.logins(t, "ann")
	id, guest := mustID(t, p, ann), mustID(t, p, nil)
	mustCredentials(t, p, guest, ann) // merges the guest
	bob := mustID(t, p, a.logins(t, "bob"))
	if err := p.Delete(ctx, []string{id, "eu-west-1:0"}); err != nil {
		t.Fatal(err)
	}
	for deleted, logins := range map[string]map[string]string{id: ann, guest: nil} {
		if _, err := p.Credentials(ctx, deleted, logins, ""); err == nil {
			t.Errorf("credentials for %s", deleted)
		}
	}
	if fresh := mustID(t, p, ann); fresh == id {
		t.Error("the login has the deleted identity")
	}
	if again := mustID(t, p, a.logins(t, "bob")); again != bob {
		t.Error("another identity was deleted")
	}
}
