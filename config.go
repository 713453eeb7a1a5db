package amplify

import (
	"encoding/json"
)

// Config is the configuration of an Amplify backend. [ParseConfig] reads it from
// amplify_outputs.json or amplifyconfiguration.json. It may also be written as a literal. Its parts
// have the names of Amplify JS's ResourcesConfig. A nil part means that the backend has no such
// resource.
type Config struct {
	Auth    *AuthConfig
	Data    *DataConfig
	Storage *StorageConfig
	// Custom is the "custom" part of the outputs, unchanged except that "events" is moved to
	// API.Events of Other.
	Custom json.RawMessage
	// Other holds the parts that this library does not use, such as API.REST, Analytics, Geo and
	// Notifications. They have the shape of Amplify JS's ResourcesConfig, except that API keys are
	// of type [Secret].
	Other map[string]any

	version string // of amplify_outputs.json; "" if the configuration is something else
	file    string // that LoadConfig read; "" if the configuration comes from elsewhere
}

// AuthConfig is Auth.Cognito of Amplify JS's ResourcesConfig.
type AuthConfig struct {
	// UserPoolID and UserPoolClientID are empty if the backend has only an identity pool.
	UserPoolID       string
	UserPoolClientID string
	// UserPoolEndpoint is the address of the user pools API if it is not AWS's own. See
	// [Endpoints].
	UserPoolEndpoint string
	// IdentityPoolID is empty if the backend has no identity pool.
	IdentityPoolID string
	// IdentityPoolEndpoint is the address of the identity pools API if it is not AWS's own. See
	// [Endpoints].
	IdentityPoolEndpoint string
	// AllowGuestAccess says that the identity pool gives credentials to users who are not signed
	// in.
	AllowGuestAccess bool
	// OAuth configures managed login. It is nil if the user pool has no domain.
	OAuth *OAuthConfig
	// SignInWith lists what users may sign in with: "email", "phone", "username".
	SignInWith []string
	// SignUpVerificationMethod is "code" or "link", and empty in Gen 2.
	SignUpVerificationMethod string
	// RequiredAttributes lists the attributes that sign-up asks for, each once.
	RequiredAttributes []string
	PasswordPolicy     *PasswordPolicy
	MFA                *MFAConfig
	Passwordless       *PasswordlessConfig
	Groups             []GroupConfig
}

// OAuthConfig is Auth.Cognito.loginWith.oauth.
type OAuthConfig struct {
	// Domain is the host of managed login, without a scheme.
	Domain          string
	RedirectSignIn  []string
	RedirectSignOut []string
	// ResponseType is "code" or "token". Servers always use "code".
	ResponseType string
	Scopes       []string
	// Providers are "Google", "Facebook", "Amazon", "Apple", or the names of the user pool's
	// own SAML and OIDC providers.
	Providers []string
}

// PasswordPolicy says what passwords the user pool accepts.
type PasswordPolicy struct {
	MinLength                                                          int
	RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols bool
}

// MFAConfig is Auth.Cognito.mfa.
type MFAConfig struct {
	// Status is "on", "optional" or "off".
	Status                  string
	TOTPEnabled, SMSEnabled bool
}

// PasswordlessConfig is Auth.Cognito.passwordless.
type PasswordlessConfig struct {
	EmailOTPEnabled, SMSOTPEnabled bool
	// WebAuthn configures passkeys. It is nil if the user pool does not use them.
	WebAuthn *WebAuthnConfig
	// PreferredChallenge is for instance "WEB_AUTHN" or "EMAIL_OTP".
	PreferredChallenge string
}

// WebAuthnConfig is Auth.Cognito.passwordless.webAuthn.
type WebAuthnConfig struct {
	RelyingPartyID string
	// UserVerification is "required" or "preferred".
	UserVerification string
}

// GroupConfig is one group of the user pool.
type GroupConfig struct {
	Name string
	// Precedence ranks the group. The group of a user with the lowest number decides the role.
	Precedence int
}

// DataConfig is API.GraphQL of Amplify JS's ResourcesConfig.
type DataConfig struct {
	Endpoint string
	Region   string
	// CustomEndpoint replaces Endpoint if it is set, and CustomEndpointRegion replaces Region.
	CustomEndpoint       string
	CustomEndpointRegion string
	// DefaultAuthMode is "apiKey", "userPool", "identityPool", "iam", "oidc", "lambda" or "none".
	// It is empty if the file names an unknown one.
	DefaultAuthMode string
	APIKey          Secret
	// ModelIntrospection is the description of the models that Amplify's generator writes.
	ModelIntrospection json.RawMessage
}

// StorageConfig is Storage.S3 of Amplify JS's ResourcesConfig.
type StorageConfig struct {
	// Bucket is the name of the default bucket.
	Bucket string
	Region string
	// Buckets are all buckets, by their friendly names.
	Buckets map[string]BucketConfig
	// DangerouslyConnectToHTTPEndpointForTesting makes calls to S3 go to a local address by plain
	// http.
	DangerouslyConnectToHTTPEndpointForTesting bool
}

// BucketConfig is one bucket of the backend.
type BucketConfig struct {
	Name   string
	Region string
	// Paths are the access rules, in the order of the file, which counts: it decides which path
	// takes rights away from which.
	Paths []PathAccess
}

// PathAccess says who may do what with the objects that a pattern matches.
type PathAccess struct {
	// Pattern is a key that ends with "*", such as "photos/*".
	Pattern string
	// Actions are "get", "list", "write" and "delete", by who may do them: "guest",
	// "authenticated", "entityidentity" or "groups<name>". They are empty if only functions of the
	// backend have access.
	Actions map[string][]string
}
