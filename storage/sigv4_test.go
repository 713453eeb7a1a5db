package storage_test

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

// secrets are secret access keys by access key. They verify signatures by a second implementation
// of Signature Version 4, apart from the SDK's.
//
// Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
type secrets map[string]string

// verify checks the signature in the header of r, and the hash of its body. Over TLS the data of
// uploads goes without a hash.
func (s secrets) verify(r *http.Request, body []byte) error {
	fields := map[string]string{}
	value, _ := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for _, field := range strings.Split(value, ", ") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if r.URL.Scheme == "https" && r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") == "" {
		hash = "UNSIGNED-PAYLOAD"
	}
	if h := r.Header.Get("X-Amz-Content-Sha256"); h != hash {
		return fmt.Errorf("the hash of the body is said to be %q", h)
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
			value = fmt.Sprint(len(body))
		}
		headers += name + ":" + strings.TrimSpace(value) + "\n"
	}
	want, err := s.sign(r.Method, r.URL, fields["Credential"], r.Header.Get("X-Amz-Date"), headers, fields["SignedHeaders"], hash)
	if err == nil && want != fields["Signature"] {
		err = fmt.Errorf("the signature of %s %s is wrong", r.Method, r.URL)
	}
	return err
}

// presigned returns a presigned address with the right signature in place of the one that it has.
func (s secrets) presigned(method, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	query := u.Query()
	query.Del("X-Amz-Signature")
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	signature, err := s.sign(method, u, query.Get("X-Amz-Credential"), query.Get("X-Amz-Date"), "host:"+u.Host+"\n", "host", "UNSIGNED-PAYLOAD")
	if err != nil {
		return "", err
	}
	u.RawQuery += "&X-Amz-Signature=" + signature
	return u.String(), nil
}

// sign returns the signature of a request.
func (s secrets) sign(method string, u *url.URL, credential, date, headers, signed, hash string) (string, error) {
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
