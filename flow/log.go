package flow

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// logInterval and linesPerInterval bound how often one message is logged that any request can
	// cause, be its sender signed in or not.
	logInterval      = time.Minute
	linesPerInterval = 10
)

// logLimit bounds log lines by their message. The zero value is ready for use.
type logLimit struct {
	mu       sync.Mutex
	messages map[string]*logCount
}

type logCount struct {
	began          time.Time
	lines, dropped int
}

// take reports whether a line may be logged at the time now, and how many were dropped before.
func (l *logLimit) take(message string, now time.Time) (ok bool, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.messages[message]
	if c == nil {
		if l.messages == nil {
			l.messages = map[string]*logCount{}
		}
		c = &logCount{began: now}
		l.messages[message] = c
	}
	if since := now.Sub(c.began); since >= logInterval || since < 0 {
		c.began, c.lines = now, 0
	}
	if c.lines == linesPerInterval {
		c.dropped++
		return false, 0
	}
	dropped, c.dropped = c.dropped, 0
	c.lines++
	return true, dropped
}

// log logs what went wrong with a request. Requests that anybody can send must not fill a disk: of
// each message some lines are logged a minute, and the next one tells how many were dropped. It is
// no fault that a client has gone: then the level is Debug. message must be a constant.
func (r *Runner) log(ctx context.Context, level slog.Level, message string, args ...any) {
	if ctx.Err() != nil {
		level = slog.LevelDebug
	}
	log := r.app.Logger()
	if !log.Enabled(ctx, level) {
		return
	}
	if level > slog.LevelDebug {
		ok, dropped := r.logs.take(message, r.app.Now())
		if !ok {
			return
		}
		if dropped > 0 {
			args = append(args, "dropped", dropped)
		}
	}
	log.Log(ctx, level, message, args...)
}
