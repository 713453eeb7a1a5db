package appsync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// separator joins the fields of a sort key that has several.
const separator = "#"

// tableOf returns the table of a model.
func tableOf(m *schema.Model) *items.Table {
	t := &items.Table{Name: m.Name, Key: keyOf(m.Key)}
	for _, k := range m.Indexes {
		t.Indexes = append(t.Indexes, keyOf(k))
	}
	for _, k := range m.Keys() {
		for _, name := range []string{k.Partition, sortAttribute(k)} {
			if isNumber(m, name) && !slices.Contains(t.Numbers, name) {
				t.Numbers = append(t.Numbers, name)
			}
		}
	}
	return t
}

func keyOf(k *schema.Key) items.Key {
	return items.Key{Name: k.Name, Partition: k.Partition, Sort: sortAttribute(k)}
}

// sortAttribute returns the attribute that is the sort key. It joins several fields.
func sortAttribute(k *schema.Key) string { return strings.Join(k.Sort, separator) }

// isNumber reports whether a field is a number in a key.
func isNumber(m *schema.Model, name string) bool {
	f := m.Field(name)
	return f != nil && slices.Contains([]string{"Int", "Float", "AWSTimestamp"}, f.Type.Name())
}

// joined returns the joined sort key of fields: up to the first that is not there.
func joined(fields []string, values map[string]any) string {
	var parts []string
	for _, name := range fields {
		v, present := values[name]
		if !present {
			break
		}
		if v == nil {
			v = "null"
		}
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, separator)
}

// setJoined sets the attributes of the item that join several fields,
// where values has them all.
func setJoined(m *schema.Model, item, values map[string]any) {
	for _, k := range m.Keys() {
		if len(k.Sort) > 1 && hasAll(values, k.Sort) {
			item[sortAttribute(k)] = joined(k.Sort, values)
		}
	}
}

func hasAll(values map[string]any, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		_, present := values[name]
		return !present
	})
}

// keyFrom returns the attributes of the primary key that values has.
func keyFrom(m *schema.Model, values map[string]any) items.Item {
	key := items.Item{}
	for _, name := range m.Key.Fields() {
		if v, present := values[name]; present {
			key[name] = v
		}
	}
	setJoined(m, key, key)
	return key
}
