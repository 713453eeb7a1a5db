package cognito

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
)

// work is what runs apart from any one request: fetches of keys, refreshes and other calls that
// many requests wait for.
type work struct {
	log    func() *slog.Logger
	ctx    context.Context // ends when work is closed
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func newWork(log func() *slog.Logger) *work {
	w := &work{log: log}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

var errClosed = &amplify.Error{
	Name:    "AmplifyClosedError",
	Reason:  amplify.ReasonConfiguration,
	Message: "The session source has been closed.",
}

// begin announces a piece of work, which ends with a call of done. ctx is the context to do it in.
func (w *work) begin(timeout time.Duration) (ctx context.Context, done func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, nil, errClosed
	}
	w.running.Add(1)
	ctx, cancel := context.WithTimeout(w.ctx, timeout)
	return ctx, func() { cancel(); w.running.Done() }, nil
}

func (w *work) close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	ended := make(chan struct{})
	go func() {
		w.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
