package userpool

import (
	"context"
	"errors"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// limited is an operation that a user has a limited number of calls of.
type limited string

const (
	changePassword        limited = "ChangePassword"
	confirmForgotPassword limited = "ConfirmForgotPassword"
	confirmSignUp         limited = "ConfirmSignUp"
	forgotPassword        limited = "ForgotPassword"
	resendCode            limited = "ResendConfirmationCode"
	sendAttributeCode     limited = "GetUserAttributeVerificationCode"
	verifyAttribute       limited = "VerifyUserAttribute"
)

// perHour returns the number of calls per user and hour (Developer Guide, "Quotas in Amazon
// Cognito", code security resource quotas). For ConfirmForgotPassword the guide has 5 to 20,
// depending on the risk. It has no number for ForgotPassword, which here has that of the other
// operations that send codes.
func (op limited) perHour() int {
	switch op {
	case confirmSignUp, verifyAttribute:
		return 15
	}
	return 5
}

// calls is the stored data about the calls of a user.
type calls struct {
	Count int
	// Until is the end of the hour that began with the first call.
	Until time.Time
}

// spend counts a call, or refuses with [LimitExceeded]. It is a transaction of its own, before that
// of the call. So calls that fail count as well, and a new code gives nobody new guesses.
func (p *Pool) spend(ctx context.Context, op limited, sub string) error {
	return p.update(ctx, func(tx *store.Tx) error { return p.count(tx, op, sub) })
}

// spendByName is spend for a caller who is not signed in. With
// PreventUserExistenceErrors=LEGACY it refuses unknown users.
func (p *Pool) spendByName(ctx context.Context, op limited, clientID, username string) error {
	client, err := p.Client(clientID)
	if err != nil {
		return err
	}
	if username == "" {
		return tooShort("username")
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := find(tx, username)
		switch {
		case err != nil:
			return err
		case u == nil && client.RevealUserExistence:
			return noSuchUser()
		}
		return p.count(tx, op, subjectOf(u, username))
	})
}

func (p *Pool) count(tx *store.Tx, op limited, subject string) error {
	bucket, now := "calls of "+string(op), p.Now()
	var c calls
	err := tx.Get(bucket, subject, &c, now)
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.Until = now.Add(time.Hour)
	case err != nil:
		return err
	case c.Count >= op.perHour():
		return refuse(LimitExceeded, "Attempt limit exceeded, please try after some time.")
	}
	c.Count++
	return tx.Put(bucket, subject, c, c.Until, now)
}
