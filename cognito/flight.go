package cognito

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

const (
	// flightTimeout bounds one shared call, retries included, however long its callers would wait.
	flightTimeout = 20 * time.Second
	// maxAbandoned bounds how many calls of a kind go on once all their callers have gone: the
	// answer may be the only successor of a refresh token. Beyond it they are cancelled. Each kind
	// has its own bound: anybody can leave exchanges of codes behind, and a refresh that is
	// cancelled for them could lose its session.
	maxAbandoned = 100
)

// flights lets callers that want the same thing at the same time share one call for it. Each caller
// waits as long as its own context allows. A caller that gives up does not cancel the call for the
// others.
//
// golang.org/x/sync/singleflight does not serve: a panic in its call ends the process, and it does
// not tell that all callers have gone.
type flights[T any] struct {
	work *work

	mu        sync.Mutex
	running   map[[sha256.Size]byte]*flight[T]
	abandoned int // calls whose callers have all gone
}

// flight is one call under way.
type flight[T any] struct {
	done   chan struct{} // closed when value and err are there
	value  T
	err    error
	cancel context.CancelFunc

	callers   int
	cancelled bool // beyond maxAbandoned
}

// do returns what call returns, or what a call for the same key returns that is under way. call
// must not keep memory that belongs to a request: it may outlive it.
func (f *flights[T]) do(ctx context.Context, key [sha256.Size]byte, call func(context.Context) (T, error)) (T, error) {
	var none T
	f.mu.Lock()
	fl := f.running[key]
	if fl == nil || fl.cancelled { // too late to join it
		ctx, done, err := f.work.begin(flightTimeout)
		if err != nil {
			f.mu.Unlock()
			return none, err
		}
		if fl != nil {
			f.abandoned--
		}
		ctx, cancel := context.WithCancel(ctx)
		fl = &flight[T]{done: make(chan struct{}), cancel: cancel}
		if f.running == nil {
			f.running = map[[sha256.Size]byte]*flight[T]{}
		}
		f.running[key] = fl
		go func() {
			defer done()
			defer cancel()
			value, err := f.work.protect(func() (any, error) { return call(ctx) })
			f.mu.Lock()
			defer f.mu.Unlock()
			fl.value, _ = value.(T)
			fl.err = err
			if f.running[key] == fl {
				delete(f.running, key)
				if fl.callers == 0 {
					f.abandoned--
				}
			}
			close(fl.done)
		}()
	} else if fl.callers == 0 {
		f.abandoned--
	}
	fl.callers++
	f.mu.Unlock()

	select {
	case <-fl.done:
		return fl.value, fl.err
	case <-ctx.Done():
		f.leave(key, fl)
		return none, awsapi.Error(ctx.Err())
	}
}

// leave notes that a caller has gone.
func (f *flights[T]) leave(key [sha256.Size]byte, fl *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl.callers--
	if fl.callers > 0 || f.running[key] != fl {
		return
	}
	if f.abandoned++; f.abandoned > maxAbandoned {
		fl.cancelled = true
		fl.cancel()
	}
}

// protect runs f, and makes an error of a panic: one call that many requests share must not end the
// process.
func (w *work) protect(f func() (any, error)) (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			w.log().Error("amplify: a call panicked", "panic", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
			value, err = nil, &amplify.Error{
				Name: "AmplifyError", Reason: amplify.ReasonServiceUnavailable,
				Message: "A call failed unexpectedly.",
			}
		}
	}()
	return f()
}
