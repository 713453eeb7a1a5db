// Package loglimit bounds how many log lines requests can cause that anybody can send: they must
// not fill a disk.
package loglimit

import (
	"context"
	"log/slog"
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

// Log logs a line at the time now, unless there were too many of that message. The next one that is
// logged tells how many were dropped.
func (l *Limit) Log(
	ctx context.Context, to *slog.Logger, now time.Time, level slog.Level, message string, args ...any,
) {
	if !to.Enabled(ctx, level) {
		return
	}
	ok, dropped := l.take(message, now)
	if !ok {
		return
	}
	if dropped > 0 {
		args = append(args, "dropped", dropped)
	}
	to.Log(ctx, level, message, args...)
}

// take reports whether a line may be logged at the time now, and how many were dropped before.
func (l *Limit) take(message string, now time.Time) (ok bool, dropped int) {
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
