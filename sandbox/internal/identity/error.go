package identity

import "fmt"

// Error is a refusal of the identity pool, under Cognito's name for it.
type Error struct {
	// Code is the name of Cognito's exception, such as [NotAuthorized].
	Code string
	// Message is Cognito's sentence for people. It never holds a token.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Codes of errors, as the API Reference of Amazon Cognito identity pools lists them. Validation, which
// comes before an operation, has a code of its own.
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

// loginTaken has a text of its own: nobody seems to have quoted Cognito's.
func loginTaken() error {
	return refuse(ResourceConflict, "A login is already linked to another identity.")
}
