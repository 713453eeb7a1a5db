package data_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/data"
)

// outputs is what //go:embed amplify_outputs.json gives. Its model_introspection is left out here.
var outputs = []byte(`{"version":"1.4",
	"auth":{"user_pool_id":"eu-west-1_Example01","user_pool_client_id":"1example23456789","aws_region":"eu-west-1"},
	"data":{"url":"https://example.appsync-api.eu-west-1.amazonaws.com/graphql","aws_region":"eu-west-1",
		"default_authorization_type":"AMAZON_COGNITO_USER_POOLS","authorization_types":[]}}`)

func newRunner() *amplifyhttp.ServerRunner {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return runner
}

// Note is what a page shows of a note.
type Note struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	CreatedAt time.Time `json:"createdAt"`
}

// A page with the notes of the user who asks for it.
func ExampleModel_List() {
	runner := newRunner()
	notes, err := data.ModelOf[Note](runner.App(), "Note")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/notes", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, err := notes.List(r.Context(), data.ListInput{
			Filter: data.Where("title", data.Contains("milk")), Limit: 20, NextToken: r.FormValue("after"),
		})
		switch {
		case errors.Is(err, amplify.ErrUnauthenticated):
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		case err != nil:
			log.Print(err)
			http.Error(w, "no notes at the moment", http.StatusServiceUnavailable)
			return
		}
		for _, note := range page.Items {
			fmt.Fprintln(w, note.CreatedAt.Format(time.DateOnly), note.Title)
		}
	})))
}

// An update that fails if another user has changed the note since it was shown.
func ExampleModel_Update() {
	runner := newRunner()
	notes, err := data.ModelOf[Note](runner.App(), "Note")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /notes/{id}", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := notes.Update(r.Context(), data.UpdateInput{
			Item:      map[string]any{"id": r.PathValue("id"), "title": r.FormValue("title")},
			Condition: data.Where("updatedAt", data.Eq(r.FormValue("shown"))),
		})
		var refused *data.GraphQLError
		switch {
		case errors.As(err, &refused) && refused.ErrorType == "DynamoDB:ConditionalCheckFailedException":
			http.Error(w, "somebody else was faster", http.StatusConflict)
		case amplify.ReasonOf(err) == amplify.ReasonNotAuthorized:
			http.Error(w, "this is not your note", http.StatusForbidden)
		case err != nil:
			log.Print(err)
			http.Error(w, "not saved", http.StatusServiceUnavailable)
		}
	})))
}

// A document of one's own. The data may lack what the caller may not see.
func ExampleGraphQL() {
	type answer struct {
		ListNotes struct {
			Items []*struct{ Title, Secret string }
		}
	}
	list := func(ctx context.Context) {
		out, err := data.GraphQL[answer](ctx, data.Request{
			Query:     "query ($limit: Int) { listNotes(limit: $limit) { items { title secret } } }",
			Variables: map[string]any{"limit": 20},
		})
		var all data.GraphQLErrors
		if errors.As(err, &all) {
			for _, e := range all {
				log.Print(e.Path, " is missing: ", e.Message)
			}
		} else if err != nil {
			log.Print(err)
		}
		if out != nil {
			for _, note := range out.ListNotes.Items {
				fmt.Println(note)
			}
		}
	}
	runner := newRunner()
	http.Handle("/titles", runner.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		list(r.Context())
	})))
}

// What "generateClient({authMode: 'apiKey'})" is in JavaScript: a model of its own for pages that
// need no user, beside one for the user's own data.
func ExampleOptions() {
	runner := newRunner()
	mine, err := data.ModelOf[Note](runner.App(), "Note")
	if err != nil {
		log.Fatal(err)
	}
	public := mine.With(data.Options{AuthMode: data.AuthAPIKey})
	http.Handle("/public", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, err := public.List(r.Context(), data.ListInput{})
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Fprintln(w, len(page.Items), "notes")
	})))
}

// Settings for all calls of an App, made where the App is made.
func ExampleConfigure() {
	runner := newRunner()
	err := data.Configure(runner.App(), data.Options{
		AuthMode: data.AuthUserPool,
		HeadersFunc: func(ctx context.Context, _ data.HeadersInput) (http.Header, error) {
			return http.Header{"X-Request-Id": {requestID(ctx)}}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}

func requestID(context.Context) string { return "7d1f" }
