package login

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// provider is an external identity provider that a
// client offers. The sandbox stands in for all of them.
type provider struct {
	Name  string // Cognito's, such as "LoginWithAmazon"
	Label string // what people call it
}

// Path returns the page that stands in for the provider.
func (p provider) Path() string { return "/pretend/" + url.PathEscape(p.Name) }

// Mark returns a letter in place of the logo.
func (p provider) Mark() string { return firstLetter(p.Label) }

func providerOf(name string) provider {
	switch name {
	case "LoginWithAmazon":
		return provider{name, "Amazon"}
	case "SignInWithApple":
		return provider{name, "Apple"}
	}
	return provider{name, name} // Google, Facebook, and pools' own OIDC and SAML providers
}

// providers returns the external providers that the client offers.
func providers(c *userpool.Client) []provider {
	var all []provider
	for _, name := range c.Providers {
		if name != providerCognito {
			all = append(all, providerOf(name))
		}
	}
	return all
}

// persona is a person that the page offers to pretend to be.
type persona struct{ Name, Email string }

// Mark returns the first letter of the name.
func (p persona) Mark() string { return firstLetter(p.Name) }

func personas() []persona {
	return []persona{
		{"Ada Lovelace", "ada@example.com"},
		{"Grace Hopper", "grace@example.com"},
		{"山田 花子", "hanako@example.com"},
	}
}

type pretendPage struct {
	provider
	Personas []persona
	// Open is whether the form for another person is open.
	Open bool
}

func (h *Handler) pretendView(x *exchange) (view, provider, error) {
	name := x.r.PathValue("provider")
	if name == providerCognito || !x.offers(name) {
		return view{}, provider{}, x.fail("invalid_request", "The client does not offer the identity provider "+name+".")
	}
	p := providerOf(name)
	return view{
		Fields: []field{
			{Name: "name", Label: x.loc.say("field.name"), Type: "text", Value: x.typed("name"), Autocomplete: "off"},
			{Name: "email", Label: x.loc.say("field.email"), Type: "email", Value: x.typed("email"), Autocomplete: "off"},
		},
		Data: pretendPage{p, personas(), x.r.Method == http.MethodPost},
	}, p, nil
}

func (h *Handler) showPretend(x *exchange) error {
	v, _, err := h.pretendView(x)
	if err != nil {
		return err
	}
	h.show(x, http.StatusOK, "pretend", v)
	return nil
}

func (h *Handler) pretend(x *exchange) error {
	v, p, err := h.pretendView(x)
	if err != nil {
		return err
	}
	if x.r.PostForm.Has("cancel") {
		return x.fail("access_denied", "The user refused access at "+p.Label+".") // RFC 6749 §4.1.2.1
	}
	if h.incomplete(x, "pretend", v) {
		return nil
	}
	name, email := v.Fields[0].Value, v.Fields[1].Value
	user, err := h.pool.FederatedUser(x.ctx(), p.Name, userpool.Profile{
		ID:         pretendID(p.Name, email),
		Attributes: map[string]string{"email": email, "name": name},
	})
	if err != nil {
		return h.refuse(x, "pretend", err, v)
	}
	return h.begin(x, user, p.Name)
}

// pretendID returns the id of a person with a pretend provider. It
// is the same for the same address, and as long as Google's ids.
func pretendID(provider, email string) string {
	sum := sha256.Sum256([]byte(provider + "\x00" + strings.ToLower(email)))
	return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(sum[:]))
}

func firstLetter(s string) string {
	for _, r := range s {
		return strings.ToUpper(string(r))
	}
	return ""
}
