package schema

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestIntrospectionIsTheRecordedOne compares the model introspection of the recorded backends with
// the one that is made of their annotated schemas. Nothing differs, the order of types and fields
// included.
func TestIntrospectionIsTheRecordedOne(t *testing.T) {
	for _, model := range models(t) {
		recorded := recordedIntrospection(t, model)
		var got, want any
		for text, v := range map[string]*any{
			string(load(t, model).Introspection): &got, string(recorded): &want,
		} {
			if err := json.Unmarshal([]byte(text), v); err != nil {
				t.Fatalf("%s: %v", model, err)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-recorded +derived):\n%s", model, d)
		}
		if d := cmp.Diff(namesOf(t, recorded), namesOf(t, load(t, model).Introspection)); d != "" {
			t.Errorf("%s: the order differs (-recorded +derived):\n%s", model, d)
		}
	}
}

// namesOf returns the names of the types and fields of a model introspection in their order.
func namesOf(t *testing.T, text json.RawMessage) (names []string) {
	t.Helper()
	var in introspection
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	for _, m := range in.Models {
		for _, f := range m.Value.Fields {
			names = append(names, m.Name+"."+f.Name)
		}
	}
	for _, e := range in.Enums {
		names = append(names, e.Name)
	}
	for _, o := range in.NonModels {
		for _, f := range o.Value.Fields {
			names = append(names, o.Name+"."+f.Name)
		}
	}
	return names
}
