package amplify

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Providers are what one server context knows of the request's session: where its tokens and
// credentials come from, and what starts and ends it. Each may be nil. Without Tokens the request
// is not signed in, without Credentials it has no AWS credentials, and without Session its session
// can be neither started nor ended.
//
// Package cognito makes all three. Anything else that implements the interfaces serves as well.
type Providers struct {
	Tokens      TokenProvider
	Credentials CredentialsProvider
	Session     SessionKeeper
}

// TokenProvider gives the tokens of one request's user. Implementations are safe for concurrent
// use, and return only tokens that they have verified.
type TokenProvider interface {
	// Tokens returns the tokens, refreshed where that is due. If the request is not signed in, it
	// returns an error that matches [ErrUnauthenticated].
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
	// Credentials returns credentials for the signed-in user, or for a guest where the identity
	// pool allows guests. Where there are none to be had it returns nil and no error; where that
	// cannot be found out at the moment, an error.
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

// SessionKeeper starts and ends the session of one request. Implementations are safe for
// concurrent use.
type SessionKeeper interface {
	// Start verifies tokens and makes them the session of their user. From then on the same request
	// has the new session. If Start returns an error, no part of the tokens has been kept.
	//
	// Where the response cannot keep a session, it fails with [ReasonReadOnly] before it asks any
	// service.
	Start(ctx context.Context, tokens IssuedTokens) error
	// End ends the session: it revokes the refresh token, deletes the session from its storage, and
	// sees to it that its tokens are refused from then on. The request has no session afterwards.
	//
	// If only the revocation fails, the session is deleted all the same, and the error says that
	// the user pool does not know of it. Where the response cannot delete a session, End fails with
	// [ReasonReadOnly] before it asks any service.
	End(ctx context.Context, in EndInput) error
	// Lifetime returns a context that is cancelled when the request's present session ends or gives
	// way to another one. [context.Cause] tells which.
	Lifetime() context.Context
}

// IssuedTokens are the tokens that a sign-in has yielded: what a token endpoint or a user pool
// answered. They have not been verified yet.
type IssuedTokens struct {
	AccessToken, IDToken Secret
	// RefreshToken may be empty. The session then lasts as long as the other two.
	RefreshToken Secret
}

// EndInput says how a session is to be ended. The zero value ends the request's session alone.
type EndInput struct {
	// Global ends all sessions of the user, on every device.
	Global bool
}

// KeyValueStorage is where a session is kept between requests: usually the cookies of the request
// and its response (package cookie). The keys are those of Amplify JS, for instance
// "CognitoIdentityServiceProvider.<client>.LastAuthUser".
//
// Its methods use types of the standard library only, so that implementations need not import this
// package. A storage may also be an [AtomicStorage], a [SelectiveStorage] or a [BoundedStorage].
//
// The strings that All yields must stay unchanged until the request has ended. What is kept longer
// is copied.
type KeyValueStorage interface {
	// All yields every kept key that begins with prefix, with its value, in the order in which they
	// were sent. A key can come several times, since a browser may send two cookies of one name;
	// the caller decides which one counts.
	All(prefix string) iter.Seq2[string, string]
	// Set keeps value under key in place of what was kept there. If it returns an error, nothing
	// has changed. The error is a [ValueTooLargeError] if the storage cannot take a value of that
	// size.
	Set(key, value string) error
	// Delete deletes what is kept under key.
	Delete(key string) error
	// Writable reports whether Set and Delete still take effect. It turns false once the header of
	// the response has been sent.
	Writable() bool
}

// AtomicStorage is a [KeyValueStorage] that can keep several values or none of them.
type AtomicStorage interface {
	KeyValueStorage
	// SetAll keeps all entries, pairs of key and value. If it returns an error, nothing has
	// changed.
	SetAll(entries ...[2]string) error
}

// SelectiveStorage is a [KeyValueStorage] that ignores writes of some keys. With server-side
// sign-in, for instance, cookies keep the four values of a session and no more.
type SelectiveStorage interface {
	KeyValueStorage
	// Keeps reports whether Set keeps values under key.
	Keeps(key string) bool
}

// BoundedStorage is a [KeyValueStorage] that holds and reads so much and no more, as cookies do.
type BoundedStorage interface {
	KeyValueStorage
	// MaxValueBytes returns how large a value can be. A larger one cannot come from this storage: a
	// session with such a token is refused with [ReasonTokenTooLarge].
	MaxValueBytes() int
	// TooLarge reports whether a request carries more than is read. All then yields nothing, and
	// the request is refused with [ReasonCookiesTooLarge].
	TooLarge() bool
}

// ValueTooLargeError is implemented by errors of a storage that cannot take a value of that size.
// A cookie, for instance, has at most 4,096 bytes.
type ValueTooLargeError interface {
	error
	ValueTooLarge() // does nothing: it marks the error
}

// SetAll keeps all entries, pairs of key and value, in kv, or none of them: half a session is worse
// than none. If kv is no [AtomicStorage] and a write fails, the entries before it are deleted.
func SetAll(kv KeyValueStorage, entries ...[2]string) error {
	if all, ok := kv.(AtomicStorage); ok {
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
