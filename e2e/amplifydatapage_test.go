package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/sandbox"
)

// aws-amplify's Data client in pages in which it signs users in, by endpoints in a ResourcesConfig
// literal. That of the API is the sandbox's for TLS: aws-amplify opens no subscriptions without it.
func TestAmplifyJSDataInPageThroughEndpoints(t *testing.T) {
	b := startRecorded(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	config := b.dataConfig(t)
	config["API"].(object)["GraphQL"].(object)["endpoint"] = b.TLSURL() + "/graphql"
	b.useDataInPages(t, b.browser(t), config)
}

// With nothing but the sandbox's amplify_outputs.json: the browser finds AWS's host names there, and
// dials them by TLS, also for subscriptions.
func TestAmplifyJSDataInPage(t *testing.T) {
	b := startRecorded(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	b.useDataInPages(t, b.browser(t), json.RawMessage(b.Outputs()))
}

// useDataInPages does with the Data client what there is to do, and subscribes in pages to what a
// Go server writes for the same users and for others.
func (b *backend) useDataInPages(t *testing.T, browser *chromium, config any) {
	t.Helper()
	app := startApp(t, newSite(t, "localhost"), b, appOptions{
		Script:        amplify6(t).bundle(t, "datapage.js"),
		Configuration: object{"config": config, "options": object{"ssr": true}},
	})
	start := func(t testing.TB) *jsModule {
		t.Helper()
		page := browser.profile(t)
		page.open(app.origin + "/amplify")
		return page.amplify()
	}
	useData(t, b, start)

	server := newVisitors(t, b.Outputs(), amplify.Options{})
	pages := map[string]jsData{"": {start(t)}}
	for _, user := range []string{ada, bob} {
		tokens, err := b.Tokens(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		server.signIn(t, user, tokens.AccessToken, tokens.IDToken)
		pages[user] = jsData{start(t)}
		if step := signIn(pages[user].jsModule, user, password); step != "DONE" {
			t.Fatalf("signIn: next step %s", step)
		}
	}
	// create has the server write an item as a user, and select some fields. Subscribers get these,
	// and nothing at all without those that cannot be null.
	create := func(
		t *testing.T, user, model string, mode data.AuthMode, item object, selected ...string,
	) {
		t.Helper()
		m, err := data.DynamicModelOf(server.runner.App(), model,
			append(selected, "id", "createdAt", "updatedAt")...)
		if err != nil {
			t.Fatal(err)
		}
		server.as(t, user, func(ctx context.Context) {
			_, err := m.Create(ctx, data.CreateInput{
				Item: item, Options: data.Options{AuthMode: mode},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	// next returns the id of what a page gets next, and those of its fields that the tests set.
	next := func(user, subscription string) object {
		t.Helper()
		var item object
		pages[user].do(&item, "next", subscription)
		got := object{"id": item["id"]}
		for _, name := range []string{"text", "mood"} {
			if item[name] != nil {
				got[name] = item[name]
			}
		}
		return got
	}

	t.Run("subscriptions of owners", func(t *testing.T) {
		for _, user := range []string{ada, bob} {
			pages[user].do(nil, "subscribe", "mine", "models.Diary.onCreate", byUser)
		}
		for _, user := range []string{bob, ada} {
			create(t, user, "Diary", data.AuthUserPool,
				object{"id": "by " + user, "text": "of " + user, "mood": 1}, "text", "owner")
		}
		for _, user := range []string{ada, bob} {
			// The mutation has not selected the mood. It must select the owner, by whom AppSync
			// decides who gets the item.
			want := object{"id": "by " + user, "text": "of " + user}
			if diff := cmp.Diff(want, next(user, "mine")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", user, diff)
			}
		}
	})

	t.Run("a subscription to what others write", func(t *testing.T) {
		// By the identity pool: the page signs what it sends through the socket.
		pages[""].do(nil, "subscribe", "walls", "models.Wall.onCreate", byIdentity)
		create(t, bob, "Wall", data.AuthIdentityPool, object{"id": "bob's", "text": "Hello"}, "text")
		if diff := cmp.Diff(object{"id": "bob's", "text": "Hello"}, next("", "walls")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		pages[""].do(nil, "unsubscribe", "walls")
	})

	t.Run("subscriptions that are refused", func(t *testing.T) {
		for name, options := range map[string]object{"by key": byKey, "as a guest": byIdentity} {
			_, refused := pages[""].call("subscribe", name, "models.Diary.onCreate", options)
			if refused == nil || !strings.Contains(refused.Message, "Not Authorized to access") &&
				!strings.Contains(refused.Message, "Unauthorized") {
				t.Errorf("%s: %+v", name, refused)
			}
		}
	})
}
