package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// testSchema has all kinds of types that derived schemas have.
var testSchema = gqlparser.MustLoadSchema(&ast.Source{Input: `
scalar AWSDate
scalar AWSJSON
enum Kind { A B }
input Part { n: Int! kind: Kind day: AWSDate tags: [String!] part: Part }
type Thing {
  id: ID! n: Int must: Int! list: [Int!] json: AWSJSON kind: Kind
  thing(part: Part, n: Int = 3): Thing
  things: [Thing]
}
type Query {
  thing(id: ID, part: Part, parts: [Part]): Thing
  must: Thing!
  echo(json: AWSJSON, n: Int): AWSJSON
}
type Mutation { set(n: Int!): Int }
`})

// values is a resolver that gives the members of maps, and calls functions.
type values map[string]any

func (v values) Resolve(_ context.Context, f *Field) (any, error) {
	value := v[f.Definition.Name]
	if parent, ok := f.Parent.(map[string]any); ok {
		value = parent[f.Definition.Name]
	}
	if call, ok := value.(func(f *Field) (any, error)); ok {
		return call(f)
	}
	return value, nil
}

// run returns the response to a request, or "syntax".
func run(t testing.TB, r Resolver, q Request) string {
	t.Helper()
	o, response, err := Prepare(testSchema, q)
	if errors.Is(err, ErrSyntax) {
		return "syntax"
	}
	if response == nil {
		if response, err = o.Execute(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	text, err := response.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Errorf("%s is not JSON", text)
	}
	return string(text)
}

func TestExecute(t *testing.T) {
	one := map[string]any{"id": "1", "n": int64(1), "must": int64(2),
		"list": []any{int64(1), int64(2)}, "json": map[string]any{"a": "<"}, "kind": "A"}
	one["things"] = []any{map[string]any{"id": "2"}, nil}
	echo := func(f *Field) (any, error) { return f.Arguments, nil }
	r := values{"thing": one, "echo": echo, "set": func(f *Field) (any, error) {
		if f.Arguments["n"] == int64(0) {
			return nil, NewError("T", "refused")
		}
		return f.Arguments["n"], nil
	}}
	for name, tt := range map[string]struct {
		document  string
		variables map[string]any
		want      string
	}{
		"fields in their order": {`{ thing { n id kind json list } }`, nil,
			`{"data":{"thing":{"n":1,"id":"1","kind":"A","json":"{\"a\":\"<\"}","list":[1,2]}}}`},
		"a null that must not be ends at the next that may": {`{ thing { things { id must } } }`,
			nil,
			`{"data":{"thing":{"things":[null,null]}},"errors":[{"path":["thing","things",0,` +
				`"must"],"locations":null,"message":"Cannot return null for non-nullable type: ` +
				`'Int' within parent 'Thing' (/thing/things[0]/must)"}]}`},
		"at the root there is none": {`{ must { id } }`, nil,
			`{"data":null,"errors":[{"path":["must"],` +
				`"locations":null,"message":"Cannot return null for non-nullable type: 'Thing' ` +
				`within parent 'Query' (/must)"}]}`},
		"a default, a null, and nothing": {`query($a: Int = 5, $b: Int, $c: Int) {
			a: echo(n: $a) b: echo(n: $b) c: echo(n: $c) d: echo(n: null) }`,
			map[string]any{"b": nil},
			`{"data":{"a":"{\"n\":5}","b":"{\"n\":null}","c":"{}","d":"{\"n\":null}"}}`},
		"variables in literals": {`query($n: Int!, $tag: String!) {
			thing(part: {n: $n, tags: [$tag, "b"]}) { id } }`,
			map[string]any{"n": int64(1), "tag": "a"},
			`{"data":{"thing":{"id":"1"}}}`},
		"JSON in variables": {`query($j: AWSJSON) { echo(json: $j) }`,
			map[string]any{"j": `{"a": [1]}`},
			`{"data":{"echo":"{\"json\":{\"a\":[1]}}"}}`},
		"a bad literal of AWS": {`{ thing(part: {n: 1, day: "today"}) { id } }`, nil,
			"{\"data\":null,\"errors\":[{\"path\":null,\"locations\":[{\"line\":1,\"column\":3," +
				"\"sourceName\":null}]," +
				"\"message\":\"Validation error of type WrongType: Variable 'day' has an invalid " +
				"value. " +
				"Unable to parse `today` as a valid AWSDate. @ 'thing'\"}]}"},
		"mutations go on after an error": {`mutation { a: set(n: 0) b: set(n: 2) }`, nil,
			`{"data":{"a":null,"b":2},"errors":[{"path":["a"],"data":null,"errorType":"T",` +
				`"errorInfo":null,` +
				`"locations":[{"line":1,"column":12,"sourceName":null}],"message":"refused"}]}`},
		"a fragment twice": {`{ thing { ...F ...F n } } fragment F on Thing { id n }`, nil,
			`{"data":{"thing":{"id":"1","n":1}}}`},
		"blank": {" ", nil, "syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, r, Request{Document: tt.document, Variables: tt.variables})
			if got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// each returns a text for each number below n.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestFaultsAreCounted: of the faults of a document the first ones are told.
func TestFaultsAreCounted(t *testing.T) {
	got := run(t, values{}, Request{Document: "{ thing {" + each(14_000, " x%d") + " } }"})
	if n := strings.Count(got, "FieldUndefined"); n != 100 {
		t.Errorf("%d faults are told", n)
	}
}

// TestTimeIsBounded: an execution ends with its time, also between resolvers.
func TestTimeIsBounded(t *testing.T) {
	o, _, err := Prepare(testSchema, Request{Document: "{ __schema { types { name } } }"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	response, err := o.Execute(ctx, values{})
	if err != nil || len(response.Errors) != 1 ||
		response.Errors[0].Message != "Execution timed out." {
		t.Errorf("%v: %v", response, err)
	}
}

// TestLimits: documents that are short, and whose answers would be endless, are refused.
func TestLimits(t *testing.T) {
	endless := map[string]any{"id": "1", "must": int64(1)}
	endless["thing"] = func(*Field) (any, error) { return endless, nil }
	endless["things"] = []any{endless, endless}
	endless["json"] = strings.Repeat("x", 20_000)
	r := values{"thing": endless, "echo": func(*Field) (any, error) {
		return nil, NewError("T", strings.Repeat("x", 20_000))
	}}
	// chain returns a document of fragments that have the next one twice.
	chain := func(format string) string {
		document := "{ thing { ...F0 } }\nfragment F40 on Thing { id }\n"
		for i := range 40 {
			document += fmt.Sprintf("fragment F%d on Thing { "+format+" }\n", i, i+1)
		}
		return document
	}
	doubled := chain("a: thing { ...F%[2]d } b: thing { ...F%[2]d }")
	for name, tt := range map[string]struct{ document, want string }{
		"fields that double": {doubled, "too many fields of one name"},
		"lists that double": {"{ thing " + strings.Repeat("{ things ", 20) + "{ id }" +
			strings.Repeat(" }", 21), "more than 10000 fields"},
		"too many tokens": {"{" + strings.Repeat(" a: thing { id }", 4000) + "}", "syntax"},
		"deep nesting":    {strings.Repeat("{ thing ", 20000), "syntax"},
		"one name too often": {"{ thing {" + strings.Repeat(" id", 14_000) + " } }",
			"too many fields of one name"},
		"one name in fragments": {"{ thing {" + each(1200, " ...G%d") + " } }" +
			each(1200, " fragment G%d on Thing { id n must }"), "too many fields of one name"},
		"one name in lists of fields": {"{" + strings.Repeat(" thing { id }", 3000) + " }",
			"too many fields of one name"},
		"nesting without end": {strings.Repeat("{ thing ", 76) + "{ id }" +
			strings.Repeat(" }", 76), "more than 75 deep"},
		"names of types": {"{ thing " + strings.Repeat("{ things ", 9) + "{" +
			each(3000, " a%d: __typename") + strings.Repeat(" }", 11), "more than 1000000 values"},
		"one text again and again": {"{ thing {" + each(1000, " a%d: json") + " } }",
			"more than 16777216 bytes"},
		"long errors": {"{" + each(1000, " a%d: echo") + " }", "more than 16777216 bytes"},
		"an introspection query": {"{ __schema { types { fields { type { fields { type { fields " +
			"{ name } } } } } } } }", "MaxQueryDepthExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run(t, r, Request{Document: tt.document}); !strings.Contains(got, tt.want) {
				t.Errorf("%.300s\nwant %s", got, tt.want)
			}
		})
	}
	spreads := chain("...F%[2]d ...F%[2]d")
	if got := run(t, r, Request{Document: spreads}); got != `{"data":{"thing":{"id":"1"}}}` {
		t.Errorf("spreads that double: %.300s", got)
	}
}

// FuzzDocument: no document and no variables make Prepare or Execute panic or fail.
func FuzzDocument(f *testing.F) {
	for _, document := range []string{
		`query Q($a: Int = 5, $p: Part) { thing(id: 1, part: $p) { ...F thing(n: $a) { things { ` +
			`id } } } } fragment F on Thing { list @skip(if: true) }`,
		`mutation { set(n: 1) }`, `{ __schema { types { name fields { args { defaultValue } type ` +
			`{ ofType { name } } } } } }`,
		`{ thing(part: {n: 1, part: {n: 2, tags: "x"}}) { must } }`, `type X { y: Int }`,
		`{ a: echo(json: "[1,{}]") }`, "",
	} {
		f.Add(document, `{"a": 1, "p": {"n": 1, "tags": ["x"], "part": null}}`, "")
	}
	thing := map[string]any{"id": int64(1), "n": "text", "list": []any{int64(1), nil}, "kind": "C",
		"json": []any{}}
	thing["thing"] = func(*Field) (any, error) { return thing, nil }
	thing["things"] = []any{thing}
	echo := func(f *Field) (any, error) { return f.Arguments, nil }
	r := values{"thing": thing, "set": int64(1), "echo": echo}
	f.Fuzz(func(t *testing.T, document, variables, name string) {
		var given map[string]any
		if json.Unmarshal([]byte(variables), &given) != nil {
			given = nil
		}
		run(t, r, Request{Document: document, Variables: given, OperationName: name})
	})
}
