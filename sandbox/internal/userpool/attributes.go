package userpool

import (
	"context"
	"errors"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// standardAttributes are the claims of OpenID Connect that every pool
// has (Cognito Developer Guide, "Working with user attributes"). Custom
// attributes need no declaration, because outputs do not list them.
const standardAttributes = " address birthdate email email_verified family_name gender given_name locale middle_name name nickname " +
	"phone_number phone_number_verified picture preferred_username profile updated_at website zoneinfo "

// StandardAttributes returns the names of the attributes that every pool has, except sub.
func StandardAttributes() []string { return strings.Fields(standardAttributes) }

// addresses are the attributes that codes can be sent to.
func addresses() []string { return []string{"email", "phone_number"} }

var (
	phoneNumber = regexp.MustCompile(`^\+[0-9]{1,15}$`)
	customName  = regexp.MustCompile(`^custom:[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,20}$`)
)

// checkAttributes refuses attributes that a user pool does not
// accept. Only administrators may mark an address as verified.
func checkAttributes(attributes map[string]string, admin bool) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		switch {
		case name == "sub" || name == "identities" || !admin && strings.HasSuffix(name, "_verified"):
			return refuse(NotAuthorized, "A client attempted to write unauthorized attribute")
		case strings.Contains(name, " ") || !strings.Contains(standardAttributes, " "+name+" ") && !customName.MatchString(name):
			return refuse(InvalidParameter, "Attributes did not conform to the schema: %.64s: Attribute does not exist in schema.\n", name)
		case len(value) > 2048:
			return refuse(InvalidParameter, "Attributes did not conform to the schema: %s: String must be no longer than 2048 characters\n", name)
		case name == "email" && value != "" && !isEmail(value):
			return refuse(InvalidParameter, "Invalid email address format.")
		case name == "phone_number" && value != "" && !phoneNumber.MatchString(value):
			return refuse(InvalidParameter, "Invalid phone number format.")
		}
	}
	return nil
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// MissingAttributes returns the required attributes that are not in attributes.
func (p *Pool) MissingAttributes(attributes map[string]string) []string {
	var missing []string
	for _, name := range p.cfg.RequiredAttributes {
		if attributes[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

func (p *Pool) checkRequired(attributes map[string]string) error {
	missing := p.MissingAttributes(attributes)
	if missing == nil {
		return nil
	}
	text := ""
	for _, name := range missing {
		text += name + ": The attribute " + name + " is required\n"
	}
	return refuse(InvalidParameter, "Attributes did not conform to the schema: %s", text)
}

// UpdateAttributes changes attributes of a user. It sends codes to changed addresses, which
// are unverified until [Pool.VerifyAttribute] gets the code. Those of [Config.KeepOriginal]
// do not change before that.
func (p *Pool) UpdateAttributes(ctx context.Context, sub string, attributes map[string]string) ([]Delivery, error) {
	if err := checkAttributes(attributes, false); err != nil {
		return nil, err
	}
	var sent []Delivery
	err := p.update(ctx, func(tx *store.Tx) error {
		u, err := mustGet(tx, sub)
		if err != nil {
			return err
		}
		rest, held, err := p.holdBack(tx, u, attributes)
		if err != nil {
			return err
		}
		sent = held
		return p.changeAttributes(tx, u, rest, func(attribute string) error {
			d, err := p.sendCode(tx, u, codeVerify, attribute)
			sent = append(sent, d)
			return err
		})
	})
	return sent, err
}

// SetAttributes changes attributes of a user as an administrator. It accepts email_verified.
// It sends codes to changed addresses only if they are of [Config.KeepOriginal], and not marked
// as verified in the same call: these change once [Pool.VerifyAttribute] gets the code.
func (p *Pool) SetAttributes(ctx context.Context, username string, attributes map[string]string) error {
	if err := checkAttributes(attributes, true); err != nil {
		return err
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustFind(tx, username)
		if err != nil {
			return err
		}
		rest, _, err := p.holdBack(tx, u, attributes)
		if err != nil {
			return err
		}
		return p.changeAttributes(tx, u, rest, func(string) error { return nil })
	})
}

// changeAttributes stores attributes of u, and removes empty ones. It
// calls unverified for each changed address that the pool verifies.
func (p *Pool) changeAttributes(tx *store.Tx, u *store.User, attributes map[string]string, unverified func(attribute string) error) error {
	var changed []string
	for _, name := range addresses() {
		if value, given := attributes[name]; given && value != u.Attributes[name] {
			delete(u.Attributes, name+"_verified")
			changed = append(changed, name)
			// The code of another address must not verify this one.
			if err := tx.Drop(codeVerify, codeKey(u, codeVerify, name)); err != nil {
				return err
			}
		}
	}
	for name, value := range attributes {
		u.Attributes[name] = value
		if value == "" {
			delete(u.Attributes, name)
		}
	}
	if err := p.checkRequired(u.Attributes); err != nil {
		return err
	}
	for _, name := range changed {
		if u.Attributes[name] == "" || u.Attributes[name+"_verified"] == "true" {
			continue
		}
		u.Attributes[name+"_verified"] = "false"
		if slices.Contains(p.cfg.VerifiedAttributes, name) {
			if err := unverified(name); err != nil {
				return err
			}
		}
	}
	err := p.put(tx, u)
	if errors.Is(err, store.ErrTaken) {
		return aliasExists(changed)
	}
	return err
}

func aliasExists(attributes []string) error {
	what := "name"
	if len(attributes) > 0 {
		what = attributes[0]
	}
	return refuse(AliasExists, "An account with the %s already exists.", what)
}

// DeleteAttributes removes attributes of a user.
func (p *Pool) DeleteAttributes(ctx context.Context, sub string, names []string) error {
	_, err := p.UpdateAttributes(ctx, sub, emptied(names))
	return err
}

// RemoveAttributes removes attributes of a user as an administrator.
func (p *Pool) RemoveAttributes(ctx context.Context, username string, names []string) error {
	return p.SetAttributes(ctx, username, emptied(names))
}

// emptied returns the change that removes attributes.
func emptied(names []string) map[string]string {
	attributes := map[string]string{}
	for _, name := range names {
		attributes[name] = ""
	}
	return attributes
}

// SendAttributeCode sends a code for [Pool.VerifyAttribute]: to the
// address that waits for its verification, if there is one.
func (p *Pool) SendAttributeCode(ctx context.Context, sub, attribute string) (d Delivery, err error) {
	if err := p.spend(ctx, sendAttributeCode, sub); err != nil {
		return d, err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		u, err := mustGet(tx, sub)
		if err != nil {
			return err
		}
		address, err := p.addressToVerify(tx, u, attribute)
		if err != nil {
			return err
		}
		if !slices.Contains(addresses(), attribute) || address == "" {
			return refuse(InvalidParameter, "User does not have a valid attribute %.64s to verify", attribute)
		}
		d, err = p.sendCodeTo(tx, u, codeVerify, attribute, address)
		return err
	})
	return d, err
}

// VerifyAttribute marks an address as verified. If one waits for that, it becomes the user's.
func (p *Pool) VerifyAttribute(ctx context.Context, sub, attribute, code string) error {
	if err := p.spend(ctx, verifyAttribute, sub); err != nil {
		return err
	}
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustGet(tx, sub)
		if err != nil {
			return err
		}
		address, err := p.addressToVerify(tx, u, attribute)
		if err != nil {
			return err
		}
		if _, err := p.checkCode(tx, u, codeVerify, attribute, code); err != nil {
			return err
		}
		u.Attributes[attribute], u.Attributes[attribute+"_verified"] = address, "true"
		if err := p.put(tx, u); errors.Is(err, store.ErrTaken) {
			return aliasExists([]string{attribute})
		} else if err != nil {
			return err
		}
		return nil
	})
}
