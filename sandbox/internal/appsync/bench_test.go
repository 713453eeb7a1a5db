package appsync

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// BenchmarkAPI answers queries of a hundred items, among 100 and among 10,000: what a
// page costs must not grow with the table.
func BenchmarkAPI(b *testing.B) {
	const text = `type Note @model @auth(rules: [{allow: public}]) {
		text: String
		kind: String @index(queryField: "notesByKind", sortKeyFields: ["rank"])
		rank: Int
	}`
	s, err := schema.Read("bench.graphql", text, schema.Options{})
	if err != nil {
		b.Fatal(err)
	}
	caller := &Caller{Identity: schema.Identity{Provider: schema.APIKey}}
	for _, size := range []int{100, 10_000} {
		db, err := store.Open(b.Context(), "")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		api, err := New(b.Context(), Config{Schema: s, Modes: []schema.Provider{schema.APIKey},
			Store: db, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		run := func(document string) {
			response, err := api.execute(b.Context(), caller, graphql.Request{Document: document})
			if err != nil || len(response.Errors) > 0 {
				b.Fatal(err, response.Errors)
			}
			if _, err := response.MarshalJSON(); err != nil {
				b.Fatal(err)
			}
		}
		for i := 0; i < size; i += 100 {
			var document strings.Builder
			for j := range 100 {
				fmt.Fprintf(&document, "m%d: createNote(input: {kind: \"k\", rank: %d, text: \"a "+
					"note\"}) { id } ", j, i+j)
			}
			run("mutation {" + document.String() + "}")
		}
		for name, document := range map[string]string{
			"list":  "{ listNotes { items { id text kind rank createdAt } nextToken } }",
			"index": `{ notesByKind(kind: "k") { items { id text kind rank } nextToken } }`,
		} {
			b.Run(fmt.Sprintf("%s of %d", name, size), func(b *testing.B) {
				for b.Loop() {
					run(document)
				}
			})
		}
	}
}
