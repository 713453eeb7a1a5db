package schema

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

//go:embed amplify.graphql
var amplify string

// Options are what the schema itself does not tell. The zero value is a Gen 2 backend with an API
// key.
type Options struct {
	// Default is the API's default mode of authorization; APIKey if it is empty.
	Default Provider
	// Additional are its other modes.
	Additional []Provider
	// Gen1 is set for a backend of Gen 1. IAM principals that are no identities of the identity pool
	// then have no access; in Gen 2 they may do everything.
	Gen1 bool
}

func (o Options) has(mode Provider) bool {
	return mode == o.defaultMode() || slices.Contains(o.Additional, mode)
}

func (o Options) defaultMode() Provider {
	if o.Default == "" {
		return APIKey
	}
	return o.Default
}

// admins reports whether IAM principals in general have access.
func (o Options) admins() bool { return !o.Gen1 }

// Read reads an annotated schema. The name is that of the file, for faults. All faults are
// returned together; each begins with the file and the line.
func Read(name, text string, o Options) (*Schema, error) {
	document, err := parser.ParseSchema(&ast.Source{Name: name, Input: text})
	if err != nil {
		return nil, faultOf(name, err)
	}
	return read(name, document, o, false)
}

// read makes a schema of an annotated document, or of one that stands for a model introspection.
func read(name string, document *ast.SchemaDocument, o Options, introspected bool) (*Schema, error) {
	r := &reader{
		name: name, options: o, document: document, introspected: introspected,
		defs: map[string]*ast.Definition{},
		schema: &Schema{
			options: o, models: map[string]*Model{}, fields: map[string][]*role{},
			operations: map[ast.Operation]map[string]*Operation{
				ast.Query: {}, ast.Mutation: {}, ast.Subscription: {},
			},
		},
	}
	for _, step := range []func(){
		r.directivesKnown, r.validate, r.joinModels, r.readModels, r.readKeys, r.readRelations,
		r.readRoles, r.readCustom, r.derive,
	} {
		if step(); len(r.faults) > 0 {
			return nil, errors.Join(r.faults...)
		}
	}
	return r.schema, nil
}

// A reader makes a schema of a document, in steps.
type reader struct {
	name     string
	options  Options
	document *ast.SchemaDocument
	schema   *Schema
	defs     map[string]*ast.Definition // of the document, with its extensions
	faults   []error

	introspected bool // the document lacks what a model introspection lacks

	joins     map[string]bool // the models that join many to many
	sandboxed bool            // Gen 1's globalAuthRule lets the API key in where models have no rules
}

func (r *reader) fault(pos *ast.Position, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s: %s", r.where(pos), fmt.Sprintf(format, args...)))
}

func (r *reader) warn(pos *ast.Position, format string, args ...any) {
	r.schema.Warnings = append(r.schema.Warnings, r.where(pos)+": "+fmt.Sprintf(format, args...))
}

// where returns the file and the line of a position, or the type or field that stands for it.
func (r *reader) where(pos *ast.Position) string {
	switch {
	case pos == nil:
		return r.name
	case pos.Line > 0:
		return r.name + ":" + strconv.Itoa(pos.Line)
	}
	return r.name + ": " + pos.Src.Name
}

// faultOf gives an error of gqlparser the form of the others.
func faultOf(name string, err error) error {
	var ge *gqlerror.Error
	if !errors.As(err, &ge) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(ge.Locations) > 0 && ge.Locations[0].Line > 0 {
		return fmt.Errorf("%s:%d: %s", name, ge.Locations[0].Line, ge.Message)
	}
	if place, _ := ge.Extensions["file"].(string); place != "" { // see place
		name += ": " + place
	}
	return fmt.Errorf("%s: %s", name, ge.Message)
}

// unserved are directives of Amplify that the sandbox does not serve, and what becomes of them.
// Those that would make the sandbox more lenient than AWS are faults.
var unserved = map[string]struct {
	fault bool
	text  string
}{
	"searchable":   {false, "the API of the sandbox has no search queries"},
	"http":         {false, "the sandbox makes no HTTP request for it; register a handler in Go"},
	"predictions":  {false, "the sandbox makes no predictions; register a handler in Go"},
	"sql":          {false, "the sandbox runs no SQL; register a handler in Go"},
	"generation":   {false, "the sandbox has no AI model; register a handler in Go"},
	"conversation": {false, "the sandbox has no conversations"},
	"validate":     {true, "the sandbox does not check @validate, so it would store what AWS refuses"},
	"versioned":    {true, "it belongs to version 1 of Amplify's transformer; migrate the schema"},
	"key":          {true, "it belongs to version 1 of Amplify's transformer; use @primaryKey and @index"},
	"connection":   {true, "it belongs to version 1 of Amplify's transformer; use @hasOne, @hasMany and @belongsTo"},
}

// directivesKnown tells of the directives that the sandbox does not serve, and takes out those
// that it can do without.
func (r *reader) directivesKnown() {
	keep := func(list ast.DirectiveList, where string) ast.DirectiveList {
		return slices.DeleteFunc(list, func(d *ast.Directive) bool {
			u, known := unserved[d.Name]
			switch {
			case !known:
				return false
			case u.fault:
				r.fault(d.Position, "@%s on %s: %s", d.Name, where, u.text)
			default:
				r.warn(d.Position, "@%s on %s: %s", d.Name, where, u.text)
			}
			return true
		})
	}
	for _, def := range slices.Concat(r.document.Definitions, r.document.Extensions) {
		def.Directives = keep(def.Directives, def.Name)
		for _, f := range def.Fields {
			f.Directives = keep(f.Directives, def.Name+"."+f.Name)
		}
	}
}

// validate checks the document against GraphQL's rules and Amplify's directives.
func (r *reader) validate() {
	document := validator.PreludeDocument()
	own, err := parser.ParseSchema(&ast.Source{Name: "amplify.graphql", Input: amplify})
	if err != nil {
		panic(err) // embedded
	}
	document.Merge(own)
	document.Merge(r.document)
	valid, err := validator.ValidateSchemaDocument(document)
	if err != nil {
		r.faults = append(r.faults, faultOf(r.name, err))
		return
	}
	if valid.Query != nil { // introspection belongs to the deployed schema
		valid.Query.Fields = slices.DeleteFunc(valid.Query.Fields, func(f *ast.FieldDefinition) bool {
			return f.Name == "__schema" || f.Name == "__type"
		})
	}
	for _, def := range r.document.Extensions {
		if r.document.Definitions.ForName(def.Name) == nil {
			r.document.Definitions = append(r.document.Definitions, valid.Types[def.Name])
		}
	}
	r.document.Definitions = slices.DeleteFunc(r.document.Definitions, func(d *ast.Definition) bool {
		if d.Name == "AMPLIFY" {
			r.readGlobals(d)
			return true
		}
		return false
	})
	for _, def := range r.document.Definitions {
		r.defs[def.Name] = def
	}
}

// readGlobals reads Gen 1's "input AMPLIFY": globalAuthRule opens the models that have no rules to
// the API key.
func (r *reader) readGlobals(def *ast.Definition) {
	for _, f := range def.Fields {
		switch f.Name {
		case "globalAuthRule", "global_auth_rule":
			r.sandboxed = f.DefaultValue != nil && f.DefaultValue.Children.ForName("allow") != nil &&
				f.DefaultValue.Children.ForName("allow").Raw == string(Public)
			if !r.sandboxed {
				r.fault(f.Position, "%s takes { allow: public } only", f.Name)
			}
		default:
			r.warn(f.Position, "the sandbox does not know the setting %q", f.Name)
		}
	}
}

func (r *reader) isModel(name string) bool {
	def := r.defs[name]
	return def != nil && def.Directives.ForName("model") != nil
}

func (r *reader) isEnum(name string) bool {
	def := r.defs[name]
	return def != nil && def.Kind == ast.Enum
}

// scalarOf returns the scalar that filters and keys use for a type; empty if it is no scalar or
// enum.
func (r *reader) scalarOf(name string) string {
	if r.isEnum(name) {
		return "String"
	}
	return scalars[name]
}

// joinModels adds the model that joins the two sides of each many-to-many relation. Each side then
// has many of that model.
func (r *reader) joinModels() {
	type side struct {
		def   *ast.Definition
		field *ast.FieldDefinition
		dir   *ast.Directive
	}
	r.joins = map[string]bool{}
	sides := map[string][]side{}
	var names []string
	for _, def := range r.document.Definitions {
		for _, f := range def.Fields {
			if d := f.Directives.ForName("manyToMany"); d != nil {
				name := upper(text(argument(d, "relationName")))
				if sides[name] == nil {
					names = append(names, name)
				}
				sides[name] = append(sides[name], side{def, f, d})
			}
		}
	}
	for _, name := range names {
		s := sides[name]
		pos := s[0].dir.Position
		switch {
		case len(s) != 2:
			r.fault(pos, "@manyToMany with the relationName %q must stand in two places, not %d", name, len(s))
			continue
		case r.defs[name] != nil:
			r.fault(pos, "@manyToMany: there is a type with the relation's name %q already", name)
			continue
		case !r.isModel(s[0].def.Name) || !r.isModel(s[1].def.Name):
			r.fault(pos, "@manyToMany relates models; give both types @model")
			continue
		case s[0].field.Type.Name() != s[1].def.Name || s[1].field.Type.Name() != s[0].def.Name:
			r.fault(pos, "the two fields of the relation %q do not lead to each other's types", name)
			continue
		}
		join := &ast.Definition{Kind: ast.Object, Name: name, Position: pos}
		join.Fields = append(join.Fields, field("id", "ID!", pos))
		var ends ast.FieldList
		for _, one := range s {
			partition, sort := primaryKey(one.def)
			end := lower(one.def.Name)
			keys := []string{end + upper(partition)}
			for _, f := range sort {
				keys = append(keys, end+f)
			}
			for i, key := range keys {
				of := one.def.Fields.ForName(append([]string{partition}, sort...)[i])
				base := "ID"
				if of != nil {
					base = of.Type.Name()
				}
				f := field(key, base+"!", pos)
				if i == 0 {
					f.Directives = ast.DirectiveList{directive("index", pos,
						"name", textValue("by"+one.def.Name), "sortKeyFields", textValues(keys[1:]))}
				}
				join.Fields = append(join.Fields, f)
			}
			f := field(end, one.def.Name+"!", pos)
			f.Directives = ast.DirectiveList{directive("hasOne", pos, "fields", textValues(keys))}
			ends = append(ends, f)

			limit := argument(one.dir, "limit")
			one.field.Directives = slices.DeleteFunc(one.field.Directives,
				func(d *ast.Directive) bool { return d.Name == "manyToMany" })
			many := directive("hasMany", pos, "indexName", textValue("by"+one.def.Name),
				"fields", textValues(append([]string{partition}, sort...)))
			if limit != nil {
				many.Arguments = append(many.Arguments, &ast.Argument{Name: "limit", Value: limit})
			}
			one.field.Directives = append(one.field.Directives, many)
			one.field.Type = ast.ListType(ast.NamedType(name, pos), pos)
		}
		join.Fields = append(join.Fields, ends...)
		join.Directives = append(join.Directives, directive("model", pos))
		var rules ast.ChildValueList
		for _, one := range s {
			if auth := one.def.Directives.ForName("auth"); auth != nil {
				rules = append(rules, argument(auth, "rules").Children...)
			}
		}
		if len(rules) > 0 {
			join.Directives = append(join.Directives, directive("auth", pos, "rules",
				&ast.Value{Kind: ast.ListValue, Children: rules, Position: pos}))
		}
		r.joins[name] = true
		r.defs[name] = join
		r.document.Definitions = append(r.document.Definitions, join)
	}
}

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
		for _, name := range []string{"primaryKey", "index", "default", "hasOne", "hasMany", "belongsTo"} {
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
		case r.isEnum(f.Type.Name()) && r.defs[f.Type.Name()].EnumValues.ForName(v.Raw) == nil:
			r.fault(d.Position, "the default %q is no value of the enum %s", v.Raw, f.Type.Name())
		default:
			out.Default = &v.Raw
		}
	}
	return out
}

func (r *reader) readTimestamps(m *Model, d *ast.Directive) {
	m.CreatedAt, m.UpdatedAt = "createdAt", "updatedAt"
	if v := argument(d, "timestamps"); v != nil {
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
		Create: camel("create", m.Name), Update: camel("update", m.Name), Delete: camel("delete", m.Name),
	}
	for member, kinds := range map[string][]Kind{
		"queries": {Get, List}, "mutations": {Create, Update, Delete},
	} {
		v := argument(d, member)
		for _, kind := range kinds {
			name := names[kind]
			if v != nil && v.Kind == ast.NullValue {
				name = ""
			} else if v != nil {
				rename(v, string(kind), &name)
			}
			names[kind] = name
		}
	}
	add := func(op *Operation) {
		root := r.schema.operations[op.Root]
		if root[op.Name] != nil {
			r.fault(d.Position, "two operations of models have the name %s.%s", op.Root, op.Name)
		}
		root[op.Name] = op
		m.Operations = append(m.Operations, op)
	}
	for _, kind := range []Kind{Get, List, Create, Update, Delete} {
		if names[kind] == "" {
			continue
		}
		root := ast.Mutation
		if kind == Get || kind == List {
			root = ast.Query
		}
		add(&Operation{Root: root, Name: names[kind], Kind: kind, Model: m})
	}

	subscriptions := argument(d, "subscriptions")
	if subscriptions != nil {
		if subscriptions.Kind == ast.NullValue {
			m.Level = LevelOff
		}
		level := string(m.Level)
		rename(subscriptions, "level", &level)
		m.Level = Level(level)
		if !slices.Contains([]Level{LevelOff, LevelPublic, LevelOn}, m.Level) {
			r.fault(d.Position, "the model has the unknown level of subscriptions %q", level)
		}
	}
	if m.Level == LevelOff {
		return
	}
	byName := map[string]*Operation{}
	for _, kinds := range [][2]Kind{{OnCreate, Create}, {OnUpdate, Update}, {OnDelete, Delete}} {
		on, mutation := kinds[0], names[kinds[1]]
		list := []string{subscriptionName(on, m.Name)}
		if subscriptions != nil {
			if v := subscriptions.Children.ForName(string(on)); v != nil {
				list = texts(v)
			}
		}
		for _, name := range list {
			if mutation == "" {
				continue
			}
			if op := byName[name]; op != nil { // one subscription to several mutations
				op.Mutations = append(op.Mutations, mutation)
				continue
			}
			byName[name] = &Operation{
				Root: ast.Subscription, Name: name, Kind: on, Model: m, Mutations: []string{mutation},
			}
			add(byName[name])
		}
	}
}

// readKeys reads primary keys and indexes.
func (r *reader) readKeys() {
	for _, m := range r.schema.Models {
		partition, sort := primaryKey(m.def)
		m.Key = &Key{Partition: partition, Sort: sort}
		for _, f := range m.def.Fields {
			if d := f.Directives.ForName("primaryKey"); d != nil {
				if f.Name != partition {
					r.fault(d.Position, "the model %s has a second primary key", m.Name)
				}
				for _, name := range m.Key.Fields() {
					r.checkKeyField(m, d, name)
					if k := m.fields[name]; k != nil && !k.Type.NonNull {
						r.fault(d.Position, "the field %s.%s of the primary key must be required", m.Name, name)
					}
				}
			}
			for _, d := range f.Directives.ForNames("index") {
				r.readIndex(m, f, d)
			}
		}
		for _, op := range m.Operations {
			if op.Kind == Get || op.Kind == List {
				op.Key = m.Key
			}
		}
	}
}

func (r *reader) checkKeyField(m *Model, d *ast.Directive, name string) {
	f := m.def.Fields.ForName(name)
	if f == nil || f.Type.Elem != nil || r.scalarOf(f.Type.Name()) == "" {
		r.fault(d.Position, "@%s: %s.%s is no field of a scalar or enum type", d.Name, m.Name, name)
	}
}

func (r *reader) readIndex(m *Model, f *ast.FieldDefinition, d *ast.Directive) {
	k := &Key{Partition: f.Name, Sort: texts(argument(d, "sortKeyFields"))}
	k.Name = indexName(m.Name, k.Partition, k.Sort)
	k.Query = k.Name
	if v := argument(d, "name"); v != nil {
		k.Name = v.Raw
	}
	if v := argument(d, "queryField"); v != nil {
		k.Query = v.Raw
		if v.Kind == ast.NullValue {
			k.Query = ""
		}
	}
	for _, name := range k.Fields() {
		r.checkKeyField(m, d, name)
	}
	if m.Index(k.Name) != nil {
		r.fault(d.Position, "the model %s has two indexes with the name %q", m.Name, k.Name)
	}
	if slices.Contains(k.Sort, k.Partition) {
		r.fault(d.Position, "the index %q has the field %s twice", k.Name, k.Partition)
	}
	if p := argument(d, "projection"); p != nil && p.Children.ForName("type") != nil {
		if kind := p.Children.ForName("type").Raw; kind != "ALL" {
			k.Projected = slices.Concat(m.Key.Fields(), k.Fields(), texts(p.Children.ForName("nonKeyAttributes")))
		}
	}
	m.Indexes = append(m.Indexes, k)
	if k.Query == "" {
		return
	}
	op := &Operation{Root: ast.Query, Name: k.Query, Kind: Index, Model: m, Key: k}
	if r.schema.operations[ast.Query][op.Name] != nil {
		r.fault(d.Position, "two queries have the name %s", op.Name)
	}
	r.schema.operations[ast.Query][op.Name] = op
	m.Operations = append(m.Operations, op)
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
			op := &Operation{Root: root, Name: f.Name, Kind: Custom, Rules: rules}
			for _, d := range f.Directives.ForNames("function") {
				op.Functions = append(op.Functions, text(argument(d, "name")))
			}
			if d := f.Directives.ForName("aws_subscribe"); d != nil {
				op.Mutations = texts(argument(d, "mutations"))
			}
			if r.schema.operations[root][f.Name] != nil {
				r.fault(f.Position, "%s.%s has the name of an operation of a model", def.Name, f.Name)
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
				r.warn(d.Position, "the rule with allow: %s lets nobody in, because there is no item", rule.Allow)
				continue
			}
			roles = append(roles, one)
		}
	}
	return roles
}

// primaryKey returns the fields of the primary key of a model.
func primaryKey(def *ast.Definition) (partition string, sort []string) {
	for _, f := range def.Fields {
		if d := f.Directives.ForName("primaryKey"); d != nil {
			return f.Name, texts(argument(d, "sortKeyFields"))
		}
	}
	return "id", nil
}

func hasPrimaryKey(def *ast.Definition) bool {
	return slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool {
		return f.Directives.ForName("primaryKey") != nil
	})
}

// argument returns the value of a directive's argument, or nil.
func argument(d *ast.Directive, name string) *ast.Value {
	if a := d.Arguments.ForName(name); a != nil {
		return a.Value
	}
	return nil
}

// children returns the members of a list. GraphQL takes a single value for a list of one.
func children(v *ast.Value) []*ast.Value {
	if v == nil || v.Kind == ast.NullValue {
		return nil
	}
	if v.Kind != ast.ListValue {
		return []*ast.Value{v}
	}
	var list []*ast.Value
	for _, c := range v.Children {
		list = append(list, c.Value)
	}
	return list
}

func text(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return v.Raw
}

func texts(v *ast.Value) []string {
	var list []string
	for _, c := range children(v) {
		list = append(list, c.Raw)
	}
	return list
}

func textValue(s string) *ast.Value { return &ast.Value{Kind: ast.StringValue, Raw: s} }

func textValues(list []string) *ast.Value {
	v := &ast.Value{Kind: ast.ListValue}
	for _, s := range list {
		v.Children = append(v.Children, &ast.ChildValue{Value: textValue(s)})
	}
	return v
}

// directive makes a directive of names and values in turn.
func directive(name string, pos *ast.Position, args ...any) *ast.Directive {
	d := &ast.Directive{Name: name, Position: pos}
	for i := 0; i < len(args); i += 2 {
		d.Arguments = append(d.Arguments, &ast.Argument{
			Name: args[i].(string), Value: args[i+1].(*ast.Value), Position: pos,
		})
	}
	return d
}

// named returns the type that GraphQL writes so.
func named(s string) *ast.Type {
	t := &ast.Type{}
	if last := len(s) - 1; s[last] == '!' {
		t.NonNull, s = true, s[:last]
	}
	if s[0] == '[' {
		t.Elem = named(s[1 : len(s)-1])
	} else {
		t.NamedType = s
	}
	return t
}

func field(name, typ string, pos *ast.Position) *ast.FieldDefinition {
	return &ast.FieldDefinition{Name: name, Type: named(typ), Position: pos}
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
