package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
)

// callers are one of each kind. Alice owns the item of the walk, and it belongs to the group red.
var callers = map[string]Identity{
	"nobody": {},
	"key":    {Provider: APIKey},
	"lambda": {Provider: Function},
	"guest":  {Provider: IAM, IAM: Guest},
	"signed": {Provider: IAM, IAM: SignedIn},
	"role":   {Provider: IAM, IAM: SignedInOtherRole},
	"other":  {Provider: IAM, IAM: OtherIdentity},
	"admin":  {Provider: IAM, IAM: Admin},
	"alice":  token(UserPool, "alice"),
	"bob":    token(UserPool, "bob"),
	"red":    token(UserPool, "rita", "red"),
	"blue":   token(UserPool, "bert", "blue"),
	"oAlice": token(OIDC, "alice"),
	"oRed":   token(OIDC, "rita", "red"),
}

func token(p Provider, name string, groups ...any) Identity {
	claims := map[string]any{"sub": "sub-" + name, "username": name, "email": name + "@example.com"}
	if groups != nil {
		claims["cognito:groups"] = groups
	}
	return Identity{Provider: p, Claims: claims}
}

// everything is what a rule without operations allows.
const everything = "create get list update delete listen"

// TestRules walks rule × caller × operation: one rule a model, and who may do what to Alice's
// item.
func TestRules(t *testing.T) {
	all := []string{"create", "get", "list", "update", "delete", "listen"}
	// The item as it is stored, and as a caller writes it on create.
	item := map[string]any{
		"id": "1", "text": "t", "owner": "sub-alice::alice", "editors": []any{"alice"},
		"mail": "alice@example.com", "team": "red", "teams": []any{"green", "red"},
	}
	cells := 0
	for _, c := range []struct {
		rule string
		want map[string]string // by caller; nothing for those who are left out
	}{
		{`allow: public`, map[string]string{"key": everything}},
		{`allow: public, provider: apiKey`, map[string]string{"key": everything}},
		{`allow: public, provider: iam`, map[string]string{"guest": everything}},
		{`allow: public, provider: identityPool`, map[string]string{"guest": everything}},
		{`allow: private`, map[string]string{
			"alice": everything, "bob": everything, "red": everything, "blue": everything,
		}},
		{`allow: private, provider: oidc`, map[string]string{
			"oAlice": everything, "oRed": everything,
		}},
		{`allow: private, provider: iam`, map[string]string{
			"signed": everything, "role": everything,
		}},
		{`allow: private, provider: identityPool`, map[string]string{
			"signed": everything, "role": everything,
		}},
		{`allow: custom`, map[string]string{"lambda": everything}},
		{`allow: owner`, map[string]string{
			"alice": everything, "bob": "list listen", "red": "list listen", "blue": "list listen",
		}},
		{`allow: owner, provider: oidc`, map[string]string{
			"oAlice": everything, "oRed": "list listen",
		}},
		{`allow: owner, ownerField: "editors"`, map[string]string{
			"alice": everything, "bob": "list listen", "red": "list listen", "blue": "list listen",
		}},
		{`allow: owner, ownerField: "mail", identityClaim: "email"`, map[string]string{
			"alice": everything, "bob": "list listen", "red": "list listen", "blue": "list listen",
		}},
		{`allow: groups, groups: ["red"]`, map[string]string{"red": everything}},
		{`allow: groups, groups: ["red", "blue"]`, map[string]string{
			"red": everything, "blue": everything,
		}},
		{`allow: groups, groups: ["red"], provider: oidc`, map[string]string{"oRed": everything}},
		{`allow: groups, groupsField: "team"`, map[string]string{
			"red": everything, "blue": "list listen",
		}},
		{`allow: groups, groupsField: "teams"`, map[string]string{
			"red": everything, "blue": "list listen",
		}},
	} {
		for _, operations := range []string{
			"", "create", "get", "list", "update", "delete", "listen", "read",
			"create, update", "get, delete",
		} {
			rule := c.rule
			if operations != "" {
				rule += ", operations: [" + operations + "]"
			}
			s := one(t, rule)
			for _, name := range slices.Sorted(maps.Keys(callers)) {
				cells += len(all)
				want := c.want[name]
				if name == "admin" {
					want = everything
				} else if operations != "" {
					allowed := strings.ReplaceAll(operations, "read", "get, list, listen")
					want = both(want, strings.Split(allowed, ", "))
				}
				if got := can(s, callers[name], item); got != want {
					t.Errorf("{%s}: %s may %q, want %q", rule, name, got, want)
				}
			}
		}
	}
	t.Logf("%d cells of rule, operation and caller", cells)
}

// one reads a schema with one model and one rule. Every operation has some field, so that what the
// rule leaves out is left to the rules.
func one(t *testing.T, rule string) *Schema {
	t.Helper()
	s, err := Read("model.graphql", `
		type Note @model @auth(rules: [{`+rule+`}]) {
			id: ID! text: String owner: String editors: [String]
			mail: String team: String teams: [String]
		}`, Options{Additional: []Provider{UserPool, IAM, OIDC, Function}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// both returns the words of a text that are in a list.
func both(text string, list []string) string {
	var out []string
	for _, word := range strings.Fields(text) {
		if slices.Contains(list, word) {
			out = append(out, word)
		}
	}
	return strings.Join(out, " ")
}

// can tells what a caller may do to an item by both layers. A list counts if it is answered at all.
func can(s *Schema, id Identity, item map[string]any) string {
	m := s.Model("Note")
	root := map[string]*ast.Definition{
		"Query": s.API.Query, "Mutation": s.API.Mutation, "Subscription": s.API.Subscription,
	}
	layer := func(typ, field string) bool {
		return s.AllowField(id, root[typ], root[typ].Fields.ForName(field)) == nil
	}
	var out []string
	add := func(what string, layer bool, err error) {
		if layer && err == nil {
			out = append(out, what)
		}
	}
	_, err := s.AllowCreate(id, m, item)
	add("create", layer("Mutation", "createNote"), err)
	grant, err := s.AllowRead(id, s.Operation(ast.Query, "getNote"), map[string]any{"id": "1"})
	if err == nil && !selects(grant, item) {
		err = unauthorized()
	}
	add("get", layer("Query", "getNote"), err)
	_, err = s.AllowRead(id, s.Operation(ast.Query, "listNotes"), nil)
	add("list", layer("Query", "listNotes"), err)
	add("update", layer("Mutation", "updateNote"),
		s.AllowUpdate(id, m, item, map[string]any{"id": "1", "text": "new"}))
	add("delete", layer("Mutation", "deleteNote"), s.AllowDelete(id, m, item))
	_, err = s.AllowSubscribe(id, m, nil)
	add("listen", layer("Subscription", "onCreateNote"), err)
	return strings.Join(out, " ")
}

// TestListsOfOthers: where others may list, nothing of Alice's is in the list.
func TestListsOfOthers(t *testing.T) {
	item := map[string]any{
		"owner": "sub-alice::alice", "editors": []any{"alice"}, "mail": "alice@example.com",
		"team": "red", "teams": []any{"red"},
	}
	for _, rule := range []string{
		`allow: owner`, `allow: owner, ownerField: "editors"`,
		`allow: owner, ownerField: "mail", identityClaim: "email"`,
		`allow: groups, groupsField: "team"`, `allow: groups, groupsField: "teams"`,
	} {
		s := one(t, rule)
		for _, name := range []string{"bob", "blue"} {
			grant, err := s.AllowRead(callers[name], s.Operation(ast.Query, "listNotes"), nil)
			if err == nil && selects(grant, item) {
				t.Errorf("{%s}: %s lists the item by %v", rule, name, grant)
			}
		}
	}
}

// TestOwnerIsFilledIn: the owner of a new item is its author, or nobody else.
func TestOwnerIsFilledIn(t *testing.T) {
	s := one(t, `allow: owner}, {allow: groups, groups: ["red"]}, {allow: public`)
	m := s.Model("Note")
	for _, c := range []struct {
		caller string
		input  map[string]any
		want   any // the owner, or the error
	}{
		{"alice", map[string]any{}, "sub-alice::alice"},
		{"alice", map[string]any{"owner": "alice"}, "alice"},
		{"alice", map[string]any{"owner": "sub-alice"}, "sub-alice"},
		{"alice", map[string]any{"owner": "bob"}, "Unauthorized"},
		{"alice", map[string]any{"owner": nil}, "Unauthorized"},
		{"red", map[string]any{}, "sub-rita::rita"},
		{"red", map[string]any{"owner": "bob"}, "bob"},
		{"key", map[string]any{}, nil},
	} {
		given := maps.Clone(c.input)
		var got any
		item, err := s.AllowCreate(callers[c.caller], m, c.input)
		if got = item["owner"]; err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s creates %v: got %v, want %v", c.caller, given, got, c.want)
		}
		if !cmp.Equal(given, c.input) {
			t.Errorf("the input has become %v", c.input)
		}
	}
}

// TestOwnerInKey: where the owner is part of the key, callers name themselves or get their own.
func TestOwnerInKey(t *testing.T) {
	s, err := Read("model.graphql", `
		type Note @model @auth(rules: [{allow: owner, ownerField: "author", identityClaim: "sub"}]) {
			author: ID! @primaryKey(sortKeyFields: ["at"])
			at: Int!
			topic: String @index(queryField: "byTopic", sortKeyFields: ["author"])
		}`, allModes)
	if err != nil {
		t.Fatal(err)
	}
	alice := callers["alice"]
	byAuthor := func(operator, value string) map[string]any {
		return map[string]any{"topic": "x", "author": map[string]any{operator: value}}
	}
	for _, c := range []struct {
		query string
		args  map[string]any
		want  string
	}{
		{"getNote", map[string]any{"author": "sub-alice", "at": 1}, "{map[] map[]}"},
		{"getNote", map[string]any{"author": "sub-bob", "at": 1}, "Unauthorized"},
		{"listNotes", map[string]any{"author": "sub-alice"}, "{map[] map[]}"},
		{"listNotes", map[string]any{"author": "sub-bob"}, "Unauthorized"},
		{"listNotes", map[string]any{}, "{map[or:[map[author:map[in:[sub-alice]]]]] map[]}"},
		{"byTopic", map[string]any{"topic": "x"}, "{map[] map[author:sub-alice]}"},
		{"byTopic", byAuthor("eq", "sub-alice"), "{map[] map[]}"},
		{"byTopic", byAuthor("eq", "sub-bob"), "Unauthorized"},
		{"byTopic", byAuthor("ge", "a"), "Unauthorized"},
	} {
		grant, err := s.AllowRead(alice, s.Operation(ast.Query, c.query), c.args)
		got := fmt.Sprint(grant)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s(%v): got %s, want %s", c.query, c.args, got, c.want)
		}
	}
}

// TestNamesLikeOwners: a user whose name looks like the owner of an item is not that owner.
func TestNamesLikeOwners(t *testing.T) {
	s := one(t, `allow: owner`)
	m := s.Models[0]
	item := map[string]any{"id": "1", "owner": "sub-alice::alice"}
	named := func(sub, name string) Identity {
		return Identity{Provider: UserPool, Claims: map[string]any{"sub": sub, "username": name}}
	}
	if err := s.AllowDelete(named("sub-alice", "alice"), m, item); err != nil {
		t.Error(err)
	}
	for _, id := range []Identity{
		named("sub-eve", "sub-alice::alice"), named("sub-alice::alice", "eve"),
		named("sub-eve::sub-alice", "alice"), named("sub-alice", "eve::alice"),
		named("sub-alice", "sub-alice::alice"), named("sub-alice::alice", "sub-alice::"),
	} {
		if err := s.AllowDelete(id, m, item); err == nil {
			t.Errorf("%v is taken for the owner", id.Claims)
		}
	}
	eve := named("sub-eve", "a::b")
	if err := s.AllowDelete(eve, m, map[string]any{"owner": "sub-eve::a::b"}); err != nil {
		t.Errorf("a name with the delimiter owns nothing: %v", err)
	}
}

// TestEmptyOwner: a condition without a value does not name the owner whose claim is empty.
func TestEmptyOwner(t *testing.T) {
	if matches(map[string]any{"gt": "a"}, []string{""}) {
		t.Error("a condition that is no equality matches")
	}
}

// TestModesByGroups: the user pool's directive may name groups.
func TestModesByGroups(t *testing.T) {
	s, err := Read("model.graphql", `type Query {
		all: String @aws_cognito_user_pools
		some: String @aws_cognito_user_pools(cognito_groups: ["red"])
		key: String
		none: String @aws_oidc
	}`, Options{Additional: []Provider{UserPool, OIDC}, Gen1: true})
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string][]string{
		"all": {"alice", "bob", "red", "blue"}, "some": {"red"}, "key": {"key"},
		"none": {"oAlice", "oRed"},
	} {
		for name, id := range callers {
			err := s.AllowField(id, s.API.Query, s.API.Query.Fields.ForName(field))
			if (err == nil) != slices.Contains(want, name) {
				t.Errorf("%s reads %s: %v", name, field, err)
			}
		}
	}
}

// TestIdentityPoolNeedsRules: access for IAM principals in general opens nothing to the identities
// of the pool. In AWS they have no policy for it.
func TestIdentityPoolNeedsRules(t *testing.T) {
	s, err := Read("model.graphql", `
		type Query {
			open: String @aws_api_key
			ruled: String @auth(rules: [{allow: public, provider: iam}])
			named: String @aws_iam
		}
		type Loud @model(subscriptions: {level: public}) { text: String }`, allModes)
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string][]string{
		"open": {"admin", "key"}, "ruled": {"admin", "guest"},
		"named": {"admin", "guest", "role", "signed"},
	} {
		var got []string
		for _, name := range slices.Sorted(maps.Keys(callers)) {
			f := s.API.Query.Fields.ForName(field)
			if s.AllowField(callers[name], s.API.Query, f) == nil &&
				s.AllowCustom(callers[name], "Query", field) == nil {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is open to %v, want %v", field, got, want)
		}
	}
	for name, want := range map[string]bool{"key": true, "admin": true, "guest": false, "signed": false} {
		if _, err := s.AllowSubscribe(callers[name], s.Model("Loud"), nil); (err == nil) != want {
			t.Errorf("%s subscribes to a model whose subscriptions are public: %v", name, err)
		}
	}
}

// TestLambdaDeniesFields: what a Lambda authorizer denies is denied, whatever the rules say.
func TestLambdaDeniesFields(t *testing.T) {
	s := one(t, `allow: custom`)
	id := Identity{Provider: Function, Denied: []string{"Note.text"}}
	note := s.API.Types["Note"]
	for field, want := range map[string]string{
		"id": "<nil>", "text": "Not Authorized to access text on type Note",
	} {
		if got := fmt.Sprint(s.AllowField(id, note, note.Fields.ForName(field))); got != want {
			t.Errorf("the field %s: got %s, want %s", field, got, want)
		}
	}
}
