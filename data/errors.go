package data

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// Names of errors.
const (
	// graphQLErrorName is the name of errors that have no errorType, as in graphql-js.
	graphQLErrorName = "GraphQLError"
	// unknownError is Amplify JS's name for answers that do not say what is wrong.
	unknownError = "UnknownError"
	// invalidInput is the name of errors that this package finds before it sends anything.
	invalidInput = "InvalidDataInput"
	// dataErrorName is the name of errors of what is made once for an App.
	dataErrorName = "AmplifyDataError"
)

// invalid returns the error of a call that cannot be sent as it is.
func invalid(message, suggestion string) error {
	return &amplify.Error{
		Name: invalidInput, Reason: amplify.ReasonInvalidRequest,
		Message: message, RecoverySuggestion: suggestion,
	}
}

// errInvalid returns the error for a value that cannot be sent at place, such as "Note.title".
func errInvalid(place, format string, a ...any) error {
	return &amplify.Error{
		Name: invalidInput, Reason: amplify.ReasonInvalidRequest,
		Message: place + ": " + fmt.Sprintf(format, a...) + ".",
	}
}

// hinted adds to an error of errInvalid what to do.
func hinted(err error, format string, a ...any) error {
	var e *amplify.Error
	if errors.As(err, &e) {
		e.RecoverySuggestion = fmt.Sprintf(format, a...)
	}
	return err
}

func errNotFound(model string) error {
	return &amplify.Error{
		Name: "NotFound", Message: fmt.Sprintf("The model %s has no such item.", model),
		RecoverySuggestion: "Check the key.", Err: ErrNotFound,
	}
}

// errZero is the error for a value that was not made by its function.
func errZero(what, made string) error {
	return &amplify.Error{
		Name: dataErrorName, Reason: amplify.ReasonConfiguration,
		Message: "A zero " + what + " cannot be used.",
		RecoverySuggestion: "Use what data." + made + " returns, and do not go on where it " +
			"returned an error.",
	}
}

// errUnknown is the error for a name that the API does not have.
func errUnknown(what, name string, known []string) error {
	has := "It has none."
	if len(known) > 0 {
		slices.Sort(known)
		has = "It has: " + strings.Join(known, ", ") + "."
	}
	return &amplify.Error{
		Name: dataErrorName, Reason: amplify.ReasonConfiguration,
		Message:            fmt.Sprintf("The backend has no %s %q. %s", what, name, has),
		RecoverySuggestion: "Correct the name" + orRegenerate,
	}
}

// notAuthorized are the types of errors by which AppSync refuses a call or a field.
var notAuthorized = map[string]bool{
	"Unauthorized": true, "UnauthorizedException": true, "AccessDeniedException": true,
}

// refusal returns the error for an answer with errors.
func (r *request) refusal(all GraphQLErrors, id string) error {
	e := &amplify.Error{
		Name: cmp.Or(all[0].ErrorType, graphQLErrorName), Message: all[0].Message,
		RequestID: id, Err: all,
	}
	if notAuthorized[e.Name] {
		r.unauthorized(e)
	}
	return e
}

// unauthorized says what to do about e, by which the API has refused a call.
func (r *request) unauthorized(e *amplify.Error) {
	e.Reason = amplify.ReasonNotAuthorized
	e.RecoverySuggestion = fmt.Sprintf("The call had the auth mode %q. Make sure that the API "+
		"has that mode, and that a rule of the model allows the operation to the caller in it.",
		r.mode)
}

// statusError is what an answer says whose status is no success.
type statusError struct {
	status        int
	name, message string
	errors        GraphQLErrors
}

var _ smithy.APIError = (*statusError)(nil)

func (e *statusError) ErrorCode() string { return e.name }

func (e *statusError) ErrorMessage() string { return e.message }

func (e *statusError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

func (e *statusError) Error() string {
	s := fmt.Sprintf("status %d", e.status)
	if len(e.errors) > 0 {
		s += ", " + e.errors.Error()
	}
	return s
}

func (e *statusError) Unwrap() error {
	if len(e.errors) == 0 {
		return nil
	}
	return e.errors
}

// statusError reads an answer whose status is no success: AppSync's errors, or the error of an AWS
// service in front of it.
func (r *request) statusError(resp *http.Response, answer []byte) error {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(r.redact(answer), &members)
	text := func(name string) (s string) {
		_ = json.Unmarshal(members[name], &s)
		return s
	}
	e := &statusError{status: resp.StatusCode, errors: r.errorsIn(members["errors"])}
	// "UnauthorizedException:http://…" is what some services send.
	e.name, _, _ = strings.Cut(string(r.redact([]byte(resp.Header.Get("X-Amzn-Errortype")))), ":")
	e.name = cmp.Or(e.name, text("__type"), text("code"))
	e.message = cmp.Or(text("message"), text("Message"))
	if len(e.errors) > 0 {
		e.name = cmp.Or(e.name, e.errors[0].ErrorType)
		e.message = cmp.Or(e.message, e.errors[0].Message)
	}
	e.name = cmp.Or(e.name, unknownError)
	e.message = cmp.Or(e.message, "Unknown error")
	return e
}

// failure translates the error of a call that got no answer of the API, or none with success.
func (r *request) failure(err error, mutation bool) error {
	var known *amplify.Error
	if errors.As(err, &known) {
		return err
	}
	e := awsapi.Error(err)
	var answered *statusError
	if errors.As(err, &answered) {
		e.Err = answered
		if answered.status == http.StatusUnauthorized || answered.status == http.StatusForbidden {
			r.unauthorized(e)
		}
	}
	if mutation && mayHaveRun(err) {
		e.RecoverySuggestion = "The mutation may have had its effect. Look at the data before " +
			"you send it again."
	}
	return e
}

// unusable returns the error for an answer that is no answer of a GraphQL API, or whose data do not
// fit into the type that the caller wants.
func unusable(id string, cause error) error {
	e := &amplify.Error{
		Name: unknownError, Message: "The answer has neither data nor errors.",
		RecoverySuggestion: "Make sure that the endpoint is that of a GraphQL API.", RequestID: id,
		Err: cause,
	}
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(cause, &mismatch) && mismatch.Field == "":
		e.Message, e.Err = "The answer is not a JSON object.", nil
	case errors.As(cause, &syntax):
		e.Message = "The answer cannot be read."
	case cause != nil:
		e.Message = "The data of the answer do not fit into the Go type."
		e.RecoverySuggestion = "Give the Go type the form that the document asks for."
	}
	return e
}
