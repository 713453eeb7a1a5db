package amplifylambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
)

var (
	errPanicked = errors.New("amplifylambda: the handler panicked")
	errNoReturn = errors.New("amplifylambda: the handler ended its goroutine (runtime.Goexit)")
	errReturned = errors.New("amplifylambda: the handler has returned")
)

// writer is the [http.ResponseWriter] of a request.
type writer struct {
	header http.Header // the handler's
	isHead bool        // the request is HEAD: the response has no body

	mu     sync.Mutex  // a handler may leave a goroutine behind that goes on writing
	out    io.Writer   // nil when the handler has returned
	status int         // 0 until the header is written
	sent   http.Header // the header as it was then
	typed  bool        // the handler has decided on a Content-Type, if only to have none
	begun  bool        // status and sent are final

	ready func() // is called when the response begins, at least once
}

func newWriter(out io.Writer, ready func()) *writer {
	return &writer{header: http.Header{}, out: out, ready: ready}
}

// serve has next answer the request of e. It returns an error if next panics in the middle of a
// stream.
func (w *writer) serve(ctx context.Context, next http.Handler, e *event) (err error) {
	defer func() {
		v := recover()
		if v != nil && v != http.ErrAbortHandler {
			slog.ErrorContext(ctx, "panic while serving a request",
				"panic", v, "stack", string(debug.Stack()))
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if v != nil {
			err = w.fail()
		}
		w.begin(nil)
		w.out = nil
	}()
	r, err := e.request(ctx)
	if err != nil {
		http.Error(w, "400 Bad Request", http.StatusBadRequest) // as net/http answers it
		return nil
	}
	w.isHead = r.Method == http.MethodHead
	next.ServeHTTP(w, r)
	return nil
}

// fail makes the response one of status 500, unless the client may have a part of it. It keeps the
// cookies: with them a session would be lost that was refreshed. w.mu is held.
func (w *writer) fail() error {
	if buffer, ok := w.out.(*bytes.Buffer); ok {
		buffer.Reset()
	} else if w.begun {
		return errPanicked
	}
	kept := http.Header{}
	for _, key := range []string{"Set-Cookie", "Cache-Control", "Vary"} {
		if lines := w.header[key]; lines != nil {
			kept[key] = lines
		}
	}
	w.header, w.status, w.begun = kept, 0, false
	w.writeHeader(http.StatusInternalServerError)
	return nil
}

// Header implements [http.ResponseWriter].
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter]. It passes informational responses over, and panics
// if status is none, as net/http does.
func (w *writer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("amplifylambda: the handler answers with no HTTP status: %d", status))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out != nil {
		w.writeHeader(status)
	}
}

// writeHeader writes the header unless it has been written. w.mu is held.
func (w *writer) writeHeader(status int) {
	if status < 200 || w.status != 0 {
		return
	}
	w.status, w.sent, w.typed = status, http.Header{}, false
	for key, lines := range w.header {
		name := http.CanonicalHeaderKey(key) // handlers can write into the map in any spelling
		if !isToken(name) || isOfConnection(name) {
			continue // a trailer's name has a colon, and is no token
		}
		if name == "Content-Length" && !w.isHead {
			continue // the integration counts
		}
		w.typed = w.typed || name == "Content-Type"
		for _, line := range lines {
			w.sent[name] = append(w.sent[name], oneLine.Replace(line))
		}
	}
}

// oneLine keeps values from adding fields, as net/http does.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// isOfConnection reports whether a field describes the connection (RFC 9110 §7.6.1), which is not
// the handler's. A load balancer would pass it on, even by HTTP/2.
func isOfConnection(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// begin makes the header final before the first bytes of the body are written. w.mu is held.
func (w *writer) begin(first []byte) {
	w.writeHeader(http.StatusOK)
	if w.begun {
		return
	}
	w.begun = true
	if !w.typed && len(first) > 0 && w.sent.Get("Content-Encoding") == "" {
		w.sent.Set("Content-Type", http.DetectContentType(first)) // as net/http does
	}
	w.ready()
}

// Write implements [http.ResponseWriter].
func (w *writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil {
		return 0, errReturned
	}
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if len(b) == 0 { // it tells nothing of the Content-Type
		w.writeHeader(http.StatusOK)
		return 0, nil
	}
	w.begin(b)
	if w.isHead {
		return len(b), nil
	}
	return w.out.Write(b)
}

// Flush implements [http.Flusher].
func (w *writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out != nil {
		w.begin(nil)
	}
}
