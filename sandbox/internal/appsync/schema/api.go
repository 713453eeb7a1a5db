package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// An api derives the deployed schema, as Amplify's transformers do (amplify-graphql-model-, -index-,
// -relational- and -auth-transformer).
type api struct {
	*reader
	types map[string]*ast.Definition
	list  ast.DefinitionList
	seen  map[string]map[Provider]bool // the modes that models gave to types that are no models
}

// derive makes the deployed schema.
func (r *reader) derive() {
	a := &api{reader: r, types: map[string]*ast.Definition{}, seen: map[string]map[Provider]bool{}}
	for _, def := range r.document.Definitions {
		a.declared(def)
	}
	a.common()
	for _, m := range r.schema.Models {
		a.model(m)
	}
	a.modes()

	document := validator.PreludeDocument()
	own, err := parser.ParseSchema(&ast.Source{Name: "amplify.graphql", Input: amplify})
	if err != nil {
		panic(err) // embedded
	}
	for _, def := range own.Definitions {
		if def.Kind == ast.Scalar {
			document.Definitions = append(document.Definitions, def)
		}
	}
	for _, d := range own.Directives {
		if strings.HasPrefix(d.Name, "aws_") {
			document.Directives = append(document.Directives, d)
		}
	}
	document.Definitions = append(document.Definitions, a.list...)
	valid, err := validator.ValidateSchemaDocument(document)
	if err != nil {
		r.faults = append(r.faults, faultOf(r.name, err))
		return
	}
	r.schema.API = valid
}

// declared copies a type of the document without Amplify's directives.
func (a *api) declared(def *ast.Definition) {
	out := *def
	out.Directives = served(def.Directives)
	out.Fields = nil
	for _, f := range def.Fields {
		one := *f
		one.Directives = served(f.Directives)
		out.Fields = append(out.Fields, &one)
	}
	if m := a.schema.models[def.Name]; m != nil {
		for _, f := range m.Fields[len(def.Fields):] {
			out.Fields = append(out.Fields, &ast.FieldDefinition{Name: f.Name, Type: f.Type, Position: f.pos})
		}
		for _, f := range out.Fields {
			a.connection(m, f)
		}
	}
	a.add(&out)
}

// connection makes the field of a has-many relation one with pages.
func (a *api) connection(m *Model, f *ast.FieldDefinition) {
	rel := m.fields[f.Name].Relation
	if rel == nil || rel.Kind != HasMany {
		return
	}
	f.Type = named(connectionType(rel.Model.Name))
	if rel.SortArgument != "" {
		f.Arguments = append(f.Arguments, arg(rel.SortArgument, a.sortCondition(rel.Model, sortKey(rel))))
	}
	f.Arguments = append(f.Arguments, arg("filter", filterType(rel.Model.Name)),
		arg("sortDirection", "ModelSortDirection"), arg("limit", "Int"), arg("nextToken", "String"))
}

// sortKey is the key whose sort fields a has-many relation has an argument for.
func sortKey(rel *Relation) *Key {
	if rel.Key.Implied {
		return rel.Model.Key
	}
	return rel.Key
}

func served(list ast.DirectiveList) ast.DirectiveList {
	var out ast.DirectiveList
	for _, d := range list {
		if strings.HasPrefix(d.Name, "aws_") || d.Name == "deprecated" {
			out = append(out, &ast.Directive{Name: d.Name, Arguments: d.Arguments, Position: d.Position})
		}
	}
	return out
}

// add adds a type, unless there is one with its name.
func (a *api) add(def *ast.Definition) *ast.Definition {
	if old := a.types[def.Name]; old != nil {
		return old
	}
	a.types[def.Name] = def
	a.list = append(a.list, def)
	return def
}

// input adds an input type of names and types in turn.
func (a *api) input(name string, fields ...string) {
	def := &ast.Definition{Kind: ast.InputObject, Name: name}
	for i := 0; i < len(fields); i += 2 {
		def.Fields = append(def.Fields, &ast.FieldDefinition{Name: fields[i], Type: named(fields[i+1])})
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

// root returns Query, Mutation or Subscription.
func (a *api) root(op ast.Operation) *ast.Definition {
	return a.add(&ast.Definition{Kind: ast.Object, Name: upper(string(op))})
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
	a.enum("ModelAttributeTypes", "binary", "binarySet", "bool", "list", "map", "number", "numberSet",
		"string", "stringSet", "_null")
	a.enum("ModelSortDirection", "ASC", "DESC")
	// Amplify deploys it with every API; nothing uses it here.
	a.input("AmplifyAIConversationTurnErrorInput", "errorType", "String!", "message", "String!")
}

// model adds the operations of a model and their types.
func (a *api) model(m *Model) {
	for _, f := range m.def.Fields {
		a.nestedInput(f.Type.Name())
	}
	for _, f := range m.Fields {
		if f.Relation != nil && f.Relation.Kind == HasMany {
			a.pages(f.Relation.Model)
		}
	}
	for _, op := range m.Operations {
		f := &ast.FieldDefinition{Name: op.Name, Type: named(m.Name), Position: m.def.Position}
		switch op.Kind {
		case Get:
			for _, name := range m.Key.Fields() {
				f.Arguments = append(f.Arguments, arg(name, m.fields[name].Type.Name()+"!"))
			}
		case List:
			a.pages(m)
			f.Type = named(connectionType(m.Name))
			if hasPrimaryKey(m.def) {
				f.Arguments = append(a.keyArguments(m, m.Key, ""), arg("sortDirection", "ModelSortDirection"))
			}
			f.Arguments = append(f.Arguments, arg("filter", filterType(m.Name)), arg("limit", "Int"),
				arg("nextToken", "String"))
		case Index:
			a.pages(m)
			f.Type = named(connectionType(m.Name))
			f.Arguments = append(a.keyArguments(m, op.Key, "!"), arg("sortDirection", "ModelSortDirection"),
				arg("filter", filterType(m.Name)), arg("limit", "Int"), arg("nextToken", "String"))
		case Create, Update, Delete:
			a.conditionInput(m)
			input := upper(string(op.Kind)) + upper(m.Name) + "Input"
			a.mutationInput(m, op.Kind, input)
			f.Arguments = ast.ArgumentDefinitionList{
				arg("input", input+"!"), arg("condition", conditionType(m.Name)),
			}
		case OnCreate, OnUpdate, OnDelete:
			a.subscriptionInput(m)
			f.Arguments = append(f.Arguments, arg("filter", subscriptionFilterType(m.Name)))
			for _, one := range m.roles {
				if m.Level == LevelOn && one.allow == Owner && !one.list && one.can(AllowListen) &&
					f.Arguments.ForName(one.entity) == nil {
					f.Arguments = append(f.Arguments, arg(one.entity, "String"))
				}
			}
			f.Directives = ast.DirectiveList{
				directive("aws_subscribe", m.def.Position, "mutations", textValues(op.Mutations)),
			}
		}
		root := a.root(op.Root)
		root.Fields = append(root.Fields, f)
	}
}

// pages adds the type of the pages of a model and the type of its filters.
func (a *api) pages(m *Model) {
	a.add(&ast.Definition{
		Kind: ast.Object, Name: connectionType(m.Name), Fields: ast.FieldList{
			field("items", "["+m.Name+"]!", m.def.Position), field("nextToken", "String", m.def.Position),
		},
	})
	var fields []string
	for _, f := range m.Fields {
		if t := a.filterOf(f); t != "" {
			fields = append(fields, f.Name, t)
		}
	}
	if m.fields["id"] == nil { // Amplify makes filters before it takes the id away
		fields = append(fields, "id", "ModelIDInput")
	}
	name := filterType(m.Name)
	a.input(name, append(fields, "and", "["+name+"]", "or", "["+name+"]", "not", name)...)
}

// filterOf returns the type of a field in filters; empty if it has none there.
func (a *api) filterOf(f *Field) string {
	name := f.Type.Name()
	switch {
	case a.isEnum(name) && f.Type.Elem != nil:
		a.input("Model"+name+"ListInput", "eq", "["+name+"]", "ne", "["+name+"]",
			"contains", name, "notContains", name)
		return "Model" + name + "ListInput"
	case a.isEnum(name):
		a.input("Model"+name+"Input", "eq", name, "ne", name)
		return "Model" + name + "Input"
	case scalars[name] != "":
		return "Model" + scalars[name] + "Input"
	}
	return ""
}

// conditionInput adds the type of the conditions of mutations. They leave out the primary key.
func (a *api) conditionInput(m *Model) {
	leave := []string{}
	if m.fields["id"] != nil && (m.fields["id"].Type.Name() == "ID" || len(m.Indexes) > 0) {
		leave = append(leave, "id")
	}
	if hasPrimaryKey(m.def) {
		leave = append(append(leave, "id"), m.Key.Fields()...)
	}
	var fields []string
	for _, f := range m.Fields {
		if t := a.filterOf(f); t != "" && !slices.Contains(leave, f.Name) {
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
			a.filterOf(f) // the enum's filter is deployed beside it
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
			if rel := g.Relation; rel != nil && rel.Kind == HasMany && rel.Model == m && a.implies(rel) &&
				slices.Contains(rel.References, f.Name) {
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
			put(key, ast.Type{NamedType: m.fields[key].Type.Name(), NonNull: true})
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
	return !slices.ContainsFunc(m.roles, func(o *role) bool { return o.allow == Owner && o.entity == f.Name })
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
	if def == nil || def.Kind != ast.Object || a.isModel(name) || a.types[upper(name)+"Input"] != nil {
		return
	}
	in := a.add(&ast.Definition{Kind: ast.InputObject, Name: upper(name) + "Input"})
	for _, f := range def.Fields {
		in.Fields = append(in.Fields, &ast.FieldDefinition{Name: f.Name, Type: a.inputOf(f.Type)})
		a.nestedInput(f.Type.Name())
	}
}

// keyArguments are those of a list by a key.
func (a *api) keyArguments(m *Model, k *Key, required string) ast.ArgumentDefinitionList {
	list := ast.ArgumentDefinitionList{arg(k.Partition, m.fields[k.Partition].Type.Name()+required)}
	if len(k.Sort) > 0 {
		list = append(list, arg(k.SortArgument(), a.sortCondition(m, k)))
	}
	return list
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
		return condition("Model"+scalar+"KeyConditionInput", scalar, scalar == "String" || scalar == "ID")
	}
	value := compositeType(m.Name, k, "Input")
	var fields []string
	for i, name := range k.Sort {
		t := m.fields[name].Type.Name()
		if i == len(k.Sort)-1 && scalars[t] != "" {
			t = scalars[t]
		}
		fields = append(fields, name, t)
	}
	a.input(value, fields...)
	return condition(compositeType(m.Name, k, "ConditionInput"), value, true)
}

// modes puts the directives of modes on types and fields: the first layer of authorization.
func (a *api) modes() {
	admins := a.options.admins()
	for _, def := range a.document.Definitions {
		if def.Kind != ast.Object || a.isModel(def.Name) {
			continue
		}
		out := a.types[def.Name]
		if admins {
			out.Directives = withModes(out.Directives, []Provider{IAM})
		}
		isRoot := slices.Contains([]string{"Query", "Mutation", "Subscription"}, def.Name)
		for _, f := range def.Fields {
			of := out.Fields.ForName(f.Name)
			if isRoot && admins {
				of.Directives = withModes(of.Directives, []Provider{IAM})
			}
			if roles, ok := a.schema.fields[def.Name+"."+f.Name]; ok {
				of.Directives = withModes(of.Directives, a.service(a.providers(roles), false))
			}
		}
	}
	for _, m := range a.schema.Models {
		if len(m.roles) == 0 {
			a.closedModel(m)
			continue
		}
		providers := a.providers(m.roles)
		typ := a.types[m.Name]
		typ.Directives = withModes(typ.Directives, a.service(providers, false))
		for _, op := range m.Operations {
			for _, access := range accessesOf(op, m) {
				a.operationModes(m, op, access)
			}
		}
		a.propagate(typ, providers)
	}
}

// accessesOf returns what the modes of an operation are taken from.
func accessesOf(op *Operation, m *Model) []Access {
	switch op.Kind {
	case Get:
		return []Access{AllowGet}
	case List:
		return []Access{AllowList}
	case Index:
		return []Access{AllowList, AllowGet}
	case Create:
		return []Access{AllowCreate}
	case Update:
		return []Access{AllowUpdate}
	case Delete:
		return []Access{AllowDelete}
	}
	if m.Level != LevelOn {
		return nil
	}
	return []Access{AllowListen}
}

func (a *api) operationModes(m *Model, op *Operation, access Access) {
	var roles []*role
	for _, one := range m.roles {
		if access == AllowDelete && one.canAll(access) || access != AllowDelete && one.can(access) {
			roles = append(roles, one)
		}
	}
	mode := a.options.defaultMode()
	withDefault := slices.ContainsFunc(roles, func(o *role) bool { return o.provider == mode }) ||
		len(roles) == 0 && a.options.admins() && mode != IAM
	a.putModes(op, a.service(a.providers(roles), withDefault))
}

// putModes puts directives on an operation and on the type of its answer.
func (a *api) putModes(op *Operation, modes []Provider) {
	f := a.root(op.Root).Fields.ForName(op.Name)
	f.Directives = withModes(f.Directives, modes)
	answer := a.types[f.Type.Name()]
	answer.Directives = withModes(answer.Directives, modes)
}

// closedModel is a model without rules: IAM principals alone may use it.
func (a *api) closedModel(m *Model) {
	if !a.options.admins() || a.options.defaultMode() == IAM {
		return
	}
	iam := []Provider{IAM}
	typ := a.types[m.Name]
	typ.Directives = withModes(typ.Directives, iam)
	for _, op := range m.Operations {
		a.putModes(op, iam)
	}
	seen := map[string]bool{}
	var nested func(*ast.Definition)
	nested = func(def *ast.Definition) {
		for _, f := range def.Fields {
			inner := a.types[f.Type.Name()]
			if inner == nil || inner.Kind != ast.Object || a.isModel(inner.Name) || seen[inner.Name] {
				continue
			}
			seen[inner.Name] = true
			inner.Directives = withModes(inner.Directives, iam)
			nested(inner)
		}
	}
	nested(typ)
}

// propagate gives the modes of a model to the types within it that are no models.
func (a *api) propagate(def *ast.Definition, providers []Provider) {
	for _, f := range def.Fields {
		inner := a.types[f.Type.Name()]
		if inner == nil || inner.Kind != ast.Object || a.isModel(inner.Name) {
			continue
		}
		seen := a.seen[inner.Name]
		modes := a.service(providers, seen != nil)
		if seen == nil {
			a.seen[inner.Name] = map[Provider]bool{}
		}
		modes = slices.DeleteFunc(modes, func(p Provider) bool { return seen[p] })
		for _, p := range modes {
			a.seen[inner.Name][p] = true
		}
		if len(modes) > 0 || seen == nil {
			inner.Directives = withModes(inner.Directives, modes)
			a.propagate(inner, providers)
		}
	}
}

// providers returns the modes of roles. IAM is among them where its principals have access.
func (a *api) providers(roles []*role) []Provider {
	var list []Provider
	for _, one := range roles {
		if !slices.Contains(list, one.provider) {
			list = append(list, one.provider)
		}
	}
	if a.options.admins() && !slices.Contains(list, IAM) {
		list = append(list, IAM)
	}
	return list
}

// service returns the modes that need directives. The default mode needs one only beside others.
func (a *api) service(providers []Provider, withDefault bool) []Provider {
	mode := a.options.defaultMode()
	others := slices.ContainsFunc(providers, func(p Provider) bool { return p != mode })
	var list []Provider
	for _, d := range directives {
		has := slices.Contains(providers, d.mode)
		if d.mode != mode && has || d.mode == mode && others && (has || withDefault) {
			list = append(list, d.mode)
		}
	}
	return list
}

// withModes adds the directives of modes that a list lacks.
func withModes(list ast.DirectiveList, modes []Provider) ast.DirectiveList {
	for _, d := range directives {
		if slices.Contains(modes, d.mode) && list.ForName(d.name) == nil {
			list = append(list, &ast.Directive{Name: d.name})
		}
	}
	return list
}
