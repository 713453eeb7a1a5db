package userpool

import (
	"strings"
	"unicode/utf8"
)

// symbols are the special characters (Cognito Developer Guide, "Adding user
// pool password requirements"). A blank within the password is one of them.
const symbols = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- "

// check refuses a password that the policy does not accept, with Cognito's reason.
func (pp PasswordPolicy) check(password string) error {
	has := func(chars string) bool { return strings.ContainsAny(password, chars) }
	var why string
	switch {
	case password != strings.TrimSpace(password):
		return refuse(InvalidParameter, "1 validation error detected: Value at 'password' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$")
	case utf8.RuneCountInString(password) > 256:
		return refuse(InvalidParameter, "1 validation error detected: Value at 'password' failed to satisfy constraint: "+
			"Member must have length less than or equal to 256")
	case utf8.RuneCountInString(password) < max(pp.MinLength, 6): // six is the least that a policy can ask for
		why = "Password not long enough"
	case pp.RequireUppercase && !has("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
		why = "Password must have uppercase characters"
	case pp.RequireLowercase && !has("abcdefghijklmnopqrstuvwxyz"):
		why = "Password must have lowercase characters"
	case pp.RequireNumbers && !has("0123456789"):
		why = "Password must have numeric characters"
	case pp.RequireSymbols && !has(symbols):
		why = "Password must have symbol characters"
	default:
		return nil
	}
	return refuse(InvalidPassword, "Password did not conform with policy: %s", why)
}
