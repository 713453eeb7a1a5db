// Package loglimit bounds how many log lines requests can cause that anybody can send: they must
// not fill a disk.
package loglimit

import (
	"sync"
	"time"
)

const (
	// Interval and Lines bound how often one message is logged.
	Interval = time.Minute
	Lines    = 10
)

// Limit bounds log lines by their message. The zero value is ready for use. It is safe for
// concurrent use, and remembers each message: these must not be made of what requests carry.
type Limit struct {
	mu       sync.Mutex
	messages map[string]*count
}

type count struct {
	began          time.Time
	lines, dropped int
}

// Take reports whether a line may be logged at the time now, and how many were dropped before.
func (l *Limit) Take(message string, now time.Time) (ok bool, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.messages[message]
	if c == nil {
		if l.messages == nil {
			l.messages = map[string]*count{}
		}
		c = &count{began: now}
		l.messages[message] = c
	}
	if since := now.Sub(c.began); since >= Interval || since < 0 {
		c.began, c.lines = now, 0
	}
	if c.lines == Lines {
		c.dropped++
		return false, 0
	}
	dropped, c.dropped = c.dropped, 0
	c.lines++
	return true, dropped
}
