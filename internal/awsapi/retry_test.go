package awsapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/amplify-go/amplify/internal/awsapi"
)

// withStatus returns the error of an attempt that was answered with a status.
func withStatus(status int) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("refused"),
	}}
}

// TestRetry: what may be temporary is tried three times, other failures once.
func TestRetry(t *testing.T) {
	broken := &smithyhttp.RequestSendError{Err: errors.New("EOF")}
	for _, c := range []struct {
		name   string
		errors []error // of the attempts, in order; the last one is used again
		calls  int
	}{
		{"success", []error{nil}, 1},
		{"500", []error{withStatus(500)}, 3},
		{"429", []error{withStatus(429)}, 3},
		{"400", []error{withStatus(400)}, 1},
		{"broken", []error{broken}, 3},
		{"broken once", []error{broken, nil}, 2},
		{"broken, then refused", []error{broken, withStatus(403)}, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			start, calls := time.Now(), 0
			var last error
			err := awsapi.Retry(t.Context(), awsapi.Retryer(), func() error {
				last = c.errors[min(calls, len(c.errors)-1)]
				calls++
				return last
			})
			if calls != c.calls || !errors.Is(err, last) {
				t.Errorf("%s: %v after %d attempts", c.name, err, calls)
			}
			if took := time.Since(start); took > 300*time.Millisecond {
				t.Errorf("%s: took %v", c.name, took)
			}
		})
	}
}

// TestRetryEnds: nothing is tried once the context has ended, while it waits or before.
func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, waits := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			calls := 0
			err := awsapi.Retry(ctx, awsapi.Retryer(), func() error {
				if calls++; waits {
					time.AfterFunc(0, cancel)
				} else {
					cancel()
				}
				return withStatus(500)
			})
			if err == nil || calls != 1 {
				t.Errorf("waits %t: %v after %d attempts", waits, err, calls)
			}
			cancel()
		}
	})
}

// TestRetryTokens: a client most of whose calls fail stops sending them again, and calls that their
// callers have given up do not count.
func TestRetryTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		retryer, calls := awsapi.Retryer(), 0
		fail := func() error { calls++; return withStatus(500) }
		cancel()
		for range 1000 {
			_ = awsapi.Retry(ctx, retryer, fail)
		}
		calls = 0
		if _ = awsapi.Retry(t.Context(), retryer, fail); calls != 3 {
			t.Errorf("%d attempts after calls that were given up", calls)
		}
		for range 1000 {
			_ = awsapi.Retry(t.Context(), retryer, fail)
		}
		calls = 0
		if _ = awsapi.Retry(t.Context(), retryer, fail); calls != 1 {
			t.Errorf("%d attempts after a thousand failures", calls)
		}
	})
}

// TestLive: a context ends with the session that it is bound to, and says why.
func TestLive(t *testing.T) {
	why := errors.New("signed out")
	life, endLife := context.WithCancelCause(t.Context())
	ctx, end := awsapi.Live(t.Context(), life)
	defer end()
	endLife(why)
	<-ctx.Done()
	if context.Cause(ctx) != why {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
	ctx, end = awsapi.Live(t.Context(), t.Context())
	end()
	if ctx.Err() == nil {
		t.Error("end does not end it")
	}
}
