// Package calls notes which calls the sandbox has answered, for the console and for tests.
package calls

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Call is one call that was answered. It holds no secret.
type Call struct {
	// Operation is what [Log.Handler]'s name called it.
	Operation string
	// Status is 0 where the connection broke without an answer.
	Status int
	// Error is the name of the AWS exception that was answered, or "".
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

// Reset makes Counts count from zero again.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.counts)
}

// Handler notes the calls that next answers, under names of which there must be a bounded number. Calls that
// name names "" are not noted.
func (l *Log) Handler(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := name(r)
		if operation == "" {
			next.ServeHTTP(w, r)
			return
		}
		// Counted before it is answered, so that who has the answer finds it counted.
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
			l.add(Call{operation, rec.status, exception, started, time.Since(started)})
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

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if status >= 200 { // not 1xx, which are no answer yet
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
