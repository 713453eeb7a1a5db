package data

import (
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify"
)

// ModelDocuments returns the documents of a model by the names of its queries and mutations.
func ModelDocuments[T any](m Model[T]) map[string]string { return m.m.documents }

// DocumentsOf is [ModelDocuments] for ModelOf with a type that is known at run time only.
func DocumentsOf(app *amplify.App, name string, t reflect.Type) (map[string]string, error) {
	m, err := newModel(app, name, func(s *selector) ast.SelectionSet {
		return s.ofType(spot{place: t.String()}, itemType(name), t)
	})
	if err != nil {
		return nil, err
	}
	return m.documents, nil
}

// DocumentOf returns the document of a relation.
func DocumentOf[T any](r Relation[T]) string { return r.r.document }
