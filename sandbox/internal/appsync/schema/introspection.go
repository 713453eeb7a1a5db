package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// ReadIntrospection reads the "model_introspection" of amplify_outputs.json, for those who have no
// annotated schema. It lacks the rules of fields and of custom operations, defaults and more, so
// what is unknown is closed: custom operations and models without rules are for IAM principals
// alone. Warnings tell what is unknown. The name is that of the file, for faults.
func ReadIntrospection(name string, text []byte, o Options) (*Schema, error) {
	var in introspection
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("%s: model_introspection: %w", name, err)
	}
	if in.Version != 1 {
		return nil, fmt.Errorf("%s: model_introspection has version %d, the sandbox knows 1",
			name, in.Version)
	}
	b := &builder{in: in, document: &ast.SchemaDocument{}}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: model_introspection: %w", name, err)
	}
	s, err := read(name, b.document, o, true)
	if err != nil {
		return nil, err
	}
	s.Warnings = append([]string{
		"the model introspection lacks the rules of fields, " +
			"so that every field has the rules of its model",
		"the model introspection lacks defaults, so that fields stay empty that AWS fills in",
		"the model introspection lacks the rules of custom operations, " +
			"so that nobody may use them but IAM principals outside of the identity pool",
	}, s.Warnings...)
	return s, nil
}

// A members is a JSON object whose order counts.
type members[V any] []struct {
	Name  string
	Value V
}

func (m *members[V]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	t, err := d.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("%v where an object belongs", t)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var v V
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		m.put(name.(string), v)
	}
	return nil
}

func (m members[V]) get(name string) (v V, found bool) {
	for _, one := range m {
		if one.Name == name {
			return one.Value, true
		}
	}
	return v, false
}

// MarshalJSON writes the object in its order.
func (m members[V]) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range m {
		name, err := json.Marshal(one.Name)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(one.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Name, err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = slices.Concat(b, name, []byte{':'}, v)
	}
	return append(b, '}'), nil
}

// put adds a member.
func (m *members[V]) put(name string, v V) {
	*m = append(*m, struct {
		Name  string
		Value V
	}{name, v})
}

// An introspection is a model introspection, as the sandbox reads and writes it.
type introspection struct {
	Version       int                         `json:"version"`
	Models        members[introspectedModel]  `json:"models"`
	Enums         members[introspectedEnum]   `json:"enums"`
	NonModels     members[introspectedObject] `json:"nonModels"`
	Queries       members[introspectedField]  `json:"queries,omitempty"`
	Mutations     members[introspectedField]  `json:"mutations,omitempty"`
	Subscriptions members[introspectedField]  `json:"subscriptions,omitempty"`
	Inputs        members[introspectedInput]  `json:"inputs,omitempty"`
}

type introspectedModel struct {
	Name       string                     `json:"name"`
	Fields     members[introspectedField] `json:"fields"`
	Syncable   bool                       `json:"syncable"`
	PluralName string                     `json:"pluralName"`
	Attributes []introspectedAttribute    `json:"attributes"`
	PrimaryKey primaryKeyInfo             `json:"primaryKeyInfo"`
}

type introspectedAttribute struct {
	Type       string          `json:"type"`
	Properties json.RawMessage `json:"properties"`
}

type primaryKeyInfo struct {
	Custom    bool     `json:"isCustomPrimaryKey"`
	Partition string   `json:"primaryKeyFieldName"`
	Sort      []string `json:"sortKeyFieldNames"`
}

type introspectedEnum struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

type introspectedObject struct {
	Name   string                     `json:"name"`
	Fields members[introspectedField] `json:"fields"`
}

type introspectedInput struct {
	Name       string                     `json:"name"`
	Attributes members[introspectedField] `json:"attributes"`
}

type introspectedField struct {
	Name            string                     `json:"name"`
	IsArray         bool                       `json:"isArray"`
	Type            introspectedType           `json:"type"`
	IsRequired      bool                       `json:"isRequired"`
	Attributes      json.RawMessage            `json:"attributes,omitempty"`      // always an empty list
	IsArrayNullable *bool                      `json:"isArrayNullable,omitempty"` // of lists
	IsReadOnly      bool                       `json:"isReadOnly,omitempty"`
	Association     *association               `json:"association,omitempty"`
	Arguments       members[introspectedField] `json:"arguments,omitempty"`
}

type association struct {
	ConnectionType string   `json:"connectionType"`
	AssociatedWith []string `json:"associatedWith,omitempty"`
	TargetNames    []string `json:"targetNames,omitzero"` // of HAS_ONE it may be empty
}

// An introspectedType is a scalar, which is written as its name alone, or a type of a kind.
type introspectedType struct{ Kind, Name string }

func (t *introspectedType) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &t.Name) == nil {
		return nil
	}
	var object map[string]string
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	for _, kind := range []string{"model", "nonModel", "enum", "input"} {
		if name := object[kind]; name != "" {
			t.Kind, t.Name = kind, name
			return nil
		}
	}
	return fmt.Errorf("the type %s is unknown", text)
}

// MarshalJSON writes the type.
func (t introspectedType) MarshalJSON() ([]byte, error) {
	if t.Kind == "" {
		return json.Marshal(t.Name)
	}
	return json.Marshal(map[string]string{t.Kind: t.Name})
}

// graphql returns the field's type. For lists, isRequired speaks of the members.
func (f introspectedField) graphql(pos *ast.Position) *ast.Type {
	t := &ast.Type{NamedType: f.Type.Name, NonNull: f.IsRequired, Position: pos}
	if f.IsArray {
		nullable := f.IsArrayNullable != nil && *f.IsArrayNullable
		t = &ast.Type{Elem: t, NonNull: !nullable, Position: pos}
	}
	return t
}

// A builder writes the annotated schema that a model introspection stands for.
type builder struct {
	in       introspection
	document *ast.SchemaDocument
	err      error // the first name that GraphQL does not take
}

var graphqlName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

// check checks a name before GraphQL's own rules see it: they take names for checked.
func (b *builder) check(where, s string) {
	if !graphqlName.MatchString(s) && b.err == nil {
		b.err = fmt.Errorf("%s%q is no name", where, s)
	}
}

func (b *builder) add(kind ast.DefinitionKind, name string) *ast.Definition {
	b.check("", name)
	def := &ast.Definition{Kind: kind, Name: name, Position: place(name)}
	b.document.Definitions = append(b.document.Definitions, def)
	return def
}

// place stands for a position in faults, since the introspection has no lines.
func place(name string) *ast.Position {
	return &ast.Position{Src: &ast.Source{Name: name}}
}

func (b *builder) build() error {
	for _, e := range b.in.Enums {
		def := b.add(ast.Enum, e.Name)
		for _, v := range e.Value.Values {
			b.check(e.Name+": the value ", v)
			def.EnumValues = append(def.EnumValues, &ast.EnumValueDefinition{
				Name: v, Position: def.Position,
			})
		}
	}
	for _, t := range b.in.NonModels {
		b.fields(b.add(ast.Object, t.Name), t.Value.Fields)
	}
	for _, t := range b.in.Inputs {
		b.fields(b.add(ast.InputObject, t.Name), t.Value.Attributes)
	}
	for _, m := range b.in.Models {
		if err := b.model(m.Name, m.Value); err != nil {
			return fmt.Errorf("models.%s: %w", m.Name, err)
		}
	}
	for _, root := range []struct {
		name string
		list members[introspectedField]
	}{{"Query", b.in.Queries}, {"Mutation", b.in.Mutations}, {"Subscription", b.in.Subscriptions}} {
		if len(root.list) > 0 {
			b.fields(b.add(ast.Object, root.name), root.list)
		}
	}
	return b.err
}

func (b *builder) fields(def *ast.Definition, list members[introspectedField]) {
	for _, f := range list {
		pos := place(def.Name + "." + f.Name)
		b.check(def.Name+": ", f.Name)
		b.check(def.Name+"."+f.Name+": the type ", f.Value.Type.Name)
		out := &ast.FieldDefinition{Name: f.Name, Type: f.Value.graphql(pos), Position: pos}
		for _, a := range f.Value.Arguments {
			b.check(def.Name+"."+f.Name+": ", a.Name)
			b.check(def.Name+"."+f.Name+"."+a.Name+": the type ", a.Value.Type.Name)
			out.Arguments = append(out.Arguments, &ast.ArgumentDefinition{
				Name: a.Name, Type: a.Value.graphql(pos), Position: pos,
			})
		}
		def.Fields = append(def.Fields, out)
	}
}

func (b *builder) model(name string, m introspectedModel) error {
	def := b.add(ast.Object, name)
	for _, f := range m.Fields {
		if f.Value.IsReadOnly { // the backend adds it
			continue
		}
		b.fields(def, members[introspectedField]{f})
		if f.Value.Association != nil {
			b.association(def.Fields.ForName(f.Name), f.Value)
		}
	}
	for _, a := range m.Attributes {
		var properties map[string]any
		if err := json.Unmarshal(a.Properties, &properties); err != nil {
			return fmt.Errorf("the attribute %q: %w", a.Type, err)
		}
		switch a.Type {
		case "model":
			d := directive("model", def.Position)
			for _, p := range sorted(properties) {
				d.Arguments = append(d.Arguments, &ast.Argument{
					Name: p, Value: value(properties[p], def.Position),
				})
			}
			def.Directives = append(def.Directives, d)
		case "key":
			if err := b.key(def, properties); err != nil {
				return err
			}
		case "auth":
			rules, err := b.rules(properties, def.Position)
			if err != nil {
				return err
			}
			def.Directives = append(def.Directives, directive("auth", def.Position, "rules", rules))
		default:
			return fmt.Errorf("the attribute %q is unknown", a.Type)
		}
	}
	if def.Directives.ForName("model") == nil {
		def.Directives = append(def.Directives, directive("model", def.Position))
	}
	return nil
}

// key puts @primaryKey or @index on the first field of a key.
func (b *builder) key(def *ast.Definition, properties map[string]any) error {
	fields := claimList(properties["fields"])
	if len(fields) == 0 || def.Fields.ForName(fields[0]) == nil {
		return fmt.Errorf("a key has the fields %v, which the model lacks", properties["fields"])
	}
	f := def.Fields.ForName(fields[0])
	sort := textValues(fields[1:])
	d := directive("primaryKey", def.Position, "sortKeyFields", sort)
	if name, ok := properties["name"].(string); ok {
		args := []any{"name", textValue(name), "sortKeyFields", sort}
		if query, ok := properties["queryField"].(string); ok {
			args = append(args, "queryField", textValue(query))
		}
		d = directive("index", def.Position, args...)
	}
	f.Directives = append(f.Directives, d)
	return nil
}

// rules turns the rules of a model into those of @auth. What the introspection calls the default
// claim of owners is not what Gen 2 deploys.
func (b *builder) rules(properties map[string]any, pos *ast.Position) (*ast.Value, error) {
	list, ok := properties["rules"].([]any)
	if !ok {
		return nil, fmt.Errorf("the attribute \"auth\" has no rules")
	}
	out := &ast.Value{Kind: ast.ListValue, Position: pos}
	for _, one := range list {
		rule, ok := one.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a rule is no object")
		}
		delete(rule, "groupField")
		if rule["identityClaim"] == "cognito:username" {
			delete(rule, "identityClaim")
		}
		if rule["groups"] != nil {
			delete(rule, "groupsField")
		}
		out.Children = append(out.Children, &ast.ChildValue{Value: value(rule, pos)})
	}
	return out, nil
}

// association puts the directive of a relation on its field.
func (b *builder) association(f *ast.FieldDefinition, in introspectedField) {
	a := in.Association
	var d *ast.Directive
	switch a.ConnectionType {
	case "BELONGS_TO":
		d = directive("belongsTo", f.Position, "fields", textValues(a.TargetNames))
	case "HAS_ONE":
		d = directive("hasOne", f.Position, "references", textValues(a.AssociatedWith))
		if len(a.TargetNames) > 0 {
			d = directive("hasOne", f.Position, "fields", textValues(a.TargetNames))
		}
	default: // HAS_MANY; another one is a fault of the directive
		d = directive("hasMany", f.Position, "references", textValues(a.AssociatedWith))
		if index, fields := b.index(in); index != "" {
			d = directive("hasMany", f.Position,
				"indexName", textValue(index), "fields", textValues(fields))
		}
	}
	f.Directives = append(f.Directives, d)
}

// index returns the index of the related model that a has-many relation uses, and the fields of
// this model that it takes. The introspection names the field that leads back in its place.
func (b *builder) index(in introspectedField) (name string, fields []string) {
	related, _ := b.in.Models.get(in.Type.Name)
	if len(in.Association.AssociatedWith) != 1 {
		return "", nil
	}
	back, _ := related.Fields.get(in.Association.AssociatedWith[0])
	if back.Association == nil {
		return "", nil
	}
	targets := back.Association.TargetNames
	owner, _ := b.in.Models.get(back.Type.Name)
	for _, a := range related.Attributes {
		var key struct {
			Name   string
			Fields []string
		}
		if json.Unmarshal(a.Properties, &key) != nil || a.Type != "key" || key.Name == "" ||
			len(key.Fields) < len(targets) || !slices.Equal(key.Fields[:len(targets)], targets) {
			continue
		}
		return key.Name, owner.keyFields()
	}
	return "", nil
}

// keyFields returns the fields of a model's primary key.
func (m introspectedModel) keyFields() []string {
	for _, a := range m.Attributes {
		var key struct {
			Name   string
			Fields []string
		}
		if a.Type == "key" && json.Unmarshal(a.Properties, &key) == nil &&
			key.Name == "" && len(key.Fields) > 0 {
			return key.Fields
		}
	}
	return []string{"id"}
}

// value writes a JSON value in GraphQL.
func value(v any, pos *ast.Position) *ast.Value {
	out := &ast.Value{Kind: ast.NullValue, Position: pos}
	switch v := v.(type) {
	case string:
		out.Kind, out.Raw = ast.StringValue, v
	case bool:
		out.Kind, out.Raw = ast.BooleanValue, strconv.FormatBool(v)
	case float64:
		out.Kind, out.Raw = ast.FloatValue, strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		out.Kind = ast.ListValue
		for _, e := range v {
			out.Children = append(out.Children, &ast.ChildValue{Value: value(e, pos)})
		}
	case map[string]any:
		out.Kind = ast.ObjectValue
		for _, name := range sorted(v) {
			out.Children = append(out.Children, &ast.ChildValue{
				Name: name, Value: value(v[name], pos),
			})
		}
	}
	return out
}
