package realtime

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
)

// message is what goes over a connection.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// startPayload is the payload of a message that starts a subscription.
type startPayload struct {
	// Data is the JSON of a request. It is a text, because a signature is over its bytes.
	Data       string
	Extensions struct{ Authorization map[string]string }
}

// failure is an entry of the errors in a payload.
type failure struct {
	Type    string `json:"errorType,omitempty"`
	Message string `json:"message,omitempty"`
	Code    int    `json:"errorCode,omitempty"`
}

// socket is one connection. What the client sends is answered in its order, by one goroutine.
// Another one writes, so that a client that does not read blocks no mutation.
type socket struct {
	h       *Handler
	conn    *websocket.Conn
	refused *failure          // of the connection
	active  map[string]func() // what ends the subscriptions, by their ids
	end     context.CancelFunc

	mu      sync.Mutex
	pending [][]byte
	size    int // bytes of pending
	// closing is set once no more is to be sent than what is pending, and then this.
	closing websocket.StatusCode
	reason  string
	wake    chan struct{} // tells the writer that something has changed
}

func newSocket(h *Handler, conn *websocket.Conn, refused *failure) *socket {
	return &socket{h: h, conn: conn, refused: refused, active: map[string]func(){},
		end: func() {}, wake: make(chan struct{}, 1)}
}

// serve serves the connection until its end.
func (s *socket) serve(ctx context.Context) {
	ctx, s.end = context.WithCancel(ctx)
	var writers sync.WaitGroup
	writers.Go(func() { s.write(ctx, &writers) })
	defer func() {
		s.end()
		for _, end := range s.active {
			end()
		}
		writers.Wait()
	}()
	silent := time.AfterFunc(firstMessageTimeout, func() {
		s.finish(websocket.StatusPolicyViolation, "The client has sent nothing.")
	})
	defer silent.Stop()
	old := time.AfterFunc(lifetime, func() {
		s.finish(websocket.StatusGoingAway, "The connection has lasted a day.")
	})
	defer old.Stop()
	for {
		_, text, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		silent.Stop()
		s.handle(ctx, text)
	}
}

// write writes what is to be sent, until the connection is closed or the context done.
func (s *socket) write(ctx context.Context, writers *sync.WaitGroup) {
	defer s.end()
	defer func() { _ = s.conn.CloseNow() }()
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		text, status, reason := s.next()
		switch {
		case text != nil:
			if !s.writeMessage(ctx, text) {
				return
			}
			continue
		case status != 0:
			_ = s.conn.Close(status, reason)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-alive.C:
			s.send(message{Type: "ka"})
			writers.Go(func() { s.ping(ctx) })
		}
	}
}

// ping breaks the connection if the client does not answer: it has gone without a word. Clients
// answer without the help of an application (RFC 6455 section 5.5.2).
func (s *socket) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pongTimeout)
	defer cancel()
	if s.conn.Ping(ctx) != nil {
		s.end()
	}
}

func (s *socket) writeMessage(ctx context.Context, text []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, text) == nil
}

// next takes the oldest message that is pending. If there is none it returns how the connection is
// to be closed, or 0. Both are told under one lock: a message that precedes the end is sent.
func (s *socket) next() (text []byte, status websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 {
		s.pending = nil
		return nil, s.closing, s.reason
	}
	text = s.pending[0]
	s.pending[0] = nil
	s.pending = s.pending[1:]
	s.size -= len(text)
	return text, 0, ""
}

// finish closes the connection once what is pending is sent.
func (s *socket) finish(status websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing == 0 {
		s.closing, s.reason = status, reason
	}
	s.notify()
}

// send lets the writer send a message. It never waits: it breaks the connection of a client that
// does not read what is pending already.
func (s *socket) send(m message) {
	text, err := json.Marshal(m)
	if err != nil {
		s.h.cfg.Logger.Error("sandbox: AppSync failed", "error", err)
		s.end()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing != 0 {
		return
	}
	if s.size+len(text) > maxPending {
		s.end()
		return
	}
	s.pending = append(s.pending, text)
	s.size += len(text)
	s.notify()
}

func (s *socket) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// fail sends an error of the subscription id, or of the connection if id is empty.
func (s *socket) fail(id string, errors any) {
	s.send(message{ID: id, Type: "error", Payload: marshal(map[string]any{"errors": errors})})
}

// marshal returns the JSON of a payload. All payloads can be encoded.
func marshal(payload any) json.RawMessage {
	text, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return text
}

// handle answers a message of the client.
func (s *socket) handle(ctx context.Context, text []byte) {
	if s.refused != nil {
		s.send(message{Type: "connection_error",
			Payload: marshal(map[string]any{"errors": []*failure{s.refused}})})
		s.finish(websocket.StatusPolicyViolation, "The connection is refused.")
		return
	}
	var m message
	if json.Unmarshal(text, &m) != nil {
		s.fail("", []*failure{badRequest("The message is not a JSON object.")})
		return
	}
	switch m.Type {
	case "connection_init":
		s.send(message{Type: "connection_ack", Payload: marshal(map[string]int64{
			"connectionTimeoutMs": connectionTimeout.Milliseconds()})})
		s.send(message{Type: "ka"})
	case "start":
		s.start(ctx, m)
	case "stop":
		if end := s.active[m.ID]; end != nil {
			end()
			delete(s.active, m.ID)
		}
		s.send(message{ID: m.ID, Type: "complete"})
	default:
		s.fail("", []*failure{{Type: "UnsupportedOperation",
			Message: "unknown not supported through the realtime channel"}})
	}
}

// start starts a subscription. Clients may start one that is active again: they
// do so if they have missed the answer to one of several.
func (s *socket) start(ctx context.Context, m message) {
	started := func() { s.send(message{ID: m.ID, Type: "start_ack"}) }
	switch {
	case m.ID == "":
		s.fail("", []*failure{badRequest("The message has no id.")})
		return
	case s.active[m.ID] != nil:
		started()
		return
	case len(s.active) == maxSubscriptions:
		// This one AppSync sends as an object.
		s.fail(m.ID, &failure{Type: "MaxSubscriptionsReachedError",
			Message: "Max number of 100 subscriptions reached"})
		return
	}
	var payload startPayload
	if json.Unmarshal(m.Payload, &payload) != nil || payload.Data == "" {
		s.fail("", []*failure{{Type: "UnsupportedOperation",
			Message: "unknown not supported through the realtime channel"}})
		return
	}
	request, refused := s.h.request(payload.Extensions.Authorization, "", payload.Data)
	if refused != nil {
		s.fail(m.ID, []*failure{refused})
		return
	}
	subscription, response, err := s.h.cfg.API.Subscribe(ctx, request, payload.Data)
	switch {
	case err != nil:
		s.fail(m.ID, []*failure{s.h.failureOf(err)})
		return
	case response != nil:
		s.fail(m.ID, failuresOf(response))
		return
	}
	s.active[m.ID] = subscription.Receive(started, func(payload []byte) {
		s.send(message{ID: m.ID, Type: "data", Payload: payload})
	})
}

// failuresOf returns what the client gets of the errors of a response.
func failuresOf(r *graphql.Response) []*failure {
	var list []*failure
	for _, e := range r.Errors {
		one := &failure{Message: e.Message}
		if e.Type != nil {
			one.Type = *e.Type
		} else {
			one.Code = http.StatusBadRequest
		}
		list = append(list, one)
	}
	return list
}
