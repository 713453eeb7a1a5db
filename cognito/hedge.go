package cognito

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// hedgeDelay is how long a refresh waits for an answer before it is sent once more. It ends before a
// grace period of 10 seconds does, in which the user pool takes the same refresh token again.
const hedgeDelay = 8 * time.Second

// errOtherAnswer is why the slower of two calls ends.
var errOtherAnswer = errors.New("the other call has been answered")

// hedged makes a call, which runs as part of w, and once more if there is no answer after
// hedgeDelay. It returns what succeeds first. Both may go on until ctx ends: if the request was
// lost, only the second call can help; if the answer is late and refresh tokens rotate, only the
// first, which a retry must not cut off: its answer is the only successor.
//
// If both fail it returns the error of one that was answered rather than that of silence.
func hedged[T any](ctx context.Context, w *work, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errOtherAnswer)
	type result struct {
		value any
		err   error
	}
	results := make(chan result, 2)
	send := func() {
		value, err := w.protect(func() (any, error) { return call(ctx) })
		results <- result{value, err}
	}
	w.running.Go(send)
	timer := time.NewTimer(hedgeDelay)
	defer timer.Stop()
	var failure error
	for running := 1; running > 0; {
		select {
		case <-timer.C:
			running++
			w.running.Go(send)
		case r := <-results:
			running--
			if r.err == nil {
				return r.value.(T), nil
			}
			if failure == nil || unanswered(failure) {
				failure = r.err
			}
		}
	}
	var none T
	return none, failure
}

// patient lets an attempt of a call take as long as its context allows.
func patient(app *amplify.App) func(*cognitoidentityprovider.Options) {
	return func(o *cognitoidentityprovider.Options) { o.HTTPClient = awsapi.Patient(app) }
}
