package data

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"
)

// selection is what a document asks for.
type selection struct {
	fields ast.SelectionSet
	// limits are the values of the variables that limit lists within the items.
	limits map[string]any
}

// selector makes a selection of a Go type or of paths. It notes all faults.
type selector struct {
	schema *introspection.Schema
	limits map[string]any
	faults []*amplify.ConfigError
	within []reflect.Type // the structs around the one that is looked at
}

func (s *selector) fault(field, value, format string, a ...any) {
	s.faults = append(s.faults, &amplify.ConfigError{
		Field: field, Value: value, Problem: fmt.Sprintf(format, a...),
	})
}

// err returns the error that reports all faults of a selection for what, such as "the model Note".
func (s *selector) err(what string) error {
	if len(s.faults) == 0 {
		return nil
	}
	errs := make([]error, len(s.faults))
	for i, f := range s.faults {
		errs[i] = f
	}
	return &amplify.Error{
		Name: dataErrorName, Reason: amplify.ReasonConfiguration,
		Message:            "The selection does not fit " + what + ".",
		RecoverySuggestion: "Correct what is named or, if the backend has changed, generate the outputs again (npx ampx generate outputs).",
		Err:                joined(errs),
	}
}

// joined is several errors in one line.
type joined []error

func (j joined) Error() string {
	texts := make([]string, len(j))
	for i, err := range j {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (j joined) Unwrap() []error { return j }

// ofType returns the selection for the type t that a Go type decodes. path leads to it in the
// answer, and place in Go.
func (s *selector) ofType(place, path string, t introspection.Type, connection bool, g reflect.Type) ast.SelectionSet {
	g = dereferenced(g)
	if takesAnything(g) {
		return s.all(t, connection)
	}
	if connection {
		return s.connection(place, path, t, g)
	}
	if t.List {
		if g.Kind() != reflect.Slice && g.Kind() != reflect.Array || isBytes(g) {
			if !unmarshals(g) {
				s.fault(place, "", "%s is a list, which %s does not take", t, g)
			}
			return nil
		}
		t.List = false
		return s.ofType(place, path, t, false, g.Elem())
	}
	object := s.schema.Object(t)
	switch {
	case t.Kind == introspection.UnknownType:
		s.fault(place, "", "the field is of a kind that cannot be selected")
		return nil
	case object == nil:
		if !fits(t, g) {
			s.fault(place, "", "%s does not fit a %s", t, g)
		}
		return nil
	case isMap(g):
		return s.all(t, false)
	case g.Kind() != reflect.Struct:
		s.fault(place, "", "%s has fields: it fits a struct, or a map[string]any for all of them, but not a %s",
			t, g)
		return nil
	case slices.Contains(s.within, g):
		s.fault(place, "", "%s selects itself, without an end: give the field a type of its own, which "+
			"lacks that field", g)
		return nil
	}
	s.within = append(s.within, g)
	defer func() { s.within = s.within[:len(s.within)-1] }()
	return s.structFields(place, path, object.Name, selectable(s.schema, t), g)
}

// selectable returns the fields of a type, and those that only its rules mention.
func selectable(schema *introspection.Schema, t introspection.Type) []*introspection.Field {
	fields := schema.Object(t).Fields
	if m := schema.Model(t.Name); t.Kind == introspection.ModelType && m != nil {
		fields = slices.Concat(fields, m.ImpliedFields())
	}
	return fields
}

// connection returns the selection for a page of a has-many relation.
func (s *selector) connection(place, path string, t introspection.Type, g reflect.Type) ast.SelectionSet {
	if isMap(g) {
		return s.all(t, true)
	}
	if g.Kind() != reflect.Struct {
		s.fault(place, "", "%s comes in pages: use a data.Page", t)
		return nil
	}
	t.Required = false
	return s.structFields(place, path, "page of "+t.Name, []*introspection.Field{
		{Name: "items", Type: t},
		{Name: "nextToken", Type: introspection.Type{Kind: introspection.ScalarType, Name: "String"}},
	}, g)
}

// structFields returns the selection for the fields of a struct.
func (s *selector) structFields(
	place, path, owner string, fields []*introspection.Field, g reflect.Type,
) (set ast.SelectionSet) {
	taken := map[string]string{}
	for _, field := range goFields(g) {
		at := place + "." + field.path
		f := findField(fields, field.name)
		switch {
		case f == nil:
			names := make([]string, len(fields))
			for i, f := range fields {
				names[i] = f.Name
			}
			s.fault(at, field.name, "the %s has no such field, but %s. A field that is not to be read has the tag `json:\"-\"`",
				owner, strings.Join(names, ", "))
			continue
		case taken[f.Name] != "":
			s.fault(at, field.name, "%s takes this field, too", taken[f.Name])
			continue
		case field.quoted:
			s.fault(at, field.name, "the option string of the tag expects numbers in quotes, which the API does not send")
			continue
		}
		taken[f.Name] = at
		inner := strings.TrimPrefix(path+"."+f.Name, ".")
		node := &ast.Field{Alias: f.Name, Name: f.Name}
		if f.Type.Kind == introspection.UnknownType {
			s.fault(at, field.name, "the field is of a kind that cannot be selected")
			continue
		}
		node.Arguments = s.limit(at, inner, f, field.tag)
		before := len(s.faults)
		node.SelectionSet = s.ofType(at, inner, f.Type, isConnection(f), field.typ)
		if len(s.faults) == before && s.schema.Object(f.Type) != nil && len(node.SelectionSet) == 0 {
			s.fault(at, field.name, "%s has no field that can be selected", dereferenced(field.typ))
		}
		set = append(set, node)
	}
	return set
}

// isConnection reports whether a field comes in pages.
func isConnection(f *introspection.Field) bool {
	return f.Relation != nil && f.Relation.Kind == introspection.HasMany
}

// limit returns the arguments of a list that the tag `data:"limit=20"` limits.
func (s *selector) limit(place, path string, f *introspection.Field, tag string) ast.ArgumentList {
	if tag == "" {
		return nil
	}
	text, isLimit := strings.CutPrefix(tag, "limit=")
	n, err := strconv.Atoi(text)
	switch {
	case !isLimit || err != nil || n < 1:
		s.fault(place, tag, "the tag is not of the form `data:\"limit=20\"`")
		return nil
	case !isConnection(f):
		s.fault(place, tag, "only a data.Page has a limit")
		return nil
	}
	name := "limit_" + strings.ReplaceAll(path, ".", "_")
	s.limits[name] = n
	return ast.ArgumentList{{Name: "limit", Value: &ast.Value{Kind: ast.Variable, Raw: name}}}
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

func implements[I any](g reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return g.Implements(i) || reflect.PointerTo(g).Implements(i)
}

// unmarshals reports whether a Go type reads JSON by itself.
func unmarshals(g reflect.Type) bool { return implements[json.Unmarshaler](g) }

// fits reports whether a Go type takes a scalar or an enum.
func fits(t introspection.Type, g reflect.Type) bool {
	name := t.Name
	if t.Kind == introspection.EnumType {
		name = "String"
	}
	if only := scalarOf(g); only != "" {
		return only == name
	}
	number := name == "Int" || name == "Float" || name == "AWSTimestamp"
	known := number || name == "Boolean" || name == "String" || name == "ID" || strings.HasPrefix(name, "AWS")
	switch {
	case takesAnything(g), unmarshals(g), !known:
		return true
	case g == reflect.TypeFor[json.Number]():
		return number
	case implements[encoding.TextUnmarshaler](g): // only from strings
		return !number && name != "Boolean"
	}
	switch g.Kind() {
	case reflect.String:
		return !number && name != "Boolean"
	case reflect.Bool:
		return name == "Boolean"
	case reflect.Int, reflect.Int64:
		return name == "Int" || name == "AWSTimestamp"
	case reflect.Int32:
		return name == "Int"
	case reflect.Float64:
		return number
	case reflect.Float32:
		return name == "Float"
	}
	return false
}

// all returns the selection of everything that a type has, but for other models. It is what Amplify
// JS selects by default and for "*".
func (s *selector) all(t introspection.Type, connection bool) ast.SelectionSet {
	set := s.everything(t, nil)
	if connection {
		set = ast.SelectionSet{&ast.Field{Alias: "items", Name: "items", SelectionSet: set}}
	}
	return set
}

// everything leaves out fields of types in within, which would have no end.
func (s *selector) everything(t introspection.Type, within []string) (set ast.SelectionSet) {
	if s.schema.Object(t) == nil || slices.Contains(within, t.Name) {
		return nil
	}
	for _, f := range selectable(s.schema, t) {
		node := &ast.Field{Alias: f.Name, Name: f.Name}
		switch f.Type.Kind {
		case introspection.ScalarType, introspection.EnumType:
		case introspection.CustomType:
			if node.SelectionSet = s.everything(f.Type, append(within, t.Name)); node.SelectionSet == nil {
				continue
			}
		default:
			continue
		}
		set = append(set, node)
	}
	return set
}

// ofPaths returns the selection for the paths of JavaScript's selectionSet, such as "studio.name"
// and "studio.*".
func (s *selector) ofPaths(model *introspection.Model, paths []string) (set ast.SelectionSet) {
	if len(paths) == 0 {
		s.fault("selection", "", "is empty: name fields, or leave it out for all of them")
	}
	for _, path := range paths {
		t := introspection.Type{Kind: introspection.ModelType, Name: model.Name}
		s.addPath(&set, t, path, strings.Split(path, "."))
	}
	return set
}

// addPath adds what a path selects in the type t to set.
func (s *selector) addPath(set *ast.SelectionSet, t introspection.Type, path string, names []string) {
	owner := map[introspection.Kind]string{
		introspection.ModelType: "model", introspection.CustomType: "custom type",
	}
	name, rest := names[0], names[1:]
	var f *introspection.Field
	for _, candidate := range selectable(s.schema, t) {
		if candidate.Name == name {
			f = candidate
		}
	}
	switch {
	case f == nil:
		s.fault("selection", path, "%s is not a field of %s %s", name, owner[t.Kind], t.Name)
		return
	case s.schema.Object(f.Type) == nil:
		if len(rest) > 0 {
			s.fault("selection", path, "%s of %s %s has no fields", name, owner[t.Kind], t.Name)
			return
		}
		child(set, name)
		return
	case len(rest) == 0:
		s.fault("selection", path, "%s must declare a wildcard (*) or a field of %s %s",
			name, owner[f.Type.Kind], f.Type.Name)
		return
	}
	if rest[0] == "*" {
		if len(rest) > 1 {
			s.fault("selection", path, "nothing can follow a wildcard (*)")
			return
		}
		merge(inner(set, f), s.everything(f.Type, nil))
		return
	}
	s.addPath(inner(set, f), f.Type, path, rest)
}

// inner returns the selection of a field that has fields: of a page, that of its items.
func inner(set *ast.SelectionSet, f *introspection.Field) *ast.SelectionSet {
	within := child(set, f.Name)
	if isConnection(f) {
		within = child(within, "items")
	}
	return within
}

// child returns the selection of the field of that name in set. It adds the field if it is missing.
func child(set *ast.SelectionSet, name string) *ast.SelectionSet {
	for _, s := range *set {
		if f, ok := s.(*ast.Field); ok && f.Name == name {
			return &f.SelectionSet
		}
	}
	f := &ast.Field{Alias: name, Name: name}
	*set = append(*set, f)
	return &f.SelectionSet
}

// merge adds to set what it lacks of more.
func merge(set *ast.SelectionSet, more ast.SelectionSet) {
	for _, s := range more {
		if f, ok := s.(*ast.Field); ok {
			merge(child(set, f.Name), f.SelectionSet)
		}
	}
}

// variables are the variables that limit lists within the items.
func (s selection) variables() (all []argument) {
	for _, name := range slices.Sorted(maps.Keys(s.limits)) {
		all = append(all, argument{name: name, typ: ast.NamedType("Int", nil)})
	}
	return all
}
