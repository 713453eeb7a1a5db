package sandbox

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// What a client can use of the server. Bodies have limits of 64 or 128 KiB where they are read,
// those for AppSync 1 MiB, and S3 has its own. They have no deadline: a fault can make an answer
// take as long as it likes.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeaderBytes leaves room for cookies: browsers send those of all applications on localhost.
	maxHeaderBytes = 64 << 10
)

// newServer returns the server of a sandbox.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           logPanics(logger, handler),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// A client that does not trust the authority yet breaks off its handshakes. That is normal.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// logPanics logs a panic of next and breaks the connection. net/http would do the same, but its log
// is at the level Debug here.
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
