package amplify

import (
	"errors"
	"slices"
	"strings"
	"unicode"
)

// Error is the one error type of the library. It tells what failed under the name that Amplify JS
// uses for it, so that its documentation applies, and why under a [Reason] that programs can act
// on.
//
// Use [errors.As] to read the fields, and [errors.Is] with [ErrUnauthenticated] or
// [ErrServerContextClosed] for the two conditions that callers branch on. No field ever holds a
// token, a cookie value or another secret.
type Error struct {
	// Name is the name that Amplify JS gives the error, or the name that the AWS service sent, such
	// as "UserUnAuthenticatedException" or "TooManyRequestsException".
	Name string
	// Reason says why, in a word of this library that does not change. It is empty where the Name
	// already says everything.
	Reason Reason
	// Message is a sentence for people.
	Message string
	// RecoverySuggestion says what to do next. It may be empty.
	RecoverySuggestion string
	// RequestID is the id under which the AWS service handled the call that failed. It is empty
	// where we, and not a service, came to the conclusion.
	RequestID string
	// Err is the cause. It may be nil.
	Err error
}

// Error returns the name, the reason, the message and the cause. Where the reason is
// [ReasonConfiguration], or one of packages data and storage, it also says what to do next. It is
// one line: what services and clients send may hold line breaks, which would forge lines of a log.
func (e *Error) Error() string {
	s := e.Name
	if e.Reason != "" {
		s += " (" + string(e.Reason) + ")"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Err != nil {
		s = strings.TrimSuffix(s, ".") + ": " + e.Err.Error()
	}
	if slices.Contains(suggesting, e.Reason) && e.RecoverySuggestion != "" {
		s = strings.TrimSuffix(s, ".") + ". " + e.RecoverySuggestion
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// suggesting are the reasons of errors whose text says what to do next: those that developers meet.
var suggesting = []Reason{
	ReasonConfiguration, ReasonUnusualPath, ReasonNoAccessRule, ReasonMissingOrForbidden,
	ReasonNotAuthorized, ReasonInvalidRequest,
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is [ErrUnauthenticated] and e the same condition for any reason, or
// target is [ErrServerContextClosed] and e has its reason: other errors share its name.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUnauthenticated:
		return e.Name == ErrUnauthenticated.Name
	case ErrServerContextClosed:
		return e.Reason == ErrServerContextClosed.Reason
	}
	return false
}

// Sentinels for [errors.Is]. The errors that are returned carry more fields.
var (
	// ErrUnauthenticated: the caller is not signed in. The Reason of the error that matches it says
	// why.
	ErrUnauthenticated = &Error{
		Name:               "UserUnAuthenticatedException",
		Message:            "User needs to be authenticated to call this API.",
		RecoverySuggestion: "Sign in before calling this API again.",
	}
	// ErrServerContextClosed: the operation to which a server context belongs has returned.
	ErrServerContextClosed = &Error{
		Name:    "AmplifyServerContextError",
		Reason:  ReasonContextClosed,
		Message: "Attempted to use a server context whose operation has returned.",
		RecoverySuggestion: "Call Amplify APIs only inside the operation of RunWithServerContext, or before the handler below Middleware returns, " +
			"and do not keep its context.",
	}
)

// Reason says in one machine-readable word why something failed.
type Reason string

// Why a request is not authenticated.
const (
	// ReasonNoSession: the request carries no session cookies (or no bearer token) of this app
	// client.
	ReasonNoSession Reason = "no_session"
	// ReasonIncompleteSession: some cookies of a session are there, but not both tokens.
	ReasonIncompleteSession Reason = "incomplete_session"
	// ReasonCookiesTooLarge: the request carries more than 64 KiB of cookies, of which none is
	// read.
	ReasonCookiesTooLarge Reason = "cookies_too_large"
	// ReasonTokenTooLarge: a token has more than 16 KiB, or the session has outgrown the 4,096
	// bytes that a cookie can hold. Give tokens fewer custom attributes, groups or claims.
	ReasonTokenTooLarge Reason = "token_too_large"
	// ReasonMalformedToken: a token is not a JWT.
	ReasonMalformedToken Reason = "malformed_token"
	// ReasonBadAlgorithm: a token is not signed by RS256.
	ReasonBadAlgorithm Reason = "bad_algorithm"
	// ReasonUnknownKey: a token names a key that the user pool does not publish.
	ReasonUnknownKey Reason = "unknown_key"
	// ReasonBadSignature: the signature of a token is wrong.
	ReasonBadSignature Reason = "bad_signature"
	// ReasonWrongIssuer: a token comes from another user pool.
	ReasonWrongIssuer Reason = "wrong_issuer"
	// ReasonWrongClient: a token was issued to another app client.
	ReasonWrongClient Reason = "wrong_client"
	// ReasonWrongTokenUse: an ID token stands where an access token belongs, or the reverse.
	ReasonWrongTokenUse Reason = "wrong_token_use"
	// ReasonNotYetValid: a token is from the future.
	ReasonNotYetValid Reason = "not_yet_valid"
	// ReasonUserMismatch: the tokens belong to different users.
	ReasonUserMismatch Reason = "user_mismatch"
	// ReasonExpiredNoRefreshToken: the session has expired and there is nothing to refresh it with.
	ReasonExpiredNoRefreshToken Reason = "expired_no_refresh_token"
	// ReasonRefreshRejected: Cognito refused the refresh token for good.
	ReasonRefreshRejected Reason = "refresh_rejected"
	// ReasonRefreshAnswerLost: the app client rotates refresh tokens, the answer to a refresh never
	// arrived, and Cognito refused the refresh token when it was sent again. The new one is lost,
	// and the session with it. A grace period of at least 10 seconds (RetryGracePeriodSeconds of
	// the app client) avoids that.
	ReasonRefreshAnswerLost Reason = "refresh_answer_lost"
	// ReasonRefreshNeedsWritableResponse: the session has expired, and refreshing it here would
	// lose a rotated refresh token, since no cookie can be set.
	ReasonRefreshNeedsWritableResponse Reason = "refresh_needs_writable_response"
	// ReasonSignedOut: the user has signed out of this session.
	ReasonSignedOut Reason = "signed_out"
	// ReasonSessionReplaced: another session has started in the same request.
	ReasonSessionReplaced Reason = "session_replaced"
	// ReasonStaticPage: the session was asked for in the render of a static page, which is the same
	// for all readers.
	ReasonStaticPage Reason = "static_page"
	// ReasonNoUser: the access token belongs to an app client (client credentials), not to a user.
	ReasonNoUser Reason = "no_user"
)

// Why something else failed.
const (
	// ReasonNoContext: an API was called with a context that carries no server context.
	ReasonNoContext Reason = "no_server_context"
	// ReasonContextClosed: see [ErrServerContextClosed].
	ReasonContextClosed Reason = "server_context_closed"
	// ReasonKeysUnavailable: the keys of the user pool cannot be had at the moment.
	// Nothing is known about the session; no cookie is cleared.
	ReasonKeysUnavailable Reason = "keys_unavailable"
	// ReasonServiceUnavailable: an AWS service throttled, failed or could not be reached.
	// Nothing is known about the session; no cookie is cleared.
	ReasonServiceUnavailable Reason = "service_unavailable"
	// ReasonConfiguration: the configuration is wrong or lacks what the call needs.
	ReasonConfiguration Reason = "configuration"
	// ReasonCodeRefused: Cognito refused an authorization code, since it had been used, had
	// expired, or belongs to another sign-in.
	ReasonCodeRefused Reason = "code_refused"
	// ReasonReadOnly: the response can neither keep nor delete a session.
	ReasonReadOnly Reason = "read_only"
	// ReasonMissingGroup: the user is signed in but in none of the groups asked for.
	ReasonMissingGroup Reason = "missing_group"
	// ReasonMissingScope: the access token lacks a scope asked for.
	ReasonMissingScope Reason = "missing_scope"
)

// Why a call of the GraphQL API failed.
const (
	// ReasonNotAuthorized: the API refused the call, or a field of it, to the caller.
	ReasonNotAuthorized Reason = "not_authorized"
	// ReasonInvalidRequest: the call cannot be sent as it is: its document, a field, a value or an
	// option is wrong.
	ReasonInvalidRequest Reason = "invalid_request"
)

// Why a call of S3 failed.
const (
	// ReasonUnusualPath: a path that the caller gave has segments that are empty, "." or "..", or
	// control characters.
	ReasonUnusualPath Reason = "unusual_path"
	// ReasonNoAccessRule: S3 refused the call, and no rule of the outputs (storage.buckets[].paths)
	// allows it to the caller.
	ReasonNoAccessRule Reason = "no_access_rule"
	// ReasonMissingOrForbidden: S3 refused the call, although a rule of the outputs allows it or
	// there are no rules. S3 also refuses calls for objects that do not exist, unless the caller
	// may list the whole bucket.
	ReasonMissingOrForbidden Reason = "missing_or_forbidden"
	// ReasonPartlyRemoved: some objects of a folder could not be removed.
	ReasonPartlyRemoved Reason = "partly_removed"
)

// ReasonOf returns the reason of the first [*Error] in err's chain that has one, or "".
func ReasonOf(err error) Reason {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Reason != "" {
			return e.Reason
		}
		err = e.Err
	}
	return ""
}

// Unauthenticated returns an error that matches [ErrUnauthenticated] and says why.
func Unauthenticated(reason Reason, cause error) *Error {
	e := *ErrUnauthenticated
	e.Reason, e.Err = reason, cause
	return &e
}

// ReadOnlyError returns the error of a [SessionKeeper] whose response can neither keep nor delete a
// session.
func ReadOnlyError() *Error {
	return &Error{
		Name:    "AmplifyServerContextError",
		Reason:  ReasonReadOnly,
		Message: "A session can be neither started nor ended here.",
		RecoverySuggestion: "Do it in a context that can set cookies, before the header of the response is sent. " +
			"Read-only, bearer and static contexts cannot.",
	}
}
