package sandbox_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/function"
)

// noteSchema is a schema of models alone.
const noteSchema = `
type Note @model @auth(rules: [{allow: public}, {allow: owner}]) {
  text: String
}

type Diary @model @auth(rules: [{allow: owner}]) {
  text: String
}

`

// dataSchema has an operation for all modes of authorization, too.
const dataSchema = noteSchema + `
type Query {
  who: AWSJSON @function(name: "who") @auth(rules: [{allow: public}, {allow: private},
    {allow: public, provider: iam}, {allow: private, provider: iam},
    {allow: private, provider: oidc}, {allow: custom}])
  boom: String @function(name: "boom") @auth(rules: [{allow: public}])
  nobody: String @function(name: "nobody") @auth(rules: [{allow: public}])
  panics: String @function(name: "panics") @auth(rules: [{allow: public}])
}
`

// dataFunctions answer the custom operations of dataSchema.
var dataFunctions = map[string]function.Handler{
	"Query.who": func(_ context.Context, e function.Event) (any, error) {
		return e.Identity, nil
	},
	"Query.panics": func(context.Context, function.Event) (any, error) { panic("secret") },
	"Query.boom": func(context.Context, function.Event) (any, error) {
		return nil,
			errors.New("boom")
	},
}

// dataOutputs is what tests read of the section data.
type dataOutputs struct {
	URL         string   `json:"url"`
	Region      string   `json:"aws_region"`
	APIKey      string   `json:"api_key"`
	DefaultMode string   `json:"default_authorization_type"`
	OtherModes  []string `json:"authorization_types"`

	Introspection struct {
		Models map[string]any
	} `json:"model_introspection"`
}

// graphQL sends a document, with the headers that authorize adds, and returns status and body.
func graphQL(t *testing.T, s interface{ URL() string }, document string,
	authorize func(r *http.Request, body string)) (int, string) {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		t.Fatal(err)
	}
	body := string(text)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/graphql",
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorize != nil {
		authorize(r, body)
	}
	response, answer := do(t, http.DefaultTransport, r)
	if response.Header.Get("X-Amzn-Requestid") == "" && response.StatusCode != 429 {
		t.Error("the answer has no request id")
	}
	return response.StatusCode, answer
}

// by returns what adds a header.
func by(name, value string) func(*http.Request, string) {
	return func(r *http.Request, _ string) { r.Header.Set(name, value) }
}

// signedBy returns what signs for AppSync with a key.
func signedBy(t *testing.T, key storageKey) func(*http.Request, string) {
	t.Helper()
	return signedFor(t, key, "us-east-1", time.Now())
}

// signedFor returns what signs for AppSync in a region with a key at a time.
func signedFor(t *testing.T, key storageKey, region string, at time.Time) func(*http.Request, string) {
	t.Helper()
	return func(r *http.Request, body string) {
		sum := sha256.Sum256([]byte(body))
		err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), "appsync",
			region, at)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// oidcProvider is a provider of OpenID Connect that signs with the key of ID tokens.
func oidcProvider(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter,
		_ *http.Request) {
		fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q, "id_token_signing_alg_values_supported": `+
			`["RS256"]}`,
			server.URL, server.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		public := testKeys()[1].PublicKey
		fmt.Fprintf(w, `{"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k", "n": `+
			`%q, "e": "AQAB"}]}`,
			jwtSegment(public.N.Bytes()))
	})
	return server
}

func jwtSegment(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func oidcToken(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k"
	signed, err := token.SignedString(testKeys()[1])
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// resigned returns a token of the user pool with one claim changed, signed with a key.
func resigned(t *testing.T, token string, key *rsa.PrivateKey, claim string, value any) string {
	t.Helper()
	claims := jwt.MapClaims{}
	parsed, _, err := jwt.NewParser().ParseUnverified(token, claims)
	if err != nil {
		t.Fatal(err)
	}
	claims[claim] = value
	signed, err := parsed.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// startData starts a sandbox with dataSchema and all modes of authorization.
func startData(t *testing.T, issuer string) *backend {
	t.Helper()
	return startBackend(t, func(c *sandbox.Config) {
		c.Data = sandbox.Data{Schema: dataSchema, Functions: dataFunctions,
			OIDC: sandbox.OIDCProvider{Issuer: issuer, ClientID: "client"},
			Authorizer: func(_ context.Context, r function.AuthorizerRequest) (
				function.AuthorizerResponse, error) {
				return function.AuthorizerResponse{IsAuthorized: r.Token == "let-me-in",
					ResolverContext: map[string]any{"query": r.QueryString}}, nil
			}}
	})
}

// TestDataModes: each mode of authorization lets in who has what it asks for, and nobody else.
func TestDataModes(t *testing.T) {
	provider := oidcProvider(t)
	b := startData(t, provider.URL)
	data := b.Data
	tokens := b.signIn(t, "ann@example.com")
	guestID, guest := b.storageKey(t, "")
	annID, ann := b.storageKey(t, "ann@example.com")
	claims := jwt.MapClaims{"iss": provider.URL, "aud": "client", "sub": "o",
		"exp": time.Now().Add(time.Hour).Unix()}
	with := func(name string, value any) jwt.MapClaims {
		changed := maps.Clone(claims)
		changed[name] = value
		return changed
	}
	const document = "{ who }"

	for name, tt := range map[string]struct {
		authorize func(*http.Request, string)
		want      map[string]any // members of the identity
	}{
		"API key": {by("X-Api-Key", data.APIKey), nil},
		"access token": {by("Authorization", *tokens.AccessToken),
			map[string]any{"groups": []any{"editors"}}},
		"ID token": {by("Authorization", *tokens.IdToken),
			map[string]any{"groups": []any{"editors"}}},
		// Amplify restricts an API to no client of the pool.
		"token of another client": {by("Authorization", resigned(t, *tokens.AccessToken,
			testKeys()[0], "client_id", "other")), map[string]any{"groups": []any{"editors"}}},
		"guest": {signedBy(t, guest), map[string]any{"cognitoIdentityId": guestID,
			"cognitoIdentityAuthType": "unauthenticated"}},
		"identity": {signedBy(t, ann), map[string]any{"cognitoIdentityId": annID,
			"cognitoIdentityAuthType": "authenticated"}},
		"authorizer": {by("Authorization", "let-me-in"), map[string]any{
			"resolverContext": map[string]any{"query": document}}},
		"OIDC": {by("Authorization", oidcToken(t, claims)), map[string]any{"sub": "o",
			"issuer": provider.URL}},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := graphQL(t, b.Sandbox, document, tt.authorize)
			var answer struct{ Data struct{ Who *string } }
			if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
				t.Fatalf("%d %s: %v", status, body, err)
			}
			if tt.want == nil {
				if body != `{"data":{"who":null}}` {
					t.Error(body)
				}
				return
			}
			if answer.Data.Who == nil {
				t.Fatal(body)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(*answer.Data.Who), &got); err != nil {
				t.Fatal(err)
			}
			for name, want := range tt.want {
				if diff := cmp.Diff(want, got[name]); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}

	stranger := guest
	stranger.SecretAccessKey = "another"
	foreign := guest
	foreign.SessionToken = ann.SessionToken
	forged := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	forged.Header["kid"] = "k"
	hs256, err := forged.SignedString([]byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(
		jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		authorize func(*http.Request, string)
		status    int
		errorType string
	}{
		"nothing":     {nil, 401, "UnauthorizedException"},
		"a wrong key": {by("X-Api-Key", data.APIKey+"x"), 401, "UnauthorizedException"},
		"two keys": {func(r *http.Request, _ string) {
			r.Header["X-Api-Key"] = []string{data.APIKey, "x"}
		}, 401, "UnauthorizedException"},
		"two tokens": {func(r *http.Request, _ string) {
			r.Header["Authorization"] = []string{*tokens.AccessToken, *tokens.IdToken}
		}, 401, "UnauthorizedException"},
		"no method": {by("Authorization", unsigned), 401, "UnauthorizedException"},
		"a wrong token beside the key": {func(r *http.Request, _ string) {
			r.Header.Set("Authorization", unsigned)
			r.Header.Set("X-Api-Key", data.APIKey)
		}, 401, "UnauthorizedException"},
		"an unsigned session token": {func(r *http.Request, body string) {
			key := ann
			key.SessionToken = ""
			signedBy(t, key)(r, body)
			r.Header.Set("X-Amz-Security-Token", ann.SessionToken)
		}, 403, "InvalidSignatureException"},
		"an empty key": {by("X-Api-Key", ""), 401, "UnauthorizedException"},
		"no token":     {by("Authorization", "keep-me-out"), 401, "UnauthorizedException"},
		"a changed token": {by("Authorization", *tokens.AccessToken+"x"), 401,
			"UnauthorizedException"},
		"a refresh token": {by("Authorization", *tokens.RefreshToken), 401,
			"UnauthorizedException"},
		"another audience": {by("Authorization", oidcToken(t, with("aud", "x"))), 401,
			"UnauthorizedException"},
		"another issuer": {by("Authorization", oidcToken(t, with("iss", "x"))), 401,
			"UnauthorizedException"},
		"an old token": {by("Authorization", oidcToken(t, with("exp", 1))), 401,
			"UnauthorizedException"},
		"another method": {by("Authorization", hs256), 401, "UnauthorizedException"},
		"another secret": {signedBy(t, stranger), 403, "InvalidSignatureException"},
		"mixed keys":     {signedBy(t, foreign), 403, "UnrecognizedClientException"},
		"another body": {func(r *http.Request, body string) {
			signedBy(t, ann)(r, body+" ")
		}, 403, "InvalidSignatureException"},
		"another region": {signedFor(t, ann, "eu-west-1", time.Now()), 403,
			"InvalidSignatureException"},
		"an old signature": {signedFor(t, ann, "us-east-1", time.Now().Add(-6*time.Minute)), 403,
			"InvalidSignatureException"},
		"a signature of tomorrow": {signedFor(t, ann, "us-east-1", time.Now().Add(24*time.Hour)), 403,
			"InvalidSignatureException"},
		"another path": {func(r *http.Request, body string) {
			r.URL.Path += "/connect" // where realtime connections are signed for
			signedBy(t, ann)(r, body)
			r.URL.Path = strings.TrimSuffix(r.URL.Path, "/connect")
		}, 403, "InvalidSignatureException"},
		"another query": {func(r *http.Request, body string) {
			signedBy(t, ann)(r, body)
			r.URL.RawQuery = "a=b"
		}, 403, "InvalidSignatureException"},
		"another host": {func(r *http.Request, body string) {
			signedBy(t, ann)(r, body)
			r.Host = b.host(t)
		}, 403, "InvalidSignatureException"},
		"another date": {func(r *http.Request, body string) {
			signedBy(t, ann)(r, body)
			r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z"))
		}, 403, "InvalidSignatureException"},
		"the date is not signed": {func(r *http.Request, body string) {
			signedBy(t, ann)(r, body)
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"),
				";x-amz-date", "", 1))
		}, 403, "InvalidSignatureException"},
		"no signature": {func(r *http.Request, body string) {
			signedBy(t, ann)(r, body)
			before, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature=")
			r.Header.Set("Authorization", before)
		}, 403, "IncompleteSignatureException"},
		"a token with Bearer": {by("Authorization", "Bearer "+*tokens.AccessToken), 401,
			"UnauthorizedException"},
		"a token of another pool": {by("Authorization", resigned(t, *tokens.AccessToken,
			testKeys()[0], "iss", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other")),
			401, "UnauthorizedException"},
		"a token with another key": {by("Authorization", resigned(t, *tokens.AccessToken,
			testKeys()[1], "a", "b")), 401, "UnauthorizedException"},
		"an expired token": {by("Authorization", resigned(t, *tokens.AccessToken, testKeys()[0],
			"exp", 1)), 401, "UnauthorizedException"},
		"another service": {func(r *http.Request, body string) {
			sign(t, r, ann, body, time.Now())
			r.Host = b.host(t)
		}, 403, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := graphQL(t, b.Sandbox, document, tt.authorize)
			var answer struct {
				Data   any
				Errors []struct{ ErrorType, Message string }
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if status != tt.status || answer.Data != nil || len(answer.Errors) != 1 ||
				answer.Errors[0].ErrorType != tt.errorType {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// host returns AWS's name for the API.
func (b *backend) host(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(b.Data.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// TestDataOwners: what belongs to one user is not for another one.
func TestDataOwners(t *testing.T) {
	b := startData(t, "http://127.0.0.1:1")
	as := func(user, document string) string {
		_, body := graphQL(t, b.Sandbox, document, by("Authorization", *b.signIn(t,
			user).AccessToken))
		return body
	}
	made := as("ann@example.com", `mutation { createDiary(input: {id: "d", text: "x"}) { id `+
		`owner } }`)
	if !regexp.MustCompile(
		`^{"data":{"createDiary":{"id":"d","owner":"[0-9a-f-]{36}"}}}$`).MatchString(made) {
		t.Error(made)
	}
	for document, want := range map[string]string{
		`{ getDiary(id: "d") { text } }`: `{"getDiary":null}`,
		`{ listDiaries { items { text } } }`: `{"listDiaries":` +
			`{"items":[]}}`,
		`mutation { updateDiary(input: {id: "d", text: "y"}) { text } }`: `{"updateDiary":null}`,
		`mutation { deleteDiary(input: {id: "d"}) { text } }`:            `{"deleteDiary":null}`,
		`mutation { createDiary(input: {id: "d", text: "y"}) { text } }`: `{"createDiary":null}`,
	} {
		if body := as("bob@example.com", document); !strings.HasPrefix(body, `{"data":`+want) {
			t.Errorf("%s: %s", document, body)
		}
	}
	if body := as("ann@example.com", `{ getDiary(id: "d") { text } }`); body != `{"data":`+
		`{"getDiary":{"text":"x"}}}` {
		t.Error(body)
	}
}

// TestDataAfterSignOut: AppSync knows of no session. It takes the tokens of one that has ended
// until they expire.
func TestDataAfterSignOut(t *testing.T) {
	b := startData(t, oidcProvider(t).URL)
	tokens := b.signIn(t, "ann@example.com")
	_, err := b.users.GlobalSignOut(t.Context(),
		&cognito.GlobalSignOutInput{AccessToken: tokens.AccessToken})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		offset time.Duration
		status int
		says   string
	}{
		{0, http.StatusOK, `"data":`},
		{59 * time.Minute, http.StatusOK, `"data":`},
		{61 * time.Minute, http.StatusUnauthorized, "Token has expired."},
	} {
		b.SetClockOffset(step.offset)
		for kind, token := range map[string]*string{
			"access": tokens.AccessToken, "ID": tokens.IdToken,
		} {
			status, body := graphQL(t, b.Sandbox, "{ who }", by("Authorization", *token))
			if status != step.status || !strings.Contains(body, step.says) {
				t.Errorf("%s token after %v: %d %s", kind, step.offset, status, body)
			}
		}
	}
}

// TestDataFunctions: the errors of functions, and of those that are missing, reach the caller.
func TestDataFunctions(t *testing.T) {
	b := startData(t, "http://127.0.0.1:1")
	key := by("X-Api-Key", b.Data.APIKey)
	for document, want := range map[string]string{
		`{ boom }`: `"errorType":"Lambda:Unhandled"`,
		`{ panics }`: `"errorType":"Lambda:Unhandled","errorInfo":null,"locations":[{"line":1,` +
			`"column":3,"sourceName":null}],"message":"the function panicked: the sandbox's log`,
		`{ nobody }`: `The sandbox has no function for Query.nobody`,
	} {
		if status, body := graphQL(t, b.Sandbox, document, key); status != 200 ||
			!strings.Contains(body, want) {
			t.Errorf("%s: %d %s", document, status, body)
		}
	}
}

// TestDataFunctionsAreKnown: a function for an operation that there is not stops the
// sandbox, and an operation without one is told.
func TestDataFunctionsAreKnown(t *testing.T) {
	var log bytes.Buffer
	cfg := sandbox.Config{Logger: slog.New(slog.NewTextHandler(&log, nil)), Data: sandbox.Data{
		Schema: noteSchema + `type Query {
			echo: String @function(name: "echo") @auth(rules: [{allow: public}])
		}`}}
	start(t, cfg)
	if !strings.Contains(log.String(), `without a function" operations=[Query.echo]`) {
		t.Error(log.String())
	}
	cfg.Data.Functions = map[string]function.Handler{"Query.echo": dataFunctions["Query.who"],
		"Query.getNote": dataFunctions["Query.who"], "echo": dataFunctions["Query.who"]}
	_, err := sandbox.Start(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), `function for "Query.getNote"`) ||
		!strings.Contains(err.Error(), `function for "echo", but the data schema has the `+
			`custom operations Query.echo`) {
		t.Error(err)
	}
}

// TestDataOutputs: the outputs of a sandbox with a schema describe its API.
func TestDataOutputs(t *testing.T) {
	b := startData(t, "http://127.0.0.1:1")
	data := b.Data
	if !regexp.MustCompile(
		`^https://[a-z0-9]{26}\.appsync-api\.us-east-1\.amazonaws\.com/graphql$`).MatchString(
		data.URL) ||
		data.Region != "us-east-1" || data.DefaultMode != "API_KEY" ||
		!strings.HasPrefix(data.APIKey, "da2-") || len(data.OtherModes) != 4 ||
		len(data.Introspection.Models) != 2 {
		t.Errorf("%+v", data)
	}
	if got := b.Custom.AmplifyGo.Endpoints["data"]; got != b.URL()+"/graphql" {
		t.Error(got)
	}
	if _, there := outputsOf(t, start(t,
		sandbox.Config{})).Custom.AmplifyGo.Endpoints["data"]; there {
		t.Error("there is an endpoint without a schema")
	}
}

// TestDataFromOutputs: the model introspection in the outputs is enough for an API, which is closed
// where the introspection does not tell the rules.
func TestDataFromOutputs(t *testing.T) {
	text, err := os.ReadFile("../testdata/conformance/models/c/amplify_outputs.json")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, sandbox.Config{Outputs: text})
	key := by("X-Api-Key", "da2-conformanceschemackey0000")
	for _, tt := range [][2]string{
		{`mutation { createThing(input: {id: "t", name: "n"}) { name } }`,
			`{"createThing":{"name":"n"}}`},
		{`{ listThings { items { id } } }`, `{"listThings":{"items":[{"id":"t"}]}}`},
		{`{ keyOrGuest }`, `{"keyOrGuest":null}`},
		{`{ listDiaries { items { id } } }`, `{"listDiaries":null}`},
	} {
		if _, body := graphQL(t, s, tt[0], key); !strings.HasPrefix(body, `{"data":`+tt[1]) {
			t.Errorf("%s: %s", tt[0], body)
		}
	}
}

// TestDataHost: the API answers under AWS's name by TLS, pages of any origin may call it, and S3
// keeps what is signed for it.
func TestDataHost(t *testing.T) {
	b := startBackend(t, func(c *sandbox.Config) {
		c.TLSAddr, c.Data.Schema, c.StorageAdmin = "127.0.0.1:0", noteSchema, true
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.CACertificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(b.TLSURL(),
				"https://"))
		}}
	t.Cleanup(transport.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions,
		"https://"+b.host(t)+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://localhost:3000")
	r.Header.Set("Access-Control-Request-Headers", "authorization,x-amz-user-agent")
	response, _ := do(t, transport, r)
	if got := response.Header.Get("Access-Control-Allow-Headers"); got != "authorization,"+
		"x-amz-user-agent" {
		t.Errorf("allowed headers: %q", got)
	}
	r, err = http.NewRequestWithContext(t.Context(), http.MethodPost,
		"https://"+b.host(t)+"/graphql",
		strings.NewReader(`{"query": "{ __typename }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", b.Data.APIKey)
	if response, body := do(t, transport, r); response.StatusCode != 200 ||
		body != `{"data":{"__typename":"Query"}}` {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	status, body := b.send(t, b.adminKey(t), storageRequest{method: "GET", path: "/graphql"})
	if status != 404 || !strings.Contains(body, "NoSuchBucket") {
		t.Errorf("a request for a bucket: %d %s", status, body)
	}
}

// TestDataSurvivesARestart: a data directory keeps items, the API's name and key, and pages.
func TestDataSurvivesARestart(t *testing.T) {
	cfg := sandbox.Config{DataDir: t.TempDir(), Data: sandbox.Data{Schema: noteSchema}}
	first := start(t, cfg)
	data := outputsOf(t, first).Data
	key := by("X-Api-Key", data.APIKey)
	for i := range 3 {
		graphQL(t, first, fmt.Sprintf(`mutation { createNote(input: {id: "n%d"}) { id } }`, i), key)
	}
	_, page := graphQL(t, first, `{ listNotes(limit: 2) { items { id } nextToken } }`, key)
	var answer struct {
		Data struct{ ListNotes struct{ NextToken string } }
	}
	if err := json.Unmarshal([]byte(page), &answer); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := start(t, cfg)
	if diff := cmp.Diff(data, outputsOf(t, second).Data); diff != "" {
		t.Error(diff)
	}
	_, page = graphQL(t, second,
		fmt.Sprintf(`{ listNotes(nextToken: %q) { items { __typename } } }`,
			answer.Data.ListNotes.NextToken), key)
	if page != `{"data":{"listNotes":{"items":[{"__typename":"Note"}]}}}` {
		t.Error(page)
	}
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Data.Schema = strings.Replace(noteSchema, "  text: String\n",
		"  text: String! @primaryKey\n", 1)
	if _, err := sandbox.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(),
		"primary key") {
		t.Errorf("another primary key: %v", err)
	}
}

// TestDataValidation: @validate refuses values, after the rules and for updates, too.
func TestDataValidation(t *testing.T) {
	s := start(t, sandbox.Config{Data: sandbox.Data{Schema: `
		type Note @model @auth(rules: [{allow: public, operations: [create, get]}]) {
			text: String @default(value: "long enough") @validate(type: minLength, value: "5")
		}
		type Memo @model @auth(rules: [{allow: public}]) {
			text: String @validate(type: minLength, value: "5", errorMessage: "too short")
		}`}})
	key := by("X-Api-Key", outputsOf(t, s).Data.APIKey)
	const short = "Field text of type Note must have a minimum length of 5"
	for _, c := range []struct{ mutation, want string }{
		{`createNote(input: {id: "1"}) { text }`, `"long enough"`},
		{`createNote(input: {id: "2", text: "tiny"}) { text }`, short},
		{`updateNote(input: {id: "1", text: "tiny"}) { text }`, "Unauthorized"},
		{`createMemo(input: {id: "1", text: "all right"}) { text }`, `"all right"`},
		{`updateMemo(input: {id: "1", text: "tiny"}) { text }`, "too short"},
		{`updateMemo(input: {id: "1", text: null}) { text }`, `"text":null`},
	} {
		if _, body := graphQL(t, s, "mutation { "+c.mutation+" }", key); !strings.Contains(body,
			c.want) {
			t.Errorf("%s: got %s, want %s", c.mutation, body, c.want)
		}
	}
}

// TestDataProjection: an index that holds some fields gives null for the others.
func TestDataProjection(t *testing.T) {
	s := start(t, sandbox.Config{Data: sandbox.Data{Schema: `
		type Note @model @auth(rules: [{allow: public}]) {
			kind: String @index(queryField: "byKind",
				projection: {type: INCLUDE, nonKeyAttributes: ["text"]})
				@index(name: "keys", queryField: "keysByKind", projection: {type: KEYS_ONLY})
			text: String
			more: String
		}`}})
	key := by("X-Api-Key", outputsOf(t, s).Data.APIKey)
	graphQL(t, s, `mutation { createNote(input: {id: "1", kind: "k", text: "t", more: "m"}) { id `+
		`} }`, key)
	for query, want := range map[string]string{
		`{ byKind(kind: "k") { items { id kind text more } } }`: `{"data":{"byKind":{"items":[` +
			`{"id":"1","kind":"k","text":"t","more":null}]}}}`,
		`{ keysByKind(kind: "k") { items { id text } } }`: `{"data":{"keysByKind":{"items":[` +
			`{"id":"1","text":null}]}}}`,
		`{ byKind(kind: "k", filter: {more: {eq: "m"}}) { items { id } } }`: `{"data":{"byKind":` +
			`{"items":[]}}}`,
	} {
		if _, body := graphQL(t, s, query, key); body != want {
			t.Errorf("%s: got %s, want %s", query, body, want)
		}
	}
}

// TestDataFaults: faults of the API are in AppSync's form, and its calls are counted.
func TestDataFaults(t *testing.T) {
	b := startData(t, "http://127.0.0.1:1")
	key := by("X-Api-Key", b.Data.APIKey)
	if _, err := b.Faults().Add(faults.Fault{Operation: "GraphQL", Outcome: faults.Throttle,
		Count: 1}); err != nil {
		t.Fatal(err)
	}
	if status, body := graphQL(t, b.Sandbox, `{ __typename }`, key); status != 429 ||
		body != `{"errors":[{"errorType":"ThrottlingException","message":"Rate exceeded"}]}` {
		t.Errorf("%d %s", status, body)
	}
	if status, body := graphQL(t, b.Sandbox, `{ __typename }`, key); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}
