package awsapi

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Attempts is how often a call is sent at most, as in Amplify JS.
const Attempts = 3

// Retryer returns a new instance of the retry policy. It retries failures that may be temporary:
// throttling, status 5xx and broken connections. A proxy may throttle by status 429 alone.
//
// It waits 0 to 100 ms before the second attempt and 0 to 200 ms before the third. The waits are
// random so that the servers of a fleet do not retry at the same moment. The context of the call
// ends a wait. A token bucket stops retries while most calls of a client fail, so that retries do
// not add to the load of a service in trouble.
func Retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = Attempts
		o.Retryables = append(slices.Clip(o.Retryables), retry.RetryableHTTPStatusCode{
			Codes: map[int]struct{}{http.StatusTooManyRequests: {}},
		})
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return rand.N(100 * time.Millisecond << (attempt - 1)), nil // attempt counts from 1
		})
	})
}

// Retry calls attempt, and again by the policy of r, as the clients of the SDK do. It is for
// services that have no such client. It returns the error of the last attempt.
func Retry(ctx context.Context, r aws.Retryer, attempt func() error) error {
	release := r.GetInitialToken()
	for n := 1; ; n++ {
		err := attempt()
		_ = release(err) // it gives back to the token bucket, which cannot fail
		if err == nil || n == r.MaxAttempts() || ctx.Err() != nil || !r.IsErrorRetryable(err) {
			return err
		}
		var empty error
		if release, empty = r.GetRetryToken(ctx, err); empty != nil {
			return err
		}
		delay, noDelay := r.RetryDelay(n, err)
		if noDelay != nil {
			return err
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
