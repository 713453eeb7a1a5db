package data

import (
	"reflect"
	"strings"

	"github.com/amplify-go/amplify/internal/introspection"
)

// goField is a field of a struct as encoding/json sees it.
type goField struct {
	name   string // in JSON
	path   string // in Go: "Title", or "Base.Title" in an embedded struct
	index  []int  // for reflect.Value.FieldByIndexErr
	typ    reflect.Type
	tag    string // of the key "data"
	quoted bool   // has the option "string"
	tagged bool
}

// goFields returns the fields of a struct that encoding/json reads and writes: exported ones, those
// of embedded structs among them, under the names of their tags. Of fields that have the same name
// the one that is embedded least deeply wins, then one with a tag. Else all are left out.
func goFields(t reflect.Type) []goField {
	type level struct {
		typ   reflect.Type
		path  string
		index []int
	}
	var found []goField
	seen := map[reflect.Type]bool{}
	taken := map[string]bool{}
	for next := []level{{typ: t}}; len(next) > 0; {
		this := next
		next = nil
		var here []goField
		for _, l := range this {
			if seen[l.typ] {
				continue
			}
			seen[l.typ] = true
			for i := range l.typ.NumField() {
				f := l.typ.Field(i)
				tag := f.Tag.Get("json")
				if tag == "-" {
					continue
				}
				name, options, _ := strings.Cut(tag, ",")
				index := append(l.index[:len(l.index):len(l.index)], i)
				inner := f.Type
				if inner.Kind() == reflect.Pointer {
					inner = inner.Elem()
				}
				if f.Anonymous && name == "" && inner.Kind() == reflect.Struct {
					if f.IsExported() || f.Type.Kind() == reflect.Struct {
						next = append(next, level{inner, l.path + f.Name + ".", index})
					}
					continue
				}
				if !f.IsExported() {
					continue
				}
				g := goField{
					name: name, path: l.path + f.Name, index: index, typ: f.Type,
					tag: f.Tag.Get("data"), tagged: name != "",
					quoted: strings.Contains(","+options+",", ",string,"),
				}
				if name == "" {
					g.name = f.Name
				}
				here = append(here, g)
			}
		}
		for i, g := range here {
			if !taken[g.name] && !hidden(here, i) {
				found = append(found, g)
			}
		}
		for _, g := range here {
			taken[g.name] = true
		}
	}
	return found
}

// hidden reports whether another field of the same depth hides fields[i].
func hidden(fields []goField, i int) bool {
	for j, other := range fields {
		if i != j && other.name == fields[i].name && (other.tagged || !fields[i].tagged) {
			return true
		}
	}
	return false
}

// findField returns the field of that name or, if there is none, the one whose name differs in case
// only: so does encoding/json.
func findField(fields []*introspection.Field, name string) *introspection.Field {
	var found *introspection.Field
	for _, f := range fields {
		if f.Name == name {
			return f
		}
		if found == nil && strings.EqualFold(f.Name, name) {
			found = f
		}
	}
	return found
}

// dereferenced returns the type that pointers lead to.
func dereferenced(t reflect.Type) reflect.Type {
	for range maxNesting { // type P *P leads nowhere
		if t.Kind() != reflect.Pointer {
			break
		}
		t = t.Elem()
	}
	return t
}
