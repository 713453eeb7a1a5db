package realtime

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
)

// recorded is the folder of the recordings.
func recorded() string {
	if dir := os.Getenv("AMPLIFY_CONFORMANCE_DIR"); dir != "" {
		return dir
	}
	return "../../../../testdata/conformance"
}

// recordedCase is a case of realtime.json; its README tells the form.
type recordedCase struct {
	ID    string
	Input struct {
		Config struct{ Schema string }
	}
	Expected struct{ Connections []recordedConnection }
}

func (c recordedCase) schema() string { return cmp.Or(c.Input.Config.Schema, "a") }

type recordedConnection struct {
	At        int64
	URL       string
	Protocols []json.RawMessage // the name of the protocol, and the authorization
	Messages  []recordedMessage
}

type recordedMessage struct {
	At             int64
	Client, Server json.RawMessage
	Signed         *struct{ Method, Path, Body string }
	Raw            string
}

type recordedProtocol struct {
	Header headers
	Raw    string
	Signed *struct{ Method, Path, Body string }
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recorded(), name))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sessions are what the recorded client was signed in with.
type sessions struct {
	Tokens      map[string]struct{ AccessToken, IDToken string }
	Credentials map[string]struct{ AccessKeyID, SecretAccessKey, SessionToken string }
}

// recordedStart is when the recorded client began.
var recordedStart = time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC)

// shapeOf returns what a client tells messages of a server apart by.
func shapeOf(t *testing.T, text []byte) string {
	t.Helper()
	var m struct {
		Type    string
		ID      string
		Payload struct{ Errors json.RawMessage }
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return "no message"
	}
	shape := m.Type
	if m.ID != "" {
		shape += " with id"
	}
	if errors := m.Payload.Errors; errors != nil && m.Type != "data" {
		shape += map[byte]string{'[': ", errors as array", '{': ", errors as object"}[errors[0]]
	}
	return shape
}

// TestConformance replays what aws-amplify's client sent. Each message is understood, and each
// answer has a form that the recorded client lives with.
func TestConformance(t *testing.T) {
	var cases []recordedCase
	readJSON(t, "realtime.json", &cases)
	var known sessions
	readJSON(t, "data.sessions.json", &known)
	survived, backends := map[string]bool{}, map[string]*recordedBackend{}
	for _, c := range cases {
		if name := c.schema(); backends[name] == nil {
			backends[name] = startRecorded(t, name, known)
		}
		for _, connection := range c.Expected.Connections {
			for _, m := range connection.Messages {
				if m.Server != nil {
					survived[shapeOf(t, m.Server)] = true
				}
			}
		}
	}
	connections, messages, answers := 0, 0, map[string]int{}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			for i, connection := range c.Expected.Connections {
				connections++
				for _, got := range backends[c.schema()].replay(t, connection) {
					messages++
					answers[shapeOf(t, got)]++
					if text := string(got); strings.Contains(text, "UnsupportedOperation") ||
						strings.Contains(text, "BadRequestException") ||
						strings.Contains(text, "NoProtocol") {
						t.Errorf("connection %d: a message is not understood: %s", i, text)
					}
					if !survived[shapeOf(t, got)] {
						t.Errorf("connection %d: the client knows no %q: %s",
							i, shapeOf(t, got), got)
					}
				}
			}
		})
	}
	t.Logf("%d connections of %d cases, %d messages, answers: %v",
		connections, len(cases), messages, answers)
	for _, shape := range []string{"connection_ack", "connection_error, errors as array",
		"start_ack with id", "error with id, errors as array", "complete with id"} {
		if answers[shape] == 0 {
			t.Errorf("no answer is a %s", shape)
		}
	}
}

// recordedBackend is an API of a recorded schema.
type recordedBackend struct {
	*backend
	known sessions
	at    time.Time
}

func startRecorded(t *testing.T, name string, known sessions) *recordedBackend {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recorded(), "models", name, "model.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	var outputs struct {
		Data struct {
			APIKey string `json:"api_key"`
		}
	}
	readJSON(t, "models/"+name+"/amplify_outputs.json", &outputs)
	b := &recordedBackend{known: known, at: recordedStart}
	b.backend = start(t, string(text), func(cfg *appsync.Config) {
		cfg.APIKey = outputs.Data.APIKey
		cfg.Clock = func() time.Time { return b.at }
		cfg.UserPool = func(token string) (map[string]any, error) {
			claims := jwt.MapClaims{}
			_, _, err := jwt.NewParser().ParseUnverified(token, claims)
			if err != nil || token != known.Tokens["alice"].AccessToken {
				return nil, appsync.ErrToken
			}
			return claims, nil
		}
		cfg.Authorizer = func(context.Context, function.AuthorizerRequest) (
			function.AuthorizerResponse, error) {
			return function.AuthorizerResponse{IsAuthorized: true}, nil
		}
		cfg.Credentials = func(accessKeyID, sessionToken string) (*appsync.Caller, string, error) {
			for _, c := range known.Credentials {
				if c.AccessKeyID == accessKeyID && c.SessionToken == sessionToken {
					return &appsync.Caller{Identity: schema.Identity{IAM: schema.Guest},
						Known: &function.Identity{}}, c.SecretAccessKey, nil
				}
			}
			return nil, "", appsync.ErrCredentials
		}
	})
	b.handler.cfg.Serves = func(host string) bool { return host != "" }
	return b
}

// replay sends what the client sent on a connection. It returns the answers, one for each message.
func (b *recordedBackend) replay(t *testing.T, connection recordedConnection) (answers [][]byte) {
	t.Helper()
	b.at = recordedStart.Add(time.Duration(connection.At) * time.Millisecond)
	var authorization recordedProtocol
	if err := json.Unmarshal(connection.Protocols[1], &authorization); err != nil {
		t.Fatal(err)
	}
	header := authorization.Raw
	if header == "" {
		h := b.fill(authorization.Header)
		if s := authorization.Signed; s != nil {
			b.sign(t, h, s.Path, s.Body)
		}
		header = headerPrefix + base64.RawURLEncoding.EncodeToString(latin1(t, h))
	}
	_, query, _ := strings.Cut(connection.URL, "?")
	c := b.dialProtocols("ws://api/graphql/realtime?"+query, protocol, header)
	c.t = t
	for _, m := range connection.Messages {
		if m.Client == nil {
			continue
		}
		b.at = recordedStart.Add(time.Duration(m.At) * time.Millisecond)
		c.send(b.text(t, m))
		answer := c.receive()
		for answer == `{"type":"ka"}` {
			answer = c.receive()
		}
		answers = append(answers, []byte(answer))
		if strings.Contains(answer, `"connection_error"`) {
			break // what came later was for a server that had accepted
		}
	}
	_ = c.conn.CloseNow()
	return answers
}

// text returns the text of a recorded message. That of data was parsed.
func (b *recordedBackend) text(t *testing.T, m recordedMessage) string {
	t.Helper()
	if m.Raw != "" {
		return m.Raw
	}
	var members map[string]any
	if err := json.Unmarshal(m.Client, &members); err != nil {
		t.Fatal(err)
	}
	payload, ok := members["payload"].(map[string]any)
	if !ok {
		return string(m.Client)
	}
	data, err := json.Marshal(payload["data"])
	if err != nil {
		t.Fatal(err)
	}
	payload["data"] = string(data)
	h := headers{}
	extensions, _ := payload["extensions"].(map[string]any)
	shown, _ := extensions["authorization"].(map[string]any)
	for name, value := range shown {
		h[name] = fmt.Sprint(value)
	}
	h = b.fill(h)
	if m.Signed != nil {
		b.sign(t, h, m.Signed.Path, string(data))
	}
	extensions["authorization"] = h
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fill puts values in place of placeholders.
func (b *recordedBackend) fill(h headers) headers {
	replacer := strings.NewReplacer("$date", b.at.Format(sigv4.TimeFormat),
		"$day", b.at.Format("20060102"), "$accessToken", b.known.Tokens["alice"].AccessToken,
		"$userAgent", "aws-amplify/6.22.1")
	h = maps.Clone(h)
	for name, value := range h {
		// The renewed token was not recorded.
		h[name] = replacer.Replace(strings.ReplaceAll(value, "$accessToken.renewed", "$accessToken"))
	}
	return h
}

// sign puts a signature in place of its placeholder.
func (b *recordedBackend) sign(t *testing.T, h headers, path, body string) {
	t.Helper()
	_, rest, _ := strings.Cut(h["authorization"], "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range h {
		r.Header.Set(name, value)
	}
	r.Host = h["host"]
	canonical := sigv4.CanonicalRequest(r, path, strings.Split(names, ";"), sigv4.Hash(body))
	_, signature := sigv4.NewKey(b.known.Credentials["role"].SecretAccessKey,
		sigv4.Scope{Date: b.at.Format("20060102"), Region: region, Service: "appsync"}).
		Sign(sigv4.Algorithm, b.at, sigv4.Hash(canonical))
	h["authorization"] = strings.ReplaceAll(h["authorization"], "$signature", signature)
}

// latin1 returns the JSON of headers in the encoding of Amplify JS.
func latin1(t *testing.T, h headers) []byte {
	t.Helper()
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var encoded []byte
	for _, r := range string(text) {
		if r > 0xff {
			t.Fatalf("%q is not in Latin-1", r)
		}
		encoded = append(encoded, byte(r))
	}
	return encoded
}
