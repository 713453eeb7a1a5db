package data

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/amplify-go/amplify/internal/introspection"
)

// argument is an argument of a field. A variable of the same name gives its value.
type argument struct {
	name string
	typ  *ast.Type
}

// document prints an operation with one field, which takes arguments and returns what is selected.
// Values are never part of a document.
func document(kind ast.Operation, field string, arguments []argument, s selection) string {
	f := selectedWith(field, s.fields)
	f.Arguments = passed(arguments)
	return operationText(kind, slices.Concat(arguments, s.variables()), f)
}

// passed returns arguments as variables give them.
func passed(arguments []argument) (all ast.ArgumentList) {
	for _, a := range arguments {
		value := &ast.Value{Kind: ast.Variable, Raw: a.name}
		all = append(all, &ast.Argument{Name: a.name, Value: value})
	}
	return all
}

// operationText prints an operation with variables and one field.
func operationText(kind ast.Operation, variables []argument, field *ast.Field) string {
	o := &ast.OperationDefinition{Operation: kind, SelectionSet: ast.SelectionSet{field}}
	for _, v := range variables {
		o.VariableDefinitions = append(o.VariableDefinitions,
			&ast.VariableDefinition{Variable: v.name, Type: v.typ})
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("")).
		FormatQueryDocument(&ast.QueryDocument{Operations: ast.OperationList{o}})
	return b.String()
}

// astType returns a type for a document.
func astType(t introspection.Type) *ast.Type {
	a := &ast.Type{NamedType: t.Name, NonNull: t.Required}
	if t.List {
		a = &ast.Type{Elem: a, NonNull: t.ListRequired}
	}
	return a
}

func optional(name string) *ast.Type { return ast.NamedType(name, nil) }
func required(name string) *ast.Type { return ast.NonNullNamedType(name, nil) }
