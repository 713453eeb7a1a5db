package faults

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

// Refuser is an ability of the handler behind [Set.Handler]: it answers calls itself with the
// errors of [Throttle] and [JSON500], where they have another form than Cognito's.
type Refuser interface {
	// Refuse reports whether it has answered.
	Refuse(w http.ResponseWriter, r *http.Request, o Outcome) bool
}

// Handler returns a handler that applies the faults to calls before next
// answers them. name returns the name of a call, which should be one of
// the Set's operations, or "" for requests that faults must spare.
func (s *Set) Handler(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := name(r)
		if operation == "" {
			next.ServeHTTP(w, r)
			return
		}
		latency, outcome := s.strike(operation)
		if latency > 0 && !(readAhead(r) && wait(r, latency)) {
			panic(http.ErrAbortHandler) // the caller has gone
		}
		if refuser, ok := next.(Refuser); ok && refuser.Refuse(w, r, outcome) {
			return
		}
		switch outcome {
		case "":
			next.ServeHTTP(w, r)
		case Throttle:
			fail(w, http.StatusBadRequest, "TooManyRequestsException", "Rate exceeded")
		case JSON500:
			fail(w, http.StatusInternalServerError, "InternalErrorException", "An internal error occurred.")
		case Plain429:
			http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
		case HTML503:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("<html><head><title>503 Service Temporarily Unavailable</title></head>" +
				"<body><h1>503 Service Temporarily Unavailable</h1></body></html>\n"))
		case Cut:
			next.ServeHTTP(cut(w, r))
			fallthrough // there was no body to cut
		case Drop:
			panic(http.ErrAbortHandler) // net/http closes the connection without an answer
		case DropAfter:
			next.ServeHTTP(discarded{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
	})
}

// maxAhead is more than the bodies that the sandbox reads.
const maxAhead = 256 << 10

// readAhead reads the body into memory: net/http notices that a caller has gone when the body has
// been read, and not before. It reports whether the body has come.
func readAhead(r *http.Request) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAhead))
	if err != nil {
		return false
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return true
}

// wait waits for d. It reports whether the caller still waits for the answer.
func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// fail answers with an AWS exception, which pages of any origin may read.
func fail(w http.ResponseWriter, status int, exception, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	awsjson.AllowOrigin(w.Header())
	awsjson.Fail(w, status, exception, message)
}

// discarded is a writer for an answer that is not sent.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header         { return d.header }
func (d discarded) Write(b []byte) (int, error) { return len(b), nil }
func (d discarded) WriteHeader(int)             {}
