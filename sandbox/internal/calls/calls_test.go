package calls

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

func TestLog(t *testing.T) {
	l := NewLog(3)
	name := func(r *http.Request) string { return r.URL.Query().Get("op") }
	h := l.Handler(name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := r.URL.Query().Get("error"); e != "" {
			w.Header().Set("X-Amzn-Errortype", e+":")
		}
		if status, err := strconv.Atoi(r.URL.Query().Get("status")); err == nil {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(status)
		}
	}))
	for _, query := range []string{"op=a", "op=a&status=204", "", "op=b&status=400&error=BadException", "op=c"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/?"+query, nil))
	}
	type call struct {
		Operation string
		Status    int
		Error     string
	}
	var got []call
	for _, c := range l.Recent() {
		if c.Started.IsZero() || c.Duration < 0 {
			t.Errorf("call %+v has no time", c)
		}
		got = append(got, call{c.Operation, c.Status, c.Error})
	}
	if diff := cmp.Diff([]call{{"c", 200, ""}, {"b", 400, "BadException"}, {"a", 204, ""}}, got); diff != "" {
		t.Errorf("recent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"a": 2, "b": 1, "c": 1}, l.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// A call of an operation that the sandbox does not have shows what was asked
// for. It is counted under one name, however many names callers make up.
func TestUnknownOperation(t *testing.T) {
	l := NewLog(3)
	unknown := func(*http.Request) string { return awsjson.UnknownOperation }
	h := l.Handler(unknown, http.NotFoundHandler())
	long := strings.Repeat("x", 1000)
	for _, target := range []string{"Service.AdminListDevices", "", "Service." + long} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		r.Header.Set("X-Amz-Target", target)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	var got []string
	for _, c := range l.Recent() {
		if !c.Unknown {
			t.Errorf("%q is not marked as unknown", c.Operation)
		}
		got = append(got, c.Operation)
	}
	want := []string{long[:100] + "…", awsjson.UnknownOperation, "AdminListDevices"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{awsjson.UnknownOperation: 3}, l.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// A call whose connection a fault broke was answered with no status.
func TestBrokenConnection(t *testing.T) {
	l := NewLog(3)
	h := l.Handler(func(*http.Request) string { return "a" },
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() { _ = recover() }() // as net/http does
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", nil))
	}()
	if got := l.Recent(); len(got) != 1 || got[0].Status != 0 {
		t.Errorf("recent: %+v", got)
	}
}

func TestReset(t *testing.T) {
	l := NewLog(3)
	h := l.Handler(func(*http.Request) string { return "a" }, http.NotFoundHandler())
	for range 2 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", nil))
		if got := l.Counts(); got["a"] != 1 {
			t.Errorf("counts: %v", got)
		}
		l.Reset()
	}
}
