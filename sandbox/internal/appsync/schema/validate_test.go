package schema

import (
	"fmt"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestCheck(t *testing.T) {
	s, err := Read("model.graphql", `
		type Note @model @auth(rules: [{allow: public}]) {
			title: String @validate(type: minLength, value: "2")
				@validate(type: maxLength, value: "4", errorMessage: "too long")
			code: String @validate(type: matches, value: "[a-z]+|[0-9]+")
			link: String @validate(type: startsWith, value: "https:")
				@validate(type: endsWith, value: "/")
			count: Int @validate(type: gt, value: "1") @validate(type: lte, value: "3")
			ratio: Float @validate(type: gte, value: "0.5") @validate(type: lt, value: "1")
		}
		type Memo @model(mutations: {create: "addMemo"}) @auth(rules: [{allow: public}]) {
			title: String @validate(type: minLength, value: "2")
		}`, allModes)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mutation, field string
		value           any
		want            string
	}{
		{"createNote", "title", "ab", ""},
		{"createNote", "title", nil, ""},
		{"createNote", "title", "a", "Field title of type Note must have a minimum length of 2"},
		{"updateNote", "title", "a", "Field title of type Note must have a minimum length of 2"},
		{"createNote", "title", "abcde", "too long"},
		{"createNote", "title", "😀😀", ""},
		{"createNote", "title", "😀😀😀", "too long"}, // in UTF-16
		{"createNote", "code", "abc", ""},
		{"createNote", "code", "12", ""},
		{"createNote", "code", "a1", "Field code of type Note must match [a-z]+|[0-9]+"},
		{"createNote", "code", "A", "Field code of type Note must match [a-z]+|[0-9]+"},
		{"createNote", "link", "https://a/", ""},
		{"createNote", "link", "http://a/", "Field link of type Note must start with https:"},
		{"createNote", "link", "https://a", "Field link of type Note must end with /"},
		{"createNote", "count", int64(3), ""},
		{"createNote", "count", int64(1), "Field count of type Note must be greater than 1"},
		{"createNote", "count", int64(4), "Field count of type Note must be less than or equal to 3"},
		{"createNote", "ratio", 0.5, ""},
		{"createNote", "ratio", 0.4, "Field ratio of type Note must be greater than or equal to 0.5"},
		{"createNote", "ratio", 1.0, "Field ratio of type Note must be less than 1"},
		// Amplify finds the mutation by its default name.
		{"addMemo", "title", "a", ""},
		{"updateMemo", "title", "a", "Field title of type Memo must have a minimum length of 2"},
	} {
		op := s.Operation(ast.Mutation, c.mutation)
		got := ""
		if err := op.Model.Check(op, map[string]any{c.field: c.value}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s(%s: %v): got %q, want %q", c.mutation, c.field, fmt.Sprint(c.value), got, c.want)
		}
	}
}
