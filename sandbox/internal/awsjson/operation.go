package awsjson

import (
	"context"
	"encoding/json"
)

// Operation is one operation of an API. It turns the body of a call into a value for the answer.
type Operation struct {
	do     func(ctx context.Context, body []byte) (any, error)
	signed bool
}

// Op returns an operation that calls f with the decoded body.
func Op[In any](f func(context.Context, In) (any, error)) Operation {
	return Operation{do: func(ctx context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			// The cause may hold a piece of the body, and the body secrets.
			return nil, exception{"SerializationException", "The body is not the JSON that the operation takes."}
		}
		return f(ctx, in)
	}}
}

// Signed returns an operation of administrators: it answers only signed calls.
// The sandbox has no AWS accounts and does not check the signature. It demands
// one because web pages cannot send it: the preflight does not allow the header
// Authorization. It also refuses calls that name a web page as their source.
func Signed[In any](f func(context.Context, In) (any, error)) Operation {
	o := Op(f)
	o.signed = true
	return o
}

// Exception is an error that the caller gets to know,
// under its name in AWS. Other errors go to the log.
type Exception interface {
	error
	Exception() (name, message string)
}

// exception is an error of the protocol itself.
type exception struct{ name, message string }

func (e exception) Error() string               { return e.name + ": " + e.message }
func (e exception) Exception() (string, string) { return e.name, e.message }
