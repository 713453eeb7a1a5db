package conformance

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Secrets are secret access keys by access key. They verify signatures by a second implementation
// of Signature Version 4, apart from the SDK's.
//
// Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
type Secrets map[string]string

// Verify checks the signature in the header of r, whose body has the given hash and length.
func (s Secrets) Verify(r *http.Request, hash string, length int) error {
	fields := map[string]string{}
	value, _ := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for _, field := range strings.Split(value, ", ") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	for name := range r.Header {
		name = strings.ToLower(name)
		if (strings.HasPrefix(name, "x-amz-") || name == "content-md5" || name == "content-type") && !slices.Contains(signed, name) {
			return fmt.Errorf("the header %s is not signed", name)
		}
	}
	headers := ""
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = cmp.Or(r.Host, r.URL.Host)
		case "content-length":
			value = fmt.Sprint(length)
		}
		headers += name + ":" + strings.TrimSpace(value) + "\n"
	}
	want, err := s.Sign(r.Method, r.URL, fields["Credential"], r.Header.Get("X-Amz-Date"), headers, fields["SignedHeaders"], hash)
	if err == nil && want != fields["Signature"] {
		err = fmt.Errorf("the signature of %s %s is wrong", r.Method, r.URL)
	}
	return err
}

// Sign returns the signature of a request.
func (s Secrets) Sign(method string, u *url.URL, credential, date, headers, signed, hash string) (string, error) {
	access, scope, _ := strings.Cut(credential, "/")
	secret, ok := s[access]
	if !ok {
		return "", fmt.Errorf("no secret of the access key %q", access)
	}
	query := strings.ReplaceAll(u.Query().Encode(), "+", "%20")
	canonical := strings.Join([]string{method, u.EscapedPath(), query, headers, signed, hash}, "\n")
	canonicalHash := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secret)
	for _, part := range append(strings.Split(scope, "/"), strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, hex.EncodeToString(canonicalHash[:])}, "\n")) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key), nil
}
