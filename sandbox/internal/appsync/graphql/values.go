package graphql

import (
	"maps"

	"github.com/vektah/gqlparser/v2/ast"
)

// Value is the value that a field gave.
type Value struct {
	// Name is the field's own, not its alias.
	Name  string
	Value any
}

// Values returns what the fields of the operation's root gave, in their order. Objects in it are
// map[string]any, again by the names of fields: it is what the operation selected, whatever it
// called that.
func (o *Operation) Values(r *Response) []Value {
	data, _ := r.Data.(Object)
	if data == nil {
		return nil
	}
	var values []Value
	for i, s := range o.collect(o.root(), o.selected()) {
		values = append(values, Value{s.fields[0].Name, o.byName(s.fields, data[i].Value)})
	}
	return values
}

// byName returns the value of fields that were merged.
func (o *Operation) byName(fields []*ast.Field, value any) any {
	switch v := value.(type) {
	case Object:
		object := map[string]any{}
		for i, s := range o.collect(o.schema.Types[fields[0].Definition.Type.Name()], fields) {
			name, one := s.fields[0].Name, o.byName(s.fields, v[i].Value)
			before, selected := object[name].(map[string]any)
			if more, ok := one.(map[string]any); ok && selected {
				maps.Copy(before, more)
				continue
			}
			object[name] = one
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = o.byName(fields, v[i])
		}
		return list
	}
	return value
}
