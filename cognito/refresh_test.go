package cognito_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// expired returns a session whose tokens expired an hour ago.
func expired(pool *testpool.Pool, u testpool.User, refresh string) *storage {
	iat := testpool.Claim{Name: "iat", Value: pool.Now().Unix() - 7200}
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 3600}
	return session(u, pool.Access(u, iat, exp), pool.ID(u, iat, exp), refresh)
}

// rotating makes pool answer refreshes of u's tokens r1, r2, r3 … each once, with a grace period of
// 0. It returns what answers.
func rotating(pool *testpool.Pool, u testpool.User) func(map[string]any) testpool.Answer {
	var mu sync.Mutex
	n := 1
	answer := func(in map[string]any) testpool.Answer {
		mu.Lock()
		defer mu.Unlock()
		if in["RefreshToken"] != fmt.Sprintf("r%d", n) {
			return testpool.Refused(http.StatusBadRequest, "RefreshTokenReuseException", "Refresh token has been invalidated")
		}
		n++
		return pool.Refreshed(u, fmt.Sprintf("r%d", n))
	}
	pool.OnRefresh(answer)
	return answer
}

func TestRefresh(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") })
	c := newCognito(t, pool, cognito.Options{ClientSecret: amplify.NewSecret("s3cret")})
	details := `{"loginId":"alice"}`
	kv := expired(pool, alice, "r1").add("alice.clockDrift", "-5").add("alice.signInDetails", details)
	kv.add("alice.deviceKey", "dev").add("alice.deviceGroupKey", "grp").add("alice.randomPasswordKey", "pw")

	provider := c.TokenProvider(kv)
	got, err := provider.Tokens(t.Context(), amplify.TokensInput{ClientMetadata: map[string]string{"tenant": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"ClientId": testpool.Client, "RefreshToken": "r1", "ClientSecret": "s3cret", "DeviceKey": "dev",
		"ClientMetadata": map[string]any{"tenant": "x"},
	}}
	if d := cmp.Diff(want, pool.Refreshes()); d != "" {
		t.Errorf("calls (-want +got)\n%s", d)
	}
	for key, want := range map[string]string{
		"LastAuthUser": "alice", "alice.accessToken": got.AccessToken.Reveal(), "alice.idToken": got.IDToken.Reveal(),
		"alice.refreshToken": "r1", "alice.signInDetails": details, "alice.clockDrift": "-5",
	} {
		if d := cmp.Diff([]string{want}, kv.get(key)); d != "" {
			t.Errorf("%s is kept as (-want +got)\n%s", key, d)
		}
	}

	// What was just refreshed is not refreshed again, by force neither.
	if _, err := provider.Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err != nil {
		t.Error(err)
	}
	// The next request knows the new tokens without a look at their signatures.
	wantUser(t, c, kv, alice)
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// TestRefreshInALongRequest: a stream may outlive the tokens that it refreshed.
func TestRefreshInALongRequest(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	provider := c.TokenProvider(expired(pool, alice, "r1"))
	for range 3 {
		if _, err := provider.Tokens(t.Context(), amplify.TokensInput{}); err != nil {
			t.Fatal(err)
		}
		pool.Advance(time.Hour)
	}
	if n := len(pool.Refreshes()); n != 3 {
		t.Errorf("%d refreshes, want 3", n)
	}
}

// TestRefreshCrowd: a thousand requests with one expired session, half of which hang up: one
// refresh, everybody else is served and gets the new cookies, and the session lives on.
func TestRefreshCrowd(t *testing.T) {
	pool := testpool.New(t)
	const crowd = 1000
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		answer := rotating(pool, alice)
		pool.OnRefresh(func(in map[string]any) testpool.Answer {
			<-release
			return answer(in)
		})
		c := newCognito(t, pool, cognito.Options{})
		var served, gone atomic.Int32
		stores := make([]*storage, crowd)
		var all sync.WaitGroup
		hangUp, cancel := context.WithCancel(t.Context())
		old := expired(pool, alice, "r1")
		for i := range crowd {
			stores[i] = &storage{entries: slices.Clone(old.entries)}
			ctx := t.Context()
			if i%2 == 0 {
				ctx = hangUp
			}
			all.Go(func() {
				_, err := c.TokenProvider(stores[i]).Tokens(ctx, amplify.TokensInput{})
				switch {
				case err == nil:
					served.Add(1)
				case errors.Is(err, context.Canceled) && !errors.Is(err, amplify.ErrUnauthenticated):
					gone.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait() // until all wait for the refresh
		cancel()
		synctest.Wait()
		close(release)
		all.Wait()
		if n := len(pool.Refreshes()); n != 1 || served.Load() != crowd/2 || gone.Load() != crowd/2 {
			t.Fatalf("%d refreshes, %d served, %d gone", n, served.Load(), gone.Load())
		}
		for i, kv := range stores {
			want := "r2"
			if i%2 == 0 {
				want = "r1" // whoever hung up takes no cookies
			}
			if got := kv.get("alice.refreshToken"); !slices.Equal(got, []string{want}) {
				t.Fatalf("request %d keeps %q, want %q", i, got, want)
			}
		}
		// Those who hung up come back with their old cookies, others with the new ones.
		wantUser(t, c, stores[0], alice)
		wantUser(t, c, stores[1], alice)
		pool.Advance(time.Hour)
		wantUser(t, c, stores[1], alice)
		if n := len(pool.Refreshes()); n != 2 {
			t.Errorf("%d refreshes, want 2", n)
		}
	})
}

// TestHandoff: who comes with the old tokens within a minute gets their successors, and nobody else
// does.
func TestHandoff(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	old := func() *storage { return expired(pool, alice, "r1") }
	wantUser(t, c, old(), alice)
	pool.Advance(59 * time.Second)
	kv := old()
	wantUser(t, c, kv, alice)
	if got := kv.get("alice.refreshToken"); !slices.Equal(got, []string{"r2"}) {
		t.Errorf("handed over %q", got)
	}
	forced, err := c.TokenProvider(old()).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true})
	if err != nil || forced.AccessToken.Claims().Subject != alice.Sub {
		t.Errorf("a forced refresh with the token that was rotated: %v", err)
	}

	// Another user's tokens, forged tokens, other clients: the refresh token alone opens nothing.
	bobs := expired(pool, bob, "r1")
	wantReason(t, c, bobs, amplify.ReasonUserMismatch)
	rogue := pool.Sign("rogue", map[string]any{"token_use": "access", "client_id": testpool.Client, "username": "alice"}, alice, nil)
	wantReason(t, c, session(alice, rogue, pool.ID(alice), "r1"), amplify.ReasonUnknownKey)
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

func TestHandoffEnds(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	wantUser(t, c, expired(pool, alice, "r1"), alice)
	pool.Advance(time.Minute)
	kv := expired(pool, alice, "r1")
	_, err := tokens(t, c, kv)
	var e *amplify.Error
	if !errors.As(err, &e) || e.Name != "RefreshTokenReuseException" || !errors.Is(err, amplify.ErrUnauthenticated) {
		t.Errorf("err = %v", err)
	}
}

// TestRefusalEndsTheHandoff: once the user pool has refused a refresh token, what led to it opens
// nothing from memory any more.
func TestRefusalEndsTheHandoff(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	kv := expired(pool, alice, "r1")
	wantUser(t, c, kv, alice)
	wantUser(t, c, expired(pool, alice, "r1"), alice) // from memory
	pool.OnRefresh(func(map[string]any) testpool.Answer {
		return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Refresh Token has been revoked")
	})
	if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); amplify.ReasonOf(err) != amplify.ReasonRefreshRejected {
		t.Errorf("err = %v", err)
	}
	wantReason(t, c, expired(pool, alice, "r1"), amplify.ReasonRefreshRejected)
}

// TestForcedRefreshIsFresh: where refresh tokens do not rotate a forced refresh is never answered
// from memory.
func TestForcedRefreshIsFresh(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") })
	c := newCognito(t, pool, cognito.Options{})
	for i := range 3 {
		kv := session(alice, pool.Access(alice), pool.ID(alice), "r1")
		if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err != nil {
			t.Fatal(err)
		}
		if n := len(pool.Refreshes()); n != i+1 {
			t.Fatalf("%d refreshes, want %d", n, i+1)
		}
	}
}

// TestDefiniteRefusal: a session that the user pool ended is deleted, once, and the error says so.
func TestDefiniteRefusal(t *testing.T) {
	for _, name := range []string{
		"NotAuthorizedException", "TokenRevokedException", "RefreshTokenReuseException", "UserNotFoundException",
		"PasswordResetRequiredException", "UserNotConfirmedException",
	} {
		t.Run(name, func(t *testing.T) {
			pool := testpool.New(t)
			pool.OnRefresh(func(map[string]any) testpool.Answer {
				return testpool.Refused(http.StatusBadRequest, name, "Refresh Token has expired")
			})
			c := newCognito(t, pool, cognito.Options{})
			kv := expired(pool, alice, "r1").add("alice.clockDrift", "1").add("alice.signInDetails", "{}").add("alice.oauthMetadata", "x")
			kv.add("alice.deviceKey", "dev").add("bob.accessToken", "x")
			provider := c.TokenProvider(kv)
			for range 2 {
				if _, err := provider.Tokens(t.Context(), amplify.TokensInput{}); !errors.Is(err, amplify.ErrUnauthenticated) ||
					amplify.ReasonOf(err) != amplify.ReasonRefreshRejected {
					t.Errorf("err = %v", err)
				}
			}
			want := [][2]string{{testpool.Prefix + "alice.deviceKey", "dev"}, {testpool.Prefix + "bob.accessToken", "x"}}
			if d := cmp.Diff(want, kv.entries); d != "" {
				t.Errorf("what is left (-want +got)\n%s", d)
			}
			if n := len(pool.Refreshes()); n != 1 {
				t.Errorf("%d refreshes, want 1", n)
			}

			readOnly := expired(pool, alice, "r1")
			readOnly.readOnly = true
			off := newCognito(t, pool, cognito.Options{RefreshTokenRotation: cognito.RotationOff})
			wantReason(t, off, readOnly, amplify.ReasonRefreshRejected)
		})
	}
}

// TestTransientFailure: what may pass is tried three times, deletes nothing, and is told as what it
// is.
func TestTransientFailure(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   testpool.Answer
		wantName string
		reason   amplify.Reason
		calls    int
	}{
		{"throttled", testpool.Refused(http.StatusBadRequest, "TooManyRequestsException", "Rate exceeded"), "TooManyRequestsException", amplify.ReasonServiceUnavailable, 3},
		{"429", testpool.Refused(http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded"), "TooManyRequestsException", amplify.ReasonServiceUnavailable, 3},
		{"500", testpool.Refused(http.StatusInternalServerError, "InternalErrorException", "x"), "InternalErrorException", amplify.ReasonServiceUnavailable, 3},
		{"503", testpool.Answer{Status: http.StatusServiceUnavailable}, "UnknownError", amplify.ReasonServiceUnavailable, 3},
		{"secret", testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Unable to verify secret hash for client x"), "NotAuthorizedException", amplify.ReasonConfiguration, 1},
		{"client", testpool.Refused(http.StatusBadRequest, "ResourceNotFoundException", "User pool client x does not exist."), "ResourceNotFoundException", amplify.ReasonConfiguration, 1},
		{"parameter", testpool.Refused(http.StatusBadRequest, "InvalidParameterException", "x"), "InvalidParameterException", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := testpool.New(t)
			pool.OnRefresh(func(map[string]any) testpool.Answer { return c.answer })
			cog := newCognito(t, pool, cognito.Options{})
			kv := expired(pool, alice, "r1")
			before := slices.Clone(kv.entries)
			_, err := tokens(t, cog, kv)
			var e *amplify.Error
			if !errors.As(err, &e) || e.Name != c.wantName || e.Reason != c.reason || errors.Is(err, amplify.ErrUnauthenticated) {
				t.Errorf("err = %v", err)
			}
			if d := cmp.Diff(before, kv.entries); d != "" {
				t.Errorf("the session changed (-before +after)\n%s", d)
			}
			if n := len(pool.Refreshes()); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
		})
	}
}

// TestTransientThenGood: a retry that is answered is an answer.
func TestTransientThenGood(t *testing.T) {
	pool := testpool.New(t)
	var calls atomic.Int32
	pool.OnRefresh(func(map[string]any) testpool.Answer {
		if calls.Add(1) < 3 {
			return testpool.Refused(http.StatusBadRequest, "TooManyRequestsException", "Rate exceeded")
		}
		return pool.Refreshed(alice, "")
	})
	wantUser(t, newCognito(t, pool, cognito.Options{}), expired(pool, alice, "r1"), alice)
}

// TestStillGoodTokens: tokens that are due for a refresh serve while that fails.
func TestStillGoodTokens(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return testpool.Answer{Status: http.StatusServiceUnavailable} })
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), pool.ID(alice), "r1")
	pool.Advance(time.Hour - 3*time.Second)
	wantUser(t, c, kv, alice)
	if n := len(pool.Refreshes()); n == 0 {
		t.Error("no refresh was tried")
	}
	if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
		t.Errorf("a forced refresh: %v", err)
	}
	pool.Advance(3 * time.Second)
	wantReason(t, c, kv, amplify.ReasonServiceUnavailable)
}

// TestRefreshAnswers: nothing of an answer is used that is not a session of the same user.
func TestRefreshAnswers(t *testing.T) {
	pool := testpool.New(t)
	without := func(name string) testpool.Answer {
		a := pool.Refreshed(alice, "r2")
		delete(a.Body.(map[string]any)["AuthenticationResult"].(map[string]any), name)
		return a
	}
	with := func(name, token string) testpool.Answer {
		a := pool.Refreshed(alice, "r2")
		a.Body.(map[string]any)["AuthenticationResult"].(map[string]any)[name] = token
		return a
	}
	access := accessClaims(alice)
	forged := func(claims map[string]any) string { // it names a key that is published
		return pool.JWT(jwt.SigningMethodRS256, pool.Key("rogue"), map[string]any{"kid": "key-1"}, pool.Claims(claims, alice))
	}
	for name, answer := range map[string]testpool.Answer{
		"no access token":         without("AccessToken"),
		"no ID token":             without("IdToken"),
		"nothing":                 {Status: http.StatusOK, Body: map[string]any{}},
		"a challenge":             {Status: http.StatusOK, Body: map[string]any{"ChallengeName": "SMS_MFA"}},
		"another's tokens":        pool.Refreshed(bob, "r2"),
		"another's ID token":      with("IdToken", pool.ID(bob)),
		"another's access token":  with("AccessToken", pool.Access(bob)),
		"an unknown key":          with("AccessToken", pool.Sign("rogue", access, alice, nil)),
		"a forged access token":   with("AccessToken", forged(access)),
		"a forged ID token":       with("IdToken", forged(idClaims(alice))),
		"garbage":                 with("AccessToken", "garbage"),
		"an access token twice":   with("IdToken", pool.Access(alice)),
		"an access token, no iat": with("AccessToken", pool.Access(alice, testpool.Claim{Name: "iat"})),
	} {
		t.Run(name, func(t *testing.T) {
			pool.OnRefresh(func(map[string]any) testpool.Answer { return answer })
			kv := expired(pool, alice, "r1")
			got, err := tokens(t, newCognito(t, pool, cognito.Options{}), kv)
			if err == nil {
				t.Fatalf("tokens of %s", got.AccessToken.Claims().Subject)
			}
			for _, v := range kv.get("alice.refreshToken") {
				if v != "r1" {
					t.Errorf("kept %q", v)
				}
			}
			// Only the tokens of another user mean that the session is none.
			if ended := len(kv.get("alice.")) == 0; ended != (name == "another's tokens") {
				t.Errorf("session deleted: %v", ended)
			}
		})
	}
}

// TestKeysDownDuringRefresh: an answer whose tokens cannot be verified yet is not lost with the
// refresh token that it replaces.
func TestKeysDownDuringRefresh(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	old := pool.Sign("key-2", map[string]any{"token_use": "access", "client_id": testpool.Client, "username": "alice", "exp": pool.Now().Unix() - 1}, alice, nil)
	oldID := pool.Sign("key-2", map[string]any{"token_use": "id", "aud": testpool.Client, "cognito:username": "alice"}, alice, nil)
	pool.Publish("key-2")
	if err := c.WarmUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	pool.Publish("key-1", "key-2")
	pool.KeysDown(true)
	pool.Advance(time.Minute)
	kv := session(alice, old, oldID, "r1")
	before := slices.Clone(kv.entries)
	wantReason(t, c, kv, amplify.ReasonKeysUnavailable)
	if d := cmp.Diff(before, kv.entries); d != "" {
		t.Errorf("the session changed (-before +after)\n%s", d)
	}
	pool.KeysDown(false)
	pool.Advance(5 * time.Second)
	wantUser(t, c, kv, alice)
	if got := kv.get("alice.refreshToken"); !slices.Equal(got, []string{"r2"}) || len(pool.Refreshes()) != 1 {
		t.Errorf("%q after %d refreshes", got, len(pool.Refreshes()))
	}
}

// TestReadOnly: where a rotated refresh token could not be kept no refresh token is redeemed.
func TestReadOnly(t *testing.T) {
	pool := testpool.New(t)
	readOnly := func() *storage {
		kv := expired(pool, alice, "r1")
		kv.readOnly = true
		return kv
	}
	notRotating := func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") }

	for name, o := range map[string]cognito.Options{"Auto": {}, "On": {RefreshTokenRotation: cognito.RotationOn}} {
		c := newCognito(t, pool, o)
		wantReason(t, c, readOnly(), amplify.ReasonRefreshNeedsWritableResponse)
		if n := len(pool.Refreshes()); n != 0 {
			t.Fatalf("%s: %d refreshes", name, n)
		}
	}
	pool.OnRefresh(notRotating)
	wantUser(t, newCognito(t, pool, cognito.Options{RefreshTokenRotation: cognito.RotationOff}), readOnly(), alice)

	// Auto learns from what refreshes show.
	auto := newCognito(t, pool, cognito.Options{})
	wantUser(t, auto, expired(pool, alice, "other"), alice)
	wantUser(t, auto, readOnly(), alice)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "r9") })
	wantUser(t, auto, expired(pool, alice, "third"), alice)
	pool.Advance(time.Hour)
	wantReason(t, auto, readOnly(), amplify.ReasonRefreshNeedsWritableResponse)

	// On does not learn.
	on := newCognito(t, pool, cognito.Options{RefreshTokenRotation: cognito.RotationOn})
	pool.OnRefresh(notRotating)
	wantUser(t, on, expired(pool, alice, "other"), alice)
	wantReason(t, on, readOnly(), amplify.ReasonRefreshNeedsWritableResponse)

	// A session that is good needs no response.
	kv := session(alice, pool.Access(alice), pool.ID(alice), "r1")
	kv.readOnly = true
	wantUser(t, on, kv, alice)
	if _, err := on.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); amplify.ReasonOf(err) != amplify.ReasonRefreshNeedsWritableResponse {
		t.Errorf("a forced refresh: %v", err)
	}
}

// TestSessionThatCannotBeKept: tokens that no cookie takes are an error, not a session that is lost
// unnoticed.
func TestSessionThatCannotBeKept(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	kv := failing{expired(pool, alice, "r1")}
	before := slices.Clone(kv.entries)
	_, err := tokens(t, newCognito(t, pool, cognito.Options{}), kv)
	if amplify.ReasonOf(err) != amplify.ReasonConfiguration || errors.Is(err, amplify.ErrUnauthenticated) {
		t.Errorf("err = %v", err)
	}
	if d := cmp.Diff(before, kv.entries); d != "" {
		t.Errorf("the session was changed in part (-before +after)\n%s", d)
	}
}

// failing is a storage that keeps nothing new.
type failing struct{ *storage }

func (failing) SetAll(...[2]string) error { return errors.New("too large") }

// TestRefreshKeepsTheName: a session stays under the name that LastAuthUser gives, also if the
// tokens do not have it, or have it no more.
func TestRefreshKeepsTheName(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "r2") })
	c := newCognito(t, pool, cognito.Options{})
	typed := testpool.User{Name: "typed@example.com"}
	old := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 1}
	kv := session(typed, pool.Access(alice, old), pool.ID(alice, old), "r1")
	wantUser(t, c, kv, alice)
	if got := kv.get("LastAuthUser"); !slices.Equal(got, []string{typed.Name}) {
		t.Errorf("LastAuthUser is %q", got)
	}
	if got := kv.get(typed.Name + ".refreshToken"); !slices.Equal(got, []string{"r2"}) || len(kv.get("alice.")) > 0 {
		t.Errorf("kept %q under the old name, %q under another", got, kv.get("alice."))
	}
	wantUser(t, c, kv, alice)
}

// TestServerClock: where this server's clock is wrong, Cognito's counts as soon as it is known.
func TestServerClock(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") })
	o := pool.Options()
	o.Clock = func() time.Time { return pool.Now().Add(2 * time.Hour) }
	app, err := amplify.New(pool.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	kv := session(alice, pool.Access(alice), pool.ID(alice), "r1")
	for range 3 {
		wantUser(t, c, kv, alice)
	}
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d refreshes, want 1: the first, which told the time", n)
	}
}

// TestIsolation: under load, no request gets another's tokens, and no App another's sessions.
func TestIsolation(t *testing.T) {
	pool := testpool.New(t)
	users := map[string]testpool.User{}
	for i := range 50 {
		sub := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		users[sub] = testpool.User{Sub: sub, Name: fmt.Sprintf("user%d", i)}
	}
	pool.OnRefresh(func(in map[string]any) testpool.Answer {
		token, _ := in["RefreshToken"].(string)
		return pool.Refreshed(users[strings.TrimPrefix(token, "r-")], "")
	})
	c := newCognito(t, pool, cognito.Options{MaxSessions: 20})
	var all sync.WaitGroup
	for sub, u := range maps.All(users) {
		stores := []*storage{expired(pool, u, "r-"+sub), session(u, pool.Access(u), pool.ID(u), "")}
		for i := range 20 {
			all.Go(func() {
				kv := &storage{entries: slices.Clone(stores[i%2].entries)} // each request has its own
				got, err := tokens(t, c, kv)
				if err != nil || got.AccessToken.Claims().Subject != sub || got.IDToken.Claims().Username != u.Name {
					t.Errorf("not the tokens of %s: %v", sub, err)
				}
			})
		}
	}
	all.Wait()
}

func TestRefreshAfterClose(t *testing.T) {
	pool := testpool.New(t)
	app, err := amplify.New(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kv := expired(pool, alice, "r1")
	if err := c.WarmUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantReason(t, c, kv, amplify.ReasonConfiguration)
}

// TestChain: who comes with old tokens gets the last of their successors. Once the user has signed
// out, the chain of that session's tokens opens nothing any more.
func TestChain(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	kv := expired(pool, alice, "r1")
	for range 2 { // r1 → r2 → r3
		if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err != nil {
			t.Fatal(err)
		}
	}
	old := func() *storage { return expired(pool, alice, "r1") }
	late := old()
	wantUser(t, c, late, alice)
	if got := late.get("alice.refreshToken"); !slices.Equal(got, []string{"r3"}) {
		t.Errorf("handed over %q, want the last of the chain", got)
	}
	signOut(t, c, kv)
	wantReason(t, c, old(), amplify.ReasonSignedOut)
	wantReason(t, c, expired(pool, alice, "r2"), amplify.ReasonSignedOut)
	if n := len(pool.Refreshes()); n != 2 {
		t.Errorf("%d refreshes, want 2", n)
	}
}

// TestPlantedRefreshTokens: refresh tokens that a neighbour on the domain has put before the user's
// own do not end the session.
func TestPlantedRefreshTokens(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(in map[string]any) testpool.Answer {
		switch in["RefreshToken"] {
		case "own":
			return pool.Refreshed(alice, "")
		case "of-bob":
			return pool.Refreshed(bob, "")
		}
		return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Invalid Refresh Token")
	})
	planted := func() *storage {
		kv := expired(pool, alice, "planted")
		return kv.add("alice.refreshToken", "of-bob").add("alice.refreshToken", "planted").add("alice.refreshToken", "own")
	}
	c := newCognito(t, pool, cognito.Options{})
	kv := planted()
	wantUser(t, c, kv, alice)
	if got := kv.get("alice.refreshToken"); len(got) != 1 || got[0] != "own" {
		t.Errorf("the session was kept with %q", got)
	}
	if n := len(pool.Refreshes()); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}

	// Which one is the session's own is known where the session was made.
	kv = planted()
	started := &storage{}
	if err := c.Providers(started).Session.Start(t.Context(), amplify.IssuedTokens{
		AccessToken: amplify.NewSecret(kv.get("alice.accessToken")[0]), IDToken: amplify.NewSecret(kv.get("alice.idToken")[0]),
		RefreshToken: amplify.NewSecret("own"),
	}); err != nil {
		t.Fatal(err)
	}
	pool.Advance(2 * time.Minute)
	before := len(pool.Refreshes())
	wantUser(t, c, kv, alice)
	if n := len(pool.Refreshes()) - before; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}

	// If none is good the session ends, and the first refusal says why.
	kv = expired(pool, alice, "planted").add("alice.refreshToken", "of-bob")
	wantReason(t, newCognito(t, pool, cognito.Options{}), kv, amplify.ReasonRefreshRejected)
	if len(kv.get("alice.accessToken")) > 0 {
		t.Error("the session is left")
	}
}

// TestChainWithoutLineage: in pools without origin_jti nothing but the hand-off tells which tokens
// descend from one sign-in. A sign-out with cookies that are not the last ones ends all of them.
func TestChainWithoutLineage(t *testing.T) {
	pool := testpool.New(t)
	edits := func(n int, life time.Duration) []testpool.Claim {
		return []testpool.Claim{{Name: "origin_jti"}, {Name: "jti", Value: n}, {Name: "exp", Value: pool.Now().Add(life).Unix()}}
	}
	n := 1
	pool.OnRefresh(func(in map[string]any) testpool.Answer {
		if in["RefreshToken"] != fmt.Sprintf("r%d", n) {
			return testpool.Refused(http.StatusBadRequest, "RefreshTokenReuseException", "Refresh token has been invalidated")
		}
		n++
		a := pool.Refreshed(alice, fmt.Sprintf("r%d", n))
		result := a.Body.(map[string]any)["AuthenticationResult"].(map[string]any)
		result["AccessToken"], result["IdToken"] = pool.Access(alice, edits(n, time.Hour)...), pool.ID(alice, edits(n, time.Hour)...)
		return a
	})
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice, edits(1, -time.Minute)...), pool.ID(alice, edits(1, -time.Minute)...), "r1")
	first := &storage{entries: slices.Clone(kv.entries)}
	wantUser(t, c, kv, alice)
	second := &storage{entries: slices.Clone(kv.entries)}
	if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err != nil {
		t.Fatal(err)
	}
	wantUser(t, c, kv, alice)
	signOut(t, c, second)
	wantReason(t, c, kv, amplify.ReasonSignedOut)
	wantReason(t, c, first, amplify.ReasonRefreshRejected) // not from memory
}
