package userpool

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Message is a message that Cognito would have sent. Kind is
// "sign-up", "reset-password", "verify-attribute" or "invitation".
// Code is the code or, in an invitation, the temporary password.
type Message = store.Message

// Delivery describes where a code was sent, with the address mostly hidden.
type Delivery struct {
	Attribute   string // "email" or "phone_number"
	Medium      string // "EMAIL" or "SMS"
	Destination string
}

// Kinds of codes.
const (
	codeSignUp = "sign-up"
	codeReset  = "reset-password"
	codeVerify = "verify-attribute"
)

// sentCode is a code that was sent and not used yet.
type sentCode struct {
	Code, Attribute string
	// Address is where the code was sent to. It is the
	// attribute's value, or the one that is to replace it.
	Address string
}

// codeKey returns the key of a code in the store. A user has one
// code of each kind, and one for the verification of each address.
func codeKey(u *store.User, kind, attribute string) string {
	if kind == codeVerify {
		return u.Sub + " " + attribute
	}
	return u.Sub
}

// sendCode sends a new code to an address of u. An
// earlier code of the same kind is no longer valid.
func (p *Pool) sendCode(tx *store.Tx, u *store.User, kind, attribute string) (Delivery, error) {
	return p.sendCodeTo(tx, u, kind, attribute, u.Attributes[attribute])
}

// sendCodeTo is sendCode for an address that u need not have yet.
func (p *Pool) sendCodeTo(
	tx *store.Tx, u *store.User, kind, attribute, address string,
) (Delivery, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return Delivery{}, err
	}
	// Cognito Developer Guide, "Quotas": codes for sign-up and verification
	// are valid for a day, and codes for a forgotten password for an hour.
	life := 24 * time.Hour
	if kind == codeReset {
		life = time.Hour
	}
	now := p.Now()
	c := sentCode{fmt.Sprintf("%06d", number), attribute, address}
	if err := tx.Put(kind, codeKey(u, kind, attribute), c, now.Add(life), now); err != nil {
		return Delivery{}, err
	}
	subject, verb := "Your verification code", "confirmation"
	if kind == codeReset {
		subject, verb = "Your password reset code", "password reset"
	}
	d := deliveryTo(attribute, address)
	return d, tx.AddMessage(Message{
		Sub: u.Sub, Username: u.Username, Kind: kind, Medium: d.Medium, To: address,
		Subject: subject, Body: "Your " + verb + " code is " + c.Code, Code: c.Code, Sent: now,
	})
}

// checkCode uses up the code of u, or refuses. It returns the attribute that the code was sent to.
// How many codes a user can try is a limit of the operations, see [limited].
func (p *Pool) checkCode(tx *store.Tx, u *store.User, kind, attribute, given string) (string, error) {
	key := codeKey(u, kind, attribute)
	var c sentCode
	err := tx.Get(kind, key, &c, p.Now())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", expiredCode()
	case err != nil:
		return "", err
	case subtle.ConstantTimeCompare([]byte(c.Code), []byte(strings.TrimSpace(given))) != 1:
		return "", wrongCode()
	}
	return c.Attribute, tx.Drop(kind, key)
}

func expiredCode() error {
	return refuse(ExpiredCode, "Invalid code provided, please request a code again.")
}

func wrongCode() error {
	return refuse(CodeMismatch, "Invalid verification code provided, please try again.")
}

// addressOf returns the attribute that codes for u are sent to, or "". Cognito prefers
// the phone number (Developer Guide, "Verifying contact information at sign-up").
func (p *Pool) addressOf(u *store.User) string {
	for _, a := range []string{"phone_number", "email"} {
		if slices.Contains(p.cfg.VerifiedAttributes, a) && u.Attributes[a] != "" {
			return a
		}
	}
	return ""
}

// deliveryTo describes where something was sent as Cognito does: a***@e***, +*******1234.
func deliveryTo(attribute, address string) Delivery {
	if attribute == "phone_number" {
		n := max(len(address)-5, 0)
		return Delivery{attribute, "SMS", "+" + strings.Repeat("*", n) + address[len(address)-min(4, len(address)):]}
	}
	name, domain, _ := strings.Cut(address, "@")
	return Delivery{attribute, "EMAIL", first(name) + "***@" + first(domain) + "***"}
}

func first(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// Messages returns at most limit messages of all users, the newest first.
func (p *Pool) Messages(ctx context.Context, limit int) (ms []Message, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		ms, err = tx.Messages("", limit)
		return err
	})
	return ms, err
}

// MessagesTo returns at most limit messages to the user with that sub, the newest first.
func (p *Pool) MessagesTo(ctx context.Context, sub string, limit int) (ms []Message, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		ms, err = tx.Messages(sub, limit)
		return err
	})
	return ms, err
}
