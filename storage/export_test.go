package storage

import (
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// MaxSigners is how many signers an App keeps.
const MaxSigners = maxSigners

// Signers are the signers of an App.
type Signers = signers

// NewSigners returns signers at the time of now.
func NewSigners(now func() time.Time) *Signers { return newSigners(now) }

// Of returns the signer of the calls of c.
func (s *signers) Of(c aws.Credentials) *v4.Signer { return s.of(c).Signer }

// Presign returns address with the signature of c in its query.
func (s *signers) Presign(c aws.Credentials, method, address, payloadHash, region string, at time.Time) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return s.presign(c, method, u, u.Query(), payloadHash, region, at), nil
}

// Len returns how many signers there are.
func (s *signers) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.known)
}
