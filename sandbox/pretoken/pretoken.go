package pretoken

import "context"

// Hook says how the tokens of an event differ from what the user pool would issue.
//
// If it returns an error or panics, no tokens are issued. The user pools API then answers with
// UserLambdaValidationException, and the token endpoint with invalid_request. Both messages contain
// the text of the error, but not that of a panic, which is in the sandbox's log.
//
// The sandbox may call a hook from several goroutines at the same time. ctx is that of the call of
// the application. The hook may call the sandbox.
type Hook func(ctx context.Context, e Event) (Response, error)

// TriggerSource says why tokens are issued.
type TriggerSource string

// The sources that the sandbox has. It has no devices (TokenGeneration_AuthenticateDevice).
const (
	// HostedAuth is a sign-in at managed login.
	HostedAuth TriggerSource = "TokenGeneration_HostedAuth"
	// Authentication is a sign-in through the user pools API.
	Authentication TriggerSource = "TokenGeneration_Authentication"
	// NewPasswordChallenge is the first sign-in, through the user pools API, of a user who had to
	// choose a new password.
	NewPasswordChallenge TriggerSource = "TokenGeneration_NewPasswordChallenge"
	// RefreshTokens is a refresh, through the user pools API or managed login.
	RefreshTokens TriggerSource = "TokenGeneration_RefreshTokens"
	// ClientCredentials is a machine token: an access token for an app client itself. Cognito asks
	// functions with events of version V3_0 only.
	ClientCredentials TriggerSource = "TokenGeneration_ClientCredentials"
)

// Event describes the tokens that are about to be issued. The hook may change its maps and slices.
type Event struct {
	TriggerSource TriggerSource
	// Region and UserPoolID identify the user pool, ClientID the app client.
	Region, UserPoolID, ClientID string
	// UserName is the user's name in the pool. It is a UUID if users sign in with an attribute. It
	// is empty for a machine token.
	UserName string
	// UserAttributes are the attributes of the user, with sub and cognito:user_status. All values
	// are texts, also email_verified ("true") and identities (JSON). Machine tokens have none.
	UserAttributes map[string]string
	// Groups are the groups of the user: groupConfiguration.
	Groups Groups
	// Scopes are the scopes of the access token.
	Scopes []string
	// ClientMetadata is what the application sent with RespondToAuthChallenge or
	// GetTokensFromRefreshToken, or as aws_client_metadata for a machine token. As with Cognito,
	// that of InitiateAuth is not passed on.
	ClientMetadata map[string]string
}

// Groups are groups of a user and their IAM roles.
type Groups struct {
	// Names become the claim cognito:groups of both tokens: groupsToOverride.
	Names []string
	// Roles become the claim cognito:roles of the ID token: iamRolesToOverride.
	Roles []string
	// PreferredRole becomes the claim cognito:preferred_role of the ID token: preferredRole.
	PreferredRole string
}

// Response says how tokens differ from what the user pool would issue. The zero value changes
// nothing.
type Response struct {
	// IDToken and AccessToken change the claims of each token: idTokenGeneration and
	// accessTokenGeneration.
	IDToken, AccessToken Claims
	// AddScopes and SuppressScopes change the scopes of the access token: scopesToAdd and
	// scopesToSuppress. A scope in both is suppressed.
	AddScopes, SuppressScopes []string
	// Groups replaces the groups and roles of the user in both tokens: groupOverrideDetails. Nil
	// leaves them as they are, and what an empty Groups lacks is suppressed. The groups in the user
	// pool do not change.
	Groups *Groups
}

// Claims are changes to the claims of one token.
type Claims struct {
	// Add has claims to add or to override: claimsToAddOrOverride. Values are texts, numbers,
	// booleans, arrays and objects, as [encoding/json] writes them, and not null.
	Add map[string]any
	// Suppress has claims to leave out: claimsToSuppress. It wins over Add.
	Suppress []string
}

// Hook returns a hook that always returns r.
func (r Response) Hook() Hook {
	return func(context.Context, Event) (Response, error) { return r, nil }
}
