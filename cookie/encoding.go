package cookie

import "github.com/amplify-go/amplify/internal/cookieheader"

// EncodeName returns key as the name of a cookie, as js-cookie spells it: UTF-8, percent-encoded
// except for letters, digits and !#$&'*+-.^_`|~. All of these are token characters (RFC 6265bis
// §4.1.1).
//
// Amplify's server adapters do not escape parentheses, but the browser does. They are escaped here,
// so that server and browser write the same cookie.
func EncodeName(key string) string { return cookieheader.Encode(key, "!#$&'*+-.^_`|~") }

// EncodeValue returns value as the value of a cookie, as js-cookie spells it. The result consists
// of cookie-octets (RFC 6265bis §4.1.1): it has no control character, white space, quote, comma,
// semicolon or backslash.
func EncodeValue(value string) string {
	return cookieheader.Encode(value, "!#$&'()*+-./:<=>?@[]^_`{|}~")
}

// DecodeName returns the key that the name of a cookie stands for, in any of the spellings that
// the package comment lists.
func DecodeName(name string) string { return cookieheader.Decode(name, nil) }

// DecodeValue returns what the value of a cookie stands for, in any of the spellings that the
// package comment lists. Like js-cookie, it drops quotes around the value.
func DecodeValue(value string) string { return cookieheader.Decode(cookieheader.Unquote(value), nil) }
