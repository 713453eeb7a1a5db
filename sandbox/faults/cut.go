package faults

import (
	"io"
	"net/http"
	"strconv"
)

// cut returns a writer and a request for a handler that is to break off in the middle of a body.
func cut(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
	if r.ContentLength == 0 {
		return &cutWriter{ResponseWriter: w}, r
	}
	half := r.ContentLength / 2
	if r.ContentLength < 0 {
		half = 1 << 10
	}
	clone := *r
	clone.Body = cutBody{io.LimitReader(r.Body, half), r.Body}
	return w, &clone
}

// cutBody breaks the connection at its end.
type cutBody struct {
	io.Reader
	io.Closer
}

func (b cutBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// cutWriter breaks the connection once it has written half of an answer.
type cutWriter struct {
	http.ResponseWriter
	half    int
	begun   bool
	written int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun = true
		size, err := strconv.Atoi(w.Header().Get("Content-Length"))
		if err != nil {
			size = len(p) // an answer of unknown length breaks off in what is written first
		}
		w.half = size / 2
	}
	n, err := w.ResponseWriter.Write(p[:min(len(p), w.half-w.written)])
	w.written += n
	if err == nil && w.written == w.half {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}
