package e2e

import (
	gocmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// letMeIn is the token that the authorizer of the tests' API takes.
const letMeIn = "let-me-in"

// dataServer is a sandbox with a GraphQL API, and a Go server for its users: ada, bob and, an
// administrator, eve.
type dataServer struct {
	*backend
	*visitors
}

// startData starts a sandbox with the outputs and the data of config.
func startData(t *testing.T, config sandbox.Config) *dataServer {
	t.Helper()
	config.Data.Authorizer = func(_ context.Context, r function.AuthorizerRequest) (
		function.AuthorizerResponse, error) {
		return function.AuthorizerResponse{IsAuthorized: r.Token == letMeIn}, nil
	}
	s := &dataServer{backend: startBackend(t, config)}
	s.visitors = newVisitors(t, s.Outputs(), amplify.Options{})
	for _, u := range []sandbox.User{
		{Email: ada}, {Email: bob}, {Email: eve, Groups: []string{"Admins"}},
	} {
		s.addUser(t, u)
		tokens, err := s.Tokens(t.Context(), u.Email)
		if err != nil {
			t.Fatal(err)
		}
		s.signIn(t, u.Email, tokens.AccessToken, tokens.IDToken)
	}
	return s
}

// startSchemaC starts a sandbox with the schema c of the recordings, whose custom queries answer.
func startSchemaC(t *testing.T, config sandbox.Config) *dataServer {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(recordings, "models/c", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	config.Outputs = read("amplify_outputs.json")
	fixed := func(_ context.Context, e function.Event) (any, error) {
		return "for " + e.FieldName, nil
	}
	config.Data = sandbox.Data{
		Schema: string(read("model.graphql")),
		Functions: map[string]function.Handler{
			"Query.adminsOnly": func(_ context.Context, e function.Event) (any, error) {
				return e.Arguments["text"], nil
			},
			"Query.whoAmI": func(_ context.Context, e function.Event) (any, error) {
				return object{"groups": e.Identity.Groups}, nil
			},
			"Query.keyOrGuest": fixed, "Query.customOnly": fixed,
		},
	}
	return startData(t, config)
}

// dataCase is a call that package data and aws-amplify's Data client both make.
type dataCase struct {
	name string
	user string // who calls; empty for a guest
	// model and call are what is called: a function of a model, a query of an index, a relation, or
	// without a model a custom query.
	model, call string
	// mutation: without a model, a custom mutation is called.
	mutation bool
	// input is what a mutation sends, a key, or the arguments of a query.
	input object
	// options are those of aws-amplify.
	options object
	// token is the AuthToken of package data, where aws-amplify has a token provider.
	token string
	// refused is the name of the first error, or empty if there must be none.
	refused string
	// unordered: the order of the items means nothing.
	unordered bool
}

// with returns options in one.
func with(options ...object) object {
	all := object{}
	for _, o := range options {
		maps.Copy(all, o)
	}
	return all
}

func selecting(paths ...string) object { return object{"selectionSet": paths} }

func filtered(filter object) object { return object{"filter": filter} }

// dataCases are made one after the other: later ones see what earlier ones have written.
func dataCases() []dataCase {
	custom := object{"authMode": "lambda", "authToken": letMeIn}
	var all []dataCase
	add := func(cases ...dataCase) { all = append(all, cases...) }

	thing := object{"id": "t", "name": "Grüße, 世界", "count": 3, "ratio": 0.5, "on": true,
		"grade": "MID", "grades": []any{"LOW", nil}, "tags": []any{"a", nil}, "must": []any{"m"},
		"nums": []any{1, nil, -2}, "day": "2024-02-29", "at": "2024-05-01T10:00:00.000Z",
		"clock": "09:30:00.000", "stamp": 1700000000, "extra": `{"a":[1]}`,
		"mail": "a@example.com", "link": "https://example.com/a?b", "phone": "+1 415 555 0100",
		"ip":    "2001:db8::1",
		"spot":  object{"x": 1.5, "labels": []any{"l"}, "inner": object{"grade": "HIGH"}},
		"spots": []any{object{"x": 2}, object{"x": 3, "y": 4}}}
	add(
		dataCase{name: "all kinds of fields", model: "Thing", call: "create", input: thing},
		dataCase{name: "an id twice", model: "Thing", call: "create", input: thing,
			refused: "DynamoDB:ConditionalCheckFailedException"},
		dataCase{name: "get", model: "Thing", call: "get", input: object{"id": "t"}},
		dataCase{name: "get some fields", model: "Thing", call: "get", input: object{"id": "t"},
			options: selecting("name", "spot.inner.grade", "spots.*")},
		dataCase{name: "get what is not there", model: "Thing", call: "get",
			input: object{"id": "x"}},
		dataCase{name: "update", model: "Thing", call: "update",
			input: object{"id": "t", "count": 4, "tags": nil, "spot": object{"x": 9}}},
		dataCase{name: "update what is not there", model: "Thing", call: "update",
			input:   object{"id": "x", "count": 4},
			refused: "DynamoDB:ConditionalCheckFailedException"},
		dataCase{name: "default values", model: "Preset", call: "create",
			input: object{"id": "p", "needed": "n"}},
		dataCase{name: "no default value for null", model: "Preset", call: "create",
			input: object{"id": "q", "needed": "n", "count": nil, "name": ""}},
		dataCase{name: "without what is required", model: "Preset", call: "create",
			input:   object{"id": "p"},
			refused: graphQLError},
	)
	// Filters. The things differ in each field.
	for i := range 6 {
		add(dataCase{name: fmt.Sprint("thing ", i), model: "Thing", call: "create", input: object{
			"id": fmt.Sprint("f", i), "name": strings.Repeat("n", i+1), "count": i,
			"ratio": float64(i) / 2, "on": i%2 == 0, "grade": []string{"LOW", "MID", "HIGH"}[i%3],
			"tags": []any{fmt.Sprint("tag", i), "all"}, "day": fmt.Sprintf("2024-01-0%d", i+1),
			"at": fmt.Sprintf("2024-01-01T0%d:00:00.000Z", i), "stamp": 1000 + i}})
	}
	for name, filter := range map[string]object{
		"eq":              {"count": object{"eq": 3}},
		"ne":              {"count": object{"ne": 3}},
		"lt":              {"count": object{"lt": 3}},
		"le":              {"count": object{"le": 3}},
		"gt":              {"ratio": object{"gt": 1.5}},
		"ge":              {"ratio": object{"ge": 1.5}},
		"between":         {"count": object{"between": []any{2, 4}}},
		"beginsWith":      {"name": object{"beginsWith": "nnn"}},
		"contains":        {"name": object{"contains": "nn"}},
		"notContains":     {"name": object{"notContains": "nnnn"}},
		"list contains":   {"tags": object{"contains": "tag3"}},
		"list without":    {"tags": object{"notContains": "tag3"}},
		"attributeExists": {"ip": object{"attributeExists": true}},
		"no attribute":    {"ip": object{"attributeExists": false}},
		"size eq":         {"name": object{"size": object{"eq": 2}}},
		"size between":    {"name": object{"size": object{"between": []any{2, 3}}}},
		"boolean":         {"on": object{"eq": false}},
		"enum":            {"grade": object{"eq": "MID"}},
		"enum ne":         {"grade": object{"ne": "MID"}},
		"AWSDate":         {"day": object{"gt": "2024-01-03"}},
		"AWSDateTime":     {"at": object{"le": "2024-01-01T02:00:00.000Z"}},
		"AWSTimestamp":    {"stamp": object{"between": []any{1001, 1002}}},
		"id":              {"id": object{"beginsWith": "f"}},
		"createdAt":       {"createdAt": object{"gt": "2000-01-01T00:00:00.000Z"}},
		"and": {"and": []any{object{"count": object{"gt": 1}},
			object{"on": object{"eq": true}}}},
		"or": {"or": []any{object{"count": object{"eq": 0}},
			object{"name": object{"eq": "nn"}}}},
		"not":           {"not": object{"count": object{"lt": 4}}},
		"two operators": {"count": object{"gt": 1, "lt": 4}},
		"two fields":    {"count": object{"gt": 1}, "on": object{"eq": true}},
		"nothing":       {"count": object{"gt": 99}},
	} {
		add(dataCase{name: "filter by " + name, model: "Thing", call: "list",
			options: with(filtered(filter), selecting("id")), unordered: true})
	}
	// Keys and indexes.
	for i, day := range []string{"2024-01-01", "2024-01-02", "2024-02-01"} {
		add(dataCase{name: fmt.Sprint("order ", i), model: "Order", call: "create",
			input: object{"customer": "c", "placedOn": day, "no": i, "state": "open",
				"region": "eu",
				"total":  10 * i, "clerk": "k", "shift": day, "desk": i}})
	}
	for i := range 5 {
		add(dataCase{name: fmt.Sprint("ticket ", i), model: "Ticket", call: "create",
			input: object{"id": "same", "version": i, "title": fmt.Sprint("title ", i%2)}})
	}
	descending := object{"sortDirection": "DESC"}
	add(
		dataCase{name: "get by three fields", model: "Order", call: "get",
			input: object{"customer": "c", "placedOn": "2024-01-02", "no": 1}},
		dataCase{name: "update by three fields", model: "Order", call: "update",
			input: object{"customer": "c", "placedOn": "2024-01-02", "no": 1, "note": "n"}},
		dataCase{name: "list by the partition key", model: "Order", call: "list",
			input: object{"customer": "c"}, options: descending},
		dataCase{name: "list by two sort keys", model: "Order", call: "list",
			input: object{"customer": "c",
				"placedOnNo": object{"beginsWith": object{"placedOn": "2024-01-01"}}}},
		dataCase{name: "an index", model: "Order", call: "ordersByState",
			input: object{"state": "open"}, unordered: true},
		dataCase{name: "an index with a sort key", model: "Order", call: "ordersByRegion",
			input: object{"region": "eu", "total": object{"gt": 5}}},
		dataCase{name: "an index with two sort keys", model: "Order", call: "ordersByClerk",
			input: object{"clerk": "k", "shiftDesk": object{"between": []any{
				object{"shift": "2024-01-01", "desk": 0},
				object{"shift": "2024-01-02", "desk": 1}}}},
			options: descending},
		dataCase{name: "an index and a filter", model: "Order", call: "ordersByRegion",
			input: object{"region": "eu"}, options: filtered(object{"no": object{"ne": 1}})},
		dataCase{name: "the first page", model: "Ticket", call: "list",
			input:   object{"id": "same", "version": object{"ge": 1}},
			options: with(descending, object{"limit": 3})},
		dataCase{name: "the next page", model: "Ticket", call: "list",
			input:   object{"id": "same", "version": object{"ge": 1}},
			options: with(descending, object{"limit": 3, "nextToken": true})},
		dataCase{name: "a page that the filter empties", model: "Ticket", call: "list",
			input:   object{"id": "same"},
			options: with(filtered(object{"version": object{"gt": 3}}), object{"limit": 2})},
		dataCase{name: "a token that is none", model: "Ticket", call: "list",
			input: object{"id": "same"}, options: object{"nextToken": "x"},
			refused: "DynamoDB:UserIllegalArgumentException"},
		dataCase{name: "a limit too high", model: "Thing", call: "list",
			options: object{"limit": 1001, "selectionSet": []string{"id"}}, unordered: true},
	)
	// Relations.
	create := func(model string, input object) {
		add(dataCase{name: fmt.Sprint(model, " ", input["id"]), user: ada, model: model,
			call: "create", input: input, options: byUser})
	}
	create("Post", object{"id": "p", "title": "Post"})
	for i := range 3 {
		create("Remark", object{"id": fmt.Sprint("r", i), "postId": "p", "rank": i, "text": "text"})
		create("Audit", object{"id": fmt.Sprint("a", i), "postId": "p", "text": "audit"})
	}
	create("Cover", object{"id": "c", "postId": "p", "image": "image"})
	create("Label", object{"id": "l", "name": "label"})
	create("PostLabels", object{"id": "pl", "postId": "p", "labelId": "l"})
	post := object{"id": "p"}
	add(
		dataCase{name: "nested", user: ada, model: "Post", call: "get", input: post,
			options: with(byUser, selecting("title", "remarks.rank", "cover.image",
				"labels.label.name", "labels.label.posts.post.title"))},
		dataCase{name: "nested in a list", user: ada, model: "Remark", call: "list",
			options:   with(byUser, selecting("id", "post.title", "post.cover.image")),
			unordered: true},
		dataCase{name: "has many", user: ada, model: "Post", call: "remarks", input: post,
			options: byUser, unordered: true},
		dataCase{name: "has one", user: ada, model: "Post", call: "cover", input: post,
			options: byUser},
		dataCase{name: "has none", user: eve, model: "Post", call: "secret", input: post,
			options: byUser},
		dataCase{name: "belongs to", user: ada, model: "Remark", call: "post",
			input: object{"id": "r1"}, options: byUser},
		dataCase{name: "many to many", user: ada, model: "Label", call: "posts",
			input: object{"id": "l"}, options: byUser},
		dataCase{name: "a secret", user: eve, model: "Secret", call: "create",
			input: object{"id": "s", "postId": "p", "text": "secret"}, options: byUser},
		dataCase{name: "the secret for an administrator", user: eve, model: "Post", call: "get",
			input: post, options: with(byUser, selecting("title", "secret.text"))},
		dataCase{name: "partial data", user: bob, model: "Post", call: "get",
			input: post, options: with(byUser, selecting("title", "secret.text")),
			refused: "Unauthorized"},
	)
	// Who may do what.
	diary := object{"id": "d"}
	add(
		dataCase{name: "an owner writes", user: ada, model: "Diary", call: "create",
			input: object{"id": "d", "text": "secret"}, options: byUser},
		dataCase{name: "an owner reads", user: ada, model: "Diary", call: "get", input: diary,
			options: byUser},
		dataCase{name: "a user without a mode", user: ada, model: "Diary", call: "get",
			input:   diary,
			refused: "Unauthorized"},
		dataCase{name: "a guest without a session", model: "Diary", call: "get", input: diary,
			options: byUser, refused: "NoValidAuthTokens"},
		dataCase{name: "a token that the authorizer refuses", model: "Vault", call: "get",
			input:   object{"id": "v"},
			options: object{"authMode": "lambda", "authToken": "keep-me-out"},
			refused: "UnauthorizedException"},
		dataCase{name: "nothing", model: "Thing", call: "get", input: object{"id": "t"},
			options: mode("none"), refused: "UnauthorizedException"},
		dataCase{name: "no token", model: "Vault", call: "get", input: object{"id": "v"},
			options: mode("lambda"), refused: "NoAuthorizationHeader"},
		dataCase{name: "lambda writes", model: "Vault", call: "create",
			input: object{"id": "v", "text": "x"}, options: custom},
		dataCase{name: "lambda reads", model: "Vault", call: "get", input: object{"id": "v"},
			options: custom},
		dataCase{name: "lambda may not list", model: "Vault", call: "list", options: custom,
			refused: "Unauthorized"},
		dataCase{name: "an identity writes", user: bob, model: "Wall", call: "create",
			input: object{"id": "w", "text": "wall"}, options: byIdentity},
		dataCase{name: "a guest reads", model: "Wall", call: "list", options: byIdentity},
		dataCase{name: "a guest may not write", model: "Wall", call: "create",
			input: object{"id": "g", "text": "wall"}, options: byIdentity, refused: "Unauthorized"},
		dataCase{name: "a guest rule is not for users", user: ada, call: "keyOrGuest",
			options: byIdentity, refused: "Unauthorized"},
		dataCase{name: "a group writes", user: eve, model: "Board", call: "create",
			input: object{"id": "b", "text": "x"}, options: byUser},
		dataCase{name: "another group", user: bob, model: "Board", call: "get",
			input: object{"id": "b"}, options: byUser, refused: "Unauthorized"},
		dataCase{name: "a field that others may not read", user: ada, model: "Patient",
			call:    "create",
			input:   object{"id": "pt", "name": "n", "ssn": "s"},
			options: with(byUser, selecting("id", "name"))},
		dataCase{name: "partial data of a list", user: bob, model: "Patient", call: "list",
			options: with(byUser, selecting("id", "name", "ssn")), refused: "Unauthorized"},
	)
	for _, user := range []string{bob, eve} {
		for call, input := range map[string]object{
			"get": diary, "delete": diary, "update": {"id": "d", "text": "mine"},
			"create": {"id": "d", "text": "mine"},
		} {
			refused := "Unauthorized"
			if call == "create" {
				refused = "DynamoDB:ConditionalCheckFailedException"
			}
			add(dataCase{name: user + " may not " + call, user: user, model: "Diary", call: call,
				input: input, options: byUser, refused: refused})
		}
		add(dataCase{name: user + " lists nothing", user: user, model: "Diary", call: "list",
			options: byUser})
	}
	// Custom queries.
	add(
		dataCase{name: "a custom query", user: eve, call: "adminsOnly", input: object{"text": "x"},
			options: byUser},
		dataCase{name: "no argument", user: eve, call: "adminsOnly", options: byUser},
		dataCase{name: "a custom query for a group", user: bob, call: "adminsOnly",
			input: object{"text": "x"}, options: byUser, refused: "Unauthorized"},
		dataCase{name: "a custom query by key", call: "keyOrGuest", options: byKey},
		dataCase{name: "a custom query for guests", call: "keyOrGuest", options: byIdentity},
		dataCase{name: "a custom query by lambda", call: "customOnly", options: custom},
		dataCase{name: "a custom query that gives JSON", user: eve, call: "whoAmI",
			options: byUser},
		dataCase{name: "a custom query not by key", user: eve, call: "whoAmI", options: object{},
			refused: "Unauthorized"},
	)
	// What is no value of its type. aws-amplify sends it.
	for name, input := range map[string]object{
		"AWSDate": {"day": "2024-02-30"}, "AWSEmail": {"mail": "no"},
		"AWSIPAddress": {"ip": "1.2.3"},
		"AWSJSON":      {"extra": "{"}, "AWSURL": {"link": "no url"},
		"AWSDateTime": {"at": "2024-01-01"},
		"AWSTime":     {"clock": "25:00:00"}, "AWSPhone": {"phone": "x"},
	} {
		add(dataCase{name: "no " + name, model: "Thing", call: "create",
			input: with(object{"id": "bad", "name": "n"}, input), refused: graphQLError})
	}
	return append(all,
		dataCase{name: "delete", model: "Thing", call: "delete", input: object{"id": "t"}})
}

// Package data and aws-amplify's Data client get the same answers: each makes the same calls to a
// sandbox of its own.
func TestDataAsAmplifyJS(t *testing.T) {
	clock := stopped()
	config := sandbox.Config{Clock: clock}
	ours, theirs := startSchemaC(t, config), startSchemaC(t, config)
	compareData(t, dataCases(), ours, theirs.clients(t))
}

// Custom mutations. Their arguments are those of fields, and types of input of their own.
func TestMutationsAsAmplifyJS(t *testing.T) {
	clock := stopped()
	config := sandbox.Config{Clock: clock}
	ours, theirs := startSchemaA(t, config), startSchemaA(t, config)
	rebuild := func(name, user string, options object, refused string) dataCase {
		return dataCase{name: name, user: user, call: "rebuildIndex", mutation: true,
			input: object{"reason": "Grüße"}, options: options, refused: refused}
	}
	cases := []dataCase{
		rebuild("by key", "", byKey, ""),
		rebuild("by a user", ada, byUser, ""),
		rebuild("by the default mode", ada, object{}, ""),
		rebuild("not by a guest", "", byIdentity, "Unauthorized"),
		rebuild("without a session", "", byUser, "NoValidAuthTokens"),
		{name: "null for an argument", call: "rebuildIndex", mutation: true,
			input: object{"reason": nil}, options: byKey},
		{name: "a function that fails", call: "rebuildIndex", mutation: true,
			input: object{"reason": "fail"}, options: byKey, refused: "Lambda:Unhandled"},
		{name: "types of input", call: "registerAddress", mutation: true, options: byKey,
			input: object{"address": lyon, "alternatives": []any{object{"city": "Nice"}, nil}}},
		{name: "other arguments", call: "registerAddress", mutation: true, options: byKey,
			input: object{"address": object{"city": "Nice"}}},
		{name: "a field without a rule for users", user: ada, call: "registerAddress",
			mutation: true, input: object{"address": lyon}, options: byUser,
			refused: "Unauthorized"},
		{name: "no AWSDateTime", call: "publishWorkshop", mutation: true,
			input:   object{"workshopId": "w", "at": "2024-01-01"},
			options: byKey, refused: graphQLError},
		{name: "a model as the result, with a field for its owner", call: "publishWorkshop",
			mutation: true, input: object{"workshopId": "w", "at": "2024-05-01T10:00:00.000Z"},
			options: byKey, refused: "Unauthorized"},
		{name: "a user who is not in the group", user: ada, call: "publishWorkshop",
			mutation: true, input: object{"workshopId": "w"}, options: byUser,
			refused: "Unauthorized"},
	}
	compareData(t, cases, ours, theirs.clients(t))
}

// The users of an OpenID Connect provider, whose tokens a token provider gives aws-amplify. Package
// data gets them as the AuthToken.
func TestOIDCAsAmplifyJS(t *testing.T) {
	p, clock := startOIDC(t), stopped()
	ours, theirs := startMemosOf(t, p, clock), startMemosOf(t, p, clock)
	clients := map[string]jsData{}
	tokens := map[string]string{}
	other := startOIDC(t)
	for name, token := range map[string]amplify.Secret{
		"grace": p.token(t, "grace"), "henry": p.token(t, "henry"),
		"of another provider": other.token(t, "grace"),
	} {
		tokens[name] = token.Reveal()
		clients[name] = jsData{startModule(t, npmProject(t, "js/amplify"), "data.js")}
		clients[name].do(nil, "configureTokens", theirs.dataConfig(t), tokens[name])
	}
	clients[""] = jsData{startModule(t, npmProject(t, "js/amplify"), "data.js")}
	clients[""].do(nil, "configure", theirs.dataConfig(t))

	letter := object{"id": "l"}
	var cases []dataCase
	add := func(name, user, model, call string, input object, refused string) {
		cases = append(cases, dataCase{name: name, user: user, model: model, call: call,
			mutation: model == "", input: input, options: mode("oidc"), token: tokens[user],
			refused: refused})
	}
	add("writes", "grace", "Memo", "create", object{"id": "m", "text": "memo", "rank": 1}, "")
	add("reads", "henry", "Memo", "get", object{"id": "m"}, "")
	add("lists", "henry", "Memo", "list", nil, "")
	add("changes", "henry", "Memo", "update", object{"id": "m", "text": "mine"}, "")
	add("an owner writes", "grace", "Letter", "create", object{"id": "l", "text": "x"}, "")
	add("an owner reads", "grace", "Letter", "get", letter, "")
	add("another reads", "henry", "Letter", "get", letter, "Unauthorized")
	add("another deletes", "henry", "Letter", "delete", letter, "Unauthorized")
	add("another lists", "henry", "Letter", "list", nil, "")
	add("a model of the user pool", "grace", "Note", "list", nil, "Unauthorized")
	add("a custom mutation", "grace", "", "stamp", object{"text": "memo"}, "")
	add("a custom mutation for others", "grace", "", "seal", nil, "Unauthorized")
	add("another provider", "of another provider", "Memo", "get", object{"id": "m"},
		"UnauthorizedException")
	add("without a session", "", "Memo", "get", object{"id": "m"}, "NoValidAuthTokens")
	add("an owner deletes", "grace", "Letter", "delete", letter, "")
	compareData(t, cases, ours, clients)
}

// clients returns aws-amplify for each user of the sandbox, and for a guest.
func (s *dataServer) clients(t *testing.T) map[string]jsData {
	t.Helper()
	clients := map[string]jsData{}
	for _, user := range []string{"", ada, bob, eve} {
		js := jsData{startModule(t, npmProject(t, "js/amplify"), "data.js")}
		js.do(nil, "configure", s.dataConfig(t))
		if user != "" {
			if step := signIn(js.jsModule, user, password); step != "DONE" {
				t.Fatalf("signIn: next step %s", step)
			}
		}
		clients[user] = js
	}
	return clients
}

// compareData makes the calls of cases by package data, and by aws-amplify for another sandbox.
func compareData(
	t *testing.T, cases []dataCase, ours *dataServer, clients map[string]jsData,
) {
	t.Helper()
	var ourToken, theirToken string
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got, want jsAnswer
			ours.as(t, c.user, func(ctx context.Context) {
				got = ours.makeCall(t, ctx, c.continued(ourToken))
			})
			want = clients[c.user].makeCall(t, c.continued(theirToken))
			ourToken, theirToken = got.NextToken, want.NextToken
			if want.refused() == graphQLError && got.refused() == "UnauthorizedException" {
				// aws-amplify leaves out why AppSync has refused a whole call.
				want.Errors[0].ErrorType, want.Errors[0].Message = got.Errors[0].ErrorType,
					got.Errors[0].Message
			}
			if diff := cmp.Diff(c.normal(t, want), c.normal(t, got)); diff != "" {
				t.Errorf("(-aws-amplify +data):\n%s", diff)
			}
			if refused := got.refused(); refused != c.refused {
				t.Errorf("the first error is %q, want %q: %v", refused, c.refused, got.Errors)
			}
		})
	}
}

// graphQLError stands for errors without a type.
const graphQLError = "GraphQLError"

// refused returns the type of the first error, or "".
func (a jsAnswer) refused() string {
	switch {
	case len(a.Errors) == 0:
		return ""
	case a.Errors[0].ErrorType == nil:
		return graphQLError
	}
	return *a.Errors[0].ErrorType
}

// continued returns the case with a token in place of a nextToken of true.
func (c dataCase) continued(token string) dataCase {
	if c.options["nextToken"] == true {
		c.options = with(c.options, object{"nextToken": token})
	}
	return c
}

// uuids are made anew in each sandbox.
var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// normal returns an answer without what differs from sandbox to sandbox, as JSON gives it.
func (c dataCase) normal(t testing.TB, a jsAnswer) (plain any) {
	t.Helper()
	if a.NextToken != "" {
		a.NextToken = "more"
	}
	text, err := json.Marshal(a)
	if err == nil {
		err = json.Unmarshal(uuids.ReplaceAll(text, []byte("uuid")), &plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	items, ok := plain.(object)["Data"].([]any)
	switch {
	case ok && len(items) == 0 && a.refused() != "":
		plain.(object)["Data"] = nil // aws-amplify has an empty list where there is none
	case ok && c.unordered:
		slices.SortFunc(items,
			func(a, b any) int { return strings.Compare(jsonText(a), jsonText(b)) })
	}
	return plain
}

// isRelation reports whether the call of a case is a relation.
func (c dataCase) isRelation() bool {
	return slices.Contains([]string{"remarks", "cover", "secret", "post", "posts"}, c.call)
}

// makeCall makes the call of a case by aws-amplify.
func (js jsData) makeCall(t *testing.T, c dataCase) (answer jsAnswer) {
	t.Helper()
	var args []any
	switch {
	case c.mutation && c.input == nil:
		args = []any{"mutation", c.call, c.options}
	case c.mutation:
		args = []any{"mutation", c.call, c.input, c.options}
	case c.model == "" && c.input == nil: // a query without arguments takes options alone
		args = []any{"query", c.call, c.options}
		if c.call == "adminsOnly" {
			args = []any{"query", c.call, object{}, c.options}
		}
	case c.model == "":
		args = []any{"query", c.call, c.input, c.options}
	case c.isRelation():
		args = []any{"related", c.model, c.input, c.call, c.options}
	case c.call == "list":
		args = []any{"model", c.model, c.call, with(c.input, c.options)}
	default:
		args = []any{"model", c.model, c.call, c.input, with(c.options)}
	}
	value, failed := js.call(args[0].(string), args[1:]...)
	if failed != nil {
		return jsAnswer{Errors: []jsDataError{{ErrorType: &failed.Name, Message: failed.Message}}}
	}
	if err := json.Unmarshal(value, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// makeCall makes the call of a case by package data.
func (s *dataServer) makeCall(t *testing.T, ctx context.Context, c dataCase) (answer jsAnswer) {
	t.Helper()
	text := func(name string) string {
		value, _ := c.options[name].(string)
		return value
	}
	options := data.Options{
		AuthMode:  data.AuthMode(text("authMode")),
		AuthToken: amplify.NewSecret(gocmp.Or(text("authToken"), c.token)),
	}
	list := data.ListInput{
		Key: data.Key(c.input), SortDirection: data.SortDirection(text("sortDirection")),
		NextToken: text("nextToken"), Options: options,
	}
	list.Limit, _ = c.options["limit"].(int)
	if filter, ok := c.options["filter"].(object); ok {
		list.Filter = data.RawFilter(filter)
	}
	app := s.runner.App()
	if c.model == "" {
		query, err := data.OperationOf[any](app, c.call)
		if err != nil {
			t.Fatal(err)
		}
		result,
			err := query.Call(ctx,
			data.CallInput{Arguments: map[string]any(c.input), Options: options})
		if result != nil {
			answer.Data = *result
		}
		return answer.failed(err)
	}
	selection, _ := c.options["selectionSet"].([]string)
	model, err := data.DynamicModelOf(app, c.model, selection...)
	if err != nil {
		t.Fatal(err)
	}
	var item *map[string]any
	var page *data.Page[map[string]any]
	switch {
	case c.isRelation():
		item, page, err = relate(t, ctx, model, c, options)
	case c.call == "get":
		item, err = model.Get(ctx, data.GetInput{Key: data.Key(c.input), Options: options})
	case c.call == "create":
		item, err = model.Create(ctx, data.CreateInput{Item: c.input, Options: options})
	case c.call == "update":
		item, err = model.Update(ctx, data.UpdateInput{Item: c.input, Options: options})
	case c.call == "delete":
		item, err = model.Delete(ctx, data.DeleteInput{Key: data.Key(c.input), Options: options})
	default:
		if c.call != "list" {
			list.Index = c.call
		}
		page, err = model.List(ctx, list)
	}
	if item != nil {
		answer.Data = *item
	}
	if page != nil {
		answer.Data, answer.NextToken = page.Items, page.NextToken
	}
	return answer.failed(err)
}

// relate reads a relation of an item, as aws-amplify does: once it has got the item.
func relate(
	t *testing.T, ctx context.Context, m data.Model[map[string]any], c dataCase, o data.Options,
) (*map[string]any, *data.Page[map[string]any], error) {
	t.Helper()
	of, err := m.Get(ctx, data.GetInput{Key: data.Key(c.input), Options: o})
	if err != nil {
		t.Fatal(err)
	}
	relation, err := data.RelationOf[map[string]any](m, c.call)
	if err != nil {
		t.Fatal(err)
	}
	in := data.RelationInput{Of: *of, Options: o}
	if c.call == "remarks" || c.call == "posts" {
		page, err := relation.List(ctx, in)
		return nil, page, err
	}
	item, err := relation.Get(ctx, in)
	return item, nil, err
}

// failed returns the answer with the errors of package data in the form of aws-amplify.
func (a jsAnswer) failed(err error) jsAnswer {
	var all data.GraphQLErrors
	var one *amplify.Error
	a.Errors = []jsDataError{}
	switch {
	case err == nil || errors.Is(err, data.ErrNotFound): // which aws-amplify tells by null
	case errors.As(err, &all):
		for _, e := range all {
			converted := jsDataError{Message: e.Message, Path: e.Path}
			if e.ErrorType != "" {
				converted.ErrorType = &e.ErrorType
			}
			a.Errors = append(a.Errors, converted)
		}
	case errors.As(err, &one):
		a.Errors = append(a.Errors, jsDataError{ErrorType: &one.Name, Message: one.Message})
	default:
		a.Errors = append(a.Errors, jsDataError{Message: err.Error()})
	}
	return a
}
