package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

var relational = []string{"hasOne", "hasMany", "belongsTo"}

// readRelations reads the fields that lead to other models. It adds the keys that relations
// without fields or references imply, and the indexes that find items by references.
func (r *reader) readRelations() {
	each := func(kinds []string, read func(*Model, *ast.FieldDefinition, *ast.Directive, *Model)) {
		for _, m := range r.schema.Models {
			for _, f := range m.def.Fields {
				for _, d := range f.Directives {
					if !slices.Contains(kinds, d.Name) {
						continue
					}
					related := r.schema.models[f.Type.Name()]
					switch {
					case related == nil:
						r.fault(d.Position, "@%s: the type %s needs @model", d.Name, f.Type.Name())
					case (d.Name == "hasMany") != (f.Type.Elem != nil):
						r.fault(d.Position, "@%s: %s.%s has the type %s",
							d.Name, m.Name, f.Name, f.Type)
					case argument(d, "fields") != nil && argument(d, "references") != nil:
						r.fault(d.Position, "@%s takes fields or references, not both", d.Name)
					default:
						read(m, f, d, related)
					}
				}
			}
		}
	}
	each([]string{"hasMany"}, r.readHasMany)
	each([]string{"hasOne"}, r.readHasOne)
	each([]string{"belongsTo"}, r.readBelongsTo)
	for _, m := range r.schema.Models {
		for _, f := range m.Fields {
			if f.Relation == nil && r.schema.models[f.Type.Name()] != nil && len(r.faults) == 0 {
				r.fault(f.pos, "%s.%s leads to the model %s, but has no relation; "+
					"use @hasOne, @hasMany or @belongsTo", m.Name, f.Name, f.Type.Name())
			}
		}
	}
}

func (r *reader) readHasMany(m *Model, f *ast.FieldDefinition, d *ast.Directive, related *Model) {
	rel := &Relation{Kind: HasMany, Model: related, Limit: 100}
	if v := argument(d, "limit"); v != nil {
		rel.Limit = r.limit(v)
	}
	implied := impliedKey(m, f, m)
	for _, name := range implied {
		related.settable[name] = true
	}
	switch {
	case argument(d, "references") != nil:
		rel.Fields, rel.References = m.Key.Fields(), texts(argument(d, "references"))
		rel.Key = r.referenceIndex(m, f, d, related, rel.References)
	case argument(d, "fields") != nil || argument(d, "indexName") != nil:
		rel.Fields = texts(argument(d, "fields"))
		if rel.Fields == nil {
			rel.Fields = m.Key.Fields()[:1]
		}
		r.checkFields(m, d, rel.Fields)
		rel.Key = related.Key
		if name := text(argument(d, "indexName")); name != "" {
			if rel.Key = related.Index(name); rel.Key == nil {
				r.fault(d.Position, "@hasMany: the model %s has no index with the name %q",
					related.Name, name)
				return
			}
		}
		if len(rel.Fields) > len(rel.Key.Fields()) {
			r.fault(d.Position, "@hasMany has %d fields, but the key of %s has %d",
				len(rel.Fields), related.Name, len(rel.Key.Fields()))
			return
		}
		rel.References = rel.Key.Fields()[:len(rel.Fields)]
		if len(rel.Fields) < 2 && !r.joins[related.Name] {
			rel.SortArgument = rel.Key.SortArgument()
		}
	default:
		rel.Fields, rel.References = m.Key.Fields(), implied
		r.addKey(related, implied, m, f.Type.NonNull)
		rel.Key = &Key{
			Name: impliedIndex(m, f), Partition: implied[0], Sort: implied[1:], Implied: true,
		}
		related.Indexes = append(related.Indexes, rel.Key)
		// The argument is that of the related model's primary key, as Amplify has it.
		rel.SortArgument = related.Key.SortArgument()
	}
	m.fields[f.Name].Relation = rel
}

func (r *reader) readHasOne(m *Model, f *ast.FieldDefinition, d *ast.Directive, related *Model) {
	rel := &Relation{Kind: HasOne, Model: related}
	switch {
	case argument(d, "references") != nil:
		rel.Fields, rel.References = m.Key.Fields(), texts(argument(d, "references"))
		rel.Key = r.referenceIndex(m, f, d, related, rel.References)
	case argument(d, "fields") != nil:
		rel.Fields = texts(argument(d, "fields"))
		r.checkFields(m, d, rel.Fields)
		r.toPrimary(rel, d)
	default:
		rel.Fields = r.implyKey(m, f, related)
		r.toPrimary(rel, d)
	}
	m.fields[f.Name].Relation = rel
}

func (r *reader) readBelongsTo(m *Model, f *ast.FieldDefinition, d *ast.Directive, related *Model) {
	rel := &Relation{Kind: BelongsTo, Model: related}
	var back *ast.FieldDefinition // the first field of the related model that leads here
	var backKind string
	for _, b := range related.def.Fields {
		for _, kind := range []string{"hasOne", "hasMany"} {
			if back == nil && b.Type.Name() == m.Name && b.Directives.ForName(kind) != nil {
				back, backKind = b, kind
			}
		}
	}
	if back == nil && !r.introspected {
		r.fault(d.Position,
			"@belongsTo: %s needs a field with @hasOne or @hasMany that leads to %s",
			related.Name, m.Name)
		return
	}
	named := argument(d, "references")
	if named == nil {
		named = argument(d, "fields")
	}
	switch {
	case named != nil:
		rel.Fields = texts(named)
		r.checkFields(m, d, rel.Fields)
	case backKind == "hasOne":
		rel.Fields = r.implyKey(m, f, related)
	default:
		rel.Fields = impliedKey(related, back, related)
	}
	r.toPrimary(rel, d)
	m.fields[f.Name].Relation = rel
}

// toPrimary ends a relation at the primary key of the related model.
func (r *reader) toPrimary(rel *Relation, d *ast.Directive) {
	rel.Key = rel.Model.Key
	rel.References = rel.Key.Fields()
	if len(rel.Fields) != len(rel.References) {
		r.fault(d.Position, "@%s has %d fields, but the primary key of %s has %d",
			d.Name, len(rel.Fields), rel.Model.Name, len(rel.References))
	}
}

// referenceIndex adds the index of the related model that finds items by their references.
func (r *reader) referenceIndex(
	m *Model, f *ast.FieldDefinition, d *ast.Directive, related *Model, references []string,
) *Key {
	if len(references) != len(m.Key.Fields()) {
		r.fault(d.Position, "@%s has %d references, but the primary key of %s has %d fields",
			d.Name, len(references), m.Name, len(m.Key.Fields()))
		return related.Key
	}
	r.checkFields(related, d, references)
	k := &Key{
		Name: impliedIndex(m, f), Partition: references[0], Sort: references[1:], Implied: true,
	}
	found := false
	for _, b := range related.def.Fields {
		back := b.Directives.ForName("belongsTo")
		if back == nil || b.Type.Name() != m.Name ||
			!slices.Equal(texts(argument(back, "references")), references) {
			continue
		}
		found = true
		if v := argument(back, "overrideIndexName"); v != nil {
			k.Name = v.Raw
		}
	}
	if !found && !r.introspected {
		r.fault(d.Position,
			"@%s: %s needs a field with @belongsTo and the same references that leads to %s",
			d.Name, related.Name, m.Name)
	}
	if related.Index(k.Name) != nil {
		r.fault(d.Position, "the model %s has an index with the name %q already",
			related.Name, k.Name)
	}
	related.Indexes = append(related.Indexes, k)
	return k
}

func (r *reader) checkFields(m *Model, d *ast.Directive, names []string) {
	if len(names) == 0 {
		r.fault(d.Position, "@%s has an empty list of fields", d.Name)
	}
	for _, name := range names {
		if f := m.fields[name]; f == nil || f.Type.Elem != nil || r.scalarOf(f.Type.Name()) == "" {
			r.fault(d.Position, "@%s: %s.%s is no field of a scalar or enum type",
				d.Name, m.Name, name)
		}
	}
}

// impliedIndex names the index that finds the items of a relation.
func impliedIndex(m *Model, f *ast.FieldDefinition) string {
	return "gsi-" + m.Name + "." + f.Name
}

// impliedKey names the fields that hold the primary key of a model for a relation whose directive
// names none. They begin with the place of the relation.
func impliedKey(m *Model, f *ast.FieldDefinition, key *Model) []string {
	var names []string
	for _, name := range key.Key.Fields() {
		names = append(names, camel(m.Name, f.Name, name))
	}
	return names
}

// implyKey adds the fields that hold the key of the related model, which every rule for writing
// allows, and returns their names.
func (r *reader) implyKey(m *Model, f *ast.FieldDefinition, related *Model) []string {
	names := impliedKey(m, f, related)
	for _, name := range names {
		m.settable[name] = true
	}
	r.addKey(m, names, related, f.Type.NonNull)
	return names
}

// addKey adds the fields that hold the primary key of another model.
func (r *reader) addKey(m *Model, names []string, of *Model, required bool) {
	for i, name := range of.Key.Fields() {
		t := &ast.Type{NamedType: of.keyType(name), NonNull: required}
		m.add(&Field{Name: names[i], Type: t, Added: true, pos: m.def.Position})
	}
}

func (r *reader) limit(v *ast.Value) int {
	n, err := v.Value(nil)
	limit, ok := n.(int64)
	if err != nil || !ok || limit < 1 {
		r.fault(v.Position, "the limit %q is no positive number", v.Raw)
	}
	return int(limit)
}
