package function_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/function"
)

// TestHTTPFollowsNoRedirect: who is calling is told to the given address alone.
func TestHTTPFollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL,
		http.StatusTemporaryRedirect))
	defer server.Close()
	if got, err := function.HTTP(nil, server.URL)(t.Context(), function.Event{}); err == nil {
		t.Errorf("the answer of a redirect: %v", got)
	}
}

func TestHTTP(t *testing.T) {
	var status int
	var answer string
	var asked map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = nil
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil ||
			r.Method != http.MethodPost {
			t.Errorf("%s: %v", r.Method, err)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	handler := function.HTTP(nil, server.URL)
	for _, tt := range []struct {
		status            int
		answer, want, err string
	}{
		{200, `{"a": 1}`, `{"a":1}`, ""},
		{200, "", "null", ""},
		{204, "", "null", ""},
		{200, "{", "", "the function's answer is not JSON"},
		{500, "out of seats\n", "", "out of seats"},
		{302, "elsewhere", "", "elsewhere"},
		{200, `"` + strings.Repeat("x", 6<<20) + `"`, "",
			"the function's answer is larger than 6291456 bytes"},
	} {
		status, answer = tt.status, tt.answer
		got, err := handler(t.Context(), function.Event{TypeName: "Query", FieldName: "seats",
			Arguments: map[string]any{"n": 1}, Identity: &function.Identity{Username: "ann"}})
		text := ""
		if err == nil {
			b, _ := json.Marshal(got)
			text = string(b)
		} else if err.Error() != tt.err {
			t.Errorf("%d %.20s: %v", tt.status, tt.answer, err)
		}
		if text != tt.want {
			t.Errorf("%d %.20s: %.40s", tt.status, tt.answer, text)
		}
	}
	want := map[string]any{"typeName": "Query", "fieldName": "seats",
		"arguments": map[string]any{"n": 1.0},
		"identity":  map[string]any{"username": "ann"}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	server.Close()
	if _, err := handler(t.Context(), function.Event{}); err == nil {
		t.Error("a server that is gone")
	}
}
