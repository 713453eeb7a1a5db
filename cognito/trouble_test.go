package cognito_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// expiresIn returns a session of Alice's whose tokens expire so soon.
func expiresIn(pool *testpool.Pool, d time.Duration, refresh string) *storage {
	iat := testpool.Claim{Name: "iat", Value: pool.Now().Add(d - time.Hour).Unix()}
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Add(d).Unix()}
	return session(alice, pool.Access(alice, iat, exp), pool.ID(alice, iat, exp), refresh)
}

// TestThrottledUserPool: a storm is not fed. One call in a pause tries, nobody is signed out, valid
// tokens serve, and the first success ends it.
func TestThrottledUserPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for the retries
		pool := testpool.New(t)
		throttled := func(map[string]any) testpool.Answer {
			return testpool.Refused(http.StatusBadRequest, "TooManyRequestsException", "Rate exceeded")
		}
		pool.OnRefresh(throttled)
		c := newCognito(t, pool, cognito.Options{RefreshEarly: 5 * time.Minute})
		storm := func() (calls int) {
			before := len(pool.Refreshes())
			for i := range 100 {
				kv := expired(pool, alice, fmt.Sprintf("r%d", i))
				var e *amplify.Error
				if _, err := tokens(t, c, kv); !errors.As(err, &e) || e.Name != "TooManyRequestsException" || e.Reason != amplify.ReasonServiceUnavailable {
					t.Fatal(err)
				}
				if len(kv.get("alice.refreshToken")) != 1 {
					t.Fatal("signed out")
				}
				wantUser(t, c, expiresIn(pool, time.Minute, "valid"), alice)
			}
			return len(pool.Refreshes()) - before
		}
		const attempts = 3 // of one call
		if n := storm(); n != attempts {
			t.Errorf("%d calls in the first pause", n)
		}
		pool.Advance(time.Second)
		if n := storm(); n != attempts {
			t.Errorf("%d calls in the second pause", n)
		}
		pool.Advance(500 * time.Millisecond) // it is twice as long, a second at the least
		if n := storm(); n != 0 {
			t.Errorf("%d calls within the second pause", n)
		}
		pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") })
		pool.Advance(2 * time.Second)
		for i := range 100 {
			wantUser(t, c, expired(pool, alice, fmt.Sprintf("r%d", i)), alice)
		}
	})
}

func TestRefreshEarly(t *testing.T) {
	for _, c := range []struct {
		name     string
		early    time.Duration
		left     time.Duration
		readOnly bool
		want     int
	}{
		{"off", 0, time.Minute, false, 0},
		{"due", 5 * time.Minute, 5 * time.Minute, false, 1},
		{"not due", 5 * time.Minute, 5*time.Minute + time.Second, false, 0},
		{"half of the lifetime at most", 2 * time.Hour, 31 * time.Minute, false, 0},
		{"half of the lifetime", 2 * time.Hour, 30 * time.Minute, false, 1},
		{"read-only", 5 * time.Minute, time.Minute, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := testpool.New(t)
			pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "") })
			cog := newCognito(t, pool, cognito.Options{RefreshEarly: c.early, RefreshTokenRotation: cognito.RotationOff})
			kv := expiresIn(pool, c.left, "r1")
			kv.readOnly = c.readOnly
			p := cog.TokenProvider(kv)
			for range 2 {
				if _, err := p.Tokens(t.Context(), amplify.TokensInput{}); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(pool.Refreshes()); n != c.want {
				t.Errorf("%d refreshes, want %d", n, c.want)
			}
		})
	}
}

// TestSignOutDuringRefresh: the answer to a refresh that a sign-out has overtaken goes to nobody.
func TestSignOutDuringRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := testpool.New(t)
		answer := rotating(pool, alice)
		pool.OnRefresh(func(in map[string]any) testpool.Answer {
			a := answer(in)
			time.Sleep(time.Second)
			return a
		})
		c := newCognito(t, pool, cognito.Options{})
		kv := expired(pool, alice, "r1")
		var refresh sync.WaitGroup
		refresh.Go(func() { wantReason(t, c, kv, amplify.ReasonSignedOut) })
		synctest.Wait()
		signOut(t, c, expired(pool, alice, "r1"))
		refresh.Wait()
		if len(kv.get("alice.accessToken")) > 0 {
			t.Error("a session was kept")
		}
		wantReason(t, c, expired(pool, alice, "r1"), amplify.ReasonSignedOut)
	})
}

// TestSignOutWithOldCookies: also what a refresh token led to is purged.
func TestSignOutWithOldCookies(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	kv := expired(pool, alice, "r1")
	for range 2 { // r1 → r2 → r3
		if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err != nil {
			t.Fatal(err)
		}
	}
	wantUser(t, c, expired(pool, alice, "r2"), alice)
	signOut(t, c, expired(pool, alice, "r1"))
	wantReason(t, c, expired(pool, alice, "r2"), amplify.ReasonSignedOut)
}

// TestApps: two Apps, and two pools, in one process share nothing, be user names, tokens and
// refresh tokens the same.
func TestApps(t *testing.T) {
	cfg := func(pool *testpool.Pool, client string) amplify.Config {
		cfg := pool.IdentityConfig()
		cfg.Auth.UserPoolClientID = client
		return cfg
	}
	one, two := testpool.New(t), testpool.New(t)
	first := newCognitoFor(t, cfg(one, testpool.Client), one.Options(), cognito.Options{})
	second := newCognitoFor(t, cfg(two, testpool.Client), two.Options(), cognito.Options{})
	other := newCognitoFor(t, cfg(one, "anotherclient"), one.Options(), cognito.Options{})
	for _, pool := range []*testpool.Pool{one, two} {
		pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(alice, "r2") })
	}
	two.OnIdentity(on(testpool.GetCredentials, func(testpool.IdentityCall) testpool.Answer { return two.Granted("eu-west-1:of-two") }))

	wantIdentity(t, first, signedIn(one, alice), testpool.IdentityOf(alice.Sub))
	wantIdentity(t, second, signedIn(one, alice), "eu-west-1:of-two") // the very tokens
	wantCalls(t, two, 1, 1)
	wantIdentity(t, first, guest(""), "eu-west-1:guest-1")
	wantIdentity(t, second, guest(""), "eu-west-1:of-two")
	wantCalls(t, two, 2, 2)

	wantUser(t, first, expired(one, alice, "r1"), alice)
	wantUser(t, second, expired(two, alice, "r1"), alice)
	if len(one.Refreshes()) != 1 || len(two.Refreshes()) != 1 {
		t.Errorf("%d and %d refreshes", len(one.Refreshes()), len(two.Refreshes()))
	}
	// Another client of the same pool reads other keys, and takes no tokens of this one.
	wantReason(t, other, signedIn(one, alice), amplify.ReasonNoSession)
	moved := &storage{}
	for _, e := range signedIn(one, alice).entries {
		moved.entries = append(moved.entries, [2]string{"CognitoIdentityServiceProvider.anotherclient." + e[0][len(testpool.Prefix):], e[1]})
	}
	wantReason(t, other, moved, amplify.ReasonWrongClient)
	wantIdentity(t, other, moved, "eu-west-1:guest-2") // not even the guest is shared
	signOut(t, first, signedIn(one, alice))
	wantIdentity(t, second, signedIn(one, alice), "eu-west-1:of-two")
}

// TestIdentityPoolEndpoint: the identity pool is reached where the configuration, the options and
// the environment say, by default in the region of its id.
func TestIdentityPoolEndpoint(t *testing.T) {
	for _, c := range []struct {
		name, env string
		cfg       func(*amplify.AuthConfig)
		options   amplify.Endpoints
		want      string
	}{
		{name: "AWS", want: "cognito-identity.eu-west-1.amazonaws.com"},
		{name: "region of the id", cfg: func(a *amplify.AuthConfig) { a.IdentityPoolID = "us-gov-west-1:1" }, want: "cognito-identity.us-gov-west-1.amazonaws.com"},
		{name: "China", cfg: func(a *amplify.AuthConfig) { a.IdentityPoolID = "cn-north-1:1" }, want: "cognito-identity.cn-north-1.amazonaws.com.cn"},
		{name: "environment", env: "http://env.test", want: "env.test"},
		{name: "configuration", env: "http://env.test", cfg: func(a *amplify.AuthConfig) { a.IdentityPoolEndpoint = "https://cfg.test" }, want: "cfg.test"},
		{name: "options", env: "http://env.test", options: amplify.Endpoints{IdentityPool: "http://options.test"}, want: "options.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", c.env)
			pool := testpool.New(t)
			cfg, o := pool.IdentityConfig(), pool.Options()
			if c.cfg != nil {
				c.cfg(cfg.Auth)
			}
			o.Endpoints = c.options
			cog := newCognitoFor(t, cfg, o, cognito.Options{})
			if _, err := credentials(t, cog, guest("")); err != nil {
				t.Fatal(err)
			}
			for _, operation := range []string{testpool.GetID, testpool.GetCredentials} {
				if host := pool.IdentityCalls(operation)[0].Host; host != c.want {
					t.Errorf("%s at %s, want %s", operation, host, c.want)
				}
			}
		})
	}
}
