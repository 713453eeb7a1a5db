package userpool

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// Config configures a user pool.
type Config struct {
	// ID is the pool's id, such as "us-east-1_AbCdEfGhI".
	ID string
	// Region is the AWS region in the issuer of tokens.
	Region string
	// Clients are the app clients.
	Clients []Client
	// PasswordPolicy describes the passwords that are accepted.
	PasswordPolicy PasswordPolicy
	// UsernameAttributes lists the attributes ("email", "phone_number")
	// that users sign in with instead of a username. Their username is
	// then a UUID. If the list is empty, users choose a username.
	UsernameAttributes []string
	// AliasAttributes lists the attributes that users can sign in with
	// in addition to their username. Addresses must be verified first.
	AliasAttributes []string
	// RequiredAttributes lists the attributes that sign-up asks for.
	RequiredAttributes []string
	// VerifiedAttributes lists the attributes ("email", "phone_number") that codes are sent to.
	VerifiedAttributes []string
	// KeepOriginal lists the verified attributes whose value stays until a new one
	// is verified (AttributesRequireVerificationBeforeUpdate).
	KeepOriginal []string
	// RecoveryAttributes lists the attributes that codes for a forgotten password are sent to, the
	// preferred one first (AccountRecoverySetting). The default is "email", then "phone_number".
	RecoveryAttributes []string
	// ResourceServers have the custom scopes that clients may have.
	ResourceServers []ResourceServer
	// ProviderIdentifiers are other names of identity providers, by which
	// authorization requests can choose one: from identifier to name.
	ProviderIdentifiers map[string]string
	// Groups are created if they do not exist.
	Groups []Group
	// AccessTokenKey and IDTokenKey sign the tokens of a new pool.
	// Give both or neither. By default the pool generates keys.
	AccessTokenKey, IDTokenKey *rsa.PrivateKey
	// KeyFile is the path of a file that keeps the keys of a pool in memory.
	KeyFile string
	// PreToken changes the tokens of the pool. The default is nil: nothing changes them.
	PreToken pretoken.Hook
	// Logger gets a warning for what PreToken may not do. The default is [slog.Default].
	Logger *slog.Logger
	// Clock returns the time. The default is [time.Now].
	Clock func() time.Time
}

// Client is an app client.
type Client struct {
	ID   string
	Name string
	// Secret is empty for public clients.
	Secret string
	// CallbackURLs and LogoutURLs are the redirect URIs that
	// managed login accepts. They are compared as exact strings.
	CallbackURLs, LogoutURLs []string
	// Scopes are the OAuth scopes that managed login grants to users or, with ClientCredentials,
	// the token endpoint to the client itself.
	Scopes []string
	// ClientCredentials makes it a client of machines, which signs nobody in at managed login.
	ClientCredentials bool
	// Providers are the identity providers that managed login offers:
	// "COGNITO" for the pool itself, and Cognito's names for others,
	// "Google", "Facebook", "LoginWithAmazon" and "SignInWithApple".
	Providers []string
	// AuthFlows are the flows that the user pools API offers to the client, by the names of
	// ExplicitAuthFlows. Managed login does not depend on them. The default is that of Cognito:
	// SRP, custom authentication and, unless refresh tokens rotate, refresh tokens.
	AuthFlows []string
	// AccessTokenValidity and IDTokenValidity default to an hour, RefreshTokenValidity to 30 days.
	AccessTokenValidity, IDTokenValidity, RefreshTokenValidity time.Duration
	// RotateRefreshTokens limits each refresh token to one use. It
	// still works during RotationGrace (0 to 60 s) after that use.
	RotateRefreshTokens bool
	RotationGrace       time.Duration
	// RevealUserExistence is PreventUserExistenceErrors=LEGACY.
	RevealUserExistence bool
}

// PasswordPolicy describes the passwords that are accepted.
type PasswordPolicy struct {
	MinLength                                                          int
	RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols bool
}

// APIHost returns the host name of the pool's API, key set and issuer with AWS.
func (c *Config) APIHost() string { return partition.Host("cognito-idp", c.Region) }

// ARN returns the pool's ARN. No real AWS account has its number.
func (c *Config) ARN() string {
	return "arn:" + partition.Of(c.Region).ID + ":cognito-idp:" + c.Region +
		":000000000000:userpool/" + c.ID
}

var poolID = regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`) // API Reference, UserPoolIdType

// validate reports all faults at once, and sets defaults.
func (c *Config) validate() error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("sandbox: user pool: "+format, args...))
	}
	if !poolID.MatchString(c.ID) {
		fault("the id %q is not of the form <region>_<letters and digits>", c.ID)
	}
	if c.Region == "" {
		fault("the region is missing")
	}
	if len(c.Clients) == 0 {
		fault("there is no app client")
	}
	if len(c.UsernameAttributes) > 0 && len(c.AliasAttributes) > 0 { // as with CreateUserPool
		fault("users sign in with %v: alias attributes are for pools where they choose a username",
			c.UsernameAttributes)
	}
	for _, a := range c.AliasAttributes {
		if a != "email" && a != "phone_number" && a != "preferred_username" {
			fault("%q cannot be an alias: use email, phone_number or preferred_username", a)
		}
	}
	c.checkScopes(fault)
	for id, name := range c.ProviderIdentifiers {
		offers := func(cl Client) bool { return slices.Contains(cl.Providers, name) }
		if !slices.ContainsFunc(c.Clients, offers) {
			fault("%q is an identifier of %q, which no app client has as provider", id, name)
		}
	}
	used := slices.Concat(c.UsernameAttributes, c.VerifiedAttributes, c.RecoveryAttributes)
	for _, a := range used {
		if a != "email" && a != "phone_number" {
			fault("%q cannot be signed in with or verified: use email or phone_number", a)
		}
	}
	for _, a := range c.KeepOriginal {
		if !slices.Contains(c.VerifiedAttributes, a) {
			fault("%q is to stay until another is verified, but is not verified", a)
		}
	}
	for _, a := range c.RequiredAttributes {
		if !slices.Contains(StandardAttributes(), a) {
			fault("%q is required at sign-up, but is not a standard attribute", a)
		}
	}
	if len(c.RecoveryAttributes) == 0 {
		c.RecoveryAttributes = addresses()
	}
	if (c.AccessTokenKey == nil) != (c.IDTokenKey == nil) {
		fault("there is a key for one kind of token, but none for the other")
	}
	c.Clients = slices.Clone(c.Clients)
	for i := range c.Clients {
		cl := &c.Clients[i]
		if cl.ID == "" {
			fault("an app client has no id")
		}
		if cl.RotationGrace < 0 || cl.RotationGrace > time.Minute {
			fault("the grace period of app client %s is %v: it must be 0 to 60 s", cl.ID, cl.RotationGrace)
		}
		for _, err := range cl.setFlows() {
			fault("app client %s: %w", cl.ID, err)
		}
		const day = 24 * time.Hour
		// The longest ones are those of the API Reference, TokenValidityUnitsType. It has shortest
		// ones as well, 5 and 60 minutes. Tests want shorter ones.
		for _, v := range []struct {
			token       string
			d           *time.Duration
			usual, most time.Duration
		}{
			{"access", &cl.AccessTokenValidity, time.Hour, day},
			{"ID", &cl.IDTokenValidity, time.Hour, day},
			{"refresh", &cl.RefreshTokenValidity, 30 * day, 10 * 365 * day},
		} {
			if *v.d < 0 || *v.d > v.most {
				fault("the validity of %s tokens of app client %s is %v: it must not be negative, nor longer than %v",
					v.token, cl.ID, *v.d, v.most)
			}
			if *v.d == 0 {
				*v.d = v.usual
			}
		}
	}
	return errors.Join(errs...)
}
