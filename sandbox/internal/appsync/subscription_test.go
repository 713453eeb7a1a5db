package appsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
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
  asked(text: String): Note @aws_subscribe(mutations: ["createNote"])
    @auth(rules: [{allow: public}])
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
		Schema: s, Modes: []schema.Provider{schema.APIKey, schema.Function}, APIKey: "key",
		Store: st, Clock: time.Now, Logger: slog.New(slog.DiscardHandler),
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

// listen lets a user subscribe to something at random. It reports whether the user may.
func (w *walk) listen(user string, deliver func(payload []byte)) bool {
	w.t.Helper()
	model := w.one(privateModels...)
	name := "on" + w.one("Create", "Update", "Delete") + model
	possible := []string{"", `(filter: {secret: {ne: "x"}})`, `(filter: {id: {ne: "x"}})`,
		`(filter: {or: [{name: {ne: "x"}}, {id: {beginsWith: "i"}}]})`}
	subscription := w.api.cfg.Schema.API.Subscription.Fields.ForName(name)
	for _, owner := range []string{"owner", "writer"} {
		if subscription.Arguments.ForName(owner) != nil {
			possible = append(possible, fmt.Sprintf("(%s: %q)", owner, w.user()),
				fmt.Sprintf("(%s: %q, filter: {id: {ne: \"x\"}})", owner, w.user()))
		}
	}
	document := fmt.Sprintf("subscription { %s%s {%s} }", name, w.one(possible...),
		w.selection(model, 1))
	s, _, err := w.api.subscribe(w.t.Context(), w.caller(user), graphql.Request{Document: document})
	if _, _, _, refused := Refusal(err); err != nil && !refused {
		w.t.Fatalf("%s: %v", document, err)
	}
	if s == nil {
		return false
	}
	s.Receive(func() {}, deliver)
	return true
}

// TestPrivacyOfSubscriptions: whatever the rules are, and whatever callers subscribe to, nobody gets
// what the rules hide.
func TestPrivacyOfSubscriptions(t *testing.T) {
	listening, refused, seen := 0, 0, 0
	for seed := range uint64(privateSeeds) {
		passed := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := startWalk(t, seed)
			got := map[string][]string{} // since the last change, by user
			for i := range 200 {
				if user := w.user(); i < 60 {
					if w.listen(user, func(p []byte) { got[user] = append(got[user], string(p)) }) {
						listening++
					} else {
						refused++
					}
				}
				before := map[string]secretItem{}
				for _, item := range w.items {
					before[item.secret] = *item
				}
				clear(got)
				w.write(w.user())
				for _, item := range w.items {
					before[item.secret] = *item
				}
				for user, payloads := range got {
					for _, payload := range payloads {
						for _, found := range secrets.FindAllString(payload, -1) {
							seen++
							if item := before[found]; !w.maySee(user, item) {
								t.Fatalf("%q gets %+v: %s", user, item, payload)
							}
						}
					}
				}
			}
		})
		if !passed {
			return
		}
	}
	if seen < 50*privateSeeds || refused == 0 {
		t.Errorf("%d secrets were seen, %d subscriptions refused: the walk tests little",
			seen, refused)
	}
	t.Logf("%d subscriptions, %d refused, %d secrets seen by those who may",
		listening, refused, seen)
}
