package schema

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// A plainRule is a rule as its documentation tells it, apart from how the package reads rules.
type plainRule struct {
	text       string // as the schema has it
	operations []string
	matches    func(who plainCaller, item map[string]any) bool
}

// A plainCaller is a user of the pool, or somebody with the key.
type plainCaller struct {
	name   string // empty for the key
	groups []string
}

func (c plainCaller) identity() Identity {
	if c.name == "" {
		return Identity{Provider: APIKey}
	}
	var groups []any
	for _, g := range c.groups {
		groups = append(groups, g)
	}
	return token(UserPool, c.name, groups...)
}

// names are the texts that stand for a user in an owner field.
func (c plainCaller) names() []any {
	if c.name == "" {
		return nil
	}
	return []any{c.name, "sub-" + c.name, "sub-" + c.name + "::" + c.name}
}

var plainRules = []plainRule{
	{text: "allow: public", matches: func(c plainCaller, _ map[string]any) bool { return c.name == "" }},
	{text: "allow: private", matches: func(c plainCaller, _ map[string]any) bool { return c.name != "" }},
	{text: "allow: owner", matches: func(c plainCaller, item map[string]any) bool {
		return slices.Contains(c.names(), item["owner"])
	}},
	{text: `allow: owner, ownerField: "editors"`, matches: func(c plainCaller, item map[string]any) bool {
		editors, _ := item["editors"].([]any)
		return slices.ContainsFunc(editors, func(e any) bool { return slices.Contains(c.names(), e) })
	}},
	{text: `allow: groups, groups: ["red"]`, matches: func(c plainCaller, _ map[string]any) bool {
		return slices.Contains(c.groups, "red")
	}},
	{text: `allow: groups, groupsField: "team"`, matches: func(c plainCaller, item map[string]any) bool {
		team, _ := item["team"].(string)
		return slices.Contains(c.groups, team)
	}},
	{text: `allow: groups, groupsField: "teams"`, matches: func(c plainCaller, item map[string]any) bool {
		teams, _ := item["teams"].([]any)
		return slices.ContainsFunc(teams, func(e any) bool { return slices.Contains(c.groups, e.(string)) })
	}},
}

// TestRulesTogether draws rules, callers and items, and compares who may do what with a plain
// reading: somebody may do what some rule with that operation lets them.
func TestRulesTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	operations := []string{"create", "get", "list", "update", "delete"}
	compared := 0
	for range 150 {
		var rules []plainRule
		var texts []string
		for _, n := range random.Perm(len(plainRules))[:1+random.IntN(4)] {
			rule := plainRules[n]
			for _, o := range operations {
				if random.IntN(2) == 0 {
					rule.operations = append(rule.operations, o)
				}
			}
			if rule.operations == nil {
				rule.operations = operations
			}
			rules = append(rules, rule)
			texts = append(texts, rule.text+", operations: ["+strings.Join(rule.operations, ", ")+"]")
		}
		s := one(t, strings.Join(texts, "}, {"))
		for range 40 {
			who := plainCaller{name: pick("", "alice", "bob"), groups: nil}
			if who.name != "" {
				for _, g := range []string{"red", "blue"} {
					if random.IntN(2) == 0 {
						who.groups = append(who.groups, g)
					}
				}
			}
			owner := pick("alice", "sub-alice", "sub-alice::alice", "bob", "sub-bob::bob", "carol", "")
			item := map[string]any{
				"id": "1", "text": "t", "owner": owner,
				"editors": []any{pick("alice", "bob", "carol")},
				"team":    pick("red", "blue", "green"), "teams": []any{pick("red", "blue"), "green"},
			}
			for _, o := range operations {
				want := slices.ContainsFunc(rules, func(r plainRule) bool {
					return slices.Contains(r.operations, o) && r.matches(who, item)
				})
				if got := allowed(s, who.identity(), o, item); got != want {
					t.Errorf("{%s}: %+v may %s %v: %v, want %v", strings.Join(texts, "}, {"), who, o, item, got, want)
				}
				compared++
			}
		}
	}
	t.Logf("%d draws compared", compared)
}

// allowed reports whether a caller may do something to an item: for lists, whether it is among
// what they see.
func allowed(s *Schema, id Identity, operation string, item map[string]any) bool {
	m := s.Model("Note")
	layer := func(root *ast.Definition, field string) bool {
		return s.AllowField(id, root, root.Fields.ForName(field)) == nil
	}
	switch operation {
	case "create":
		_, err := s.AllowCreate(id, m, item)
		return err == nil && layer(s.API.Mutation, "createNote")
	case "update":
		input := map[string]any{"id": "1", "text": "new"}
		return s.AllowUpdate(id, m, item, input) == nil && layer(s.API.Mutation, "updateNote")
	case "delete":
		return s.AllowDelete(id, m, item) == nil && layer(s.API.Mutation, "deleteNote")
	}
	query := map[string]string{"get": "getNote", "list": "listNotes"}[operation]
	args := map[string]any{}
	if operation == "get" {
		args["id"] = "1"
	}
	grant, err := s.AllowRead(id, s.Operation(ast.Query, query), args)
	if err == nil && grant.Key != nil {
		panic(fmt.Sprint("the owner is no key here: ", grant))
	}
	return err == nil && selects(grant, item) && layer(s.API.Query, query)
}
