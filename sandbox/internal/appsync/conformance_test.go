package appsync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// recorded is the folder of the recordings.
func recorded() string {
	if dir := os.Getenv("AMPLIFY_CONFORMANCE_DIR"); dir != "" {
		return dir
	}
	return "../../../testdata/conformance"
}

// recordedCase is a case of appsync.json; its README tells the form.
type recordedCase struct {
	ID    string
	Input struct {
		Schema     string
		Identities map[string]recordedIdentity
		Steps      []recordedStep
	}
	Expected struct{ Steps []recordedAnswer }
}

type recordedIdentity struct {
	Mode       string
	Key        string
	Headers    map[string]string
	Claims     jwt.MapClaims
	Token      string
	Authorized bool
	Identity   function.Identity
}

type recordedStep struct {
	As            string
	Document      *string
	Variables     map[string]any
	OperationName string
	Body          *string
}

type recordedAnswer struct {
	Status     int
	Data       json.RawMessage
	Errors     []recordedError
	Fidelity   string
	AWS        json.RawMessage
	Unordered  []string
	Subscribed bool
	Filter     any
}

type recordedError struct {
	Path      []any
	ErrorType *string
	Message   string
	Kind      string
	AWS       string
}

// TestConformance makes the requests of the recording to APIs of its schemas. What was
// recorded are the verdicts of the resolvers that Amplify's transformer makes.
func TestConformance(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(recorded(), "appsync.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []recordedCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	schemas := map[string]*schema.Schema{}
	passed, excepted := map[string]int{}, map[string]int{}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			b := startRecorded(t, c, schemas)
			for i, step := range c.Input.Steps {
				want := c.Expected.Steps[i]
				name := want.Fidelity
				if name == "" {
					name = "vtl"
				}
				exception := exceptionFor(c, i)
				if exception != nil {
					want = exception.instead(want)
				}
				got := b.send(t, step)
				difference := b.compare(t, want, got)
				switch {
				case difference != "":
					t.Errorf("step %d by %s: %s\n%s\n%s", i, step.As, name, difference, got.text)
				case exception != nil:
					excepted[exception.name]++
				default:
					passed[name]++
				}
				b.answers = append(b.answers, got.data)
			}
		})
	}
	total := 0
	for _, c := range cases {
		total += len(c.Input.Steps)
	}
	t.Logf("of %d steps of %d cases passed: %v; excepted: %v", total, len(cases), passed, excepted)
	if total == 0 {
		t.Error("there are no steps")
	}
	if recorded() == "../../../testdata/conformance" {
		for _, e := range exceptions {
			if excepted[e.name] == 0 {
				t.Errorf("the exception %q takes no step", e.name)
			}
		}
	}
}

// An exception is a rule for steps whose answers differ from the recording on purpose.
type exception struct {
	name    string
	takes   func(step recordedStep, want recordedAnswer) bool
	instead func(want recordedAnswer) recordedAnswer
}

// refusedInstead expects an error of this type instead of data.
func refusedInstead(data, errorType, message string,
	path ...any) func(recordedAnswer) recordedAnswer {
	return func(want recordedAnswer) recordedAnswer {
		want.Data, want.Fidelity, want.AWS = json.RawMessage(data), "", nil
		want.Errors = []recordedError{{Path: path, ErrorType: &errorType, Message: message}}
		return want
	}
}

var exceptions = []exception{{
	name: "DynamoDB refuses an empty text as key of an index",
	takes: func(step recordedStep, want recordedAnswer) bool {
		input, _ := step.Variables["input"].(map[string]any)
		return want.Fidelity == "simulator" && input["state"] == ""
	},
	instead: refusedInstead(`{"createOrder":null}`, "DynamoDB:DynamoDbException",
		"One or more parameter values are not valid. A value specified for a secondary index key "+
			"is not "+
			"supported. The AttributeValue for a key attribute cannot contain an empty string "+
			"value. "+
			"IndexName: byState, IndexKey: state", "createOrder"),
}}

func exceptionFor(c recordedCase, i int) *exception {
	for _, e := range exceptions {
		if e.takes(c.Input.Steps[i], c.Expected.Steps[i]) {
			return &e
		}
	}
	return nil
}

// recordedAPI is an API with the schema and the identities of a case.
type recordedAPI struct {
	*API
	identities map[string]recordedIdentity
	now        time.Time
	answers    []any // the data of the steps before
	known      map[string]string
}

// signingKey is what the recorded user pool signs its tokens with.
var signingKey = []byte("the user pool's")

// modes are those of the recorded APIs.
var modes = []schema.Provider{schema.APIKey, schema.UserPool, schema.IAM, schema.Function}

// startRecorded returns the API of a case. schemas are those that were read before.
func startRecorded(t *testing.T, c recordedCase, schemas map[string]*schema.Schema) *recordedAPI {
	t.Helper()
	dir := filepath.Join(recorded(), "models", c.Input.Schema)
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var outputs struct {
		Auth struct {
			UserPoolID     string `json:"user_pool_id"`
			IdentityPoolID string `json:"identity_pool_id"`
		}
		Data struct {
			APIKey string `json:"api_key"`
			Region string `json:"aws_region"`
		}
	}
	if err := json.Unmarshal(read("amplify_outputs.json"), &outputs); err != nil {
		t.Fatal(err)
	}
	var err error
	s := schemas[c.Input.Schema]
	if s == nil {
		s, err = schema.Read("model.graphql", string(read("model.graphql")),
			schema.Options{Default: modes[0], Additional: modes[1:]})
		if err != nil {
			t.Fatal(err)
		}
		schemas[c.Input.Schema] = s
	}
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	b := &recordedAPI{identities: c.Input.Identities, known: map[string]string{},
		now: time.Date(2031, 5, 6, 7, 8, 9, 123e6, time.UTC)}
	issuer := "https://cognito-idp." + outputs.Data.Region + ".amazonaws.com/" +
		outputs.Auth.UserPoolID
	b.API, err = New(t.Context(), Config{
		Region: outputs.Data.Region, Schema: s, Modes: modes, APIKey: outputs.Data.APIKey,
		Store: st,
		Clock: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler),
		UserPool: func(token string) (map[string]any, error) {
			claims := jwt.MapClaims{}
			_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) {
				return signingKey, nil
			}, jwt.WithIssuer(issuer), jwt.WithTimeFunc(func() time.Time { return b.now }))
			switch {
			case errors.Is(err, jwt.ErrTokenExpired):
				return nil, ErrTokenExpired
			case err != nil:
				return nil, ErrToken
			}
			return claims, nil
		},
		Credentials: func(accessKeyID, _ string) (*Caller, string, error) {
			who := b.identities[accessKeyID].Identity
			return &Caller{Known: &who, Identity: schema.Identity{
				IAM: principal(who, outputs.Auth.IdentityPoolID)}}, "secret", nil
		},
		Authorizer: func(_ context.Context,
			r function.AuthorizerRequest) (function.AuthorizerResponse, error) {
			for _, who := range b.identities {
				if who.Mode == "lambda" && who.Token == r.Token {
					return function.AuthorizerResponse{IsAuthorized: who.Authorized}, nil
				}
			}
			return function.AuthorizerResponse{}, nil
		},
		Functions: recordedFunctions(read("resolvers.json")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// principal returns what the backend knows an identity of IAM by.
func principal(who function.Identity, pool string) schema.Principal {
	role := func(name string) bool {
		return strings.Contains(who.UserARN,
			":assumed-role/"+name+"/")
	}
	signedIn := who.CognitoIdentityAuthType == "authenticated"
	switch {
	case who.CognitoIdentityPoolID == "":
		return schema.Admin
	case who.CognitoIdentityPoolID != pool:
		return schema.OtherIdentity
	case signedIn && role("auth"):
		return schema.SignedIn
	case signedIn:
		return schema.SignedInOtherRole
	case role("guest"):
		return schema.Guest
	}
	return schema.OtherIdentity
}

// recordedFunctions are the functions behind the recorded custom operations. Those that the README
// does not name answer null.
func recordedFunctions(resolvers []byte) map[string]function.Handler {
	functions := map[string]function.Handler{}
	var names []string
	_ = json.Unmarshal(resolvers, &names)
	for _, name := range names {
		functions[name] = func(context.Context, function.Event) (any, error) { return nil, nil }
	}
	maps.Copy(functions, map[string]function.Handler{
		"Query.echo": func(_ context.Context, e function.Event) (any, error) {
			if e.Arguments["text"] == "boom" {
				return nil, errors.New("boom")
			}
			return e.Arguments, nil
		},
		"Query.countSeats": func(_ context.Context, e function.Event) (any, error) {
			levels, _ := e.Arguments["levels"].([]any)
			if e.Arguments["studioId"] != nil {
				return len(levels) + 100, nil
			}
			return len(levels), nil
		},
		"Query.nearestAddress": func(context.Context, function.Event) (any, error) {
			return json.RawMessage(`{"address": {"city": "Bern", "labels": ["x"], "kind": "VENUE"},
				"distance": 1.5, "unit": "KM"}`), nil
		},
		"Query.labels": func(context.Context, function.Event) (any, error) {
			return []any{"one",
				"two", nil}, nil
		},
		"Query.whoAmI": func(_ context.Context, e function.Event) (any, error) {
			return map[string]any{"username": e.Identity.Username}, nil
		},
		"Mutation.registerAddress": func(context.Context, function.Event) (any, error) {
			return true, nil
		},
		"Mutation.rebuildIndex": func(context.Context, function.Event) (any, error) {
			return map[string]any{"success": true}, nil
		},
	})
	return functions
}

// recordedResponse is an answer of the API.
type recordedResponse struct {
	status       int
	text         string
	data         any
	hasData      bool
	errors       []recordedError
	subscription *Subscription
}

// send makes the request of a step. Each step has its own second.
func (b *recordedAPI) send(t *testing.T, step recordedStep) *recordedResponse {
	t.Helper()
	b.now = b.now.Add(time.Second)
	body := ""
	if step.Body != nil {
		body = *step.Body
	} else {
		request := map[string]any{"query": *step.Document}
		if step.Variables != nil {
			request["variables"] = b.replace(step.Variables)
		}
		if step.OperationName != "" {
			request["operationName"] = step.OperationName
		}
		text, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		body = string(text)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql",
		strings.NewReader(body))
	b.authorize(t, r, b.identities[step.As], step.As, body)
	if step.Document != nil && strings.HasPrefix(*step.Document, "subscription") {
		return b.subscribe(t, r, body)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return parseResponse(t, w.Code, w.Body.Bytes())
}

func parseResponse(t *testing.T, status int, body []byte) *recordedResponse {
	t.Helper()
	got := &recordedResponse{status: status, text: string(body)}
	var members struct {
		Data   *json.RawMessage
		Errors []recordedError
	}
	var whole map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(body, &members), json.Unmarshal(body,
		&whole)); err != nil {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	_, got.hasData = whole["data"]
	if members.Data != nil {
		_ = json.Unmarshal(*members.Data, &got.data)
	}
	got.errors = members.Errors
	return got
}

// subscribe subscribes as the realtime endpoint does.
func (b *recordedAPI) subscribe(t *testing.T, r *http.Request, body string) *recordedResponse {
	t.Helper()
	q, err := parseRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	caller, err := b.authenticate(t.Context(), r, []byte(body), q)
	if err != nil {
		t.Fatal(err)
	}
	s, response, err := b.Subscribe(caller, q)
	if err != nil {
		t.Fatal(err)
	}
	if response != nil {
		text, err := response.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return parseResponse(t, http.StatusOK, text)
	}
	return &recordedResponse{subscription: s}
}

// authorize adds what an identity shows.
func (b *recordedAPI) authorize(t *testing.T, r *http.Request, who recordedIdentity, name,
	body string) {
	t.Helper()
	switch who.Mode {
	case "apiKey":
		r.Header.Set("X-Api-Key", who.Key)
	case "userPool":
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, who.Claims).SignedString(signingKey)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", token)
	case "lambda":
		r.Header.Set("Authorization", who.Token)
	case "iam":
		err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: name,
			SecretAccessKey: "secret", SessionToken: "token"}, r, sigv4.Hash(body), "appsync",
			b.cfg.Region, b.now)
		if err != nil {
			t.Fatal(err)
		}
	case "raw":
		for name, value := range who.Headers {
			r.Header.Set(name, value)
		}
	}
}

// replace puts the answers of the steps before in place of {"$from": …}.
func (b *recordedAPI) replace(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if from, ok := v["$from"].(string); ok {
			steps := strings.Split(from, ".")
			i, _ := strconv.Atoi(steps[0])
			at := b.answers[i]
			for _, name := range steps[1:] {
				at = member(at, name)
			}
			return at
		}
		replaced := map[string]any{}
		for name, value := range v {
			replaced[name] = b.replace(value)
		}
		return replaced
	case []any:
		replaced := make([]any, len(v))
		for i := range v {
			replaced[i] = b.replace(v[i])
		}
		return replaced
	}
	return v
}

func member(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// compare returns how an answer differs from what is expected, or "".
func (b *recordedAPI) compare(t *testing.T, want recordedAnswer, got *recordedResponse) string {
	t.Helper()
	if want.Subscribed || got.subscription != nil {
		if !want.Subscribed || got.subscription == nil {
			return fmt.Sprintf("subscribed: %v, want %v", got.subscription != nil, want.Subscribed)
		}
		var filter any
		if got.subscription.Filter != nil {
			filter = got.subscription.Filter
		}
		return cmp.Diff(plain(t, want.Filter), plain(t, filter))
	}
	simulated := want.Fidelity == "simulator"
	var aws struct {
		Status int
		Errors []recordedError
	}
	if simulated && bytes.HasPrefix(want.AWS, []byte("{")) {
		if err := json.Unmarshal(want.AWS, &aws); err != nil {
			t.Fatal(err)
		}
		want.Status, want.Errors, want.Data = aws.Status, aws.Errors, nil
	}
	if got.status != want.Status {
		return fmt.Sprintf("status %d, want %d", got.status, want.Status)
	}
	if got.hasData != (want.Data != nil) {
		return fmt.Sprintf("data: %v, want %v", got.hasData, want.Data != nil)
	}
	if want.Data != nil {
		var data any
		if err := json.Unmarshal(want.Data, &data); err != nil {
			t.Fatal(err)
		}
		for _, place := range want.Unordered {
			sortItems(data, place)
			sortItems(got.data, place)
		}
		if difference := b.match(data, got.data, "data"); difference != "" {
			return difference
		}
	}
	return compareErrors(want.Errors, got.errors, simulated)
}

// plain returns a value as JSON has it.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := scalars.ParseJSON(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// placeholder matches the names of values that differ from run to run.
var placeholder = regexp.MustCompile(`^\$(uuid|isoTime|token)\d*$`)

var placeholders = map[string]*regexp.Regexp{
	"uuid": regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}` +
		`-[0-9a-f]{12}$`),
	"isoTime": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`),
	"token":   regexp.MustCompile(`^eyJ2ZXJzaW9u.+$`),
}

// match compares a value with what is expected. Equal placeholders stand for equal texts.
func (b *recordedAPI) match(want, got any, place string) string {
	switch want := want.(type) {
	case string:
		text, ok := got.(string)
		if kind := placeholder.FindStringSubmatch(want); kind != nil {
			if !ok || !placeholders[kind[1]].MatchString(text) {
				return fmt.Sprintf("%s: %v, want %s", place, got, want)
			}
			if kind[1] == "token" {
				return ""
			}
			if b.known[want] == "" {
				for other, is := range b.known {
					if is == text {
						return fmt.Sprintf("%s: %s is %s already, want %s", place, text, other,
							want)
					}
				}
				b.known[want] = text
			}
			want = b.known[want]
		}
		if text != want || !ok {
			return fmt.Sprintf("%s: %v, want %v", place, got, want)
		}
		return ""
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok || !slices.Equal(sortedKeys(want), sortedKeys(object)) {
			return fmt.Sprintf("%s: %v, want %v", place, got, want)
		}
		for _, name := range sortedKeys(want) {
			if difference := b.match(want[name], object[name], place+"."+name); difference != "" {
				return difference
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(want) != len(list) {
			return fmt.Sprintf("%s: %v, want %v", place, got, want)
		}
		for i := range want {
			if difference := b.match(want[i], list[i], fmt.Sprint(place, "[", i,
				"]")); difference != "" {
				return difference
			}
		}
		return ""
	}
	if want != got {
		return fmt.Sprintf("%s: %v, want %v", place, got, want)
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// sortItems sorts the items of the connection at a place by their JSON.
func sortItems(data any, place string) {
	for name := range strings.SplitSeq(place, ".") {
		data = member(data, name)
	}
	list, _ := member(data, "items").([]any)
	text := func(v any) string {
		text, _ := json.Marshal(v)
		return string(text)
	}
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(text(a), text(b)) })
}

// compareErrors compares errors without their order. Of errors that the simulator decided,
// the words count only where the recording knows those of AWS.
func compareErrors(want, got []recordedError, simulated bool) string {
	rank := func(e recordedError) string {
		text, _ := json.Marshal(e.Path)
		return string(text)
	}
	byPath := func(a, b recordedError) int { return strings.Compare(rank(a), rank(b)) }
	slices.SortStableFunc(want, byPath)
	slices.SortStableFunc(got, byPath)
	if len(want) != len(got) && (!simulated || len(want) == 0 || len(got) == 0) {
		return fmt.Sprintf("%d errors, want %d", len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		w, g := want[i], got[i]
		if w.Message != "" && strings.HasPrefix(text(w.ErrorType), "DynamoDB:ValidationException") {
			w.ErrorType = ptr("DynamoDB:DynamoDbException") // as README-appsync.md says
		}
		if w.Kind != "" {
			if w.AWS != "" && !slices.ContainsFunc(got,
				func(g recordedError) bool { return isSaid(w.AWS, g.Message) }) {
				return fmt.Sprintf("error %q, want %q", g.Message, w.AWS)
			}
			continue
		}
		if text(w.ErrorType) != text(g.ErrorType) {
			return fmt.Sprintf("error %s, want %s", text(g.ErrorType), text(w.ErrorType))
		}
		if rank(w) != rank(g) {
			return fmt.Sprintf("error at %s, want %s", rank(g), rank(w))
		}
		if w.Message != "" && unordered(w.Message) != unordered(g.Message) {
			return fmt.Sprintf("error %q, want %q", g.Message, w.Message)
		}
	}
	return ""
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func ptr(s string) *string { return &s }

// isSaid tells whether a message is a text of AWS in which "..." is left out.
func isSaid(aws, message string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(aws), `\.\.\.`, ".*")
	return regexp.MustCompile("(?s)^" + pattern + "$").MatchString(message)
}

// unordered sorts the list in "Unauthorized on [a, b]".
func unordered(message string) string {
	list, found := strings.CutPrefix(message, "Unauthorized on [")
	if !found {
		return message
	}
	names := strings.Split(strings.TrimSuffix(list, "]"), ", ")
	slices.Sort(names)
	return "Unauthorized on " + strings.Join(names, " ")
}
