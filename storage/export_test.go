package storage

import (
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

// Of returns the signer of c.
func (s *signers) Of(c aws.Credentials) *v4.Signer { return s.of(c) }

// Len returns how many signers there are.
func (s *signers) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.known)
}
