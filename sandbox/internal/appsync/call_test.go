package appsync

import (
	"context"
	"errors"
	"log/slog"
	"testing"
)

// TestCallsEnd: a function that neither returns nor minds its context holds no request.
func TestCallsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hold := make(chan struct{})
	defer close(hold)
	_, err := call(ctx, slog.New(slog.DiscardHandler), "Query.slow", newSlots(), func() (any, error) {
		cancel()
		<-hold
		return nil, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestCallsPanic: a panic in a function is an error of the call.
func TestCallsPanic(t *testing.T) {
	_, err := call(t.Context(), slog.New(slog.DiscardHandler), "authorizer", newSlots(),
		func() (bool, error) { panic("secret") })
	if !errors.Is(err, errPanic) {
		t.Error(err)
	}
}
