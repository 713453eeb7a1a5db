package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

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
)

// invalid returns the error of a call that cannot be sent as it is.
func invalid(message, suggestion string) error {
	return &amplify.Error{
		Name: invalidInput, Reason: amplify.ReasonInvalidRequest,
		Message: message, RecoverySuggestion: suggestion,
	}
}

// GraphQLError is one error of an answer: the API has refused a field, or has failed at it.
type GraphQLError struct {
	Message string `json:"message"`
	// ErrorType is AppSync's word for what went wrong, such as "Unauthorized" or
	// "DynamoDB:ConditionalCheckFailedException". It may be empty.
	ErrorType string `json:"errorType,omitempty"`
	// ErrorInfo is what a resolver adds, as JSON, or nil.
	ErrorInfo json.RawMessage `json:"errorInfo,omitempty"`
	// Path leads to the field in the data: names of fields as strings, indexes of lists as int. It
	// is empty if the error is not about a field.
	Path []any `json:"path,omitempty"`
	// Locations are places in the document.
	Locations []Location `json:"locations,omitempty"`
	// Data is what a resolver gives in spite of the error, as JSON, or nil.
	Data json.RawMessage `json:"data,omitempty"`
	// Extensions is what servers other than AppSync add, as JSON, or nil.
	Extensions json.RawMessage `json:"extensions,omitempty"`
}

// Location is a place in a document. Both numbers begin at 1.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error returns the type, the path and the message.
func (e *GraphQLError) Error() string {
	s := e.Message
	if at := e.at(); at != "" {
		s = at + ": " + s
	}
	if e.ErrorType != "" {
		s = e.ErrorType + ": " + s
	}
	return s
}

// at returns the path as text, such as "listNotes.items.3.title".
func (e *GraphQLError) at() string {
	parts := make([]string, len(e.Path))
	for i, part := range e.Path {
		parts[i] = fmt.Sprint(part)
	}
	return strings.Join(parts, ".")
}

// GraphQLErrors are the errors of an answer, in its order. There is at least one. Of an answer with
// more than 10,000, these are the first.
type GraphQLErrors []*GraphQLError

// Error says how many errors there are, and where. Each of them says what is wrong.
func (e GraphQLErrors) Error() string {
	const most = 5
	var places []string
	for _, one := range e[:min(len(e), most)] {
		if at := one.at(); at != "" {
			places = append(places, at)
		}
	}
	s := "1 GraphQL error"
	if len(e) != 1 {
		s = fmt.Sprintf("%d GraphQL errors", len(e))
	}
	if len(places) > 0 {
		s += " at " + strings.Join(places, ", ")
	}
	if len(e) > most {
		s += " and elsewhere"
	}
	return s
}

// Unwrap returns the errors, so that [errors.As] finds the first [*GraphQLError].
func (e GraphQLErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, one := range e {
		errs[i] = one
	}
	return errs
}

// errorsIn returns the errors of an answer, the value of its member "errors". It takes any JSON
// value: whatever is there means that something is wrong.
func (r *request) errorsIn(raw json.RawMessage) GraphQLErrors {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	raw = r.redact(raw)
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('[') {
		return GraphQLErrors{graphQLError(raw)}
	}
	var all GraphQLErrors
	for d.More() && len(all) < maxErrors {
		var entry json.RawMessage
		if d.Decode(&entry) != nil { // which has been decoded before: it cannot fail
			break
		}
		all = append(all, graphQLError(entry))
	}
	return all
}

// maxErrors is how many errors of an answer are read. In memory an error takes much more than the
// two bytes that it may have in an answer.
const maxErrors = 10_000

// graphQLError reads one error. A member of another type than it should have is left out.
func graphQLError(raw json.RawMessage) *GraphQLError {
	e := &GraphQLError{}
	var members map[string]json.RawMessage
	message := raw // of errors that are a text
	if json.Unmarshal(raw, &members) == nil {
		message = members["message"]
	}
	_ = json.Unmarshal(message, &e.Message)
	e.Message = cmp.Or(e.Message, "The API does not say what is wrong.")
	_ = json.Unmarshal(members["errorType"], &e.ErrorType)
	if json.Unmarshal(members["locations"], &e.Locations) != nil {
		e.Locations = nil
	}
	if json.Unmarshal(members["path"], &e.Path) != nil {
		e.Path = nil
	}
	for i, part := range e.Path {
		if index, ok := part.(float64); ok {
			e.Path[i] = int(index)
		}
	}
	for name, value := range map[string]*json.RawMessage{
		"errorInfo": &e.ErrorInfo, "data": &e.Data, "extensions": &e.Extensions,
	} {
		if raw := members[name]; string(raw) != "null" {
			*value = raw
		}
	}
	return e
}

// minSecret is the length in bytes from which on a text is taken out of answers. A shorter one may
// stand in them by chance.
const minSecret = 8

// redact takes out of an answer what r sent to authorize the call: errors quote no secrets. A
// scheme before a token, such as "Bearer", may be missing in the answer.
func (r *request) redact(answer []byte) []byte {
	header := r.header.Get(authorization)
	secrets := append([]string{header, r.header.Get(apiKey)}, strings.Fields(header)...)
	if r.credentials != nil {
		secrets = append(secrets, r.credentials.SessionToken)
	}
	answer = unescape(answer)
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			answer = bytes.ReplaceAll(answer, []byte(secret), []byte("[redacted]"))
			answer = bytes.ReplaceAll(answer, escape(secret), []byte("[redacted]"))
		}
	}
	return answer
}

// escape returns s as it stands in JSON, with no more escapes than it needs.
func escape(s string) []byte {
	quoted, _ := json.Marshal(s) // which cannot fail
	return unescape(quoted[1 : len(quoted)-1])
}

// unescape returns JSON without the escapes that it does not need, such as "\/" and "\u002b", in
// which a text may hide.
func unescape(raw []byte) []byte {
	if !bytes.ContainsRune(raw, '\\') {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch rest := raw[i:]; {
		case rest[0] != '\\' || len(rest) == 1:
			out = append(out, rest[0])
		case rest[1] == '/':
			out, i = append(out, '/'), i+1
		case rest[1] == 'u' && len(rest) >= len(`\u0000`):
			n, err := strconv.ParseUint(string(rest[2:6]), 16, 16)
			c := rune(n)
			switch {
			case err != nil || c < ' ' || utf16.IsSurrogate(c):
				out, i = append(out, rest[:2]...), i+1
				continue
			case c == '"' || c == '\\':
				out = append(out, '\\')
			}
			out, i = utf8.AppendRune(out, c), i+5
		default:
			out, i = append(out, rest[:2]...), i+1
		}
	}
	return out
}

// redactError returns err, or its text if that quotes a secret: an error of a decoder may quote the
// value that it has refused.
func (r *request) redactError(err error) error {
	if err == nil {
		return nil
	}
	text := []byte(err.Error())
	if redacted := r.redact(text); !bytes.Equal(redacted, text) {
		return errors.New(string(redacted))
	}
	return err
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
