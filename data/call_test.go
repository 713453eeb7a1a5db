package data_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/conformance"
)

const query, mutation = "query { x }", "mutation { y }"

// api is a network on which a function answers every request.
type api func(*http.Request) (*http.Response, error)

func (f api) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering returns an api that answers with a status and a body.
func answering(status int, body string) api {
	return func(r *http.Request) (*http.Response, error) {
		return response(r, status, strings.NewReader(body)), nil
	}
}

func response(r *http.Request, status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}
}

// config is a configuration whose default mode is the API key.
func config() *amplify.DataConfig {
	return &amplify.DataConfig{
		Endpoint: "https://api.test/graphql", Region: "eu-west-1",
		APIKey: amplify.NewSecret("da2-key-of-the-api"), DefaultAuthMode: "apiKey",
	}
}

func newApp(t testing.TB, transport http.RoundTripper) *amplify.App {
	t.Helper()
	app, err := amplify.New(amplify.Config{Data: config()}, amplify.Options{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	return app
}

// as returns a context of app for the user of a name.
func as(t testing.TB, app *amplify.App, name string) context.Context {
	t.Helper()
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Tokens: caller(name), Credentials: caller(name)})
	t.Cleanup(done)
	return ctx
}

// send sends a document with options, and returns the data as text.
func send(ctx context.Context, document string, o data.Options) (string, error) {
	out, err := data.GraphQL[json.RawMessage](ctx, data.Request{Query: document, Options: o})
	if out == nil {
		return "", err
	}
	return string(*out), err
}

// TestManyUsersAtOnce makes calls of many users through one App, several at once in each context.
// The API must see each with the token or the signature of its user.
func TestManyUsersAtOnce(t *testing.T) {
	secrets := conformance.Secrets{}
	for i := range 16 {
		secrets[fmt.Sprint("ASIAuser", i)] = fmt.Sprint("secret of user", i)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		who := strings.TrimPrefix(r.Header.Get("Authorization"), "access token of ")
		if signed, ok := strings.CutPrefix(who, "AWS4-HMAC-SHA256 Credential=ASIA"); ok {
			who, _, _ = strings.Cut(signed, "/")
			if err := secrets.Verify(r, data.HashOf(body), len(body)); err != nil {
				who = err.Error()
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"who": who}})
	}))
	t.Cleanup(server.Close)
	cfg := config()
	cfg.Endpoint = server.URL
	app, err := amplify.New(amplify.Config{Data: cfg}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	var all sync.WaitGroup
	for i := range 16 {
		name := fmt.Sprint("user", i)
		ctx := as(t, app, name)
		for _, mode := range []data.AuthMode{data.AuthUserPool, data.AuthIdentityPool, data.AuthOIDC} {
			all.Go(func() {
				for range 5 {
					got, err := send(ctx, "{ who }", data.Options{AuthMode: mode})
					if want := fmt.Sprintf(`{"who":%q}`, name); err != nil || got != want {
						t.Errorf("%s by %s: got %s, %v", name, mode, got, err)
					}
				}
			})
		}
	}
	all.Wait()
}

// keeper is a session that ends.
type keeper struct{ life context.Context }

func (keeper) Start(context.Context, amplify.IssuedTokens) error { return nil }

func (keeper) End(context.Context, amplify.EndInput) error { return nil }

func (k keeper) Lifetime() context.Context { return k.life }

// TestCallEndsWithTheSession: a call under way ends with the session or the server context, and so
// does one whose answer has just come.
func TestCallEndsWithTheSession(t *testing.T) {
	for _, answers := range []bool{false, true} {
		for _, closes := range []bool{false, true} {
			ended := amplify.Unauthenticated(amplify.ReasonSignedOut, nil)
			life, end := context.WithCancelCause(t.Context())
			var closeContext func()
			app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
				if closes {
					closeContext()
				} else {
					end(ended)
				}
				if answers {
					return response(r, 200, strings.NewReader(`{"data":{"x":"of another"}}`)), nil
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			}))
			ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Tokens: caller("alice"), Session: keeper{life}})
			closeContext = done
			got, err := send(ctx, mutation, data.Options{AuthMode: data.AuthUserPool})
			want := error(ended)
			if closes {
				want = amplify.ErrServerContextClosed
			}
			if got != "" || !errors.Is(err, want) {
				t.Errorf("answers %t, closes %t: got %q, %v", answers, closes, got, err)
			}
			done()
		}
	}
}

// TestCancel: a call ends with the caller's context, and is not sent again.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sent := 0
	app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
		sent++
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))
	ctx, done := amplify.WithServerContext(ctx, app, amplify.Providers{})
	defer done()
	if _, err := send(ctx, query, data.Options{}); !errors.Is(err, context.Canceled) || sent != 1 {
		t.Errorf("%v after %d requests", err, sent)
	}
}

// TestRetries: queries are sent up to three times if they fail for the moment, mutations only if
// they cannot have had their effect.
func TestRetries(t *testing.T) {
	status := func(code int) api { return answering(code, `{"message":"m"}`) }
	failing := func(err error) api { return func(*http.Request) (*http.Response, error) { return nil, err } }
	for _, c := range []struct {
		name               string
		api                api
		queries, mutations int
		reason             amplify.Reason
		repeated           bool // the mutation may have run
	}{
		{"500", status(500), 3, 1, amplify.ReasonServiceUnavailable, true},
		{"503", status(503), 3, 1, amplify.ReasonServiceUnavailable, true},
		{"429", status(429), 3, 3, amplify.ReasonServiceUnavailable, false},
		{"400", status(400), 1, 1, "", false},
		{"401", status(401), 1, 1, amplify.ReasonNotAuthorized, false},
		{"302", status(302), 1, 1, "", false},
		{"refused", failing(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), 3, 3, amplify.ReasonServiceUnavailable, false},
		{"reset", failing(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), 3, 1, amplify.ReasonServiceUnavailable, true},
		{"closed", failing(io.EOF), 3, 1, amplify.ReasonServiceUnavailable, true},
		{"no answer", func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 3, 1, amplify.ReasonServiceUnavailable, true},
		{"stops", func(r *http.Request) (*http.Response, error) {
			return response(r, 200, io.MultiReader(strings.NewReader(`{"data":`), ended{})), nil
		}, 3, 1, amplify.ReasonServiceUnavailable, true},
	} {
		for document, want := range map[string]int{query: c.queries, mutation: c.mutations} {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
					sent++
					return c.api(r)
				}))
				start := time.Now()
				_, err := send(as(t, app, "alice"), document, data.Options{})
				if sent != want || amplify.ReasonOf(err) != c.reason {
					t.Errorf("%s: %s was sent %d times, want %d: %v", c.name, document, sent, want, err)
				}
				var e *amplify.Error
				warned := errors.As(err, &e) && strings.Contains(e.RecoverySuggestion, "may have had its effect")
				if warned != (c.repeated && document == mutation) {
					t.Errorf("%s: %s: suggests %q", c.name, document, e.RecoverySuggestion)
				}
				if took := time.Since(start); took > 3*data.AttemptTimeout+300*time.Millisecond {
					t.Errorf("%s: %s took %v", c.name, document, took)
				}
			})
		}
	}
}

// ended is the rest of a body whose connection breaks.
type ended struct{}

func (ended) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// TestRetrySucceeds: the first attempt that is answered ends the call. Each is signed anew.
func TestRetrySucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dates []string
		app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
			dates = append(dates, r.Header.Get("X-Amz-Date"))
			if len(dates) < 3 {
				time.Sleep(time.Second) // of the bubble
				return response(r, 500, strings.NewReader("")), nil
			}
			return response(r, 200, strings.NewReader(`{"data":{"x":1}}`)), nil
		}))
		got, err := send(as(t, app, "alice"), query, data.Options{AuthMode: data.AuthIdentityPool})
		if got != `{"x":1}` || err != nil || len(dates) != 3 || dates[0] == dates[1] || dates[1] == dates[2] {
			t.Errorf("got %s, %v at %v", got, err, dates)
		}
	})
}

// blanks is an endless body.
type blanks struct{ read *atomic.Int64 }

func (b blanks) Read(p []byte) (int, error) {
	b.read.Add(int64(len(p)))
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestAnswersAreBounded: of an endless answer 8 MiB are read, whatever its status.
func TestAnswersAreBounded(t *testing.T) {
	for _, status := range []int{200, 400} {
		var read atomic.Int64
		app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
			return response(r, status, io.MultiReader(strings.NewReader(`{"data":{"x":1}}`), blanks{&read})), nil
		}))
		_, err := send(as(t, app, "alice"), query, data.Options{})
		if amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable || read.Load() > 2*data.MaxAnswer {
			t.Errorf("status %d: read %d bytes, %v", status, read.Load(), err)
		}
	}
	body := `{"data":{"x":1}}`
	body += strings.Repeat(" ", data.MaxAnswer-len(body))
	for size, want := range map[string]string{body: `{"x":1}`, body + " ": ""} {
		got, err := send(as(t, newApp(t, answering(200, size)), "alice"), query, data.Options{})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%d bytes: %q, %v", len(size), got, err)
		}
	}
}

// TestAnswers: what is no answer of a GraphQL API is an error, and so are data of another form.
func TestAnswers(t *testing.T) {
	type answer struct{ X struct{ N int } }
	for body, message := range map[string]string{
		``:                                      "The answer cannot be read.",
		`<html>`:                                "The answer cannot be read.",
		`{"data":{"x":{"n":1}}} x`:              "The answer cannot be read.",
		`{"data":` + strings.Repeat("[", 1<<20): "The answer cannot be read.",
		`[1]`:                                   "The answer is not a JSON object.",
		`"text"`:                                "The answer is not a JSON object.",
		`{}`:                                    "The answer has neither data nor errors.",
		`null`:                                  "The answer has neither data nor errors.",
		`{"data":null}`:                         "The answer has neither data nor errors.",
		`{"errors":[]}`:                         "The answer has neither data nor errors.",
		`{"data":{"x":{"n":"1"}}}`:              "The data of the answer do not fit into the Go type.",
		`{"data":[1]}`:                          "The data of the answer do not fit into the Go type.",
		`{"data":{"x":{"n":1.5}}}`:              "The data of the answer do not fit into the Go type.",
	} {
		app := newApp(t, answering(200, body))
		out, err := data.GraphQL[answer](as(t, app, "alice"), data.Request{Query: query})
		var e *amplify.Error
		if out != nil || !errors.As(err, &e) || e.Name != "UnknownError" || e.Message != message {
			t.Errorf("%.40s: got %v, %v", body, out, err)
		}
	}
	for body, want := range map[string]answer{
		`{"data":{"x":{"n":7}}}`:                          {struct{ N int }{7}},
		`{"data":{"x":{"n":7}},"errors":[]}`:              {struct{ N int }{7}},
		`{"data":{"x":{"n":7}},"errors":null,"more":[1]}`: {struct{ N int }{7}},
		`{"data":{"x":null}}`:                             {},
	} {
		app := newApp(t, answering(200, body))
		out, err := data.GraphQL[answer](as(t, app, "alice"), data.Request{Query: query})
		if err != nil || *out != want {
			t.Errorf("%s: got %v, %v", body, out, err)
		}
	}
}

// TestGraphQLErrors: an answer with errors yields all of them, and the data that there is.
func TestGraphQLErrors(t *testing.T) {
	app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
		resp := response(r, 200, strings.NewReader(`{"data":{"listNotes":{"items":[{"title":"a"},null]}},"errors":[
			{"path":["listNotes","items",1,"secret"],"data":null,"errorType":"Unauthorized","errorInfo":{"a":1},
			 "locations":[{"line":2,"column":3,"sourceName":null}],"message":"Not Authorized to access secret on type Note"},
			{"message":"second","extensions":{"code":"X"}},
			{"message":7,"path":"listNotes","locations":{},"errorType":[]}, "third", 4, null]}`))
		resp.Header.Set("X-Amzn-Requestid", "id-1")
		return resp, nil
	}))
	type answer struct {
		ListNotes struct{ Items []*struct{ Title string } }
	}
	out, err := data.GraphQL[answer](as(t, app, "alice"), data.Request{Query: query})
	if out == nil || len(out.ListNotes.Items) != 2 || out.ListNotes.Items[0].Title != "a" {
		t.Errorf("got the data %v", out)
	}
	var e *amplify.Error
	if !errors.As(err, &e) || e.Name != "Unauthorized" || e.Reason != amplify.ReasonNotAuthorized || e.RequestID != "id-1" ||
		e.Message != "Not Authorized to access secret on type Note" || !strings.Contains(e.RecoverySuggestion, `"apiKey"`) {
		t.Errorf("got %v", err)
	}
	var first *data.GraphQLError
	if !errors.As(err, &first) || first.Error() != "Unauthorized: listNotes.items.1.secret: Not Authorized to access secret on type Note" {
		t.Errorf("the first is %v", first)
	}
	var all data.GraphQLErrors
	if !errors.As(err, &all) {
		t.Fatal("no GraphQLErrors")
	}
	const silent = "The API does not say what is wrong."
	want := data.GraphQLErrors{
		{
			Message: "Not Authorized to access secret on type Note", ErrorType: "Unauthorized", ErrorInfo: []byte(`{"a":1}`),
			Path: []any{"listNotes", "items", 1, "secret"}, Locations: []data.Location{{Line: 2, Column: 3}},
		},
		{Message: "second", Extensions: []byte(`{"code":"X"}`)},
		{Message: silent}, {Message: "third"}, {Message: silent}, {Message: silent},
	}
	if d := cmp.Diff(want, all); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := all.Error(); got != "6 GraphQL errors at listNotes.items.1.secret and elsewhere" {
		t.Errorf("all are %q", got)
	}
}

// TestErrorsThatAreNoList: whatever stands in place of errors is one.
func TestErrorsThatAreNoList(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":{"x":1},"errors":{"errorType":"LimitExceededError","message":"Rate limit exceeded"}}`: "LimitExceededError",
		`{"data":{"x":1},"errors":"text"}`: "GraphQLError",
		`{"data":{"x":1},"errors":false}`:  "GraphQLError",
		`{"errors":[{}]}`:                  "GraphQLError",
	} {
		_, err := send(as(t, newApp(t, answering(200, body)), "alice"), query, data.Options{})
		var e *amplify.Error
		if !errors.As(err, &e) || e.Name != want {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// TestStatusErrors: what AppSync says with a status that is no success is read.
func TestStatusErrors(t *testing.T) {
	app := newApp(t, answering(401, `{"errors":[{"errorType":"UnauthorizedException","message":"Token has expired."}]}`))
	_, err := send(as(t, app, "alice"), query, data.Options{AuthMode: data.AuthUserPool})
	var first *data.GraphQLError
	const want = `UnauthorizedException (not_authorized): Token has expired: status 401, 1 GraphQL error. ` +
		`The call had the auth mode "userPool". Make sure that the API has that mode, and that a rule of the model allows the operation to the caller in it.`
	if !errors.As(err, &first) || first.Message != "Token has expired." || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestErrorsKeepSecrets: errors do not quote what a call is authorized by, even if the API does.
func TestErrorsKeepSecrets(t *testing.T) {
	const key, token = "da2-key-of-the-api", "token-of-the-call"
	for _, c := range []struct {
		status int
		form   string
	}{
		{200, `{"errors":[{"message":"bad %s","errorType":"%[1]s","errorInfo":"%[1]s","path":["%[1]s"],"data":["%[1]s"]}]}`},
		{200, `{"errors":"%s"}`},
		{200, `%s`},
		{401, `{"message":"bad %s","code":"%[1]s"}`},
		{401, `{"errors":[{"message":"bad %s","errorType":"%[1]s"}]}`},
		{500, `%s`},
	} {
		for secret, o := range map[string]data.Options{
			key: {}, token: {AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret(token)},
			"access token of alice": {AuthMode: data.AuthUserPool}, sessionToken: {AuthMode: data.AuthIdentityPool},
		} {
			synctest.Test(t, func(t *testing.T) {
				app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
					resp := response(r, c.status, strings.NewReader(fmt.Sprintf(c.form, secret)))
					if c.status == 500 {
						resp.Header.Set("X-Amzn-Errortype", secret)
					}
					return resp, nil
				}))
				_, err := send(as(t, app, "alice"), query, o)
				if err == nil {
					t.Fatalf("%s: no error", c.form)
				}
				text := fmt.Sprintf("%v %+v %#v", err, err, err)
				for e := err; e != nil; e = errors.Unwrap(e) {
					text += fmt.Sprintf(" %+v", e)
				}
				var all data.GraphQLErrors
				if errors.As(err, &all) {
					b, _ := json.Marshal(all)
					text += string(b)
				}
				if strings.Contains(text, secret) {
					t.Errorf("%d %s: the error is %s", c.status, c.form, text)
				}
			})
		}
	}
}
