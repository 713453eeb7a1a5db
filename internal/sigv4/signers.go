// Package sigv4 keeps what signs calls to AWS by Signature Version 4, for many users at once.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// maxSigners is how many signers are kept at most.
const maxSigners = 10_000

// Signers keeps a signer for each pair of access key and secret, until the credentials expire. The
// signer of the SDK remembers a signing key, but that of its latest credentials only: one for all
// users would derive a key for nearly every request.
//
// Signers are safe for concurrent use.
type Signers struct {
	now     func() time.Time
	options []func(*v4.SignerOptions)

	mu    sync.RWMutex
	known map[[sha256.Size]byte]*Signer
	swept time.Time // when those that had expired left for the last time
}

// Signer signs with the credentials of one user. The credentials that its methods take must be
// those that it was found by.
type Signer struct {
	*v4.Signer
	expires time.Time

	mu   sync.Mutex
	keys map[string][]byte // by scope: a day, a region and a service
}

// New returns Signers at the time of now. The signers of the SDK in them have the given options.
func New(now func() time.Time, options ...func(*v4.SignerOptions)) *Signers {
	return &Signers{now: now, options: options, known: map[[sha256.Size]byte]*Signer{}}
}

// Of returns the signer of c. The secret is part of what it is found by: a signer must not sign
// with the key of another secret, whatever the access key says.
func (s *Signers) Of(c aws.Credentials) *Signer {
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
	known = &Signer{
		Signer: v4.NewSigner(s.options...), expires: expires, keys: map[string][]byte{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.known[id] = known
	return known
}

// makeRoom drops the signers that have expired, at most once a minute, and any one of the others if
// there are too many. s.mu is held.
func (s *Signers) makeRoom(now time.Time) {
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

// Key returns the signing key of secret for a scope, such as "20240517/eu-west-1/s3/aws4_request".
func (k *Signer) Key(secret, scope string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[scope]
	if !ok {
		key = []byte("AWS4" + secret)
		for part := range strings.SplitSeq(scope, "/") {
			key = HMAC(key, []byte(part))
		}
		k.keys[scope] = key
	}
	return key
}

// HMAC returns the HMAC-SHA256 of text.
func HMAC(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
