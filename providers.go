package amplify

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Providers are the sources of tokens and credentials for one server context.
// Either may be nil: without tokens nobody is signed in, without credentials no
// AWS service can be called.
//
// Package cognito makes both. Anything else that implements the two interfaces
// serves as well.
type Providers struct {
	Tokens      TokenProvider
	Credentials CredentialsProvider
}

// TokenProvider gives the tokens of one request's user. Implementations are safe
// for concurrent use, and return only tokens that they have verified.
type TokenProvider interface {
	// Tokens returns the tokens, refreshed where that is due. Where nobody is
	// signed in it returns an error that matches [ErrUnauthenticated].
	Tokens(ctx context.Context, in TokensInput) (*Tokens, error)
}

// TokensInput says how tokens are wanted. The zero value takes what is valid and
// refreshes what has expired.
type TokensInput struct {
	// ForceRefresh refreshes tokens that have not expired, too.
	ForceRefresh bool
	// ClientMetadata is passed to the user pool's Lambda triggers if the tokens are refreshed.
	ClientMetadata map[string]string
}

// Tokens are the verified tokens of one signed-in user.
type Tokens struct {
	// AccessToken is always present.
	AccessToken *Token
	// IDToken is nil in sessions that have an access token only, such as bearer tokens.
	IDToken *Token
	// SignInDetails are what the browser noted about the sign-in, or nil. They are
	// written by the client and prove nothing.
	SignInDetails *SignInDetails
}

// SignInDetails says how the user signed in, as Amplify JS noted it.
type SignInDetails struct {
	LoginID      string `json:"loginId,omitempty"`
	AuthFlowType string `json:"authFlowType,omitempty"`
}

// CredentialsProvider gives temporary AWS credentials for one request's user.
// Implementations are safe for concurrent use.
type CredentialsProvider interface {
	// Credentials returns credentials for the signed-in user, or for a guest where
	// the identity pool allows guests. Where there are none to be had it returns nil and no
	// error; where that cannot be found out at the moment, an error.
	Credentials(ctx context.Context, in CredentialsInput) (*Credentials, error)
}

// CredentialsInput says how credentials are wanted.
type CredentialsInput struct {
	// ForceRefresh asks the identity pool again even where credentials are known.
	ForceRefresh bool
}

// Credentials are temporary AWS credentials and the identity they belong to.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	Expires         time.Time
	IdentityID      string
}

// KeyValueStorage is where a session is kept between requests: usually the cookies
// of the request and its response (package cookie). The keys are those of Amplify JS,
// for instance "CognitoIdentityServiceProvider.<client>.LastAuthUser".
//
// Its methods use types of the standard library only, so that implementations need not import
// this package.
type KeyValueStorage interface {
	// All yields every kept key that begins with prefix, with its value, in the order
	// in which they were sent. A key can come several times, since a browser may send two
	// cookies of one name; the caller decides which one counts.
	All(prefix string) iter.Seq2[string, string]
	// Set keeps value under key, and forgets whatever was kept there before. If it returns
	// an error, nothing has changed.
	Set(key, value string) error
	// Delete forgets whatever is kept under key.
	Delete(key string) error
	// Writable reports whether Set and Delete will still reach whoever keeps the session.
	// It turns false once a response header is gone.
	Writable() bool
}

// SetAll keeps all entries, pairs of key and value, in kv, or none of them: half a session is
// worse than none. A storage that can refuse some values and not others (cookies have a greatest size)
// has a method SetAll(entries ...[2]string) error, which is then used. Of others the entries
// before one that failed are deleted.
func SetAll(kv KeyValueStorage, entries ...[2]string) error {
	if all, ok := kv.(interface{ SetAll(...[2]string) error }); ok {
		return all.SetAll(entries...)
	}
	for i, e := range entries {
		if err := kv.Set(e[0], e[1]); err != nil {
			for _, e := range entries[:i] {
				err = errors.Join(err, kv.Delete(e[0]))
			}
			return err
		}
	}
	return nil
}
