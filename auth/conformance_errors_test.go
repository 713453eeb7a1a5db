package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/storage"
)

// errorInput is the input of a case of errors.json.
type errorInput struct {
	Operation string            `json:"operation"`
	Config    json.RawMessage   `json:"config"`
	Cookies   map[string]string `json:"cookies"`
	Responses []cannedResponse  `json:"responses"`
	Misuse    string            `json:"misuse"`
}

type cannedResponse struct {
	Status int             `json:"status"`
	Type   string          `json:"type"`
	Body   json.RawMessage `json:"body"`
	Drop   bool            `json:"drop"`
}

// errorExpected is what a case of errors.json expects.
type errorExpected struct {
	Value    json.RawMessage `json:"value"`
	Error    *errorOutcome   `json:"error"`
	Requests []errorRequest  `json:"requests"`
	// Unauthenticated is the reason why nobody is signed in. Only rules expect it.
	Unauthenticated amplify.Reason `json:"unauthenticated"`
}

type errorRequest struct {
	Method string `json:"method"`
	Host   string `json:"host"`
	Target string `json:"target"`
	Body   any    `json:"body"`
}

func TestConformanceErrors(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	keys := conformance.NewKeys(t)
	conformance.Run(t, "errors.json", errorRules, func(t *testing.T, c conformance.Case) error {
		var in errorInput
		if err := conformance.Decode(c.Input, &in); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		var want errorExpected
		if err := conformance.Decode(c.Expected, &want); err != nil {
			return fmt.Errorf("expected: %w", err)
		}
		if want.Requests == nil {
			return errors.New("expected lacks requests")
		}
		services := &cannedServices{keys: keys.Set(), responses: in.Responses, requests: []errorRequest{}}
		var value any
		var err error
		if in.Misuse != "" {
			misuse := misuses[in.Misuse]
			if misuse == nil {
				return fmt.Errorf("misuse %q", in.Misuse)
			}
			value, err = misuse(t)
		} else {
			value, err = in.run(t, keys, services)
		}
		got, ok := value.(outcome)
		if !ok {
			got = outcome{Result: value}
		}
		if err != nil {
			got = failed(err)
		}
		expected := outcome{Error: want.Error, Unauthenticated: want.Unauthenticated}
		if want.Value != nil {
			expected.Result = want.Value
		}
		var last string
		if n := len(want.Requests); n > 0 {
			last = want.Requests[n-1].Target
		}
		requests, err := json.Marshal(want.Requests)
		if err != nil {
			return err
		}
		return errors.Join(sameOutcome(expected, got, last), conformance.Diff(requests, services.requests))
	})
}

// run calls the operation of a case.
func (in *errorInput) run(t *testing.T, keys *conformance.Keys, services *cannedServices) (any, error) {
	var cfg amplify.Config // {} in JavaScript, which ParseConfig refuses
	if string(in.Config) != "{}" {
		var err error
		if cfg, err = amplify.ParseConfig(in.Config); err != nil {
			return nil, err
		}
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{
		App:     amplify.Options{HTTPClient: &http.Client{Transport: services}},
		Cognito: cognito.Options{GuestIdentity: cognito.GuestPerVisitor},
	})
	if err != nil {
		return nil, err
	}
	closeWith(t, runner)
	r := httptest.NewRequest(http.MethodGet, "https://myapp.com/page", nil)
	for name, value := range in.Cookies {
		signed, err := resign(keys, value)
		if err != nil {
			return nil, err
		}
		services.signed = append(services.signed, signed, value)
		r.AddCookie(&http.Cookie{Name: cookie.EncodeName(name), Value: cookie.EncodeValue(signed)})
	}
	return amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadWrite(httptest.NewRecorder(), r),
		func(ctx context.Context) (any, error) {
			switch in.Operation {
			case "getCurrentUser":
				return currentUser(ctx)
			case "fetchUserAttributes":
				return auth.FetchUserAttributes(ctx)
			case "fetchAuthSession":
				return reducedSession(ctx)
			case "getUrl":
				return storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("a/b")})
			case "getUrlPrivate":
				private := storage.KeyOptions{AccessLevel: storage.LevelPrivate}
				return storage.GetURL(ctx, storage.GetURLInput{Path: storage.Key("b", private)})
			case "list":
				return storage.List(ctx, storage.ListInput{Path: storage.Path("a/")})
			}
			return nil, fmt.Errorf("operation %q", in.Operation)
		})
}

func currentUser(ctx context.Context) (any, error) {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"username": user.Username, "userId": user.UserID}, nil
}

// reducedSession fetches the session and reduces it as the recordings are.
func reducedSession(ctx context.Context) (any, error) {
	s, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
	if err != nil {
		return nil, err
	}
	reduced := map[string]any{}
	if s.Tokens != nil {
		reduced["tokens"], reduced["userSub"] = "$tokens", s.UserSub
	}
	if s.Credentials != nil {
		reduced["credentials"], reduced["identityId"] = "$credentials", s.IdentityID
	}
	return outcome{Result: reduced, Unauthenticated: amplify.ReasonOf(s.Unauthenticated)}, nil
}

// resign gives a recorded token, whose signature is none, one of the pool's. Other texts stay as
// they are.
func resign(keys *conformance.Keys, token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return token, nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return token, nil
	}
	spec := conformance.TokenSpec{Key: "pool"}
	if json.Unmarshal(payload, &spec.Claims) != nil {
		return token, nil
	}
	return keys.Sign(spec, time.Now())
}

// cannedServices answers as a case says, and publishes the keys of any pool.
type cannedServices struct {
	keys      []byte
	responses []cannedResponse
	signed    []string // signed tokens, each before the recorded one

	mu       sync.Mutex
	requests []errorRequest
}

func (s *cannedServices) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/.well-known/jwks.json") {
		return response(r, http.StatusOK, "", s.keys), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	request := errorRequest{Method: r.Method, Host: r.URL.Host, Target: r.Header.Get("X-Amz-Target")}
	text := strings.NewReplacer(slices.Clone(s.signed)...).Replace(string(body))
	if err := json.Unmarshal([]byte(text), &request.Body); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.requests)
	s.requests = append(s.requests, request)
	if len(s.responses) == 0 {
		return nil, errors.New("unexpected call of " + request.Target)
	}
	a := s.responses[min(n, len(s.responses)-1)]
	if a.Drop {
		return nil, syscall.ECONNRESET
	}
	return response(r, max(a.Status, http.StatusOK), a.Type, a.Body), nil
}

func response(r *http.Request, status int, errorType string, body []byte) *http.Response {
	h := http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	if errorType != "" {
		h.Set("X-Amzn-Errortype", errorType)
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// misuses are the misuses of the recordings that can be written in Go, by their words. An object
// that is no context is a context without a server context.
var misuses = map[string]func(*testing.T) (any, error){
	"fetchAuthSession()":   func(t *testing.T) (any, error) { return reducedSession(t.Context()) },
	"fetchAuthSession({})": func(t *testing.T) (any, error) { return reducedSession(t.Context()) },
	"getCurrentUser()":     func(t *testing.T) (any, error) { return currentUser(t.Context()) },
	"getCurrentUser(undefined)": func(t *testing.T) (any, error) {
		return currentUser(t.Context())
	},
	"getCurrentUser({})":                         func(t *testing.T) (any, error) { return currentUser(t.Context()) },
	"getCurrentUser({token: {value: Symbol()}})": func(t *testing.T) (any, error) { return currentUser(t.Context()) },
	"getUrl({}, {path})":                         func(t *testing.T) (any, error) { return urlOf(t.Context()) },
	"getUrl(undefined, {path})":                  func(t *testing.T) (any, error) { return urlOf(t.Context()) },
	"fetchAuthSession(kept context)":             func(t *testing.T) (any, error) { return reducedSession(keptContext(t)) },
	"getAmplifyServerContext(kept context)":      func(t *testing.T) (any, error) { return amplify.FromContext(keptContext(t)) },
	"getAmplifyServerContext({})":                func(t *testing.T) (any, error) { return amplify.FromContext(t.Context()) },
	"runWithAmplifyServerContext(config, {}, throws)": func(t *testing.T) (any, error) {
		return amplify.RunWithServerContext(t.Context(), newApp(t), amplify.Providers{},
			func(context.Context) (any, error) { return nil, &amplify.Error{Name: "RangeError", Message: "mine"} })
	},
	"createServerRunner({config}).runWithAmplifyServerContext({nextServerContext: null})": func(t *testing.T) (any, error) {
		runner, err := amplifyhttp.NewServerRunner(newApp(t).Config(), amplifyhttp.Options{})
		if err != nil {
			return nil, err
		}
		closeWith(t, runner)
		return amplifyhttp.RunWithServerContext(runner, amplifyhttp.Static(t.Context()), reducedSession)
	},
	"getUrl({path}, context)": func(*testing.T) (any, error) {
		if first := reflect.TypeFor[func(context.Context, storage.GetURLInput) (*storage.GetURLOutput, error)](); reflect.TypeOf(storage.GetURL) != first {
			return nil, fmt.Errorf("GetURL is a %T: call it so", storage.GetURL)
		}
		return "does not compile", nil
	},
	// The nearest thing to making a client of data is a call.
	"generateServerClientUsingCookies({config, cookies: {}})": func(t *testing.T) (any, error) { return sent(t.Context(), "{ x }") },
	"generateServerClientUsingReqRes({})":                     func(t *testing.T) (any, error) { return sent(openContext(t), "{ x }") },
	"generateClient({})":                                      func(t *testing.T) (any, error) { return sent(openContext(t), "{ x }") },
	"client.graphql(context, subscription)": func(t *testing.T) (any, error) {
		return sent(openContext(t), "subscription { onX { id } }")
	},
	// The nearest thing to an object that fits nothing is the zero value.
	"createServerRunner({config}).runWithAmplifyServerContext({nextServerContext: {}})": func(t *testing.T) (any, error) {
		runner, err := amplifyhttp.NewServerRunner(newApp(t).Config(), amplifyhttp.Options{})
		if err != nil {
			return nil, err
		}
		closeWith(t, runner)
		return amplifyhttp.RunWithServerContext(runner, amplifyhttp.Access{}, ran)
	},
	"createServerRunner({config: {}}).runWithAmplifyServerContext({nextServerContext: {}})": func(t *testing.T) (any, error) {
		runner, err := amplifyhttp.NewServerRunner(amplify.Config{}, amplifyhttp.Options{})
		if err != nil {
			return nil, err
		}
		closeWith(t, runner)
		return amplifyhttp.RunWithServerContext(runner, amplifyhttp.Access{}, ran)
	},
	// The nearest thing to a call without a configuration has no App.
	"runWithAmplifyServerContext({nextServerContext, operation})": func(t *testing.T) (any, error) {
		return amplify.RunWithServerContext(t.Context(), nil, amplify.Providers{}, currentUser)
	},
	"getAmplifyServerContext(context).amplify.configure()": func(*testing.T) (any, error) {
		for _, t := range []reflect.Type{reflect.TypeFor[*amplify.ServerContext](), reflect.TypeFor[*amplify.App]()} {
			if _, ok := t.MethodByName("Configure"); ok {
				return nil, fmt.Errorf("%v has a method Configure: call it", t)
			}
		}
		return "no such method", nil
	},
	"createServerRunner({config}).createAuthRouteHandlers()": func(t *testing.T) (any, error) {
		runner, err := amplifyhttp.NewServerRunner(newApp(t).Config(), amplifyhttp.Options{})
		if err != nil {
			return nil, err
		}
		closeWith(t, runner)
		return runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	},
	"createServerRunner({})":                   func(*testing.T) (any, error) { return amplify.ParseConfig(nil) },
	"createServerRunner({config: {aws_x: 1}})": func(*testing.T) (any, error) { return amplify.ParseConfig([]byte(`{"aws_x":1}`)) },
}

func urlOf(ctx context.Context) (any, error) {
	return storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("a/b")})
}

// sent sends a document.
func sent(ctx context.Context, document string) (any, error) {
	return data.GraphQL[json.RawMessage](ctx, data.Request{Query: document})
}

// openContext returns a context of an App whose configuration has no API.
func openContext(t *testing.T) context.Context {
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t), amplify.Providers{})
	t.Cleanup(done)
	return ctx
}

func ran(context.Context) (any, error) { return "ran", nil }

func newApp(t *testing.T) *amplify.App {
	app, err := amplify.New(amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "us-east-1_Errors001", UserPoolClientID: "errclient1",
	}}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closeWith(t, app)
	return app
}

// keptContext returns the context of an operation that has returned.
func keptContext(t *testing.T) context.Context {
	kept, _ := amplify.RunWithServerContext(t.Context(), newApp(t), amplify.Providers{},
		func(ctx context.Context) (context.Context, error) { return ctx, nil })
	return kept
}

// errorRules say where the cases of errors.json are excepted, why, and what we answer instead.
var errorRules = []conformance.Rule{
	{
		Name:   "a data client without a context",
		Reason: "there is no data client: the context of each call says who is calling",
		Match:  misused("generateServerClientUsingCookies({config, cookies: {}})"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, noContext, amplify.ReasonNoContext)
		},
	},
	{
		Name:   "a data client without a configuration",
		Reason: "there is no data client: a call says what is missing",
		Match:  misused("generateClient({})"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, wording{
				"NoEndpoint", "No GraphQL endpoint configured.",
				"Make sure that the configuration has the URL of the GraphQL API (data.url of the outputs).",
			}, amplify.ReasonConfiguration)
		},
	},
	{
		Name:   "a subscription as a request",
		Reason: "it cannot be sent so; the original returns a function that fails",
		Match:  misused("client.graphql(context, subscription)"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, wording{
				"GraphQLError", "A subscription cannot be sent as a request.", "Send a query or a mutation.",
			}, amplify.ReasonInvalidRequest)
		},
	},
	{
		Name:   "a context that fits nothing",
		Reason: "it does not compile; the zero value is a guest's",
		Match:  misused("createServerRunner({config}).runWithAmplifyServerContext({nextServerContext: {}})"),
		Instead: func(c conformance.Case) conformance.Case {
			return c.ExpectNo("error").Expect("ran", "value")
		},
	},
	{
		Name:   "a call without a configuration",
		Reason: "it does not compile; the nearest thing is a nil App, which is told at the first use",
		Match:  misused("runWithAmplifyServerContext({nextServerContext, operation})"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, wording{
				"AmplifyServerContextError", "The server context was made without an App.",
				"Pass the App that amplify.New returned, and do not go on where it returned an error.",
			}, amplify.ReasonConfiguration)
		},
	},
	{
		Name:   "the context in second place",
		Reason: "it does not compile",
		Match:  misused("getUrl({path}, context)"),
		Instead: func(c conformance.Case) conformance.Case {
			return c.ExpectNo("error").Expect("does not compile", "value")
		},
	},
	{
		Name:   "configuring a server context",
		Reason: "it does not compile: there is no such method",
		Match:  misused("getAmplifyServerContext(context).amplify.configure()"),
		Instead: func(c conformance.Case) conformance.Case {
			return c.ExpectNo("error").Expect("no such method", "value")
		},
	},
	{
		Name:   "a session without a server context",
		Reason: "the original falls back to global settings, and finds nobody; there are none here, and the mistake is told",
		Match:  misused("fetchAuthSession()", "fetchAuthSession({})"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, noContext, amplify.ReasonNoContext)
		},
	},
	{
		Name:   "a session of a server context that has ended",
		Reason: "the original finds nobody; here the mistake is told",
		Match:  misused("fetchAuthSession(kept context)"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, closedContext, amplify.ReasonContextClosed)
		},
	},
	{
		Name:   "looking up what is no context",
		Reason: "it is the same mistake as calling an API without one, and has the same name",
		Match:  misused("getAmplifyServerContext({})"),
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, noContext, amplify.ReasonNoContext)
		},
	},
	{
		Name:   "tokens without an issuer",
		Reason: "they do not verify: nobody is signed in",
		Match: func(c conformance.Case) bool {
			return c.In("operation") == "fetchAuthSession" && c.Want("error", "name") == "InvalidIdTokenException"
		},
		Instead: func(c conformance.Case) conformance.Case {
			return c.ExpectNo("error").Expect(map[string]any{}, "value").Expect(amplify.ReasonWrongIssuer, "unauthenticated")
		},
	},
	{
		Name:   "no ID token",
		Reason: "half a session is none: the user would have no name",
		Match: func(c conformance.Case) bool {
			value, ok := c.Want("value").(map[string]any)
			return ok && len(value) == 0 && c.In("operation") == "getCurrentUser"
		},
		Instead: func(c conformance.Case) conformance.Case {
			return expectError(c, unauthenticated, amplify.ReasonIncompleteSession)
		},
	},
	{
		Name:   "no refresh token",
		Reason: "an expired session is no session",
		Match:  func(c conformance.Case) bool { return c.Want("error", "name") == "TokenRefreshException" },
		Instead: func(c conformance.Case) conformance.Case {
			if c.In("operation") == "fetchAuthSession" {
				return c.ExpectNo("error").Expect(map[string]any{}, "value").
					Expect(amplify.ReasonExpiredNoRefreshToken, "unauthenticated")
			}
			return expectError(c, unauthenticated, amplify.ReasonExpiredNoRefreshToken)
		},
	},
}

func calledBy(c conformance.Case) (operation, misuse string) {
	operation, _ = c.In("operation").(string)
	misuse, _ = c.In("misuse").(string)
	return operation, misuse
}

// misused returns a predicate for the words of a misuse.
func misused(words ...string) func(conformance.Case) bool {
	return func(c conformance.Case) bool {
		_, misuse := calledBy(c)
		return slices.Contains(words, misuse)
	}
}

// expectError returns c with an error in place of its value.
func expectError(c conformance.Case, w wording, reason amplify.Reason) conformance.Case {
	return c.ExpectNo("value").Expect(errorOutcome{
		Name: w.Name, Message: w.Message, RecoverySuggestion: w.RecoverySuggestion, Reason: reason,
	}, "error")
}
