package sandbox_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// dialRealtime opens a connection with the API key, and begins to speak.
func dialRealtime(t *testing.T, address, apiHost, key string, transport http.RoundTripper) (
	*websocket.Conn, error) {
	t.Helper()
	header := fmt.Sprintf(`{"host": %q, "x-api-key": %q}`, apiHost, key)
	conn, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
		// A page of any origin may connect.
		HTTPHeader: http.Header{"Origin": {"http://localhost:3000"}},
		Subprotocols: []string{"graphql-ws",
			"header-" + base64.RawURLEncoding.EncodeToString([]byte(header))},
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, conn.Write(t.Context(), websocket.MessageText, []byte(`{"type": "connection_init"}`))
}

// nextMessage returns the next message that is no sign of life.
func nextMessage(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	for {
		_, text, err := conn.Read(t.Context())
		if err != nil {
			return err.Error()
		}
		if string(text) != `{"type":"ka"}` {
			return string(text)
		}
	}
}

// TestRealtime: subscriptions go over the loopback address, and over AWS's name by TLS.
func TestRealtime(t *testing.T) {
	s := start(t, sandbox.Config{TLSAddr: "127.0.0.1:0", Data: sandbox.Data{Schema: noteSchema}})
	data := outputsOf(t, s).Data
	u, err := url.Parse(data.URL)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Custom struct {
			Amplify struct{ Endpoints map[string]string } `json:"amplify_go"`
		}
	}
	if err := json.Unmarshal(s.Outputs(), &out); err != nil {
		t.Fatal(err)
	}
	endpoint := out.Custom.Amplify.Endpoints["realtime"]
	if endpoint != s.URL()+"/graphql/realtime" {
		t.Errorf("the endpoint is %q", endpoint)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CACertificate())
	secure := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(s.TLSURL(), "https://"))
		}}
	t.Cleanup(secure.CloseIdleConnections)
	realtimeHost := strings.Replace(u.Hostname(), ".appsync-api.", ".appsync-realtime-api.", 1)
	plain := http.DefaultTransport
	var conns []*websocket.Conn
	for _, tt := range []struct {
		address, apiHost string
		transport        http.RoundTripper
	}{
		{endpoint, strings.TrimPrefix(s.URL(), "http://"), plain},
		{endpoint, u.Host, plain},
		{"wss://" + realtimeHost + "/graphql", u.Host, secure},
	} {
		conn, err := dialRealtime(t, tt.address, tt.apiHost, data.APIKey, tt.transport)
		if err != nil {
			t.Fatalf("%s: %v", tt.address, err)
		}
		if got := nextMessage(t, conn); !strings.Contains(got, "connection_ack") {
			t.Fatalf("%s: %s", tt.address, got)
		}
		start := fmt.Sprintf(`{"type": "start", "id": "1", "payload": {
			"data": "{\"query\": \"subscription { onCreateNote { text } }\"}",
			"extensions": {"authorization": {"host": %q, "x-api-key": %q}}}}`, tt.apiHost, data.APIKey)
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(start)); err != nil {
			t.Fatal(err)
		}
		if got := nextMessage(t, conn); got != `{"id":"1","type":"start_ack"}` {
			t.Fatalf("%s: %s", tt.address, got)
		}
		conns = append(conns, conn)
	}
	graphQL(t, s, `mutation { createNote(input: {text: "x"}) { text } }`,
		by("X-Api-Key", data.APIKey))
	const want = `{"id":"1","type":"data","payload":{"data":{"onCreateNote":{"text":"x"}}}}`
	for _, conn := range conns {
		if got := nextMessage(t, conn); got != want {
			t.Error(got)
		}
	}
	conn, err := dialRealtime(t, endpoint, "other.example.com", data.APIKey, plain)
	if err != nil {
		t.Fatal(err)
	}
	if got := nextMessage(t, conn); !strings.Contains(got, "BadRequestException") {
		t.Errorf("the host of another API: %s", got)
	}
	for _, address := range []string{
		"wss://" + u.Host + "/graphql", "wss://" + realtimeHost + "/graphql/realtime"} {
		if _, err := dialRealtime(t, address, u.Host, data.APIKey, secure); err == nil {
			t.Errorf("%s takes subscriptions", address)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, conn := range conns {
		if got := nextMessage(t, conn); !strings.Contains(got, "EOF") {
			t.Errorf("after the end: %s", got)
		}
	}
}

// TestRealtimeFaults: a connection is a call that can go wrong on purpose.
func TestRealtimeFaults(t *testing.T) {
	s := start(t, sandbox.Config{Data: sandbox.Data{Schema: noteSchema}})
	host := strings.TrimPrefix(s.URL(), "http://")
	endpoint, key := s.URL()+"/graphql/realtime", outputsOf(t, s).Data.APIKey
	for outcome, want := range map[faults.Outcome]string{faults.Throttle: "429",
		faults.HTML503: "503", faults.Drop: "EOF", faults.DropAfter: "EOF", faults.Cut: "501"} {
		fault := faults.Fault{Operation: "GraphQLRealtime", Outcome: outcome, Count: 1}
		if _, err := s.Faults().Add(fault); err != nil {
			t.Fatal(err)
		}
		// A connection that was used before would try again.
		_, err := dialRealtime(t, endpoint, host, key, &http.Transport{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", outcome, err)
		}
	}
	conn, err := dialRealtime(t, endpoint, host, key, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	if got := nextMessage(t, conn); !strings.Contains(got, "connection_ack") {
		t.Error(got)
	}
}

// TestCloseLeavesNothing: the end of the sandbox ends 200 subscribers, and no goroutine is left.
func TestCloseLeavesNothing(t *testing.T) {
	transport := &http.Transport{}
	before := runtime.NumGoroutine()
	s, err := sandbox.Start(t.Context(), sandbox.Config{
		Logger: slog.New(slog.DiscardHandler), Data: sandbox.Data{Schema: noteSchema},
		AccessTokenKey: testKeys()[0], IDTokenKey: testKeys()[1]})
	if err != nil {
		t.Fatal(err)
	}
	host, key := strings.TrimPrefix(s.URL(), "http://"), outputsOf(t, s).Data.APIKey
	var conns []*websocket.Conn
	for range 200 {
		conn, err := dialRealtime(t, s.URL()+"/graphql/realtime", host, key, transport)
		if err != nil {
			t.Fatal(err)
		}
		start := fmt.Sprintf(`{"type": "start", "id": "1", "payload": {
			"data": "{\"query\": \"subscription { onCreateNote { text } }\"}",
			"extensions": {"authorization": {"host": %q, "x-api-key": %q}}}}`, host, key)
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(start)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"connection_ack", "start_ack"} {
			if got := nextMessage(t, conn); !strings.Contains(got, want) {
				t.Fatal(got)
			}
		}
		conns = append(conns, conn)
	}
	graphQL(t, s, `mutation { createNote(input: {text: "x"}) { text } }`, by("X-Api-Key", key))
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, conn := range conns {
		got := nextMessage(t, conn)
		if strings.Contains(got, `"type":"data"`) {
			got = nextMessage(t, conn)
		}
		if !strings.Contains(got, "EOF") {
			t.Errorf("after the end: %s", got)
		}
		_ = conn.CloseNow()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for runtime.NumGoroutine() > before && t.Context().Err() == nil {
		runtime.Gosched() // goroutines that have nothing left to do end by and by
	}
}
