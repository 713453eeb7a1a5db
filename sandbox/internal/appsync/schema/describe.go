package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// describe writes the model introspection of the document, as the code generator of Amplify does
// (@aws-amplify/appsync-modelgen-plugin). It leaves out what that has no words for: rules of fields,
// defaults, and fields whose type is an interface or a union.
func (r *reader) describe() {
	if r.introspected {
		return
	}
	out := introspection{Version: 1, Models: members[introspectedModel]{}}
	for _, def := range r.document.Definitions {
		switch {
		case r.isModel(def.Name):
			out.Models.put(def.Name, r.describeModel(r.schema.models[def.Name]))
		case def.Name == "Query":
			out.Queries = r.describeFields(def.Fields, false)
		case def.Name == "Mutation":
			out.Mutations = r.describeFields(def.Fields, false)
		case def.Name == "Subscription":
			out.Subscriptions = r.describeFields(def.Fields, false)
		case def.Kind == ast.Enum:
			e := introspectedEnum{Name: def.Name}
			for _, v := range def.EnumValues {
				e.Values = append(e.Values, v.Name)
			}
			out.Enums.put(def.Name, e)
		case def.Kind == ast.Object:
			out.NonModels.put(def.Name,
				introspectedObject{def.Name, r.describeFields(def.Fields, true)})
		case def.Kind == ast.InputObject:
			out.Inputs.put(def.Name,
				introspectedInput{def.Name, r.describeFields(def.Fields, false)})
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("%s: write the model introspection: %w", r.name, err))
	}
	r.schema.Introspection = text
}

// noAttributes are those of the fields of types.
var noAttributes = json.RawMessage("[]")

// describeFields describes fields that hold values. Those of types have attributes.
func (r *reader) describeFields(list ast.FieldList, attributes bool) members[introspectedField] {
	var out members[introspectedField]
	for _, f := range list {
		one, known := r.describeField(f.Name, f.Type)
		if !known {
			continue
		}
		if attributes {
			one.Attributes = noAttributes
		}
		for _, a := range f.Arguments {
			argument, _ := r.describeField(a.Name, a.Type)
			one.Arguments.put(a.Name, argument)
		}
		out.put(f.Name, one)
	}
	return out
}

// describeField describes what has a name and a type. known is false if the type has no kind there.
func (r *reader) describeField(name string, t *ast.Type) (f introspectedField, known bool) {
	f = introspectedField{Name: name, IsRequired: t.NonNull}
	if t.Elem != nil {
		nullable := !t.NonNull
		f.IsArray, f.IsArrayNullable, f.IsRequired = true, &nullable, t.Elem.NonNull
	}
	f.Type.Name = t.Name()
	def := r.defs[t.Name()]
	switch {
	case def == nil: // a scalar
	case r.isModel(def.Name):
		f.Type.Kind = "model"
	case def.Kind == ast.Object:
		f.Type.Kind = "nonModel"
	case def.Kind == ast.Enum:
		f.Type.Kind = "enum"
	case def.Kind == ast.InputObject:
		f.Type.Kind = "input"
	default:
		return f, false
	}
	return f, true
}

func (r *reader) describeModel(m *Model) introspectedModel {
	out := introspectedModel{
		Name: m.Name, Syncable: true, PluralName: plural(m.Name),
		PrimaryKey: primaryKeyInfo{
			Custom:    m.Key.Partition != "id" || len(m.Key.Sort) > 0,
			Partition: m.Key.Partition, Sort: append([]string{}, m.Key.Sort...),
		},
	}
	for _, f := range m.Fields {
		one, known := r.describeModelField(m, f)
		switch {
		case !known:
		case f.Added && f.Name == "id": // the generator puts it first
			out.Fields = slices.Insert(out.Fields, 0, members[introspectedField]{{f.Name, one}}...)
		default:
			out.Fields.put(f.Name, one)
		}
	}
	attribute := func(name string, properties any) {
		text, err := json.Marshal(properties)
		if err != nil {
			r.fault(m.def.Position, "@%s cannot be described: %v", name, err)
		}
		out.Attributes = append(out.Attributes, introspectedAttribute{name, text})
	}
	attribute("model", argumentsOf(m.def.Directives.ForName("model")))
	for _, f := range m.def.Fields {
		for _, d := range f.Directives {
			if d.Name == "primaryKey" || d.Name == "index" {
				attribute("key", describeKey(m, f.Name, d))
			}
		}
	}
	if d := m.def.Directives.ForName("auth"); d != nil {
		rules := []map[string]any{}
		for _, v := range children(argument(d, "rules")) {
			rule := describeRule(v)
			same := func(other map[string]any) bool { return reflect.DeepEqual(rule, other) }
			if !slices.ContainsFunc(rules, same) { // a model that joins has the rules of both ends
				rules = append(rules, rule)
			}
		}
		attribute("auth", map[string]any{"rules": rules})
	}
	return out
}

// describeModelField describes a field of a model. It has no words for owners that only rules name.
func (r *reader) describeModelField(m *Model, f *Field) (_ introspectedField, known bool) {
	byRule := slices.ContainsFunc(m.roles, func(o *role) bool {
		return o.allow == Owner && o.entity == f.Name
	})
	if f.Added && byRule && !m.settable[f.Name] {
		return introspectedField{}, false
	}
	out, known := r.describeField(f.Name, f.Type)
	out.Attributes = noAttributes
	if f.Added && (f.Name == m.CreatedAt || f.Name == m.UpdatedAt) {
		out.IsReadOnly, out.IsRequired = true, false
	}
	if f.Relation != nil {
		out.Association = r.describeRelation(m, f.Relation)
	}
	if r.joins[m.Name] && f.Name != "id" && f.Relation == nil {
		out.IsRequired = false
	}
	return out, known
}

func (r *reader) describeRelation(m *Model, to *Relation) *association {
	switch {
	case to.Kind == BelongsTo || r.joins[m.Name]:
		return &association{ConnectionType: "BELONGS_TO", TargetNames: to.Fields}
	case to.Kind == HasOne && to.Key != to.Model.Key:
		return &association{ConnectionType: "HAS_ONE", AssociatedWith: to.References,
			TargetNames: []string{}}
	case to.Kind == HasOne:
		return &association{ConnectionType: "HAS_ONE", AssociatedWith: to.References,
			TargetNames: to.Fields}
	}
	out := &association{ConnectionType: "HAS_MANY", AssociatedWith: to.References}
	if to.Key.Implied {
		return out
	}
	// By a declared index, the generator names the field that leads back.
	for _, back := range to.Model.Fields {
		if back.Relation != nil && back.Relation.Model == m && back.Relation.Kind != HasMany &&
			slices.Equal(back.Relation.Fields, to.References) {
			out.AssociatedWith = []string{back.Name}
			break
		}
	}
	return out
}

// describeKey describes the key of a model's directive on a field.
func describeKey(m *Model, partition string, d *ast.Directive) map[string]any {
	sort := texts(argument(d, "sortKeyFields"))
	out := map[string]any{"fields": append([]string{partition}, sort...)}
	if d.Name == "primaryKey" {
		return out
	}
	out["name"] = indexName(m.Name, partition, sort)
	for _, name := range []string{"name", "queryField"} {
		if v := argument(d, name); v != nil && v.Kind != ast.NullValue {
			out[name] = v.Raw
		}
	}
	return out
}

// describeRule describes a rule of a model with the defaults that the generator adds. Its name for
// the claim of owners is not the one that is deployed.
func describeRule(v *ast.Value) map[string]any {
	rule, _ := plain(v).(map[string]any)
	add := func(name string, v any) {
		if rule[name] == nil {
			rule[name] = v
		}
	}
	add("operations", []string{"create", "update", "delete", "read"})
	switch Strategy(text(v.Children.ForName("allow"))) {
	case Owner:
		add("provider", UserPool)
		add("ownerField", defaultOwnerField)
		add("identityClaim", "cognito:username")
		if rule["identityClaim"] == "username" {
			rule["identityClaim"] = "cognito:username"
		}
	case Groups:
		add("provider", UserPool)
		add("groupClaim", defaultGroupClaim)
		if rule["groups"] == nil {
			add("groupField", defaultGroupsField)
		} else {
			rule["groups"] = texts(v.Children.ForName("groups"))
		}
	}
	return rule
}

// argumentsOf returns the arguments of a directive as JSON has them.
func argumentsOf(d *ast.Directive) map[string]any {
	out := map[string]any{}
	for _, a := range d.Arguments {
		out[a.Name] = plain(a.Value)
	}
	return out
}

// plain returns a value without variables as JSON has it.
func plain(v *ast.Value) any {
	value, err := v.Value(nil)
	if err != nil { // a number that is too large
		return v.Raw
	}
	return value
}
