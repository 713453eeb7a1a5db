package identity

import "fmt"

// Error is a refusal of the identity pool, with Cognito's name for it.
type Error struct {
	// Code is the name of Cognito's exception, such as [NotAuthorized].
	Code string
	// Message is Cognito's message. It never contains a token.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Codes of errors, from the API Reference of Amazon Cognito identity
// pools. Validation happens before an operation and has its own code.
const (
	InvalidParameter = "InvalidParameterException"
	NotAuthorized    = "NotAuthorizedException"
	ResourceConflict = "ResourceConflictException"
	ResourceNotFound = "ResourceNotFoundException"
	Validation       = "ValidationException"
)

// refuse returns an [*Error].
func refuse(code, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// Refusals that several operations share.
func noGuests() error {
	return refuse(NotAuthorized, "Unauthenticated access is not supported for this identity pool.")
}

func loginsDoNotMatch() error {
	return refuse(NotAuthorized, "Logins don't match. Please include at least one valid login for this identity or identity pool.")
}

func invalidToken(format string, args ...any) error {
	return refuse(NotAuthorized, "Invalid login token. "+format, args...)
}

// loginTaken has a message of the sandbox's own. No public quotation of Cognito's is known.
func loginTaken() error {
	return refuse(ResourceConflict, "A login is already linked to another identity.")
}
