package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/internal/introspection"
)

// Key holds fields of a key by their names. It identifies an item by all fields of the identifier
// of its model:
//
//	data.ID("n1")                              // of a model with an "id"
//	data.Key{"tenantId": "t", "customerNo": 7}
//
// To list, it has a value for the partition key and, for the sort key, a value or a [Condition]:
//
//	data.Key{"tenantId": "t", "customerNo": data.Between(1, 9)}
//
// Several sort keys are one, under a joined name. DynamoDB compares their values as one text, with
// "#" between them:
//
//	data.Key{"level": "BASIC", "heldOnTitle": data.BeginsWith(data.Key{"heldOn": "2024-05-17"})}
type Key map[string]any

// ID returns the key of an item that is identified by its "id".
func ID(id string) Key { return Key{"id": id} }

// SortDirection says which end of an index comes first.
type SortDirection string

// Directions.
const (
	Ascending  SortDirection = "ASC"
	Descending SortDirection = "DESC"
)

// keyNames returns the names of the fields of a key, as text for errors.
func keyNames(fields []string) string { return strings.Join(fields, ", ") }

// identifier returns what is sent for the key of an item of the model.
func (w wire) identifier(model *introspection.Model, key Key) (map[string]any, error) {
	for _, name := range slices.Sorted(maps.Keys(key)) {
		if !slices.Contains(model.Key, name) {
			return nil, hinted(errInvalid(model.Name+"."+name, "the key has no such field"),
				"It has %s.", keyNames(model.Key))
		}
	}
	all := map[string]any{}
	for _, name := range model.Key {
		var err error
		if all[name], err = w.keyValue(model, name, key[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// keyValue returns what is sent for a field of a key, which cannot be empty.
func (w wire) keyValue(model *introspection.Model, name string, value any) (any, error) {
	place := model.Name + "." + name
	sent, err := w.value(place, model.Field(name).Type, value)
	if err == nil && (sent == nil || sent == "") {
		err = errInvalid(place, "the key lacks this field, or it is empty")
	}
	return sent, err
}

// listing is a query that lists items by a key.
type listing struct {
	query string
	// key are the partition key and the sort keys. Without them only the whole table can be listed.
	key     []string
	keyType string // of conditions of several sort keys
	indexed bool
}

// listings returns what the API has to list items of a model, the table first.
func listings(m *introspection.Model) (all []listing) {
	if query := m.Operation(introspection.List); query != "" {
		l := listing{query: query}
		if m.CustomKey {
			l.key, l.keyType = m.Key, "Primary"
		}
		all = append(all, l)
	}
	for _, i := range m.Indexes {
		l := listing{i.Query, i.Key, introspection.Capitalize(i.Name), true}
		all = append(all, l)
	}
	return all
}

// sortName returns the name of the argument for the sort keys, or "".
func (l listing) sortName() string {
	if len(l.key) < 2 {
		return ""
	}
	name := l.key[1]
	for _, more := range l.key[2:] {
		name += introspection.Capitalize(more)
	}
	return name
}

// arguments returns the arguments of the query, in the order of Amplify JS.
func (l listing) arguments(m *introspection.Model) (all []argument) {
	direction := argument{"sortDirection", optional("ModelSortDirection")}
	filter := argument{"filter", optional(inputName(m, "FilterInput"))}
	if len(l.key) > 0 {
		partition := m.Field(l.key[0]).Type.Name
		if l.indexed {
			all = append(all, argument{l.key[0], required(partition)})
		} else {
			all = append(all, argument{l.key[0], optional(partition)}, direction)
		}
	}
	if name := l.sortName(); name != "" {
		all = append(all, argument{name, l.sortType(m)})
	}
	all = append(all, filter)
	if l.indexed {
		all = append(all, direction)
	}
	return append(all,
		argument{"limit", optional("Int")}, argument{"nextToken", optional("String")})
}

// inputName returns the name of an input of a model.
func inputName(m *introspection.Model, end string) string {
	return "Model" + introspection.Capitalize(m.Name) + end
}

// sortType returns the type of the argument for the sort keys.
func (l listing) sortType(m *introspection.Model) *ast.Type {
	if len(l.key) > 2 {
		return optional(inputName(m, l.keyType+"CompositeKeyConditionInput"))
	}
	name := "String"
	if t := m.Field(l.key[1]).Type; t.Kind == introspection.ScalarType {
		switch t.Name {
		case "ID", "Boolean", "Int", "Float":
			name = t.Name
		case "AWSTimestamp":
			name = "Int"
		}
	}
	return optional("Model" + name + "KeyConditionInput")
}

// keyOperators compare sort keys. The last one is for texts, and for several sort keys.
var keyOperators = []string{"eq", "le", "lt", "ge", "gt", "between", "beginsWith"}

// variables returns what is sent for a key.
func (l listing) variables(w wire, m *introspection.Model, key Key) (map[string]any, error) {
	var taken []string
	if len(l.key) > 0 {
		taken = append(taken, l.key[0])
	}
	if sort := l.sortName(); sort != "" {
		taken = append(taken, sort)
	}
	for _, name := range slices.Sorted(maps.Keys(key)) {
		if !slices.Contains(taken, name) {
			return nil, hinted(
				errInvalid(m.Name+"."+name, "%s has no such key", l.query), "%s", l.takes(m))
		}
	}
	all := map[string]any{}
	for i, name := range taken {
		value, given := key[name]
		var err error
		switch {
		case i == 0 && (l.indexed || len(key) > 0):
			all[name], err = w.keyValue(m, name, value)
		case i > 0 && given:
			all[name], err = l.condition(w, m, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// takes tells which keys the query takes.
func (l listing) takes(m *introspection.Model) string {
	if len(l.key) > 0 {
		text := "It takes the partition key " + l.key[0]
		if sort := l.sortName(); sort != "" {
			text += " and a value or a condition for " + sort
		}
		return text + "."
	}
	var others []string
	for _, i := range m.Indexes {
		others = append(others, fmt.Sprintf("%q by %s", i.Query, keyNames(i.Key)))
	}
	if others == nil {
		return "It takes none."
	}
	return "It takes none. Indexes do: " + strings.Join(others, "; ") + "."
}

// condition returns what is sent for a value or a condition of the sort keys.
func (l listing) condition(w wire, m *introspection.Model, value any) (map[string]any, error) {
	place := m.Name + "." + l.sortName()
	operators, of := map[string]any{"eq": value}, w.value
	switch v := value.(type) {
	case Condition:
		operators = map[string]any{v.operator: v.value}
	case map[string]any: // in the form of the API
		operators = v
	}
	t, allowed := m.Field(l.key[1]).Type, keyOperators
	if len(l.key) > 2 {
		of = func(place string, _ introspection.Type, value any) (any, error) {
			return l.parts(w, m, place, value)
		}
	} else if !slices.Contains(operatorsOf(t), "beginsWith") && t.Kind == introspection.ScalarType {
		allowed = keyOperators[:6]
	}
	all := map[string]any{}
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		at, v := place+": "+operator, operators[operator]
		var err error
		switch {
		case !slices.Contains(allowed, operator):
			return nil, hinted(
				errInvalid(place, "a key of this type is not compared by %q", operator),
				"Use one of %s.", strings.Join(allowed, ", "))
		case operator == "between":
			all[operator], err = pairOf(at, v, func(v any) (any, error) { return of(at, t, v) })
		default:
			all[operator], err = of(at, t, v)
		}
		if err == nil && all[operator] == nil {
			err = errInvalid(place, "a key cannot be compared with nothing")
		}
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, errInvalid(place, "there is no condition")
	}
	return all, nil
}

// parts returns what is sent for the values of several sort keys, which may lack the last ones.
func (l listing) parts(w wire, m *introspection.Model, place string, value any) (any, error) {
	var given map[string]any
	switch v := value.(type) {
	case Key:
		given = v
	case map[string]any:
		given = v
	default:
		return nil, hinted(errInvalid(place, "%T is no key", value),
			"Give a data.Key with %s.", keyNames(l.key[1:]))
	}
	all := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(l.key[1:], name) {
			return nil, hinted(errInvalid(place, "%q is no sort key", name),
				"They are %s.", keyNames(l.key[1:]))
		}
		var err error
		if all[name], err = w.value(m.Name+"."+name, m.Field(name).Type, given[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
