package awsjson

import (
	"context"
	"encoding/json"
)

// Operation answers one call: its body, with what is to be encoded.
type Operation struct {
	do     func(ctx context.Context, body []byte) (any, error)
	signed bool
}

// Op makes an operation of a function on the request's Go form.
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

// Signed makes an operation of administrators of f: one that takes only signed calls. The sandbox has
// no accounts and does not check the signature. It demands one because web pages cannot send it: the
// preflight does not allow the header Authorization. Calls that say that a web page made them are
// refused besides.
func Signed[In any](f func(context.Context, In) (any, error)) Operation {
	o := Op(f)
	o.signed = true
	return o
}

// Exception is an error that the caller is told of, under its name in AWS. Other errors are told to the log.
type Exception interface {
	error
	Exception() (name, message string)
}

// exception is what the protocol itself has to complain of.
type exception struct{ name, message string }

func (e exception) Error() string               { return e.name + ": " + e.message }
func (e exception) Exception() (string, string) { return e.name, e.message }
