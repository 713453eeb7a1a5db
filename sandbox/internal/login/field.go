package login

import (
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// field is an input of a form.
type field struct {
	Name, Label, Type, Value, Hint string
	// Autocomplete and InputMode are attributes of the input (HTML Living
	// Standard, "Autofill" and "Input modalities"); empty ones are left out.
	Autocomplete, InputMode string
	// Rules is the password policy, for the field that it applies to.
	Rules []string
}

// nameField returns the field for the name that users of the pool sign in with.
func (h *Handler) nameField(x *exchange, value string) field {
	f := field{Name: "username", Type: "text", Value: value, Autocomplete: "username"}
	label := "username"
	switch byEmail, byPhone := h.signsInWith("email"), h.signsInWith("phone_number"); {
	case byEmail && byPhone:
		label = "emailOrPhone"
	case byEmail:
		label, f.InputMode = "email", "email"
	case byPhone:
		label, f.InputMode = "phone_number", "tel"
		f.Hint = x.loc.say("field.phone_number.hint")
	}
	f.Label = x.loc.say("field." + label)
	return f
}

func (h *Handler) signsInWith(attribute string) bool {
	return slices.Contains(h.pool.Config().UsernameAttributes, attribute)
}

// signUpAttributes returns the attributes that sign-up asks for beside the
// name to sign in with: the required ones, and those that codes are sent to.
func (h *Handler) signUpAttributes() []string {
	cfg := h.pool.Config()
	var names []string
	for _, a := range slices.Concat(cfg.VerifiedAttributes, cfg.RequiredAttributes) {
		if !slices.Contains(names, a) && !h.signsInWith(a) {
			names = append(names, a)
		}
	}
	return names
}

// attributeField returns the field for an attribute of the user.
func attributeField(x *exchange, name, value string) field {
	f := field{Name: attributePrefix + name, Label: x.loc.say("field."+name, name), Type: "text", Value: value}
	switch name {
	case "email":
		f.Type, f.Autocomplete = "email", "email"
	case "phone_number":
		f.Type, f.Autocomplete, f.Hint = "tel", "tel", x.loc.say("field.phone_number.hint")
	case "birthdate":
		f.Type, f.Autocomplete = "date", "bday" // Cognito wants YYYY-MM-DD, which is what such an input sends
	case "picture", "profile", "website":
		f.Type = "url"
	case "name":
		f.Autocomplete = "name"
	case "given_name":
		f.Autocomplete = "given-name"
	case "family_name":
		f.Autocomplete = "family-name"
	case "middle_name":
		f.Autocomplete = "additional-name"
	case "nickname":
		f.Autocomplete = "nickname"
	case "address":
		f.Autocomplete = "street-address"
	}
	return f
}

// attributePrefix distinguishes the names of attributes from those of other fields.
const attributePrefix = "attribute."

// codeField returns the field for a code that was sent.
func codeField(x *exchange) field {
	return field{Name: "code", Label: x.loc.say("field.code"), Type: "text", Autocomplete: "one-time-code", InputMode: "numeric"}
}

// newPasswordFields returns two fields for a new password.
func (h *Handler) newPasswordFields(x *exchange, label string) []field {
	return []field{
		{Name: "password", Label: x.loc.say("field." + label), Type: "password", Autocomplete: "new-password", Rules: rules(x.loc, h.pool.Config().PasswordPolicy)},
		{Name: "password2", Label: x.loc.say("field.repeatPassword"), Type: "password", Autocomplete: "new-password"},
	}
}

// rules describes a password policy.
func rules(l *locale, p userpool.PasswordPolicy) []string {
	var all []string
	add := func(wanted bool, key string, args ...any) {
		if s, err := l.T("policy."+key, args...); wanted && err == nil {
			all = append(all, s)
		}
	}
	add(p.MinLength > 0, "length", p.MinLength)
	add(p.RequireLowercase, "lowercase")
	add(p.RequireUppercase, "uppercase")
	add(p.RequireNumbers, "number")
	add(p.RequireSymbols, "symbol")
	return all
}
