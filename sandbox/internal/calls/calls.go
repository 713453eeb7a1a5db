// Package calls records the calls that the sandbox has answered, for the console and for tests.
package calls

import (
	"cmp"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

// Call is a call that was answered. It contains no secrets.
type Call struct {
	// Operation is the name of the call.
	Operation string
	// Unknown means that the sandbox does not have the operation. Operation is then what
	// the caller asked for. Such calls are counted as [awsjson.UnknownOperation].
	Unknown bool
	// Status is the status of the answer, or 0 if the connection broke without an answer.
	Status int
	// Error is the name of the AWS exception in the answer, or "".
	Error    string
	Started  time.Time
	Duration time.Duration
}

// Log keeps the latest calls and counts all of them. It is safe for concurrent use.
type Log struct {
	mu     sync.Mutex
	ring   []Call
	next   int // where the next call goes, once the ring is full
	counts map[string]int
}

// NewLog returns a Log that keeps the latest size calls.
func NewLog(size int) *Log {
	return &Log{ring: make([]Call, 0, size), counts: map[string]int{}}
}

// Recent returns the latest calls, the newest first.
func (l *Log) Recent() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	recent := make([]Call, 0, len(l.ring))
	for i := range l.ring {
		recent = append(recent, l.ring[(l.next+len(l.ring)-1-i)%len(l.ring)])
	}
	return recent
}

// Counts returns how many calls of each operation have arrived.
func (l *Log) Counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}

// Reset sets all counters to zero.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.counts)
}

// Handler returns a handler that records the calls that next answers. name returns the name
// of a call, or "" for requests that are not recorded. The number of names must be bounded.
func (l *Log) Handler(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := name(r)
		if operation == "" {
			next.ServeHTTP(w, r)
			return
		}
		// It is counted before it is answered, so that the caller finds it counted.
		l.mu.Lock()
		l.counts[operation]++
		l.mu.Unlock()
		started := time.Now()
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		answered := false
		defer func() {
			if !answered { // next panicked: net/http breaks the connection
				rec.status = 0
			}
			exception, _, _ := strings.Cut(w.Header().Get("X-Amzn-Errortype"), ":")
			c := Call{
				Operation: operation, Status: rec.status, Error: exception,
				Started: started, Duration: time.Since(started),
			}
			if operation == awsjson.UnknownOperation {
				c.Operation, c.Unknown = cmp.Or(awsjson.Asked(r), operation), true
			}
			l.add(c)
		}()
		next.ServeHTTP(rec, r)
		answered = true
	})
}

func (l *Log) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < cap(l.ring) {
		l.ring = append(l.ring, c)
		return
	}
	l.ring[l.next] = c
	l.next = (l.next + 1) % len(l.ring)
}

// recorder records the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	// Other 1xx are no answer yet.
	if status >= 200 || status == http.StatusSwitchingProtocols {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
