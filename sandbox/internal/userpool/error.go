package userpool

import (
	"errors"
	"fmt"
)

// Error is a refusal of the user pool, with Cognito's name for it.
type Error struct {
	// Code is the name of Cognito's exception, such as [UserNotConfirmed].
	Code string
	// Message is Cognito's message. It never contains a secret.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Exception returns the code and the message. The JSON API sends them as an exception.
func (e *Error) Exception() (name, message string) { return e.Code, e.Message }

// Codes of errors, from the API Reference of Amazon Cognito user pools.
const (
	AliasExists           = "AliasExistsException"
	CodeMismatch          = "CodeMismatchException"
	ExpiredCode           = "ExpiredCodeException"
	GroupExists           = "GroupExistsException"
	InvalidLambdaResponse = "InvalidLambdaResponseException"
	InvalidParameter      = "InvalidParameterException"
	InvalidPassword       = "InvalidPasswordException"
	LimitExceeded         = "LimitExceededException"
	NotAuthorized         = "NotAuthorizedException"
	PasswordResetRequired = "PasswordResetRequiredException"
	RefreshTokenReuse     = "RefreshTokenReuseException"
	ResourceNotFound      = "ResourceNotFoundException"
	UnsupportedTokenType  = "UnsupportedTokenTypeException"
	UnsupportedUserState  = "UnsupportedUserStateException"
	UserLambdaValidation  = "UserLambdaValidationException"
	UserNotConfirmed      = "UserNotConfirmedException"
	UserNotFound          = "UserNotFoundException"
	UsernameExists        = "UsernameExistsException"

	// NewPasswordRequired is the name of a challenge of Cognito, and not
	// of an exception. The password was right, but the user must choose
	// a new one before the sign-in. See [Pool.NewPasswordSession].
	NewPasswordRequired = "NEW_PASSWORD_REQUIRED"
)

// CodeOf returns the code of the first [*Error] in err's chain. It returns
// "" if there is none: then err is nil or a failure of the sandbox.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// refuse returns an [*Error].
func refuse(code, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// Refusals that several operations share.
func incorrectPassword() error { return refuse(NotAuthorized, "Incorrect username or password.") }
func noSuchUser() error        { return refuse(UserNotFound, "User does not exist.") }
func userDisabled() error      { return refuse(NotAuthorized, "User is disabled.") }
func noSuchGroup() error       { return refuse(ResourceNotFound, "Group not found.") }

// committed is a refusal that commits its transaction. It serves
// to count a failed attempt, or to revoke a stolen session.
type committed struct{ error }
