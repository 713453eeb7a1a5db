package items

import (
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// primary returns the primary key of an item.
func (t *Table) primary(item Item) (store.ItemKey, error) {
	key, ok := t.Key.of(item)
	if !ok {
		return key, invalid("One of the required keys was not given a value")
	}
	for _, name := range t.Key.attributes() {
		if item[name] == "" {
			return key, invalid("One or more parameter values are not valid. The AttributeValue "+
				"for a key attribute cannot contain an empty string value. Key: %s", name)
		}
		if got := typeOf(item[name]); got != t.typeOf(name) {
			return key, invalid("One or more parameter values were invalid: Type mismatch for "+
				"key %s expected: %s actual: %s", name, t.typeOf(name), got)
		}
	}
	return key, nil
}

// indexKeys returns the keys of an item in the indexes that it belongs to. An attribute
// that is there, and does not fit, is an error.
func (t *Table) indexKeys(item Item) (map[string]store.ItemKey, error) {
	for _, k := range t.Indexes {
		for _, name := range k.attributes() {
			v, exists := item[name]
			if v == "" {
				return nil, invalid("One or more parameter values are not valid. A value "+
					"specified for a secondary index key is not supported. The AttributeValue "+
					"for a key "+
					"attribute cannot contain an empty string value. IndexName: %s, IndexKey: %s",
					k.Name, name)
			}
			if got := typeOf(v); exists && got != t.typeOf(name) {
				return nil, invalid("One or more parameter values were invalid: Type mismatch for "+
					"Index Key %s Expected: %s Actual: %s IndexName: %s",
					name, t.typeOf(name), got, k.Name)
			}
		}
	}
	return t.fitting(item), nil
}

// fitting returns the keys of an item in the indexes that have all of their attributes.
func (t *Table) fitting(item Item) map[string]store.ItemKey {
	keys := map[string]store.ItemKey{}
	for _, k := range t.Indexes {
		if key, ok := k.of(item); ok {
			keys[k.Name] = key
		}
	}
	return keys
}

func (k Key) attributes() []string {
	if k.Sort == "" {
		return []string{k.Partition}
	}
	return []string{k.Partition, k.Sort}
}

// of returns the key of an item. ok is false if the item lacks a part of it.
func (k Key) of(item Item) (key store.ItemKey, ok bool) {
	key = store.ItemKey{Partition: item[k.Partition], Sort: ""}
	if k.Sort != "" {
		key.Sort = item[k.Sort]
	}
	return key, isKey(key.Partition) && isKey(key.Sort)
}

func isKey(v any) bool {
	switch v.(type) {
	case string, int64, float64:
		return true
	}
	return false
}

// typeOf returns DynamoDB's name of the type of a key's attribute.
func (t *Table) typeOf(attribute string) string {
	if slices.Contains(t.Numbers, attribute) {
		return "N"
	}
	return "S"
}

// typeOf returns DynamoDB's name of a value's type.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "NULL"
	case bool:
		return "BOOL"
	case string:
		return "S"
	case []any:
		return "L"
	case map[string]any:
		return "M"
	default:
		return "N"
	}
}
