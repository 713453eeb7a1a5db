package awsjson

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

type refusal struct{}

func (refusal) Error() string               { return "refused" }
func (refusal) Exception() (string, string) { return "NoException", "No <b>." }

type input struct{ Say string }

func newHandler(logger *slog.Logger) *Handler {
	return NewHandler(logger, Service{"Parrot", map[string]Operation{
		"Say":    Op(func(_ context.Context, in input) (any, error) { return in, nil }),
		"Refuse": Op(func(context.Context, struct{}) (any, error) { return nil, refusal{} }),
		"Break":  Op(func(context.Context, input) (any, error) { return nil, errors.New("broke") }),
		"Rule":   Signed(func(context.Context, struct{}) (any, error) { return struct{}{}, nil }),
	}})
}

func call(h http.Handler, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(slog.New(slog.NewTextHandler(&log, nil)))
	for _, tt := range []struct {
		target, body, authorization string
		status                      int
		exception                   string
		answer                      string
	}{
		{"Parrot.Say", `{"Say":"<hello>"}`, "", 200, "", `{"Say":"<hello>"}`},
		{"Parrot.Say", `{"Say":`, "", 400, "SerializationException:", `{"__type":"SerializationException","message":"The body is not the JSON that the operation takes."}`},
		{"Parrot.Say", strings.Repeat(" ", maxBody+1), "", 413, "RequestEntityTooLargeException:", `{"__type":"RequestEntityTooLargeException","message":"The body is too large."}`},
		{"Parrot.Refuse", `{}`, "", 400, "NoException:", `{"__type":"NoException","message":"No <b>."}`},
		{"Parrot.Break", `{"Say":"secret"}`, "", 500, "InternalErrorException:", `{"__type":"InternalErrorException","message":"The sandbox failed; its log says why."}`},
		{"Parrot.Rule", `{}`, "", 400, "MissingAuthenticationTokenException:", `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		{"Parrot.Rule", `{}`, "Bearer x", 400, "MissingAuthenticationTokenException:", `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		{"Parrot.Rule", `{}`, "AWS4-HMAC-SHA256 x", 200, "", `{}`},
		{"Parrot.Fly", `{}`, "", 400, "UnknownOperationException:", `{"__type":"UnknownOperationException","message":"The sandbox does not know the operation Parrot.Fly."}`},
		{"Say", `{}`, "", 400, "UnknownOperationException:", `{"__type":"UnknownOperationException","message":"The sandbox does not know the operation Say."}`},
	} {
		w := call(h, tt.target, tt.body, "Authorization", tt.authorization)
		if w.Code != tt.status || w.Body.String() != tt.answer || w.Header().Get("X-Amzn-Errortype") != tt.exception {
			t.Errorf("%s %.20s: %d %q %s\nwant %d %q %s", tt.target, tt.body, w.Code, w.Header().Get("X-Amzn-Errortype"), w.Body, tt.status, tt.exception, tt.answer)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("X-Amzn-Requestid") == "" ||
			w.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%s: header %v", tt.target, w.Header())
		}
	}
	// The log has both, but not what was sent.
	if text := log.String(); !strings.Contains(text, "broke") || !strings.Contains(text, "Parrot.Fly") || strings.Contains(text, "secret") {
		t.Errorf("log: %s", text)
	}
}

// Names of operations are bounded in number: they are counted.
func TestOperation(t *testing.T) {
	h := newHandler(slog.New(slog.DiscardHandler))
	for target, want := range map[string]string{
		"Parrot.Say": "Say", "parrot.Say": UnknownOperation, "Parrot.Say ": UnknownOperation, "": UnknownOperation, "Parrot.x": UnknownOperation,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-Amz-Target", target)
		if got := h.Operation(r); got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
	got := h.Operations()
	slices.Sort(got)
	if want := []string{"Break", "Refuse", "Rule", "Say", UnknownOperation}; !slices.Equal(got, want) {
		t.Errorf("operations %v, want %v", got, want)
	}
}

// A page of any origin may call, but not with a signature.
func TestPreflight(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/", nil)
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Access-Control-Request-Headers", "content-type, x-amz-target, Authorization,")
	w := httptest.NewRecorder()
	newHandler(slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	if got := w.Header().Get("Access-Control-Allow-Headers"); w.Code != 200 || got != "content-type,x-amz-target" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d, allowed headers %q", w.Code, got)
	}
}
