package appsync

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// startListening returns an API with a subscription that a function decides about.
func startListening(t *testing.T) *API {
	t.Helper()
	s, err := schema.Read("test.graphql", `
type Note @model @auth(rules: [{allow: public}, {allow: custom}]) { text: String }
type Query { nothing: String }
type Subscription {
  asked(text: String): Note @aws_subscribe(mutations: ["createNote"]) @auth(rules: [{allow: public}])
}`, schema.Options{Default: schema.APIKey, Additional: []schema.Provider{schema.Function}})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	a, err := New(t.Context(), Config{
		Schema: s, Modes: []schema.Provider{schema.APIKey, schema.Function}, APIKey: "key", Store: st,
		Clock: time.Now, Logger: slog.New(slog.DiscardHandler),
		Functions: map[string]function.Handler{
			"Subscription.asked": func(_ context.Context, e function.Event) (any, error) {
				if e.TypeName != "Subscription" || e.Arguments["text"] != "please" {
					return nil, errors.New("no")
				}
				return nil, nil
			},
		},
		Authorizer: func(_ context.Context, r function.AuthorizerRequest) (
			function.AuthorizerResponse, error) {
			return function.AuthorizerResponse{IsAuthorized: r.OperationName == r.Token}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *API) request(t *testing.T, name, value, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql",
		strings.NewReader(body))
	r.Header.Set(name, value)
	return r
}

// TestSubscriptionFunction: the function of a custom subscription decides who subscribes.
func TestSubscriptionFunction(t *testing.T) {
	a := startListening(t)
	for text, want := range map[string]string{"please": "", "now": "Lambda:Unhandled: no"} {
		body := `{"query": "subscription { asked(text: \"` + text + `\") { text } }"}`
		s, response, err := a.Subscribe(t.Context(), a.request(t, "X-Api-Key", "key", body), body)
		got := ""
		if response != nil {
			got = response.Errors[0].Error()
		}
		if err != nil || got != want || (s != nil) != (want == "") {
			t.Errorf("%s: %v, %q", text, err, got)
		}
	}
}

// TestConnectAuthorizer: an authorizer is told what a connection is.
func TestConnectAuthorizer(t *testing.T) {
	a := startListening(t)
	for token, ok := range map[string]bool{"deepdish:connect": true, "other": false} {
		err := a.Connect(t.Context(), a.request(t, "Authorization", token, "{}"), "{}")
		if (err == nil) != ok {
			t.Errorf("%s: %v", token, err)
		}
	}
}

// TestSubscribersLeave: nothing is kept of a subscription that has ended.
func TestSubscribersLeave(t *testing.T) {
	a := startListening(t)
	body := `{"query": "subscription { onCreateNote { text } }"}`
	s, response, err := a.Subscribe(t.Context(), a.request(t, "X-Api-Key", "key", body), body)
	if err != nil || response != nil {
		t.Fatal(err, response)
	}
	begun, delivered := 0, 0
	mutate := func() {
		body := `{"query": "mutation { createNote(input: {text: \"x\"}) { text } }"}`
		a.ServeHTTP(httptest.NewRecorder(), a.request(t, "X-Api-Key", "key", body))
	}
	end := s.Receive(func() { begun++ }, func([]byte) { delivered++ })
	mutate()
	end()
	mutate()
	if begun != 1 || delivered != 1 || len(a.subscribers.to("createNote")) != 0 {
		t.Errorf("begun %d times, delivered %d, %v", begun, delivered, a.subscribers.by)
	}
}
