package userpool

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// SignUpInput is the input of [Pool.SignUp].
type SignUpInput struct {
	ClientID, Username, Password string
	Attributes                   map[string]string
}

// SignUp registers a user and sends a code for [Pool.ConfirmSignUp].
// sent is nil if the user has no address for codes.
func (p *Pool) SignUp(ctx context.Context, in SignUpInput) (user *User, sent *Delivery, err error) {
	if _, err := p.Client(in.ClientID); err != nil {
		return nil, nil, err
	}
	u, err := p.newUser(in.Username, in.Attributes, false)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkRequired(u.Attributes); err != nil {
		return nil, nil, err
	}
	u.Status = string(Unconfirmed)
	if err := p.setPassword(u, in.Password); err != nil {
		return nil, nil, err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		if err := p.add(tx, u, in.Username); err != nil {
			return err
		}
		if attribute := p.addressOf(u); attribute != "" {
			d, err := p.sendCode(tx, u, codeSignUp, attribute)
			if err != nil {
				return err
			}
			sent = &d
		}
		user, err = readUser(tx, u)
		return err
	})
	return user, sent, err
}

// newUser returns a new user, who is not stored yet and has neither password nor status.
func (p *Pool) newUser(username string, attributes map[string]string, admin bool) (*store.User, error) {
	if err := checkUsername(username); err != nil {
		return nil, err
	}
	if err := checkAttributes(attributes, admin); err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	u := &store.User{Sub: id.String(), Username: username, Enabled: true, Attributes: map[string]string{}, Created: p.Now()}
	maps.Copy(u.Attributes, attributes)
	if len(p.cfg.UsernameAttributes) > 0 {
		attribute, err := p.usernameAttribute(username)
		if err != nil {
			return nil, err
		}
		u.Username, u.Attributes[attribute] = u.Sub, username
	} else if slices.Contains(p.cfg.AliasAttributes, "email") && isEmail(username) {
		return nil, refuse(InvalidParameter, "Username cannot be of email format, since user pool is configured for email alias.")
	}
	for _, a := range addresses() {
		if u.Attributes[a] != "" && u.Attributes[a+"_verified"] == "" {
			u.Attributes[a+"_verified"] = "false"
		}
	}
	return u, nil
}

// usernameAttribute returns the attribute that a username
// is in a pool whose users sign in with attributes.
func (p *Pool) usernameAttribute(username string) (string, error) {
	email, phone := slices.Contains(p.cfg.UsernameAttributes, "email"), slices.Contains(p.cfg.UsernameAttributes, "phone_number")
	switch {
	case email && isEmail(username):
		return "email", nil
	case phone && phoneNumber.MatchString(username):
		return "phone_number", nil
	case email && phone:
		return "", refuse(InvalidParameter, "Username should be either an email or a phone number.")
	case email:
		return "", refuse(InvalidParameter, "Username should be an email.")
	default:
		return "", refuse(InvalidParameter, "Username should be a phone number.")
	}
}

// checkUsername applies the constraints of UsernameType in the API Reference.
func checkUsername(username string) error {
	switch {
	case username == "":
		return tooShort("username")
	case utf8.RuneCountInString(username) > 128:
		return refuse(InvalidParameter, "1 validation error detected: Value at 'username' failed to satisfy constraint: "+
			"Member must have length less than or equal to 128")
	case !utf8.ValidString(username) || strings.ContainsFunc(username, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P)
	}):
		return refuse(InvalidParameter, "1 validation error detected: Value at 'username' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+")
	}
	return nil
}

func tooShort(parameter string) error {
	return violation(parameter, "Member must have length greater than or equal to 1")
}

// violation refuses a parameter that does not satisfy a constraint of the API Reference.
func violation(parameter, constraint string) error {
	return refuse(InvalidParameter, "1 validation error detected: "+
		"Value at '%s' failed to satisfy constraint: %s", parameter, constraint)
}

// add stores a new user.
func (p *Pool) add(tx *store.Tx, u *store.User, username string) error {
	err := p.put(tx, u)
	if !errors.Is(err, store.ErrTaken) {
		return err
	}
	switch {
	case u.Username == username:
		return refuse(UsernameExists, "User already exists")
	case isEmail(username):
		return refuse(UsernameExists, "An account with the given email already exists.")
	default:
		return refuse(UsernameExists, "An account with the given phone_number already exists.")
	}
}

// ConfirmSignUp confirms a user with the code of the sign-up message.
func (p *Pool) ConfirmSignUp(ctx context.Context, clientID, username, code string) error {
	if err := p.spendByName(ctx, confirmSignUp, clientID, username); err != nil {
		return err
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := find(tx, username)
		switch {
		case err != nil:
			return err
		case u == nil || !u.Enabled:
			return expiredCode()
		case Status(u.Status) != Unconfirmed:
			return refuse(NotAuthorized, "User cannot be confirmed. Current status is %s", u.Status)
		}
		attribute, err := p.checkCode(tx, u, codeSignUp, "", code)
		if err != nil {
			return err
		}
		u.Status = string(Confirmed)
		u.Attributes[attribute+"_verified"] = "true"
		err = p.put(tx, u)
		if errors.Is(err, store.ErrTaken) {
			return aliasExists([]string{attribute})
		}
		return err
	})
}

// ResendConfirmationCode sends the sign-up code again.
func (p *Pool) ResendConfirmationCode(ctx context.Context, clientID, username string) (sent *Delivery, err error) {
	if err := p.spendByName(ctx, resendCode, clientID, username); err != nil {
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
		case Status(u.Status) != Unconfirmed:
			return refuse(InvalidParameter, "User is already confirmed.")
		}
		attribute := p.addressOf(u)
		if attribute == "" {
			return refuse(InvalidParameter, "User has no attribute that a code can be sent to.")
		}
		d, err := p.sendCode(tx, u, codeSignUp, attribute)
		sent = &d
		return err
	})
	return sent, err
}
