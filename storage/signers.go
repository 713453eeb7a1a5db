package storage

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// maxSigners is how many signers an App keeps at most.
const maxSigners = 10_000

// signers keeps a signer for each pair of access key and secret, until the credentials expire. A
// [v4.Signer] remembers the signing key of a day, but of its latest credentials only: one signer for
// all users would derive a key for nearly every request.
//
// It is the [v4.HTTPSigner] of the S3 clients. It is safe for concurrent use.
type signers struct {
	now func() time.Time

	mu    sync.RWMutex
	known map[[sha256.Size]byte]knownSigner
	swept time.Time // when those that had expired left for the last time
}

type knownSigner struct {
	*v4.Signer
	expires time.Time
}

func newSigners(now func() time.Time) *signers {
	return &signers{now: now, known: map[[sha256.Size]byte]knownSigner{}}
}

// of returns the signer of c. The secret is part of what it is found by: a signer must not sign with
// the key of another secret, whatever the access key says.
func (s *signers) of(c aws.Credentials) *v4.Signer {
	id := sha256.Sum256([]byte(c.AccessKeyID + "\x00" + c.SecretAccessKey))
	now := s.now()
	s.mu.RLock()
	known, ok := s.known[id]
	s.mu.RUnlock()
	if ok && now.Before(known.expires) {
		return known.Signer
	}
	expires := c.Expires
	if !c.CanExpire {
		expires = now.Add(time.Hour)
	}
	// S3 does not want paths escaped twice (AWS General Reference, "Create a signed AWS API request").
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.known[id] = knownSigner{signer, expires}
	return signer
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

// SignHTTP implements [v4.HTTPSigner]. It signs at the App's time, corrected as the SDK corrects its
// own after S3 has found that wrong.
func (s *signers) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string, at time.Time,
	_ ...func(*v4.SignerOptions), // what the SDK wants of its own signer
) error {
	skew := time.Until(at).Truncate(time.Second)
	return s.of(c).SignHTTP(ctx, c, r, payloadHash, service, region, s.now().Add(skew))
}

// presign returns address, with an escaped path in Opaque, as a URL with the caller's signature in
// its query.
func (s *signers) presign(ctx context.Context, c aws.Credentials, method string, address *url.URL, region string, at time.Time) (string, error) {
	r := &http.Request{Method: method, URL: address, Host: address.Host, Header: http.Header{}}
	signed, _, err := s.of(c).PresignHTTP(ctx, c, r, "UNSIGNED-PAYLOAD", "s3", region, at)
	return signed, err
}
