package graphql

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
)

// coerceVariables returns the values of the operation's variables. Its error has AppSync's words.
func (o *Operation) coerceVariables(given map[string]any) (map[string]any, *Error) {
	values := map[string]any{}
	for _, d := range o.operation.VariableDefinitions {
		value, present := given[d.Variable]
		if !present && d.DefaultValue != nil {
			value, present = literal(d.DefaultValue, nil), true
		}
		if !present && !d.Type.NonNull {
			continue
		}
		c := coercion{o.schema, d.Variable}
		var err *Error
		if values[d.Variable], err = c.coerce(d.Type, value, d.Variable); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// refusal returns the error of a value that its type does not have.
func refusal(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// coercion converts one variable or argument.
type coercion struct {
	schema   *ast.Schema
	variable string // its name in errors
}

// coerced is a value that was converted already.
type coerced struct{ value any }

// coerce converts a value of JSON to the type t. name is the innermost field's.
func (c coercion) coerce(t *ast.Type, value any, name string) (any, *Error) {
	if done, ok := value.(coerced); ok {
		if done.value == nil && t.NonNull {
			return nil, c.null(t)
		}
		return done.value, nil
	}
	switch {
	case value == nil && t.NonNull:
		return nil, c.null(t)
	case value == nil:
		return nil, nil
	case t.Elem != nil:
		list, ok := value.([]any)
		if !ok { // one value stands for a list of one
			list = []any{value}
		}
		members := make([]any, len(list))
		for i, v := range list {
			var err *Error
			if members[i], err = c.coerce(t.Elem, v, name); err != nil {
				return nil, err
			}
		}
		return members, nil
	}
	switch d := c.schema.Types[t.NamedType]; d.Kind {
	case ast.Enum:
		text, ok := value.(string)
		if !ok || d.EnumValues.ForName(text) == nil {
			return nil, refusal("Variable '%s' has an invalid value. Invalid input for Enum '%s'. "+
				"No value found for name '%v'", c.variable, d.Name, value)
		}
		return text, nil
	case ast.InputObject:
		members, ok := value.(map[string]any)
		if !ok {
			return nil, refusal("Variable '%s' has an invalid value. Expected type 'Map' but was "+
				"'%s'. Variables for input objects must be an instance of type 'Map'.",
				c.variable, kindOf(value))
		}
		return c.coerceInput(d, members)
	}
	v, err := scalars.Parse(t.NamedType, value)
	if err != nil {
		return nil, refusal("Variable '%s' has an invalid value. Unable to parse `%v` as a valid "+
			"%s.", name, value, t.NamedType)
	}
	return v, nil
}

func (c coercion) coerceInput(d *ast.Definition, members map[string]any) (any, *Error) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if d.Fields.ForName(name) == nil {
			return nil, refusal("The variables input contains a field name '%s' that is not "+
				"defined for input object type '%s' ", name, d.Name)
		}
	}
	object := map[string]any{}
	for _, f := range d.Fields {
		value, present := members[f.Name]
		if !present && f.DefaultValue != nil {
			value, present = literal(f.DefaultValue, nil), true
		}
		if !present && !f.Type.NonNull {
			continue
		}
		var err *Error
		if object[f.Name], err = c.coerce(f.Type, value, f.Name); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// null is the error of a value that must not be null.
func (c coercion) null(t *ast.Type) *Error {
	return refusal("Variable '%s' has coerced Null value for NonNull type '%s'",
		c.variable, t.String())
}

// kindOf names the type of a value in errors.
func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "String"
	case bool:
		return "Boolean"
	case []any:
		return "List"
	case map[string]any:
		return "Map"
	default:
		return "Number"
	}
}

// absent is the value of a variable that was not given.
type absent struct{}

// literal returns the value of a literal. Variables in it are of variables.
func literal(v *ast.Value, variables map[string]any) any {
	switch v.Kind {
	case ast.Variable:
		value, present := variables[v.Raw]
		if !present {
			return absent{}
		}
		return coerced{value}
	case ast.IntValue:
		if n, err := strconv.ParseInt(v.Raw, 10, 64); err == nil {
			return n
		}
		return float(v.Raw)
	case ast.FloatValue:
		return float(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.NullValue:
		return nil
	case ast.ListValue:
		list := []any{}
		for _, child := range v.Children {
			member := literal(child.Value, variables)
			if isAbsent(member) {
				member = nil
			}
			list = append(list, member)
		}
		return list
	case ast.ObjectValue:
		object := map[string]any{}
		for _, child := range v.Children {
			if value := literal(child.Value, variables); !isAbsent(value) {
				object[child.Name] = value
			}
		}
		return object
	default: // texts and values of enumerations
		return v.Raw
	}
}

func isAbsent(v any) bool {
	_, ok := v.(absent)
	return ok
}

// float returns the value of a number that is not an integer in the document.
func float(raw string) any {
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return math.Inf(1)
	}
	return f
}

// coerceArguments converts the arguments of all fields that a selection has.
func (o *Operation) coerceArguments(set ast.SelectionSet, names []string) *Error {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			path := append(slices.Clip(names), s.Name)
			if _, done := o.arguments[s]; done {
				continue
			}
			args, err := o.coerceField(s)
			if err != nil {
				return &Error{locations: at(s.Position), Message: fmt.Sprintf(
					"Validation error of type WrongType: %s @ '%s'",
					err.Message, strings.Join(path, "/"))}
			}
			o.arguments[s] = args
			if e := o.coerceArguments(s.SelectionSet, path); e != nil {
				return e
			}
		case *ast.InlineFragment:
			if e := o.coerceArguments(s.SelectionSet, names); e != nil {
				return e
			}
		case *ast.FragmentSpread:
			if o.spread[s.Definition] {
				continue
			}
			o.spread[s.Definition] = true
			if e := o.coerceArguments(s.Definition.SelectionSet, names); e != nil {
				return e
			}
		}
	}
	return nil
}

func (o *Operation) coerceField(f *ast.Field) (map[string]any, *Error) {
	args := map[string]any{}
	for _, d := range f.Definition.Arguments {
		var value any = absent{}
		if a := f.Arguments.ForName(d.Name); a != nil {
			value = literal(a.Value, o.variables)
		}
		if isAbsent(value) && d.DefaultValue != nil {
			value = literal(d.DefaultValue, nil)
		}
		if isAbsent(value) {
			if !d.Type.NonNull {
				continue
			}
			value = nil
		}
		var err *Error
		c := coercion{o.schema, d.Name}
		if args[d.Name], err = c.coerce(d.Type, value, d.Name); err != nil {
			return nil, err
		}
	}
	return args, nil
}
