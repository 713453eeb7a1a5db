package flow

import (
	"context"
	"log/slog"
)

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
		ok, dropped := r.logs.Take(message, r.app.Now())
		if !ok {
			return
		}
		if dropped > 0 {
			args = append(args, "dropped", dropped)
		}
	}
	log.Log(ctx, level, message, args...)
}
