package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// idleTimeout is how long a transfer may stand still.
const idleTimeout = 30 * time.Second

var errIdle = errors.New("nothing has moved for too long")

// idle is an HTTP client for transfers of any length. It ends a request of which nothing has been
// sent or received for timeout, but not one that is slow. Time in which nobody reads the answer
// does not count.
type idle struct {
	client  aws.HTTPClient
	timeout time.Duration
}

// Do sends r. An answer that is an error has arrived when all of it has, which is at most maxAnswer
// bytes: one that breaks off would leave its reader without the error's name.
func (c *idle) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &watch{ctx, cancel, c.timeout, time.AfterFunc(c.timeout, func() { cancel(errIdle) })}
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &sent{r.Body, w}
	}
	resp, err := c.client.Do(r)
	w.timer.Stop()
	if err != nil {
		err = w.explain(err)
		cancel(nil)
		return nil, err
	}
	// Not every body observes the context of its request: one that comes from fetch (GOOS=js) ends
	// only when it is closed.
	body := resp.Body
	stop := context.AfterFunc(ctx, func() { body.Close() })
	resp.Body = &received{body, w, stop}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return resp, nil
}

// watch cancels a request that stands still.
type watch struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timeout time.Duration
	timer   *time.Timer
}

// explain returns errIdle for an error that it is the cause of.
func (w *watch) explain(err error) error {
	if context.Cause(w.ctx) == errIdle {
		return errIdle
	}
	return err
}

// sent is the body of a request.
type sent struct {
	io.ReadCloser
	watch *watch
}

func (b *sent) Read(p []byte) (int, error) {
	b.watch.timer.Reset(b.watch.timeout)
	return b.ReadCloser.Read(p)
}

// received is the body of an answer.
type received struct {
	io.ReadCloser
	watch *watch
	stop  func() bool
}

func (b *received) Read(p []byte) (int, error) {
	b.watch.timer.Reset(b.watch.timeout)
	n, err := b.ReadCloser.Read(p)
	b.watch.timer.Stop()
	if err != nil && b.watch.ctx.Err() != nil {
		// A body that was closed may seem to be complete.
		err = b.watch.explain(context.Cause(b.watch.ctx))
	}
	return n, err
}

func (b *received) Close() error {
	b.stop()
	b.watch.timer.Stop()
	b.watch.cancel(nil)
	return b.ReadCloser.Close()
}
