package cognito

import (
	"context"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
)

// work is what runs apart from any one request: fetches of keys and refreshes, which many
// requests wait for and none may cancel.
type work struct {
	ctx    context.Context // ends when work is closed
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func newWork() *work {
	w := &work{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

var errClosed = &amplify.Error{
	Name:    "AmplifyClosedError",
	Reason:  amplify.ReasonConfiguration,
	Message: "This Cognito has been closed.",
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
