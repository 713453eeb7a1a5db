package cognito_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// guestKey is the key of a guest's identity.
const guestKey = "com.amplify.Cognito." + testpool.IdentityPool + ".identityId"

// newIdentityCognito is newCognito with an identity pool.
func newIdentityCognito(t testing.TB, pool *testpool.Pool, o cognito.Options) *cognito.Client {
	t.Helper()
	return newCognitoFor(t, pool.IdentityConfig(), pool.Options(), o)
}

func newCognitoFor(t testing.TB, cfg amplify.Config, ao amplify.Options, o cognito.Options) *cognito.Client {
	t.Helper()
	app, err := amplify.New(cfg, ao)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(context.Background()), app.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return c
}

func credentials(t testing.TB, c *cognito.Client, kv amplify.KeyValueStorage) (*amplify.Credentials, error) {
	t.Helper()
	return c.CredentialsProvider(kv).Credentials(t.Context(), amplify.CredentialsInput{})
}

// wantIdentity expects the credentials of the session in kv to be those of an identity, and returns
// them.
func wantIdentity(t testing.TB, c *cognito.Client, kv amplify.KeyValueStorage, id string) *amplify.Credentials {
	t.Helper()
	got, err := credentials(t, c, kv)
	if err != nil {
		t.Fatal(err)
	}
	if got == nil || got.IdentityID != id || got.SecretAccessKey.Reveal() != "secret of "+id {
		t.Fatalf("credentials of %+v, want %s", got, id)
	}
	return got
}

// wantCalls expects so many calls of the identity pool so far.
func wantCalls(t testing.TB, pool *testpool.Pool, ids, credentials int) {
	t.Helper()
	i, c := len(pool.IdentityCalls(testpool.GetID)), len(pool.IdentityCalls(testpool.GetCredentials))
	if i != ids || c != credentials {
		t.Fatalf("%d calls of GetId and %d of GetCredentialsForIdentity, want %d and %d", i, c, ids, credentials)
	}
}

// on returns what answers calls of one operation by f.
func on(operation string, f func(testpool.IdentityCall) testpool.Answer) func(testpool.IdentityCall) testpool.Answer {
	return func(c testpool.IdentityCall) testpool.Answer {
		if c.Operation != operation {
			return testpool.Answer{}
		}
		return f(c)
	}
}

func refuse(name string) func(testpool.IdentityCall) testpool.Answer {
	return func(testpool.IdentityCall) testpool.Answer {
		return testpool.Refused(http.StatusBadRequest, name, "no")
	}
}

func signedIn(pool *testpool.Pool, u testpool.User) *storage {
	return session(u, pool.Access(u), pool.ID(u), "r1")
}

// guest returns the storage of a visitor with an identity, or none if id is empty.
func guest(id string) *storage {
	s := &storage{}
	if id != "" {
		s.entries = [][2]string{{guestKey, id}}
	}
	return s
}

func TestUserCredentials(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{})
	kv := signedIn(pool, alice)
	got := wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
	if got.AccessKeyID == "" || got.SessionToken.IsZero() || !got.Expires.Equal(pool.Now().Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	wantCalls(t, pool, 1, 1)
	logins := map[string]any{"cognito-idp.eu-west-1.amazonaws.com/" + testpool.ID: pool.ID(alice)}
	if d := cmp.Diff(map[string]any{"IdentityPoolId": testpool.IdentityPool, "Logins": logins}, pool.IdentityCalls(testpool.GetID)[0].In); d != "" {
		t.Errorf("GetId (-want +got)\n%s", d)
	}
	if d := cmp.Diff(map[string]any{"IdentityId": testpool.IdentityOf(alice.Sub), "Logins": logins}, pool.IdentityCalls(testpool.GetCredentials)[0].In); d != "" {
		t.Errorf("GetCredentialsForIdentity (-want +got)\n%s", d)
	}
	if host := pool.IdentityCalls(testpool.GetID)[0].Host; host != "cognito-identity.eu-west-1.amazonaws.com" {
		t.Errorf("asked %s", host)
	}

	// What a caller does to its credentials is its own business.
	got.IdentityID = "eu-west-1:changed"
	pool.Advance(49 * time.Minute)
	wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
	wantCalls(t, pool, 1, 1)

	pool.Advance(time.Minute) // ten minutes before they expire
	if again := wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub)); again.AccessKeyID == got.AccessKeyID {
		t.Error("the same credentials ten minutes before they expire")
	}
	wantCalls(t, pool, 1, 2)

	// Another sign-in of the same user: her identity is known, her role may be another.
	pool.Advance(time.Second)
	wantIdentity(t, c, signedIn(pool, alice), testpool.IdentityOf(alice.Sub))
	wantCalls(t, pool, 1, 3)
	wantIdentity(t, c, signedIn(pool, bob), testpool.IdentityOf(bob.Sub))
	wantCalls(t, pool, 2, 4)

	if _, err := c.CredentialsProvider(kv).Credentials(t.Context(), amplify.CredentialsInput{ForceRefresh: true}); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, pool, 2, 5)
}

func TestNoCredentials(t *testing.T) {
	pool := testpool.New(t)
	noGuests := pool.IdentityConfig()
	noGuests.Auth.AllowGuestAccess = false
	for _, c := range []struct {
		name string
		cfg  amplify.Config
		kv   *storage
	}{
		{"no identity pool", pool.Config(), signedIn(pool, alice)},
		{"no identity pool, guest", pool.Config(), guest("")},
		{"no guests", noGuests, guest("")},
		{"no guests, with a guest's identity", noGuests, guest("eu-west-1:g")},
	} {
		t.Run(c.name, func(t *testing.T) {
			cog := newCognitoFor(t, c.cfg, pool.Options(), cognito.Options{})
			if got, err := credentials(t, cog, c.kv); got != nil || err != nil {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := cog.GuestCredentialsProvider().Credentials(t.Context(), amplify.CredentialsInput{}); got != nil || err != nil {
				t.Errorf("guest: %+v, %v", got, err)
			}
		})
	}
	wantCalls(t, pool, 0, 0)
}

// TestCredentialsOfForgery: what makes no session opens no credentials of a user.
func TestCredentialsOfForgery(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{})
	wantIdentity(t, c, signedIn(pool, alice), testpool.IdentityOf(alice.Sub))
	wantIdentity(t, c, session(bob, pool.Access(bob), pool.ID(alice), "r"), "eu-west-1:guest-1")
	wantIdentity(t, c, session(bob, "", pool.ID(alice), "r"), "eu-west-1:guest-1")

	// Nobody becomes a guest because keys cannot be had.
	down := testpool.New(t)
	down.KeysDown(true)
	if got, err := credentials(t, newIdentityCognito(t, down, cognito.Options{}), signedIn(down, alice)); amplify.ReasonOf(err) != amplify.ReasonKeysUnavailable {
		t.Errorf("%+v, %v", got, err)
	}
	wantCalls(t, down, 0, 0)
}

// TestCredentialsShared: one call of each kind, whoever waits for it; those who give up cancel
// nothing.
func TestCredentialsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := testpool.New(t)
		pool.OnIdentity(func(testpool.IdentityCall) testpool.Answer { time.Sleep(time.Second); return testpool.Answer{} })
		c := newIdentityCognito(t, pool, cognito.Options{})
		var all sync.WaitGroup
		for i := range 100 {
			u, kv := alice, signedIn(pool, alice)
			if i%2 == 1 {
				u, kv = testpool.User{Sub: "guest-1"}, guest("")
			}
			impatient := i < 50
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				if impatient {
					ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
				}
				defer cancel()
				got, err := c.CredentialsProvider(kv).Credentials(ctx, amplify.CredentialsInput{})
				switch {
				case impatient && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("gave up: %v", err)
				case !impatient && (err != nil || got.IdentityID != testpool.IdentityOf(u.Sub)):
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		all.Wait()
		wantCalls(t, pool, 2, 2)
	})
}

// TestTwoSessionsOfAUser: two ID tokens of one user have credentials of their own and one identity.
func TestTwoSessionsOfAUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := testpool.New(t)
		pool.OnIdentity(func(testpool.IdentityCall) testpool.Answer { time.Sleep(time.Second); return testpool.Answer{} })
		c := newIdentityCognito(t, pool, cognito.Options{})
		first := signedIn(pool, alice)
		pool.Advance(time.Second)
		second := signedIn(pool, alice)
		var all sync.WaitGroup
		for _, kv := range []*storage{first, second} {
			all.Go(func() { wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub)) })
		}
		all.Wait()
		wantCalls(t, pool, 1, 2)
	})
}

func TestAnotherIdentityWins(t *testing.T) {
	pool := testpool.New(t)
	pool.OnIdentity(on(testpool.GetCredentials, func(testpool.IdentityCall) testpool.Answer { return pool.Granted("eu-west-1:other") }))
	c := newIdentityCognito(t, pool, cognito.Options{})
	wantIdentity(t, c, signedIn(pool, alice), "eu-west-1:other")
	pool.Advance(time.Second)
	wantIdentity(t, c, signedIn(pool, alice), "eu-west-1:other")
	wantCalls(t, pool, 1, 2)
	if id := pool.IdentityCalls(testpool.GetCredentials)[1].In["IdentityId"]; id != "eu-west-1:other" {
		t.Errorf("asked for %v", id)
	}
}

// TestDeletedIdentity: an identity that is gone is asked for anew.
func TestDeletedIdentity(t *testing.T) {
	for name, kv := range map[string]func(*testpool.Pool) *storage{
		"user":  func(p *testpool.Pool) *storage { return signedIn(p, alice) },
		"guest": func(*testpool.Pool) *storage { return guest("") },
	} {
		t.Run(name, func(t *testing.T) {
			pool := testpool.New(t)
			c := newIdentityCognito(t, pool, cognito.Options{})
			first, err := credentials(t, c, kv(pool))
			if err != nil {
				t.Fatal(err)
			}
			pool.OnIdentity(func(c testpool.IdentityCall) testpool.Answer {
				switch {
				case c.Operation == testpool.GetID:
					return testpool.Answer{Status: http.StatusOK, Body: map[string]any{"IdentityId": "eu-west-1:new"}}
				case c.In["IdentityId"] == first.IdentityID:
					return testpool.Refused(http.StatusBadRequest, "ResourceNotFoundException", "Identity not found.")
				}
				return pool.Granted("eu-west-1:new")
			})
			pool.Advance(55 * time.Minute)
			wantIdentity(t, c, kv(pool), "eu-west-1:new")
			wantCalls(t, pool, 2, 3)
		})
	}
}

// TestRefusedCredentials: what is refused for good is not asked for with every request.
func TestRefusedCredentials(t *testing.T) {
	pool := testpool.New(t)
	pool.OnIdentity(refuse("NotAuthorizedException"))
	c := newIdentityCognito(t, pool, cognito.Options{})
	kv := signedIn(pool, alice)
	for range 10 {
		for _, kv := range []*storage{kv, guest("")} {
			var e *amplify.Error
			if got, err := credentials(t, c, kv); !errors.As(err, &e) || e.Name != "NotAuthorizedException" || errors.Is(err, amplify.ErrUnauthenticated) {
				t.Fatalf("%+v, %v", got, err)
			}
		}
	}
	wantCalls(t, pool, 2, 0)
	pool.OnIdentity(nil)
	pool.Advance(30 * time.Second)
	wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
	wantIdentity(t, c, guest(""), "eu-west-1:guest-1")
}

// TestTransientFailure: what fails for now is asked for again; valid credentials serve meanwhile.
func TestIdentityPoolInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for the retries
		pool := testpool.New(t)
		down := func(testpool.IdentityCall) testpool.Answer {
			return testpool.Answer{Status: http.StatusServiceUnavailable}
		}
		pool.OnIdentity(down)
		c := newIdentityCognito(t, pool, cognito.Options{})
		kv := expiresLater(pool)
		if _, err := credentials(t, c, kv); amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
			t.Fatal(err)
		}
		pool.OnIdentity(nil)
		first := wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
		pool.OnIdentity(down)
		pool.Advance(58 * time.Minute)
		if got := wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub)); got.AccessKeyID != first.AccessKeyID {
			t.Errorf("%+v", got)
		}
		_, err := c.CredentialsProvider(kv).Credentials(t.Context(), amplify.CredentialsInput{ForceRefresh: true})
		if amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
			t.Errorf("forced: %v", err)
		}
		pool.Advance(time.Minute + time.Second)
		if got, err := credentials(t, c, kv); amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
			t.Errorf("about to expire: %+v, %v", got, err)
		}
	})
}

// expiresLater returns a session of Alice's that lasts a day.
func expiresLater(pool *testpool.Pool) *storage {
	exp := testpool.Claim{Name: "exp", Value: pool.Now().Add(24 * time.Hour).Unix()}
	return session(alice, pool.Access(alice, exp), pool.ID(alice, exp), "r1")
}

// TestThrottledIdentityPool: while Cognito throttles, one call in a pause tries, and valid
// credentials serve.
func TestThrottledIdentityPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := testpool.New(t)
		c := newIdentityCognito(t, pool, cognito.Options{})
		known := expiresLater(pool)
		wantIdentity(t, c, known, testpool.IdentityOf(alice.Sub))
		pool.OnIdentity(on(testpool.GetCredentials, refuse("TooManyRequestsException")))
		pool.Advance(51 * time.Minute)
		before := len(pool.IdentityCalls(testpool.GetCredentials))
		for i := range 100 {
			wantIdentity(t, c, known, testpool.IdentityOf(alice.Sub))
			u := testpool.User{Sub: fmt.Sprintf("sub-%d", i), Name: "u"}
			var e *amplify.Error
			if _, err := credentials(t, c, signedIn(pool, u)); !errors.As(err, &e) || e.Name != "TooManyRequestsException" || e.Reason != amplify.ReasonServiceUnavailable {
				t.Fatal(err)
			}
		}
		if n := len(pool.IdentityCalls(testpool.GetCredentials)) - before; n != 3 { // one, and its retries
			t.Errorf("%d calls in a storm", n)
		}
		pool.OnIdentity(nil)
		pool.Advance(time.Second)
		wantIdentity(t, c, signedIn(pool, bob), testpool.IdentityOf(bob.Sub))
		wantIdentity(t, c, known, testpool.IdentityOf(alice.Sub))
	})
}

func TestGarbledAnswers(t *testing.T) {
	ok := func(body map[string]any) testpool.Answer { return testpool.Answer{Status: http.StatusOK, Body: body} }
	for _, c := range []struct {
		name string
		on   string
		body map[string]any
		kv   func(*testpool.Pool) *storage
		want string
	}{
		{"no identity", testpool.GetID, map[string]any{}, func(p *testpool.Pool) *storage { return signedIn(p, alice) }, "GetIdResponseException"},
		{"no credentials", testpool.GetCredentials, map[string]any{"IdentityId": "x"}, func(p *testpool.Pool) *storage { return signedIn(p, alice) }, "CredentialsException"},
		{"no credentials of a guest", testpool.GetCredentials, map[string]any{"IdentityId": "x"}, func(*testpool.Pool) *storage { return guest("") }, "CredentialsNotFoundException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := testpool.New(t)
			pool.OnIdentity(on(c.on, func(testpool.IdentityCall) testpool.Answer { return ok(c.body) }))
			var e *amplify.Error
			if got, err := credentials(t, newIdentityCognito(t, pool, cognito.Options{}), c.kv(pool)); !errors.As(err, &e) || e.Name != c.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestClockOfCredentials: a server whose clock is hours off does not ask with every request.
func TestClockOfCredentials(t *testing.T) {
	for _, off := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			pool := testpool.New(t)
			o := pool.Options()
			o.Clock = func() time.Time { return pool.Now().Add(off) }
			c := newCognitoFor(t, pool.IdentityConfig(), o, cognito.Options{})
			for range 10 {
				wantIdentity(t, c, guest(""), "eu-west-1:guest-1")
			}
			wantCalls(t, pool, 1, 1)
			pool.Advance(50 * time.Minute)
			wantIdentity(t, c, guest(""), "eu-west-1:guest-1")
			wantCalls(t, pool, 1, 2)
		})
	}
}

// TestForgetCredentials: a sign-out takes the credentials along, also those that are on their way.
func TestForgetCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := testpool.New(t)
		pool.OnRefresh(func(map[string]any) testpool.Answer {
			return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Refresh Token has been revoked")
		})
		c := newIdentityCognito(t, pool, cognito.Options{})
		kv, others := signedIn(pool, alice), signedIn(pool, bob)
		wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
		wantIdentity(t, c, others, testpool.IdentityOf(bob.Sub))
		if n := c.KnownCredentials(); n != 2 {
			t.Fatalf("%d credentials are known, want 2", n)
		}
		// A forced renewal is under way as the user signs out.
		pool.OnIdentity(func(testpool.IdentityCall) testpool.Answer { time.Sleep(time.Second); return testpool.Answer{} })
		var renewal sync.WaitGroup
		renewal.Go(func() {
			_, _ = c.CredentialsProvider(kv).Credentials(t.Context(), amplify.CredentialsInput{ForceRefresh: true})
		})
		synctest.Wait()
		signOut(t, c, kv)
		if n := c.KnownCredentials(); n != 1 {
			t.Errorf("%d credentials are known after a sign-out, want 1", n)
		}
		renewal.Wait()
		if n := c.KnownCredentials(); n != 1 {
			t.Errorf("%d credentials are known after a renewal that a sign-out overtook, want 1", n)
		}
		pool.OnIdentity(nil)
		wantIdentity(t, c, kv, "eu-west-1:guest-1")
		wantIdentity(t, c, others, testpool.IdentityOf(bob.Sub))
	})
}
