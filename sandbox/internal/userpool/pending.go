package userpool

import (
	"errors"
	"maps"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// A new address of KeepOriginal is kept with the code that was sent to it, and not with the user.
// It lapses with the code (Developer Guide, "Verifying updates to email addresses and phone
// numbers"; API Reference, UserAttributeUpdateSettingsType).

// holdBack returns attributes without the new addresses of u that must be verified first, and sends
// codes to these. A new address replaces one that waits already. The address that u has, given
// again, takes back the one that waits, and so does its removal.
func (p *Pool) holdBack(
	tx *store.Tx, u *store.User, attributes map[string]string,
) (rest map[string]string, sent []Delivery, err error) {
	rest = maps.Clone(attributes)
	for _, name := range p.cfg.KeepOriginal {
		address, given := rest[name]
		switch {
		case !given, rest[name+"_verified"] == "true":
			continue
		case address == "", address == u.Attributes[name]:
			waiting, err := p.addressToVerify(tx, u, name)
			if err == nil && waiting != u.Attributes[name] {
				err = tx.Drop(codeVerify, codeKey(u, codeVerify, name))
			}
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		if err := p.checkFree(tx, u, name, address); err != nil {
			return nil, nil, err
		}
		d, err := p.sendCodeTo(tx, u, codeVerify, name, address)
		if err != nil {
			return nil, nil, err
		}
		sent = append(sent, d)
		delete(rest, name)
		delete(rest, name+"_verified") // speaks of the new address
	}
	return rest, sent, nil
}

// checkFree refuses an address that another user can sign in with, if u could sign in with it.
func (p *Pool) checkFree(tx *store.Tx, u *store.User, attribute, address string) error {
	changed := *u
	changed.Attributes = maps.Clone(u.Attributes)
	changed.Attributes[attribute], changed.Attributes[attribute+"_verified"] = address, "true"
	for _, name := range p.namesOf(&changed) {
		other, err := find(tx, name)
		if err != nil {
			return err
		}
		if other != nil && other.Sub != u.Sub {
			return aliasExists([]string{attribute})
		}
	}
	return nil
}

// addressToVerify returns the address that a code for an attribute of u
// proves: the one that waits or, if there is none, the one that u has.
func (p *Pool) addressToVerify(tx *store.Tx, u *store.User, attribute string) (string, error) {
	var c sentCode
	err := tx.Get(codeVerify, codeKey(u, codeVerify, attribute), &c, p.Now())
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && c.Address == "":
		return u.Attributes[attribute], nil
	case err != nil:
		return "", err
	}
	return c.Address, nil
}
