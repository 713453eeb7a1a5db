package identity

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/partition"
)

// Config configures an identity pool.
type Config struct {
	// ID is the pool's id, such as "us-east-1:01234567-89ab-cdef-0123-456789abcdef".
	ID string
	// Providers are the user pools whose users get identities.
	Providers []Provider
	// AllowGuests gives identities and credentials to callers without a login.
	AllowGuests bool
	// GuestRole is the ARN of the role for guests, and UserRole
	// that for users whose token names no role. Both have defaults.
	GuestRole, UserRole string
	// DenyAmbiguousRole refuses users whose token does not select a role,
	// instead of giving them UserRole (AmbiguousRoleResolution "Deny").
	DenyAmbiguousRole bool
	// CredentialsValidity is the life of credentials. The default is one hour, as with Cognito.
	CredentialsValidity time.Duration
	// Clock returns the time. The default is [time.Now].
	Clock func() time.Time
}

// Provider is a user pool. The pool accepts its ID tokens
// as logins if they were issued to one of the clients.
type Provider struct {
	UserPool  UserPool
	ClientIDs []string
	// ServerSideTokenCheck refuses tokens of sessions that are not active any more. Without
	// it, tokens are accepted until they expire (API Reference, CognitoIdentityProvider).
	ServerSideTokenCheck bool
}

// UserPool is a user pool as an identity pool needs it.
type UserPool interface {
	// Issuer returns the claim iss of the pool's tokens.
	Issuer() string
	// PublicKey returns the key of that id, or nil.
	PublicKey(kid string) *rsa.PublicKey
	// SignedIn reports whether the session that tokens name in origin_jti
	// is active: it was not revoked, and its user was neither deleted nor
	// disabled. The identity pool asks if ServerSideTokenCheck is on.
	SignedIn(ctx context.Context, originJTI string) (bool, error)
}

// name returns the provider's name in Logins: its issuer without the scheme.
func (p Provider) name() string { return strings.TrimPrefix(p.UserPool.Issuer(), "https://") }

// role returns the ARN of a default role. No real AWS account has its number.
func (c *Config) role(name string) string {
	return "arn:" + partition.Of(c.Region()).ID + ":iam::000000000000:role/" + name
}

var (
	poolID     = regexp.MustCompile(`^[\w-]+:[0-9a-f-]+$`) // API Reference, IdentityPoolId and IdentityId
	identityID = poolID
)

// validate reports all faults at once, and sets defaults.
func (c *Config) validate() error {
	var errs []error
	if !poolID.MatchString(c.ID) {
		errs = append(errs, fmt.Errorf("sandbox: identity pool: the id %q is not of the form <region>:<UUID>", c.ID))
	}
	if c.CredentialsValidity < 0 {
		errs = append(errs, fmt.Errorf("sandbox: identity pool: the validity of credentials is negative"))
	}
	for _, p := range c.Providers {
		if len(p.ClientIDs) == 0 {
			errs = append(errs, fmt.Errorf("sandbox: identity pool: the user pool %s has no app client", p.name()))
		}
	}
	if c.CredentialsValidity == 0 {
		c.CredentialsValidity = time.Hour
	}
	if c.GuestRole == "" {
		c.GuestRole = c.role("sandbox-unauthenticated")
	}
	if c.UserRole == "" {
		c.UserRole = c.role("sandbox-authenticated")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return errors.Join(errs...)
}

// Region returns the AWS region of the pool.
func (c *Config) Region() string {
	region, _, _ := strings.Cut(c.ID, ":")
	return region
}
