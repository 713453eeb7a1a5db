package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// A side is a field of a many-to-many relation.
type side struct {
	def   *ast.Definition
	field *ast.FieldDefinition
	dir   *ast.Directive
}

// joinModels adds the model that joins the two sides of each many-to-many relation. Each side then
// has many of that model.
func (r *reader) joinModels() {
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
		if !r.checkSides(name, s) {
			continue
		}
		join := joinModel(name, s)
		for _, one := range s {
			one.leadTo(join)
		}
		r.joins[name] = true
		r.defs[name] = join
		r.document.Definitions = append(r.document.Definitions, join)
	}
}

// checkSides reports whether the sides of a relation make one.
func (r *reader) checkSides(name string, s []side) bool {
	pos := s[0].dir.Position
	switch {
	case len(s) != 2:
		r.fault(pos, "@manyToMany with the relationName %q must stand in two places, not %d",
			name, len(s))
	case r.defs[name] != nil:
		r.fault(pos, "@manyToMany: there is a type with the relation's name %q already", name)
	case !r.isModel(s[0].def.Name) || !r.isModel(s[1].def.Name):
		r.fault(pos, "@manyToMany relates models; give both types @model")
	case s[0].field.Type.Name() != s[1].def.Name || s[1].field.Type.Name() != s[0].def.Name:
		r.fault(pos, "the fields of the relation %q do not lead to each other's types", name)
	default:
		return true
	}
	return false
}

// joinModel makes the model that joins two sides. It has the keys of both, and the rules of both.
func joinModel(name string, s []side) *ast.Definition {
	pos := s[0].dir.Position
	join := &ast.Definition{Kind: ast.Object, Name: name, Position: pos}
	join.Fields = append(join.Fields, field("id", "ID!", pos))
	var ends ast.FieldList
	var rules ast.ChildValueList
	for _, one := range s {
		keys, end := one.keys(pos)
		join.Fields = append(join.Fields, keys...)
		ends = append(ends, end)
		if auth := one.def.Directives.ForName("auth"); auth != nil {
			rules = append(rules, argument(auth, "rules").Children...)
		}
	}
	join.Fields = append(join.Fields, ends...)
	join.Directives = append(join.Directives, directive("model", pos))
	if len(rules) > 0 {
		join.Directives = append(join.Directives, directive("auth", pos, "rules",
			&ast.Value{Kind: ast.ListValue, Children: rules, Position: pos}))
	}
	return join
}

// keys returns the fields of the joining model that hold the key of this side, and the one that
// leads there.
func (s side) keys(pos *ast.Position) (keys ast.FieldList, end *ast.FieldDefinition) {
	partition, sort := primaryKey(s.def)
	prefix := lower(s.def.Name)
	names := []string{prefix + upper(partition)}
	for _, f := range sort {
		names = append(names, prefix+f)
	}
	for i, of := range append([]string{partition}, sort...) {
		base := "ID"
		if f := s.def.Fields.ForName(of); f != nil {
			base = f.Type.Name()
		}
		keys = append(keys, field(names[i], base+"!", pos))
	}
	keys[0].Directives = ast.DirectiveList{directive("index", pos,
		"name", textValue("by"+s.def.Name), "sortKeyFields", textValues(names[1:]))}
	end = field(prefix, s.def.Name+"!", pos)
	end.Directives = ast.DirectiveList{directive("hasOne", pos, "fields", textValues(names))}
	return keys, end
}

// leadTo makes the field of the side one that has many of the joining model.
func (s side) leadTo(join *ast.Definition) {
	partition, sort := primaryKey(s.def)
	many := directive("hasMany", join.Position, "indexName", textValue("by"+s.def.Name),
		"fields", textValues(append([]string{partition}, sort...)))
	if limit := argument(s.dir, "limit"); limit != nil {
		many.Arguments = append(many.Arguments, &ast.Argument{Name: "limit", Value: limit})
	}
	s.field.Directives = append(slices.DeleteFunc(s.field.Directives,
		func(d *ast.Directive) bool { return d.Name == "manyToMany" }), many)
	s.field.Type = ast.ListType(ast.NamedType(join.Name, join.Position), join.Position)
}
