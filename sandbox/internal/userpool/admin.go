package userpool

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// CreateUserInput is the input of [Pool.CreateUser].
type CreateUserInput struct {
	Username string
	// Sub is optional. By default it is random. No other user may ever have had it.
	Sub string
	// TemporaryPassword is optional. By default it is random.
	TemporaryPassword string
	Attributes        map[string]string
	// Silent suppresses the invitation.
	Silent bool
	// Mediums are those to send the invitation by, "EMAIL" and "SMS". By default it goes to the
	// address that codes are sent to, where the default of Cognito is "SMS".
	Mediums []string
}

// CreateUser creates a user who must choose a new password at the first sign-in.
func (p *Pool) CreateUser(ctx context.Context, in CreateUserInput) (user *User, err error) {
	u, err := p.newUser(in.Username, in.Attributes, true)
	if err != nil {
		return nil, err
	}
	if in.Sub != "" {
		if u.Username == u.Sub {
			u.Username = in.Sub
		}
		u.Sub = in.Sub
	}
	u.Status = string(ForceChangePassword)
	if in.TemporaryPassword == "" {
		in.TemporaryPassword = newTemporaryPassword()
	}
	if err := p.setPassword(u, in.TemporaryPassword); err != nil {
		return nil, err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		if err := p.add(tx, u, in.Username); err != nil {
			return err
		}
		if err := p.invite(tx, u, in); err != nil {
			return err
		}
		user, err = readUser(tx, u)
		return err
	})
	return user, err
}

// InviteAgain sends a new temporary password to a user who has not chosen a password yet. It
// refuses with [UserNotFound], or with [UnsupportedUserState] if the user has chosen one.
// The attributes of in have no effect.
func (p *Pool) InviteAgain(ctx context.Context, in CreateUserInput) (user *User, err error) {
	if in.TemporaryPassword == "" {
		in.TemporaryPassword = newTemporaryPassword()
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		u, err := mustFind(tx, in.Username)
		if err != nil {
			return err
		}
		if Status(u.Status) != ForceChangePassword {
			return refuse(UnsupportedUserState,
				"Resend not possible. %s status is not FORCE_CHANGE_PASSWORD", in.Username)
		}
		if err := p.setPassword(u, in.TemporaryPassword); err != nil {
			return err
		}
		if err := p.put(tx, u); err != nil {
			return err
		}
		if err := p.invite(tx, u, in); err != nil {
			return err
		}
		user, err = readUser(tx, u)
		return err
	})
	return user, err
}

// newTemporaryPassword returns a random password that satisfies every policy.
func newTemporaryPassword() string { return rand.Text() + "+a1" }

// invite sends the temporary password to a user.
func (p *Pool) invite(tx *store.Tx, u *store.User, in CreateUserInput) error {
	if in.Silent {
		return nil
	}
	var to []string
	for _, medium := range in.Mediums {
		attribute, ok := map[string]string{"EMAIL": "email", "SMS": "phone_number"}[medium]
		switch {
		case !ok:
			return violation("desiredDeliveryMediums",
				"Member must satisfy enum value set: [SMS, EMAIL]")
		case u.Attributes[attribute] == "":
			return refuse(InvalidParameter,
				"User has no %s to send the invitation to by %s.", attribute, medium)
		}
		to = append(to, attribute)
	}
	if attribute := p.addressOf(u); in.Mediums == nil && attribute != "" {
		to = append(to, attribute)
	}
	for _, attribute := range to {
		d := deliveryTo(attribute, u.Attributes[attribute])
		err := tx.AddMessage(Message{
			Sub: u.Sub, Username: u.Username, Kind: "invitation", Medium: d.Medium,
			To: u.Attributes[attribute], Subject: "Your temporary password",
			Body: "Your username is " + in.Username +
				" and temporary password is " + in.TemporaryPassword,
			Code: in.TemporaryPassword, Sent: p.Now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SetPassword sets the password of a user, permanently or until the next sign-in.
func (p *Pool) SetPassword(ctx context.Context, username, password string, permanent bool) error {
	return p.change(ctx, username, func(u *store.User) error {
		if Status(u.Status) == ExternalProvider {
			return refuse(UnsupportedUserState, "User is federated and has no password.")
		}
		u.Status = string(ForceChangePassword)
		if permanent {
			u.Status = string(Confirmed)
		}
		return p.setPassword(u, password)
	})
}

// Confirm confirms a user without a code. It does not verify addresses.
func (p *Pool) Confirm(ctx context.Context, username string) error {
	return p.change(ctx, username, func(u *store.User) error {
		if Status(u.Status) != Unconfirmed {
			return refuse(NotAuthorized, "User cannot be confirmed. Current status is %s", u.Status)
		}
		u.Status = string(Confirmed)
		return nil
	})
}

// SetEnabled enables or disables a user. Tokens of a disabled user are not valid.
func (p *Pool) SetEnabled(ctx context.Context, username string, enabled bool) error {
	return p.change(ctx, username, func(u *store.User) error {
		u.Enabled = enabled
		return nil
	})
}

// change applies f to the user of that name and stores the result.
func (p *Pool) change(ctx context.Context, username string, f func(*store.User) error) error {
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustFind(tx, username)
		if err != nil {
			return err
		}
		if err := f(u); err != nil {
			return err
		}
		return p.put(tx, u)
	})
}

// ResetPassword sends a code to a user, who must choose a new password with it.
func (p *Pool) ResetPassword(ctx context.Context, username string) error {
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustFind(tx, username)
		if err != nil {
			return err
		}
		recovery := p.cfg.RecoveryAttributes
		i := slices.IndexFunc(recovery, func(a string) bool {
			return u.Attributes[a+"_verified"] == "true"
		})
		if i < 0 {
			return refuse(InvalidParameter, "Cannot reset password for the user as there is no registered/verified email or phone_number")
		}
		u.Status = string(ResetRequired)
		if err := p.put(tx, u); err != nil {
			return err
		}
		_, err = p.sendCode(tx, u, codeReset, recovery[i])
		return err
	})
}

// DeleteUser deletes a user. Sessions stay in the store, but are not valid.
func (p *Pool) DeleteUser(ctx context.Context, sub string) error {
	return p.update(ctx, func(tx *store.Tx) error {
		err := tx.DeleteUser(sub)
		if errors.Is(err, store.ErrNotFound) {
			return noSuchUser()
		}
		return err
	})
}
