package cognito_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestExamine: an examination sees what the provider sees, judges as it does, and neither asks nor
// changes anything.
func TestExamine(t *testing.T) {
	pool := testpool.New(t)
	access, id := pool.Access(alice), pool.ID(alice)
	young := testpool.Claim{Name: "iat", Value: pool.Now().Unix() + 1}
	type pairs []amplify.Reason
	tests := map[string]struct {
		kv            *storage
		after         time.Duration
		reason        amplify.Reason
		due           bool
		lastAuthUsers int
		unselected    int
		pairs         pairs // of all users in a row
		chosen        int   // among them
	}{
		"nothing":         {kv: &storage{}, reason: amplify.ReasonNoSession, chosen: -1},
		"good":            {kv: session(alice, access, id, "r"), lastAuthUsers: 1, pairs: pairs{""}},
		"without ID":      {kv: session(alice, access, "", "r"), reason: amplify.ReasonIncompleteSession, lastAuthUsers: 1, chosen: -1},
		"of two users":    {kv: session(alice, access, pool.ID(bob), ""), reason: amplify.ReasonUserMismatch, lastAuthUsers: 1, pairs: pairs{amplify.ReasonUserMismatch}, chosen: -1},
		"stray":           {kv: session(alice, access, id, "").add("bob.accessToken", pool.Access(bob)), lastAuthUsers: 1, unselected: 1, pairs: pairs{""}},
		"no LastAuthUser": {kv: (&storage{}).add("alice.accessToken", access), reason: amplify.ReasonIncompleteSession, unselected: 1, chosen: -1},
		"expired":         {kv: session(alice, access, id, ""), after: time.Hour, reason: amplify.ReasonExpiredNoRefreshToken, lastAuthUsers: 1, pairs: pairs{""}},
		"due":             {kv: session(alice, access, id, "r"), after: time.Hour, due: true, lastAuthUsers: 1, pairs: pairs{""}},
		"due in a moment": {kv: session(alice, access, id, "r"), after: time.Hour - time.Second, due: true, lastAuthUsers: 1, pairs: pairs{""}},
		"twice": {
			kv:            session(alice, "garbage", id, "").add("alice.accessToken", access),
			lastAuthUsers: 1, pairs: pairs{amplify.ReasonMalformedToken, ""}, chosen: 1,
		},
		"two users": {
			kv:            session(alice, access, id, "").add("LastAuthUser", "bob").add("bob.accessToken", pool.Access(bob, young)).add("bob.idToken", pool.ID(bob)),
			lastAuthUsers: 2, pairs: pairs{"", ""}, chosen: 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCognito(t, pool, cognito.Options{})
			pool.Advance(test.after)
			defer pool.Advance(-test.after)
			before := len(test.kv.entries)
			x := c.Examine(t.Context(), test.kv)
			if amplify.ReasonOf(x.Err) != test.reason || (x.Err == nil) != (test.reason == "") || x.RefreshDue != test.due {
				t.Errorf("%v, due %v; want %q, due %v", x.Err, x.RefreshDue, test.reason, test.due)
			}
			if x.LastAuthUsers != test.lastAuthUsers || len(x.Unselected) != test.unselected {
				t.Errorf("%d LastAuthUsers and %d unselected, want %d and %d", x.LastAuthUsers, len(x.Unselected), test.lastAuthUsers, test.unselected)
			}
			var got pairs
			chosen := -1
			for _, u := range x.Users {
				for _, p := range u.Pairs {
					if p.Chosen {
						chosen = len(got)
					}
					got = append(got, amplify.ReasonOf(p.Err))
				}
			}
			if len(got) != len(test.pairs) || chosen != test.chosen {
				t.Fatalf("pairs %q, chosen %d; want %q, %d", got, chosen, test.pairs, test.chosen)
			}
			for i := range got {
				if got[i] != test.pairs[i] {
					t.Errorf("pairs %q, want %q", got, test.pairs)
				}
			}
			if len(pool.Refreshes()) != 0 || len(test.kv.entries) != before {
				t.Error("the examination has refreshed or changed something")
			}
			// What it says is what the provider says, a refresh apart.
			if test.due {
				return
			}
			if _, err := tokens(t, c, test.kv); amplify.ReasonOf(err) != test.reason {
				t.Errorf("the provider says %v", err)
			}
		})
	}
}

// TestExamineTimes: when the session ends, and what brings that forward.
func TestExamineTimes(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	x := c.Examine(t.Context(), session(alice, pool.Access(alice), pool.ID(alice), "r").add("alice.clockDrift", "10000"))
	if want := pool.Now().Add(time.Hour - 10*time.Second); !x.Expires.Equal(want) || x.Drift != 10*time.Second || !x.Refreshable {
		t.Errorf("expires %v after a drift of %v, want %v; refreshable: %v", x.Expires, x.Drift, want, x.Refreshable)
	}
}

// TestExamineReadOnly: where no cookie can be set the verdict is that of such a context.
func TestExamineReadOnly(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), pool.ID(alice), "r")
	kv.readOnly = true
	pool.Advance(time.Hour)
	if x := c.Examine(t.Context(), kv); amplify.ReasonOf(x.Err) != amplify.ReasonRefreshNeedsWritableResponse || x.RefreshDue {
		t.Errorf("%v", x.Err)
	}
}

// TestExamineUsers: whose values they are, with what each of them has.
func TestExamineUsers(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), "", "").add("bob.idToken", "i").add("bob.refreshToken", "r").add("bob.idToken", "j")
	for i := range 20 {
		kv.add(fmt.Sprintf("user-%d.idToken", i), "i")
	}
	x := c.Examine(t.Context(), kv)
	if len(x.Users) != 1 || x.Users[0].Name != alice.Name || x.Users[0].AccessTokens != 1 || x.Users[0].IDTokens != 0 {
		t.Errorf("users %+v", x.Users)
	}
	if len(x.Unselected) != 8 {
		t.Fatalf("%d others, want 8", len(x.Unselected))
	}
	if b := x.Unselected[0]; b.Name != "bob" || b.AccessTokens != 0 || b.IDTokens != 2 || b.RefreshTokens != 1 || b.Pairs != nil {
		t.Errorf("the first of the others is %+v", b)
	}
}

func TestExamineWithoutUserPool(t *testing.T) {
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if x := c.Examine(t.Context(), (&storage{}).add("LastAuthUser", "alice")); amplify.ReasonOf(x.Err) != amplify.ReasonNoSession {
		t.Error(x.Err)
	}
}
