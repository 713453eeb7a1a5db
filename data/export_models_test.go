package data

import (
	"reflect"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"

	"github.com/vektah/gqlparser/v2/ast"
)

// ModelDocuments returns the documents of a model by the names of its queries and mutations.
func ModelDocuments[T any](m Model[T]) map[string]string { return m.m.documents }

// DocumentsOf is [ModelDocuments] for ModelOf with a type that is known at run time only.
func DocumentsOf(app *amplify.App, name string, t reflect.Type) (map[string]string, error) {
	m, err := newModel(app, name, func(s *selector, m *introspection.Model) ast.SelectionSet {
		item := introspection.Type{Kind: introspection.ModelType, Name: m.Name}
		return s.ofType(t.String(), "", item, false, t)
	})
	if err != nil {
		return nil, err
	}
	return m.documents, nil
}

// DocumentOf returns the document of a relation.
func DocumentOf[T any](r Relation[T]) string { return r.r.document }
