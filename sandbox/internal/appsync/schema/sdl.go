package schema

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// argument returns the value of a directive's argument, or nil.
func argument(d *ast.Directive, name string) *ast.Value {
	if a := d.Arguments.ForName(name); a != nil {
		return a.Value
	}
	return nil
}

// children returns the members of a list. GraphQL takes a single value for a list of one.
func children(v *ast.Value) []*ast.Value {
	if v == nil || v.Kind == ast.NullValue {
		return nil
	}
	if v.Kind != ast.ListValue {
		return []*ast.Value{v}
	}
	var list []*ast.Value
	for _, c := range v.Children {
		list = append(list, c.Value)
	}
	return list
}

// members checks that an object has no other members than those named.
func (r *reader) members(d *ast.Directive, v *ast.Value, names ...string) {
	if v == nil {
		return
	}
	if v.Kind != ast.ObjectValue && v.Kind != ast.NullValue {
		r.fault(d.Position, "@%s has %s where an object belongs", d.Name, v)
		return
	}
	for _, c := range v.Children {
		if !slices.Contains(names, c.Name) {
			r.fault(d.Position, "@%s has the unknown member %q", d.Name, c.Name)
		}
	}
}

func text(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return v.Raw
}

func texts(v *ast.Value) []string {
	var list []string
	for _, c := range children(v) {
		list = append(list, c.Raw)
	}
	return list
}

func textValue(s string) *ast.Value { return &ast.Value{Kind: ast.StringValue, Raw: s} }

func textValues(list []string) *ast.Value {
	v := &ast.Value{Kind: ast.ListValue}
	for _, s := range list {
		v.Children = append(v.Children, &ast.ChildValue{Value: textValue(s)})
	}
	return v
}

// directive makes a directive of names and values in turn.
func directive(name string, pos *ast.Position, args ...any) *ast.Directive {
	d := &ast.Directive{Name: name, Position: pos}
	for i := 0; i < len(args); i += 2 {
		d.Arguments = append(d.Arguments, &ast.Argument{
			Name: args[i].(string), Value: args[i+1].(*ast.Value), Position: pos,
		})
	}
	return d
}

// named returns the type that GraphQL writes so.
func named(s string) *ast.Type {
	t := &ast.Type{}
	if last := len(s) - 1; s[last] == '!' {
		t.NonNull, s = true, s[:last]
	}
	if s[0] == '[' {
		t.Elem = named(s[1 : len(s)-1])
	} else {
		t.NamedType = s
	}
	return t
}

func field(name, typ string, pos *ast.Position) *ast.FieldDefinition {
	return &ast.FieldDefinition{Name: name, Type: named(typ), Position: pos}
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
