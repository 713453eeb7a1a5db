package data

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"
)

// Relation reads the items that an item of a model is related to, as values of type T, when they
// are wanted. [RelationOf] makes one, once for an App. It is safe for concurrent use.
//
// Where the other items are wanted with each item, a field of the model's struct that selects them
// takes one call for all.
type Relation[T any] struct {
	r       *relation
	options Options
}

// RelationInput is the input of the calls of a [Relation].
type RelationInput struct {
	// Of is the item whose relation it is: a struct or a map, such as [Key], with the fields of its
	// key. Of a belongs-to relation these are the fields that hold the key of the other item.
	Of any
	// The others are for has-many relations, and are those of [ListInput].
	Filter        Filter
	SortDirection SortDirection
	Limit         int
	NextToken     string
	MaxRead       int
	Options
}

// RelationOf returns a relation of the model m by the name of its field. T is what is selected of
// each other item, as for [ModelOf]. The relation has the options of the model.
//
//	comments, err := data.RelationOf[Comment](posts, "comments")
//	page, err := comments.List(ctx, data.RelationInput{Of: post})
//
// Items of a has-many relation are read by the index of the relation. Amplify JS, which lists all
// items and filters them, reads the whole table.
func RelationOf[T, M any](m Model[M], field string) (Relation[T], error) {
	r, err := newRelation(m.m, field, reflect.TypeFor[T]())
	return Relation[T]{r, m.options}, err
}

// With returns the relation with options that its calls fall back on. They win over those that the
// relation had.
func (r Relation[T]) With(o Options) Relation[T] {
	r.options = o.frozen().over(r.options)
	return r
}

// relation is what a [Relation] of any T knows.
type relation struct {
	api
	of, other *introspection.Model
	field     *introspection.Field
	selection selection
	query     string // get of this model or, if it is direct, of the other
	direct    bool
	document  string
}

func newRelation(m *model, field string, g reflect.Type) (*relation, error) {
	if m == nil {
		return nil, errZero("Model", "ModelOf")
	}
	f := m.of.Field(field)
	if f == nil || f.Relation == nil {
		var names []string
		for _, f := range m.of.Fields {
			if f.Relation != nil {
				names = append(names, f.Name)
			}
		}
		return nil, errUnknown("relation of "+m.of.Name, field, names)
	}
	r := &relation{api: m.api, of: m.of, other: m.schema.Model(f.Type.Name), field: f}
	s, item := newSelector(m.schema), itemType(f.Type.Name)
	fields := s.ofType(g.String(), item, g)
	var err error
	if r.selection, err = s.selection(fields, inWords(item)); err != nil {
		return nil, err
	}
	get := r.other.Operation(introspection.Get)
	if f.Relation.Kind == introspection.BelongsTo && get != "" &&
		len(f.Relation.Targets) == len(r.other.Key) {
		r.query, r.direct = get, true
		r.document = document(ast.Query, get, identifierArguments(r.other), r.selection)
		return r, nil
	}
	if r.query = r.of.Operation(introspection.Get); r.query == "" {
		return nil, &amplify.Error{
			Name: dataErrorName, Reason: amplify.ReasonConfiguration,
			Message: fmt.Sprintf("The relation %s.%s cannot be read by itself, since the API "+
				"cannot get a %s.", r.of.Name, field, r.of.Name),
			RecoverySuggestion: "Select the relation in the items of a list, or list the other " +
				"model by an index.",
		}
	}
	r.print()
	return r, nil
}

// name returns the name of the relation for people.
func (r *relation) name() string { return r.of.Name + "." + r.field.Name }

// print prints the document that reads the relation as a field of its item.
func (r *relation) print() {
	inner := selectedWith(r.field.Name, r.selection.fields)
	variables := identifierArguments(r.of)
	if isConnection(r.field) {
		arguments := []argument{
			{"filter", optional(inputName(r.other, "FilterInput"))},
			{"sortDirection", optional("ModelSortDirection")},
			{"limit", optional("Int")}, {"nextToken", optional("String")},
		}
		variables = append(variables, arguments...)
		inner.Arguments = passed(arguments)
		inner.SelectionSet = r.selection.page().fields
	}
	outer := selectedWith(r.query, ast.SelectionSet{inner})
	outer.Arguments = passed(identifierArguments(r.of))
	r.document = operationText(ast.Query, append(variables, r.selection.variables()...), outer)
}

// identify returns the variables that say whose relation it is. It returns [ErrNotFound] if the
// item refers to none.
func (r *relation) identify(of any) (map[string]any, error) {
	model, names := r.of, r.of.Key
	if r.direct {
		model, names = r.other, r.field.Relation.Targets
	}
	fields, err := r.fieldsOf(r.of.Name, names, of)
	if err != nil {
		return nil, err
	}
	key := Key{}
	for i, name := range names {
		value, has := fields[name]
		switch {
		case !has:
			return nil, hinted(errInvalid(r.of.Name+"."+name,
				"the item lacks this field, by which the relation is found"), "Select it.")
		case r.direct && (value == nil || value == ""):
			return nil, errNotFound(r.other.Name)
		}
		key[model.Key[i]] = value
	}
	return r.identifier(model, key)
}

// Get returns the other item of a belongs-to or has-one relation. If there is none the error
// matches [ErrNotFound].
func (r Relation[T]) Get(ctx context.Context, in RelationInput) (*T, error) {
	if r.r == nil {
		return nil, errZero("Relation", "RelationOf")
	}
	if isConnection(r.r.field) {
		return nil, errInvalid(r.r.name(), "the relation has many items: list them")
	}
	variables, err := r.r.identify(in.Of)
	if err != nil {
		return nil, err
	}
	op := operation{document: r.r.document, variables: r.r.selection.with(variables)}
	o := in.over(r.options)
	var item *T
	if r.r.direct {
		item, err = send[T](ctx, r.r.api, r.r.query, op, o)
	} else {
		item, err = sendNested[T](ctx, r.r, op, o)
	}
	if item == nil && err == nil {
		err = errNotFound(r.r.other.Name)
	}
	return item, err
}

// sendNested sends an operation and decodes the field of the relation.
func sendNested[D any](ctx context.Context, r *relation, op operation, o Options) (*D, error) {
	item, err := send[map[string]*D](ctx, r.api, r.query, op, o)
	if item == nil {
		return nil, err
	}
	return (*item)[r.field.Name], err
}

// List returns a page of the items of a has-many relation. Of a page that has errors, it returns
// both. If there is no item whose relation it is, the error matches [ErrNotFound].
func (r Relation[T]) List(ctx context.Context, in RelationInput) (*Page[T], error) {
	if r.r == nil {
		return nil, errZero("Relation", "RelationOf")
	}
	if !isConnection(r.r.field) {
		return nil, errInvalid(r.r.name(), "the relation has one item: get it")
	}
	variables, err := r.r.identify(in.Of)
	if err != nil {
		return nil, err
	}
	if err := r.r.paging(in.list(), r.r.other, variables); err != nil {
		return nil, err
	}
	op := operation{document: r.r.document, variables: r.r.selection.with(variables)}
	page, err := sendNested[Page[T]](ctx, r.r, op, in.over(r.options))
	if page == nil && err == nil {
		err = errNotFound(r.r.of.Name)
	}
	return page, err
}

// ListAll returns all items of a has-many relation, page by page. See [Model.ListAll].
func (r Relation[T]) ListAll(ctx context.Context, in RelationInput) iter.Seq2[*T, error] {
	list := func(ctx context.Context, page ListInput) (*Page[T], error) {
		in := in
		in.Limit, in.NextToken = page.Limit, page.NextToken
		return r.List(ctx, in)
	}
	return listAll(ctx, in.list(), list)
}

func (in RelationInput) list() ListInput {
	return ListInput{
		Filter: in.Filter, SortDirection: in.SortDirection,
		Limit: in.Limit, NextToken: in.NextToken, MaxRead: in.MaxRead,
	}
}
