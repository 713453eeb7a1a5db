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
	"github.com/amplify-go/amplify/internal/conformance"
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
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		var want errorExpected
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			return err
		}
		services := &cannedServices{keys: keys.Set(), responses: in.Responses, requests: []errorRequest{}}
		var value any
		var err error
		if in.Misuse != "" {
			misuse := misuses[in.Misuse]
			if misuse == nil {
				return errors.New("there is no such call in Go")
			}
			value, err = misuse(t)
		} else {
			value, err = in.run(t, keys, services)
		}
		if err := sameError(want, value, err); err != nil {
			return err
		}
		if want.Requests == nil {
			want.Requests = []errorRequest{}
		}
		b, err := json.Marshal(want.Requests)
		if err != nil {
			return err
		}
		return conformance.Diff(b, services.requests)
	})
}

// sameError compares what a call came to. The text of an error is compared where a service sent it; what Amplify JS
// says itself speaks of JavaScript.
func sameError(want errorExpected, value any, err error) error {
	if want.Error == nil {
		if err != nil {
			return fmt.Errorf("failed (recorded: value): %w", err)
		}
		return conformance.Diff(want.Value, value)
	}
	if err == nil {
		return fmt.Errorf("returned %v, recorded is %s", value, want.Error.Name)
	}
	got := failed(err).Error
	if engineErrors[want.Error.Name] {
		return nil
	}
	if got.Name != want.Error.Name || len(want.Requests) > 0 && got.Message != want.Error.Message {
		return fmt.Errorf("failed with %+v, recorded is %+v", got, want.Error)
	}
	return nil
}

// run calls the operation of a case.
func (in *errorInput) run(t *testing.T, keys *conformance.Keys, services *cannedServices) (any, error) {
	cfg, err := amplify.ParseConfig(in.Config)
	if err != nil {
		return nil, err
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
	return reduced, nil
}

// resign gives a recorded token, whose signature is none, one of the pool's. Other texts stay as they are.
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

// misuses are the misuses of the recordings that can be written in Go, by their words. An object that is no
// context is a context without a server context.
var misuses = map[string]func(*testing.T) (any, error){
	"fetchAuthSession()":   func(t *testing.T) (any, error) { return reducedSession(t.Context()) },
	"fetchAuthSession({})": func(t *testing.T) (any, error) { return reducedSession(t.Context()) },
	"getCurrentUser()":     func(t *testing.T) (any, error) { return currentUser(t.Context()) },
	"getCurrentUser(undefined)": func(t *testing.T) (any, error) {
		return currentUser(t.Context())
	},
	"getCurrentUser({})":                         func(t *testing.T) (any, error) { return currentUser(t.Context()) },
	"getCurrentUser({token: {value: Symbol()}})": func(t *testing.T) (any, error) { return currentUser(t.Context()) },
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

// errorRules say where the cases of errors.json are excepted, and why.
var errorRules = []conformance.Rule{
	{
		Name:   "storage and data",
		Reason: "their packages are not built yet",
		Match: func(c conformance.Case) bool {
			operation, _ := c.In("operation").(string)
			misuse, _ := c.In("misuse").(string)
			return strings.HasPrefix(operation, "getUrl") || operation == "list" ||
				strings.HasPrefix(misuse, "getUrl") || strings.Contains(strings.ToLower(misuse), "client")
		},
	},
	{
		Name:   "wrong types",
		Reason: "the call does not compile",
		Match: func(c conformance.Case) bool {
			misuse, _ := c.In("misuse").(string)
			return strings.Contains(misuse, "nextServerContext: {}") || strings.Contains(misuse, "{nextServerContext, operation}") ||
				strings.Contains(misuse, ".configure()")
		},
	},
	{
		Name:   "a session without a server context",
		Reason: "the original falls back to global settings, and finds nobody; there are none here, and the mistake is told",
		Match: func(c conformance.Case) bool {
			misuse, _ := c.In("misuse").(string)
			return strings.HasPrefix(misuse, "fetchAuthSession(")
		},
	},
	{
		Name:   "looking up what is no context",
		Reason: "it is the same mistake as calling an API without one, and has the same name",
		Match:  func(c conformance.Case) bool { return c.In("misuse") == "getAmplifyServerContext({})" },
	},
	{
		Name:   "tokens without an issuer",
		Reason: "they do not verify: nobody is signed in",
		Match:  func(c conformance.Case) bool { return c.Want("error", "name") == "InvalidIdTokenException" },
	},
	{
		Name:   "no ID token",
		Reason: "half a session is none: the user would have no name",
		Match: func(c conformance.Case) bool {
			value, ok := c.Want("value").(map[string]any)
			return ok && len(value) == 0 && c.In("operation") == "getCurrentUser"
		},
	},
	{
		Name:   "no refresh token",
		Reason: "an expired session is no session",
		Match:  func(c conformance.Case) bool { return c.Want("error", "name") == "TokenRefreshException" },
	},
}
