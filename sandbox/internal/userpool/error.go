package userpool

import (
	"errors"
	"fmt"
)

// Error is a refusal of the user pool, under Cognito's name for it.
type Error struct {
	// Code is the name of Cognito's exception, such as [UserNotConfirmed].
	Code string
	// Message is Cognito's sentence for people. It never holds a secret.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Exception returns the code and the message: it makes an Error an exception of the JSON API.
func (e *Error) Exception() (name, message string) { return e.Code, e.Message }

// Codes of errors, as the API Reference of Amazon Cognito user pools lists them.
const (
	AliasExists           = "AliasExistsException"
	CodeMismatch          = "CodeMismatchException"
	ExpiredCode           = "ExpiredCodeException"
	GroupExists           = "GroupExistsException"
	InvalidParameter      = "InvalidParameterException"
	InvalidPassword       = "InvalidPasswordException"
	LimitExceeded         = "LimitExceededException"
	NotAuthorized         = "NotAuthorizedException"
	PasswordResetRequired = "PasswordResetRequiredException"
	RefreshTokenReuse     = "RefreshTokenReuseException"
	ResourceNotFound      = "ResourceNotFoundException"
	UnsupportedTokenType  = "UnsupportedTokenTypeException"
	UnsupportedUserState  = "UnsupportedUserStateException"
	UserNotConfirmed      = "UserNotConfirmedException"
	UserNotFound          = "UserNotFoundException"
	UsernameExists        = "UsernameExistsException"

	// NewPasswordRequired is no exception of Cognito's but the name of its challenge: the password was right,
	// but the user must choose another one before being signed in. See [Pool.NewPasswordSession].
	NewPasswordRequired = "NEW_PASSWORD_REQUIRED"
)

// CodeOf returns the code of the first [*Error] in err's chain, or "" if there is none:
// then something broke and nobody was refused.
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

// keeping is a refusal that does not undo what its transaction wrote: a failed attempt is
// counted, a stolen session is revoked.
type keeping struct{ error }
