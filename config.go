package amplify

import (
	"encoding/json"
)

// Config is the configuration of an Amplify backend: what [ParseConfig] reads from
// amplify_outputs.json or amplifyconfiguration.json, or a literal. Its parts carry the names of
// Amplify JS's ResourcesConfig. A nil part means that the backend has no such resource.
type Config struct {
	Auth    *AuthConfig
	Data    *DataConfig
	Storage *StorageConfig
	// Custom is the "custom" part of the outputs, as it stands there.
	Custom json.RawMessage
	// Other holds the parts that this library does not use (API.REST, Analytics, Geo, Notifications …), in the
	// shape that they have in Amplify JS's ResourcesConfig.
	Other map[string]any
}

// AuthConfig is Auth.Cognito of Amplify JS's ResourcesConfig.
type AuthConfig struct {
	UserPoolID       string
	UserPoolClientID string
	// IdentityPoolID is empty where the backend has no identity pool.
	IdentityPoolID   string
	AllowGuestAccess bool
	// OAuth configures managed login. It is nil where the user pool has no domain.
	OAuth *OAuthConfig
	// SignInWith lists what users may sign in with: "email", "phone", "username".
	SignInWith []string
	// RequiredAttributes lists the attributes that sign-up asks for.
	RequiredAttributes []string
	PasswordPolicy     *PasswordPolicy
	MFA                *MFAConfig
	Groups             []GroupConfig
}

// OAuthConfig is Auth.Cognito.loginWith.oauth.
type OAuthConfig struct {
	// Domain is the host of managed login, without a scheme.
	Domain          string
	RedirectSignIn  []string
	RedirectSignOut []string
	// ResponseType is "code" or "token". Servers use "code" whatever it says.
	ResponseType string
	Scopes       []string
	Providers    []string
}

// PasswordPolicy says what passwords the user pool accepts.
type PasswordPolicy struct {
	MinLength                                                          int
	RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols bool
}

// MFAConfig is Auth.Cognito.mfa.
type MFAConfig struct {
	// Status is "on", "optional" or "off".
	Status string
	// TOTPEnabled and SMSEnabled are nil where the outputs name no methods.
	TOTPEnabled, SMSEnabled *bool
}

// GroupConfig is one group of the user pool.
type GroupConfig struct {
	Name string
	// Precedence ranks the group: among those of one user, the lowest number decides the role.
	Precedence int
}

// DataConfig is API.GraphQL of Amplify JS's ResourcesConfig.
type DataConfig struct {
	Endpoint string
	Region   string
	// DefaultAuthMode is "apiKey", "userPool", "identityPool", "iam", "oidc", "lambda" or "none".
	DefaultAuthMode string
	APIKey          Secret
	// ModelIntrospection describes the models, as Amplify's generator wrote it.
	ModelIntrospection json.RawMessage
}

// StorageConfig is Storage.S3 of Amplify JS's ResourcesConfig.
type StorageConfig struct {
	// Bucket is the name of the default bucket.
	Bucket string
	Region string
	// Buckets are all buckets by their friendly names.
	Buckets map[string]BucketConfig
}

// BucketConfig is one bucket of the backend.
type BucketConfig struct {
	Name   string
	Region string
	// Paths says who may do what: path pattern, then who ("guest", "authenticated",
	// "entityidentity", "groups<name>"), then the actions allowed.
	Paths map[string]map[string][]string
}
