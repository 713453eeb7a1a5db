package sandbox

import (
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// limits bounds the time and memory that a client can use.
// Bodies have limits of 64 or 128 KiB where they are read.
type limits struct {
	// header is how long a client may take to send the header of a request.
	header time.Duration
	// body is how long a client may take to send the body, from the moment that it is needed.
	body time.Duration
	// answer is how long a client may take to read the answer.
	answer time.Duration
	// idle is how long a connection may stay open between two requests.
	idle time.Duration
	// headerBytes is the size of the largest header.
	headerBytes int
}

// usualLimits are the limits of every sandbox. Browsers send the cookies of all applications on
// localhost, which need some room in the header.
var usualLimits = limits{
	header: 10 * time.Second, body: 30 * time.Second, answer: 30 * time.Second, idle: 2 * time.Minute,
	headerBytes: 64 << 10,
}

// newServer returns a server that drops slow clients.
func newServer(handler http.Handler, logger *slog.Logger, l limits) *http.Server {
	return &http.Server{
		Handler:           logPanics(logger, l.timed(handler)),
		ReadHeaderTimeout: l.header,
		IdleTimeout:       l.idle,
		MaxHeaderBytes:    l.headerBytes,
		// A client that does not trust the authority yet breaks off its handshakes. That is normal.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// timed gives each request a deadline for its body and another one for its
// answer. ReadTimeout and WriteTimeout of http.Server would also count the time
// before and between the two. A fault can make that time as long as it likes.
func (l limits) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &timedExchange{ResponseWriter: w, connection: http.NewResponseController(w), limits: l, body: r.Body}
		// The deadline of the connection's last answer is still in force.
		_ = x.connection.SetWriteDeadline(time.Time{})
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = timedBody{x}
		}
		next.ServeHTTP(x, r)
		x.start()
	})
}

// timedExchange is a request and its answer. It sets deadlines as the exchange goes on. Connections
// that do not support deadlines, such as those of tests, go without.
type timedExchange struct {
	http.ResponseWriter
	connection *http.ResponseController
	limits     limits
	body       io.ReadCloser
	// needed is set once the body has been asked for, ended once it has been read, and started once
	// the answer has begun.
	needed, ended, started bool
}

// timedBody is the body of a [timedExchange].
type timedBody struct{ x *timedExchange }

func (b timedBody) Close() error { return b.x.body.Close() }

func (b timedBody) Read(p []byte) (int, error) {
	b.x.need()
	n, err := b.x.body.Read(p)
	if err == io.EOF {
		// A deadline that passes now would cancel the request.
		b.x.ended = true
		_ = b.x.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

// need starts the deadline of the body, once.
func (x *timedExchange) need() {
	if !x.needed {
		x.needed = true
		_ = x.connection.SetReadDeadline(time.Now().Add(x.limits.body))
	}
}

// start starts the deadline of the answer. net/http reads the rest of a body
// before it answers, so the deadline of the body must be in force as well.
func (x *timedExchange) start() {
	if x.started {
		return
	}
	x.started = true
	_ = x.connection.SetWriteDeadline(time.Now().Add(x.limits.answer))
	if x.body != nil && x.body != http.NoBody && !x.ended {
		x.need()
	}
}

func (x *timedExchange) WriteHeader(status int) {
	x.start()
	x.ResponseWriter.WriteHeader(status)
}

func (x *timedExchange) Write(p []byte) (int, error) {
	x.start()
	return x.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *timedExchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// logPanics logs a panic of next and breaks the connection. net/http
// would do the same, but its log is at the level Debug here.
func logPanics(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch reason := recover(); reason {
			case nil:
			case http.ErrAbortHandler: // a fault, on purpose
				panic(reason)
			default:
				logger.ErrorContext(r.Context(), "sandbox: a handler panicked",
					"path", r.URL.Path, "reason", reason, "stack", string(debug.Stack()))
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
