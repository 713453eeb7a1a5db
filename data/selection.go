package data

import (
	"fmt"
	"maps"
	"slices"
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

// variables are the variables that limit lists within the items.
func (s selection) variables() (all []argument) {
	for _, name := range slices.Sorted(maps.Keys(s.limits)) {
		all = append(all, argument{name, optional("Int")})
	}
	return all
}

// with returns variables with the limits of the selection.
func (s selection) with(variables map[string]any) map[string]any {
	maps.Copy(variables, s.limits)
	return variables
}

// page returns the selection of a page of items. It has what Amplify JS asks for.
func (s selection) page() selection {
	items := selected("items")
	items.SelectionSet = s.fields
	return selection{
		ast.SelectionSet{items, selected("nextToken"), selected("__typename")}, s.limits,
	}
}

// selected returns a field of a selection.
func selected(name string) *ast.Field { return &ast.Field{Alias: name, Name: name} }

// selector makes a selection of a Go type (see gotype.go) or of paths. It notes all faults.
type selector struct {
	schema *introspection.Schema
	limits map[string]any
	faults []error
	within goTypes // the structs around the one that is looked at
}

func newSelector(schema *introspection.Schema) *selector {
	return &selector{schema: schema, limits: map[string]any{}}
}

// fault notes what is wrong with a field of Go, or with a value of the selection.
func (s *selector) fault(field, value, format string, a ...any) {
	s.faults = append(s.faults, &amplify.ConfigError{
		Field: field, Value: value, Problem: fmt.Sprintf(format, a...),
	})
}

// selection returns the selection of fields, or an error that reports all faults. what is what the
// selection is of, such as "the model Note".
func (s *selector) selection(fields ast.SelectionSet, what string) (selection, error) {
	if len(s.faults) > 0 {
		return selection{}, &amplify.Error{
			Name: dataErrorName, Reason: amplify.ReasonConfiguration,
			Message:            "The selection does not fit " + what + ".",
			RecoverySuggestion: "Correct what is named" + orRegenerate,
			Err:                faultList(s.faults),
		}
	}
	return selection{fields, s.limits}, nil
}

// orRegenerate is the end of a sentence that says what to do about a name that is not known.
const orRegenerate = " or, if the backend has changed, generate the outputs again " +
	"(npx ampx generate outputs)."

// faultList is several errors as one of one line.
type faultList []error

func (f faultList) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (f faultList) Unwrap() []error { return f }

// itemType is the type of the items of a model.
func itemType(model string) introspection.Type {
	return introspection.Type{Kind: introspection.ModelType, Name: model}
}

// selectable returns the fields of a type, and those that only its rules mention.
func selectable(schema *introspection.Schema, t introspection.Type) []*introspection.Field {
	fields := schema.Object(t).Fields
	if m := schema.Model(t.Name); t.Kind == introspection.ModelType && m != nil {
		fields = slices.Concat(fields, m.ImpliedFields())
	}
	return fields
}

// isConnection reports whether a field comes in pages.
func isConnection(f *introspection.Field) bool {
	return f.Relation != nil && f.Relation.Kind == introspection.HasMany
}

// everything returns the selection of all that a type has, but for other models: what Amplify JS
// selects by default, and for "*". Fields of the types in within are left out, since they would
// have no end.
func everything(
	schema *introspection.Schema, t introspection.Type, within ...string,
) (set ast.SelectionSet) {
	if schema.Object(t) == nil || slices.Contains(within, t.Name) {
		return nil
	}
	for _, f := range selectable(schema, t) {
		field := selected(f.Name)
		switch f.Type.Kind {
		case introspection.ScalarType, introspection.EnumType:
			set = append(set, field)
		case introspection.CustomType:
			field.SelectionSet = everything(schema, f.Type, append(within, t.Name)...)
			if field.SelectionSet != nil {
				set = append(set, field)
			}
		}
	}
	return set
}

// ofPaths returns the selection for the paths of JavaScript's selectionSet, such as "studio.name"
// and "studio.*".
func (s *selector) ofPaths(model string, paths []string) (set ast.SelectionSet) {
	if len(paths) == 0 {
		s.fault("selection", "", "is empty: name fields, or leave it out for all of them")
	}
	for _, path := range paths {
		s.addPath(&set, itemType(model), path, strings.Split(path, "."))
	}
	return set
}

// addPath adds to set what a path selects in the type t. names are what is left of the path.
func (s *selector) addPath(
	set *ast.SelectionSet, t introspection.Type, path string, names []string,
) {
	name, rest := names[0], names[1:]
	fault := func(format string, a ...any) { s.fault("selection", path, format, a...) }
	fields := selectable(s.schema, t)
	i := slices.IndexFunc(fields, func(f *introspection.Field) bool { return f.Name == name })
	if i < 0 {
		fault("%s is not a field of %s", name, inWords(t))
		return
	}
	f := fields[i]
	switch {
	case s.schema.Object(f.Type) == nil && len(rest) == 0:
		child(set, name)
	case s.schema.Object(f.Type) == nil:
		fault("%s of %s has no fields", name, inWords(t))
	case len(rest) == 0:
		fault("%s must declare a wildcard (*) or a field of %s", name, inWords(f.Type))
	case rest[0] != "*":
		s.addPath(inner(set, f), f.Type, path, rest)
	case len(rest) > 1:
		fault("nothing can follow a wildcard (*)")
	default:
		merge(inner(set, f), everything(s.schema, f.Type))
	}
}

// inWords tells what a type is, in the words of Amplify JS.
func inWords(t introspection.Type) string {
	if t.Kind == introspection.CustomType {
		return "custom type " + t.Name
	}
	return "model " + t.Name
}

// inner returns the selection within a field: of a page, that of its items.
func inner(set *ast.SelectionSet, f *introspection.Field) *ast.SelectionSet {
	within := child(set, f.Name)
	if isConnection(f) {
		within = child(within, "items")
	}
	return within
}

// child returns the selection within the field of that name in set. It adds the field if it is
// missing.
func child(set *ast.SelectionSet, name string) *ast.SelectionSet {
	for _, s := range *set {
		if f, ok := s.(*ast.Field); ok && f.Name == name {
			return &f.SelectionSet
		}
	}
	f := selected(name)
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
