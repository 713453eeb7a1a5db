package userpool

import (
	"context"
	"errors"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// The rules in this file are those of the Developer Guide, "Lockout behavior for failed sign-in
// attempts". They apply to sign-ins with a password, in all flows and clients together.

const (
	// freeFailures is the number of wrong passwords before the first lockout, which takes a second.
	freeFailures = 5
	// maxLockout is the longest lockout. The guide says "approximately 15 minutes".
	maxLockout = 15 * time.Minute
	// lockoutReset is the time without any attempt after which the failures are forgotten.
	lockoutReset = 15 * time.Minute
)

// ErrLockedOut refuses a sign-in during a lockout, also one with the right password.
var ErrLockedOut error = &Error{NotAuthorized, "Password attempts exceeded"}

const failureBucket = "sign-in-failures"

// failures is the stored data about the wrong passwords of a user.
type failures struct {
	Count       int
	LockedUntil time.Time
}

// settle decides on a sign-in with a password that was right or wrong, and counts a wrong one.
//
// It reads and writes the failures in one transaction, after the password was checked. So of many
// guesses at the same time, those beyond the free ones learn nothing about their passwords.
func (p *Pool) settle(ctx context.Context, subject string, right bool) error {
	return p.update(ctx, func(tx *store.Tx) error {
		now := p.Now()
		var f failures
		err := tx.Get(failureBucket, subject, &f, now)
		switch fresh := errors.Is(err, store.ErrNotFound); {
		case err != nil && !fresh:
			return err
		case fresh && right:
			return nil
		}
		var refusal error
		switch {
		case now.Before(f.LockedUntil):
			refusal = ErrLockedOut
		case right:
			return tx.Drop(failureBucket, subject)
		default:
			f.Count++
			if f.Count >= freeFailures {
				f.LockedUntil = now.Add(lockout(f.Count))
			}
			refusal = incorrectPassword()
		}
		if err := tx.Put(failureBucket, subject, f, now.Add(lockoutReset), now); err != nil {
			return err
		}
		return committed{refusal}
	})
}

// lockout returns the time that a user is locked out for after the nth failure.
func lockout(n int) time.Duration {
	const doublings = 10 // 2^10 s are more than maxLockout
	return min(time.Second<<min(n-freeFailures, doublings), maxLockout)
}

// subjectOf returns the key that attempts of a user are counted under. All names of a user count
// together. A name that nobody has counts alike, so that the limits do not reveal who is a user.
func subjectOf(u *store.User, name string) string {
	if u == nil {
		return hashText(normal(name)) // which bounds its length
	}
	return u.Sub
}
