package graphql

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// introspection is an object of the introspection system (GraphQL specification, "Introspection").
// Its schema makes references to types objects of their own.
type introspection struct {
	schema *ast.Schema
	of     any // *ast.Schema, *ast.Type, *ast.FieldDefinition, *ast.ArgumentDefinition, …
}

// introspected returns the value of __schema or __type.
func introspected(schema *ast.Schema, name string, args map[string]any) any {
	if name == "__schema" {
		return introspection{schema, schema}
	}
	wanted, _ := args["name"].(string)
	if schema.Types[wanted] == nil {
		return nil
	}
	return introspection{schema, ast.NamedType(wanted, nil)}
}

// field returns the value of a field of the object, or nil.
func (i introspection) field(name string, args map[string]any) any {
	deprecated := args["includeDeprecated"] == true
	switch of := i.of.(type) {
	case *ast.Schema:
		return i.schemaField(of, name)
	case *ast.Type:
		if of.NonNull || of.Elem != nil {
			return i.wrapper(of, name)
		}
		return i.typeField(i.schema.Types[of.NamedType], name, deprecated)
	case *ast.FieldDefinition:
		return i.member(name, of.Name, of.Description, of.Type, of.Directives, of.DefaultValue,
			of.Arguments)
	case *ast.ArgumentDefinition:
		return i.member(name, of.Name, of.Description, of.Type, of.Directives, of.DefaultValue, nil)
	case *ast.EnumValueDefinition:
		return i.member(name, of.Name, of.Description, nil, of.Directives, nil, nil)
	case *ast.DirectiveDefinition:
		switch name {
		case "locations":
			var locations []any
			for _, l := range of.Locations {
				locations = append(locations, string(l))
			}
			return locations
		case "isRepeatable":
			return of.IsRepeatable
		}
		return i.member(name, of.Name, of.Description, nil, nil, nil, of.Arguments)
	}
	return nil
}

func (i introspection) schemaField(s *ast.Schema, name string) any {
	root := func(d *ast.Definition) any {
		if d == nil {
			return nil
		}
		return i.typed(ast.NamedType(d.Name, nil))
	}
	switch name {
	case "queryType":
		return root(s.Query)
	case "mutationType":
		return root(s.Mutation)
	case "subscriptionType":
		return root(s.Subscription)
	case "types":
		var types []any
		for _, name := range slices.Sorted(maps.Keys(s.Types)) {
			types = append(types, i.typed(ast.NamedType(name, nil)))
		}
		return types
	case "directives":
		var directives []any
		for _, name := range slices.Sorted(maps.Keys(s.Directives)) {
			directives = append(directives, introspection{i.schema, s.Directives[name]})
		}
		return directives
	}
	return nil
}

func (i introspection) typed(t *ast.Type) any {
	if t == nil {
		return nil
	}
	return introspection{i.schema, t}
}

// wrapper returns a field of the type of lists or of values that are not null.
func (i introspection) wrapper(t *ast.Type, name string) any {
	kind, inner := "LIST", t.Elem
	if t.NonNull {
		nullable := *t
		nullable.NonNull = false
		kind, inner = "NON_NULL", &nullable
	}
	switch name {
	case "kind":
		return kind
	case "ofType":
		return i.typed(inner)
	}
	return nil
}

func (i introspection) typeField(d *ast.Definition, name string, deprecated bool) any {
	switch name {
	case "kind":
		return string(d.Kind)
	case "name":
		return d.Name
	case "description":
		return orNil(d.Description)
	case "fields":
		if d.Kind != ast.Object && d.Kind != ast.Interface {
			return nil
		}
		return i.fields(d.Fields, deprecated)
	case "inputFields":
		if d.Kind != ast.InputObject {
			return nil
		}
		return i.fields(d.Fields, deprecated)
	case "enumValues":
		if d.Kind != ast.Enum {
			return nil
		}
		values := []any{}
		for _, v := range d.EnumValues {
			if deprecated || v.Directives.ForName("deprecated") == nil {
				values = append(values, introspection{i.schema, v})
			}
		}
		return values
	case "interfaces":
		if d.Kind != ast.Object {
			return nil
		}
		interfaces := []any{}
		for _, name := range d.Interfaces {
			interfaces = append(interfaces, i.typed(ast.NamedType(name, nil)))
		}
		return interfaces
	case "possibleTypes":
		if !d.IsAbstractType() {
			return nil
		}
		types := []any{}
		for _, possible := range i.schema.PossibleTypes[d.Name] {
			types = append(types, i.typed(ast.NamedType(possible.Name, nil)))
		}
		return types
	}
	return nil
}

func (i introspection) fields(list ast.FieldList, deprecated bool) any {
	fields := []any{}
	for _, f := range list {
		hidden := !deprecated && f.Directives.ForName("deprecated") != nil
		if !hidden && !strings.HasPrefix(f.Name, "__") {
			fields = append(fields, introspection{i.schema, f})
		}
	}
	return fields
}

// member returns a field of a field, an argument, a value of an enumeration or a directive.
func (i introspection) member(name, itself, description string, t *ast.Type,
	directives ast.DirectiveList, byDefault *ast.Value, args ast.ArgumentDefinitionList) any {
	reason := directives.ForName("deprecated")
	switch name {
	case "name":
		return itself
	case "description":
		return orNil(description)
	case "type":
		return i.typed(t)
	case "defaultValue":
		if byDefault == nil {
			return nil
		}
		return byDefault.String()
	case "args":
		list := []any{}
		for _, a := range args {
			list = append(list, introspection{i.schema, a})
		}
		return list
	case "isDeprecated":
		return reason != nil
	case "deprecationReason":
		if reason == nil || reason.Arguments.ForName("reason") == nil {
			return nil
		}
		return reason.Arguments.ForName("reason").Value.Raw
	}
	return nil
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
