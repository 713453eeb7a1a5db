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
	if level <= slog.LevelDebug {
		r.app.Logger().Log(ctx, level, message, args...)
		return
	}
	r.logs.Log(ctx, r.app.Logger(), r.app.Now(), level, message, args...)
}
