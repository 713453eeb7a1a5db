package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// input adds an input type of names and types in turn.
func (a *api) input(name string, fields ...string) {
	def := &ast.Definition{Kind: ast.InputObject, Name: name}
	for i := 0; i < len(fields); i += 2 {
		def.Fields = append(def.Fields, &ast.FieldDefinition{
			Name: fields[i], Type: named(fields[i+1]),
		})
	}
	a.add(def)
}

func (a *api) enum(name string, values ...string) {
	def := &ast.Definition{Kind: ast.Enum, Name: name}
	for _, v := range values {
		def.EnumValues = append(def.EnumValues, &ast.EnumValueDefinition{Name: v})
	}
	a.add(def)
}

func arg(name, typ string) *ast.ArgumentDefinition {
	return &ast.ArgumentDefinition{Name: name, Type: named(typ)}
}

// common adds the types that every deployed schema has.
func (a *api) common() {
	compare := []string{"ne", "eq", "le", "lt", "ge", "gt"}
	search := []string{"contains", "notContains"}
	operators := map[string][]string{
		"String":  slices.Concat(compare, search, []string{"between", "beginsWith"}),
		"ID":      slices.Concat(compare, search, []string{"between", "beginsWith"}),
		"Int":     slices.Concat(compare, []string{"between"}),
		"Float":   slices.Concat(compare, []string{"between"}),
		"Boolean": {"ne", "eq"},
	}
	typed := func(scalar string, operators []string) []string {
		var out []string
		for _, o := range operators {
			if o == "between" || o == "in" || o == "notIn" {
				out = append(out, o, "["+scalar+"]")
			} else {
				out = append(out, o, scalar)
			}
		}
		return out
	}
	for _, scalar := range sorted(operators) {
		fields := append(typed(scalar, operators[scalar]),
			"attributeExists", "Boolean", "attributeType", "ModelAttributeTypes")
		if scalar == "String" || scalar == "ID" {
			fields = append(fields, "size", "ModelSizeInput")
		}
		a.input("Model"+scalar+"Input", fields...)
		fields = typed(scalar, operators[scalar])
		if scalar != "Boolean" {
			fields = append(fields, typed(scalar, []string{"in", "notIn"})...)
		}
		a.input("ModelSubscription"+scalar+"Input", fields...)
	}
	a.input("ModelSizeInput", typed("Int", operators["Int"])...)
	a.enum("ModelAttributeTypes", "binary", "binarySet", "bool", "list", "map", "number",
		"numberSet", "string", "stringSet", "_null")
	a.enum("ModelSortDirection", "ASC", "DESC")
	// Amplify deploys it with every API; nothing uses it here.
	a.input("AmplifyAIConversationTurnErrorInput", "errorType", "String!", "message", "String!")
}

// conditionInput adds the type of the conditions of mutations. They leave out the primary key.
func (a *api) conditionInput(m *Model) {
	leave := []string{}
	indexed := slices.ContainsFunc(m.Indexes, func(k *Key) bool { return !k.Implied })
	if id := m.fields["id"]; id != nil && (id.Type.Name() == "ID" || indexed) {
		leave = append(leave, "id")
	}
	if hasPrimaryKey(m.def) {
		leave = append(append(leave, "id"), m.Key.Fields()...)
	}
	var fields []string
	for _, f := range m.Fields {
		if t := a.filterOf(f, forList); t != "" && !slices.Contains(leave, f.Name) {
			fields = append(fields, f.Name, t)
		}
	}
	name := conditionType(m.Name)
	a.input(name, append(fields, "and", "["+name+"]", "or", "["+name+"]", "not", name)...)
}

// subscriptionInput adds the type of the filters of subscriptions. Fields that name owners take
// what filters of lists take; those that name groups are left out.
func (a *api) subscriptionInput(m *Model) {
	owners, dynamic := map[string]bool{}, map[string]bool{}
	for _, one := range m.roles {
		dynamic[one.entity] = dynamic[one.entity] || !one.static
		owners[one.entity] = owners[one.entity] || one.allow == Owner
	}
	var fields []string
	for _, f := range m.Fields {
		scalar := a.scalarOf(f.Type.Name())
		switch {
		case scalar == "":
		case owners[f.Name]:
			fields = append(fields, f.Name, "ModelStringInput")
		case dynamic[f.Name] || a.impliedByMany(m, f):
		default:
			a.filterOf(f, forList) // the enum's filter is deployed beside it
			fields = append(fields, f.Name, "ModelSubscription"+scalar+"Input")
		}
	}
	if m.fields["id"] == nil {
		fields = append(fields, "id", "ModelSubscriptionIDInput")
	}
	// The key that a has-many relation implies stands in the filter of the model that has many, not
	// of the one that has the key. That is Amplify's slip.
	for _, f := range m.Fields {
		if f.Relation == nil || f.Relation.Kind != HasMany || !a.implies(f.Relation) {
			continue
		}
		for _, name := range f.Relation.References {
			scalar := a.scalarOf(f.Relation.Model.fields[name].Type.Name())
			fields = append(fields, name, "ModelSubscription"+scalar+"Input")
		}
	}
	name := subscriptionFilterType(m.Name)
	a.input(name, append(fields, "and", "["+name+"]", "or", "["+name+"]")...)
}

// implies reports whether a has-many relation added the fields that it finds its items by.
func (a *api) implies(rel *Relation) bool {
	return rel.Key.Implied && rel.Model.fields[rel.References[0]].Added
}

// impliedByMany reports whether a has-many relation of some model added the field.
func (a *api) impliedByMany(m *Model, f *Field) bool {
	if !f.Added {
		return false
	}
	for _, other := range a.schema.Models {
		for _, g := range other.Fields {
			if rel := g.Relation; rel != nil && rel.Kind == HasMany && rel.Model == m &&
				a.implies(rel) && slices.Contains(rel.References, f.Name) {
				return true
			}
		}
	}
	return false
}

// mutationInput adds the type of the input of a mutation.
func (a *api) mutationInput(m *Model, kind Kind, name string) {
	def := &ast.Definition{Kind: ast.InputObject, Name: name}
	put := func(name string, t ast.Type) {
		def.Fields = append(def.Fields, &ast.FieldDefinition{Name: name, Type: &t})
	}
	keys := m.Key.Fields()
	if kind == Delete {
		for _, key := range keys {
			put(key, ast.Type{NamedType: m.keyType(key), NonNull: true})
		}
		a.add(def)
		return
	}
	custom := hasPrimaryKey(m.def)
	for _, f := range m.Fields {
		if f.Relation != nil || f.Added && !a.settableField(m, f) {
			continue
		}
		t := *a.inputOf(f.Type)
		switch {
		case kind == Update:
			t.NonNull = slices.Contains(keys, f.Name)
		case f.Name == "id" && (t.Name() == "ID" || t.Name() == "String"):
			t.NonNull = false
		case f.Name == m.CreatedAt || f.Name == m.UpdatedAt:
			t.NonNull = t.NonNull && t.Name() != "String" && t.Name() != "AWSDateTime"
		}
		if f.Name == "id" && kind == Update && !custom {
			t.NonNull = true
		}
		put(f.Name, t)
	}
	a.add(def)
}

// settableField reports whether inputs take a field that the backend adds: the id and the keys of
// relations, but neither times nor owners.
func (a *api) settableField(m *Model, f *Field) bool {
	if f.Name == m.CreatedAt || f.Name == m.UpdatedAt {
		return false
	}
	return !slices.ContainsFunc(m.roles, func(o *role) bool {
		return o.allow == Owner && o.entity == f.Name
	})
}

// inputOf returns the type that an input has for a field of the given type.
func (a *api) inputOf(t *ast.Type) *ast.Type {
	out := *t
	if t.Elem != nil {
		out.Elem = a.inputOf(t.Elem)
	} else if def := a.defs[t.NamedType]; def != nil && def.Kind == ast.Object {
		out.NamedType = upper(t.NamedType) + "Input"
	}
	return &out
}

// nestedInput adds the input type of a custom type, and of those within it.
func (a *api) nestedInput(name string) {
	def := a.defs[name]
	input := upper(name) + "Input"
	if def == nil || def.Kind != ast.Object || a.isModel(name) || a.types[input] != nil {
		return
	}
	in := a.add(&ast.Definition{Kind: ast.InputObject, Name: input})
	for _, f := range def.Fields {
		in.Fields = append(in.Fields, &ast.FieldDefinition{Name: f.Name, Type: a.inputOf(f.Type)})
		a.nestedInput(f.Type.Name())
	}
}

// sortCondition adds the type of conditions on the sort fields of a key, and returns its name.
func (a *api) sortCondition(m *Model, k *Key) string {
	condition := func(name, value string, prefix bool) string {
		fields := []string{"eq", value, "le", value, "lt", value, "ge", value, "gt", value,
			"between", "[" + value + "]"}
		if prefix {
			fields = append(fields, "beginsWith", value)
		}
		a.input(name, fields...)
		return name
	}
	if len(k.Sort) == 1 {
		scalar := a.scalarOf(m.fields[k.Sort[0]].Type.Name())
		text := scalar == "String" || scalar == "ID"
		return condition("Model"+scalar+"KeyConditionInput", scalar, text)
	}
	value := compositeType(m.Name, k, "Input")
	var fields []string
	for i, name := range k.Sort {
		t := m.fields[name].Type.Name()
		if i == len(k.Sort)-1 && baseScalars[t] != "" {
			t = baseScalars[t]
		}
		fields = append(fields, name, t)
	}
	a.input(value, fields...)
	return condition(compositeType(m.Name, k, "ConditionInput"), value, true)
}
