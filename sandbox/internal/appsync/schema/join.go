package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

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
			r.fault(pos, "@manyToMany with the relationName %q must stand in two places, not %d",
				name, len(s))
			continue
		case r.defs[name] != nil:
			r.fault(pos, "@manyToMany: there is a type with the relation's name %q already", name)
			continue
		case !r.isModel(s[0].def.Name) || !r.isModel(s[1].def.Name):
			r.fault(pos, "@manyToMany relates models; give both types @model")
			continue
		case s[0].field.Type.Name() != s[1].def.Name || s[1].field.Type.Name() != s[0].def.Name:
			r.fault(pos, "the fields of the relation %q do not lead to each other's types", name)
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
						"name", textValue("by"+one.def.Name),
						"sortKeyFields", textValues(keys[1:]))}
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
