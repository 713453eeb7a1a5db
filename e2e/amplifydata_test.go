package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// recordings is the folder of what the JavaScript packages, and Amplify's own backend, were
// recorded doing.
const recordings = "../testdata/conformance"

// startRecorded starts a sandbox with the schema c of the recordings.
func startRecorded(t *testing.T, config sandbox.Config) *backend {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(recordings, "models/c", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	config.Outputs = bytes.Replace(read("amplify_outputs.json"),
		[]byte("conformancec.appsync-api.us-east-1.amazonaws.com"), []byte(dataAPIHost), 1)
	config.Data = sandbox.Data{
		Schema: string(read("model.graphql")),
		Functions: map[string]function.Handler{
			"Query.adminsOnly": func(_ context.Context, e function.Event) (any, error) {
				return e.Arguments["text"], nil
			},
		},
		Authorizer: func(context.Context, function.AuthorizerRequest) (
			function.AuthorizerResponse, error) {
			return function.AuthorizerResponse{}, nil
		},
	}
	return startBackend(t, config)
}

// jsAnswer is what functions of aws-amplify's Data client resolve to.
type jsAnswer struct {
	Data      any
	Errors    []jsDataError
	NextToken string
}

type jsDataError struct {
	ErrorType *string
	Message   string
	Path      []any
}

// jsData is aws-amplify, in which a user may be signed in.
type jsData struct{ *jsModule }

// ask calls a function that must answer without errors.
func (js jsData) ask(name string, args ...any) jsAnswer {
	js.t.Helper()
	var answer jsAnswer
	if js.do(&answer, name, args...); len(answer.Errors) > 0 {
		js.t.Fatalf("%s %v: %+v", name, args, answer.Errors)
	}
	return answer
}

// refused calls a function that must answer with errors of this type, and nothing else.
func (js jsData) refused(wantType, name string, args ...any) {
	js.t.Helper()
	var answer jsAnswer
	js.do(&answer, name, args...)
	if len(answer.Errors) == 0 {
		js.t.Errorf("%s %v: %+v, want %s", name, args, answer.Data, wantType)
	}
	for _, e := range answer.Errors {
		if e.ErrorType == nil || *e.ErrorType != wantType {
			js.t.Errorf("%s %v: %+v, want %s", name, args, e, wantType)
		}
	}
}

// fields returns the values of a field of the items of an answer, in order.
func (a jsAnswer) fields(t testing.TB, name string) (values []any) {
	t.Helper()
	list, ok := a.Data.([]any)
	if !ok {
		t.Fatalf("%v is no list", a.Data)
	}
	for _, item := range list {
		values = append(values, item.(object)[name])
	}
	return values
}

// object is a JSON object.
type object = map[string]any

// By endpoints in a ResourcesConfig literal, as applications reach a GraphQL API that is not AWS's
// own.
func TestAmplifyJSDataThroughEndpoints(t *testing.T) {
	b := startRecorded(t, sandbox.Config{})
	useData(t, b, func(t testing.TB) *jsModule {
		js := startModule(t, npmProject(t, "js/amplify"), "data.js")
		js.do(nil, "configure", b.dataConfig(t))
		return js
	})
}

// With nothing but the sandbox's amplify_outputs.json: the library dials AWS's host names by TLS.
func TestAmplifyJSData(t *testing.T) {
	b := startRecorded(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	useData(t, b, func(t testing.TB) *jsModule {
		js := startModule(t, npmProject(t, "js/amplify"), "data.js", b.nodeEnvironment(t)...)
		js.do(nil, "configure", json.RawMessage(b.Outputs()))
		return js
	})
}

// dataConfig is the ResourcesConfig literal of Amplify JS that names the sandbox as the endpoint of
// everything.
func (b *backend) dataConfig(t testing.TB) object {
	t.Helper()
	config, ok := b.resourcesConfig(t).(map[string]any)
	if !ok {
		t.Fatal("the ResourcesConfig is no object")
	}
	cognito := config["Auth"].(map[string]any)["Cognito"].(map[string]any)
	cognito["identityPoolId"] = b.outputs(t).Auth.IdentityPoolID
	cognito["identityPoolEndpoint"] = b.URL()
	cognito["allowGuestAccess"] = true
	var outputs struct {
		Data struct {
			Region        string          `json:"aws_region"`
			APIKey        string          `json:"api_key"`
			Introspection json.RawMessage `json:"model_introspection"`
		}
	}
	if err := json.Unmarshal(b.Outputs(), &outputs); err != nil {
		t.Fatal(err)
	}
	config["API"] = object{"GraphQL": object{
		"endpoint": b.URL() + "/graphql", "region": outputs.Data.Region,
		"apiKey": outputs.Data.APIKey, "defaultAuthMode": "apiKey",
		"modelIntrospection": outputs.Data.Introspection,
	}}
	return config
}

// mode is the option of the Data client that chooses how a call is authorized.
func mode(name string) object { return object{"authMode": name} }

// Options of the Data client.
var (
	byKey      = mode("apiKey")
	byUser     = mode("userPool")
	byIdentity = mode("identityPool")
)

// useData does with aws-amplify's Data client what there is to do. start makes another client,
// in which nobody is signed in.
func useData(t *testing.T, b *backend, start func(testing.TB) *jsModule) {
	b.addUser(t, sandbox.User{Email: ada})
	b.addUser(t, sandbox.User{Email: bob})
	b.addUser(t, sandbox.User{Email: eve, Groups: []string{"Admins"}})
	as := func(user string) jsData {
		t.Helper()
		js := jsData{start(t)}
		if user != "" {
			if step := signIn(js.jsModule, user, password); step != "DONE" {
				t.Fatalf("signIn: next step %s", step)
			}
		}
		return js
	}
	guest := as("")
	adas, bobs, eves := as(ada), as(bob), as(eve)

	t.Run("items", func(t *testing.T) {
		thing := object{"id": "t", "name": "Grüße, 世界", "count": 3, "ratio": 0.5, "on": true,
			"grade": "MID", "grades": []any{"LOW", nil}, "tags": []any{"a"}, "extra": `{"a":[1]}`,
			"spot": object{"x": 1.5, "labels": []any{"l"}, "inner": object{"grade": "HIGH"}},
			"at":   "2024-05-01T10:00:00Z", "stamp": 1700000000}
		created := guest.ask("model", "Thing", "create", thing).Data.(object)
		for name, want := range jsonOf(t, thing) {
			if name == "spot" {
				continue // has fields that were not given
			}
			if diff := cmp.Diff(want, created[name]); diff != "" {
				t.Errorf("create: %s (-want +got):\n%s", name, diff)
			}
		}
		read := guest.ask("model", "Thing", "get", object{"id": "t"}).Data
		if diff := cmp.Diff(any(created), read); diff != "" {
			t.Errorf("get (-created +got):\n%s", diff)
		}
		selected := guest.ask("model", "Thing", "get", object{"id": "t"},
			object{"selectionSet": []string{"name", "spot.inner.grade"}}).Data
		want := object{"name": thing["name"], "spot": object{"inner": object{"grade": "HIGH"}}}
		if diff := cmp.Diff(any(want), selected); diff != "" {
			t.Errorf("get of some fields (-want +got):\n%s", diff)
		}
		updated := guest.ask("model", "Thing", "update", object{"id": "t", "count": 4, "tags": nil})
		got := updated.Data.(object)
		if got["count"] != 4.0 || got["tags"] != nil || got["name"] != thing["name"] ||
			got["createdAt"] != created["createdAt"] {
			t.Errorf("update: %v", got)
		}
		guest.refused("DynamoDB:ConditionalCheckFailedException", "model", "Thing", "create", thing)
		guest.refused("DynamoDB:ConditionalCheckFailedException", "model", "Thing", "update",
			object{"id": "none", "name": "x"})
		guest.ask("model", "Thing", "delete", object{"id": "t"})
		if got := guest.ask("model", "Thing", "get", object{"id": "t"}).Data; got != nil {
			t.Errorf("get of a deleted item: %v", got)
		}
	})

	t.Run("lists", func(t *testing.T) {
		for i := range 5 {
			guest.ask("model", "Ticket", "create",
				object{"id": "same", "version": i, "title": fmt.Sprint("title ", i%2)})
		}
		first := guest.ask("model", "Ticket", "list",
			object{"id": "same", "version": object{"ge": 1}, "sortDirection": "DESC", "limit": 3})
		if got := first.fields(t, "version"); !slices.Equal(got, []any{4.0, 3.0, 2.0}) {
			t.Errorf("the first page: %v", got)
		}
		second := guest.ask("model", "Ticket", "list",
			object{"id": "same", "version": object{"ge": 1}, "sortDirection": "DESC", "limit": 3,
				"nextToken": first.NextToken})
		got := second.fields(t, "version")
		if !slices.Equal(got, []any{1.0}) || second.NextToken != "" {
			t.Errorf("the second page: %v, token %q", got, second.NextToken)
		}
		some := guest.ask("model", "Ticket", "list", object{"filter": object{
			"or":  []object{{"title": object{"contains": "1"}}, {"version": object{"eq": 4}}},
			"not": object{"version": object{"between": []int{3, 3}}}}})
		got = some.fields(t, "version")
		slices.SortFunc(got, func(a, b any) int { return int(a.(float64) - b.(float64)) })
		if !slices.Equal(got, []any{1.0, 4.0}) {
			t.Errorf("a filter: %v", got)
		}
	})

	t.Run("indexes", func(t *testing.T) {
		for i, day := range []string{"2024-01-01", "2024-01-02", "2024-02-01"} {
			guest.ask("model", "Order", "create", object{"customer": "c", "placedOn": day, "no": i,
				"state": "open", "region": "eu", "total": 10 * i,
				"clerk": "k", "shift": day, "desk": i})
		}
		one := guest.ask("model", "Order", "get",
			object{"customer": "c", "placedOn": "2024-01-02", "no": 1})
		if one.Data.(object)["total"] != 10.0 {
			t.Errorf("get by three fields: %v", one.Data)
		}
		for name, tt := range map[string]struct {
			want []any
			args []any
		}{
			"the primary key": {[]any{0.0}, []any{"list", object{"customer": "c",
				"placedOnNo": object{"beginsWith": object{"placedOn": "2024-01-01"}}}}},
			"an index": {[]any{0.0, 1.0, 2.0}, []any{"ordersByState", object{"state": "open"}}},
			"an index with a sort key": {[]any{1.0, 2.0}, []any{"ordersByRegion",
				object{"region": "eu", "total": object{"gt": 5}}}},
			"an index with two sort keys": {[]any{2.0, 1.0}, []any{"ordersByClerk",
				object{"clerk": "k", "shiftDesk": object{"ge": object{"shift": "2024-01-02", "desk": 1}}},
				object{"sortDirection": "DESC"}}},
		} {
			answer := guest.ask("model", append([]any{"Order"}, tt.args...)...)
			got := answer.fields(t, "no")
			if name == "an index" { // which has no order
				slices.SortFunc(got, func(a, b any) int { return int(a.(float64) - b.(float64)) })
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		}
	})

	t.Run("relations", func(t *testing.T) {
		create := func(model string, input object) {
			t.Helper()
			adas.ask("model", model, "create", input, byUser)
		}
		create("Post", object{"id": "p", "title": "Post"})
		for i := range 3 {
			create("Remark", object{"id": fmt.Sprint("r", i), "postId": "p", "rank": i})
			create("Audit", object{"postId": "p", "text": fmt.Sprint(i)})
		}
		create("Cover", object{"id": "c", "postId": "p", "image": "image"})
		create("Label", object{"id": "l", "name": "label"})
		create("PostLabels", object{"postId": "p", "labelId": "l"})
		post := object{"id": "p"}

		whole := adas.ask("model", "Post", "get", post, object{"authMode": "userPool",
			"selectionSet": []string{"title", "remarks.rank", "cover.image", "labels.label.name",
				"labels.label.posts.post.title"}})
		want := object{"title": "Post", "cover": object{"image": "image"},
			"remarks": []any{object{"rank": 0.0}, object{"rank": 1.0}, object{"rank": 2.0}},
			"labels": []any{object{"label": object{"name": "label",
				"posts": []any{object{"post": object{"title": "Post"}}}}}}}
		if diff := cmp.Diff(any(want), whole.Data); diff != "" {
			t.Errorf("a selection (-want +got):\n%s", diff)
		}
		remarks := adas.ask("related", "Post", post, "remarks", byUser)
		if got := len(remarks.Data.([]any)); got != 3 {
			t.Errorf("remarks(): %v", remarks.Data)
		}
		back := adas.ask("related", "Remark", object{"id": "r1"}, "post", byUser)
		if back.Data.(object)["title"] != "Post" {
			t.Errorf("post(): %v", back.Data)
		}
		cover := adas.ask("related", "Post", post, "cover", byUser)
		if cover.Data.(object)["image"] != "image" {
			t.Errorf("cover(): %v", cover.Data)
		}
		// Covers are read by all who are signed in, secrets by administrators.
		eves.ask("model", "Secret", "create", object{"postId": "p", "text": "secret"}, byUser)
		secret := object{"authMode": "userPool", "selectionSet": []string{"title", "secret.text"}}
		bobs.refused("Unauthorized", "model", "Post", "get", post, secret)
		if got := eves.ask("model", "Post", "get", post, secret).Data; !cmp.Equal(got,
			any(object{"title": "Post", "secret": object{"text": "secret"}})) {
			t.Errorf("an administrator: %v", got)
		}
	})

	t.Run("owners", func(t *testing.T) {
		adas.ask("model", "Diary", "create", object{"id": "d", "text": "secret", "mood": 1}, byUser)
		diary := object{"id": "d"}
		own := adas.ask("model", "Diary", "get", diary, byUser)
		if own.Data.(object)["text"] != "secret" {
			t.Errorf("the owner: %v", own.Data)
		}
		for name, js := range map[string]jsData{"another user": bobs, "an administrator": eves} {
			js.refused("Unauthorized", "model", "Diary", "get", diary, byUser)
			js.refused("Unauthorized", "model", "Diary", "delete", diary, byUser)
			js.refused("Unauthorized", "model", "Diary", "update",
				object{"id": "d", "text": "mine"}, byUser)
			if got := js.ask("model", "Diary", "list", byUser); len(got.Data.([]any)) > 0 {
				t.Errorf("%s lists %v", name, got.Data)
			}
		}
		guest.refused("Unauthorized", "model", "Diary", "get", diary, byKey)
		guest.refused("Unauthorized", "model", "Diary", "get", diary, byIdentity)
		guest.fails("NoValidAuthTokens", "model", "Diary", "get", diary, byUser)
	})

	t.Run("groups", func(t *testing.T) {
		eves.ask("model", "Board", "create", object{"id": "b", "text": "board"}, byUser)
		bobs.refused("Unauthorized", "model", "Board", "get", object{"id": "b"}, byUser)
		bobs.refused("Unauthorized", "query", "adminsOnly", object{"text": "x"}, byUser)
		if got := eves.ask("query", "adminsOnly", object{"text": "x"}, byUser).Data; got != "x" {
			t.Errorf("a custom query: %v", got)
		}
	})

	t.Run("identity pool", func(t *testing.T) {
		bobs.ask("model", "Wall", "create", object{"id": "w", "text": "wall"}, byIdentity)
		for name, got := range map[string]jsAnswer{
			"a guest": guest.ask("model", "Wall", "get", object{"id": "w"}, byIdentity),
			"a user":  adas.ask("model", "Wall", "get", object{"id": "w"}, byUser),
		} {
			if got.Data.(object)["text"] != "wall" {
				t.Errorf("%s: %v", name, got.Data)
			}
		}
		guest.refused("Unauthorized", "model", "Wall", "create", object{"text": "x"}, byIdentity)
		guest.refused("Unauthorized", "model", "Wall", "get", object{"id": "w"}, byKey)
	})
}

// jsonOf returns an object as JSON gives it back.
func jsonOf(t testing.TB, o object) (decoded object) {
	t.Helper()
	text, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(text, &decoded)
	}
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}
