package cognito_test

import (
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

// guestOf returns the guest identity that kv keeps.
func guestOf(kv *storage) (id string) {
	for _, id = range kv.All(guestKey) {
	}
	return id
}

func TestSharedGuest(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{})
	for range 3 {
		kv := guest("")
		wantIdentity(t, c, kv, "eu-west-1:guest-1")
		if len(kv.entries) > 0 {
			t.Fatalf("the shared identity is kept: %d entries", len(kv.entries))
		}
		got, err := c.GuestCredentialsProvider().Credentials(t.Context(), amplify.CredentialsInput{})
		if err != nil || got.IdentityID != "eu-west-1:guest-1" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	wantCalls(t, pool, 1, 1)
	for _, operation := range []string{testpool.GetID, testpool.GetCredentials} {
		if logins, ok := pool.IdentityCalls(operation)[0].In["Logins"].(map[string]any); len(logins) > 0 || ok && operation == testpool.GetCredentials {
			t.Errorf("%s: logins %v", operation, logins)
		}
	}
	// The identity outlives its credentials.
	pool.Advance(2 * time.Hour)
	wantIdentity(t, c, guest(""), "eu-west-1:guest-1")
	wantCalls(t, pool, 1, 2)

	// A user never becomes it, nor it a user; a visitor's own identity is the browser's business.
	kv := signedIn(pool, alice)
	kv.entries = append(kv.entries, [2]string{guestKey, "eu-west-1:own"})
	wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
	calls := pool.IdentityCalls(testpool.GetCredentials)
	if id := calls[len(calls)-1].In["IdentityId"]; id != testpool.IdentityOf(alice.Sub) || guestOf(kv) != "eu-west-1:own" {
		t.Errorf("asked for %v; kept is %q", id, guestOf(kv))
	}
	wantIdentity(t, c, guest("eu-west-1:own"), "eu-west-1:own")
}

// TestOwnGuest: what a visitor presents is asked for once, and refused once.
func TestOwnGuest(t *testing.T) {
	pool := testpool.New(t)
	pool.OnIdentity(on(testpool.GetCredentials, func(c testpool.IdentityCall) testpool.Answer {
		if c.In["IdentityId"] == testpool.IdentityOf(alice.Sub) {
			return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Access to Identity is forbidden.")
		}
		return testpool.Answer{}
	}))
	c := newIdentityCognito(t, pool, cognito.Options{})
	for range 5 {
		wantIdentity(t, c, guest("eu-west-1:own"), "eu-west-1:own")
	}
	wantCalls(t, pool, 0, 1)
	for range 5 { // somebody else's
		wantIdentity(t, c, guest(testpool.IdentityOf(alice.Sub)), "eu-west-1:guest-1")
	}
	wantCalls(t, pool, 1, 3)
	for _, id := range []string{"", "own", "us-east-1:own", "eu-west-1:a b", "eu-west-1:<script>", "eu-west-1:" + testpool.IdentityPool + testpool.IdentityPool} {
		wantIdentity(t, c, guest(id), "eu-west-1:guest-1")
	}
	wantCalls(t, pool, 1, 3)
}

// TestMadeUpGuests: ids that visitors make up do not use up the quota, and disturb nobody who is
// known.
func TestMadeUpGuests(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{})
	wantIdentity(t, c, guest("eu-west-1:known"), "eu-west-1:known")
	refused := 0
	for i := range 1000 {
		if _, err := credentials(t, c, guest(fmt.Sprintf("eu-west-1:made-up-%d", i))); err != nil {
			if amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
				t.Fatal(err)
			}
			refused++
		}
	}
	if n := len(pool.IdentityCalls(testpool.GetCredentials)); n > 100 || refused == 0 {
		t.Errorf("%d calls, %d visitors refused", n, refused)
	}
	wantIdentity(t, c, guest("eu-west-1:known"), "eu-west-1:known")
	wantIdentity(t, c, guest(""), "eu-west-1:guest-1")
	wantIdentity(t, c, signedIn(pool, alice), testpool.IdentityOf(alice.Sub))
	pool.Advance(time.Second)
	wantIdentity(t, c, guest("eu-west-1:late"), "eu-west-1:late")
}

func TestGuestPerVisitor(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{GuestIdentity: cognito.GuestPerVisitor})
	first, second := guest(""), guest("")
	wantIdentity(t, c, first, "eu-west-1:guest-1")
	wantIdentity(t, c, second, "eu-west-1:guest-2")
	wantIdentity(t, c, first, "eu-west-1:guest-1")
	if guestOf(first) != "eu-west-1:guest-1" || guestOf(second) != "eu-west-1:guest-2" {
		t.Errorf("kept are %q and %q", guestOf(first), guestOf(second))
	}
	wantCalls(t, pool, 2, 2)

	// Where none can be kept, nobody gets one.
	readOnly := guest("")
	readOnly.readOnly = true
	wantIdentity(t, c, readOnly, "eu-west-1:guest-3")
	wantIdentity(t, c, forgetful{guest("")}.storage, "eu-west-1:guest-4")
	if got, err := credentials(t, c, forgetful{guest("")}); err != nil || got.IdentityID != "eu-west-1:guest-3" {
		t.Errorf("%+v, %v", got, err)
	}

	// Who signs in takes the identity along.
	kv := signedIn(pool, alice)
	kv.entries = append(kv.entries, [2]string{guestKey, "eu-west-1:guest-1"})
	before := len(pool.IdentityCalls(testpool.GetID))
	wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub)) // it was merged into this one
	calls := pool.IdentityCalls(testpool.GetCredentials)
	if last := calls[len(calls)-1]; last.In["IdentityId"] != "eu-west-1:guest-1" || last.Login() == "" || len(pool.IdentityCalls(testpool.GetID)) != before {
		t.Errorf("asked %+v", last)
	}
	if guestOf(kv) != "" {
		t.Errorf("kept is %q", guestOf(kv))
	}
}

// forgetful is a storage that keeps no guests, like the cookies of server-side sign-in.
type forgetful struct{ *storage }

func (forgetful) Keeps(key string) bool { return key != guestKey }

// TestGuestBecomesUser: an identity that is not to be had does not keep a user from signing in.
func TestGuestBecomesUser(t *testing.T) {
	pool := testpool.New(t)
	pool.OnIdentity(on(testpool.GetCredentials, func(c testpool.IdentityCall) testpool.Answer {
		if c.In["IdentityId"] == "eu-west-1:another-users" {
			return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Logins don't match.")
		}
		return testpool.Answer{}
	}))
	c := newIdentityCognito(t, pool, cognito.Options{GuestIdentity: cognito.GuestPerVisitor})
	kv := signedIn(pool, alice)
	kv.entries = append(kv.entries, [2]string{guestKey, "eu-west-1:another-users"})
	wantIdentity(t, c, kv, testpool.IdentityOf(alice.Sub))
	if guestOf(kv) != "" {
		t.Errorf("kept is %q", guestOf(kv))
	}
}

// TestOneGuestARequest: the goroutines of a request are one visitor.
func TestOneGuestARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := testpool.New(t)
		pool.OnIdentity(func(testpool.IdentityCall) testpool.Answer { time.Sleep(time.Second); return testpool.Answer{} })
		c := newIdentityCognito(t, pool, cognito.Options{GuestIdentity: cognito.GuestPerVisitor})
		p := c.CredentialsProvider(guest(""))
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if got, err := p.Credentials(t.Context(), amplify.CredentialsInput{}); err != nil || got.IdentityID != "eu-west-1:guest-1" {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		all.Wait()
		wantCalls(t, pool, 1, 1)
	})
}

// TestCrawlers: visitors without cookies do not use up the quota for new identities.
func TestCrawlers(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{GuestIdentity: cognito.GuestPerVisitor})
	for range 200 {
		if _, err := credentials(t, c, guest("")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(pool.IdentityCalls(testpool.GetID)); n > 21 { // and the shared one
		t.Errorf("%d new identities", n)
	}
}

// TestNewGuestsBesideMadeUpOnes: a flood of made-up identities does not keep new visitors from one
// of their own.
func TestNewGuestsBesideMadeUpOnes(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{GuestIdentity: cognito.GuestPerVisitor})
	for i := range 500 {
		_, _ = credentials(t, c, guest(fmt.Sprintf("eu-west-1:made-up-%d", i)))
	}
	for i := range 5 {
		kv := guest("")
		got, err := credentials(t, c, kv)
		if err != nil || guestOf(kv) != got.IdentityID {
			t.Errorf("visitor %d: %+v, %v", i, got, err)
		}
	}
}

// TestChangedGuest: the identity that credentials are answered for is the one to keep.
func TestChangedGuest(t *testing.T) {
	pool := testpool.New(t)
	pool.OnIdentity(on(testpool.GetCredentials, func(testpool.IdentityCall) testpool.Answer { return pool.Granted("eu-west-1:other") }))
	c := newIdentityCognito(t, pool, cognito.Options{GuestIdentity: cognito.GuestPerVisitor})
	kv := guest("eu-west-1:own")
	wantIdentity(t, c, kv, "eu-west-1:other")
	if guestOf(kv) != "eu-west-1:other" {
		t.Errorf("kept is %q", guestOf(kv))
	}
}
