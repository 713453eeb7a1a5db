package calls

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve lets a Log note a call of that path.
func serve(l *Log, path string, next http.HandlerFunc) {
	defer func() { _ = recover() }() // as net/http does
	name := func(r *http.Request) string { return r.URL.Path[1:] }
	l.Handler(name, next).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, nil))
}

func TestLog(t *testing.T) {
	l := NewLog(3)
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if status >= 400 {
				w.Header().Set("X-Amzn-Errortype", "NoException:http://example")
			}
			w.WriteHeader(status)
		}
	}
	serve(l, "/A", answer(200))
	serve(l, "/A", answer(400))
	serve(l, "/", answer(200)) // has no name
	serve(l, "/B", func(http.ResponseWriter, *http.Request) {})
	serve(l, "/C", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })

	type noted struct {
		Operation string
		Status    int
		Error     string
	}
	var got []noted
	for _, c := range l.Recent() {
		got = append(got, noted{c.Operation, c.Status, c.Error})
	}
	if diff := cmp.Diff([]noted{{"C", 0, ""}, {"B", 200, ""}, {"A", 400, "NoException"}}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"A": 2, "B": 1, "C": 1}, l.Counts()); diff != "" {
		t.Error(diff)
	}
	l.Reset()
	serve(l, "/B", answer(200))
	if diff := cmp.Diff(map[string]int{"B": 1}, l.Counts()); diff != "" {
		t.Error(diff)
	}
}
