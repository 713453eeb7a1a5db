package data_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// echo answers with what tells who is calling and where.
var echo = api(func(r *http.Request) (*http.Response, error) {
	who := fmt.Sprintf("%s key=%s authorization=%s x=%s y=%s", r.URL, r.Header.Get("X-Api-Key"), r.Header.Get("Authorization"),
		r.Header.Get("X-C-X"), r.Header.Get("X-C-Y"))
	return response(r, 200, strings.NewReader(fmt.Sprintf(`{"data":{"x":%q}}`, who))), nil
})

// configured returns an app with o that answers by echo.
func configured(t *testing.T, o data.Options) *amplify.App {
	t.Helper()
	app := newApp(t, echo)
	if err := data.Configure(app, o); err != nil {
		t.Fatal(err)
	}
	return app
}

// sent returns what echo says of a call.
func sent(t *testing.T, app *amplify.App, o data.Options) string {
	t.Helper()
	got, err := send(as(t, app, "alice"), query, o)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(got, `{"x":"`), `"}`)
}

func secret(s string) amplify.Secret { return amplify.NewSecret(s) }

// TestOptions: the options of a call win over those of the App, and those over the configuration.
func TestOptions(t *testing.T) {
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = []string{pairs[i+1]}
		}
		return h
	}
	computed := func(_ context.Context, in data.HeadersInput) (http.Header, error) {
		return header("x-c-y", in.Method+" "+in.URL+" "+in.Query), nil
	}
	const here, key = "https://api.test/graphql", "da2-key-of-the-api"
	for _, c := range []struct {
		name      string
		app, call data.Options
		want      string
	}{
		{"configuration", data.Options{}, data.Options{}, here + " key=" + key + " authorization= x= y="},
		{"key of the App", data.Options{APIKey: secret("k1")}, data.Options{}, here + " key=k1 authorization= x= y="},
		{"key of the call", data.Options{APIKey: secret("k1")}, data.Options{APIKey: secret("k2")}, here + " key=k2 authorization= x= y="},
		{"mode of the App", data.Options{AuthMode: data.AuthUserPool}, data.Options{}, here + " key= authorization=access token of alice x= y="},
		{"mode of the call", data.Options{AuthMode: data.AuthUserPool}, data.Options{AuthMode: data.AuthNone}, here + " key= authorization= x= y="},
		{"ID token", data.Options{AuthMode: data.AuthUserPool}, data.Options{IDToken: true}, here + " key= authorization=ID token of alice x= y="},
		{"ID token of the App", data.Options{AuthMode: data.AuthOIDC, IDToken: true}, data.Options{}, here + " key= authorization=ID token of alice x= y="},
		{"token of the App", data.Options{AuthMode: data.AuthLambda, AuthToken: secret("t1")}, data.Options{}, here + " key= authorization=t1 x= y="},
		{
			"token of the call", data.Options{AuthMode: data.AuthLambda, AuthToken: secret("t1")}, data.Options{AuthToken: secret("t2")},
			here + " key= authorization=t2 x= y=",
		},
		{
			"headers of both", data.Options{Headers: header("x-c-x", "app", "X-C-Y", "app")}, data.Options{Headers: header("X-c-Y", "call")},
			here + " key=" + key + " authorization= x=app y=call",
		},
		{
			"function", data.Options{Headers: header("x-c-y", "app")}, data.Options{Headers: header("x-c-y", "call"), HeadersFunc: computed},
			here + " key=" + key + " authorization= x= y=POST " + here + " " + query,
		},
		{"function of the App", data.Options{HeadersFunc: computed}, data.Options{}, here + " key=" + key + " authorization= x= y=POST " + here + " " + query},
		{
			"headers in place of the mode's", data.Options{}, data.Options{AuthMode: data.AuthIdentityPool, Headers: header("authorization", "h")},
			here + " key= authorization=h x= y=",
		},
		{
			"another endpoint", data.Options{}, data.Options{Endpoint: "https://b.test/g", AuthMode: data.AuthUserPool},
			"https://b.test/g key= authorization=access token of alice x= y=",
		},
		{
			"endpoint of the App", data.Options{Endpoint: "https://b.test/g", AuthMode: data.AuthAPIKey, APIKey: secret("kb")}, data.Options{},
			"https://b.test/g key=kb authorization= x= y=",
		},
	} {
		if got := sent(t, configured(t, c.app), c.call); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestTokenBelongsToItsMode: a token is not sent in another mode than that which it was given for.
func TestTokenBelongsToItsMode(t *testing.T) {
	app := configured(t, data.Options{AuthMode: data.AuthLambda, AuthToken: secret("for the authorizer")})
	for mode, want := range map[data.AuthMode]string{
		data.AuthUserPool: "key= authorization=access token of alice", data.AuthNone: "key= authorization= ",
		data.AuthAPIKey: "key=da2-key-of-the-api authorization= ", data.AuthIdentityPool: "key= authorization=AWS4-HMAC-SHA256 ",
	} {
		if got := sent(t, app, data.Options{AuthMode: mode}); !strings.Contains(got, want) {
			t.Errorf("%s: sent %s", mode, got)
		}
	}
	app = configured(t, data.Options{AuthMode: data.AuthUserPool, IDToken: true})
	if got := sent(t, app, data.Options{AuthMode: data.AuthUserPool}); !strings.Contains(got, "authorization=access token of alice") {
		t.Errorf("sent %s", got)
	}
}

// TestEndpointTakesNothingOver: what is meant for one API is not sent to another.
func TestEndpointTakesNothingOver(t *testing.T) {
	app := configured(t, data.Options{
		AuthMode: data.AuthAPIKey, APIKey: secret("key-of-the-app"), Headers: http.Header{"X-C-X": {"of the app"}},
		HeadersFunc: func(context.Context, data.HeadersInput) (http.Header, error) {
			return http.Header{"X-C-Y": {"of the app"}}, nil
		},
	})
	const elsewhere = "https://b.test/g"
	for _, o := range []data.Options{
		{Endpoint: elsewhere}, {Endpoint: elsewhere, AuthMode: data.AuthAPIKey}, {Endpoint: elsewhere, APIKey: secret("k")},
	} {
		if got, err := send(as(t, app, "alice"), query, o); amplify.ReasonOf(err) != amplify.ReasonConfiguration || len(amplify.ConfigErrors(err)) != 1 {
			t.Errorf("sent %s, %v", got, err)
		}
	}
	if got, want := sent(t, app, data.Options{Endpoint: elsewhere, AuthMode: data.AuthNone}), elsewhere+" key= authorization= x= y="; got != want {
		t.Errorf("sent %s", got)
	}
}

// TestOptionsFaults: options that cannot be used are refused, when an App is configured and when a
// call is made, before anything is sent.
func TestOptionsFaults(t *testing.T) {
	for field, o := range map[string]data.Options{
		"Options.AuthMode":  {AuthMode: "sorcery"},
		"Options.AuthToken": {AuthMode: data.AuthIdentityPool, AuthToken: secret("t")},
		"Options.Region":    {Region: "eu-west-1"},
		"Options.Endpoint":  {Endpoint: "https://user:secret@b.test", AuthMode: data.AuthNone},
		"Options.APIKey":    {Endpoint: "https://b.test", AuthMode: data.AuthAPIKey},
	} {
		app := newApp(t, api(func(*http.Request) (*http.Response, error) {
			t.Errorf("%s: something was sent", field)
			return nil, errors.New("nothing is expected")
		}))
		_, err := send(as(t, app, "alice"), query, o)
		for what, err := range map[string]error{"Configure": data.Configure(newApp(t, nil), o), "the call": err} {
			faults := amplify.ConfigErrors(err)
			if len(faults) != 1 || faults[0].Field != field || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %s: %v", field, what, err)
			}
		}
	}
	app := newApp(t, echo)
	cfg := app.Config()
	cfg.Data.DefaultAuthMode = "iam" // by default a signature
	if _, err := send(as(t, app, "alice"), query, data.Options{AuthToken: secret("t")}); len(amplify.ConfigErrors(err)) != 1 {
		t.Errorf("a token in place of a signature: %v", err)
	}
}

// TestConfigureOnce: an App is configured before its first call, and once.
func TestConfigureOnce(t *testing.T) {
	app := configured(t, data.Options{})
	used := newApp(t, echo)
	_ = sent(t, used, data.Options{})
	for _, app := range []*amplify.App{app, used} {
		if err := data.Configure(app, data.Options{}); amplify.ReasonOf(err) != amplify.ReasonConfiguration {
			t.Errorf("got %v", err)
		}
	}
}

// TestHeaders: what HTTP cannot send is refused, without a word about values.
func TestHeaders(t *testing.T) {
	failure := errors.New("no headers today")
	for name, o := range map[string]data.Options{
		"name":       {Headers: http.Header{"a b": {"hidden"}}},
		"no name":    {Headers: http.Header{"": {"hidden"}}},
		"line break": {Headers: http.Header{"A": {"hidden\r\nX-Api-Key: k"}}},
		"function": {HeadersFunc: func(context.Context, data.HeadersInput) (http.Header, error) {
			return http.Header{"A": {"hidden\n"}}, nil
		}},
		"token":        {AuthMode: data.AuthLambda, AuthToken: secret("hidden\n")},
		"its own word": {HeadersFunc: func(context.Context, data.HeadersInput) (http.Header, error) { return nil, failure }},
	} {
		_, err := send(as(t, newApp(t, echo), "alice"), query, o)
		own := name == "its own word" && errors.Is(err, failure)
		if !own && amplify.ReasonOf(err) != amplify.ReasonInvalidRequest || err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bearer is a session with an access token alone.
type bearer struct{}

func (bearer) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	return &amplify.Tokens{AccessToken: amplify.NewToken("access token", &amplify.Claims{})}, nil
}

// TestWithoutIDToken: a session without an ID token does not send the access token in its place.
func TestWithoutIDToken(t *testing.T) {
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t, echo), amplify.Providers{Tokens: bearer{}})
	defer done()
	if got, err := send(ctx, query, data.Options{AuthMode: data.AuthUserPool, IDToken: true}); amplify.ReasonOf(err) != amplify.ReasonInvalidRequest {
		t.Errorf("sent %s, %v", got, err)
	}
}

// TestNotSignedIn: modes that need a user fail with the reason why there is none.
func TestNotSignedIn(t *testing.T) {
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t, echo), amplify.Providers{})
	defer done()
	for _, mode := range []data.AuthMode{data.AuthUserPool, data.AuthOIDC} {
		if got, err := send(ctx, query, data.Options{AuthMode: mode}); !errors.Is(err, amplify.ErrUnauthenticated) ||
			amplify.ReasonOf(err) != amplify.ReasonNoSession {
			t.Errorf("%s: sent %s, %v", mode, got, err)
		}
	}
}

// TestEndpointOfTheApp: calls go where the App's endpoints say, in the mode that the configuration
// has for the API.
func TestEndpointOfTheApp(t *testing.T) {
	for custom, want := range map[string]string{"": "key=da2-key-of-the-api", "https://custom.test": "key= "} {
		cfg := config()
		cfg.CustomEndpoint = custom
		app, err := amplify.New(amplify.Config{Data: cfg}, amplify.Options{
			HTTPClient: &http.Client{Transport: echo}, Endpoints: amplify.Endpoints{Data: "http://localhost:9000"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := sent(t, app, data.Options{}); !strings.HasPrefix(got, "http://localhost:9000/graphql "+want) {
			t.Errorf("sent %s", got)
		}
		_ = app.Close(t.Context())
	}
}

// TestRegions: a call is signed for the region of the API that it goes to.
func TestRegions(t *testing.T) {
	for _, c := range []struct {
		region, custom, customRegion string
		o                            data.Options
		scope                        string
	}{
		{"eu-west-1", "", "", data.Options{}, "/eu-west-1/appsync/"},
		{"eu-west-1", "https://c.test", "us-east-1", data.Options{}, "/us-east-1/execute-api/"},
		{"eu-west-1", "", "", data.Options{Endpoint: "https://b.test"}, "/eu-west-1/appsync/"},
		{"eu-west-1", "https://c.test", "us-east-1", data.Options{Endpoint: "https://b.test", Region: "us-west-2"}, "/us-west-2/appsync/"},
	} {
		cfg := config()
		cfg.Region, cfg.CustomEndpoint, cfg.CustomEndpointRegion = c.region, c.custom, c.customRegion
		app, err := amplify.New(amplify.Config{Data: cfg}, amplify.Options{HTTPClient: &http.Client{Transport: echo}})
		if err != nil {
			t.Fatal(err)
		}
		c.o.AuthMode = data.AuthIdentityPool
		if got := sent(t, app, c.o); !strings.Contains(got, c.scope) {
			t.Errorf("%s: sent %s", c.scope, got)
		}
		_ = app.Close(t.Context())
	}
	cfg := config()
	cfg.Region = ""
	app, err := amplify.New(amplify.Config{Data: cfg}, amplify.Options{HTTPClient: &http.Client{Transport: echo}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(as(t, app, "alice"), query, data.Options{AuthMode: data.AuthIdentityPool}); amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Errorf("without a region: %v", err)
	}
}
