package data

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/internal/introspection"
)

// goTypes are structs that are looked at, from the outermost to the innermost.
type goTypes []reflect.Type

// ofType returns the selection for what a Go type takes of a value of the type t. A value without
// fields has none. place is where the Go type stands, such as "main.Note.Author".
func (s *selector) ofType(place string, t introspection.Type, g reflect.Type) ast.SelectionSet {
	g = dereferenced(g)
	object := s.schema.Object(t)
	isObject := object != nil && !t.List
	switch {
	case t.Kind == introspection.UnknownType:
		s.fault(place, "", "the field is of a kind that cannot be selected")
	case takesAnything(g), isObject && isMap(g):
		return everything(s.schema, t)
	case t.List && (g.Kind() == reflect.Slice || g.Kind() == reflect.Array) && !isBytes(g):
		t.List = false
		return s.ofType(place, t, g.Elem())
	case t.List && implements[json.Unmarshaler](g) && object == nil:
	case t.List:
		s.fault(place, "", "%s is a list, which %s does not take", t, g)
	case !isObject && !fits(t, g):
		s.fault(place, "", "%s does not fit a %s", t, g)
	case !isObject:
	case g.Kind() != reflect.Struct:
		s.fault(place, "", "%s has fields: it fits a struct, or a map[string]any for all of "+
			"them, but not a %s", t, g)
	default:
		return s.ofStruct(place, object.Name, selectable(s.schema, t), g)
	}
	return nil
}

// ofPage returns the selection for a Go type that takes a page of items of the type t.
func (s *selector) ofPage(place string, t introspection.Type, g reflect.Type) ast.SelectionSet {
	g = dereferenced(g)
	if takesAnything(g) || isMap(g) {
		return ast.SelectionSet{selectedWith("items", everything(s.schema, t))}
	}
	if g.Kind() != reflect.Struct {
		s.fault(place, "", "%s comes in pages: use a data.Page", t)
		return nil
	}
	token := introspection.Type{Kind: introspection.ScalarType, Name: "String"}
	return s.ofStruct(place, "page of "+t.Name, []*introspection.Field{
		{Name: "items", Type: t}, {Name: "nextToken", Type: token},
	}, g)
}

func selectedWith(name string, fields ast.SelectionSet) *ast.Field {
	f := selected(name)
	f.SelectionSet = fields
	return f
}

// ofStruct returns the selection for the fields of a struct, which are among those of owner.
func (s *selector) ofStruct(
	place string, owner string, fields []*introspection.Field, g reflect.Type,
) (set ast.SelectionSet) {
	if slices.Contains(s.within, g) {
		s.fault(place, "", "%s selects itself, without an end: give the field a type of its "+
			"own, which lacks that field", g)
		return nil
	}
	s.within = append(s.within, g)
	defer func() { s.within = s.within[:len(s.within)-1] }()
	takenBy := map[string]string{}
	before := len(s.faults)
	for _, field := range goFields(g) {
		at := place + "." + field.path
		f := findField(fields, field.name)
		switch {
		case f == nil:
			s.fault(at, field.name, "the %s has no such field. It has: %s. A field that is not "+
				"to be read has the tag `json:\"-\"`",
				owner, strings.Join(fieldNames(fields), ", "))
		case takenBy[f.Name] != "":
			s.fault(at, field.name, "%s takes this field, too", takenBy[f.Name])
		case field.quoted:
			s.fault(at, field.name, "the option string of the tag expects numbers in quotes, "+
				"which the API does not send")
		default:
			takenBy[f.Name] = at
			set = append(set, s.ofField(at, f, field))
		}
	}
	if len(set) == 0 && len(s.faults) == before {
		s.fault(place, "", "%s has no field that can be selected", g)
	}
	return set
}

// ofField returns the selection for a field of a struct.
func (s *selector) ofField(place string, f *introspection.Field, field goField) *ast.Field {
	if !isConnection(f) {
		if field.tag != "" {
			s.fault(place, field.tag, "only a data.Page has a limit")
		}
		return selectedWith(f.Name, s.ofType(place, f.Type, field.typ))
	}
	node := selectedWith(f.Name, s.ofPage(place, f.Type, field.typ))
	if field.tag == "" {
		return node
	}
	text, isLimit := strings.CutPrefix(field.tag, "limit=")
	n, err := strconv.Atoi(text)
	if !isLimit || err != nil || n < 1 {
		s.fault(place, field.tag, "the tag is not of the form `data:\"limit=20\"`")
		return node
	}
	variable := "limit_" + strconv.Itoa(len(s.limits)+1)
	s.limits[variable] = n
	node.Arguments = ast.ArgumentList{
		{Name: "limit", Value: &ast.Value{Kind: ast.Variable, Raw: variable}},
	}
	return node
}

func fieldNames(fields []*introspection.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// takesAnything reports whether a Go type takes any JSON. Of an object, all fields are selected for
// it.
func takesAnything(g reflect.Type) bool {
	return g.Kind() == reflect.Interface && g.NumMethod() == 0 || g == rawMessage
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

// isMap reports whether a Go type takes any object.
func isMap(g reflect.Type) bool {
	return g.Kind() == reflect.Map && g.Key().Kind() == reflect.String && takesAnything(g.Elem())
}

func isBytes(t reflect.Type) bool { return t.Elem().Kind() == reflect.Uint8 }

// implements reports whether a Go type, or a pointer to it, has the methods of I.
func implements[I any](g reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return g.Implements(i) || reflect.PointerTo(g).Implements(i)
}

// fits reports whether a Go type takes a scalar or an enum.
func fits(t introspection.Type, g reflect.Type) bool {
	kind := jsonKindOf(t)
	if only := scalarOf(g); only != "" {
		return only == t.Name
	}
	switch {
	case implements[json.Unmarshaler](g), kind == anyJSON:
		return true
	case g == reflect.TypeFor[json.Number]():
		return kind == jsonNumber
	case implements[encoding.TextUnmarshaler](g): // only from strings
		return kind == jsonString
	}
	switch g.Kind() {
	case reflect.String:
		return kind == jsonString
	case reflect.Bool:
		return kind == jsonBool
	case reflect.Int, reflect.Int64:
		return kind == jsonNumber && t.Name != "Float"
	case reflect.Int32:
		return t.Name == "Int"
	case reflect.Float64:
		return kind == jsonNumber
	case reflect.Float32:
		return t.Name == "Float"
	}
	return false
}

// jsonKind is what a value is in JSON.
type jsonKind int

const (
	anyJSON jsonKind = iota
	jsonString
	jsonNumber
	jsonBool
)

// jsonKindOf returns what a scalar or an enum is in JSON. Of a scalar that is not one of AppSync's
// nothing is known.
func jsonKindOf(t introspection.Type) jsonKind {
	switch t.Name {
	case "Int", "Float", "AWSTimestamp":
		return jsonNumber
	case "Boolean":
		return jsonBool
	case "ID", "String":
		return jsonString
	}
	if t.Kind == introspection.EnumType || strings.HasPrefix(t.Name, "AWS") {
		return jsonString
	}
	return anyJSON
}
