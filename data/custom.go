package data

import (
	"context"
	"reflect"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"
)

// Operation is a custom query or mutation of the backend, with a result of type T. [OperationOf]
// makes one, once for an App. It is safe for concurrent use.
type Operation[T any] struct {
	o       *customOperation
	options Options
}

// OperationOf returns the custom query or mutation of that name. T is the Go type of its result: a
// struct that selects fields, as for [ModelOf], or a string, a number, a list … A T of
// map[string]any, or any, selects all fields but those of other models.
//
//	echo, err := data.OperationOf[EchoResult](app, "echo")
//	result, err := echo.Call(ctx, data.CallInput{Arguments: map[string]any{"text": "hi"}})
func OperationOf[T any](app *amplify.App, name string) (Operation[T], error) {
	o, err := newOperation(app, name, reflect.TypeFor[T]())
	return Operation[T]{o: o}, err
}

// With returns the operation with options that its calls fall back on. They win over those that the
// operation had.
func (o Operation[T]) With(with Options) Operation[T] {
	o.options = with.frozen().over(o.options)
	return o
}

// CallInput is the input of [Operation.Call].
type CallInput struct {
	// Arguments is a struct or a map[string]any with the arguments by their names. A struct's zero
	// values are left out: a pointer to a zero value sends it.
	Arguments any
	Options
}

// Call calls the operation and returns its result. It returns nil, nil if that is null.
func (o Operation[T]) Call(ctx context.Context, in CallInput) (*T, error) {
	if o.o == nil {
		return nil, errZero("Operation", "OperationOf")
	}
	variables, err := o.o.variables(in.Arguments)
	if err != nil {
		return nil, err
	}
	op := operation{
		document: o.o.document, mutation: o.o.mutation, variables: o.o.selection.with(variables),
	}
	return send[T](ctx, o.o.api, o.o.of.Name, op, in.over(o.options))
}

// customOperation is what an [Operation] of any T knows.
type customOperation struct {
	api
	of        *introspection.Operation
	mutation  bool
	selection selection
	document  string
}

func newOperation(app *amplify.App, name string, g reflect.Type) (*customOperation, error) {
	a, err := apiOf(app)
	if err != nil {
		return nil, err
	}
	return a.operation(name, g)
}

func (a api) operation(name string, g reflect.Type) (o *customOperation, err error) {
	o = &customOperation{api: a}
	var names []string
	for i, of := range slices.Concat(a.schema.Queries, a.schema.Mutations) {
		names = append(names, of.Name)
		if of.Name == name && o.of == nil {
			o.of, o.mutation = of, i >= len(a.schema.Queries)
		}
	}
	if o.of == nil {
		return nil, errUnknown("custom query or mutation", name, names)
	}
	s := newSelector(a.schema)
	fields := s.ofType(g.String(), o.of.Type, g)
	if o.selection, err = s.selection(fields, "the result of "+name); err != nil {
		return nil, err
	}
	var arguments []argument
	for _, f := range o.of.Arguments {
		arguments = append(arguments, argument{f.Name, astType(f.Type)})
	}
	kind := ast.Query
	if o.mutation {
		kind = ast.Mutation
	}
	o.document = document(kind, name, arguments, o.selection)
	return o, nil
}

// variables returns what is sent for arguments.
func (o *customOperation) variables(arguments any) (map[string]any, error) {
	all := map[string]any{}
	if arguments != nil {
		err := o.members(o.of.Name, reflect.ValueOf(arguments), func(m member) error {
			f := m.field(o.of.Arguments)
			switch {
			case f == nil:
				return errInvalid(o.of.Name, "there is no argument %q", m.name)
			case m.value.IsZero() && !m.ofMap:
				return nil
			}
			sent, err := o.reflected(o.of.Name+": "+f.Name, f.Type, m.value, 0)
			all[f.Name] = sent
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, f := range o.of.Arguments {
		_, given := all[f.Name]
		if f.Type.NonNull() && !given {
			return nil, &amplify.Error{
				Name: invalidInput, Reason: amplify.ReasonInvalidRequest,
				Message: o.of.Name + " requires arguments '" + f.Name + "'",
				RecoverySuggestion: "Give the argument. A struct's zero value is left out: " +
					"a pointer sends it.",
			}
		}
	}
	return all, nil
}

// EnumValues returns the values of an enum of the backend, in its order.
func EnumValues(app *amplify.App, name string) ([]string, error) {
	a, err := apiOf(app)
	if err != nil {
		return nil, err
	}
	if enum := a.schema.Enum(name); enum != nil {
		return slices.Clone(enum.Values), nil
	}
	var names []string
	for _, e := range a.schema.Enums {
		names = append(names, e.Name)
	}
	return nil, errUnknown("enum", name, names)
}
