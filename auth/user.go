package auth

import (
	"context"
	"errors"

	"github.com/amplify-go/amplify"
)

// User is the signed-in user. Its JSON is that of Amplify JS's AuthUser.
type User struct {
	// Username is the user's name in the user pool. It is the name given at sign-up, or a UUID if
	// users sign in with an e-mail address or a phone number.
	Username string `json:"username"`
	// UserID is the user's sub, a UUID that never changes.
	UserID string `json:"userId"`
	// Name and Email are the attributes of that name in the ID token, to greet the user by. They are
	// "" where that does not have them, and prove nothing: see [amplify.Claims].
	Name  string `json:"-"`
	Email string `json:"-"`
	// SignInDetails are what the browser stored about the sign-in, or nil. They are not verified.
	SignInDetails *amplify.SignInDetails `json:"signInDetails,omitempty"`
}

// GetCurrentUser returns the user who sent the request. If the request is not signed in, the error
// matches [amplify.ErrUnauthenticated], and its Reason says why.
//
// It makes no network call unless the session has expired and is refreshed.
func GetCurrentUser(ctx context.Context) (*User, error) {
	t, err := tokens(ctx, amplify.TokensInput{})
	if err != nil {
		return nil, err
	}
	token := t.IDToken
	if token == nil { // a bearer token
		token = t.AccessToken
	}
	claims := token.Claims()
	if claims.Username == "" {
		return nil, amplify.Unauthenticated(amplify.ReasonIncompleteSession,
			errors.New("the access token belongs to an app client, not to a user"))
	}
	return &User{
		Username: claims.Username, UserID: claims.Subject, Name: claims.Name, Email: claims.Email,
		SignInDetails: t.SignInDetails,
	}, nil
}

// tokens returns the tokens of the request's user. It returns an error if there are none.
func tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	t, err := sc.Tokens(ctx, in)
	if err != nil && amplify.ReasonOf(err) == amplify.ReasonNoSession {
		if c := sc.App().Config().Auth; c == nil || c.UserPoolID == "" {
			return nil, &amplify.Error{
				Name:               "AuthUserPoolException",
				Reason:             amplify.ReasonConfiguration,
				Message:            "Auth UserPool not configured.",
				RecoverySuggestion: "Make sure the configuration of the App has Auth.UserPoolID and Auth.UserPoolClientID.",
			}
		}
	}
	return t, err
}
