package appsync

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
)

// maxCalls is how many calls of one function run at once. Functions that never return, which nobody
// waits for any more, count, too.
const maxCalls = 100

// slots are what calls of a function take while they run.
type slots chan struct{}

func newSlots() slots { return make(slots, maxCalls) }

// call calls a function of the application. It waits no longer than ctx lasts, even if the function
// does not mind it, and makes an error of a panic.
func call[T any](ctx context.Context, logger *slog.Logger, name string, free slots,
	f func() (T, error)) (value T, err error) {
	type outcome struct {
		value T
		err   error
	}
	select {
	case free <- struct{}{}:
	case <-ctx.Done():
		return value, ctx.Err()
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: errPanic} // unless f returns
		defer func() {
			if reason := recover(); reason != nil {
				logger.ErrorContext(ctx, "sandbox: a function panicked", "function", name,
					"reason", reason, "stack", string(debug.Stack()))
			}
			<-free
			done <- o
		}()
		o.value, o.err = f()
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// errPanic is the error of a function that does not return.
var errPanic = errors.New("the function panicked: the sandbox's log says where")
