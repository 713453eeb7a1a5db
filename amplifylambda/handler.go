package amplifylambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"
)

// grace is how long before its deadline a function stops waiting for a handler.
const grace = 250 * time.Millisecond

// Handler returns a function for [github.com/aws/aws-lambda-go/lambda.Start] that has next answer
// requests. It is safe for concurrent use if next is.
//
// The response is sent in one piece. Lambda limits it to 6 MB, and load balancers to 1 MB. It is
// text if it is valid UTF-8, and base64 otherwise. A REST API decodes that only with
// binaryMediaTypes.
func Handler(next http.Handler) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		e, err := parse(payload)
		if err != nil {
			return nil, err
		}
		ctx, cancel := withGrace(ctx)
		defer cancel()
		var body bytes.Buffer
		w := newWriter(&body, func() {})
		if err := w.serve(ctx, next, e); err != nil {
			return nil, err
		}
		if b := body.Bytes(); !utf8.Valid(b) {
			return e.response(w.status, w.sent, base64.StdEncoding.EncodeToString(b), true), nil
		}
		return e.response(w.status, w.sent, body.String(), false), nil
	}
}

// StreamingHandler is [Handler] for integrations that stream: function URLs with the invoke mode
// RESPONSE_STREAM, and REST APIs with the response transfer mode STREAM. What next writes and
// flushes gets to the client at once.
//
// An event does not tell the mode, and Lambda does not convert answers: a function that streams
// must be called by such integrations alone. HTTP APIs and load balancers have none.
func StreamingHandler(next http.Handler) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		e, err := parse(payload)
		if err != nil {
			return nil, err
		}
		if e.stream == nil {
			return nil, errors.New("amplifylambda: the caller of the function takes no stream: " +
				"use Handler for load balancers and HTTP APIs")
		}
		ctx, cancel := withGrace(ctx)
		reader, writer := io.Pipe()
		begun := make(chan struct{})
		w := newWriter(writer, sync.OnceFunc(func() { close(begun) }))
		go func() {
			defer cancel()
			err := errNoReturn // unless serve returns
			defer func() { _ = writer.CloseWithError(err) }()
			err = w.serve(ctx, next, e)
		}()
		<-begun
		return e.stream(w.status, w.sent, &stream{reader, cancel}), nil
	}
}

// stream is the body of a response. When Lambda does not want any more of it, the context of the
// request ends.
type stream struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (s *stream) Close() error {
	s.cancel()
	return s.PipeReader.Close()
}

// withGrace returns ctx with a deadline that leaves time to answer.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-grace))
	}
	return context.WithCancel(ctx)
}

// parse returns the request in an event.
func parse(payload []byte) (*event, error) {
	var kind struct {
		Version        string `json:"version"`
		HTTPMethod     string `json:"httpMethod"`
		RequestContext struct {
			ELB *struct{} `json:"elb"`
		} `json:"requestContext"`
	}
	if err := json.Unmarshal(payload, &kind); err != nil {
		return nil, fmt.Errorf("amplifylambda: the event is no HTTP request: %w", err)
	}
	var e *event
	var err error
	switch {
	case kind.Version == "2.0":
		e, err = parseV2(payload)
	case kind.RequestContext.ELB != nil:
		e, err = parseALB(payload)
	case kind.HTTPMethod != "":
		e, err = parseV1(payload, kind.Version)
	}
	if err == nil && (e == nil || e.method == "") {
		return nil, errors.New("amplifylambda: the event is no HTTP request: " +
			"it comes from no function URL, API Gateway or load balancer")
	}
	return e, err
}
