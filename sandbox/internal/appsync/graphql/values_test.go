package graphql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValues: values have the names of fields, and fields that were selected twice are merged.
func TestValues(t *testing.T) {
	o, response, err := Prepare(testSchema, Request{Document: `{
		a: thing(id: "1") { id x: n things { one: kind } ...F }
		must { id }
	} fragment F on Thing { y: thing(n: 1) { id } z: thing(n: 2) { n } }`})
	if response != nil || err != nil {
		t.Fatal(response, err)
	}
	thing := map[string]any{"id": "1", "n": int64(2)}
	response, err = o.Execute(t.Context(), values{
		"thing": map[string]any{"id": "1", "n": int64(2), "thing": thing,
			"things": []any{map[string]any{"kind": "A"}, nil}},
		"must": map[string]any{"id": "2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Value{
		{"thing", map[string]any{"id": "1", "n": int64(2), "thing": thing,
			"things": []any{map[string]any{"kind": "A"}, nil}}},
		{"must", map[string]any{"id": "2"}},
	}
	if diff := cmp.Diff(want, o.Values(response)); diff != "" {
		t.Error(diff)
	}
	if got := o.Values(&Response{}); got != nil {
		t.Errorf("of no data: %v", got)
	}
}
