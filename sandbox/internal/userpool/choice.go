package userpool

import (
	"context"
	"errors"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// The flow USER_AUTH signs a user in by the session of the sign-up, or lets the client choose how.
// SignUp and ConfirmSignUp give sessions. InitiateAuth takes the second in place of a password: the
// code of the sign-up has proved the address (API Reference, SignUp, ConfirmSignUp and
// InitiateAuth, Session).

// Buckets of sessions. The values are of type [userSession].
const (
	signUpBucket    = "sign-up-session"
	confirmedBucket = "confirmed-session"
	choiceBucket    = "choice"
)

// userSession is the stored data of a session.
type userSession struct{ ClientID, Sub string }

// SignUpSession returns a session of a user who has just signed up, for [Pool.ConfirmedSession]. It
// is empty if the client does not allow the flow.
func (p *Pool) SignUpSession(ctx context.Context, clientID string, u *User) (string, error) {
	client, err := p.Client(clientID)
	if err != nil || !client.Allows(AllowUser) {
		return "", err
	}
	return p.newSession(ctx, signUpBucket, userSession{client.ID, u.Sub})
}

// ConfirmedSession returns a session for [Pool.SignInConfirmed] to a user whose sign-up was just
// confirmed. It is empty if the client does not allow the flow, and if session, which need not be
// given, is not that of the sign-up: Amplify JS gives none, and expects one.
func (p *Pool) ConfirmedSession(
	ctx context.Context, clientID, username, session string,
) (string, error) {
	client, err := p.Client(clientID)
	if err != nil || !client.Allows(AllowUser) {
		return "", err
	}
	if session != "" {
		s, err := p.takeSession(ctx, signUpBucket, clientID, username, session)
		if err != nil || s == nil {
			return "", err
		}
	}
	u, err := p.UserByName(ctx, username)
	if err != nil {
		return "", err
	}
	return p.newSession(ctx, confirmedBucket, userSession{client.ID, u.Sub})
}

// SignInConfirmed returns the user of a session of [Pool.ConfirmedSession]. A session can be used
// once. Its errors are those of [Pool.VerifyPassword].
func (p *Pool) SignInConfirmed(
	ctx context.Context, clientID, username, session string,
) (*User, error) {
	s, err := p.takeSession(ctx, confirmedBucket, clientID, username, session)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, invalidSession()
	}
	return p.admit(ctx, s.Sub)
}

// ChoiceSession returns a session in which a client chooses how a user signs in. It says nothing
// about whether there is such a user.
func (p *Pool) ChoiceSession(ctx context.Context, clientID string) (string, error) {
	return p.newSession(ctx, choiceBucket, userSession{ClientID: clientID})
}

// CheckChoice refuses a session that is not one of [Pool.ChoiceSession]. It can be used once.
func (p *Pool) CheckChoice(ctx context.Context, clientID, session string) error {
	s, err := p.take(ctx, choiceBucket, session)
	if err == nil && (s == nil || s.ClientID != clientID) {
		err = invalidSession()
	}
	return err
}

func invalidSession() error {
	return refuse(NotAuthorized, "Invalid session for the user, session is expired.")
}

func (p *Pool) newSession(ctx context.Context, bucket string, s userSession) (string, error) {
	session, now := randomText(32), p.Now()
	return session, p.update(ctx, func(tx *store.Tx) error {
		return tx.Put(bucket, hashText(session), s, now.Add(sessionLife), now)
	})
}

// take returns a session, which then is used up, or nil.
func (p *Pool) take(ctx context.Context, bucket, session string) (s *userSession, err error) {
	err = p.update(ctx, func(tx *store.Tx) error {
		var found userSession
		err := tx.Take(bucket, hashText(session), &found, p.Now())
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		s = &found
		return err
	})
	return s, err
}

// takeSession is take for a session that must be of this client and user.
func (p *Pool) takeSession(
	ctx context.Context, bucket, clientID, username, session string,
) (*userSession, error) {
	s, err := p.take(ctx, bucket, session)
	if err != nil || s == nil || s.ClientID != clientID {
		return nil, err
	}
	u, err := p.UserByName(ctx, username)
	switch {
	case CodeOf(err) == UserNotFound, err == nil && u.Sub != s.Sub:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return s, nil
}
