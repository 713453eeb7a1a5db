package schema

import (
	"maps"
	"slices"
)

// A grant is which fields a caller may write.
type grant struct {
	all          bool
	fields, null map[string]bool
}

func (g *grant) add(m *Model, one *role, write, null Access) {
	if one.canAll(write) && one.canAll(null) {
		g.all = true
		return
	}
	for f, has := range one.fields {
		if has&write != 0 {
			g.fields[f] = true
		}
		if has&null != 0 {
			g.null[f] = true
		}
	}
	for f := range m.settable {
		g.fields[f] = true
	}
}

func (g *grant) empty() bool { return !g.all && len(g.fields) == 0 && len(g.null) == 0 }

// AllowCreate checks a new item, and returns it with the owner filled in where the input leaves the
// owner out. Defaults are applied before: the rules see them.
func (s *Schema) AllowCreate(id Identity, m *Model, input map[string]any) (map[string]any, error) {
	if s.admin(id) {
		return input, nil
	}
	item := maps.Clone(input)
	g := &grant{fields: map[string]bool{}, null: map[string]bool{}}
	for _, one := range m.roles {
		if !one.can(AllowCreate) {
			continue
		}
		partly := !one.canAll(AllowCreate)
		switch {
		case one.static:
			// Where a rule of the identity pool gives some fields only, the role alone counts.
			if id.has(one) && !(partly && id.IAM == SignedInOtherRole) {
				g.add(m, one, AllowCreate, AllowCreate)
			}
		case one.allow == Owner:
			mine := id.owner(one)
			if mine == nil {
				continue
			}
			value, given := item[one.entity]
			if !given {
				item[one.entity] = stored(one, mine)
			}
			if !given || id.owns(one, value) {
				g.add(m, one, AllowCreate, AllowCreate)
			}
		case id.owns(one, item[one.entity]):
			g.add(m, one, AllowCreate, AllowCreate)
		}
	}
	if g.all {
		return item, nil
	}
	if len(g.fields) == 0 {
		return nil, unauthorized()
	}
	if denied := without(input, g.fields); len(denied) > 0 {
		return nil, unauthorizedOn(denied)
	}
	return item, nil
}

// stored is how an owner is written.
func stored(one *role, mine []string) any {
	last := mine[len(mine)-1]
	if one.list {
		return []any{last}
	}
	return last
}

// without returns the names in the input that are not among those allowed, in order.
func without(input map[string]any, allowed map[string]bool) []string {
	return slices.DeleteFunc(sorted(input), func(name string) bool { return allowed[name] })
}

// AllowUpdate checks a change of an item. The item is nil if there is none: owners and dynamic
// groups are then refused.
func (s *Schema) AllowUpdate(id Identity, m *Model, item, input map[string]any) error {
	if s.admin(id) {
		return nil
	}
	g := &grant{fields: map[string]bool{}, null: map[string]bool{}}
	for _, one := range m.roles {
		if !one.can(AllowUpdate | AllowDelete) {
			continue
		}
		if one.static && id.has(one) || !one.static && id.owns(one, item[one.entity]) {
			g.add(m, one, AllowUpdate, AllowDelete)
			g.fields[m.Key.Partition] = true
		}
	}
	if g.all {
		return nil
	}
	if g.empty() {
		return unauthorized()
	}
	denied := without(input, g.fields)
	for _, name := range sorted(input) {
		if input[name] == nil && !g.null[name] && !slices.Contains(denied, name) {
			denied = append(denied, name)
		}
	}
	if len(denied) > 0 {
		return unauthorizedOn(denied)
	}
	return nil
}

// AllowDelete checks the removal of an item, or of none, which is nil. Only who may delete every
// field may delete.
func (s *Schema) AllowDelete(id Identity, m *Model, item map[string]any) error {
	if s.admin(id) {
		return nil
	}
	for _, one := range m.roles {
		if !one.canAll(AllowDelete) {
			continue
		}
		if one.static && id.has(one) || !one.static && id.owns(one, item[one.entity]) {
			return nil
		}
	}
	return unauthorized()
}
