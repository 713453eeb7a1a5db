package awsapi

import "strings"

// tokenCharacters are the characters of names of headers (RFC 9110, "Tokens").
const tokenCharacters = "!#$%&'*+-.^_`|~0123456789" +
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// IsHeaderName reports whether name may be the name of a header.
func IsHeaderName(name string) bool {
	return name != "" && strings.Trim(name, tokenCharacters) == ""
}
