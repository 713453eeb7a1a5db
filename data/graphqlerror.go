package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

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
