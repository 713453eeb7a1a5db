package storage

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// maxSigners is how many signers an App keeps at most.
const maxSigners = 10_000

// signers keeps a signer for each pair of access key and secret, until the credentials expire. The
// signer of the SDK remembers a signing key, but that of its latest credentials only: one for all
// users would derive a key for nearly every request.
//
// It is the [v4.HTTPSigner] of the S3 clients. It is safe for concurrent use.
type signers struct {
	now func() time.Time

	mu    sync.RWMutex
	known map[[sha256.Size]byte]*signer
	swept time.Time // when those that had expired left for the last time
}

// signer signs with the credentials of one user.
type signer struct {
	*v4.Signer // of calls
	expires    time.Time

	mu   sync.Mutex
	keys map[string][]byte // of URLs, by scope: a day and a region
}

func newSigners(now func() time.Time) *signers {
	return &signers{now: now, known: map[[sha256.Size]byte]*signer{}}
}

// of returns the signer of c. The secret is part of what it is found by: a signer must not sign
// with the key of another secret, whatever the access key says.
func (s *signers) of(c aws.Credentials) *signer {
	id := sha256.Sum256([]byte(c.AccessKeyID + "\x00" + c.SecretAccessKey))
	now := s.now()
	s.mu.RLock()
	known, ok := s.known[id]
	s.mu.RUnlock()
	if ok && now.Before(known.expires) {
		return known
	}
	expires := c.Expires
	if !c.CanExpire {
		expires = now.Add(time.Hour)
	}
	// S3 does not want paths escaped twice (AWS General Reference, "Create a signed AWS API
	// request").
	ofCalls := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	known = &signer{Signer: ofCalls, expires: expires, keys: map[string][]byte{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.known[id] = known
	return known
}

// makeRoom drops the signers that have expired, at most once a minute, and any one of the others if
// there are too many. s.mu is held.
func (s *signers) makeRoom(now time.Time) {
	if now.Sub(s.swept) >= time.Minute {
		s.swept = now
		for id, known := range s.known {
			if !now.Before(known.expires) {
				delete(s.known, id)
			}
		}
	}
	for id := range s.known {
		if len(s.known) < maxSigners {
			break
		}
		delete(s.known, id)
	}
}

// SignHTTP implements [v4.HTTPSigner]. It signs at the App's time, corrected as the SDK corrects
// its own after S3 has found that wrong.
func (s *signers) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string,
	at time.Time, _ ...func(*v4.SignerOptions), // what the SDK wants of its own signer
) error {
	skew := time.Until(at).Truncate(time.Second)
	return s.of(c).SignHTTP(ctx, c, r, payloadHash, service, region, s.now().Add(skew))
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
	signature := hmacOf(s.of(c).key(c.SecretAccessKey, scope), toSign)
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

// key returns the signing key for a scope, such as "20240517/eu-west-1/s3/aws4_request".
func (k *signer) key(secret, scope string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[scope]
	if !ok {
		key = []byte("AWS4" + secret)
		for part := range strings.SplitSeq(scope, "/") {
			key = hmacOf(key, []byte(part))
		}
		k.keys[scope] = key
	}
	return key
}

func hmacOf(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
