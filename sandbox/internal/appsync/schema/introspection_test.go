package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vektah/gqlparser/v2/ast"
)

// recordedIntrospection returns the model introspection of a recorded backend.
func recordedIntrospection(t testing.TB, model string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recorded(t), "models", model, "amplify_outputs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var outputs struct {
		Data struct {
			Introspection json.RawMessage `json:"model_introspection"`
		}
	}
	if err := json.Unmarshal(text, &outputs); err != nil {
		t.Fatal(err)
	}
	return outputs.Data.Introspection
}

func loadIntrospection(t testing.TB, model string) *Schema {
	t.Helper()
	s, err := ReadIntrospection("amplify_outputs.json", recordedIntrospection(t, model), allModes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestIntrospectionGivesTheSameAPI compares what a model introspection gives with what the
// annotated schema gives. Each difference has its reason.
func TestIntrospectionGivesTheSameAPI(t *testing.T) {
	for _, model := range models(t) {
		t.Run(model, func(t *testing.T) {
			full, less := load(t, model), loadIntrospection(t, model)
			for _, name := range sorted(full.API.Types) {
				for _, line := range diff(less.API.Types[name], full.API.Types[name]) {
					if !explained(full, line) {
						t.Error(line)
					}
				}
			}
		})
	}
}

// explained reports whether a difference follows from what a model introspection lacks.
func explained(full *Schema, line string) bool {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "not deployed: "), "the API lacks ")
	line = strings.TrimPrefix(line, "OBJECT ")
	typ, field, _ := strings.Cut(line, ".")
	typ, _, _ = strings.Cut(typ, " ")
	field, _, _ = strings.Cut(field, "(")
	roots := map[string]ast.Operation{
		"Query": ast.Query, "Mutation": ast.Mutation, "Subscription": ast.Subscription,
	}
	fieldRules := func(m *Model) bool {
		return m != nil && slices.ContainsFunc(m.Fields, func(f *Field) bool { return f.Rules != nil })
	}
	if root, ok := roots[typ]; ok {
		op := full.Operation(root, field)
		// Custom operations lose their rules, and others the modes that field rules add.
		return op != nil && (op.Kind == Custom || fieldRules(op.Model))
	}
	if name, ok := strings.CutPrefix(typ, "Model"); ok {
		if name, ok := strings.CutSuffix(name, "Connection"); ok {
			return fieldRules(full.Model(name))
		}
		// A key that a relation implies looks like a declared one.
		return strings.HasPrefix(name, "Subscription") && impliedKeyField(full, field)
	}
	if m := full.Model(typ); m != nil {
		return fieldRules(m) || joinKey(full, typ, field)
	}
	if name, ok := strings.CutPrefix(typ, "Create"); ok {
		return joinKey(full, strings.TrimSuffix(name, "Input"), field)
	}
	// Types of custom operations lose the modes of these.
	return field == "" && full.API.Types[typ].Kind == ast.Object
}

func impliedKeyField(s *Schema, name string) bool {
	return slices.ContainsFunc(s.Models, func(m *Model) bool {
		f := m.Field(name)
		return f != nil && f.Added
	})
}

// joinKey reports whether a field is a key of a model that joins many to many. The introspection
// calls it optional.
func joinKey(s *Schema, model, field string) bool {
	m := s.Model(model)
	return m != nil && slices.ContainsFunc(m.Indexes, func(k *Key) bool { return k.Partition == field })
}

// TestIntrospectionHasTheRulesOfModels compares the rules of models. The introspection has the same
// text for the owner claims "username" and "sub::username".
func TestIntrospectionHasTheRulesOfModels(t *testing.T) {
	for _, model := range models(t) {
		full, less := load(t, model), loadIntrospection(t, model)
		for _, m := range full.Models {
			want := slices.Clone(m.Rules)
			for i := range want {
				if want[i].IdentityClaim == "username" {
					want[i].IdentityClaim = defaultOwnerClaim
				}
			}
			same := func(a, b Rule) bool { return cmp.Equal(a, b) }
			want = slices.CompactFunc(want, same) // a model that joins has the rules of both ends
			if d := cmp.Diff(want, less.Model(m.Name).Rules, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s: the rules of %s differ (-annotated +introspected):\n%s", model, m.Name, d)
			}
		}
	}
}

// TestIntrospectionFailsClosed: what a model introspection lacks is not allowed.
func TestIntrospectionFailsClosed(t *testing.T) {
	s, err := ReadIntrospection("amplify_outputs.json", []byte(`{
		"version": 1, "enums": {}, "nonModels": {},
		"models": {"Note": {"name": "Note", "fields": {
			"id": {"name": "id", "isArray": false, "type": "ID", "isRequired": true, "attributes": []},
			"text": {"name": "text", "isArray": false, "type": "String", "isRequired": false, "attributes": []}
		}, "attributes": [{"type": "model", "properties": {}}]}},
		"queries": {"echo": {"name": "echo", "isArray": false, "type": "String", "isRequired": false}}
	}`), allModes)
	if err != nil {
		t.Fatal(err)
	}
	user := Identity{Provider: UserPool, Claims: map[string]any{"sub": "s", "username": "u"}}
	for _, id := range []Identity{
		{Provider: APIKey}, user, {Provider: Function}, {Provider: IAM, IAM: Guest},
		{Provider: IAM, IAM: SignedIn},
	} {
		if s.AllowCustom(id, "Query", "echo") == nil {
			t.Errorf("%v may use a custom operation whose rules are unknown", id)
		}
		if _, err := s.AllowRead(id, s.Operation(ast.Query, "listNotes"), nil); err == nil {
			t.Errorf("%v may list a model without rules", id)
		}
		if _, err := s.AllowCreate(id, s.Model("Note"), map[string]any{"text": "t"}); err == nil {
			t.Errorf("%v may create an item of a model without rules", id)
		}
		if _, err := s.AllowSubscribe(id, s.Model("Note"), nil); err == nil {
			t.Errorf("%v may subscribe to a model without rules", id)
		}
	}
	if got := strings.Join(s.Warnings, "\n"); !strings.Contains(got, "rules of fields") ||
		!strings.Contains(got, "defaults") || !strings.Contains(got, "the model Note has no rules") {
		t.Errorf("the warnings do not tell what is unknown:\n%s", got)
	}
}

// TestIntrospectionFaults: what cannot be understood is refused.
func TestIntrospectionFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", `{`, "amplify_outputs.json: model_introspection: "},
		{"another version", `{"version": 2}`, "version 2"},
		{
			"an unknown attribute",
			`{"version": 1, "models": {"Note": {"fields": {}, "attributes": [{"type": "locked"}]}}}`,
			`models.Note: the attribute "locked"`,
		},
		{
			"an unknown strategy",
			`{"version": 1, "models": {"Note": {"fields": {"id": {"type": "ID"}}, "attributes": [
				{"type": "auth", "properties": {"rules": [{"allow": "neighbours"}]}}]}}}`,
			`amplify_outputs.json: Note: the rule has the unknown strategy allow: "neighbours"`,
		},
		{
			"an unknown member of a rule",
			`{"version": 1, "models": {"Note": {"fields": {"id": {"type": "ID"}}, "attributes": [
				{"type": "auth", "properties": {"rules": [{"allow": "public", "between": "9-5"}]}}]}}}`,
			`Note: the rule has the unknown member "between"`,
		},
		{
			"a type that does not exist",
			`{"version": 1, "models": {"Note": {"fields": {"id": {"type": "ID"}, "x": {"type": "Gone"}}}}}`,
			`amplify_outputs.json: Note.x: Undefined type Gone.`,
		},
		{
			"a key of a field that does not exist",
			`{"version": 1, "models": {"Note": {"fields": {"id": {"type": "ID"}}, "attributes": [
				{"type": "key", "properties": {"fields": ["gone"]}}]}}}`,
			`models.Note: a key has the fields [gone]`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadIntrospection("amplify_outputs.json", []byte(c.text), allModes)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v; it lacks %q", err, c.want)
			}
		})
	}
}
