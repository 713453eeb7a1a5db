package storage_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

// secrets are secret access keys by access key.
type secrets map[string]string

// verify checks the signature in the header of r, and the hash of its body. Over TLS the data of
// uploads goes without a hash.
func (s secrets) verify(r *http.Request, body []byte) error {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if r.URL.Scheme == "https" && r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") == "" {
		hash = "UNSIGNED-PAYLOAD"
	}
	if h := r.Header.Get("X-Amz-Content-Sha256"); h != hash {
		return fmt.Errorf("the hash of the body is said to be %q", h)
	}
	return conformance.Secrets(s).Verify(r, hash, len(body))
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
	return conformance.Secrets(s).Sign(method, u, credential, date, headers, signed, hash)
}
