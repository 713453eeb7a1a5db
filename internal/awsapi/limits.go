package awsapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
)

// Limits of one attempt of a call. They hold also for an HTTP client of the user's that has none.
const (
	// maxAnswer is the largest body of an answer, in bytes. The answers of Cognito to the calls of
	// this module have a few KiB.
	maxAnswer = 1 << 20
	// attemptTimeout bounds an attempt from its start to the end of the answer's body.
	attemptTimeout = 10 * time.Second
)

// limited is an HTTP client for calls with small answers. It reads an answer to its end before it
// returns it.
type limited struct {
	client  aws.HTTPClient
	size    int64
	timeout time.Duration // 0: what the context of the call allows
}

// Patient returns an HTTP client of app that waits for an answer for as long as the context of the
// call allows. The body of the answer may have 1 MiB.
func Patient(app *amplify.App) aws.HTTPClient { return &limited{app.HTTPClient(), maxAnswer, 0} }

// Do sends r. If the body of the answer cannot be read within the limits, reading the returned body
// returns an [answerError]. Status and header are returned in any case: the status tells whether
// the call had an effect.
func (l *limited) Do(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if l.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.timeout)
		defer cancel()
	}
	resp, err := l.client.Do(r.WithContext(ctx))
	if err != nil {
		return resp, err
	}
	if body, err := Read(ctx, resp.Body, l.size); err != nil {
		resp.Body = io.NopCloser(&failingReader{err})
	} else {
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp, nil
}

// Read reads the body of an answer to its end, and closes it. An error is one that [Error] takes
// for a broken connection: of more than size bytes, or when ctx ends.
func Read(ctx context.Context, body io.ReadCloser, size int64) ([]byte, error) {
	defer body.Close()
	// Not every body observes the context of its request. One that comes from fetch (GOOS=js) ends
	// only when it is closed, and then as if it were complete.
	stop := context.AfterFunc(ctx, func() { body.Close() })
	b, err := io.ReadAll(io.LimitReader(body, size+1))
	switch {
	case !stop():
		return nil, &answerError{ctx.Err()}
	case err != nil:
		return nil, &answerError{err}
	case int64(len(b)) > size:
		return nil, &answerError{fmt.Errorf("it has more than %d bytes", size)}
	}
	return b, nil
}

type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }

// answerError says why an answer could not be read after its header had arrived.
type answerError struct{ err error }

func (e *answerError) Error() string { return "reading the answer: " + e.err.Error() }

func (e *answerError) Unwrap() error { return e.err }
