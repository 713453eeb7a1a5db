package schema

import (
	"errors"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
)

// readModels makes the models, without keys, relations and rules.
func (r *reader) readModels() {
	for _, def := range r.document.Definitions {
		d := def.Directives.ForName("model")
		if d == nil {
			r.checkPlain(def)
			continue
		}
		m := &Model{
			Name: def.Name, Level: LevelOn, fields: map[string]*Field{}, def: def,
			settable: map[string]bool{},
		}
		for _, f := range def.Fields {
			m.add(r.readField(f))
			r.readChecks(m, f)
		}
		if m.fields["id"] == nil && !hasPrimaryKey(def) {
			m.add(&Field{Name: "id", Type: named("ID!"), Added: true, pos: def.Position})
		}
		r.readTimestamps(m, d)
		r.readOperations(m, d)
		r.schema.Models = append(r.schema.Models, m)
		r.schema.models[m.Name] = m
	}
}

// checkPlain refuses what belongs to models on a type that is none.
func (r *reader) checkPlain(def *ast.Definition) {
	if d := def.Directives.ForName("auth"); d != nil {
		r.fault(d.Position, "@auth on the type %s needs @model beside it", def.Name)
	}
	for _, f := range def.Fields {
		for _, name := range []string{
			"primaryKey", "index", "default", "validate", "hasOne", "hasMany", "belongsTo",
		} {
			if d := f.Directives.ForName(name); d != nil {
				r.fault(d.Position, "@%s on %s.%s needs @model on the type", name, def.Name, f.Name)
			}
		}
	}
}

func (m *Model) add(f *Field) {
	if m.fields[f.Name] == nil {
		m.fields[f.Name] = f
		m.Fields = append(m.Fields, f)
	}
}

func (r *reader) readField(f *ast.FieldDefinition) *Field {
	out := &Field{Name: f.Name, Type: f.Type, pos: f.Position}
	if d := f.Directives.ForName("auth"); d != nil {
		out.Rules = r.rules(d, true)
	}
	if d := f.Directives.ForName("default"); d != nil {
		v := argument(d, "value")
		switch {
		case f.Type.Elem != nil || r.scalarOf(f.Type.Name()) == "":
			r.fault(d.Position, "@default belongs to fields of scalar and enum types")
		case v == nil || v.Kind == ast.NullValue:
			r.fault(d.Position, "@default needs a value")
		default:
			var err error
			if out.Default, err = r.defaultValue(f.Type.Name(), v.Raw); err != nil {
				r.fault(d.Position, "the default %q is no %s: %v", v.Raw, f.Type.Name(), err)
			}
		}
	}
	return out
}

// defaultValue reads the text of @default. Texts stand for themselves, numbers are written in JSON.
func (r *reader) defaultValue(typ, text string) (any, error) {
	if r.isEnum(typ) {
		if r.defs[typ].EnumValues.ForName(text) == nil {
			return nil, errors.New("the enum does not have it")
		}
		return text, nil
	}
	var value any = text
	if slices.Contains([]string{"Int", "Float", "Boolean", "AWSTimestamp"}, typ) {
		var err error
		if value, err = scalars.ParseJSON(text); err != nil {
			return nil, err
		}
	}
	return scalars.Parse(typ, value)
}

func (r *reader) readTimestamps(m *Model, d *ast.Directive) {
	m.CreatedAt, m.UpdatedAt = "createdAt", "updatedAt"
	if v := argument(d, "timestamps"); v != nil {
		r.members(d, v, "createdAt", "updatedAt")
		if v.Kind == ast.NullValue {
			m.CreatedAt, m.UpdatedAt = "", ""
		}
		rename(v, "createdAt", &m.CreatedAt)
		rename(v, "updatedAt", &m.UpdatedAt)
	}
	for _, name := range []string{m.CreatedAt, m.UpdatedAt} {
		if name != "" {
			m.add(&Field{Name: name, Type: named("AWSDateTime!"), Added: true, pos: d.Position})
		}
	}
}

// rename sets a name to the member of an object value, if it is there; null means no name.
func rename(object *ast.Value, member string, name *string) {
	v := object.Children.ForName(member)
	switch {
	case v == nil:
	case v.Kind == ast.NullValue:
		*name = ""
	default:
		*name = v.Raw
	}
}

// readOperations reads which operations a model has, and their names.
func (r *reader) readOperations(m *Model, d *ast.Directive) {
	names := map[Kind]string{
		Get: camel("get", m.Name), List: camel("list", plural(m.Name)),
		Create: camel("create", m.Name), Update: camel("update", m.Name),
		Delete: camel("delete", m.Name),
	}
	for _, group := range []struct {
		root     ast.Operation
		argument string
		members  []string
	}{
		{ast.Query, "queries", []string{"get", "list"}},
		{ast.Mutation, "mutations", []string{"create", "update", "delete"}},
	} {
		v := argument(d, group.argument)
		r.members(d, v, group.members...)
		for _, member := range group.members {
			kind := Kind(member)
			name := names[kind]
			if v != nil && v.Kind == ast.NullValue {
				name = ""
			} else if v != nil {
				rename(v, member, &name)
			}
			if names[kind] = name; name != "" {
				r.addOperation(d, &Operation{Root: group.root, Name: name, Kind: kind, Model: m})
			}
		}
	}
	r.readSubscriptions(m, d, names)
}

// addOperation adds an operation of a model.
func (r *reader) addOperation(d *ast.Directive, op *Operation) {
	root := r.schema.operations[op.Root]
	if root[op.Name] != nil {
		r.fault(d.Position, "there are two operations with the name %s.%s",
			upper(string(op.Root)), op.Name)
	}
	root[op.Name] = op
	op.Model.Operations = append(op.Model.Operations, op)
}

// readSubscriptions reads who may subscribe, and to what: the names of mutations are given.
func (r *reader) readSubscriptions(m *Model, d *ast.Directive, mutations map[Kind]string) {
	v := argument(d, "subscriptions")
	if v != nil {
		r.members(d, v, "level", "onCreate", "onUpdate", "onDelete")
		if v.Kind == ast.NullValue {
			m.Level = LevelOff
		}
		level := string(m.Level)
		rename(v, "level", &level)
		m.Level = Level(level)
		if !slices.Contains([]Level{LevelOff, LevelPublic, LevelOn}, m.Level) {
			r.fault(d.Position, "the model has the unknown level of subscriptions %q", level)
		}
	}
	if m.Level == LevelOff {
		return
	}
	for _, kinds := range [][2]Kind{{OnCreate, Create}, {OnUpdate, Update}, {OnDelete, Delete}} {
		on, mutation := kinds[0], mutations[kinds[1]]
		names := []string{subscriptionName(on, m.Name)}
		if v != nil && v.Children.ForName(string(on)) != nil {
			names = texts(v.Children.ForName(string(on)))
		}
		for _, name := range names {
			if mutation != "" {
				r.addOperation(d, &Operation{
					Root: ast.Subscription, Name: name, Kind: on, Model: m,
					Mutations: []string{mutation},
				})
			}
		}
	}
}

// readCustom reads the operations that the document itself declares, and the rules on fields of
// types that are no models.
func (r *reader) readCustom() {
	roots := map[string]ast.Operation{
		"Query": ast.Query, "Mutation": ast.Mutation, "Subscription": ast.Subscription,
	}
	for _, def := range r.document.Definitions {
		if r.isModel(def.Name) {
			continue
		}
		root, isRoot := roots[def.Name]
		for _, f := range def.Fields {
			var rules []Rule
			if d := f.Directives.ForName("auth"); d != nil {
				rules = r.rules(d, true)
				r.schema.fields[def.Name+"."+f.Name] = r.staticRoles(d, rules)
			} else if isRoot && r.introspected {
				r.schema.fields[def.Name+"."+f.Name] = nil // nobody
			}
			if !isRoot {
				continue
			}
			says := slices.Concat(def.Directives, f.Directives)
			if says.ForName("auth") == nil && says.ForName("aws_iam") == nil {
				r.schema.unruled[def.Name+"."+f.Name] = true
			}
			op := &Operation{Root: root, Name: f.Name, Kind: Custom, Rules: rules}
			if d := f.Directives.ForName("aws_subscribe"); d != nil {
				op.Mutations = texts(argument(d, "mutations"))
			}
			if r.schema.operations[root][f.Name] != nil {
				r.fault(f.Position, "%s.%s has the name of an operation of a model",
					def.Name, f.Name)
			}
			r.schema.operations[root][f.Name] = op
		}
	}
}

// staticRoles returns the roles of rules on a field that belongs to no item. Rules that need an
// item let nobody in there.
func (r *reader) staticRoles(d *ast.Directive, rules []Rule) []*role {
	roles := []*role{}
	for _, rule := range rules {
		if rule.Access != AllowAll {
			r.fault(d.Position, "a rule outside of models has no operations")
		}
		for _, one := range rolesOf(rule, &ast.Definition{}) {
			if !one.static {
				r.warn(d.Position,
					"the rule with allow: %s lets nobody in, because there is no item", rule.Allow)
				continue
			}
			roles = append(roles, one)
		}
	}
	return roles
}
