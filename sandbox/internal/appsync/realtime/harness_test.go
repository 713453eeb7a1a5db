package realtime

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

const (
	apiHost = "abcdefghijklmnopqrstuvwxyz.appsync-api.us-east-1.amazonaws.com"
	apiKey  = "da2-key"
	region  = "us-east-1"
)

// signingKey signs the tokens of the user pool.
var signingKey = []byte("the user pool's")

// headers are what a client shows.
type headers map[string]string

// backend is an API with its realtime endpoint.
type backend struct {
	t       testing.TB
	api     *appsync.API
	handler *Handler
	http    *http.Client
	now     func() time.Time
}

// start starts an API of a schema. set changes its configuration.
func start(t testing.TB, text string, set func(*appsync.Config)) *backend {
	t.Helper()
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{t: t, now: time.Now}
	modes := []schema.Provider{schema.APIKey, schema.UserPool, schema.IAM, schema.Function}
	parsed, err := schema.Read("test.graphql", text,
		schema.Options{Default: modes[0], Additional: modes[1:]})
	if err != nil {
		t.Fatal(err)
	}
	cfg := appsync.Config{
		Region: region, Schema: parsed, Modes: modes, APIKey: apiKey, Store: st,
		Clock: func() time.Time { return b.now() }, Logger: slog.New(slog.DiscardHandler),
		UserPool: func(token string) (map[string]any, error) {
			claims := jwt.MapClaims{}
			_, err := jwt.ParseWithClaims(token, claims,
				func(*jwt.Token) (any, error) { return signingKey, nil })
			switch {
			case errors.Is(err, jwt.ErrTokenExpired):
				return nil, appsync.ErrTokenExpired
			case err != nil:
				return nil, appsync.ErrToken
			}
			return claims, nil
		},
		Credentials: func(accessKeyID, _ string) (*appsync.Caller, string, error) {
			who := map[string]schema.Principal{
				"GUEST": schema.Guest, "SIGNEDIN": schema.SignedIn}[accessKeyID]
			if who == "" {
				return nil, "", appsync.ErrCredentials
			}
			return &appsync.Caller{Identity: schema.Identity{IAM: who},
				Known: &function.Identity{}}, "secret", nil
		},
		Authorizer: func(_ context.Context, r function.AuthorizerRequest) (
			function.AuthorizerResponse, error) {
			return function.AuthorizerResponse{IsAuthorized: strings.HasPrefix(r.Token, "lambda"),
				DeniedFields: []string{"Secret.hidden"}}, nil
		},
	}
	if set != nil {
		set(&cfg)
	}
	if b.api, err = appsync.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	b.handler = New(Config{API: b.api, Path: "/graphql", Logger: cfg.Logger,
		Serves: func(host string) bool { return host == apiHost }})
	server, listener := &http.Server{Handler: b.handler}, newPipes()
	go func() { _ = server.Serve(listener) }()
	b.http = &http.Client{Transport: &http.Transport{DialContext: listener.dial}}
	t.Cleanup(func() {
		b.handler.Close()
		_ = server.Close()
		b.http.CloseIdleConnections()
		_ = st.Close()
	})
	return b
}

// pipes is a listener for connections within the process, which have no buffers.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// withKey and user are what callers show.
func withKey() headers { return headers{"host": apiHost, "x-api-key": apiKey} }

func user(t testing.TB, claims jwt.MapClaims) headers {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(signingKey)
	if err != nil {
		t.Fatal(err)
	}
	return headers{"host": apiHost, "Authorization": token}
}

// named returns a user of that name in groups.
func named(t testing.TB, name string, groups ...string) headers {
	t.Helper()
	return user(t, jwt.MapClaims{"sub": name + "-sub", "username": name, "cognito:groups": groups})
}

// signed returns the headers of a signature for a path of the API and a body.
func (b *backend) signed(accessKeyID, path, body string) headers {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, "https://"+apiHost+path,
		strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	err = v4.NewSigner().SignHTTP(b.t.Context(), aws.Credentials{AccessKeyID: accessKeyID,
		SecretAccessKey: "secret", SessionToken: "token"}, r, sigv4.Hash(body), "appsync", region,
		b.now())
	if err != nil {
		b.t.Fatal(err)
	}
	h := headers{"host": apiHost}
	for name := range r.Header {
		h[name] = r.Header.Get(name)
	}
	return h
}

// client is a connection of a client.
type client struct {
	t    testing.TB
	conn *websocket.Conn
}

// dial opens a connection with an authorization.
func (b *backend) dial(h headers) *client {
	b.t.Helper()
	return b.dialProtocols("ws://api/graphql/realtime", protocol, headerPrefix+encode(b.t, h))
}

func encode(t testing.TB, h headers) string {
	t.Helper()
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (b *backend) dialProtocols(url string, protocols ...string) *client {
	b.t.Helper()
	conn, _, err := websocket.Dial(b.t.Context(), url, &websocket.DialOptions{
		HTTPClient: b.http, Subprotocols: protocols})
	if err != nil {
		b.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{b.t, conn}
}

// connect opens a connection, and begins to speak.
func (b *backend) connect(h headers) *client {
	b.t.Helper()
	c := b.dial(h)
	c.send(`{"type": "connection_init"}`)
	const ack = `{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}`
	if got := c.receive(); got != ack {
		b.t.Fatal(got)
	}
	if got := c.receive(); got != `{"type":"ka"}` {
		b.t.Fatal(got)
	}
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// receive returns the next message, or what has ended the connection.
func (c *client) receive() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Hour)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	if err != nil {
		if status := websocket.CloseStatus(err); status != -1 {
			return status.String()
		}
		return "broken"
	}
	return string(text)
}

// start starts a subscription, and returns the answer.
func (c *client) start(id, document string, h headers) string {
	c.t.Helper()
	return c.startData(id, dataOf(c.t, document), h)
}

// dataOf returns the JSON of a request.
func dataOf(t testing.TB, document string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (c *client) startData(id, data string, h headers) string {
	c.t.Helper()
	text, err := json.Marshal(map[string]any{"type": "start", "id": id, "payload": map[string]any{
		"data": data, "extensions": map[string]any{"authorization": h}}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(text))
	return c.receive()
}

// mutate makes a request over HTTP, and returns the answer.
func (b *backend) mutate(document string, h headers) string {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, "/graphql",
		strings.NewReader(dataOf(b.t, document)))
	for name, value := range h {
		if name != "host" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	return w.Body.String()
}
