//go:build js

package amplify

import (
	"context"
	"io"
	"net/http"
	"strings"
	"syscall/js"
	"time"
)

// Under GOOS=js net/http sends requests by the JavaScript function fetch, unless the transport has
// a dialer. fetch opens connections itself and follows redirects itself, so that the time-outs of
// http.Transport and http.Client.CheckRedirect have no effect.

func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if !usesFetch(t) {
		return t
	}
	return &fetchTransport{t, answerTimeout}
}

// refuseRedirects returns a transport that fails where t would follow a redirect. A transport of
// another type than [http.Transport] is returned as it is.
func refuseRedirects(t http.RoundTripper) http.RoundTripper {
	if t == nil {
		t = http.DefaultTransport
	}
	if base, ok := t.(*http.Transport); ok && usesFetch(base) {
		return &fetchTransport{base, 0}
	}
	return t
}

// usesFetch reports whether t sends requests by fetch. It repeats the rules of
// net/http/roundtrip_js.go. In Node.js net/http simulates a network for its own tests
// (go.dev/issue/57613); that one refuses the header below.
func usesFetch(t *http.Transport) bool {
	//nolint:staticcheck // net/http asks for the two deprecated fields, too
	dials := t.Dial != nil || t.DialContext != nil || t.DialTLS != nil || t.DialTLSContext != nil
	if dials || js.Global().Get("fetch").IsUndefined() {
		return false
	}
	process := js.Global().Get("process")
	return process.Type() != js.TypeObject || !strings.HasPrefix(process.Get("argv0").String(), "node")
}

// fetchTransport sends requests by fetch, and lets it follow no redirects.
type fetchTransport struct {
	base *http.Transport
	// timeout bounds a request from its start to the end of the answer's body. Zero means no bound.
	timeout time.Duration
}

// RoundTrip sends r. If fetch is redirected, RoundTrip returns an error.
func (t *fetchTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := t.context(r.Context())
	r = r.Clone(ctx)
	r.Header.Set("js.fetch:redirect", "error") // an option of fetch; net/http does not send it
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		cancel()
		return nil, err
	}
	body := &fetchBody{ctx: ctx, cancel: cancel, body: resp.Body}
	body.stop = context.AfterFunc(ctx, func() { body.body.Close() })
	resp.Body = body
	return resp, nil
}

func (t *fetchTransport) context(parent context.Context) (context.Context, context.CancelFunc) {
	if t.timeout > 0 {
		return context.WithTimeout(parent, t.timeout)
	}
	return context.WithCancel(parent)
}

// fetchBody is the body of an answer. The body that net/http makes of fetch's stream does not
// observe the context of the request. Closing it ends a pending Read, with io.EOF.
type fetchBody struct {
	ctx    context.Context
	cancel context.CancelFunc
	stop   func() bool // of the function that closes body when ctx ends
	body   io.ReadCloser
	err    error // of the last Read
}

func (b *fetchBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.body.Read(p)
	if err != nil {
		if !b.stop() { // it was closed: io.EOF would make it look complete
			err = context.Cause(b.ctx)
		}
		b.err = err
		b.cancel()
	}
	return n, err
}

func (b *fetchBody) Close() error {
	b.stop()
	b.cancel()
	return b.body.Close()
}
