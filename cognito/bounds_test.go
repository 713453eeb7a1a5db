package cognito_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestTokensHaveOneSpelling: decoders skip line breaks, and unused bits have no meaning. Another
// spelling of a token is none, and costs no call.
func TestTokensHaveOneSpelling(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{})
	access, id := pool.Access(alice), pool.ID(alice)
	wantIdentity(t, c, session(alice, access, id, ""), testpool.IdentityOf(alice.Sub))
	for i := range 30 {
		at := len(id) - 2 - i
		for _, odd := range []string{"\n", "\r", "=", " ", "\x00", "%"} {
			kv := session(alice, access, id[:at]+odd+id[at:], "")
			wantReason(t, c, kv, amplify.ReasonMalformedToken)
		}
	}
	last := id[len(id)-1]
	for b := byte('A'); b <= 'z'; b++ {
		if other := id[:len(id)-1] + string(b); b != last {
			if _, err := tokens(t, c, session(alice, access, other, "")); err == nil {
				t.Errorf("the last character may also be %q", b)
			}
		}
	}
	wantCalls(t, pool, 1, 1)
	if n := c.KnownSessions(); n != 1 {
		t.Errorf("%d sessions are remembered, want 1", n)
	}
}

// TestSignatureChecksAreBounded: duplicates cannot make a request check more than eight signatures,
// and each token is checked once.
func TestSignatureChecksAreBounded(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := &storage{}
	// They name a key that is published.
	forged := func(i int, use map[string]any) string {
		return pool.JWT(jwt.SigningMethodRS256, pool.Key("rogue"), map[string]any{"kid": "key-1"}, pool.Claims(use, alice, testpool.Claim{Name: "jti", Value: i}))
	}
	access := map[string]any{"token_use": "access", "client_id": testpool.Client, "username": "alice"}
	id := map[string]any{"token_use": "id", "aud": testpool.Client, "cognito:username": "alice"}
	for user := range 3 {
		name := fmt.Sprintf("u%d", user)
		kv.add("LastAuthUser", name)
		for i := range 3 {
			kv.add(name+".accessToken", forged(10*user+i, access)).add(name+".idToken", forged(100+10*user+i, id))
		}
	}
	checks, err := c.SignatureChecks(t.Context(), kv)
	if !errors.Is(err, amplify.ErrUnauthenticated) {
		t.Fatalf("err = %v", err)
	}
	if checks != 8 {
		t.Errorf("%d signatures were checked", checks)
	}

	// In several pairs, a token is checked once.
	once := session(alice, forged(0, access), forged(1, id), "").add("alice.idToken", forged(2, id)).add("alice.idToken", forged(3, id))
	if checks, err := c.SignatureChecks(t.Context(), once); !errors.Is(err, amplify.ErrUnauthenticated) || checks != 1 {
		t.Errorf("%d signatures were checked for one access token (%v)", checks, err)
	}

	// What is known, and what is refused without a signature, comes first.
	good := session(alice, pool.Access(alice), pool.ID(alice), "")
	wantUser(t, c, good, alice)
	for i := range 2 {
		good.add("alice.accessToken", pool.Access(alice, testpool.Claim{Name: "client_id", Value: fmt.Sprint(i)})).add("alice.idToken", "x.y.z")
	}
	if checks, err := c.SignatureChecks(t.Context(), good); err != nil || checks != 0 {
		t.Errorf("%d signatures were checked for a session that is known (%v)", checks, err)
	}
	twice := session(bob, pool.Access(bob), pool.ID(bob), "").add("LastAuthUser", "x")
	twice.add("x.accessToken", pool.Access(bob)).add("x.idToken", pool.ID(bob)).add("bob.idToken", pool.ID(alice))
	if checks, err := c.SignatureChecks(t.Context(), twice); err != nil || checks > 3 {
		t.Errorf("%d signatures were checked for two tokens that come twice (%v)", checks, err)
	}
}

// TestSharedMemoryIsOfVerifiedSessions: what anonymous requests make up leaves nothing behind.
func TestSharedMemoryIsOfVerifiedSessions(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	wantUser(t, c, expired(pool, alice, "r1"), alice)
	before := c.Remembered()
	for i := range 200 {
		kv := session(testpool.User{Name: fmt.Sprintf("u%d", i)}, "", "", fmt.Sprintf("made-up-%d", i))
		for j := range 50 {
			kv.add(fmt.Sprintf("v%d.refreshToken", j), fmt.Sprintf("made-up-%d-%d", i, j))
		}
		_ = c.Providers(kv).Session.End(t.Context(), amplify.EndInput{}) // some are too many
	}
	if after := c.Remembered(); after != before {
		t.Errorf("%d entries before, %d after sign-outs of sessions that do not exist", before, after)
	}
	if n := len(pool.Revoked()); n > 200 {
		t.Errorf("%d revocations, want one a request at most", n)
	}
	// Another tab of Alice still gets its session.
	wantUser(t, c, expired(pool, alice, "r1"), alice)
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}

	// One user who signs out again and again leaves as much as one who signs out once.
	kv := func() *storage { return session(bob, pool.Access(bob), pool.ID(bob), "r") }
	pool.Advance(time.Second)
	signOut(t, c, kv())
	before = c.Remembered()
	for i := range 100 {
		pool.Advance(time.Second)
		signOut(t, c, session(bob, pool.Access(bob), pool.ID(bob), fmt.Sprintf("r%d", i)))
	}
	if after := c.Remembered(); after != before {
		t.Errorf("%d entries before, %d after more sign-outs of one session", before, after)
	}
}

// TestMadeUpSignOuts: sign-outs of anybody cause a bounded number of calls, and keep nobody from a
// sign-out of a session.
func TestMadeUpSignOuts(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	failed := 0
	for i := range 200 {
		kv := session(alice, "", "", fmt.Sprintf("made-up-%d", i))
		if err := c.Providers(kv).Session.End(t.Context(), amplify.EndInput{}); err != nil {
			failed++
			if amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
				t.Fatalf("err = %v", err)
			}
		}
		if len(kv.entries) > 0 {
			t.Fatalf("%d values are left", len(kv.entries))
		}
	}
	if n := len(pool.Revoked()); n != 50 || failed != 150 {
		t.Errorf("%d revocations, %d failures; want 50 and 150", n, failed)
	}
	signOut(t, c, session(alice, pool.Access(alice), pool.ID(alice), "own"))
	if got := pool.Revoked(); got[len(got)-1] != "own" {
		t.Error("a session's own refresh token was not revoked")
	}
	pool.Advance(time.Second)
	signOut(t, c, session(alice, "", "", "later"))
	if n := len(pool.Revoked()); n != 52 {
		t.Errorf("%d revocations, want 52", n)
	}
}

// TestSignInDetailsAreNotKept: a cookie of a megabyte does not stay in memory with its session.
func TestSignInDetailsAreNotKept(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	const sessions, size = 20, 1 << 20
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range sessions {
		u := testpool.User{Sub: fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i), Name: fmt.Sprintf("u%d", i)}
		kv := session(u, pool.Access(u), pool.ID(u), "").add(u.Name+".signInDetails", `{"loginId":"`+strings.Repeat("x", size)+`"}`)
		wantUser(t, c, kv, u)
	}
	if grown := int64(heap()) - int64(before); grown > size {
		t.Errorf("%d sessions keep %d bytes", sessions, grown)
	}
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
}

// TestCooldownEndsWhenTheServiceIsWell: after one throttling, refusals of others show that the
// service is well.
func TestCooldownEndsWhenTheServiceIsWell(t *testing.T) {
	pool := testpool.New(t)
	throttled := atomic.Bool{}
	throttled.Store(true)
	pool.OnIdentity(on(testpool.GetCredentials, func(call testpool.IdentityCall) testpool.Answer {
		switch {
		case throttled.Load():
			return testpool.Refused(http.StatusBadRequest, "TooManyRequestsException", "Rate exceeded")
		case call.In["Logins"] == nil:
			return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Access to Identity is forbidden.")
		}
		return testpool.Answer{}
	}))
	c := newIdentityCognito(t, pool, cognito.Options{})
	ask := func(kv *storage) error {
		_, err := c.CredentialsProvider(kv).Credentials(t.Context(), amplify.CredentialsInput{})
		return err
	}
	if err := ask(signedIn(pool, alice)); amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
		t.Fatalf("err = %v", err)
	}
	throttled.Store(false)
	pool.Advance(time.Second)
	_ = ask(guest("eu-west-1:00000000-0000-4000-8000-000000000001")) // the one that tries: it is made up
	for i := range 20 {
		u := testpool.User{Sub: fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i), Name: fmt.Sprintf("u%d", i)}
		if err := ask(signedIn(pool, u)); err != nil {
			t.Fatalf("user %d: %v", i, err)
		}
	}
}

// TestRefusalsAreRemembered: a refresh token that was refused is asked about once a minute, and
// each request that carries it is told and cleared.
func TestRefusalsAreRemembered(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer {
		return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Refresh Token has been revoked")
	})
	c := newCognito(t, pool, cognito.Options{})
	for range 100 {
		kv := expired(pool, alice, "r1")
		wantReason(t, c, kv, amplify.ReasonRefreshRejected)
		if len(kv.get("alice.")) > 0 {
			t.Fatal("the session is left")
		}
	}
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	pool.Advance(time.Minute)
	wantReason(t, c, expired(pool, alice, "r1"), amplify.ReasonRefreshRejected)
	if n := len(pool.Refreshes()); n != 2 {
		t.Errorf("%d calls after a minute, want 2", n)
	}
}

// TestMadeUpRefreshTokens: expired tokens that have leaked do not let anybody ask the user pool
// about any number of refresh tokens, and do not keep their user from a refresh.
func TestMadeUpRefreshTokens(t *testing.T) {
	pool := testpool.New(t)
	pool.OnRefresh(func(in map[string]any) testpool.Answer {
		if token, _ := in["RefreshToken"].(string); strings.HasPrefix(token, "genuine") {
			return pool.Refreshed(alice, "")
		}
		return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Invalid Refresh Token")
	})
	c := newCognito(t, pool, cognito.Options{})
	leaked := expired(pool, alice, "")
	definite := 0
	for i := range 100 {
		kv := &storage{entries: append([][2]string(nil), leaked.entries...)}
		before := len(kv.add("alice.refreshToken", fmt.Sprintf("made-up-%d", i)).entries)
		_, err := tokens(t, c, kv)
		switch {
		case errors.Is(err, amplify.ErrUnauthenticated):
			definite++
		case amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable || len(kv.entries) != before:
			t.Fatalf("err = %v, %d values of %d are left", err, len(kv.entries), before)
		}
	}
	if n := len(pool.Refreshes()); n != definite || n > 5 {
		t.Errorf("%d calls, %d definite answers; want five at most", n, definite)
	}
	// The user's own session, whose tokens did not leak.
	iat := testpool.Claim{Name: "iat", Value: pool.Now().Unix() - 7000}
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 3400}
	own := session(alice, pool.Access(alice, iat, exp), pool.ID(alice, iat, exp), "genuine")
	wantUser(t, c, own, alice)
	// And the very session that leaked, once it was made here.
	kv := &storage{}
	if err := c.Providers(kv).Session.Start(t.Context(), amplify.IssuedTokens{
		AccessToken: amplify.NewSecret(leaked.get("alice.accessToken")[0]), IDToken: amplify.NewSecret(leaked.get("alice.idToken")[0]),
		RefreshToken: amplify.NewSecret("genuine-too"),
	}); err != nil {
		t.Fatal(err)
	}
	wantUser(t, c, kv, alice)
	// Users with as many pairs of tokens as they like are bounded as well.
	for i := range 100 {
		iat := testpool.Claim{Name: "iat", Value: pool.Now().Unix() - 8000 - int64(i)}
		_, _ = tokens(t, c, session(bob, pool.Access(bob, iat, exp), pool.ID(bob, iat, exp), fmt.Sprintf("made-up-%d", i)))
	}
	if n := len(pool.Refreshes()); n > 5+2+20 {
		t.Errorf("%d calls", n)
	}
}

// TestHangUps: requests whose clients have gone leave a bounded number of calls behind, and those
// for a short time.
func TestHangUps(t *testing.T) {
	pool := testpool.New(t)
	const crowd = 1000
	kvs := make([]*storage, crowd)
	for i := range kvs {
		u := testpool.User{Sub: fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i), Name: fmt.Sprintf("u%d", i)}
		kvs[i] = expired(pool, u, fmt.Sprintf("r%d", i))
	}
	synctest.Test(t, func(t *testing.T) {
		o := pool.Options()
		var calls atomic.Int32
		o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "jwks.json") {
				return pool.RoundTrip(r)
			}
			calls.Add(1)
			defer calls.Add(-1)
			<-r.Context().Done() // an upstream that never answers
			return nil, r.Context().Err()
		})
		c := newCognitoFor(t, pool.Config(), o, cognito.Options{})
		if err := c.WarmUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, hangUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for _, kv := range kvs {
			all.Go(func() { _, _ = c.TokenProvider(kv).Tokens(ctx, amplify.TokensInput{}) })
		}
		synctest.Wait()
		hangUp()
		all.Wait()
		synctest.Wait()
		if n := calls.Load(); n > 100 {
			t.Errorf("%d calls go on without a caller", n)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := calls.Load(); n > 0 {
			t.Errorf("%d calls go on without a caller after 20 s", n)
		}
	})
}

// TestHangUpsOfOthers: what anonymous requests leave behind does not cut off the refresh of a user
// who hangs up. Where refresh tokens rotate, its answer is the only successor.
func TestHangUpsOfOthers(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	kv, again := expired(pool, alice, "r1"), expired(pool, alice, "r1")
	synctest.Test(t, func(t *testing.T) {
		cfg, o := pool.Config(), pool.Options()
		cfg.Auth.OAuth = &amplify.OAuthConfig{Domain: "auth.example.test"}
		o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			switch {
			case r.URL.Host == "auth.example.test":
				<-r.Context().Done()
				return nil, r.Context().Err()
			case !strings.HasSuffix(r.URL.Path, "jwks.json"):
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			return pool.RoundTrip(r)
		})
		c := newCognitoFor(t, cfg, o, cognito.Options{})
		if err := c.WarmUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, hangUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() { _, _ = c.ExchangeCode(ctx, cognito.CodeGrant{Code: fmt.Sprint(i), State: "s", Verifier: "v"}) })
		}
		synctest.Wait()
		hangUp()
		all.Wait()
		ctx, hangUp = context.WithCancel(t.Context())
		all.Go(func() { _, _ = c.TokenProvider(kv).Tokens(ctx, amplify.TokensInput{}) })
		synctest.Wait()
		hangUp()
		all.Wait()
		time.Sleep(2 * time.Second)
		if n := len(pool.Refreshes()); n != 1 {
			t.Errorf("%d refreshes have come, want 1", n)
		}
		wantUser(t, c, again, alice)
		if n := len(pool.Refreshes()); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// TestCallsEnd: a call whose attempts are not answered ends after 20 s, retries included.
func TestCallsEnd(t *testing.T) {
	pool := testpool.New(t)
	kv := expired(pool, alice, "r1")
	synctest.Test(t, func(t *testing.T) {
		o := pool.Options()
		o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "jwks.json") {
				return pool.RoundTrip(r)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := newCognitoFor(t, pool.Config(), o, cognito.Options{})
		begin := time.Now()
		wantReason(t, c, kv, amplify.ReasonServiceUnavailable)
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestPanicBelowACall: a panic of an HTTP client is an error of the requests that wait for the
// call.
func TestPanicBelowACall(t *testing.T) {
	pool := testpool.New(t)
	o := pool.Options()
	broken := atomic.Bool{}
	o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if broken.Load() {
			panic("secret")
		}
		return pool.RoundTrip(r)
	})
	c := newCognitoFor(t, pool.IdentityConfig(), o, cognito.Options{})
	broken.Store(true)
	wantReason(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), amplify.ReasonKeysUnavailable)
	broken.Store(false)
	pool.Advance(time.Minute)
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
	broken.Store(true)
	wantReason(t, c, expired(pool, alice, "r1"), amplify.ReasonServiceUnavailable)
	_, err := c.CredentialsProvider(signedIn(pool, bob)).Credentials(t.Context(), amplify.CredentialsInput{})
	if amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable || strings.Contains(err.Error(), "secret") {
		t.Errorf("credentials: %v", err)
	}
}

// TestProvenGuests: made-up identities use up a budget of their own.
func TestProvenGuests(t *testing.T) {
	pool := testpool.New(t)
	real := func(i int) string { return fmt.Sprintf("eu-west-1:11111111-0000-4000-8000-%012d", i) }
	pool.OnIdentity(on(testpool.GetCredentials, func(call testpool.IdentityCall) testpool.Answer {
		if id, _ := call.In["IdentityId"].(string); !strings.HasPrefix(id, "eu-west-1:11111111") {
			return testpool.Refused(http.StatusBadRequest, "ResourceNotFoundException", "Identity not found.")
		}
		return testpool.Answer{}
	}))
	c := newIdentityCognito(t, pool, cognito.Options{})
	ask := func(id string) error {
		_, err := c.CredentialsProvider(guest(id)).Credentials(t.Context(), amplify.CredentialsInput{})
		return err
	}
	for i := range 10 {
		if err := ask(real(i)); err != nil {
			t.Fatal(err)
		}
	}
	flood := func() {
		for i := range 12_000 { // more than are remembered
			_ = ask(fmt.Sprintf("eu-west-1:99999999-0000-4000-8000-%012d", i))
		}
	}
	flood()
	for i := range 10 {
		if err := ask(real(i)); err != nil {
			t.Fatalf("guest %d: %v", i, err)
		}
	}
	pool.Advance(55 * time.Minute) // their credentials are due
	flood()
	for i := range 10 {
		if err := ask(real(i)); err != nil {
			t.Fatalf("guest %d, whose credentials are due: %v", i, err)
		}
	}
	pool.Advance(time.Hour) // they have none any more
	flood()
	for i := range 10 {
		if err := ask(real(i)); err != nil {
			t.Fatalf("guest %d, whose credentials have expired: %v", i, err)
		}
	}
}

// TestOptionalClaims: claims that decide nothing may be anything.
func TestOptionalClaims(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	for _, name := range []string{"scope", "cognito:groups", "auth_time", "origin_jti", "email", "phone_number", "preferred_username", "custom:x"} {
		for _, value := range []any{1, true, []any{"a", 1}, map[string]any{"a": 1}, "text", []string{"a"}} {
			odd := testpool.Claim{Name: name, Value: value}
			kv := session(alice, pool.Access(alice, odd), pool.ID(alice, odd), "")
			wantUser(t, c, kv, alice)
			got, err := tokens(t, c, kv)
			if err != nil {
				t.Fatal(err)
			}
			if groups := got.IDToken.Claims().Groups; name == "cognito:groups" && fmt.Sprint(value) == "[a 1]" && groups != nil {
				t.Errorf("groups %q of a list that is none", groups)
			}
			var all map[string]any
			if err := got.IDToken.Decode(&all); err != nil || all[name] == nil {
				t.Errorf("%s is not in Decode: %v", name, err)
			}
		}
	}
	for _, name := range []string{"sub", "iss", "token_use", "exp", "iat", "nbf"} {
		odd := testpool.Claim{Name: name, Value: []string{"x"}}
		if _, err := tokens(t, c, session(alice, pool.Access(alice, odd), pool.ID(alice), "")); !errors.Is(err, amplify.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHandoffIsOfUse: an answer from memory that has expired, or does not outlive what the request
// presents, is not given.
func TestHandoffIsOfUse(t *testing.T) {
	pool := testpool.New(t)
	life := int64(30)
	pool.OnRefresh(func(map[string]any) testpool.Answer {
		a := pool.Refreshed(alice, "")
		exp := testpool.Claim{Name: "exp", Value: pool.Now().Unix() + life}
		a.Body.(map[string]any)["AuthenticationResult"].(map[string]any)["AccessToken"] = pool.Access(alice, exp)
		return a
	})
	c := newCognito(t, pool, cognito.Options{})
	wantUser(t, c, expired(pool, alice, "r1"), alice)
	pool.Advance(31 * time.Second)
	life = 3600
	wantUser(t, c, expired(pool, alice, "r1"), alice)
	if n := len(pool.Refreshes()); n != 2 {
		t.Errorf("%d refreshes, want 2: the first answer has expired", n)
	}
}

// TestRequestMemoryIsNotKept: an adapter may use a request's memory again as soon as the request
// has ended, while a call that it began goes on.
func TestRequestMemoryIsNotKept(t *testing.T) {
	pool := testpool.New(t)
	synctest.Test(t, func(t *testing.T) {
		o := pool.Options()
		release := make(chan struct{})
		var sent sync.Map
		o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "jwks.json") {
				return pool.RoundTrip(r)
			}
			select { // the body is read only now, as a connection that has to be made first would
			case <-release:
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
			response, err := pool.RoundTrip(r)
			sent.Store(r.Header.Get("X-Amz-Target"), true)
			return response, err
		})
		pool.OnRefresh(func(in map[string]any) testpool.Answer {
			if in["RefreshToken"] != "refresh-of-alice" || in["DeviceKey"] != "device-of-alice" {
				t.Errorf("sent %v", in)
			}
			return pool.Refreshed(alice, "")
		})
		pool.OnIdentity(func(call testpool.IdentityCall) testpool.Answer {
			if text := fmt.Sprint(call.In); strings.Contains(text, "XXXX") {
				t.Errorf("sent %s", text)
			}
			return testpool.Answer{}
		})
		c := newCognitoFor(t, pool.IdentityConfig(), o, cognito.Options{})
		ctx, hangUp := context.WithCancel(t.Context())
		old := expired(pool, alice, "refresh-of-alice").add("alice.deviceKey", "device-of-alice").add("alice.deviceGroupKey", "g").add("alice.randomPasswordKey", "p")
		for _, ask := range []func(kv *storage){
			func(kv *storage) { _, _ = c.TokenProvider(kv).Tokens(ctx, amplify.TokensInput{}) },
			func(kv *storage) { _, _ = c.CredentialsProvider(kv).Credentials(ctx, amplify.CredentialsInput{}) },
		} {
			for _, kv := range []*storage{old, session(bob, pool.Access(bob), pool.ID(bob), ""), guest("eu-west-1:11111111-0000-4000-8000-000000000001")} {
				copied, scribble := reused(kv)
				done := make(chan struct{})
				go func() { ask(copied); close(done) }()
				synctest.Wait()
				hangUp()
				<-done
				scribble()
				ctx, hangUp = context.WithCancel(t.Context())
			}
		}
		hangUp()
		close(release)
		synctest.Wait()
		time.Sleep(time.Second)
		n := 0
		sent.Range(func(any, any) bool { n++; return true })
		if n == 0 {
			t.Error("no call went on")
		}
	})
}

// reused returns a copy of kv in memory that scribble overwrites.
func reused(kv *storage) (copied *storage, scribble func()) {
	var buffers [][]byte
	copied = &storage{}
	text := func(s string) string {
		b := []byte(s)
		buffers = append(buffers, b)
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	for _, e := range kv.entries {
		copied.entries = append(copied.entries, [2]string{text(e[0]), text(e[1])})
	}
	return copied, func() {
		for _, b := range buffers {
			for i := range b {
				b[i] = 'X'
			}
		}
	}
}
