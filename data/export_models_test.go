package data

import (
	"maps"
	"reflect"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"
)

// ModelDocuments returns the documents of a model by the names of its queries and mutations.
func ModelDocuments[T any](m Model[T]) map[string]string { return m.m.documents }

// DocumentsOf is [ModelDocuments] for ModelOf with a type that is known at run time only.
func DocumentsOf(app *amplify.App, name string, t reflect.Type) (map[string]string, error) {
	m, err := newModel(app, name, func(s *selector) ast.SelectionSet {
		return s.ofType(t.String(), itemType(name), t)
	})
	if err != nil {
		return nil, err
	}
	return m.documents, nil
}

// DocumentOf returns the document of a relation.
func DocumentOf[T any](r Relation[T]) string { return r.r.document }

// DocumentsFrom returns all documents of the models, relations and operations of a description.
func DocumentsFrom(description []byte) (all []string) {
	schema, err := introspection.Parse(description)
	if err != nil {
		return nil
	}
	a := newAPI(nil, schema)
	g := reflect.TypeFor[any]()
	for _, of := range schema.Models {
		m, err := a.model(of.Name, func(s *selector) ast.SelectionSet {
			return everything(schema, itemType(of.Name))
		})
		if err != nil {
			continue
		}
		all = slices.AppendSeq(all, maps.Values(m.documents))
		for _, f := range of.Fields {
			if r, err := newRelation(m, f.Name, g); err == nil {
				all = append(all, r.document)
			}
		}
	}
	for _, of := range slices.Concat(schema.Queries, schema.Mutations) {
		if o, err := a.operation(of.Name, g); err == nil {
			all = append(all, o.document)
		}
	}
	return all
}
