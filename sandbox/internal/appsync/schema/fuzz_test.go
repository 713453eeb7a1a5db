package schema

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// seed adds a file of each recorded backend to the corpus of a fuzz target.
func seed(f *testing.F, file string) {
	for _, model := range models(f) {
		text, err := os.ReadFile(filepath.Join(recorded(f), "models", model, file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
}

// askEverything asks a schema for everything. Nobody in particular may do nothing.
func askEverything(t *testing.T, s *Schema) {
	nobody := Identity{}
	for _, m := range s.Models {
		if m.Key == nil || m.Field(m.Key.Partition) == nil {
			t.Fatalf("%s has no key", m.Name)
		}
		for _, op := range m.Operations {
			switch op.Root {
			case ast.Query:
				if _, err := s.AllowRead(nobody, op, nil); err == nil {
					t.Fatalf("nobody may %s", op.Name)
				}
			case ast.Subscription:
				if _, err := s.AllowSubscribe(nobody, m, nil); err == nil && m.Level == LevelOn {
					t.Fatalf("nobody may %s", op.Name)
				}
			}
		}
		if _, err := s.AllowCreate(nobody, m, map[string]any{"id": "x"}); err == nil {
			t.Fatalf("nobody may create %s", m.Name)
		}
		if err := s.AllowUpdate(nobody, m, nil, map[string]any{"id": "x"}); err == nil {
			t.Fatalf("nobody may update %s", m.Name)
		}
		if err := s.AllowDelete(nobody, m, nil); err == nil {
			t.Fatalf("nobody may delete %s", m.Name)
		}
		for _, f := range m.Fields {
			if f.Relation == nil {
				_ = s.AllowReadField(nobody, f, nil)
			} else if _, err := s.AllowRelation(nobody, f, nil); err == nil {
				t.Fatalf("nobody may read %s.%s", m.Name, f.Name)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	seed(f, "model.graphql")
	f.Add(`type A @model @auth(rules: {allow: public}) { b: [A] @hasMany c: A @hasOne d: A @belongsTo }`)
	f.Add(`type A @model(timestamps: null, subscriptions: {level: off}) @auth(rules: [{allow: owner}])
		{ id: ID! @primaryKey(sortKeyFields: ["b", "c"]) b: Int! c: E! @index(sortKeyFields: "b")
		d: [B] @manyToMany(relationName: "AB") f: [C!] @auth(rules: [{allow: groups, groups: "g"}]) }
		type B @model { a: [A] @manyToMany(relationName: "AB") e: E @default(value: "X") }
		type C { x: C y: AWSJSON } enum E { X Y }`)
	f.Add(`extend type Query { a: Int @auth(rules: [1]) } input AMPLIFY { globalAuthRule: Int = 1 }`)
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := Read("model.graphql", text, allModes); err == nil {
			askEverything(t, s)
		}
	})
}

func FuzzReadIntrospection(f *testing.F) {
	for _, model := range models(f) {
		f.Add([]byte(recordedIntrospection(f, model)))
	}
	f.Add([]byte(`{"version": 1, "models": {"A": {"fields": {"id": {"type": {"model": "A"}}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := ReadIntrospection("amplify_outputs.json", text, allModes); err == nil {
			askEverything(t, s)
		}
	})
}
