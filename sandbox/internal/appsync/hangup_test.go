package appsync

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// TestHangUp: a mutation whose caller goes in the middle of it is done, and told to subscribers.
func TestHangUp(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	a := startAPI(t, `
type Note @model @auth(rules: [{allow: public}]) { text: String }
type Query { nothing: String }
type Mutation { wait: String @function(name: "wait") @auth(rules: [{allow: public}]) }`,
		func(c *Config) {
			c.Functions = map[string]function.Handler{
				"Mutation.wait": func(ctx context.Context, _ function.Event) (any, error) {
					hangUp()
					return "waited", ctx.Err()
				},
			}
		})
	key := &Caller{Identity: schema.Identity{Provider: schema.APIKey}}
	const subscribe = `{"query": "subscription { onCreateNote { id text } }"}`
	listening, refused, err := a.Subscribe(t.Context(),
		a.request(t, "X-Api-Key", "key", subscribe), subscribe)
	if err != nil || refused != nil {
		t.Fatal(refused, err)
	}
	var delivered []string
	defer listening.Receive(func() {}, func(payload []byte) {
		delivered = append(delivered, string(payload))
	})()

	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(
		`{"query": "mutation { a: createNote(input: {id: \"a\", text: \"1\"}) { id text } wait `+
			`b: createNote(input: {id: \"b\", text: \"2\"}) { id text } }"}`))
	r.Header.Set("X-Api-Key", "key")
	a.ServeHTTP(httptest.NewRecorder(), r)
	if ctx.Err() == nil {
		t.Fatal("the caller has not gone")
	}

	const stored = `{"data":{"a":{"text":"1"},"b":{"text":"2"}}}`
	got, err := a.Ask(t.Context(), key,
		[]byte(`{"query": "{ a: getNote(id: \"a\") { text } b: getNote(id: \"b\") { text } }"}`))
	if err != nil || string(got) != stored {
		t.Errorf("stored: %s, %v", got, err)
	}
	want := `{"data":{"onCreateNote":{"id":"a","text":"1"}}} ` +
		`{"data":{"onCreateNote":{"id":"b","text":"2"}}}`
	if got := strings.Join(delivered, " "); got != want {
		t.Errorf("delivered: %s", got)
	}
}
