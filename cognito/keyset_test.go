package cognito_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

const keysHost = "cognito-idp.eu-west-1.amazonaws.com"

func TestKeysAreFetchedOnce(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	if n := pool.KeyFetches(keysHost); n != 0 {
		t.Fatalf("New fetched keys %d times", n)
	}
	for range 3 {
		wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
		pool.Advance(time.Second)
	}
	if n := pool.KeyFetches(keysHost); n != 1 {
		t.Errorf("keys were fetched %d times, want 1", n)
	}
}

func TestWarmUp(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	for range 2 {
		if err := c.WarmUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
	if n := pool.KeyFetches(keysHost); n != 1 {
		t.Errorf("keys were fetched %d times, want 1", n)
	}
	pool.KeysDown(true)
	if err := newCognito(t, pool, cognito.Options{}).WarmUp(t.Context()); amplify.ReasonOf(err) != amplify.ReasonKeysUnavailable {
		t.Errorf("WarmUp while the keys are down: %v", err)
	}
}

func TestBundledKeys(t *testing.T) {
	pool := testpool.New(t)
	keys, err := json.Marshal(pool.KeySet("key-1"))
	if err != nil {
		t.Fatal(err)
	}
	pool.KeysDown(true)
	c := newCognito(t, pool, cognito.Options{Keys: keys})
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
}

// TestKeysDown: known keys go on; what they cannot judge is a transient error; recovery is noticed.
func TestKeysDown(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
	pool.KeysDown(true)
	rotated := func() *storage {
		return session(alice, pool.Access(alice), pool.Sign("rogue", idClaims(alice), alice, nil), "r")
	}
	for range 3 {
		pool.Advance(2 * time.Hour)
		wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
		kv := rotated()
		before := len(kv.entries)
		wantReason(t, c, kv, amplify.ReasonKeysUnavailable)
		if len(kv.entries) != before {
			t.Fatal("cookies were cleared for a transient error")
		}
	}
	pool.KeysDown(false)
	pool.Publish("key-1", "rogue")
	pool.Advance(time.Minute)
	wantUser(t, c, rotated(), alice)
}

// TestNoKeysYet: without any key a retry comes sooner than after a minute, but not with every
// request.
func TestNoKeysYet(t *testing.T) {
	pool := testpool.New(t)
	pool.KeysDown(true)
	c := newCognito(t, pool, cognito.Options{})
	kv := func() *storage { return session(alice, pool.Access(alice), pool.ID(alice), "") }
	for range 5 {
		wantReason(t, c, kv(), amplify.ReasonKeysUnavailable)
	}
	if n := pool.KeyFetches(keysHost); n != 1 {
		t.Errorf("keys were fetched %d times, want 1", n)
	}
	pool.KeysDown(false)
	pool.Advance(5 * time.Second)
	wantUser(t, c, kv(), alice)
}

// TestKeyRotation: a key that is new is fetched at once.
func TestKeyRotation(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
	pool.Publish("key-1", "key-2", "rogue")
	pool.Advance(time.Minute)
	wantUser(t, c, session(alice, pool.Access(alice), pool.Sign("rogue", idClaims(alice), alice, nil), ""), alice)
}

// TestVanishedKey: a session that was verified is refused once the key that signed it has gone.
func TestVanishedKey(t *testing.T) {
	pool := testpool.New(t)
	// Good for three hours, so that only the key decides.
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Add(3 * time.Hour).Unix()}
	synctest.Test(t, func(t *testing.T) {
		c := newCognito(t, pool, cognito.Options{})
		kv := session(alice, pool.Access(alice, exp), pool.ID(alice, exp), "")
		wantUser(t, c, kv, alice)
		pool.Publish("key-2")
		wantUser(t, c, kv, alice)
		pool.Advance(time.Hour)
		_, _ = tokens(t, c, kv) // starts a fetch in the background, and may already see its outcome
		synctest.Wait()
		wantReason(t, c, kv, amplify.ReasonUnknownKey)
	})
}

// TestKeysAreRenewed: an old set is fetched in the background, by sessions that are known, too.
func TestKeysAreRenewed(t *testing.T) {
	pool := testpool.New(t)
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Add(3 * time.Hour).Unix()}
	synctest.Test(t, func(t *testing.T) {
		c := newCognito(t, pool, cognito.Options{})
		kv := session(alice, pool.Access(alice, exp), pool.ID(alice, exp), "")
		for _, step := range []struct {
			after   time.Duration
			fetches int
		}{{0, 1}, {59 * time.Minute, 1}, {time.Minute, 2}, {time.Minute, 2}} {
			pool.Advance(step.after)
			wantUser(t, c, kv, alice)
			synctest.Wait()
			if n := pool.KeyFetches(keysHost); n != step.fetches {
				t.Fatalf("keys were fetched %d times, want %d", n, step.fetches)
			}
		}
	})
}

func TestIssuers(t *testing.T) {
	pool := testpool.New(t)
	replica := testpool.Claim{Name: "iss", Value: strings.Replace(testpool.Issuer, "eu-west-1.", "eu-central-1.", 1)}
	kv := func() *storage { return session(alice, pool.Access(alice, replica), pool.ID(alice, replica), "") }
	wantReason(t, newCognito(t, pool, cognito.Options{}), kv(), amplify.ReasonWrongIssuer)

	c := newCognito(t, pool, cognito.Options{ReplicaRegions: []string{"eu-central-1", "eu-west-1"}})
	wantUser(t, c, kv(), alice)
	if n := pool.KeyFetches("cognito-idp.eu-central-1.amazonaws.com"); n != 1 {
		t.Errorf("the replica's keys were fetched %d times, want 1", n)
	}
	if n := pool.KeyFetches(keysHost); n != 0 {
		t.Errorf("the original issuer's keys were fetched %d times, want 0", n)
	}
}

// TestLocator: where keys come from has no influence on what iss must say.
func TestLocator(t *testing.T) {
	pool := testpool.New(t)
	o := pool.Options()
	o.Endpoints.UserPoolKeys = "http://localhost:9999"
	app, err := amplify.New(pool.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	for _, issuer := range []string{testpool.Issuer, strings.Replace(testpool.Issuer, "//", "//issuer-", 1)} {
		iss := testpool.Claim{Name: "iss", Value: issuer}
		wantUser(t, c, session(alice, pool.Access(alice, iss), pool.ID(alice, iss), ""), alice)
	}
	if n := pool.KeyFetches("localhost:9999"); n != 2 {
		t.Errorf("%d fetches from the locator, want one for each issuer", n)
	}
	local := testpool.Claim{Name: "iss", Value: "http://localhost:9999/" + testpool.ID}
	wantReason(t, c, session(alice, pool.Access(alice, local), pool.ID(alice, local), ""), amplify.ReasonWrongIssuer)
}

func TestOptionsFaults(t *testing.T) {
	pool := testpool.New(t)
	app, err := amplify.New(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = cognito.New(app, cognito.Options{
		Leeway: -1, ReplicaRegions: []string{"Frankfurt"}, RefreshTokenRotation: 7, MaxSessions: -1, BearerClientIDs: []string{""},
	})
	if amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Fatalf("err = %v", err)
	}
	for _, fault := range []string{"Leeway", "Frankfurt", "RefreshTokenRotation", "MaxSessions", "BearerClientIDs"} {
		if !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not told: %v", fault, err)
		}
	}
	for _, keys := range []string{"{", "[]", "{}", `{"keys":[]}`, `{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"k","n":"AQAB","e":"AQAB"}]}`} {
		if _, err := cognito.New(app, cognito.Options{Keys: json.RawMessage(keys)}); err == nil {
			t.Errorf("Keys %s were accepted", keys)
		}
	}
}

// TestKeyDocuments: only what can have signed a Cognito token is a key, and a document is read up
// to a limit.
func TestKeyDocuments(t *testing.T) {
	pool := testpool.New(t)
	good := pool.KeySet("key-1")["keys"].([]any)[0].(map[string]any)
	with := func(name string, value any) map[string]any {
		k := map[string]any{}
		for n, v := range good {
			k[n] = v
		}
		k[name] = value
		return map[string]any{"keys": []any{k}}
	}
	refuses := func(t *testing.T, document any, kv *storage) {
		documents := roundTrip(func(r *http.Request) (*http.Response, error) { return jsonResponse(t, r, document), nil })
		app, err := amplify.New(pool.Config(), amplify.Options{HTTPClient: &http.Client{Transport: documents}, Clock: pool.Now})
		if err != nil {
			t.Fatal(err)
		}
		c, err := cognito.New(app, cognito.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(t.Context()) }()
		if got, err := tokens(t, c, kv); err == nil {
			t.Errorf("verified by such a key: %v", got.AccessToken.Claims())
		}
	}
	for name, document := range map[string]any{
		"another use":       with("use", "enc"),
		"no use":            with("use", ""),
		"another algorithm": with("alg", "RS512"),
		"another type":      with("kty", "oct"),
		"another kid":       with("kid", "key-9"),
		"no modulus":        with("n", ""),
		"a short modulus":   with("n", "AQAB"),
		"an even exponent":  with("e", "Ag"),
		"no keys":           map[string]any{"keys": []any{}},
		"no set":            "<html>",
		"too much":          map[string]any{"keys": []any{good}, "x": strings.Repeat("x", 1<<16)},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, document, session(alice, pool.Access(alice), pool.ID(alice), ""))
		})
	}
	t.Run("a key of 1,024 bits", func(t *testing.T) {
		short, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		sign := func(claims map[string]any) string {
			return pool.JWT(jwt.SigningMethodRS256, short, map[string]any{"kid": "key-1"}, pool.Claims(claims, alice))
		}
		document := with("n", base64.RawURLEncoding.EncodeToString(short.N.Bytes()))
		refuses(t, document, session(alice, sign(accessClaims(alice)), sign(idClaims(alice)), ""))
	})
}

func accessClaims(u testpool.User) map[string]any {
	return map[string]any{"token_use": "access", "client_id": testpool.Client, "username": u.Name}
}

func idClaims(u testpool.User) map[string]any {
	return map[string]any{"token_use": "id", "aud": testpool.Client, "cognito:username": u.Name}
}
