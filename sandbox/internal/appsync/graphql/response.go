package graphql

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Response is the answer to a request.
type Response struct {
	// Data is nil where the request failed as a whole.
	Data any
	// NoData leaves out data: there was nothing to execute.
	NoData bool
	Errors []*Error
}

// MarshalJSON writes the response as AppSync does.
func (r *Response) MarshalJSON() ([]byte, error) {
	members := Object{}
	if !r.NoData {
		members = append(members, Member{"data", r.Data})
	}
	if len(r.Errors) > 0 {
		members = append(members, Member{"errors", r.Errors})
	}
	return members.MarshalJSON()
}

// Object is a JSON object whose members have an order.
type Object []Member

// Member is a member of an [Object].
type Member struct {
	Name  string
	Value any
}

// MarshalJSON writes the members in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := appendJSON(&b, o)
	return b.Bytes(), err
}

// appendJSON writes a value to b. encoding/json would go over
// the text of an [Object] again for each one around it.
func appendJSON(b *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case Object:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendJSON(b, m.Name); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := appendJSON(b, m.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	case []any:
		b.WriteByte('[')
		for i, member := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendJSON(b, member); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	}
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	if err == nil {
		b.Truncate(b.Len() - 1) // the line feed
	}
	return err
}

// Error is an entry of errors.
type Error struct {
	// Type is errorType. It is nil where AppSync gives none.
	Type    *string
	Message string
	// Data is what a resolver gives beside its error.
	Data any

	path      []any
	locations []Location
	// resolved is set for errors of resolvers, which have members that others lack.
	resolved bool
}

// Location is a place in a document, from 1.
type Location struct {
	Line       int     `json:"line"`
	Column     int     `json:"column"`
	SourceName *string `json:"sourceName"`
}

// NewError returns the error of a resolver. An empty errorType is null.
func NewError(errorType, message string) *Error {
	e := &Error{Message: message}
	if errorType != "" {
		e.Type = &errorType
	}
	return e
}

func (e *Error) Error() string {
	if e.Type != nil {
		return *e.Type + ": " + e.Message
	}
	return e.Message
}

// MarshalJSON writes the entry as AppSync does: null stands for what is missing.
func (e *Error) MarshalJSON() ([]byte, error) {
	members := Object{{"path", nil}}
	if e.path != nil {
		members[0].Value = e.path
	}
	if e.resolved {
		members = append(members, Member{"data", e.Data}, Member{"errorType", e.Type},
			Member{"errorInfo", nil})
	}
	members = append(members, Member{"locations", nil}, Member{"message", e.Message})
	if e.locations != nil {
		members[len(members)-2].Value = e.locations
	}
	return members.MarshalJSON()
}

// at returns the location of a place in the document.
func at(p *ast.Position) []Location {
	if p == nil {
		return nil
	}
	return []Location{{Line: p.Line, Column: p.Column}}
}

// refused is the response to a request that is not executed.
func refused(errs ...*Error) *Response { return &Response{Errors: errs} }

// join returns path with a step more.
func join(path []any, step any) []any { return append(slices.Clip(path), step) }
