package amplify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/amplify-go/amplify"
)

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*amplify.Error{
		"N":                 {Name: "N"},
		"N (no_session)":    {Name: "N", Reason: amplify.ReasonNoSession},
		"N: message":        {Name: "N", Message: "message"},
		"N: cause":          {Name: "N", Err: errors.New("cause")},
		"N: a b:  INFO c":   {Name: "N", Message: "a\nb", Err: errors.New("\x1bINFO\rc")},
		"N: message: cause": {Name: "N", Message: "message.", Err: errors.New("cause")},
		"N (configuration). Do this.": {
			Name: "N", Reason: amplify.ReasonConfiguration, RecoverySuggestion: "Do this.",
		},
		"N (configuration): message: cause. Do this.": {
			Name: "N", Reason: amplify.ReasonConfiguration, Message: "message.", RecoverySuggestion: "Do\nthis.", Err: errors.New("cause."),
		},
		"N (no_session): message: context canceled": {
			Name: "N", Reason: amplify.ReasonNoSession, Message: "message", RecoverySuggestion: "hidden", RequestID: "hidden", Err: context.Canceled,
		},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestErrorIs(t *testing.T) {
	unauthenticated := amplify.Unauthenticated(amplify.ReasonBadSignature, context.Canceled)
	for _, tt := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"a reason of its own", unauthenticated, amplify.ErrUnauthenticated, true},
		{"wrapped", fmt.Errorf("page: %w", unauthenticated), amplify.ErrUnauthenticated, true},
		{"joined", errors.Join(errors.New("x"), unauthenticated), amplify.ErrUnauthenticated, true},
		{"as a cause", &amplify.Error{Name: "N", Err: unauthenticated}, amplify.ErrUnauthenticated, true},
		{"its cause", unauthenticated, context.Canceled, true},
		{"another condition", unauthenticated, amplify.ErrServerContextClosed, false},
		{"another error of the same kind", unauthenticated, amplify.Unauthenticated(amplify.ReasonBadSignature, nil), false},
		{"itself", unauthenticated, unauthenticated, true},
		{"closed", fmt.Errorf("%w", amplify.ErrServerContextClosed), amplify.ErrServerContextClosed, true},
		{"the name alone", &amplify.Error{Name: amplify.ErrServerContextClosed.Name}, amplify.ErrServerContextClosed, false},
		{"no unauthenticated", &amplify.Error{Name: "NetworkError", Reason: amplify.ReasonServiceUnavailable}, amplify.ErrUnauthenticated, false},
	} {
		if got := errors.Is(tt.err, tt.target); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if amplify.ErrUnauthenticated.Reason != "" || amplify.ErrUnauthenticated.Err != nil {
		t.Error("the sentinel was changed")
	}
}

func TestReasonOf(t *testing.T) {
	inner := amplify.Unauthenticated(amplify.ReasonUserMismatch, nil)
	for _, tt := range []struct {
		err  error
		want amplify.Reason
	}{
		{nil, ""},
		{errors.New("x"), ""},
		{inner, amplify.ReasonUserMismatch},
		{fmt.Errorf("page: %w", inner), amplify.ReasonUserMismatch},
		{&amplify.Error{Name: "N", Err: fmt.Errorf("x: %w", inner)}, amplify.ReasonUserMismatch},
		{&amplify.Error{Name: "N", Reason: amplify.ReasonConfiguration, Err: inner}, amplify.ReasonConfiguration},
		{&amplify.Error{Name: "N"}, ""},
	} {
		if got := amplify.ReasonOf(tt.err); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}
