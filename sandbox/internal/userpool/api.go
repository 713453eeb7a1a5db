package userpool

import (
	"context"
	"errors"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

var errNotYet = errors.New("userpool: being built")

// Pool is one user pool. It is safe for concurrent use.
type Pool struct {
	store *store.Store
	cfg   Config
}

// New returns the pool that st keeps, and brings what cfg asks for (keys, groups) into being.
func New(ctx context.Context, st *store.Store, cfg Config) (*Pool, error) { return &Pool{st, cfg}, nil }

// Config returns the pool's configuration. The caller must not change what it points to.
func (p *Pool) Config() Config { return p.cfg }

// Now tells the time by the pool's clock.
func (p *Pool) Now() time.Time { return p.cfg.Clock() }

// Client returns an app client, or an error with [ResourceNotFound].
func (p *Pool) Client(id string) (*Client, error) { return nil, errNotYet }

// CheckSecret reports in constant time whether secret is the client's. Public clients have the empty secret.
func (c *Client) CheckSecret(secret string) bool { return false }

// SignUpInput is what one signs up with.
type SignUpInput struct {
	ClientID, Username, Password string
	Attributes                   map[string]string
}

// SignUp registers a user and sends the code that [Pool.ConfirmSignUp] wants. Delivery is nil
// where there is no address to send to.
func (p *Pool) SignUp(ctx context.Context, in SignUpInput) (*User, *Delivery, error) {
	return nil, nil, errNotYet
}

// ConfirmSignUp confirms a user with the code of the sign-up message.
func (p *Pool) ConfirmSignUp(ctx context.Context, clientID, username, code string) error {
	return errNotYet
}

// ResendConfirmationCode sends the sign-up code again.
func (p *Pool) ResendConfirmationCode(ctx context.Context, clientID, username string) (*Delivery, error) {
	return nil, errNotYet
}

// ForgotPassword sends the code that [Pool.ConfirmForgotPassword] wants.
func (p *Pool) ForgotPassword(ctx context.Context, clientID, username string) (*Delivery, error) {
	return nil, errNotYet
}

// ConfirmForgotPassword sets a new password with the code of the message.
func (p *Pool) ConfirmForgotPassword(ctx context.Context, clientID, username, code, password string) error {
	return errNotYet
}

// VerifyPassword returns the user whose name (or alias) and password these are. The code of its error says what
// a sign-in page should do: [NotAuthorized] (ask again), [UserNotConfirmed] (ask for the code), [PasswordResetRequired]
// (start ForgotPassword), [NewPasswordRequired] (see [Pool.NewPasswordSession]; here alone the user is returned, too).
func (p *Pool) VerifyPassword(ctx context.Context, clientID, username, password string) (*User, error) {
	return nil, errNotYet
}

// NewPasswordSession returns a text that proves, once and for some minutes, that user's temporary
// password was given. [Pool.CompleteNewPassword] takes it.
func (p *Pool) NewPasswordSession(ctx context.Context, clientID string, user *User) (string, error) {
	return "", errNotYet
}

// CompleteNewPassword sets the new password, and attributes that were still missing, of the user
// that session stands for. After a password that the policy refuses the session may be used again.
func (p *Pool) CompleteNewPassword(ctx context.Context, clientID, session, password string, attributes map[string]string) (*User, error) {
	return nil, errNotYet
}

// Profile is what another identity provider says of a user.
type Profile struct {
	// ID is the user's id with the provider.
	ID string
	// Attributes are the pool's attributes that the provider's claims map to.
	Attributes map[string]string
}

// FederatedUser returns the user that comes from a provider such as "Google", created or brought up to date.
func (p *Pool) FederatedUser(ctx context.Context, provider string, profile Profile) (*User, error) {
	return nil, errNotYet
}

// Grant says which tokens to issue.
type Grant struct {
	ClientID string
	// Sub is the user's.
	Sub string
	// Scopes are those that an OAuth client was granted. Nil: the user signed in through the
	// API, which gives the scope aws.cognito.signin.user.admin and always an ID token.
	Scopes []string
	// AuthTime is when the user proved who they are. Zero: now.
	AuthTime time.Time
	// Nonce is copied to the ID token.
	Nonce string
}

// Tokens are the tokens of a new or refreshed session.
type Tokens struct {
	// AccessToken is always there; IDToken is empty without the scope openid.
	AccessToken, IDToken string
	// RefreshToken is empty after a refresh that did not rotate it.
	RefreshToken string
	// ExpiresIn is the access token's.
	ExpiresIn time.Duration
	Scopes    []string
}

// IssueTokens starts a session of a user.
func (p *Pool) IssueTokens(ctx context.Context, g Grant) (*Tokens, error) { return nil, errNotYet }

// Refresh returns new tokens for a refresh token of the client.
func (p *Pool) Refresh(ctx context.Context, clientID, refreshToken string) (*Tokens, error) {
	return nil, errNotYet
}

// Revoke ends the session that a refresh token belongs to: no token of it is good any more. Unknown
// tokens are no error (RFC 7009 §2.2); access and ID tokens are, with [UnsupportedTokenType].
func (p *Pool) Revoke(ctx context.Context, clientID, refreshToken string) error { return errNotYet }

// AccessToken is a verified access token.
type AccessToken struct {
	Sub, Username, ClientID string
	Scopes                  []string
}

// VerifyAccessToken returns what an access token says, or an error with [NotAuthorized] if it is not one of this pool,
// has expired or was revoked, or lacks the scope. An empty scope asks for none.
func (p *Pool) VerifyAccessToken(ctx context.Context, raw, scope string) (*AccessToken, error) {
	return nil, errNotYet
}

// UserInfo returns the claims that the scopes of an access token let one see: the body of /oauth2/userInfo.
func (p *Pool) UserInfo(ctx context.Context, accessToken string) (map[string]any, error) {
	return nil, errNotYet
}

// GlobalSignOut ends all sessions of a user.
func (p *Pool) GlobalSignOut(ctx context.Context, sub string) error { return errNotYet }

// User returns a user by sub.
func (p *Pool) User(ctx context.Context, sub string) (*User, error) { return nil, errNotYet }

// UserByName returns a user by username or alias.
func (p *Pool) UserByName(ctx context.Context, name string) (*User, error) { return nil, errNotYet }

// Users returns all users, the newest first.
func (p *Pool) Users(ctx context.Context) ([]*User, error) { return nil, errNotYet }

// Groups returns all groups by name.
func (p *Pool) Groups(ctx context.Context) ([]Group, error) { return nil, errNotYet }

// Messages returns the messages that would have been sent, the newest first, at most limit of them.
func (p *Pool) Messages(ctx context.Context, limit int) ([]Message, error) { return nil, errNotYet }
