package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// TestEveryCell walks each rule of the recorded schemas, those of fields and of custom operations
// included, by operation and caller, and compares with a plain reading of the rules. Each rule has
// a caller whom it lets in, and one whom it does not.
func TestEveryCell(t *testing.T) {
	cells, lets := 0, map[string]map[bool]bool{} // whether a rule lets somebody in, and keeps some out
	for _, name := range models(t) {
		s := load(t, name)
		see := func(place string, rule Rule, id Identity, item map[string]any) bool {
			cells++
			rule.Access = 0
			key := fmt.Sprintf("%s: %s: %+v", name, place, rule)
			if lets[key] == nil {
				lets[key] = map[bool]bool{}
			}
			matches := plainly(rule, id, item)
			lets[key][matches] = true
			return matches
		}
		for _, m := range s.Models {
			item := itemOfAlice(m)
			who := callersOf(m.allRules()...)
			for _, op := range m.Operations {
				for _, caller := range sorted(who) {
					id := who[caller]
					want := m.plainVerdict(op, item, func(place string, rule Rule) bool {
						return see(m.Name+place+" "+op.Name, rule, id, item)
					}) || id.Provider == IAM && id.IAM == Admin
					if got := answers(s, id, op, item); got != want {
						t.Errorf("%s: %s %s of Alice's %s: %v, want %v", name, caller, op.Name, m.Name, got, want)
					}
				}
			}
		}
		for root, def := range map[ast.Operation]*ast.Definition{
			ast.Query: s.API.Query, ast.Mutation: s.API.Mutation, ast.Subscription: s.API.Subscription,
		} {
			for _, op := range s.operations[root] {
				if op.Kind != Custom || op.Rules == nil {
					continue
				}
				who := callersOf(op.Rules...)
				for _, caller := range sorted(who) {
					id := who[caller]
					want := id.Provider == IAM && id.IAM == Admin
					for _, rule := range op.Rules {
						want = see(op.Name, rule, id, nil) || want
					}
					got := s.AllowField(id, def, def.Fields.ForName(op.Name)) == nil &&
						s.AllowCustom(id, def.Name, op.Name) == nil
					if got != want {
						t.Errorf("%s: %s %s: %v, want %v", name, caller, op.Name, got, want)
					}
				}
			}
		}
	}
	for key, both := range lets {
		if len(both) != 2 {
			t.Errorf("no two callers differ by the rule %s", key)
		}
	}
	t.Logf("%d cells of rule, field, operation and caller: each of %d rules by operation lets some in, "+
		"and keeps some out", cells, len(lets))
}

// allRules returns the rules of the model and of its fields.
func (m *Model) allRules() []Rule {
	rules := slices.Clone(m.Rules)
	for _, f := range m.Fields {
		rules = append(rules, f.Rules...)
	}
	return rules
}

// callersOf returns the callers of the tests, and one that each rule lets in.
func callersOf(rules ...Rule) map[string]Identity {
	all := maps.Clone(callers)
	var single []Rule
	for _, rule := range rules {
		single = append(single, perGroup(rule)...)
	}
	for i, rule := range single {
		id := Identity{Provider: rule.Provider.mode(), Claims: map[string]any{}, IAM: SignedIn}
		if rule.Allow == Public {
			id.IAM = Guest
		}
		switch {
		case rule.Groups != nil:
			id.Claims[rule.GroupClaim] = []any{rule.Groups[0]}
		case rule.Allow == Groups:
			id.Claims[rule.GroupClaim] = []any{"red"}
		case rule.Allow == Owner:
			for _, claim := range strings.Split(rule.IdentityClaim, claimDelimiter) {
				id.Claims[claim] = ownerFor(rule)
			}
		}
		all[fmt.Sprintf("the caller of rule %d", i)] = id
	}
	return all
}

// ownerFor returns the value of a rule's owner field in Alice's items.
func ownerFor(rule Rule) string {
	switch rule.IdentityClaim {
	case "email":
		return "alice@example.com"
	case "sub":
		return "sub-alice"
	case "custom:tenant":
		return "acme"
	}
	return "alice"
}

// plainVerdict reads the rules of a model for an operation as their documentation tells it. The rules
// of a field stand for those of the model. matches reports whether a rule of a place is for the
// caller.
func (m *Model) plainVerdict(
	op *Operation, item map[string]any, matches func(place string, rule Rule) bool,
) bool {
	access, writes := operationAccess(op)
	granted := map[string]map[string]bool{} // by rule, whoever it is for: fields that it gives
	some := false
	for _, f := range m.def.Fields {
		rules, place := m.Rules, ""
		if own := m.fields[f.Name].Rules; own != nil {
			rules, place = own, "."+f.Name
		}
		for _, rule := range rules {
			for _, one := range perGroup(rule) {
				mine := matches(place, one)
				has := one.Access&access != 0
				if op.Kind == Update { // rules for deletion may set null
					has = one.Access&(AllowUpdate|AllowDelete) != 0
				}
				if !mine || !has {
					continue
				}
				some = true
				one.Access = 0
				key := fmt.Sprintf("%+v", one)
				if granted[key] == nil {
					granted[key] = map[string]bool{}
				}
				granted[key][f.Name] = true
			}
		}
	}
	if op.Kind == Update || !writes {
		return some // an update of nothing, or any part of an item
	}
	given := map[string]bool{}
	for _, fields := range granted {
		if len(fields) == len(m.def.Fields) { // who gets all fields gets those that are not declared
			return true
		}
		maps.Copy(given, fields)
	}
	return op.Kind == Create && some && len(without(item, given)) == 0
}

// perGroup returns a rule for each of its groups.
func perGroup(rule Rule) (rules []Rule) {
	if rule.Groups == nil {
		return []Rule{rule}
	}
	for _, group := range rule.Groups {
		one := rule
		one.Groups = []string{group}
		rules = append(rules, one)
	}
	return rules
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
	for _, rule := range m.allRules() {
		switch {
		case rule.GroupsField != "":
			put(rule.GroupsField, "red")
		case rule.Allow == Owner:
			put(rule.OwnerField, ownerFor(rule))
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
