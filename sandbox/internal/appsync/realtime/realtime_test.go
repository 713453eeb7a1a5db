package realtime

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// testSchema has models with all kinds of rules.
const testSchema = `
type Note @model @auth(rules: [{allow: public}]) { text: String, must: String!, tags: [String], json: AWSJSON, n: Int }
type Diary @model @auth(rules: [{allow: owner}]) { text: String }
type Board @model @auth(rules: [{allow: owner, ownerField: "members"}]) { text: String, members: [String] }
type Room @model @auth(rules: [{allow: groups, groupsField: "group"}, {allow: groups, groups: ["Admins"]}]) {
  text: String, group: String
}
type Feed @model @auth(rules: [{allow: private}, {allow: public, provider: iam},
  {allow: private, provider: iam}, {allow: custom}, {allow: public}]) { text: String }
type Secret @model @auth(rules: [{allow: private}, {allow: custom}]) {
  text: String, hidden: String, admins: String @auth(rules: [{allow: groups, groups: ["Admins"]}])
}
type Query { nothing: String @auth(rules: [{allow: public}]) }
type Subscription {
  both(text: String): Note @aws_subscribe(mutations: ["createNote", "updateNote"]) @auth(rules: [{allow: public}])
}
`

func with(h headers, name, value string) headers {
	h = maps.Clone(h)
	delete(h, name)
	if value != "" {
		h[name] = value
	}
	return h
}

// TestConnect: who may open a connection, and what others get.
func TestConnect(t *testing.T) {
	b := start(t, testSchema, nil)
	refused := func(errorType string, code int, message string) string {
		return fmt.Sprintf(`{"type":"connection_error","payload":{"errors":[{"errorType":%q,"message":%q,`+
			`"errorCode":%d}]}}`, errorType, message, code)
	}
	const ok = `{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}`
	unauthorized := refused("UnauthorizedException", 401, "You are not authorized to make this call.")
	expired := user(t, jwt.MapClaims{"sub": "a", "exp": time.Now().Add(-time.Hour).Unix()})
	header := func(h headers) []string { return []string{protocol, headerPrefix + encode(t, h)} }
	for name, tt := range map[string]struct {
		query     string
		protocols []string
		want      string
	}{
		"key":           {"", header(withKey()), ok},
		"user":          {"", header(named(t, "ann")), ok},
		"authorizer":    {"", header(headers{"host": apiHost, "Authorization": "lambda"}), ok},
		"signature":     {"", header(b.signed("GUEST", "/graphql/connect", "{}")), ok},
		"further query": {"?x-one=1", header(withKey()), ok},
		"in the query":  {"?header=" + base64.StdEncoding.EncodeToString([]byte(`{"host": "`+apiHost+`", "x-api-key": "`+apiKey+`"}`)) + "&payload=e30=", []string{protocol}, ok},
		"in the query, signed": {"?payload=e30&header=" + encode(t, b.signed("GUEST", "/graphql/connect", "{}")),
			[]string{protocol}, ok},
		"Latin-1": {"", []string{protocol, headerPrefix + base64.RawURLEncoding.EncodeToString(
			[]byte("{\"host\": \""+apiHost+"\", \"Authorization\": \"lambda K\xe4se\"}"))}, ok},
		"no protocol": {"", nil, refused("NoProtocolError", 400,
			"The client does not speak the subprotocol graphql-ws.")},
		"no header": {"", []string{protocol}, refused("BadRequestException", 400,
			"The authorization of the connection is not JSON in base64.")},
		"not base64": {"", []string{protocol, "header-!"}, refused("BadRequestException", 400,
			"The authorization of the connection is not JSON in base64.")},
		"not JSON": {"", []string{protocol, "header-bnVsbA"}, refused("BadRequestException", 400,
			"The authorization of the connection is not JSON in base64.")},
		"payload is not base64": {"?payload=!", []string{protocol}, refused("BadRequestException", 400,
			"The parameter payload is not base64.")},
		"no host": {"", header(with(withKey(), "host", "")), refused("BadRequestException", 400,
			"The host of the authorization is not that of the API.")},
		"another host": {"", header(with(withKey(), "host", "other.example.com")),
			refused("BadRequestException", 400, "The host of the authorization is not that of the API.")},
		"two of a name": {"", header(with(named(t, "ann"), "authorization", "lambda")),
			refused("BadRequestException", 400, "The authorization has a header twice.")},
		"nothing": {"", header(headers{"host": apiHost}), refused("UnauthorizedException", 401,
			"Valid authorization header not provided.")},
		"another key":    {"", header(with(withKey(), "x-api-key", "da2-other")), unauthorized},
		"no such token":  {"", header(headers{"host": apiHost, "Authorization": "x"}), unauthorized},
		"an old token":   {"", header(expired), refused("UnauthorizedException", 401, "Token has expired.")},
		"a forged token": {"", header(with(named(t, "ann"), "Authorization", named(t, "ann")["Authorization"]+"x")), refused("UnauthorizedException", 401, "Unable to parse JWT token.")},
		"signed for another path": {"", header(b.signed("GUEST", "/graphql", "{}")),
			refused("InvalidSignatureException", 403, signatureMismatch)},
		"signed for another body": {"", header(b.signed("GUEST", "/graphql/connect", "")),
			refused("InvalidSignatureException", 403, signatureMismatch)},
		"signed by nobody": {"", header(b.signed("NOBODY", "/graphql/connect", "{}")), refused(
			"UnrecognizedClientException", 403, "The security token included in the request is invalid.")},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.dialProtocols("ws://api/graphql/realtime"+tt.query, tt.protocols...)
			c.send(`{"type": "connection_init"}`)
			if got := c.receive(); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
			if tt.want == ok {
				return
			}
			if got := c.receive(); got != "StatusPolicyViolation" {
				t.Errorf("after a refusal: %s", got)
			}
		})
	}
	response, err := b.http.Get("http://api/graphql/realtime")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a plain request: %d", response.StatusCode)
	}
}

const signatureMismatch = "The request signature we calculated does not match the signature you " +
	"provided. Check your AWS Secret Access Key and signing method. Consult the service documentation " +
	"for details."

// TestRefusedConnectionSubscribesNobody: a client that does not care about the refusal gets nothing.
func TestRefusedConnectionSubscribesNobody(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.dial(headers{"host": apiHost})
	if got := c.start("1", `subscription { onCreateNote { id } }`, withKey()); !strings.Contains(got, "connection_error") {
		t.Error(got)
	}
}

// TestMessages: what a client gets for its messages on one connection, in their order.
func TestMessages(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	failed := func(id, errors string) string {
		if id != "" {
			id = fmt.Sprintf(`"id":%q,`, id)
		}
		return fmt.Sprintf(`{%s"type":"error","payload":{"errors":%s}}`, id, errors)
	}
	const unknown = `[{"errorType":"UnsupportedOperation","message":"unknown not supported through the realtime channel"}]`
	for _, tt := range [][2]string{
		{`x`, failed("", `[{"errorType":"BadRequestException","message":"The message is not a JSON object.","errorCode":400}]`)},
		{`{}`, failed("", unknown)},
		{`{"type": "subscribe", "id": "1"}`, failed("", unknown)},
		{`{"type": "start", "id": "1"}`, failed("", unknown)},
		{`{"type": "start", "id": "1", "payload": {"query": "subscription { onCreateNote { id } }"}}`, failed("", unknown)},
		{`{"type": "start", "payload": {"data": "{}"}}`, failed("",
			`[{"errorType":"BadRequestException","message":"The message has no id.","errorCode":400}]`)},
		{`{"type": "stop", "id": "none"}`, `{"id":"none","type":"complete"}`},
	} {
		c.send(tt[0])
		if got := c.receive(); got != tt[1] {
			t.Errorf("%s: %s\nwant %s", tt[0], got, tt[1])
		}
	}
	const on = `subscription { onCreateNote { id } }`
	for _, tt := range []struct {
		document string
		by       headers
		want     string
	}{
		{on, nil, failed("1", `[{"errorType":"BadRequestException","message":"The host of the authorization is not that of the API.","errorCode":400}]`)},
		{on, headers{"host": apiHost}, failed("1", `[{"errorType":"UnauthorizedException","message":"Valid authorization header not provided.","errorCode":401}]`)},
		{on, with(withKey(), "x-api-key", "x"), failed("1", `[{"errorType":"UnauthorizedException","message":"You are not authorized to make this call.","errorCode":401}]`)},
		{on, named(t, "ann"), failed("1", `[{"errorType":"Unauthorized","message":"Not Authorized to access onCreateNote on type Subscription"}]`)},
		{`subscription { onCreateDiary(owner: "bob") { id } }`, named(t, "ann"), failed("1", `[{"errorType":"Unauthorized","message":"Unauthorized"}]`)},
		{`subscription { onCreateRoom { id } }`, named(t, "ann"), failed("1", `[{"errorType":"Unauthorized","message":"Unauthorized"}]`)},
		{`subscription { onCreateRoom { id } }`, named(t, "ann", "a", "b", "c", "d", "e", "f"), failed("1", "[{\"message\":\"subscription exceeds maximum value limit 5 for operator `in`.\",\"errorCode\":400}]")},
		{`{ nothing }`, withKey(), failed("1", `[{"errorType":"UnsupportedOperation","message":"query not supported through the realtime channel","errorCode":400}]`)},
		{`subscription { x }`, withKey(), failed("1", `[{"message":"Validation error of type FieldUndefined: Field 'x' in type 'Subscription' is undefined @ 'x'","errorCode":400}]`)},
		{`subscription {`, withKey(), failed("1", `[{"errorType":"MalformedHttpRequestException","message":"Unable to parse GraphQL query.","errorCode":400}]`)},
		{`subscription { onCreateNote @skip(if: true) { id } }`, withKey(), failed("1", `[{"errorType":"MalformedHttpRequestException","message":"The subscription selects nothing.","errorCode":400}]`)},
		{on, withKey(), `{"id":"1","type":"start_ack"}`},
		{on, headers{}, `{"id":"1","type":"start_ack"}`}, // it is active
	} {
		if got := c.start("1", tt.document, tt.by); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.document, got, tt.want)
		}
	}
	b.mutate(`mutation { createNote(input: {id: "n", must: "x"}) { id } }`, withKey())
	if got := c.receive(); got != `{"id":"1","type":"data","payload":{"data":{"onCreateNote":{"id":"n"}}}}` {
		t.Error(got)
	}
	c.send(`{"type": "stop", "id": "1"}`)
	if got := c.receive(); got != `{"id":"1","type":"complete"}` {
		t.Errorf("the subscription was started twice: %s", got)
	}
	b.mutate(`mutation { createNote(input: {must: "x"}) { id } }`, withKey())
	c.send(`{"type": "stop", "id": "1"}`)
	if got := c.receive(); got != `{"id":"1","type":"complete"}` {
		t.Errorf("after the end: %s", got)
	}
}

// TestStartSignature: the signature of a subscription is over the text of its data.
func TestStartSignature(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	data := dataOf(t, `subscription { onCreateFeed { id } }`)
	by := b.signed("GUEST", "/graphql", data)
	if got := c.startData("1", data+" ", by); !strings.Contains(got, "InvalidSignatureException") {
		t.Errorf("another text: %s", got)
	}
	if got := c.startData("1", data, b.signed("GUEST", "/graphql/connect", data)); !strings.Contains(got, "InvalidSignatureException") {
		t.Errorf("another path: %s", got)
	}
	if got := c.startData("1", data, by); got != `{"id":"1","type":"start_ack"}` {
		t.Error(got)
	}
}

// TestMaxSubscriptions: a connection has room for a hundred subscriptions.
func TestMaxSubscriptions(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	begin := func(id int) string {
		return c.start(fmt.Sprint(id), `subscription { onCreateNote { id } }`, withKey())
	}
	for i := range 100 {
		if got := begin(i); !strings.Contains(got, "start_ack") {
			t.Fatal(i, got)
		}
	}
	want := `{"id":"100","type":"error","payload":{"errors":{"errorType":"MaxSubscriptionsReachedError",` +
		`"message":"Max number of 100 subscriptions reached"}}}`
	if got := begin(100); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := begin(7); !strings.Contains(got, "start_ack") {
		t.Errorf("one that is active: %s", got)
	}
	c.send(`{"type": "stop", "id": "7"}`)
	c.receive()
	if got := begin(100); !strings.Contains(got, "start_ack") {
		t.Errorf("after an end: %s", got)
	}
}

// TestTimes: signs of life, and the ends of connections that say nothing or are old.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, testSchema, nil)
		silent, begun := b.dial(withKey()), time.Now()
		if got := silent.receive(); got != "StatusPolicyViolation" || time.Since(begun) != firstMessageTimeout {
			t.Errorf("a silent client: %s after %v", got, time.Since(begun))
		}
		c := b.dial(withKey())
		begun = time.Now()
		c.send(`{"type": "connection_init"}`)
		c.receive()
		c.receive()
		for i := range 24*60 - 1 {
			if got := c.receive(); got != `{"type":"ka"}` || time.Since(begun) != time.Duration(i+1)*time.Minute {
				t.Fatalf("%s after %v", got, time.Since(begun))
			}
		}
		got := c.receive()
		if got == `{"type":"ka"}` {
			got = c.receive()
		}
		if got != "StatusGoingAway" || time.Since(begun) != lifetime {
			t.Errorf("%s after %v", got, time.Since(begun))
		}
	})
}

// TestSlowSubscriber: a client that does not read loses its connection, and nobody waits for it.
func TestSlowSubscriber(t *testing.T) {
	b := start(t, testSchema, nil)
	const on = `subscription { onCreateNote { id text } }`
	slow, quick := b.connect(withKey()), b.connect(withKey())
	for _, c := range []*client{slow, quick} {
		if got := c.start("1", on, withKey()); !strings.Contains(got, "start_ack") {
			t.Fatal(got)
		}
	}
	text := strings.Repeat("x", 200<<10)
	messages := 2 + maxPending/len(text)
	for i := range messages {
		b.mutate(fmt.Sprintf(`mutation { createNote(input: {id: "%d", must: "x", text: %q}) { id text } }`, i, text), withKey())
		if got := quick.receive(); !strings.Contains(got, fmt.Sprintf(`{"id":"%d"`, i)) {
			t.Fatalf("%d: %.100s", i, got)
		}
	}
	received := 0
	for got := slow.receive(); got != "broken"; got = slow.receive() {
		if !strings.Contains(got, `"type":"data"`) {
			t.Fatalf("%.100s", got)
		}
		if received++; received == messages {
			t.Fatal("it has got all messages")
		}
	}
}

// TestLargePayload: a message that is larger than AppSync's limit is not delivered.
func TestLargePayload(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	c.start("1", `subscription { onCreateNote { id text } }`, withKey())
	for id, size := range []int{240 << 10, 1} {
		b.mutate(fmt.Sprintf(`mutation { createNote(input: {id: "%d", must: "x", text: %q}) { id text } }`, id,
			strings.Repeat("x", size)), withKey())
	}
	if got := c.receive(); !strings.Contains(got, `{"id":"1","text":"x"}`) {
		t.Errorf("%.100s", got)
	}
}

// TestLargeMessage: a client that sends too much at once loses its connection.
func TestLargeMessage(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	go func() { _ = c.conn.Write(t.Context(), 1, []byte(strings.Repeat("x", maxMessage+1))) }()
	if got := c.receive(); got != "StatusMessageTooBig" {
		t.Error(got)
	}
}

// TestClose: the end of the endpoint ends connections, and takes no more.
func TestClose(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	b.handler.Close()
	if got := c.receive(); got != "broken" {
		t.Error(got)
	}
	response, err := b.http.Get("http://api/graphql/realtime")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after the end: %d", response.StatusCode)
	}
}

// TestMaxSockets: there is room for so many connections, and for others when these have gone.
func TestMaxSockets(t *testing.T) {
	b := start(t, testSchema, nil)
	for range maxSockets {
		if !b.handler.admit() {
			t.Fatal("there is no room")
		}
	}
	response, err := b.http.Get("http://api/graphql/realtime")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", response.StatusCode)
	}
	for range maxSockets {
		b.handler.leave()
	}
	b.connect(withKey())
}

// TestGoneSubscriber: a client that takes bytes, but does not answer, has gone. Its connection ends.
func TestGoneSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, testSchema, nil)
		conn, err := b.http.Transport.(*http.Transport).DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		go func() {
			// The frame says {} with a mask of zeros.
			_, _ = fmt.Fprintf(conn, "GET /graphql/realtime HTTP/1.1\r\nHost: api\r\nUpgrade: websocket\r\n"+
				"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"+
				"Sec-WebSocket-Protocol: %s, %s%s\r\n\r\n\x81\x82\x00\x00\x00\x00{}",
				"AAAAAAAAAAAAAAAAAAAAAA==", protocol, headerPrefix, encode(t, withKey()))
		}()
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(answer), `"type":"ka"`) {
			t.Errorf("%q, %v", answer, err)
		}
		if got := time.Since(begun); got != keepAlive+pongTimeout {
			t.Errorf("the connection ended after %v", got)
		}
	})
}
