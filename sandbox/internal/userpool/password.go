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

// sessionLife is how long a challenge may take to be answered: Cognito's default.
const sessionLife = 3 * time.Minute

// party is whose password is in question: a user, or the simulation of one who does not exist.
type party struct {
	user     *store.User // nil where simulated
	id       srp.Identity
	verifier srp.Verifier
}

// party returns the user of that name. Who does not exist, or has no password, is simulated: by a UUID and a salt
// that are the same at every call, and a verifier of no password, so that answers and their cost are alike
// (Developer Guide, "Managing user existence error responses").
func (p *Pool) party(ctx context.Context, client *Client, username string) (party, error) {
	if username == "" {
		return party{}, tooShort("username")
	}
	var u *store.User
	err := p.store.View(ctx, func(tx *store.Tx) (err error) {
		u, err = find(tx, username)
		return err
	})
	if err != nil {
		return party{}, err
	}
	if u == nil && client.RevealUserExistence {
		return party{}, noSuchUser()
	}
	if u == nil || len(u.Verifier) == 0 {
		return p.simulated(username), nil
	}
	return p.partyOf(u), nil
}

func (p *Pool) partyOf(u *store.User) party {
	return party{u, p.srpIdentity(u.Username), srp.Verifier{Salt: u.Salt, V: u.Verifier}}
}

func (p *Pool) simulated(username string) party {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(normal(username)))
	seed := mac.Sum(nil)
	name := username
	if len(p.cfg.UsernameAttributes) > 0 {
		id := uuid.UUID(seed[:16])
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a random UUID, RFC 9562 §5.4
		name = id.String()
	}
	return party{nil, p.srpIdentity(name), srp.Verifier{Salt: seed[16:], V: []byte{2}}}
}

// VerifyPassword returns the user whose name (or alias) and password these are. The code of its error says what
// a sign-in page should do: [NotAuthorized] (ask again), [UserNotConfirmed] (ask for the code), [PasswordResetRequired]
// (start ForgotPassword), [NewPasswordRequired] (see [Pool.NewPasswordSession]; here alone the user is returned, too).
func (p *Pool) VerifyPassword(ctx context.Context, clientID, username, password string) (*User, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	who, err := p.party(ctx, client, username)
	if err != nil {
		return nil, err
	}
	if !who.verifier.Matches(who.id, password) || who.user == nil {
		return nil, incorrectPassword()
	}
	return p.admit(ctx, who.user.Sub)
}

// admit returns a user who has just proved to know the password, unless something stands in the way.
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

// passwordSession is what [Pool.NewPasswordSession] stands for.
type passwordSession struct{ ClientID, Sub string }

const newPasswordBucket = "new-password"

// NewPasswordSession returns a text that proves, for some minutes, that user's temporary
// password was given. [Pool.CompleteNewPassword] takes it.
func (p *Pool) NewPasswordSession(ctx context.Context, clientID string, user *User) (string, error) {
	session, now := randomText(32), p.Now()
	return session, p.update(ctx, func(tx *store.Tx) error {
		return tx.Put(newPasswordBucket, hashText(session), passwordSession{clientID, user.Sub}, now.Add(sessionLife), now)
	})
}

// CompleteNewPassword sets the new password, and attributes that were still missing, of the user
// that session stands for. After a password that the policy refuses the session may be used again.
func (p *Pool) CompleteNewPassword(ctx context.Context, clientID, session, password string, attributes map[string]string) (user *User, err error) {
	if err := checkAttributes(attributes, false); err != nil {
		return nil, err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		var s passwordSession
		err := tx.Get(newPasswordBucket, hashText(session), &s, p.Now())
		if errors.Is(err, store.ErrNotFound) || err == nil && s.ClientID != clientID {
			return refuse(NotAuthorized, "Invalid session for the user, session is expired.")
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

// ChangePassword gives a user who knows the previous password another one.
func (p *Pool) ChangePassword(ctx context.Context, sub, previous, proposed string) error {
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustGet(tx, sub)
		if err != nil {
			return err
		}
		if who := p.partyOf(u); len(u.Verifier) == 0 || !who.verifier.Matches(who.id, previous) {
			return incorrectPassword()
		}
		if err := p.setPassword(u, proposed); err != nil {
			return err
		}
		return p.put(tx, u)
	})
}

// ForgotPassword sends the code that [Pool.ConfirmForgotPassword] wants.
func (p *Pool) ForgotPassword(ctx context.Context, clientID, username string) (sent *Delivery, err error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	if username == "" {
		return nil, tooShort("username")
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		u, err := find(tx, username)
		switch {
		case err != nil:
			return err
		case u == nil && client.RevealUserExistence:
			return noSuchUser()
		case u == nil || !u.Enabled:
			sent = p.simulatedDelivery(username)
			return nil
		case Status(u.Status) == ForceChangePassword || Status(u.Status) == ExternalProvider:
			return refuse(NotAuthorized, "User password cannot be reset in the current state.")
		}
		// Recovery prefers the verified e-mail address (API Reference, AccountRecoverySetting).
		for _, attribute := range addresses() {
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
	client, err := p.Client(clientID)
	if err != nil {
		return err
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := find(tx, username)
		switch {
		case err != nil:
			return err
		case u == nil && client.RevealUserExistence:
			return noSuchUser()
		case u == nil || !u.Enabled:
			return wrongCode()
		}
		// A password that the policy refuses must not use up the code.
		if err := p.cfg.PasswordPolicy.check(password); err != nil {
			return err
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

// simulatedDelivery is what one hears of a code for a user who does not exist.
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
