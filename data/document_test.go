package data_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// TestDocuments: what cannot be sent is refused before, with the place of a fault.
func TestDocuments(t *testing.T) {
	app := newApp(t, api(func(*http.Request) (*http.Response, error) {
		t.Error("something was sent")
		return nil, errors.New("nothing is expected")
	}))
	for _, c := range []struct{ document, name, message, suggestion string }{
		{"query {\n x", "", "Syntax Error: Expected Name, found <EOF>.", "Correct the document at line 2, column 3."},
		{"", "", "The document has no operation.", "Write a query or a mutation. Fragments alone cannot be sent."},
		{"query A { x }", "B", `The document has no operation "B".`, "Write a query or a mutation. Fragments alone cannot be sent."},
		{"query A { x } subscription B { x }", "B", "A subscription cannot be sent as a request.", "Send a query or a mutation."},
		{"query " + strings.Repeat("{ x ", 1_000_000), "", "Syntax Error: exceeded maximum nesting depth of 1000.", ""},
	} {
		_, err := data.GraphQL[json.RawMessage](as(t, app, "alice"), data.Request{Query: c.document, OperationName: c.name})
		var e *amplify.Error
		if !errors.As(err, &e) || e.Name != "GraphQLError" || e.Reason != amplify.ReasonInvalidRequest || e.Message != c.message ||
			c.suggestion != "" && e.RecoverySuggestion != c.suggestion {
			t.Errorf("%.40s: %v", c.document, err)
		}
	}
	if n := data.Documents(app); n != 0 {
		t.Errorf("%d documents are remembered", n)
	}
}

// TestSentDocument: document, name and variables are sent as they are.
func TestSentDocument(t *testing.T) {
	var got string
	app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		got = string(b)
		return response(r, 200, strings.NewReader(`{"data":{"x":1}}`)), err
	}))
	for want, r := range map[string]data.Request{
		`{"query":"# note\n{ x }","variables":{}}`: {Query: "# note\n{ x }"},
		`{"query":"query A { x } mutation B { y }","operationName":"A","variables":{"a":[1,null],"b":{}}}`: {
			Query: "query A { x } mutation B { y }", OperationName: "A",
			Variables: map[string]any{"a": []any{1, nil}, "b": map[string]int{}},
		},
	} {
		if _, err := data.GraphQL[json.RawMessage](as(t, app, "alice"), r); err != nil || got != want {
			t.Errorf("sent %s, %v", got, err)
		}
	}
	_, err := data.GraphQL[json.RawMessage](as(t, app, "alice"), data.Request{Query: "{ x }", Variables: map[string]any{"a": func() {}}})
	if amplify.ReasonOf(err) != amplify.ReasonInvalidRequest {
		t.Errorf("a function as a variable: %v", err)
	}
}

// TestWhichIsAMutation: the operation that is asked for decides whether a request is sent again;
// if none is named, every operation of the document.
func TestWhichIsAMutation(t *testing.T) {
	for _, c := range []struct {
		document, name string
		sent           int
	}{
		{"{ x }", "", 3}, {"mutation { x }", "", 1}, {"query A { x } mutation B { y }", "A", 3},
		{"query A { x } mutation B { y }", "B", 1}, {"query A { x } mutation B { y }", "", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
				sent++
				return response(r, 500, strings.NewReader("")), nil
			}))
			for n := 1; n <= 2; n++ { // parsed, then remembered
				_, err := data.GraphQL[json.RawMessage](as(t, app, "alice"), data.Request{Query: c.document, OperationName: c.name})
				if err == nil || sent != n*c.sent {
					t.Errorf("%s %s: %d requests for %d calls, %v", c.document, c.name, sent, n, err)
				}
			}
		})
	}
}

// TestDocumentsAreBounded: however many documents there are, few are remembered.
func TestDocumentsAreBounded(t *testing.T) {
	app := newApp(t, answering(200, `{"data":{"x":1}}`))
	ctx := as(t, app, "alice")
	for i := range data.MaxDocuments + 10 {
		if _, err := send(ctx, fmt.Sprintf("{ x%d }", i), data.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := data.Documents(app); n > data.MaxDocuments || n == 0 {
		t.Errorf("%d documents are remembered", n)
	}
}
