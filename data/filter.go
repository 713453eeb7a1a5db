package data

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/introspection"
)

// Condition compares a field with a value. [Eq] and the functions beside it make one, for [Where]
// and for the sort keys of a [Key]. The values must fit the type of the field.
type Condition struct {
	operator string
	value    any // of between: two values
}

// Eq: the field equals v.
func Eq(v any) Condition { return Condition{"eq", v} }

// Ne: the field does not equal v.
func Ne(v any) Condition { return Condition{"ne", v} }

// Lt: the field is less than v. Texts are compared by their bytes.
func Lt(v any) Condition { return Condition{"lt", v} }

// Le: the field is at most v.
func Le(v any) Condition { return Condition{"le", v} }

// Gt: the field is greater than v.
func Gt(v any) Condition { return Condition{"gt", v} }

// Ge: the field is at least v.
func Ge(v any) Condition { return Condition{"ge", v} }

// Between: the field is at least low and at most high.
func Between(low, high any) Condition { return Condition{"between", []any{low, high}} }

// BeginsWith: the text of the field begins with prefix.
func BeginsWith(prefix any) Condition { return Condition{"beginsWith", prefix} }

// Contains: the text of the field has v in it, or the list has the element v.
func Contains(v any) Condition { return Condition{"contains", v} }

// NotContains is the opposite of [Contains].
func NotContains(v any) Condition { return Condition{"notContains", v} }

// Exists: the item has the field or, with false, lacks it.
func Exists(yes bool) Condition { return Condition{"attributeExists", yes} }

// Size compares the length of a text, or of a list, by another condition: Size(Gt(3)).
func Size(of Condition) Condition { return Condition{"size", of} }

// Filter says which items are wanted, or on which condition a mutation takes place. [Where], [And],
// [Or] and [Not] make one. The zero value is no filter: all items, or no condition. Calls check a
// filter, and fail before anything is sent if it does not fit the model.
type Filter struct {
	form  map[string]any // in the form of the API; nil is no filter
	fault string         // of how it was made
}

// Where returns a filter for items whose field meets all conditions. The field has its name in the
// API, such as "title". Relations and custom types cannot be compared.
//
//	data.And(data.Where("title", data.BeginsWith("A")), data.Where("seats", data.Gt(3)))
func Where(field string, conditions ...Condition) Filter {
	all := map[string]any{}
	f := Filter{form: map[string]any{field: all}}
	for _, c := range conditions {
		if _, twice := all[c.operator]; twice {
			f.fault = fmt.Sprintf("%s is compared by %q twice: join two filters by And",
				field, c.operator)
		}
		all[c.operator] = c.value
	}
	if len(conditions) == 0 {
		f.fault = fmt.Sprintf("%s has no condition", field)
	}
	return f
}

// And returns a filter for items that pass all filters. Zero filters do not count.
func And(filters ...Filter) Filter {
	filters = slices.DeleteFunc(slices.Clone(filters), Filter.isZero)
	switch len(filters) {
	case 0:
		return Filter{}
	case 1:
		return filters[0]
	}
	return join("and", filters)
}

// Or returns a filter for items that pass one filter or more. Without filters, or with a zero one,
// it is a fault: an empty list of alternatives must not mean all items.
func Or(filters ...Filter) Filter {
	f := join("or", filters)
	if len(filters) == 0 {
		f.fault = "Or has no filters"
	}
	return f
}

// Not returns a filter for items that do not pass f. A zero filter is a fault.
func Not(f Filter) Filter {
	not := join("not", []Filter{f})
	not.form["not"] = f.form
	return not
}

// join returns a filter of filters, and the first fault among them.
func join(operator string, filters []Filter) (f Filter) {
	forms := make([]any, len(filters))
	for i, part := range filters {
		forms[i] = part.form
		if part.isZero() {
			part.fault = fmt.Sprintf("%q has a zero filter, which all items pass", operator)
		}
		f.fault = cmp.Or(f.fault, part.fault)
	}
	f.form = map[string]any{operator: forms}
	return f
}

// RawFilter returns a filter in the form of the API, which Amplify JS has too:
//
//	data.RawFilter(map[string]any{"title": map[string]any{"beginsWith": "A"}})
//
// If a client may choose it, the client learns something of every field that it compares, also of
// one that the answer does not show.
func RawFilter(filter map[string]any) Filter { return Filter{form: filter} }

func (f Filter) isZero() bool { return f.form == nil && f.fault == "" }

// Operators that the API has for the types of fields.
var (
	ordering    = []string{"eq", "ne", "le", "lt", "ge", "gt", "between"}
	presence    = []string{"attributeExists", "attributeType"}
	ofNumbers   = slices.Concat(ordering, presence)
	ofTexts     = append([]string{"contains", "notContains", "beginsWith", "size"}, ofNumbers...)
	ofBooleans  = append([]string{"eq", "ne"}, presence...)
	ofEnums     = []string{"eq", "ne"}
	ofEnumLists = []string{"eq", "ne", "contains", "notContains"}

	// ModelAttributeTypes in the schema of each Amplify API.
	attributeTypes = []string{
		"binary", "binarySet", "bool", "list", "map", "number", "numberSet", "string", "stringSet",
		"_null",
	}
)

// operatorsOf returns the operators for a field, or nil if the API cannot compare it.
func operatorsOf(t introspection.Type) []string {
	switch {
	case t.Kind == introspection.EnumType && t.List:
		return ofEnumLists
	case t.Kind == introspection.EnumType:
		return ofEnums
	case t.Kind != introspection.ScalarType:
		return nil
	}
	switch t.Name {
	case "Int", "Float", "AWSTimestamp":
		return ofNumbers
	case "Boolean":
		return ofBooleans
	}
	return ofTexts
}

// filtering turns filters into what is sent for them.
type filtering struct {
	wire
	model  *introspection.Model
	fields []*introspection.Field
	// without are the fields that the input lacks: a condition lacks those of the key.
	without []string
}

func (w wire) filtering(m *introspection.Model, without ...string) filtering {
	return filtering{w, m, selectable(w.schema, itemType(m.Name)), without}
}

// sent returns what is sent for a filter, or nil for a zero one.
func (c filtering) sent(f Filter) (map[string]any, error) {
	switch {
	case f.fault != "":
		return nil, errInvalid(c.model.Name+": the filter", "%s", f.fault)
	case f.form == nil:
		return nil, nil
	}
	return c.filter(f.form, 0)
}

// filter checks a filter in the form of the API, and returns what is sent for it.
func (c filtering) filter(form map[string]any, depth int) (map[string]any, error) {
	place := c.model.Name + ": the filter"
	if depth > maxNesting {
		return nil, errInvalid(place, "filters are nested too deeply")
	}
	all := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		var err error
		switch value := form[name]; name {
		case "and", "or":
			all[name], err = c.filters(place, name, value, depth)
		case "not":
			part, ok := value.(map[string]any)
			if !ok {
				return nil, errInvalid(place, `"not" takes a filter`)
			}
			all[name], err = c.filter(part, depth+1)
		default:
			all[name], err = c.conditions(name, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// filters is filter for a list of them.
func (c filtering) filters(place, operator string, value any, depth int) ([]any, error) {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return nil, errInvalid(place, "%q takes a list of filters", operator)
	}
	if list.Len() == 0 && operator == "or" {
		return nil, errInvalid(place, `"or" has no filters`)
	}
	all := make([]any, list.Len())
	for i := range all {
		form, ok := list.Index(i).Interface().(map[string]any)
		if !ok {
			return nil, errInvalid(place, "%q takes a list of filters", operator)
		}
		var err error
		if all[i], err = c.filter(form, depth+1); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// conditions checks the conditions of a field, and returns what is sent for them.
func (c filtering) conditions(name string, value any) (map[string]any, error) {
	place, f, err := c.field(name)
	if err != nil {
		return nil, err
	}
	conditions, ok := value.(map[string]any)
	if !ok {
		return nil, errInvalid(place, "a map of operators and values belongs here")
	}
	if len(conditions) == 0 {
		return nil, errInvalid(place, "there is no condition")
	}
	all := map[string]any{}
	for _, operator := range slices.Sorted(maps.Keys(conditions)) {
		all[operator], err = c.operand(place, f.Type, operator, conditions[operator])
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// field returns a field that can be compared.
func (c filtering) field(name string) (place string, f *introspection.Field, err error) {
	place = c.model.Name + "." + name
	for _, candidate := range c.fields {
		if candidate.Name == name {
			f = candidate
		}
	}
	switch {
	case f == nil:
		return place, nil, errInvalid(place, "the model has no such field")
	case operatorsOf(f.Type) == nil:
		return place, nil, errInvalid(place, "a field of the type %s cannot be compared", f.Type)
	case slices.Contains(c.without, name):
		return place, nil, errInvalid(place, "a condition cannot be about a field of the key")
	}
	return place, f, nil
}

// operand returns what is sent for what an operator compares with.
func (c filtering) operand(
	place string, t introspection.Type, operator string, value any,
) (any, error) {
	if operators := operatorsOf(t); !slices.Contains(operators, operator) {
		return nil, hinted(
			errInvalid(place, "a field of the type %s is not compared by %q", t, operator),
			"Use one of %s.", strings.Join(operators, ", "))
	}
	element := t
	if element.List && (t.Kind != introspection.EnumType || operator != "eq" && operator != "ne") {
		element.List = false
	}
	switch operator {
	case "attributeExists":
		if _, ok := value.(bool); !ok {
			return nil, errInvalid(place, "attributeExists takes true or false")
		}
		return value, nil
	case "attributeType":
		if name, _ := value.(string); !slices.Contains(attributeTypes, name) {
			return nil, hinted(errInvalid(place, "attributeType takes no %v", value),
				"It takes one of %s.", strings.Join(attributeTypes, ", "))
		}
		return value, nil
	case "size":
		return c.size(place, value)
	case "between":
		return pairOf(place, value, func(v any) (any, error) { return c.value(place, element, v) })
	}
	return c.value(place, element, value)
}

// pairOf returns the two values of between, each as sent returns it.
func pairOf(place string, value any, sent func(any) (any, error)) (any, error) {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice || list.Len() != 2 {
		return nil, errInvalid(place, "between takes two values")
	}
	low, err := sent(list.Index(0).Interface())
	if err != nil {
		return nil, err
	}
	high, err := sent(list.Index(1).Interface())
	return []any{low, high}, err
}

var intType = introspection.Type{Kind: introspection.ScalarType, Name: "Int"}

// size returns what is sent for the conditions of a length.
func (c filtering) size(place string, value any) (any, error) {
	conditions, ok := value.(map[string]any)
	if one, is := value.(Condition); is {
		conditions, ok = map[string]any{one.operator: one.value}, true
	}
	if !ok {
		return nil, errInvalid(place, "size takes a condition")
	}
	if len(conditions) == 0 {
		return nil, errInvalid(place, "there is no condition")
	}
	place += ": size"
	of := func(v any) (any, error) { return c.value(place, intType, v) }
	all := map[string]any{}
	for _, operator := range slices.Sorted(maps.Keys(conditions)) {
		v := conditions[operator]
		var err error
		switch {
		case !slices.Contains(ordering, operator):
			return nil, hinted(errInvalid(place, "a length is not compared by %q", operator),
				"Use one of %s.", strings.Join(ordering, ", "))
		case operator == "between":
			all[operator], err = pairOf(place, v, of)
		default:
			all[operator], err = of(v)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
