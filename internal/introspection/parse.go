package introspection

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is a fault of a description.
type Error struct {
	// Place is where the fault is, such as "models.Note.fields.title".
	Place string
	// Problem says what is wrong there.
	Problem string
}

// Error returns the place and the problem.
func (e *Error) Error() string {
	if e.Place == "" {
		return "the model introspection is wrong: " + e.Problem
	}
	return "the model introspection is wrong at " + e.Place + ": " + e.Problem
}

func faultAt(place, format string, a ...any) error {
	return &Error{place, fmt.Sprintf(format, a...)}
}

// Parse reads a description. An error is an [*Error] that tells the place of the first fault.
func Parse(description []byte) (*Schema, error) {
	var in struct {
		Models        json.RawMessage `json:"models"`
		NonModels     json.RawMessage `json:"nonModels"`
		Inputs        json.RawMessage `json:"inputs"`
		Enums         json.RawMessage `json:"enums"`
		Queries       json.RawMessage `json:"queries"`
		Mutations     json.RawMessage `json:"mutations"`
		Subscriptions json.RawMessage `json:"subscriptions"`
	}
	if err := decode(description, "", &in); err != nil {
		return nil, err
	}
	s := &Schema{
		models: map[string]*Model{}, objects: map[string]*Object{}, enums: map[string]*Enum{},
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
		read reader
	}{
		{"models", in.Models, s.model},
		{"nonModels", in.NonModels, s.object(&s.CustomTypes, "fields")},
		{"inputs", in.Inputs, s.object(&s.Inputs, "attributes")},
		{"enums", in.Enums, s.enum},
		{"queries", in.Queries, operation(&s.Queries)},
		{"mutations", in.Mutations, operation(&s.Mutations)},
		{"subscriptions", in.Subscriptions, operation(&s.Subscriptions)},
	} {
		if err := each(part.raw, part.name, part.read); err != nil {
			return nil, err
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// decode decodes raw, what stands at place, into v. Nothing leaves v as it is.
func decode(raw json.RawMessage, place string, v any) error {
	if len(raw) == 0 {
		return nil
	}
	err := json.Unmarshal(raw, v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return faultAt(join(place, wrong.Field), "a JSON %s does not belong here", wrong.Value)
	}
	if err != nil {
		return faultAt(place, "no JSON: %v", err)
	}
	return nil
}

func join(place, name string) string { return strings.Trim(place+"."+name, ".") }

// reader reads the member of an object that stands at place and has a name.
type reader func(place, name string, raw json.RawMessage) error

// each calls read for the members of an object in their order.
func each(raw json.RawMessage, place string, read reader) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return faultAt(place, "an object belongs here")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return faultAt(place, "no JSON: %v", err)
		}
		name, _ := token.(string)
		at := join(place, name)
		switch {
		case !isName.MatchString(name):
			return faultAt(place, "%q is no name of GraphQL", name)
		case seen[name]:
			return faultAt(at, "stands there twice")
		}
		seen[name] = true
		var member json.RawMessage
		if err := d.Decode(&member); err != nil {
			return faultAt(at, "no JSON: %v", err)
		}
		if err := read(at, name, member); err != nil {
			return err
		}
	}
	return nil
}

// https://spec.graphql.org/October2021/#Name. Names become parts of documents.
var isName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

// field reads a field, an argument or the result of an operation.
func field(place, name string, raw json.RawMessage) (*Field, error) {
	var in struct {
		Type            json.RawMessage `json:"type"`
		IsArray         bool            `json:"isArray"`
		IsRequired      bool            `json:"isRequired"`
		IsArrayNullable bool            `json:"isArrayNullable"`
		IsReadOnly      bool            `json:"isReadOnly"`
		Association     *struct {
			ConnectionType RelationKind `json:"connectionType"`
			AssociatedWith names        `json:"associatedWith"`
			TargetNames    []string     `json:"targetNames"`
		} `json:"association"`
	}
	if err := decode(raw, place, &in); err != nil {
		return nil, err
	}
	f := &Field{Name: name, ReadOnly: in.IsReadOnly, Type: Type{
		Required: in.IsRequired, List: in.IsArray, ListRequired: in.IsArray && !in.IsArrayNullable,
	}}
	var err error
	if f.Type.Kind, f.Type.Name, err = typeName(join(place, "type"), in.Type); err != nil {
		return nil, err
	}
	if a := in.Association; a != nil && f.Type.Kind == ModelType {
		f.Relation = &Relation{a.ConnectionType, a.AssociatedWith, a.TargetNames}
	}
	return f, nil
}

// names is a list of names. Old generators write one name as a text.
type names []string

func (n *names) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil && string(raw) != "null" {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(n))
}

// typeName reads "String", {"enum": "Level"} and the like.
func typeName(place string, raw json.RawMessage) (kind Kind, name string, err error) {
	if json.Unmarshal(raw, &name) == nil && name != "" {
		kind = ScalarType
	} else {
		var in struct {
			Enum     string `json:"enum"`
			Model    string `json:"model"`
			NonModel string `json:"nonModel"`
			Input    string `json:"input"`
		}
		if len(raw) == 0 {
			return 0, "", faultAt(place, "is missing")
		}
		if err := decode(raw, place, &in); err != nil {
			return 0, "", err
		}
		switch {
		case in.Enum != "":
			kind, name = EnumType, in.Enum
		case in.Model != "":
			kind, name = ModelType, in.Model
		case in.NonModel != "":
			kind, name = CustomType, in.NonModel
		case in.Input != "":
			kind, name = InputType, in.Input
		default:
			return UnknownType, "", nil
		}
	}
	if !isName.MatchString(name) {
		return 0, "", faultAt(place, "%q is no name of GraphQL", name)
	}
	return kind, name, nil
}

// fields reads the fields of an object.
func fields(place string, raw json.RawMessage) (all []*Field, err error) {
	err = each(raw, place, func(place, name string, raw json.RawMessage) error {
		f, err := field(place, name, raw)
		all = append(all, f)
		return err
	})
	return all, err
}

// object returns the function that reads a custom type or an input.
func (s *Schema) object(list *[]*Object, member string) reader {
	return func(place, name string, raw json.RawMessage) error {
		var in map[string]json.RawMessage
		if err := decode(raw, place, &in); err != nil {
			return err
		}
		all, err := fields(join(place, member), in[member])
		if err != nil {
			return err
		}
		if s.objects[name] != nil {
			return faultAt(place, "a custom type has this name, too")
		}
		s.objects[name] = &Object{name, all}
		*list = append(*list, s.objects[name])
		return nil
	}
}

func (s *Schema) enum(place, name string, raw json.RawMessage) error {
	var in struct {
		Values []string `json:"values"`
	}
	if err := decode(raw, place, &in); err != nil {
		return err
	}
	for _, value := range in.Values {
		if !isName.MatchString(value) {
			return faultAt(join(place, "values"), "%q is no name of GraphQL", value)
		}
	}
	s.enums[name] = &Enum{name, in.Values}
	s.Enums = append(s.Enums, s.enums[name])
	return nil
}

// operation returns the function that reads a custom operation.
func operation(list *[]*Operation) reader {
	return func(place, name string, raw json.RawMessage) error {
		result, err := field(place, name, raw)
		if err != nil {
			return err
		}
		var in struct {
			Arguments json.RawMessage `json:"arguments"`
		}
		if err := decode(raw, place, &in); err != nil {
			return err
		}
		arguments, err := fields(join(place, "arguments"), in.Arguments)
		if err != nil {
			return err
		}
		*list = append(*list, &Operation{name, result.Type, arguments})
		return nil
	}
}

func (s *Schema) model(place, name string, raw json.RawMessage) error {
	in := struct {
		Fields     json.RawMessage `json:"fields"`
		PluralName string          `json:"pluralName"`
		Attributes []struct {
			Type       string          `json:"type"`
			Properties json.RawMessage `json:"properties"`
		} `json:"attributes"`
		PrimaryKeyInfo struct {
			IsCustomPrimaryKey  bool     `json:"isCustomPrimaryKey"`
			PrimaryKeyFieldName string   `json:"primaryKeyFieldName"`
			SortKeyFieldNames   []string `json:"sortKeyFieldNames"`
		} `json:"primaryKeyInfo"`
	}{PluralName: name + "s"}
	in.PrimaryKeyInfo.PrimaryKeyFieldName = "id"
	if err := decode(raw, place, &in); err != nil {
		return err
	}
	if !isName.MatchString(in.PluralName) {
		return faultAt(join(place, "pluralName"), "%q is no name of GraphQL", in.PluralName)
	}
	all, err := fields(join(place, "fields"), in.Fields)
	if err != nil {
		return err
	}
	m := &Model{
		Object:    Object{name, all},
		Key:       []string{in.PrimaryKeyInfo.PrimaryKeyFieldName},
		CustomKey: in.PrimaryKeyInfo.IsCustomPrimaryKey,
		operations: map[Action]string{
			Get: "get" + Capitalize(name), List: "list" + Capitalize(in.PluralName),
			Create: "create" + Capitalize(name), Update: "update" + Capitalize(name),
			Delete: "delete" + Capitalize(name),
		},
	}
	if m.CustomKey {
		m.Key = append(m.Key, in.PrimaryKeyInfo.SortKeyFieldNames...)
	}
	for i, a := range in.Attributes {
		at := fmt.Sprintf("%s.attributes[%d].properties", place, i)
		var err error
		switch a.Type {
		case "model":
			err = m.rename(at, a.Properties)
		case "key":
			err = m.index(at, a.Properties)
		case "auth":
			var auth struct {
				Rules []Rule `json:"rules"`
			}
			err = decode(a.Properties, at, &auth)
			m.Rules = append(m.Rules, auth.Rules...)
		}
		if err != nil {
			return err
		}
	}
	s.models[name] = m
	s.Models = append(s.Models, m)
	return nil
}

// Capitalize returns s with its first letter in upper case, as in the names of operations.
func Capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + s[n:]
}

// rename reads the names that @model gives the operations. Null takes an operation away, or all of
// them.
func (m *Model) rename(place string, properties json.RawMessage) error {
	var in map[string]json.RawMessage
	if err := decode(properties, place, &in); err != nil {
		return err
	}
	for part, actions := range map[string][]Action{
		"queries": {Get, List}, "mutations": {Create, Update, Delete},
	} {
		raw, ok := in[part]
		if !ok {
			continue
		}
		at := join(place, part)
		var given map[string]*string
		if err := decode(raw, at, &given); err != nil {
			return err
		}
		for _, action := range actions {
			name, ok := given[string(action)]
			switch {
			case given == nil || ok && name == nil:
				delete(m.operations, action)
			case ok && !isName.MatchString(*name):
				return faultAt(join(at, string(action)), "%q is no name of GraphQL", *name)
			case ok:
				m.operations[action] = *name
			}
		}
	}
	return nil
}

// index reads a key. Without a name it is that of the model, which primaryKeyInfo tells, and
// without a query nobody can ask for it.
func (m *Model) index(place string, properties json.RawMessage) error {
	var in struct {
		Name       string   `json:"name"`
		QueryField string   `json:"queryField"`
		Fields     []string `json:"fields"`
	}
	if err := decode(properties, place, &in); err != nil {
		return err
	}
	if in.Name == "" || in.QueryField == "" || len(in.Fields) == 0 {
		return nil
	}
	for member, name := range map[string]string{"name": in.Name, "queryField": in.QueryField} {
		if !isName.MatchString(name) && (member != "name" || len(in.Fields) > 2) {
			return faultAt(join(place, member), "%q is no name of GraphQL", name)
		}
	}
	m.Indexes = append(m.Indexes, &Index{in.Name, in.QueryField, in.Fields})
	return nil
}

// Kinds of types that may stand in one place.
var (
	ofFields    = []Kind{ScalarType, EnumType, ModelType, CustomType}
	ofInputs    = []Kind{ScalarType, EnumType, CustomType, InputType}
	ofArguments = []Kind{ScalarType, EnumType, InputType}
)

// check looks for references to what is not there.
func (s *Schema) check() error {
	for _, m := range s.Models {
		if err := s.checkModel("models."+m.Name, m); err != nil {
			return err
		}
	}
	for _, o := range s.CustomTypes {
		if err := s.checkTypes("nonModels."+o.Name, o.Fields, ofFields); err != nil {
			return err
		}
	}
	for _, o := range s.Inputs {
		if err := s.checkTypes("inputs."+o.Name, o.Fields, ofInputs); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name       string
		operations []*Operation
	}{{"queries", s.Queries}, {"mutations", s.Mutations}, {"subscriptions", s.Subscriptions}} {
		for _, o := range part.operations {
			place := join(part.name, o.Name)
			result := []*Field{{Name: "type", Type: o.Type}}
			if err := s.checkTypes(place, result, ofFields); err != nil {
				return err
			}
			if err := s.checkTypes(place+".arguments", o.Arguments, ofArguments); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Schema) checkModel(place string, m *Model) error {
	if err := s.checkTypes(place+".fields", m.Fields, ofFields); err != nil {
		return err
	}
	if err := m.checkKey(place+".primaryKeyInfo", m.Key); err != nil {
		return err
	}
	for _, i := range m.Indexes {
		if err := m.checkKey(place+" index "+i.Name, i.Key); err != nil {
			return err
		}
	}
	for _, f := range m.Fields {
		if err := checkRelation(join(place+".fields", f.Name), f); err != nil {
			return err
		}
	}
	for _, f := range m.ImpliedFields() {
		if !isName.MatchString(f.Name) {
			return faultAt(place+".attributes", "%q is no name of GraphQL", f.Name)
		}
	}
	return nil
}

// checkTypes looks for types that are not there, or are not of the kinds that belong there.
func (s *Schema) checkTypes(place string, fields []*Field, kinds []Kind) error {
	for _, f := range fields {
		t, known := f.Type, true
		switch t.Kind {
		case EnumType:
			known = s.enums[t.Name] != nil
		case ModelType, CustomType, InputType:
			known = s.Object(t) != nil
		}
		switch {
		case !known:
			return faultAt(join(place, f.Name), "there is no type %q", t.Name)
		case t.Kind != UnknownType && !slices.Contains(kinds, t.Kind):
			return faultAt(join(place, f.Name), "the type %q does not belong here", t.Name)
		}
	}
	return nil
}

// checkKey looks for fields of a key that are not there or cannot be part of one.
func (m *Model) checkKey(place string, key []string) error {
	for i, name := range key {
		f := m.Field(name)
		switch {
		case f == nil:
			return faultAt(place, "there is no field %q", name)
		case f.Type.List || f.Type.Kind != ScalarType && f.Type.Kind != EnumType:
			return faultAt(place, "the field %q cannot be part of a key", name)
		case slices.Contains(key[:i], name):
			return faultAt(place, "the field %q stands there twice", name)
		}
	}
	return nil
}

// checkRelation looks for a relation of an unknown kind, or of another one than its field.
func checkRelation(place string, f *Field) error {
	r := f.Relation
	if r == nil {
		return nil
	}
	switch r.Kind {
	case BelongsTo, HasOne, HasMany:
	default:
		return faultAt(place, "%q is no kind of association", r.Kind)
	}
	if f.Type.List != (r.Kind == HasMany) {
		return faultAt(place, "a list and %s do not belong together", r.Kind)
	}
	for _, name := range r.Targets {
		if !isName.MatchString(name) {
			return faultAt(place, "%q is no name of GraphQL", name)
		}
	}
	return nil
}
