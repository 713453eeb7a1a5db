package schema

import (
	"slices"
	"strings"
)

// A Grant says which items of a model a caller may read.
type Grant struct {
	// Filter selects them, in AppSync's language of filters; nil selects all.
	Filter map[string]any
	// Key has values that fields of the sort key must have.
	Key map[string]any
}

// AllowRead says which items a get, a list or a query of an index may answer with. The arguments
// are those of the operation.
func (s *Schema) AllowRead(id Identity, op *Operation, args map[string]any) (Grant, error) {
	access := AllowList
	if op.Kind == Get {
		access = AllowGet
	}
	if s.admin(id) {
		return Grant{}, nil
	}
	var or []any
	missing := map[string][]string{} // fields of the key that the arguments leave out: their values
	for _, one := range op.Model.roles {
		if !one.can(access) {
			continue
		}
		if one.static {
			if id.has(one) {
				return Grant{}, nil
			}
			continue
		}
		mine := id.values(one)
		if len(mine) == 0 {
			continue
		}
		if !inKey(op.Key, one.entity) {
			or = append(or, condition(id, one)...)
			continue
		}
		arg := args[one.entity]
		if arg == nil {
			missing[one.entity] = mine
		} else if matches(arg, mine) {
			return Grant{}, nil
		}
	}
	if len(missing) > 0 {
		switch {
		case op.Kind != Index && args[op.Key.Partition] == nil: // a scan
			for _, name := range sorted(missing) {
				or = append(or, map[string]any{name: map[string]any{"in": anys(missing[name])}})
			}
		case len(or) == 0:
			key := map[string]any{}
			for name, mine := range missing {
				key[name] = mine[len(mine)-1]
			}
			return Grant{Key: key}, nil
		}
	}
	return grantOf(or)
}

func grantOf(or []any) (Grant, error) {
	if len(or) == 0 {
		return Grant{}, unauthorized()
	}
	return Grant{Filter: map[string]any{"or": or}}, nil
}

// inKey reports whether a field is an attribute of the key by itself. Several sort fields are one
// attribute.
func inKey(k *Key, name string) bool {
	return k.Partition == name || len(k.Sort) == 1 && k.Sort[0] == name
}

// matches reports whether an argument names one of the caller's values: a text, or a condition.
func matches(arg any, mine []string) bool {
	switch arg := arg.(type) {
	case string:
		return slices.Contains(mine, arg)
	case map[string]any:
		eq, ok := arg["eq"].(string)
		return ok && slices.Contains(mine, eq)
	}
	return false
}

// condition is the filter of a dynamic role.
func condition(id Identity, one *role) []any {
	var out []any
	add := func(operator string, value any) {
		out = append(out, map[string]any{one.entity: map[string]any{operator: value}})
	}
	switch {
	case one.allow == Groups && !one.list:
		if groups := id.groups(one); len(groups) > 0 {
			add("in", anys(groups))
		}
	case one.allow == Groups:
		// A claim that is a text is no list here, even if it holds one.
		for _, group := range claimList(id.Claims[one.claim]) {
			if one.provider == id.Provider && group != "" {
				add("contains", group)
			}
		}
	default:
		operator := "eq"
		if one.list {
			operator = "contains"
		}
		for _, value := range id.owner(one) {
			add(operator, value)
		}
	}
	return out
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// AllowRelation says which related items a relation may answer with. The item is the one that the
// relation leads from.
func (s *Schema) AllowRelation(id Identity, f *Field, item map[string]any) (Grant, error) {
	if err := s.AllowReadField(id, f, item); err != nil {
		return Grant{}, err
	}
	if s.admin(id) {
		return Grant{}, nil
	}
	var or []any
	for _, one := range f.Relation.Model.roles {
		switch {
		case !one.can(AllowRead):
		case !one.static:
			or = append(or, condition(id, one)...)
		case id.has(one):
			return Grant{}, nil
		}
	}
	return grantOf(or)
}

// AllowReadField checks a field of an item that the caller may read.
func (s *Schema) AllowReadField(id Identity, f *Field, item map[string]any) error {
	if !f.guarded || s.admin(id) {
		return nil
	}
	for _, one := range f.readers {
		if one.static && id.has(one) || !one.static && id.owns(one, item[one.entity]) {
			return nil
		}
	}
	return unauthorized()
}

// Redacted reports whether answers of mutations have null in the field, or an empty list, whoever
// asks: subscribers get what the mutation answered. That holds at any depth of the answer.
func (f *Field) Redacted() bool { return f.redact }

// ShownOwner returns the part of a stored owner, or of owners, that clients see.
func ShownOwner(v any) any {
	switch v := v.(type) {
	case string:
		if i := strings.LastIndex(v, claimDelimiter); i >= 0 {
			return v[i+len(claimDelimiter):]
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = ShownOwner(e)
		}
		return out
	}
	return v
}
