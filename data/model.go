package data

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"
)

// ErrNotFound is in the chain of an error that says that there is no such item. Of an item that the
// rules of the model hide from the caller, the API says "Unauthorized".
var ErrNotFound = errors.New("there is no such item")

// Model reads and writes the items of a model of the backend, as values of type T. [ModelOf] makes
// one, once for an App. It is safe for concurrent use.
type Model[T any] struct {
	m       *model
	options Options
}

// ModelOf returns the model of that name, with T as what is selected of each item: T is a struct
// whose fields are those of the model, by the names that encoding/json finds in an answer.
//
//	type Note struct {
//		ID        string
//		Title     string
//		Done      *bool                    // nil if it is null
//		CreatedAt time.Time
//		Author    struct{ Name string }    // another model
//		Comments  data.Page[Comment] `data:"limit=20"`
//	}
//	notes, err := data.ModelOf[Note](app, "Note")
//
// A field of another model or a custom type is a struct that selects in turn, or a map[string]any
// for all of its fields but those of other models; a has-many relation is a [Page]. A Go type must
// fit the type of its field; see [Date] for the scalars of AWS. Null leaves a field as it is, so
// that it takes a pointer to tell null from zero. T itself may be a map[string]any.
//
// ModelOf reports all faults at once (see [amplify.ConfigErrors]): fields that the model lacks, Go
// types that do not fit, types that select themselves. A model needs a description of the backend
// in the configuration, which the outputs of Amplify have.
func ModelOf[T any](app *amplify.App, name string) (Model[T], error) {
	g := reflect.TypeFor[T]()
	m, err := newModel(app, name, func(s *selector) ast.SelectionSet {
		return s.ofType(g.String(), itemType(name), g)
	})
	return Model[T]{m: m}, err
}

// DynamicModelOf returns the model of that name for a program that learns at run time what it is
// to read. The selection has the form of selectionSet in Amplify JS: "title", "author.name",
// "author.*". Without one, all fields are selected but those of other models. In an item a has-many
// relation is a list, as in Amplify JS.
func DynamicModelOf(
	app *amplify.App, name string, selection ...string,
) (Model[map[string]any], error) {
	m, err := newModel(app, name, func(s *selector) ast.SelectionSet {
		if selection == nil {
			return everything(s.schema, itemType(name))
		}
		return s.ofPaths(name, selection)
	})
	return Model[map[string]any]{m: m}, err
}

// With returns the model with options that its calls fall back on. They win over those that the
// model had.
func (m Model[T]) With(o Options) Model[T] {
	m.options = o.frozen().over(m.options)
	return m
}

// model is what a [Model] of any T knows.
type model struct {
	api
	of        *introspection.Model
	selection selection
	listings  []listing
	documents map[string]string
}

// Documents of mutations have a key of their own if there is a condition.
const conditional = " if"

func newModel(
	app *amplify.App, name string, choose func(*selector) ast.SelectionSet,
) (*model, error) {
	a, err := apiOf(app)
	if err != nil {
		return nil, err
	}
	return a.model(name, choose)
}

func (a api) model(name string, choose func(*selector) ast.SelectionSet) (m *model, err error) {
	m = &model{api: a, of: a.schema.Model(name), documents: map[string]string{}}
	if m.of == nil {
		names := make([]string, len(a.schema.Models))
		for i, m := range a.schema.Models {
			names[i] = m.Name
		}
		return nil, errUnknown("model", name, names)
	}
	s := newSelector(a.schema)
	if m.selection, err = s.selection(choose(s), inWords(itemType(name))); err != nil {
		return nil, err
	}
	m.print()
	return m, nil
}

// print prints the documents of the model.
func (m *model) print() {
	pascal := introspection.Capitalize(m.of.Name)
	for _, a := range m.of.Actions() {
		name := m.of.Operation(a)
		switch a {
		case introspection.Get:
			m.documents[name] = document(ast.Query, name, identifierArguments(m.of), m.selection)
		case introspection.Create, introspection.Update, introspection.Delete:
			inputType := introspection.Capitalize(string(a)) + pascal + "Input"
			input := []argument{{"input", required(inputType)}}
			condition := append(input,
				argument{"condition", optional("Model" + pascal + "ConditionInput")})
			m.documents[name] = document(ast.Mutation, name, input, m.selection)
			m.documents[name+conditional] = document(ast.Mutation, name, condition, m.selection)
		}
	}
	m.listings = listings(m.of)
	for _, l := range m.listings {
		m.documents[l.query] = document(ast.Query, l.query, l.arguments(m.of), m.selection.page())
	}
}

// identifierArguments returns the arguments of the query for one item.
func identifierArguments(m *introspection.Model) (all []argument) {
	for _, name := range m.Key {
		all = append(all, argument{name, required(m.Field(name).Type.Name)})
	}
	return all
}

// action returns the name of the query or mutation for an action.
func (m *model) action(a introspection.Action) (string, error) {
	if m == nil {
		return "", errZero("Model", "ModelOf")
	}
	name := m.of.Operation(a)
	if name == "" {
		return "", errInvalid(m.of.Name, "the API has no operation to %s an item of this model", a)
	}
	return name, nil
}

// api is what models, relations and custom operations have in common.
type api struct {
	app *amplify.App
	wire
}

func apiOf(app *amplify.App) (api, error) {
	schema, err := introspection.Of(app)
	return newAPI(app, schema), err
}

func newAPI(app *amplify.App, schema *introspection.Schema) api {
	return api{app, wire{schema, &sync.Map{}}}
}

// server returns the server context in ctx, which must belong to the App of a.
func (a api) server(ctx context.Context) (*amplify.ServerContext, error) {
	server, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	if server.App() != a.app {
		return nil, &amplify.Error{
			Name: dataErrorName, Reason: amplify.ReasonConfiguration,
			Message:            "The context belongs to another App than the model.",
			RecoverySuggestion: "Make the models of each App with that App.",
		}
	}
	return server, nil
}

// send sends an operation with one field, and decodes the value of that field into a D. It returns
// nil for null.
func send[D any](ctx context.Context, a api, field string, op operation, o Options) (*D, error) {
	if _, err := a.server(ctx); err != nil {
		return nil, err
	}
	answer, err := call[map[string]*D](ctx, op, o)
	if answer == nil {
		return nil, err
	}
	return (*answer)[field], err
}

// GetInput is the input of [Model.Get].
type GetInput struct {
	// Key identifies the item.
	Key Key
	Options
}

// Get returns the item with that key. If there is none the error matches [ErrNotFound].
func (m Model[T]) Get(ctx context.Context, in GetInput) (*T, error) {
	name, err := m.m.action(introspection.Get)
	if err != nil {
		return nil, err
	}
	variables, err := m.m.identifier(m.m.of, in.Key)
	if err != nil {
		return nil, err
	}
	op := operation{document: m.m.documents[name], variables: m.m.selection.with(variables)}
	return one[T](ctx, m.m, name, op, in.over(m.options))
}

// one sends an operation that returns one item of m.
func one[T any](ctx context.Context, m *model, name string, op operation, o Options) (*T, error) {
	item, err := send[T](ctx, m.api, name, op, o)
	if item == nil && err == nil {
		return nil, errNotFound(m.of.Name)
	}
	m.flatten(item)
	return item, err
}

// KeyOf returns the key of an item: a T, or another struct or map with the fields of the key.
func (m Model[T]) KeyOf(item any) (Key, error) {
	if m.m == nil {
		return nil, errZero("Model", "ModelOf")
	}
	fields, err := m.m.fieldsOf(m.m.of.Name, m.m.of.Key, item)
	if err != nil {
		return nil, err
	}
	for _, name := range m.m.of.Key {
		if _, err := m.m.keyValue(m.m.of, name, fields[name]); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// fieldsOf returns fields of an item by their names.
func (w wire) fieldsOf(place string, names []string, item any) (Key, error) {
	all := Key{}
	err := w.members(place, reflect.ValueOf(item), func(m member) error {
		for _, name := range names {
			if m.name == name || !m.ofMap && strings.EqualFold(m.name, name) {
				all[name] = plainPointer(m.value)
			}
		}
		return nil
	})
	return all, err
}

// plainPointer returns what v holds or points to, or nil.
func plainPointer(v reflect.Value) any {
	v = pointed(v)
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// flatten makes lists of the pages in a dynamic item, as Amplify JS does. Other items have them as
// they are.
func (m *model) flatten(item any) {
	if dynamic, ok := item.(*map[string]any); ok && dynamic != nil {
		m.flattenItem(m.of, *dynamic)
	}
}

func (m *model) flattenItem(of *introspection.Model, item map[string]any) {
	for name, value := range item {
		f := of.Field(name)
		if f == nil || f.Type.Kind != introspection.ModelType {
			continue
		}
		related, _ := value.(map[string]any)
		items, isPage := related["items"].([]any)
		if isPage && isConnection(f) {
			item[name] = items
		} else {
			items = []any{related}
		}
		for _, one := range items {
			if one, ok := one.(map[string]any); ok {
				m.flattenItem(m.schema.Model(f.Type.Name), one)
			}
		}
	}
}
