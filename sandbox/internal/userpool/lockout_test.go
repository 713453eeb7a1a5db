package userpool

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/srp/srptest"
)

const wrongPassword = "Wrong-1-password"

// outcome names what became of a sign-in.
func outcome(err error) string {
	switch {
	case err == nil:
		return "in"
	case errors.Is(err, ErrLockedOut):
		return "locked"
	case CodeOf(err) == NotAuthorized:
		return "wrong"
	}
	return err.Error()
}

// TestLockout goes through the rules of the Developer Guide, "Lockout behavior for
// failed sign-in attempts". A name that nobody has gets the same answers.
func TestLockout(t *testing.T) {
	type attempt struct {
		after    time.Duration // since the previous attempt
		password string
		want     string
	}
	// fail returns n failures, each as soon as the lockout after the one before has ended.
	fail := func(n int) (list []attempt) {
		for i := range n {
			a := attempt{0, wrongPassword, "wrong"}
			if i >= freeFailures {
				a.after = lockout(i)
			}
			list = append(list, a)
		}
		return list
	}
	const s, ms = time.Second, time.Millisecond
	for what, attempts := range map[string][]attempt{
		"five failures lock for a second": slices.Concat(fail(5), []attempt{
			{0, password, "locked"}, {s - ms, password, "locked"}, {ms, password, "in"}}),
		"each further failure doubles it": slices.Concat(fail(7), []attempt{
			{4*s - ms, password, "locked"}, {ms, password, "in"}}),
		"attempts during a lockout do not prolong it": slices.Concat(fail(5), []attempt{
			{0, wrongPassword, "locked"}, {s / 2, wrongPassword, "locked"},
			{s / 2, wrongPassword, "wrong"}, {2 * s, password, "in"}}),
		"success resets the failures": slices.Concat(fail(4), []attempt{{0, password, "in"}},
			fail(5), []attempt{{0, password, "locked"}}),
		"15 minutes without attempts reset them": slices.Concat(fail(8), []attempt{
			{lockoutReset, wrongPassword, "wrong"}, {0, wrongPassword, "wrong"}}),
		"an attempt during a lockout begins the 15 minutes again": slices.Concat(fail(5), []attempt{
			{ms, wrongPassword, "locked"}, {lockoutReset - ms, wrongPassword, "wrong"},
			{2*s - ms, password, "locked"}}),
	} {
		t.Run(what, func(t *testing.T) {
			f, ctx := newFixture(t, nil), t.Context()
			f.user("a@b.com")
			alike := true // until the user is in: nobody else ever is
			for i, a := range attempts {
				f.clock.move(a.after)
				_, err := f.VerifyPassword(ctx, clientID, "a@b.com", a.password)
				if got := outcome(err); got != a.want {
					t.Fatalf("attempt %d: %s, want %s", i+1, got, a.want)
				}
				if alike = alike && a.want != "in"; !alike {
					continue
				}
				_, err = f.VerifyPassword(ctx, clientID, "nobody@b.com", a.password)
				if got := outcome(err); got != a.want {
					t.Fatalf("attempt %d with an unknown name: %s, want %s", i+1, got, a.want)
				}
			}
		})
	}
	for n, want := range map[int]time.Duration{
		5: s, 6: 2 * s, 9: 16 * s, 14: 512 * s, 15: maxLockout, 16: maxLockout, 1000: maxLockout,
	} {
		if got := lockout(n); got != want {
			t.Errorf("lockout after %d failures: %v, want %v", n, got, want)
		}
	}
}

// srpSignIn signs in by SRP.
func (f *fixture) srpSignIn(name, password string) error {
	f.t.Helper()
	ctx := f.t.Context()
	_, poolName, _ := strings.Cut(f.Config().ID, "_")
	c := srptest.NewClient(poolName)
	challenge, err := f.StartSRP(ctx, clientID, name, c.A())
	if err != nil {
		f.t.Fatal(err)
	}
	block, err := base64.StdEncoding.DecodeString(challenge.SecretBlock)
	if err != nil {
		f.t.Fatal(err)
	}
	const timestamp = "Tue Feb 3 04:05:06 UTC 2026"
	signature := c.Sign(
		challenge.UserID, password, challenge.Salt, challenge.SRPB, block, timestamp)
	_, err = f.FinishSRP(ctx, clientID, SRPClaim{Username: name, SecretBlock: challenge.SecretBlock,
		Signature: base64.StdEncoding.EncodeToString(signature), Timestamp: timestamp})
	return err
}

// TestLockoutCountsTogether: neither another flow nor another client
// nor another name of the user gives more guesses.
func TestLockoutCountsTogether(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	byPassword := func(client, name string) error {
		_, err := f.VerifyPassword(ctx, client, name, wrongPassword)
		return err
	}
	for i, err := range []error{
		byPassword(clientID, "a@b.com"), byPassword(otherClient, "A@B.com"),
		byPassword(clientID, u.Username),
		f.srpSignIn("a@b.com", wrongPassword), f.srpSignIn(u.Username, wrongPassword),
	} {
		if got := outcome(err); got != "wrong" {
			t.Errorf("attempt %d: %s", i+1, got)
		}
	}
	if got := outcome(f.srpSignIn("a@b.com", password)); got != "locked" {
		t.Errorf("SRP with the right password: %s", got)
	}
	_, err := f.VerifyPassword(ctx, clientID, u.Username, password)
	if got := outcome(err); got != "locked" {
		t.Errorf("the right password: %s", got)
	}
	f.clock.move(time.Second)
	if got := outcome(f.srpSignIn("a@b.com", password)); got != "in" {
		t.Errorf("SRP after the lockout: %s", got)
	}
	// By SRP, for a name that nobody has. Its case matters as little as that of a user.
	for _, name := range []string{"nobody@b.com", "Nobody@B.com", "NOBODY@b.com", "nobody@b.COM",
		"nObody@b.com"} {
		if got := outcome(f.srpSignIn(name, wrongPassword)); got != "wrong" {
			t.Errorf("SRP with an unknown name: %s", got)
		}
	}
	if got := outcome(f.srpSignIn("nobody@b.com", wrongPassword)); got != "locked" {
		t.Errorf("SRP with an unknown name, once more: %s", got)
	}
}

// TestConcurrentGuesses: guesses at the same time are not more than those one after the other.
func TestConcurrentGuesses(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	f.user("a@b.com")
	guess := func(n int, password string) map[string]int {
		outcomes := make([]string, n)
		var wg sync.WaitGroup
		for i := range outcomes {
			wg.Go(func() {
				_, err := f.VerifyPassword(ctx, clientID, "a@b.com", password)
				outcomes[i] = outcome(err)
			})
		}
		wg.Wait()
		counts := map[string]int{}
		for _, o := range outcomes {
			counts[o]++
		}
		return counts
	}
	if got := guess(20, password); got["in"] != 20 {
		t.Errorf("the right password: %v", got)
	}
	if got := guess(20, wrongPassword); got["wrong"] != freeFailures || got["locked"] != 15 {
		t.Errorf("wrong passwords: %v, want %d to be checked", got, freeFailures)
	}
	if got := guess(20, password); got["locked"] != 20 {
		t.Errorf("the right password during the lockout: %v", got)
	}
}

// TestLimits: the limits of calls (Developer Guide, "Quotas in Amazon Cognito"), which
// are those of each user alone. Unknown users get the same answers.
func TestLimits(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Clients[1].RevealUserExistence = true })
	ctx := t.Context()
	const known, unknown, other = "a@b.com", "nobody@b.com", "other@b.com"
	u, o := f.user(known), f.user(other)
	byName := func(f func(name string) error) map[string]func() error {
		calls := map[string]func() error{}
		for _, name := range []string{known, unknown, other} {
			calls[name] = func() error { return f(name) }
		}
		return calls
	}
	bySub := func(f func(sub string) error) map[string]func() error {
		return map[string]func() error{
			known: func() error { return f(u.Sub) }, other: func() error { return f(o.Sub) }}
	}
	for _, c := range []struct {
		op    limited
		limit int
		call  map[string]func() error
	}{
		{confirmSignUp, 15, byName(func(name string) error {
			return f.ConfirmSignUp(ctx, clientID, name, "0")
		})},
		{resendCode, 5, byName(func(name string) error {
			_, err := f.ResendConfirmationCode(ctx, clientID, name)
			return err
		})},
		{forgotPassword, 5, byName(func(name string) error {
			_, err := f.ForgotPassword(ctx, clientID, name)
			return err
		})},
		{confirmForgotPassword, 5, byName(func(name string) error {
			return f.ConfirmForgotPassword(ctx, clientID, name, "0", password)
		})},
		{changePassword, 5, bySub(func(sub string) error {
			return f.ChangePassword(ctx, sub, wrongPassword, password)
		})},
		{sendAttributeCode, 5, bySub(func(sub string) error {
			_, err := f.SendAttributeCode(ctx, sub, "email")
			return err
		})},
		{verifyAttribute, 15, bySub(func(sub string) error {
			return f.VerifyAttribute(ctx, sub, "email", "0")
		})},
	} {
		for _, name := range []string{known, unknown} {
			if c.call[name] == nil {
				continue
			}
			for range c.limit {
				if err := c.call[name](); CodeOf(err) == LimitExceeded {
					t.Errorf("%s of %s: refused below the limit", c.op, name)
				}
			}
			f.clock.move(time.Hour - time.Millisecond)
			want(t, string(c.op)+" of "+name+" once more", c.call[name](), LimitExceeded)
			if err := c.call[other](); CodeOf(err) == LimitExceeded {
				t.Errorf("%s: the calls of %s count for others", c.op, name)
			}
			f.clock.move(time.Millisecond)
			if err := c.call[name](); CodeOf(err) == LimitExceeded {
				t.Errorf("%s of %s: refused after an hour", c.op, name)
			}
		}
	}

	err := f.ConfirmForgotPassword(ctx, clientID, unknown, "0", "weak")
	want(t, "a weak password, whoever it is for", err, InvalidPassword)
	for range 6 { // with PreventUserExistenceErrors=LEGACY
		_, err := f.ForgotPassword(ctx, otherClient, unknown)
		want(t, "ForgotPassword of a client that reveals users", err, UserNotFound)
	}
}
