package cognito

import (
	"context"
	"crypto/sha256"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/amplify-go/amplify/internal/awsapi"
)

// flightTimeout bounds one shared call, retries included, however long its callers would wait.
const flightTimeout = 20 * time.Second

// flights lets callers that want the same thing at the same time share one call for it. Each waits as long as its own
// context allows; none that gives up cancels the call for the others.
type flights[T any] struct {
	work  *work
	group singleflight.Group
}

// do returns what call returns, or what a call for the same key returns that is under way.
func (f *flights[T]) do(ctx context.Context, key [sha256.Size]byte, call func(context.Context) (T, error)) (T, error) {
	flight := f.group.DoChan(string(key[:]), func() (any, error) {
		ctx, done, err := f.work.begin(flightTimeout)
		if err != nil {
			return nil, err
		}
		defer done()
		return call(ctx)
	})
	var none T
	select {
	case r := <-flight:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, awsapi.Error(ctx.Err())
	}
}
