package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/amplify-go/amplify/internal/sigv4"
)

// signers sign URLs, and the calls of the S3 clients: they are their [v4.HTTPSigner]. They are safe
// for concurrent use.
type signers struct {
	*sigv4.Signers
	now func() time.Time
}

func newSigners(now func() time.Time) *signers {
	// S3 does not want paths escaped twice (AWS General Reference, "Create a signed AWS API
	// request").
	ofS3 := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
	return &signers{sigv4.New(now, ofS3), now}
}

// SignHTTP implements [v4.HTTPSigner]. It signs at the App's time, corrected as the SDK corrects
// its own after S3 has found that wrong.
func (s *signers) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string,
	at time.Time, _ ...func(*v4.SignerOptions), // what the SDK wants of its own signer
) error {
	skew := time.Until(at).Truncate(time.Second)
	return s.Of(c).SignHTTP(ctx, c, r, payloadHash, service, region, s.now().Add(skew))
}

// unsigned stands for the hash of a body that a signature does not cover.
const unsigned = "UNSIGNED-PAYLOAD"

// param is a parameter of a query.
type param struct{ name, value string }

// presign returns the URL of path, which is escaped, at the scheme and host of address, with query
// and the signature of c. The signer of the SDK could do it, but it parses, sorts and writes the
// query once more, which with a session token takes most of the time.
//
// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
func (s *signers) presign(
	c aws.Credentials, method string, address *url.URL, path string, query []param,
	payloadHash, region string, at time.Time,
) string {
	const algorithm = "AWS4-HMAC-SHA256"
	date := at.UTC().Format("20060102T150405Z")
	scope := date[:len("20060102")] + "/" + region + "/s3/aws4_request"
	query = append(query,
		param{"X-Amz-Algorithm", algorithm}, param{"X-Amz-Credential", c.AccessKeyID + "/" + scope},
		param{"X-Amz-Date", date}, param{"X-Amz-SignedHeaders", "host"})
	if c.SessionToken != "" {
		query = append(query, param{"X-Amz-Security-Token", c.SessionToken})
	}
	slices.SortFunc(query, func(a, b param) int { return strings.Compare(a.name, b.name) })

	request := make([]byte, 0, 512+len(path)+len(c.SessionToken)*5/4)
	request = append(request, method+"\n"+path+"\n"...)
	begin := len(request)
	for i, p := range query {
		if i > 0 {
			request = append(request, '&')
		}
		request = append(appendEscaped(request, p.name, ""), '=')
		request = appendEscaped(request, p.value, "")
	}
	end := len(request)
	request = append(request, "\nhost:"+address.Host+"\n\nhost\n"+payloadHash...)
	hash := sha256.Sum256(request)
	toSign := append(make([]byte, 0, 256), algorithm+"\n"+date+"\n"+scope+"\n"...)
	toSign = hex.AppendEncode(toSign, hash[:])
	signature := sigv4.HMAC(s.Of(c).Key(c.SecretAccessKey, scope), toSign)
	return address.Scheme + "://" + address.Host + path + "?" + string(request[begin:end]) +
		"&X-Amz-Signature=" + hex.EncodeToString(signature)
}

// appendEscaped appends s, of which only letters, digits, -._~ and what is in plain are left as
// they are.
func appendEscaped(b []byte, s, plain string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', strings.IndexByte(plain, c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}
