package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// The schema is that of the deployed backend. A function of Go answers its custom query.
func ExampleConfig_data() {
	ctx := context.Background()
	sb, err := sandbox.Start(ctx, sandbox.Config{
		Logger: slog.New(slog.DiscardHandler),
		Users: []sandbox.User{{Username: "ann@example.com", Email: "ann@example.com",
			Password: "Only-4-tests"}},
		Data: sandbox.Data{
			Schema: `
				type Note @model @auth(rules: [{allow: owner}]) { text: String }
				type Query {
					greet(name: String): String @function(name: "greet")
						@auth(rules: [{allow: private}])
				}`,
			Functions: map[string]function.Handler{
				"Query.greet": func(_ context.Context, e function.Event) (any, error) {
					return fmt.Sprintf("Hello, %v", e.Arguments["name"]), nil
				},
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close(ctx)

	tokens, err := sb.Tokens(ctx, "ann@example.com")
	if err != nil {
		log.Fatal(err)
	}
	for _, body := range []string{
		`{"query": "{ greet(name: \"Ann\") }"}`,
		`{"query": "mutation { createNote(input: {id: \"1\", text: \"Buy milk\"}) { text } }"}`,
		`{"query": "{ getNote(id: \"1\") { id text } }"}`,
	} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, sb.URL()+"/graphql",
			strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Authorization", tokens.AccessToken)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", answer)
	}
	// Output:
	// {"data":{"greet":"Hello, Ann"}}
	// {"data":{"createNote":{"text":"Buy milk"}}}
	// {"data":{"getNote":{"id":"1","text":"Buy milk"}}}
}
