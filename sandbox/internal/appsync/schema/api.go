package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// An api derives the deployed schema, as Amplify's transformers do (the packages
// amplify-graphql-model-transformer, -index-, -relational- and -auth-transformer).
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
	a.pages()
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
		if strings.HasPrefix(def.Name, "AWS") {
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
			out.Fields = append(out.Fields, &ast.FieldDefinition{
				Name: f.Name, Type: f.Type, Position: f.pos,
			})
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
		condition := a.sortCondition(rel.Model, sortKey(rel))
		f.Arguments = append(f.Arguments, arg(rel.SortArgument, condition))
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
			out = append(out, &ast.Directive{
				Name: d.Name, Arguments: d.Arguments, Position: d.Position,
			})
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

// root returns Query, Mutation or Subscription.
func (a *api) root(op ast.Operation) *ast.Definition {
	return a.add(&ast.Definition{Kind: ast.Object, Name: upper(string(op))})
}

// model adds the operations of a model and their types.
func (a *api) model(m *Model) {
	for _, f := range m.def.Fields {
		a.nestedInput(f.Type.Name())
	}
	for _, op := range m.Operations {
		f := &ast.FieldDefinition{Name: op.Name, Type: named(m.Name), Position: m.def.Position}
		switch op.Kind {
		case Get:
			for _, name := range m.Key.Fields() {
				f.Arguments = append(f.Arguments, arg(name, m.keyType(name)+"!"))
			}
		case List:
			f.Type = named(connectionType(upper(m.Name)))
			if hasPrimaryKey(m.def) {
				f.Arguments = append(a.keyArguments(m, m.Key, ""),
					arg("sortDirection", "ModelSortDirection"))
			}
			f.Arguments = append(f.Arguments, arg("filter", filterType(upper(m.Name))),
				arg("limit", "Int"), arg("nextToken", "String"))
		case Index:
			f.Type = named(connectionType(m.Name))
			f.Arguments = append(a.keyArguments(m, op.Key, "!"),
				arg("sortDirection", "ModelSortDirection"), arg("filter", filterType(m.Name)),
				arg("limit", "Int"), arg("nextToken", "String"))
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

// A maker is what needs pages of a model. The first one makes the types, in this order.
type maker int

const (
	forList maker = iota
	forIndex
	forRelation
)

// pages adds the types of the pages of the models and the types of their filters.
func (a *api) pages() {
	for _, by := range []maker{forList, forIndex, forRelation} {
		for _, m := range a.schema.Models {
			for _, op := range m.Operations {
				if by == forList && op.Kind == List || by == forIndex && op.Kind == Index {
					a.page(m, by)
				}
			}
			for _, f := range m.Fields {
				if by == forRelation && f.Relation != nil && f.Relation.Kind == HasMany {
					a.page(f.Relation.Model, by)
				}
			}
		}
	}
}

func (a *api) page(m *Model, by maker) {
	model := m.Name
	if by == forList {
		model = upper(model)
	}
	a.add(&ast.Definition{
		Kind: ast.Object, Name: connectionType(model), Fields: ast.FieldList{
			field("items", "["+m.Name+"]!", m.def.Position),
			field("nextToken", "String", m.def.Position),
		},
	})
	name := filterType(model)
	if a.types[name] != nil {
		return
	}
	var fields []string
	for _, f := range m.Fields {
		if t := a.filterOf(f, by); t != "" && a.filtered(m, f, by, model) {
			fields = append(fields, f.Name, t)
		}
	}
	if by == forList && m.fields["id"] == nil { // Amplify makes these before it takes the id away
		fields = append(fields, "id", "ModelIDInput")
	}
	a.input(name, append(fields, "and", "["+name+"]", "or", "["+name+"]", "not", name)...)
}

// filtered reports whether a filter has a field. Lists know all fields. Indexes know the declared
// ones, and those of relations and rules join them: but under the name that lists have. Relations
// know the declared ones and those of rules.
func (a *api) filtered(m *Model, f *Field, by maker, model string) bool {
	owner := slices.ContainsFunc(m.roles, func(o *role) bool {
		return o.allow == Owner && o.entity == f.Name
	})
	switch {
	case by == forList || !f.Added:
		return true
	case model != upper(model):
		return false
	case by == forIndex:
		return f.Name != "id" && f.Name != m.CreatedAt && f.Name != m.UpdatedAt
	}
	return owner
}

// filterOf returns the type of a field in filters; empty if it has none there. Relations know no
// lists of an enum.
func (a *api) filterOf(f *Field, by maker) string {
	name := f.Type.Name()
	switch {
	case a.isEnum(name) && f.Type.Elem != nil && by != forRelation:
		a.input("Model"+name+"ListInput", "eq", "["+name+"]", "ne", "["+name+"]",
			"contains", name, "notContains", name)
		return "Model" + name + "ListInput"
	case a.isEnum(name):
		a.input("Model"+name+"Input", "eq", name, "ne", name)
		return "Model" + name + "Input"
	case baseScalars[name] != "":
		return "Model" + baseScalars[name] + "Input"
	}
	return ""
}

// keyArguments are those of a list by a key.
func (a *api) keyArguments(m *Model, k *Key, required string) ast.ArgumentDefinitionList {
	list := ast.ArgumentDefinitionList{arg(k.Partition, m.fields[k.Partition].Type.Name()+required)}
	if len(k.Sort) > 0 {
		list = append(list, arg(k.SortArgument(), a.sortCondition(m, k)))
	}
	return list
}
