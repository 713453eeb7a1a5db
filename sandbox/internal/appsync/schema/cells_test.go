package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// TestEveryCell walks each rule of the recorded schemas by operation and caller, and compares with
// a plain reading of the rules. Models with rules of fields are left to the recorded verdicts where
// it is fields that decide: on create, update and delete.
func TestEveryCell(t *testing.T) {
	extra := maps.Clone(callers)
	extra["gold"] = Identity{Provider: UserPool, Claims: map[string]any{
		"sub": "sub-gwen", "cognito:username": "gwen", "membership": "gold,silver",
		"custom:tenant": "acme", "custom:orgs": `["red","blue"]`,
	}}
	cells := 0
	for _, name := range models(t) {
		s := load(t, name)
		for _, m := range s.Models {
			fieldRules := slices.ContainsFunc(m.Fields, func(f *Field) bool { return f.Rules != nil })
			item := itemOfAlice(m)
			for _, op := range m.Operations {
				access, writes := operationAccess(op)
				if fieldRules && (writes || !slices.ContainsFunc(m.Rules, func(r Rule) bool { return r.Access&access != 0 })) {
					continue
				}
				for _, who := range slices.Sorted(maps.Keys(extra)) {
					id := extra[who]
					want := id.Provider == IAM && id.IAM == Admin
					for _, rule := range m.Rules {
						if rule.Access&access != 0 {
							cells++
							want = want || plainly(rule, id, item)
						}
					}
					if fieldRules && !want {
						continue // a rule of a field may let them in
					}
					if got := answers(s, id, op, item); got != want {
						t.Errorf("%s: %s %s of Alice's %s: %v, want %v", name, who, op.Name, m.Name, got, want)
					}
				}
			}
		}
	}
	t.Logf("%d cells of rule, operation and caller", cells)
}

// itemOfAlice makes an item that belongs to Alice and to the group red.
func itemOfAlice(m *Model) map[string]any {
	item := map[string]any{}
	put := func(field, value string) {
		item[field] = value
		if m.Field(field).Type.Elem != nil {
			item[field] = []any{value}
		}
	}
	for _, name := range m.Key.Fields() {
		item[name] = "1"
	}
	for _, rule := range m.Rules {
		switch {
		case rule.GroupsField != "":
			put(rule.GroupsField, "red")
		case rule.Allow == Owner && rule.IdentityClaim == "email":
			put(rule.OwnerField, "alice@example.com")
		case rule.Allow == Owner && rule.IdentityClaim == "sub":
			put(rule.OwnerField, "sub-alice")
		case rule.Allow == Owner && rule.IdentityClaim == "custom:tenant":
			put(rule.OwnerField, "acme")
		case rule.Allow == Owner:
			put(rule.OwnerField, "alice")
		}
	}
	return item
}

func operationAccess(op *Operation) (a Access, writes bool) {
	switch op.Kind {
	case Create:
		return AllowCreate, true
	case Update:
		return AllowUpdate, true
	case Delete:
		return AllowDelete, true
	case Get:
		return AllowGet, false
	case List, Index:
		return AllowList, false
	}
	return AllowListen, false
}

// plainly reads a rule as its documentation tells it.
func plainly(rule Rule, id Identity, item map[string]any) bool {
	wanted := rule.Provider
	if wanted == IdentityPool {
		wanted = IAM
	}
	if wanted != id.Provider {
		return false
	}
	claims := func(name string) []string {
		switch v := id.Claims[name].(type) {
		case string:
			var list []string
			if json.Unmarshal([]byte(v), &list) != nil {
				list = []string{v}
			}
			return list
		case []any:
			var list []string
			for _, e := range v {
				list = append(list, e.(string))
			}
			return list
		}
		return nil
	}
	stored := func(field string) []any {
		if list, ok := item[field].([]any); ok {
			return list
		}
		return []any{item[field]}
	}
	switch rule.Allow {
	case Public:
		return id.Provider != IAM || id.IAM == Guest
	case Private:
		return id.Provider != IAM || id.IAM == SignedIn || id.IAM == SignedInOtherRole
	case Groups:
		if rule.Groups == nil {
			return slices.ContainsFunc(claims(rule.GroupClaim), func(g string) bool {
				return slices.Contains(stored(rule.GroupsField), any(g))
			})
		}
		return slices.ContainsFunc(rule.Groups, func(group string) bool {
			if text, ok := id.Claims[rule.GroupClaim].(string); ok {
				return strings.Contains(text, group)
			}
			return slices.Contains(claims(rule.GroupClaim), group)
		})
	case Owner:
		var mine []any
		for _, name := range strings.Split(rule.IdentityClaim, "::") {
			if name == "username" && id.Claims[name] == nil {
				name = "cognito:username"
			}
			mine = append(mine, id.Claims[name])
		}
		if slices.Contains(mine, nil) {
			return false
		}
		if len(mine) == 2 {
			mine = append(mine, mine[0].(string)+"::"+mine[1].(string))
		}
		return slices.ContainsFunc(stored(rule.OwnerField), func(o any) bool { return slices.Contains(mine, o) })
	}
	return true
}

// answers reports whether both layers let a caller do an operation with an item; for lists and
// subscriptions, whether the item is among what they get.
func answers(s *Schema, id Identity, op *Operation, item map[string]any) bool {
	m := op.Model
	root := map[ast.Operation]*ast.Definition{
		ast.Query: s.API.Query, ast.Mutation: s.API.Mutation, ast.Subscription: s.API.Subscription,
	}[op.Root]
	if s.AllowField(id, root, root.Fields.ForName(op.Name)) != nil {
		return false
	}
	switch op.Kind {
	case Create:
		_, err := s.AllowCreate(id, m, item)
		return err == nil
	case Update:
		return s.AllowUpdate(id, m, item, keyOf(m, item)) == nil
	case Delete:
		return s.AllowDelete(id, m, item) == nil
	case Get, List, Index:
		args := map[string]any{}
		if op.Kind == Get {
			args = keyOf(m, item)
		}
		grant, err := s.AllowRead(id, op, args)
		return err == nil && selects(grant, item)
	}
	filter, err := s.AllowSubscribe(id, m, nil)
	return err == nil && selects(Grant{Filter: filter}, item)
}

func keyOf(m *Model, item map[string]any) map[string]any {
	key := map[string]any{}
	for _, name := range m.Key.Fields() {
		key[name] = item[name]
	}
	return key
}
