package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// dataAPIHost is AWS's name of the API: Amplify JS takes it for AWS's by the length of its id.
const dataAPIHost = "abcdefghijklmnopqrstuvwxyz.appsync-api.us-east-1.amazonaws.com"

// startSchemaA starts a sandbox with the schema a of the recordings, whose custom mutations answer.
func startSchemaA(t *testing.T, config sandbox.Config) *dataServer {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile("../testdata/conformance/models/a/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	config.Outputs = []byte(strings.Replace(read("amplify_outputs.json"),
		"conformancea.appsync-api.us-east-1.amazonaws.com", dataAPIHost, 1))
	config.Data = sandbox.Data{
		Schema: read("model.graphql"),
		Functions: map[string]function.Handler{
			"Mutation.rebuildIndex": func(_ context.Context, e function.Event) (any, error) {
				if e.Arguments["reason"] == "fail" {
					return nil, errors.New("the index is gone")
				}
				return object{"success": e.Arguments["reason"] == "Grüße"}, nil
			},
			"Mutation.registerAddress": func(_ context.Context, e function.Event) (any, error) {
				alternatives, _ := e.Arguments["alternatives"].([]any)
				return jsonText(e.Arguments["address"]) == jsonText(lyon) &&
					len(alternatives) == 2 && alternatives[1] == nil, nil
			},
			"Mutation.publishWorkshop": func(_ context.Context, e function.Event) (any, error) {
				return object{"id": e.Arguments["workshopId"], "title": "Etching", "level": "ADVANCED",
					"seats": 7, "tags": []any{"a"}, "studioId": "s", "beginsAt": e.Arguments["at"],
					"createdAt": "2024-05-01T10:00:00.000Z", "updatedAt": "2024-05-01T10:00:00.000Z"}, nil
			},
		},
	}
	return startData(t, config)
}

// lyon is an argument with arguments in it.
var lyon = object{"city": "Lyon", "point": object{"lat": 45.76, "lng": 4.84},
	"labels": []any{"home", nil}, "kind": "VENUE"}

// jsRecord is what functions of a model resolve to.
type jsRecord struct {
	Data   map[string]any
	Errors []struct{ ErrorType, Message string }
}

// subscriber starts aws-amplify with its Data client. user may be empty.
func (b *backend) subscriber(t *testing.T, user string) *jsModule {
	t.Helper()
	environment := b.nodeEnvironment(t)
	for i, variable := range environment {
		if strings.HasPrefix(variable, "NODE_OPTIONS=") {
			// Node.js 20 hides its WebSocket behind this flag.
			environment[i] += " --experimental-websocket"
		}
	}
	js := startModule(t, npmProject(t, "js/amplify"), "subscriptions.js", environment...)
	js.do(nil, "configure", json.RawMessage(b.Outputs()))
	if user != "" {
		if step := signIn(js, user, password); step != "DONE" {
			t.Fatalf("signIn: next step %s", step)
		}
	}
	return js
}

// aws-amplify's own Data client in Node.js gets its subscriptions by AWS's host names and TLS.
func TestAmplifyJSSubscriptions(t *testing.T) {
	b := startSchemaA(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	visitor := b.subscriber(t, "")
	users := map[string]*jsModule{}
	for _, name := range []string{ada, bob} {
		users[name] = b.subscriber(t, name)
	}
	userPool := map[string]any{"authMode": "userPool"}
	record := func(js *jsModule, name string, args ...any) jsRecord {
		t.Helper()
		var r jsRecord
		js.do(&r, name, args...)
		return r
	}
	made := func(r jsRecord) map[string]any {
		t.Helper()
		if len(r.Errors) > 0 || r.Data == nil {
			t.Fatalf("%+v", r)
		}
		return r.Data
	}

	t.Run("subscriptions", func(t *testing.T) {
		visitor.do(nil, "subscribe", "all", "models.Studio.onCreate", nil)
		visitor.do(nil, "subscribe", "some", "models.Studio.onCreate",
			map[string]any{"filter": map[string]any{"name": map[string]any{"beginsWith": "B"}}})
		for _, name := range []string{"A", "B"} {
			made(record(visitor, "models.Studio.create", map[string]any{"name": name, "slug": "s"}))
		}
		for _, want := range [][2]string{{"all", "A"}, {"all", "B"}, {"some", "B"}} {
			var got map[string]any
			visitor.do(&got, "next", want[0])
			if got["name"] != want[1] {
				t.Errorf("%s: %v, want %s", want[0], got, want[1])
			}
		}
		visitor.do(nil, "unsubscribe", "all")
		made(record(visitor, "models.Studio.create", map[string]any{"name": "B2", "slug": "s"}))
		var got map[string]any
		if visitor.do(&got, "next", "some"); got["name"] != "B2" {
			t.Errorf("after another ended: %v", got)
		}
	})

	t.Run("subscriptions by owner", func(t *testing.T) {
		for _, name := range []string{ada, bob} {
			users[name].do(nil, "subscribe", "mine", "models.Booking.onCreate", userPool)
		}
		for _, name := range []string{ada, bob} {
			made(record(users[name], "models.Booking.create",
				map[string]any{"workshopId": name, "status": "PAID"}, userPool))
		}
		for _, name := range []string{ada, bob} {
			var got map[string]any
			if users[name].do(&got, "next", "mine"); got["workshopId"] != name {
				t.Errorf("%s got what is another's: %v", name, got)
			}
		}
		_, refused := visitor.call("subscribe", "not mine", "models.Booking.onCreate", nil)
		if refused == nil ||
			!strings.Contains(refused.Message, "Not Authorized to access onCreateBooking") {
			t.Errorf("a visitor: %+v", refused)
		}
	})
}
