package cognito_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestLastAuthUser: LastAuthUser selects the tokens, whatever it spells. Who the user is the tokens
// say.
func TestLastAuthUser(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	longest := strings.Repeat("ü", 128)
	for _, typed := range []string{"alice", "ALICE", "a@b.com", "+491234", "username", "bob", " ", alice.Sub, longest} {
		wantUser(t, c, session(testpool.User{Name: typed}, pool.Access(alice), pool.ID(alice), ""), alice)
	}
	// A name that no user can have selects nothing, and the tokens below it are not looked at.
	for _, typed := range []string{longest + "x", strings.Repeat("x", 100_000)} {
		wantReason(t, c, session(testpool.User{Name: typed}, pool.Access(alice), pool.ID(alice), ""), amplify.ReasonIncompleteSession)
	}
	// Both tokens must stand under one name.
	split := session(alice, pool.Access(alice), "", "").add("LastAuthUser", "ally").add("ally.idToken", pool.ID(alice))
	wantReason(t, c, split, amplify.ReasonIncompleteSession)
	// And belong to one user.
	wantReason(t, c, session(alice, pool.Access(alice), pool.ID(bob), ""), amplify.ReasonUserMismatch)
	wantReason(t, c, session(alice, pool.Access(alice), pool.ID(testpool.User{Sub: alice.Sub, Name: "bob"}), ""), amplify.ReasonUserMismatch)
	wantReason(t, c, session(alice, pool.Access(alice), pool.ID(testpool.User{Sub: bob.Sub, Name: "alice"}), ""), amplify.ReasonUserMismatch)
}

// TestFallbackUser: without LastAuthUser the session is looked for under "username".
func TestFallbackUser(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := (&storage{}).add("username.accessToken", pool.Access(alice)).add("username.idToken", pool.ID(alice))
	wantUser(t, c, kv, alice)
	wantReason(t, c, (&storage{}).add("alice.accessToken", pool.Access(alice)).add("alice.idToken", pool.ID(alice)), amplify.ReasonIncompleteSession)
}

// TestNamesLikeKeys: a user name may contain dots and key names.
func TestNamesLikeKeys(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	for _, name := range []string{"x.accessToken", "accessToken", "x.LastAuthUser", "LastAuthUser", "a.b.c", ".", "..", "x."} {
		u := testpool.User{Sub: alice.Sub, Name: name}
		wantUser(t, c, session(u, pool.Access(u), pool.ID(u), ""), u)
	}
	// The access token of a user called "x" is no key of a user called "x.accessToken".
	u := testpool.User{Sub: bob.Sub, Name: "x.accessToken"}
	kv := session(u, "", pool.ID(u), "").add("x.accessToken", pool.Access(u))
	wantReason(t, c, kv, amplify.ReasonIncompleteSession)
}

// TestDuplicates: of several sessions the youngest that verifies counts.
func TestDuplicates(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	at := func(seconds int64) testpool.Claim {
		return testpool.Claim{Name: "iat", Value: pool.Now().Unix() + seconds}
	}
	old, young := pool.Access(alice, at(-600)), pool.Access(alice, at(-60))
	oldID, youngID := pool.ID(alice, at(-600)), pool.ID(alice, at(-60))
	// They name a key that is published, and are younger still.
	forged := func(claims map[string]any) string {
		return pool.JWT(jwt.SigningMethodRS256, pool.Key("rogue"), map[string]any{"kid": "key-1"}, pool.Claims(claims, alice))
	}
	for _, kv := range []*storage{
		session(alice, forged(accessClaims(alice)), forged(idClaims(alice)), "r1").add("alice.accessToken", young).add("alice.idToken", youngID),
		session(alice, old, oldID, "r1").add("alice.accessToken", young).add("alice.idToken", youngID),
		session(alice, young, youngID, "r1").add("alice.accessToken", old).add("alice.idToken", oldID),
		session(alice, young, oldID, "r1").add("alice.accessToken", old).add("alice.idToken", youngID),
		session(alice, "garbage", youngID, "r1").add("alice.accessToken", young).add("alice.idToken", "garbage"),
	} {
		got, err := tokens(t, c, kv)
		if err != nil {
			t.Fatal(err)
		}
		if got.AccessToken.Reveal() != young || got.IDToken.Reveal() != youngID {
			t.Error("not the youngest tokens")
		}
	}

	// Two users' names, and two users' tokens under one name, never mix.
	kv := session(bob, pool.Access(bob, at(-600)), pool.ID(bob, at(-600)), "")
	kv.add("LastAuthUser", "alice").add("alice.accessToken", young).add("alice.idToken", youngID)
	wantUser(t, c, kv, alice)
	kv = session(alice, pool.Access(bob, at(0)), oldID, "").add("alice.accessToken", old).add("alice.idToken", pool.ID(bob, at(0)))
	wantUser(t, c, kv, bob)
	wantReason(t, c, session(alice, pool.Access(bob), youngID, "").add("alice.accessToken", "garbage"), amplify.ReasonUserMismatch)

	// Many duplicates are only ever sent to make work.
	kv = session(alice, "garbage", youngID, "")
	for range 1000 {
		kv.add("alice.accessToken", "garbage").add("alice.idToken", "garbage").add("LastAuthUser", "alice")
	}
	wantReason(t, c, kv.add("alice.accessToken", young), amplify.ReasonMalformedToken)
}

// TestRefreshTokensArePaired: of several refresh tokens that one is redeemed which was written with
// the access token, as far as that can be told.
func TestRefreshTokensArePaired(t *testing.T) {
	pool := testpool.New(t)
	// The second pair of tokens is the younger one.
	at := func(seconds int64) []testpool.Claim {
		now := pool.Now().Unix()
		return []testpool.Claim{{Name: "iat", Value: now + seconds}, {Name: "exp", Value: now - 1}}
	}
	for _, tt := range []struct {
		refresh []string
		want    string
	}{
		{[]string{"r1", "r2"}, "r2"},
		{[]string{"r1"}, "r1"},
		{[]string{"r1", "r2", "r3"}, "r1"},
	} {
		pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") })
		kv := session(alice, pool.Access(alice, at(-7200)...), pool.ID(alice, at(-7200)...), "")
		kv.add("alice.accessToken", pool.Access(alice, at(-3600)...)).add("alice.idToken", pool.ID(alice, at(-3600)...))
		for _, token := range tt.refresh {
			kv.add("alice.refreshToken", token)
		}
		before := len(pool.Refreshes())
		wantUser(t, newCognito(t, pool, cognito.Options{}), kv, alice)
		if calls := pool.Refreshes()[before:]; len(calls) != 1 || calls[0]["RefreshToken"] != tt.want {
			t.Errorf("of %q: %v", tt.refresh, calls)
		}
	}
}

// TestDuplicatesWhileKeysAreDown: what cannot be judged must not be taken for refused.
func TestDuplicatesWhileKeysAreDown(t *testing.T) {
	pool := testpool.New(t)
	pool.KeysDown(true)
	c := newCognito(t, pool, cognito.Options{})
	wantReason(t, c, session(alice, "garbage", pool.ID(alice), "").add("alice.accessToken", pool.Access(alice)), amplify.ReasonKeysUnavailable)
	wantReason(t, c, session(alice, pool.Access(alice), pool.ID(alice), "").add("alice.accessToken", "garbage"), amplify.ReasonKeysUnavailable)
}

// TestTimes: a remembered session is judged by the clock each time.
func TestTimes(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), pool.ID(alice), "")
	wantUser(t, c, kv, alice)
	pool.Advance(time.Hour - time.Second) // due for a refresh, which is not possible, and still good
	wantUser(t, c, kv, alice)
	pool.Advance(time.Second)
	wantReason(t, c, kv, amplify.ReasonExpiredNoRefreshToken)

	nbf := testpool.Claim{Name: "nbf", Value: pool.Now().Unix() + 60}
	kv = session(alice, pool.Access(alice), pool.ID(alice, nbf), "")
	wantReason(t, c, kv, amplify.ReasonNotYetValid)
	pool.Advance(time.Minute)
	wantUser(t, c, kv, alice)

	// The token that expires first decides, whichever of the two it is.
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Unix() + 60}
	shortAccess, shortID := session(alice, pool.Access(alice, exp), pool.ID(alice), ""), session(alice, pool.Access(alice), pool.ID(alice, exp), "")
	wantUser(t, c, shortAccess, alice)
	wantUser(t, c, shortID, alice)
	pool.Advance(time.Minute)
	wantReason(t, c, shortAccess, amplify.ReasonExpiredNoRefreshToken)
	wantReason(t, c, shortID, amplify.ReasonExpiredNoRefreshToken)
}

func TestLeeway(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{Leeway: 30 * time.Second})
	kv := session(alice, pool.Access(alice, testpool.Claim{Name: "nbf", Value: pool.Now().Unix() + 30}), pool.ID(alice), "")
	wantUser(t, c, kv, alice)
	pool.Advance(time.Hour + 29*time.Second)
	wantUser(t, c, kv, alice)
	pool.Advance(time.Second)
	wantReason(t, c, kv, amplify.ReasonExpiredNoRefreshToken)
}

// TestDrift: the client's note of its clock never makes a session longer, and a minute shorter at
// most.
func TestDrift(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	access, id := pool.Access(alice), pool.ID(alice)
	pool.Advance(time.Hour - 30*time.Second)
	for drift, expired := range map[string]bool{
		"": false, "0": false, "29000": false, "31000": true, "60000": true, "-31000": false, "99999999999": true, "abc": false,
		"31000abc": false, "1e9": false,
	} {
		kv := session(alice, access, id, "").add("alice.clockDrift", drift)
		if expired {
			wantReason(t, c, kv, amplify.ReasonExpiredNoRefreshToken)
		} else {
			wantUser(t, c, kv, alice)
		}
	}
	pool.Advance(-31 * time.Second)
	wantUser(t, c, session(alice, access, id, "").add("alice.clockDrift", "99999999999"), alice)
	pool.Advance(61 * time.Second) // it has expired
	for _, drift := range []string{"-1000", "-31000", "-60000", "-99999999999", "-9223372036854775808"} {
		wantReason(t, c, session(alice, access, id, "").add("alice.clockDrift", drift), amplify.ReasonExpiredNoRefreshToken)
	}
}

func TestSignInDetails(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	for raw, want := range map[string]*amplify.SignInDetails{
		`{"loginId":"a@b.com","authFlowType":"USER_SRP_AUTH"}`: {LoginID: "a@b.com", AuthFlowType: "USER_SRP_AUTH"},
		`{}`: {}, ``: nil, `null`: nil, ` null `: nil, `{bad`: nil, `42`: nil, `"text"`: nil, `{"loginId":7}`: nil,
	} {
		kv := session(alice, pool.Access(alice), pool.ID(alice), "").add("alice.signInDetails", raw)
		for range 2 {
			got, err := tokens(t, c, kv)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got.SignInDetails); d != "" {
				t.Errorf("%q: (-want +got)\n%s", raw, d)
			}
		}
	}
}

// TestRememberedSessionIsWhole: a remembered session is found only by exactly what it was verified
// from.
func TestRememberedSessionIsWhole(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	access, id := pool.Access(alice), pool.ID(alice)
	wantUser(t, c, session(alice, access, id, ""), alice)
	wantUser(t, c, session(bob, access, id, ""), alice)
	wantReason(t, c, session(alice, access, access, ""), amplify.ReasonWrongTokenUse)
	wantReason(t, c, session(alice, access+id[:1], id[1:], ""), amplify.ReasonMalformedToken)
	if _, err := c.BearerTokenProvider(id).Tokens(t.Context(), amplify.TokensInput{}); amplify.ReasonOf(err) != amplify.ReasonWrongTokenUse {
		t.Errorf("an ID token as bearer token: %v", err)
	}
}

// TestWithoutUserPool: without a user pool nobody is signed in.
func TestWithoutUserPool(t *testing.T) {
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, c, &storage{}, amplify.ReasonNoSession)
	wantReason(t, c, (&storage{}).add("LastAuthUser", "alice"), amplify.ReasonNoSession)
	if _, err := c.BearerTokenProvider("x.y.z").Tokens(t.Context(), amplify.TokensInput{}); !errors.Is(err, amplify.ErrUnauthenticated) {
		t.Errorf("bearer: %v", err)
	}
	if err := errors.Join(c.WarmUp(t.Context()), c.Close(t.Context()), c.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestBearer(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{BearerClientIDs: []string{"mobile"}})
	for _, client := range []string{testpool.Client, "mobile"} {
		got, err := c.BearerTokenProvider(pool.Access(alice, testpool.Claim{Name: "client_id", Value: client})).Tokens(t.Context(), amplify.TokensInput{})
		if err != nil {
			t.Fatal(err)
		}
		if got.IDToken != nil || got.AccessToken.Claims().ClientID != client {
			t.Errorf("%+v", got.AccessToken.Claims())
		}
	}
	// Those clients' tokens make no session of cookies.
	mobile := testpool.Claim{Name: "client_id", Value: "mobile"}
	wantReason(t, c, session(alice, pool.Access(alice, mobile), pool.ID(alice), ""), amplify.ReasonWrongClient)

	token := pool.Access(alice)
	provider := c.BearerTokenProvider(token)
	if _, err := provider.Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err == nil || errors.Is(err, amplify.ErrUnauthenticated) {
		t.Errorf("a forced refresh: %v", err)
	}
	pool.Advance(time.Hour)
	if _, err := provider.Tokens(t.Context(), amplify.TokensInput{}); amplify.ReasonOf(err) != amplify.ReasonExpiredNoRefreshToken {
		t.Errorf("expired: %v", err)
	}
}

// TestErrorsKeepSecrets: what is refused does not show up in errors.
func TestErrorsKeepSecrets(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	for _, token := range []string{
		"eyJ-secret.eyJ-secret.sig-secret", "secret", pool.Access(alice)[:300] + "secret", "{\"secret\"}.{\"secret\"}.secret",
	} {
		_, err := tokens(t, c, session(alice, token, pool.ID(alice), "secret"))
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), token[:min(8, len(token))]) {
			t.Errorf("%v", err)
		}
	}
}
