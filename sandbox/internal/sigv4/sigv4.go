// Package sigv4 is the arithmetic of AWS Signature Version 4 for those who verify signatures (IAM
// User Guide, "AWS Signature Version 4 for API requests"). What a service demands of a request
// beyond that, and how it refuses one, is the service's business.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Algorithm is the name of the signature's algorithm.
const Algorithm = "AWS4-HMAC-SHA256"

// TimeFormat is the form of X-Amz-Date.
const TimeFormat = "20060102T150405Z"

// EmptyHash is the SHA-256 of nothing.
const EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Scope is what a signing key is good for. Date is of the form 20060102.
type Scope struct{ Date, Region, Service string }

// String returns the scope as it stands in credentials and in the string to sign.
func (s Scope) String() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/aws4_request"
}

// Key signs for one scope.
type Key struct {
	scope  Scope
	secret []byte
}

// NewKey derives the key of a scope from the secret key of credentials.
func NewKey(secretKey string, scope Scope) Key {
	key := []byte("AWS4" + secretKey)
	for _, part := range []string{scope.Date, scope.Region, scope.Service, "aws4_request"} {
		key = mac(key, part)
	}
	return Key{scope, key}
}

// Sign returns the string to sign and its signature. what are the lines
// that follow the scope: for a request, the hash of its canonical form.
func (k Key) Sign(algorithm string, t time.Time, what ...string) (stringToSign, signature string) {
	lines := append([]string{algorithm, t.UTC().Format(TimeFormat), k.scope.String()}, what...)
	stringToSign = strings.Join(lines, "\n")
	return stringToSign, hex.EncodeToString(mac(k.secret, stringToSign))
}

// Equal compares two signatures in constant time.
func Equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Hash returns the SHA-256 of text in hexadecimal.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// CanonicalRequest returns the canonical form of a request that a server
// got. path is its path in canonical form; see [EscapePath]. signed are the
// names of the signed headers in lower case, in the order in which they were
// sent. Of the query it leaves the signature itself out.
func CanonicalRequest(r *http.Request, path string, signed []string, payloadHash string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + canonicalValue(headerValues(r, name)) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + payloadHash)
	return b.String()
}

// headerValues returns the values of a header. net/http keeps some of them elsewhere.
func headerValues(r *http.Request, name string) []string {
	switch values := r.Header.Values(name); {
	case name == "host":
		return []string{r.Host}
	case name == "content-length" && len(values) == 0:
		return []string{strconv.FormatInt(max(r.ContentLength, 0), 10)}
	case name == "transfer-encoding" && len(values) == 0:
		return r.TransferEncoding
	default:
		return values
	}
}

// canonicalValue joins the values by commas, without spaces around them and with one space where
// there are several in a row.
func canonicalValue(values []string) string {
	var canonical []string
	for _, v := range values {
		canonical = append(canonical, strings.Join(strings.FieldsFunc(v,
			func(c rune) bool { return c == ' ' }), " "))
	}
	return strings.Join(canonical, ",")
}

// canonicalQuery sorts the parameters by name and value, both escaped.
func canonicalQuery(raw string) string {
	type parameter struct{ name, value string }
	var parameters []parameter
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if pair == "" || name == "X-Amz-Signature" {
			continue
		}
		parameters = append(parameters, parameter{escape(unescape(name)), escape(unescape(value))})
	}
	slices.SortFunc(parameters, func(a, b parameter) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var pairs []string
	for _, p := range parameters {
		pairs = append(pairs, p.name+"="+p.value)
	}
	return strings.Join(pairs, "&")
}

// unescape decodes a part of a query. What cannot be decoded stays as it is.
func unescape(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}

// EscapePath returns the canonical form of a decoded path for
// services that escape it once. Of these S3 is the only one.
func EscapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return strings.Join(parts, "/")
}

// escape escapes all but the unreserved characters (RFC 3986 §2.3).
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
