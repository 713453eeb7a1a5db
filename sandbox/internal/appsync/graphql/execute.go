package graphql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
)

const (
	// maxResolved is how many fields a request may have resolved (AppSync
	// Developer Guide, "GraphQL API limits": resolvers per request).
	maxResolved = 10_000
	// maxValues is how many values an answer may have in all.
	maxValues = 1_000_000
	// maxText is how many bytes the texts of an answer may have in all.
	maxText = 16 << 20
)

// Field is a field that a document asks for.
type Field struct {
	// Object is the type that has the field.
	Object     *ast.Definition
	Definition *ast.FieldDefinition
	Arguments  map[string]any
	// Parent is the value of the object.
	Parent any
	// Mutation is set in the answer of a mutation, at any depth.
	Mutation bool
}

// Resolver gives the values of fields.
type Resolver interface {
	// Resolve returns the value of a field. An object is whatever the resolver
	// knows it by, and becomes the Parent of its fields. An error is an [Error],
	// or means that the server failed.
	Resolve(ctx context.Context, f *Field) (any, error)
}

// Execute executes a query or a mutation. The error is that of the server.
func (o *Operation) Execute(ctx context.Context, r Resolver) (*Response, error) {
	x := &execution{Operation: o, ctx: ctx, resolver: r,
		mutation:  o.operation.Operation == ast.Mutation,
		collected: map[*selection][]*selection{}}
	data, ok := x.object(o.root(), &selection{fields: o.selected()}, nil, nil)
	if x.refused != nil {
		return refused(x.refused), nil
	}
	if x.failed != nil {
		return nil, x.failed
	}
	response := &Response{Errors: x.errors}
	if ok {
		response.Data = data
	}
	return response, nil
}

// Root returns the first field of the root that the document asks for, or nil if it asks for none.
func (o *Operation) Root() *Field {
	all := o.collect(o.root(), o.selected())
	if len(all) == 0 {
		return nil
	}
	f := all[0].fields[0]
	return &Field{Object: o.root(), Definition: f.Definition, Arguments: o.arguments[f]}
}

// Refuse returns the response to an operation whose fields of the root all fail with err.
func (o *Operation) Refuse(err *Error) *Response {
	data, response := Object{}, refused()
	for _, s := range o.collect(o.root(), o.selected()) {
		data = append(data, Member{s.name, nil})
		response.Errors = append(response.Errors, &Error{Type: err.Type, Message: err.Message,
			path: []any{s.name}, locations: at(s.fields[0].Position), resolved: true})
	}
	response.Data = data
	return response
}

// root returns the type of the operation's root.
func (o *Operation) root() *ast.Definition {
	switch o.operation.Operation {
	case ast.Mutation:
		return o.schema.Mutation
	case ast.Subscription:
		return o.schema.Subscription
	default:
		return o.schema.Query
	}
}

func (o *Operation) selected() []*ast.Field {
	return []*ast.Field{{SelectionSet: o.operation.SelectionSet}}
}

// execution is one execution of an operation.
type execution struct {
	*Operation
	ctx      context.Context
	resolver Resolver
	mutation bool
	// collected are the fields below a selection, which all objects of a list share.
	collected map[*selection][]*selection
	// resolved, values and text count what was done.
	resolved, values, text int
	errors                 []*Error
	// refused and failed end the execution: a limit, and the server's failure.
	refused *Error
	failed  error
}

// ended reports whether the execution is over before its end.
func (x *execution) ended() bool { return x.refused != nil || x.failed != nil }

// selection is the fields of one name in the response, which are merged.
type selection struct {
	name   string
	fields []*ast.Field
}

// collect returns what fields select of an object of the type d.
func (o *Operation) collect(d *ast.Definition, fields []*ast.Field) []*selection {
	var all []*selection
	index := map[string]*selection{}
	spread := map[*ast.FragmentDefinition]bool{}
	var visit func(set ast.SelectionSet)
	visit = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if !o.included(s.Directives) {
					continue
				}
				found := index[s.Alias]
				if found == nil {
					found = &selection{name: s.Alias}
					index[s.Alias] = found
					all = append(all, found)
				}
				found.fields = append(found.fields, s)
			case *ast.InlineFragment:
				if o.included(s.Directives) && o.applies(s.TypeCondition, d) {
					visit(s.SelectionSet)
				}
			case *ast.FragmentSpread:
				if o.included(s.Directives) && !spread[s.Definition] &&
					o.applies(s.Definition.TypeCondition, d) {
					spread[s.Definition] = true
					visit(s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, f := range fields {
		visit(f.SelectionSet)
	}
	return all
}

// included evaluates @skip and @include.
func (o *Operation) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		value := literal(d.Arguments.ForName("if").Value, o.variables)
		if v, ok := value.(coerced); ok {
			value = v.value
		}
		if (value == true) == (d.Name == "skip") {
			return false
		}
	}
	return true
}

// applies tells whether a fragment on a type is for objects of the type d.
func (o *Operation) applies(condition string, d *ast.Definition) bool {
	return condition == "" || condition == d.Name ||
		slices.Contains(o.schema.PossibleTypes[condition], d)
}

// object returns the fields of an object. ok is false where a field that must not be null is null.
func (x *execution) object(d *ast.Definition, s *selection, value any, path []any) (
	object Object, ok bool) {
	object = Object{}
	below, known := x.collected[s]
	if !known {
		below = x.collect(d, s.fields)
		x.collected[s] = below
	}
	for _, s := range below {
		v, ok := x.field(d, s, value, join(path, s.name))
		if x.ended() || !ok {
			return nil, false
		}
		object = append(object, Member{s.name, v})
	}
	return object, true
}

// field returns the value of a field.
func (x *execution) field(d *ast.Definition, s *selection, parent any, path []any) (any, bool) {
	f := s.fields[0]
	if x.count(1, 0); x.ended() {
		return nil, false
	}
	switch {
	case f.Name == "__typename":
		x.count(0, len(d.Name))
		return d.Name, true
	case f.Name == "__schema" || f.Name == "__type":
		v := introspected(x.schema, f.Name, x.arguments[f])
		return x.complete(f.Definition.Type, s, v, d, path)
	}
	if v, ok := parent.(introspection); ok {
		return x.complete(f.Definition.Type, s, v.field(f.Name, x.arguments[f]), d, path)
	}
	if x.resolved++; x.resolved > maxResolved {
		x.refused = &Error{Message: fmt.Sprintf(
			"The request resolves more than %d fields, which is the limit.", maxResolved)}
		return nil, false
	}
	value, err := x.resolver.Resolve(x.ctx, &Field{
		Object: d, Definition: f.Definition, Arguments: x.arguments[f], Parent: parent,
		Mutation: x.mutation})
	var refused *Error
	switch {
	case errors.As(err, &refused):
		x.fail(&Error{Type: refused.Type, Message: refused.Message, Data: refused.Data,
			path: path, locations: at(f.Position), resolved: true})
		return nil, !f.Definition.Type.NonNull
	case err != nil:
		x.end(err)
		return nil, false
	}
	return x.complete(f.Definition.Type, s, value, d, path)
}

// end ends the execution because of an error that is not the field's.
func (x *execution) end(err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		x.refused = &Error{Message: "Execution timed out."}
	} else {
		x.failed = err
	}
}

// count counts values and the bytes of texts. It ends an execution that takes too much or too long.
func (x *execution) count(values, text int) {
	x.values, x.text = x.values+values, x.text+text
	switch err := x.ctx.Err(); {
	case x.ended():
	case err != nil:
		x.end(err)
	case x.values > maxValues:
		x.refused = &Error{Message: fmt.Sprintf(
			"The answer has more than %d values, which is the limit.", maxValues)}
	case x.text > maxText:
		x.refused = &Error{Message: fmt.Sprintf(
			"The answer has more than %d bytes, which is the limit.", maxText)}
	}
}

func (x *execution) fail(e *Error) {
	x.count(len(e.path), len(e.Message))
	x.errors = append(x.errors, e)
}

// complete converts a value to the type t. ok is false if it must not be null and is.
func (x *execution) complete(t *ast.Type, s *selection, value any, parent *ast.Definition,
	path []any) (any, bool) {
	if x.count(1, 0); x.ended() {
		return nil, false
	}
	if value == nil {
		if t.NonNull {
			x.fail(&Error{path: path, Message: fmt.Sprintf("Cannot return null for non-nullable "+
				"type: '%s' within parent '%s' (%s)", nullable(t), parent.Name, printed(path))})
		}
		return nil, !t.NonNull
	}
	if t.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			return x.wrong(t, path)
		}
		members := make([]any, len(list))
		for i, v := range list {
			if members[i], ok = x.complete(t.Elem, s, v, parent, join(path, i)); !ok {
				return nil, !t.NonNull
			}
		}
		return members, true
	}
	switch d := x.schema.Types[t.NamedType]; d.Kind {
	case ast.Object:
		object, ok := x.object(d, s, value, path)
		if !ok {
			return nil, !t.NonNull
		}
		return object, true
	case ast.Enum:
		text, ok := value.(string)
		if !ok || d.EnumValues.ForName(text) == nil {
			return x.wrong(t, path)
		}
		return text, true
	case ast.Scalar:
		v, err := scalars.Serialize(t.NamedType, value)
		if err != nil {
			return x.wrong(t, path)
		}
		if text, ok := v.(string); ok {
			x.count(0, len(text))
		}
		return v, true
	default:
		x.failed = fmt.Errorf("graphql: a field has the abstract type %s", d.Name)
		return nil, false
	}
}

// wrong is the error of a value that does not fit its type.
func (x *execution) wrong(t *ast.Type, path []any) (any, bool) {
	x.fail(&Error{path: path, Message: fmt.Sprintf(
		"Can't serialize value (%s) : Unable to serialize it as a valid %s.",
		printed(path), t.Name())})
	return nil, !t.NonNull
}

// nullable returns a type as messages have it: without marks of what must not be null.
func nullable(t *ast.Type) string { return strings.ReplaceAll(t.String(), "!", "") }

// printed returns a path as messages have it: /listNotes/items[0]/title.
func printed(path []any) string {
	var b strings.Builder
	for _, step := range path {
		if i, ok := step.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
		} else {
			fmt.Fprintf(&b, "/%v", step)
		}
	}
	return b.String()
}
