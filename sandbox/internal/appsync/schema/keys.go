package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

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
						r.fault(d.Position, "the field %s.%s of the primary key must be required",
							m.Name, name)
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
	r.members(d, argument(d, "projection"), "type", "nonKeyAttributes")
	if p := argument(d, "projection"); p != nil && p.Children.ForName("type") != nil {
		if kind := p.Children.ForName("type").Raw; kind != "ALL" {
			k.Projected = slices.Concat(m.Key.Fields(), k.Fields(),
				texts(p.Children.ForName("nonKeyAttributes")))
		}
	}
	m.Indexes = append(m.Indexes, k)
	if k.Query == "" {
		return
	}
	r.addOperation(d, &Operation{Root: ast.Query, Name: k.Query, Kind: Index, Model: m, Key: k})
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

// keyType returns the type of a field of the primary key where others refer to it. Without
// @primaryKey that is ID, even if the id is declared as something else.
func (m *Model) keyType(name string) string {
	if !hasPrimaryKey(m.def) {
		return "ID"
	}
	return m.fields[name].Type.Name()
}

func hasPrimaryKey(def *ast.Definition) bool {
	return slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool {
		return f.Directives.ForName("primaryKey") != nil
	})
}
