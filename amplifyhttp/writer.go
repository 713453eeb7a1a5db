package amplifyhttp

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/amplify-go/amplify/flow"
)

// responseWriter completes the header before it is written, whichever of its methods writes it.
type responseWriter struct {
	next http.ResponseWriter
	x    *flow.Exchange
	ctx  context.Context // of the request

	closing sync.Once
	gone    chan bool // for CloseNotify
}

func (w *responseWriter) Header() http.Header { return w.next.Header() }

// WriteHeader writes a header. Informational ones (1xx) may precede the final one, and
// carry no cookies. 101 is final.
func (w *responseWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.x.Commit(w.next.Header())
	}
	w.next.WriteHeader(status)
}

func (w *responseWriter) Write(b []byte) (int, error) {
	w.x.Commit(w.next.Header())
	return w.next.Write(b)
}

// WriteString implements [io.StringWriter].
func (w *responseWriter) WriteString(s string) (int, error) {
	w.x.Commit(w.next.Header())
	return io.WriteString(w.next, s)
}

// ReadFrom implements [io.ReaderFrom], through which net/http sends files without copying them.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	w.x.Commit(w.next.Header())
	return io.Copy(w.next, r)
}

// Flush implements [http.Flusher].
func (w *responseWriter) Flush() { _ = w.FlushError() }

// FlushError is what [http.ResponseController] calls.
func (w *responseWriter) FlushError() error {
	w.x.Commit(w.next.Header())
	return http.NewResponseController(w.next).Flush()
}

// Hijack implements [http.Hijacker]. The cookies are in the header, for callers that
// write it by hand.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.x.Commit(w.next.Header())
	return http.NewResponseController(w.next).Hijack()
}

// CloseNotify implements http.CloseNotifier. It is deprecated, but Gin's Context.Stream panics
// without it. It goes by the request's context, which ends when the client has gone. As in net/http
// the channel is always the same: handlers ask for it before each event that they send.
func (w *responseWriter) CloseNotify() <-chan bool {
	w.closing.Do(func() {
		w.gone = make(chan bool, 1)
		context.AfterFunc(w.ctx, func() { w.gone <- true })
	})
	return w.gone
}

// Unwrap gives [http.ResponseController] what else the next writer can do: deadlines, full duplex.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.next }
