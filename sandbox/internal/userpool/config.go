package userpool

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/partition"
)

// Config is what a user pool is configured with.
type Config struct {
	// ID is the pool's id, such as "us-east-1_AbCdEfGhI".
	ID string
	// Region is the AWS region that tokens name in iss.
	Region string
	// Clients are the app clients.
	Clients []Client
	// PasswordPolicy says which passwords are accepted.
	PasswordPolicy PasswordPolicy
	// UsernameAttributes lists the attributes ("email", "phone_number") that users sign in with
	// instead of a username; their username is then a UUID. Empty: users choose a username.
	UsernameAttributes []string
	// AliasAttributes lists the attributes that users may sign in with beside their
	// username, once they are verified.
	AliasAttributes []string
	// RequiredAttributes lists the attributes that sign-up asks for.
	RequiredAttributes []string
	// VerifiedAttributes lists the attributes ("email", "phone_number") that codes are sent to.
	VerifiedAttributes []string
	// Groups are created if they do not exist.
	Groups []Group
	// AccessTokenKey and IDTokenKey sign the tokens of a pool that is new; both or neither. The default is to
	// make keys.
	AccessTokenKey, IDTokenKey *rsa.PrivateKey
	// Clock tells the time. The default is [time.Now].
	Clock func() time.Time
}

// Client is an app client.
type Client struct {
	ID   string
	Name string
	// Secret is empty for public clients.
	Secret string
	// CallbackURLs and LogoutURLs are the redirect URIs that managed login accepts, compared as they are.
	CallbackURLs, LogoutURLs []string
	// Scopes are the OAuth scopes that managed login grants.
	Scopes []string
	// Providers are the sources of users that managed login offers, "COGNITO" for the pool itself
	// and Cognito's names for others: "Google", "Facebook", "LoginWithAmazon", "SignInWithApple".
	Providers []string
	// AccessTokenValidity and IDTokenValidity default to an hour, RefreshTokenValidity to 30 days.
	AccessTokenValidity, IDTokenValidity, RefreshTokenValidity time.Duration
	// RotateRefreshTokens makes every refresh token good for one use, and for RotationGrace (0 to 60 s) after it.
	RotateRefreshTokens bool
	RotationGrace       time.Duration
	// RevealUserExistence is PreventUserExistenceErrors=LEGACY.
	RevealUserExistence bool
}

// PasswordPolicy says which passwords are accepted.
type PasswordPolicy struct {
	MinLength                                                          int
	RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols bool
}

// APIHost is the host that AWS serves the pool's API, its keys and its issuer under.
func (c *Config) APIHost() string { return partition.Host("cognito-idp", c.Region) }

var poolID = regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`) // API Reference, UserPoolIdType

// validate reports every fault at once, and fills in defaults.
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
	for _, a := range slices.Concat(c.UsernameAttributes, c.VerifiedAttributes) {
		if a != "email" && a != "phone_number" {
			fault("%q cannot be signed in with or verified: use email or phone_number", a)
		}
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
		for _, v := range []struct {
			d     *time.Duration
			usual time.Duration
		}{{&cl.AccessTokenValidity, time.Hour}, {&cl.IDTokenValidity, time.Hour}, {&cl.RefreshTokenValidity, 30 * 24 * time.Hour}} {
			if *v.d < 0 {
				fault("a token validity of app client %s is negative", cl.ID)
			}
			if *v.d == 0 {
				*v.d = v.usual
			}
		}
	}
	return errors.Join(errs...)
}
