package realtime

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/amplify-go/amplify/sandbox/internal/appsync"
)

const (
	// maxSockets is how many connections there may be at once.
	maxSockets = 1000
	// maxSubscriptions is how many subscriptions a connection may have (AWS General Reference, "AWS
	// AppSync endpoints and quotas": subscriptions per client connection).
	maxSubscriptions = 100
	// maxMessage is how large a message of a client may be.
	maxMessage = 128 << 10
	// maxPending is how many bytes may wait for a client that does not read. One that lets more
	// come together loses its connection.
	maxPending = 1 << 20

	// firstMessageTimeout is how long a client may take to send its first message.
	firstMessageTimeout = 30 * time.Second
	// writeTimeout is how long a client may take to read a message.
	writeTimeout = 30 * time.Second
	// keepAlive is how often a client gets a sign of life.
	keepAlive = time.Minute
	// pongTimeout is how long a client may take to answer a ping, which comes with it.
	pongTimeout = 30 * time.Second
	// connectionTimeout is after how long without one the client should give the connection up.
	connectionTimeout = 5 * time.Minute
	// lifetime is how long a connection lasts.
	lifetime = 24 * time.Hour
)

// protocol is the subprotocol, and headerPrefix begins the one that has the authorization.
const (
	protocol     = "graphql-ws"
	headerPrefix = "header-"
)

// Operation is the name of connections among the sandbox's calls.
const Operation = "GraphQLRealtime"

// Config configures a [Handler].
type Config struct {
	API *appsync.API
	// Path is that of the API, such as "/graphql". Clients sign connections for Path/connect.
	Path string
	// Serves reports whether a host, maybe with a port, is the API's. Authorizations name one.
	Serves func(host string) bool
	Logger *slog.Logger
}

// Handler takes connections of clients. It is safe for concurrent use.
type Handler struct {
	cfg   Config
	ctx   context.Context // ends all connections
	close context.CancelFunc

	mu      sync.Mutex
	sockets int
	ended   sync.WaitGroup
}

// New returns the realtime endpoint that cfg describes.
func New(cfg Config) *Handler {
	h := &Handler{cfg: cfg}
	h.ctx, h.close = context.WithCancel(context.Background())
	return h
}

// Close breaks all connections, and waits for their end.
func (h *Handler) Close() {
	h.mu.Lock()
	h.close()
	h.mu.Unlock()
	h.ended.Wait()
}

// admit counts a connection. It reports whether there is room for it.
func (h *Handler) admit() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil || h.sockets == maxSockets {
		return false
	}
	h.sockets++
	h.ended.Add(1)
	return true
}

func (h *Handler) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets--
	h.ended.Done()
}

// ServeHTTP upgrades a request to a connection, and serves that until its end.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.admit() {
		appsync.Fail(w, http.StatusTooManyRequests, "LimitExceededError", "Rate limit exceeded")
		return
	}
	defer h.leave()
	refused := h.authenticate(r)
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{protocol},
		// Pages of any origin may connect, as with AppSync: who they are is in what they send, and
		// in no cookie.
		InsecureSkipVerify: true,
	})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(maxMessage)
	newSocket(h, conn, refused).serve(h.ctx)
}

// authenticate checks who opens a connection. It returns the error that the
// client gets as answer to its first message, or nil.
func (h *Handler) authenticate(r *http.Request) *failure {
	header, body, refused := handshake(r)
	if refused != nil {
		return refused
	}
	request, refused := h.request(header, "/connect", body)
	if refused != nil {
		return refused
	}
	return h.failureOf(h.cfg.API.Connect(r.Context(), request, body))
}

// handshake returns the authorization of a connection as JSON, and the body that it is for.
func handshake(r *http.Request) (header map[string]string, body string, _ *failure) {
	spoken, encoded := false, ""
	for _, line := range r.Header.Values("Sec-Websocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			spoken = spoken || name == protocol
			if after, ok := strings.CutPrefix(name, headerPrefix); ok {
				encoded = after
			}
		}
	}
	if !spoken {
		return nil, "", &failure{Type: "NoProtocolError", Code: http.StatusBadRequest,
			Message: "The client does not speak the subprotocol " + protocol + "."}
	}
	body = "{}"
	if encoded == "" { // older clients
		query := r.URL.Query()
		encoded = query.Get("header")
		if payload := query.Get("payload"); payload != "" {
			var ok bool
			if body, ok = decode(payload); !ok {
				return nil, "", badRequest("The parameter payload is not base64.")
			}
		}
	}
	text, ok := decode(encoded)
	if !ok || json.Unmarshal([]byte(text), &header) != nil || header == nil {
		return nil, "", badRequest("The authorization of the connection is not JSON in base64.")
	}
	return header, body, nil
}

// decode decodes base64 in any of its forms. Amplify JS encodes the text as Latin-1, others do as
// UTF-8.
func decode(encoded string) (string, bool) {
	encoded = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(encoded)
	decoded, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return "", false
	}
	if utf8.Valid(decoded) {
		return string(decoded), true
	}
	var b strings.Builder
	for _, c := range decoded {
		b.WriteRune(rune(c))
	}
	return b.String(), true
}

// request returns the request that an authorization stands for: the one that IAM's signature is
// over.
func (h *Handler) request(header map[string]string, under, body string) (*http.Request, *failure) {
	r, err := http.NewRequestWithContext(h.ctx, http.MethodPost, h.cfg.Path+under,
		strings.NewReader(body))
	if err != nil {
		return nil, badRequest("The authorization cannot be read.")
	}
	for name, value := range header {
		if strings.EqualFold(name, "host") {
			r.Host = value
			continue
		}
		if r.Header.Get(name) != "" {
			return nil, badRequest("The authorization has a header twice.")
		}
		r.Header.Set(name, value)
	}
	if !h.cfg.Serves(r.Host) {
		return nil, badRequest("The host of the authorization is not that of the API.")
	}
	return r, nil
}

func badRequest(message string) *failure {
	return &failure{Type: "BadRequestException", Code: http.StatusBadRequest, Message: message}
}

// failureOf returns what the client gets of an error of the API.
func (h *Handler) failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	status, errorType, message, ok := appsync.Refusal(err)
	if ok {
		return &failure{Type: errorType, Code: status, Message: message}
	}
	if !errors.Is(err, context.Canceled) {
		h.cfg.Logger.Error("sandbox: AppSync failed", "error", err)
	}
	return &failure{Type: "InternalFailure", Code: http.StatusInternalServerError,
		Message: "The sandbox failed; its log says why."}
}
