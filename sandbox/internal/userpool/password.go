package userpool

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/srp"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// sessionLife is the time to answer a challenge. This is Cognito's default.
const sessionLife = 3 * time.Minute

// account is the user whose password is checked. If there is no such user, it is a simulated one.
type account struct {
	user     *store.User // nil where simulated
	subject  string      // what its attempts count under
	id       srp.Identity
	verifier srp.Verifier
}

// account returns the user of that name. A user who does not exist, or has no
// password, is simulated by a UUID and a salt that are the same at every call, and a
// verifier that no password matches. So the answers and their cost do not reveal
// whether a user exists (Developer Guide, "Managing user existence error responses").
func (p *Pool) account(ctx context.Context, client *Client, username string) (account, error) {
	if username == "" {
		return account{}, tooShort("username")
	}
	var u *store.User
	err := p.store.View(ctx, func(tx *store.Tx) (err error) {
		u, err = find(tx, username)
		return err
	})
	if err != nil {
		return account{}, err
	}
	if u == nil && client.RevealUserExistence {
		return account{}, noSuchUser()
	}
	a := p.simulated(username)
	if u != nil && len(u.Verifier) > 0 {
		a = p.accountOf(u)
	}
	a.subject = subjectOf(u, username)
	return a, nil
}

func (p *Pool) accountOf(u *store.User) account {
	verifier := srp.Verifier{Salt: u.Salt, V: u.Verifier}
	return account{user: u, id: p.srpIdentity(u.Username), verifier: verifier}
}

func (p *Pool) simulated(username string) account {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(normal(username)))
	seed := mac.Sum(nil)
	name := username
	if len(p.cfg.UsernameAttributes) > 0 {
		id := uuid.UUID(seed[:16])
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a random UUID, RFC 9562 §5.4
		name = id.String()
	}
	return account{id: p.srpIdentity(name), verifier: srp.Verifier{Salt: seed[16:], V: []byte{2}}}
}

// VerifyPassword returns the user with that name or alias and that password. The code of its
// error tells a sign-in page what to do: [NotAuthorized] (ask again; after a while if the error
// is [ErrLockedOut]), [UserNotConfirmed] (ask for the code), [PasswordResetRequired] (start
// ForgotPassword), [NewPasswordRequired] (see [Pool.NewPasswordSession]). In the last case it
// returns the user as well.
func (p *Pool) VerifyPassword(ctx context.Context, clientID, username, password string) (*User, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	claimed, err := p.account(ctx, client, username)
	if err != nil {
		return nil, err
	}
	right := claimed.verifier.Matches(claimed.id, password) && claimed.user != nil
	if err := p.settle(ctx, claimed.subject, right); err != nil {
		return nil, err
	}
	return p.admit(ctx, claimed.user.Sub)
}

// admit returns a user who has just proved the password, or the reason why the user cannot sign in.
func (p *Pool) admit(ctx context.Context, sub string) (*User, error) {
	u, err := p.User(ctx, sub)
	switch {
	case err != nil:
		return nil, err
	case !u.Enabled:
		return nil, userDisabled()
	case u.Status == Unconfirmed:
		return nil, refuse(UserNotConfirmed, "User is not confirmed.")
	case u.Status == ResetRequired:
		return nil, refuse(PasswordResetRequired, "Password reset required for the user")
	case u.Status == ForceChangePassword:
		return u, refuse(NewPasswordRequired, "A new password is required.")
	}
	return u, nil
}

// passwordSession is the stored data of [Pool.NewPasswordSession].
type passwordSession struct{ ClientID, Sub string }

const newPasswordBucket = "new-password"

// NewPasswordSession returns a random text for [Pool.CompleteNewPassword].
// It proves for some minutes that the user's temporary password was given.
func (p *Pool) NewPasswordSession(ctx context.Context, clientID string, user *User) (string, error) {
	session, now := randomText(32), p.Now()
	return session, p.update(ctx, func(tx *store.Tx) error {
		return tx.Put(newPasswordBucket, hashText(session), passwordSession{clientID, user.Sub}, now.Add(sessionLife), now)
	})
}

// CompleteNewPassword sets the new password and missing attributes of the session's
// user. If the policy refuses the password, the session can be used again.
func (p *Pool) CompleteNewPassword(ctx context.Context, clientID, session, password string, attributes map[string]string) (user *User, err error) {
	if err := checkAttributes(attributes, false); err != nil {
		return nil, err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		var s passwordSession
		err := tx.Get(newPasswordBucket, hashText(session), &s, p.Now())
		if errors.Is(err, store.ErrNotFound) || err == nil && s.ClientID != clientID {
			return invalidSession()
		} else if err != nil {
			return err
		}
		u, err := mustGet(tx, s.Sub)
		if err != nil {
			return err
		}
		if !u.Enabled || Status(u.Status) != ForceChangePassword {
			return refuse(NotAuthorized, "Invalid session for the user.")
		}
		// API Reference, RespondToAuthChallenge, NEW_PASSWORD_REQUIRED
		for _, name := range p.cfg.RequiredAttributes {
			if _, given := attributes[name]; given && u.Attributes[name] != "" {
				return refuse(NotAuthorized, "Cannot modify an already provided %s", name)
			}
		}
		if err := p.setPassword(u, password); err != nil {
			return err
		}
		u.Status = string(Confirmed)
		if err := p.changeAttributes(tx, u, attributes, func(string) error { return nil }); err != nil {
			return err
		}
		if err := tx.Drop(newPasswordBucket, hashText(session)); err != nil {
			return err
		}
		user, err = readUser(tx, u)
		return err
	})
	return user, err
}

// ChangePassword sets a new password for a user who knows the previous one.
func (p *Pool) ChangePassword(ctx context.Context, sub, previous, proposed string) error {
	if err := p.spend(ctx, changePassword, sub); err != nil {
		return err
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustGet(tx, sub)
		if err != nil {
			return err
		}
		if claimed := p.accountOf(u); len(u.Verifier) == 0 || !claimed.verifier.Matches(claimed.id, previous) {
			return incorrectPassword()
		}
		if err := p.setPassword(u, proposed); err != nil {
			return err
		}
		return p.put(tx, u)
	})
}

// ForgotPassword sends a code for [Pool.ConfirmForgotPassword].
func (p *Pool) ForgotPassword(ctx context.Context, clientID, username string) (sent *Delivery, err error) {
	if err := p.spendByName(ctx, forgotPassword, clientID, username); err != nil {
		return nil, err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		u, err := find(tx, username)
		switch {
		case err != nil:
			return err
		case u == nil || !u.Enabled:
			sent = p.simulatedDelivery(username)
			return nil
		case Status(u.Status) == ForceChangePassword || Status(u.Status) == ExternalProvider:
			return refuse(NotAuthorized, "User password cannot be reset in the current state.")
		}
		for _, attribute := range p.cfg.RecoveryAttributes {
			if u.Attributes[attribute] != "" && u.Attributes[attribute+"_verified"] == "true" {
				d, err := p.sendCode(tx, u, codeReset, attribute)
				sent = &d
				return err
			}
		}
		return refuse(InvalidParameter, "Cannot reset password for the user as there is no registered/verified email or phone_number")
	})
	return sent, err
}

// ConfirmForgotPassword sets a new password with the code of the message.
func (p *Pool) ConfirmForgotPassword(ctx context.Context, clientID, username, code, password string) error {
	if _, err := p.Client(clientID); err != nil {
		return err
	}
	// A password that the policy refuses uses up neither the code nor one of the user's attempts.
	if err := p.cfg.PasswordPolicy.check(password); err != nil {
		return err
	}
	if err := p.spendByName(ctx, confirmForgotPassword, clientID, username); err != nil {
		return err
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := find(tx, username)
		switch {
		case err != nil:
			return err
		case u == nil || !u.Enabled:
			return wrongCode()
		}
		if _, err := p.checkCode(tx, u, codeReset, "", code); err != nil {
			return err
		}
		if err := p.setPassword(u, password); err != nil {
			return err
		}
		u.Status = string(Confirmed)
		return p.put(tx, u)
	})
}

// simulatedDelivery returns the description of a code for a user who does not exist.
func (p *Pool) simulatedDelivery(username string) *Delivery {
	d := deliveryTo("email", username)
	if phoneNumber.MatchString(username) {
		d = deliveryTo("phone_number", username)
	} else if !isEmail(username) {
		s := p.simulated(username).verifier.Salt
		d = deliveryTo("email", string('a'+rune(s[0]%26))+"@"+string('a'+rune(s[1]%26)))
	}
	return &d
}
