package verify

import "github.com/amplify-go/amplify/internal/token"

// Error says why a request has no session, or why a token does not count. It holds no token.
type Error struct {
	Reason Reason
	Err    error // the cause; may be nil
}

// Error returns the reason and the cause.
func (e *Error) Error() string {
	s := "verify: " + string(e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reason says in one machine-readable word why a session or a token is refused. The words are those
// of package amplify, whose documentation says more. Only ReasonExpired is not among them: there an
// expired session is refreshed.
type Reason string

// Why a session or a token is refused.
const (
	ReasonNoSession         Reason = "no_session"
	ReasonIncompleteSession Reason = "incomplete_session"
	ReasonCookiesTooLarge   Reason = "cookies_too_large"
	ReasonNotYetValid       Reason = "not_yet_valid"
	ReasonTokenTooLarge     Reason = token.TokenTooLarge
	ReasonMalformedToken    Reason = token.MalformedToken
	ReasonBadAlgorithm      Reason = token.BadAlgorithm
	ReasonBadSignature      Reason = token.BadSignature
	ReasonWrongIssuer       Reason = token.WrongIssuer
	ReasonWrongClient       Reason = token.WrongClient
	ReasonWrongTokenUse     Reason = token.WrongTokenUse
	ReasonUserMismatch      Reason = token.UserMismatch

	// ReasonUnknownKey: a token names a key that is not among Options.Keys. User pools change their
	// keys rarely. Fetch them again, once a minute at most since tokens can name any key, and make
	// a new Verifier.
	ReasonUnknownKey Reason = token.UnknownKey
	// ReasonExpired: the tokens are genuine, and have expired. A server that has the refresh token
	// can refresh the session.
	ReasonExpired Reason = "expired"
)

func refuse(reason string, cause error) error { return &Error{Reason(reason), cause} }
