package userpool

import "time"

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
