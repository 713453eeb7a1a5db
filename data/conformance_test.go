package data_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/conformance"
)

// recordedInput is the input of a case of data.json.
type recordedInput struct {
	Schema         string                     `json:"schema"`
	Outputs        map[string]json.RawMessage `json:"outputs"`
	GraphQLConfig  map[string]*string         `json:"graphqlConfig"`
	NoAPI          bool                       `json:"noApi"`
	NoAuth         bool                       `json:"noAuth"`
	Client         recordedClient             `json:"client"`
	Session        string                     `json:"session"`
	Cookies        map[string]string          `json:"cookies"`
	LibraryHeaders map[string]string          `json:"libraryHeaders"`
	OmitContext    bool                       `json:"omitContext"`
	Steps          []recordedStep             `json:"steps"`
	Responses      []canned                   `json:"responses"`
}

type recordedClient struct {
	Kind    string    `json:"kind"` // says how the client is made; ours is the same for all
	Options jsOptions `json:"options"`
}

// jsOptions are the options of a client or of a call.
type jsOptions struct {
	AuthMode  string          `json:"authMode"`
	AuthToken string          `json:"authToken"`
	APIKey    string          `json:"apiKey"`
	Endpoint  string          `json:"endpoint"`
	Headers   json.RawMessage `json:"headers"`
}

// options returns the Go value for o.
func (o jsOptions) options() (data.Options, error) {
	out := data.Options{
		AuthMode: data.AuthMode(o.AuthMode), AuthToken: amplify.NewSecret(o.AuthToken),
		APIKey: amplify.NewSecret(o.APIKey), Endpoint: o.Endpoint,
	}
	var function struct {
		Headers *struct {
			Set  map[string]string `json:"set"`
			Echo map[string]string `json:"echo"`
		} `json:"$headersFunction"`
	}
	if o.Headers == nil {
		return out, nil
	}
	if err := json.Unmarshal(o.Headers, &function); err == nil && function.Headers != nil {
		f := function.Headers
		out.HeadersFunc = func(_ context.Context, in data.HeadersInput) (http.Header, error) {
			values := map[string]string{"method": in.Method, "url": in.URL, "queryString": in.Query}
			h := http.Header{}
			for name, value := range f.Set {
				h.Set(name, value)
			}
			for name, option := range f.Echo {
				h.Set(name, strings.Join(strings.Fields(values[option]), " "))
			}
			return h, nil
		}
		return out, nil
	}
	var headers map[string]string
	err := json.Unmarshal(o.Headers, &headers)
	out.Headers = headerOf(headers)
	return out, err
}

// headerOf returns the Go value for headers, as they are spelled.
func headerOf(headers map[string]string) http.Header {
	if headers == nil {
		return nil
	}
	h := http.Header{}
	for name, value := range headers {
		h[name] = []string{value}
	}
	return h
}

type recordedStep struct {
	On   string            `json:"on"`
	Call string            `json:"call"`
	Args []json.RawMessage `json:"args"`
}

// canned is a canned reply.
type canned struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Text    string            `json:"text"`
	Drop    bool              `json:"drop"`
}

// recordedExpected is what a case of data.json expects.
type recordedExpected struct {
	Requests []recordedRequest `json:"requests"`
	Results  []recordedResult  `json:"results"`
}

type recordedRequest struct {
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	Body     json.RawMessage   `json:"body"`
	Attempts int               `json:"attempts"`
}

type recordedResult struct {
	Value        json.RawMessage `json:"value"`
	Error        map[string]any  `json:"error"`
	Rejected     json.RawMessage `json:"rejected"`
	RequestCount int             `json:"requestCount"`
}

// sessions is data.sessions.json.
type sessions struct {
	Sessions map[string]struct {
		Tokens, Credentials string // by name
		Failure             *amplify.Error
	}
	Tokens      map[string]struct{ AccessToken, IDToken string }
	Credentials map[string]struct{ AccessKeyID, SecretAccessKey, SessionToken string }
}

func loadSessions(t testing.TB) *sessions {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(conformance.Dir(t), "data.sessions.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := &sessions{}
	if err := json.Unmarshal(b, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// secrets verify signatures of the recorded credentials.
func (s *sessions) secrets() conformance.Secrets {
	all := conformance.Secrets{}
	for _, c := range s.Credentials {
		all[c.AccessKeyID] = c.SecretAccessKey
	}
	return all
}

// provider is the session of a case.
type provider struct {
	all     *sessions
	name    string
	cookies map[string]string // hold the tokens, unless it is nil
}

func (p provider) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	session := p.all.Sessions[p.name]
	tokens, ok := p.all.Tokens[session.Tokens]
	for name, value := range p.cookies {
		if strings.HasSuffix(name, ".accessToken") {
			tokens.AccessToken, ok = value, true
		}
	}
	switch {
	case session.Failure != nil:
		return nil, session.Failure
	case !ok:
		return nil, amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
	return &amplify.Tokens{
		AccessToken: amplify.NewToken(tokens.AccessToken, &amplify.Claims{}),
		IDToken:     amplify.NewToken(tokens.IDToken, &amplify.Claims{}),
	}, nil
}

func (p provider) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	session := p.all.Sessions[p.name]
	c, ok := p.all.Credentials[session.Credentials]
	switch {
	case session.Failure != nil:
		return nil, session.Failure
	case !ok:
		return nil, nil
	}
	return &amplify.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: amplify.NewSecret(c.SecretAccessKey),
		SessionToken: amplify.NewSecret(c.SessionToken),
	}, nil
}

// recording is a case that is being run.
type recording struct {
	recordedInput
	app     *amplify.App
	ctx     context.Context
	options data.Options // of the client
	server  *capture
	want    recordedExpected
	last    found // by the step before
}

// callers make the calls of steps, by the part of their name before the first dot. They return what
// the original resolves to, as JSON would have it, or an error. "$lazy" calls a relation of the
// result of the step before.
var callers = map[string]func(*recording, recordedStep) (any, error){
	"graphql": (*recording).graphQL,

	"models": (*recording).modelCall, "$lazy": (*recording).lazyCall,
	"queries": (*recording).operationCall, "mutations": (*recording).operationCall,
	"enums": (*recording).enumCall, "$surface": (*recording).surface,
}

// TestConformanceData makes the calls of data.json against a server that captures what is sent.
func TestConformanceData(t *testing.T) {
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	all := loadSessions(t)
	rules := append(dataRules(conformance.Load(t, "data.json")), modelRules(t)...)
	conformance.Run(t, "data.json", rules, func(t *testing.T, c conformance.Case) error {
		r := &recording{server: newCapture(t, all)}
		raw := r.server.inPlace(c.Input)
		if err := conformance.Decode(raw, &r.recordedInput); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		want := &r.want
		if err := conformance.Decode(c.Expected, want); err != nil {
			return fmt.Errorf("expected: %w", err)
		}
		if want.Requests == nil || len(want.Results) == 0 {
			return errors.New("expected lacks requests or results")
		}
		if err := r.prepare(t, all); err != nil {
			return err
		}
		got := []any{}
		steps := r.Steps
		if len(steps) == 0 { // the client could not be made: ours is made by each call
			steps = []recordedStep{{Call: "graphql", Args: []json.RawMessage{[]byte(`{"query":"{ __typename }"}`)}}}
		}
		for _, step := range steps {
			before := r.server.count()
			kind, _, _ := strings.Cut(step.Call, ".")
			if step.On != "" {
				kind = "$lazy"
			}
			caller, ok := callers[kind]
			if !ok {
				return fmt.Errorf("a call of %s", step.Call)
			}
			value, err := caller(r, step)
			got = append(got, outcome(value, err, r.server.count()-before))
		}
		wanted := []any{}
		for _, result := range want.Results {
			o, err := result.outcome()
			if err != nil {
				return err
			}
			wanted = append(wanted, o)
		}
		for i := range min(len(got), len(wanted)) {
			// The wording of engine errors is not part of the behaviour.
			w, g := wanted[i].(map[string]any), got[i].(map[string]any)
			if w["error"] == anyError && g["error"] != nil {
				g["error"] = anyError
			}
			// "Error" says that the original has no name for it.
			theirs, _ := w["error"].(map[string]any)
			if ours, ok := g["error"].(map[string]any); ok && theirs["name"] == "Error" {
				ours["name"] = "Error"
			}
		}
		return errors.Join(same("the results", got, wanted), r.server.compare(want.Requests))
	})
}

func same(what string, got, want any) error {
	raw, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if err := conformance.Diff(raw, got); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// prepare makes the App and the context of the case.
func (r *recording) prepare(t *testing.T, all *sessions) error {
	cfg, err := r.config(t)
	if err != nil {
		return err
	}
	// A client of its own, since the capture server closes connections.
	if r.app, err = amplify.New(cfg, amplify.Options{HTTPClient: r.server.Client()}); err != nil {
		return err
	}
	t.Cleanup(func() { _ = r.app.Close(context.WithoutCancel(t.Context())) })
	if r.LibraryHeaders != nil {
		if err := data.Configure(r.app, data.Options{Headers: headerOf(r.LibraryHeaders)}); err != nil {
			return err
		}
	}
	if r.options, err = r.Client.Options.options(); err != nil {
		return err
	}
	r.ctx = t.Context()
	if r.OmitContext {
		return nil
	}
	p := provider{all, r.Session, r.Cookies}
	ctx, done := amplify.WithServerContext(r.ctx, r.app, amplify.Providers{Tokens: p, Credentials: p})
	t.Cleanup(done)
	r.ctx = ctx
	return nil
}

// config returns the configuration of the case.
func (r *recording) config(t *testing.T) (cfg amplify.Config, err error) {
	raw, err := os.ReadFile(filepath.Join(conformance.Dir(t), "models", r.Schema, "amplify_outputs.json"))
	if err != nil {
		return cfg, err
	}
	var outputs, api map[string]json.RawMessage // so that models and fields keep their order
	if err := errors.Join(json.Unmarshal(raw, &outputs), json.Unmarshal(outputs["data"], &api)); err != nil {
		return cfg, err
	}
	api["url"] = json.RawMessage(`"` + r.server.URL + `/graphql"`)
	for name, value := range r.Outputs {
		if api[name] = value; string(value) == "null" {
			delete(api, name)
		}
	}
	if outputs["data"], err = json.Marshal(api); err != nil {
		return cfg, err
	}
	if raw, err = json.Marshal(outputs); err != nil {
		return cfg, err
	}
	if cfg, err = amplify.ParseConfig(raw); err != nil {
		return cfg, err
	}
	if r.NoAuth {
		cfg.Auth = nil
	}
	if r.NoAPI {
		cfg.Data = nil
		return cfg, nil
	}
	for name, value := range r.GraphQLConfig {
		text := ""
		if value != nil {
			text = *value
		}
		switch name {
		case "endpoint":
			cfg.Data.Endpoint = text
		case "region":
			cfg.Data.Region = text
		case "customEndpoint":
			cfg.Data.CustomEndpoint = text
		case "customEndpointRegion":
			cfg.Data.CustomEndpointRegion = text
		case "defaultAuthMode":
			cfg.Data.DefaultAuthMode = text
		case "apiKey":
			cfg.Data.APIKey = amplify.NewSecret(text)
		case "modelIntrospection":
			cfg.Data.ModelIntrospection = nil
		default:
			return cfg, fmt.Errorf("graphqlConfig has %q", name)
		}
	}
	return cfg, nil
}

// graphQL sends a document.
func (r *recording) graphQL(step recordedStep) (any, error) {
	var in struct {
		Query     string
		Variables map[string]any
		AuthMode  string
		AuthToken string
		APIKey    string
	}
	if err := conformance.Decode(step.Args[0], &in); err != nil {
		return nil, err
	}
	js := jsOptions{AuthMode: in.AuthMode, AuthToken: in.AuthToken, APIKey: in.APIKey}
	if len(step.Args) > 1 {
		js.Headers = step.Args[1]
	}
	options, err := r.with(js)
	if err != nil {
		return nil, err
	}
	out, err := data.GraphQL[json.RawMessage](r.ctx, data.Request{
		Query: in.Query, Variables: in.Variables, Options: options,
	})
	value := map[string]any{}
	if out != nil {
		value["data"] = out
	}
	return value, err
}

// with returns the options of a call over those of the client, where no model has them.
func (r *recording) with(js jsOptions) (data.Options, error) {
	o, err := js.options()
	client := r.options
	o.AuthMode = cmp.Or(o.AuthMode, client.AuthMode)
	if o.AuthToken.IsZero() {
		o.AuthToken = client.AuthToken
	}
	if o.APIKey.IsZero() {
		o.APIKey = client.APIKey
	}
	o.Endpoint = cmp.Or(o.Endpoint, client.Endpoint)
	if js.Headers == nil {
		o.Headers, o.HeadersFunc = client.Headers, client.HeadersFunc
	}
	return o, err
}

// anyError stands for an error whose words do not count.
const anyError = "any error"

// engineErrors are worded by JavaScript engines. They are read as "fails": README.md, "Conventions
// of all files".
var engineErrors = regexp.MustCompile(`^(TypeError|SyntaxError|RangeError)$`)

// outcome is what counts of a result of ours: "data" and other members of the value, "errors" of
// the answer, "error" otherwise, and how many requests were sent.
func outcome(value any, err error, requests int) map[string]any {
	out := map[string]any{}
	if members, ok := value.(map[string]any); ok {
		out = members
	}
	if requests > 0 {
		out["requests"] = requests
	}
	var e *amplify.Error
	switch {
	case err == nil:
	case !errors.As(err, &e):
		out["error"] = map[string]any{"text": err.Error()}
	default:
		if answered, ok := e.Err.(data.GraphQLErrors); ok {
			out["errors"] = answered
			break
		}
		out["error"] = map[string]any{"name": e.Name, "message": e.Message}
	}
	return out
}

// outcome is what counts of a recorded result, in the form of outcome above. In JavaScript an error
// is thrown, or stands among the errors of a result. In Go it is returned in both cases.
func (r recordedResult) outcome() (map[string]any, error) {
	out := map[string]any{}
	if r.RequestCount > 0 {
		out["requests"] = r.RequestCount
	}
	if r.Error != nil {
		out["error"] = errorOf(r.Error)
		return out, nil
	}
	raw := r.Value
	if raw == nil {
		raw = r.Rejected
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	members, ok := value.(map[string]any)
	if !ok {
		out["value"] = value
		return out, nil
	}
	entries, _ := members["errors"].([]any)
	for i, entry := range entries {
		if original, ok := entry.(map[string]any)["originalError"].(map[string]any); ok {
			out["error"] = errorOf(original)
			return out, nil
		}
		entries[i] = withoutNulls(entry)
	}
	for name, value := range members {
		out[name] = value
	}
	if out["data"] == nil { // nil in Go, whether it is null or left out
		delete(out, "data")
	}
	if out["nextToken"] == nil {
		delete(out, "nextToken")
	}
	return out, nil
}

func errorOf(js map[string]any) any {
	if engineErrors.MatchString(fmt.Sprint(js["name"])) {
		return anyError
	}
	return map[string]any{"name": js["name"], "message": js["message"]}
}

// withoutNulls returns v, an entry of an answer's errors, without members that say nothing.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = withoutNulls(member); member == nil {
				delete(v, name)
			}
		}
	case []any:
		for i, element := range v {
			v[i] = withoutNulls(element)
		}
	}
	return v
}

// capture is a server that answers as a case says, and keeps what is sent.
type capture struct {
	*httptest.Server
	all *sessions

	mu        sync.Mutex
	responses []canned
	requests  []recordedRequest
	sent      int
	fault     error
}

func newCapture(t *testing.T, all *sessions) *capture {
	c := &capture{all: all}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// inPlace puts the address of the server in place of $url and $host, and takes over the replies.
func (c *capture) inPlace(input []byte) []byte {
	var in struct{ Responses []canned }
	if err := json.Unmarshal(input, &in); err == nil {
		c.responses = in.Responses
	}
	input = bytes.ReplaceAll(input, []byte("$url"), []byte(c.URL+"/graphql"))
	return bytes.ReplaceAll(input, []byte("$host"), []byte(c.host()))
}

func (c *capture) host() string { return strings.TrimPrefix(c.URL, "http://") }

func (c *capture) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

func (c *capture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.fault = err
	}
	request, err := c.read(r, body)
	if err != nil {
		c.fault = err
	}
	if n := len(c.requests); n > 0 && sameAttempt(c.requests[n-1], request) {
		c.requests[n-1].Attempts++
	} else {
		c.requests = append(c.requests, request)
	}
	if len(c.responses) == 0 {
		c.fault = errors.New("a call without a canned reply")
		panic(http.ErrAbortHandler)
	}
	a := c.responses[min(c.sent, len(c.responses)-1)]
	c.sent++
	if a.Drop {
		panic(http.ErrAbortHandler)
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(cmp.Or(a.Status, http.StatusOK))
	if a.Body != nil {
		_, _ = w.Write(a.Body)
	} else {
		_, _ = io.WriteString(w, a.Text)
	}
}

var (
	scope     = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^,]+), .*$`)
	otherwise = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\$day/([^,]+), .*$`)
)

// read returns r in the form of the recordings, but for the signature: that it is right is checked
// here. Which headers are signed depends on those that the recordings leave out.
func (c *capture) read(r *http.Request, body []byte) (recordedRequest, error) {
	out := recordedRequest{
		Method: r.Method, Path: r.URL.EscapedPath(), Attempts: 1, Body: body,
		Headers: map[string]string{"host": strings.ReplaceAll(r.Host, c.host(), "$host")},
	}
	var fault error
	for name, values := range r.Header {
		value := strings.Join(values, ",")
		name = strings.ToLower(name)
		switch {
		case name == "authorization" && scope.MatchString(value):
			hash := sha256.Sum256(body)
			fault = c.all.secrets().Verify(r, hex.EncodeToString(hash[:]), len(body))
			value = scope.ReplaceAllString(value, "signed as $1/$2")
		case name == "authorization":
			for _, t := range c.all.Tokens {
				value = strings.ReplaceAll(value, t.AccessToken, "$accessToken")
				value = strings.ReplaceAll(value, t.IDToken, "$idToken")
			}
		case name == "x-amz-date":
			value = "$date"
		case strings.HasPrefix(name, "x-c-"):
			value = strings.ReplaceAll(meaning(value), c.host(), "$host")
		case strings.HasPrefix(name, "x-amz-"), slices.Contains([]string{"x-api-key", "content-type", "cookie"}, name):
		default:
			continue // "accept" is added by the HTTP library of Node.js
		}
		out.Headers[name] = value
	}
	return out, fault
}

// sameAttempt reports whether b repeats a.
func sameAttempt(a, b recordedRequest) bool {
	a.Attempts, b.Attempts = 0, 0
	return reflect.DeepEqual(a, b)
}

// compare compares the requests with the recorded ones.
func (c *capture) compare(want []recordedRequest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != nil {
		return c.fault
	}
	wanted, got := []any{}, []any{}
	for _, r := range want {
		delete(r.Headers, "accept")
		r.Headers["authorization"] = otherwise.ReplaceAllString(r.Headers["authorization"], "signed as $1/$2")
		for name, value := range r.Headers {
			if strings.HasPrefix(name, "x-c-") {
				r.Headers[name] = meaning(value)
			}
		}
		wanted = append(wanted, r.meaning())
	}
	for _, r := range c.requests {
		got = append(got, r.meaning())
	}
	return same("the requests", got, wanted)
}

// meaning returns what counts of a request.
func (r recordedRequest) meaning() map[string]any {
	headers := map[string]string{}
	for name, value := range r.Headers {
		if value != "" {
			headers[name] = value
		}
	}
	m := map[string]any{"method": r.Method, "path": r.Path, "headers": headers, "attempts": r.Attempts}
	var body map[string]any
	if err := json.Unmarshal(r.Body, &body); err != nil {
		m["body"] = string(r.Body)
		return m
	}
	if query, ok := body["query"].(string); ok {
		body["query"] = meaning(query)
	}
	m["body"] = body
	return m
}

// meaning returns a document in one spelling. A text that is no document is returned as it is.
func meaning(document string) string {
	doc, err := parser.ParseQuery(&ast.Source{Input: document})
	if err != nil || len(doc.Operations)+len(doc.Fragments) == 0 {
		return document
	}
	var b strings.Builder
	formatter.NewFormatter(&b).FormatQueryDocument(doc)
	return b.String()
}
