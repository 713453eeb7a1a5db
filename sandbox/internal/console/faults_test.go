package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/faults"
)

// fill submits a form of the page of faults.
func (s *sandbox) fill(action string, fields url.Values) (*http.Response, string) {
	s.t.Helper()
	_, body := s.get("/console/faults")
	fields.Set("csrf", tokenPattern.FindStringSubmatch(body)[1])
	return s.submit(action, fields, "same-origin")
}

func TestFaultsPage(t *testing.T) {
	s := newSandbox(t)
	if _, body := s.get("/console/faults"); !strings.Contains(body, "No faults") || !strings.Contains(body, "<option>GetId</option>") {
		t.Errorf("without faults:\n%s", body)
	}
	res, body := s.fill("/console/faults", url.Values{
		"operation": {"GetId"}, "outcome": {"drop-after"}, "latency": {"1.5"}, "percent": {"30"}, "count": {"2"}})
	for _, want := range []string{"The fault is added.", "connection broken after the effect", "1.5ms", "30 %", "0 of 2"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s without %q:\n%s", res.Status, want, body)
		}
	}
	s.fill("/console/faults", url.Values{"operation": {""}, "outcome": {""}, "latency": {"20"}, "percent": {""}, "count": {""}})
	want := []faults.Active{
		{ID: 1, Fault: faults.Fault{Operation: "GetId", Outcome: faults.DropAfter, Latency: 1500 * time.Microsecond, Probability: 0.3, Count: 2}},
		{ID: 2, Fault: faults.Fault{Latency: 20 * time.Millisecond}},
	}
	if diff := cmp.Diff(want, s.faults.List()); diff != "" {
		t.Error(diff)
	}
	s.fill("/console/faults/1/remove", url.Values{})
	if list := s.faults.List(); len(list) != 1 || list[0].ID != 2 {
		t.Errorf("after the removal: %v", list)
	}
	if _, body := s.fill("/console/clock", url.Values{"minutes": {"-90"}}); s.clock.Offset() != -90*time.Minute || !strings.Contains(body, "wrong by -1h30m0s") {
		t.Errorf("the clock is wrong by %v", s.clock.Offset())
	}
	s.fill("/console/faults/clear", url.Values{})
	if len(s.faults.List()) != 0 || s.clock.Offset() != 0 {
		t.Error("not everything is right again")
	}
}

func TestFaultsFormRefuses(t *testing.T) {
	s := newSandbox(t)
	for _, fields := range []url.Values{
		{"outcome": {""}},
		{"outcome": {"explode"}},
		{"outcome": {"drop"}, "operation": {hostile}},
		{"outcome": {"drop"}, "percent": {"0"}},
		{"outcome": {"drop"}, "percent": {"NaN"}},
		{"outcome": {"drop"}, "count": {"-1"}},
		{"outcome": {"drop"}, "latency": {"1e300"}},
	} {
		res, body := s.fill("/console/faults", fields)
		if res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v: %s", fields, res.Status)
		}
		checkHTML(t, "/console/faults", body)
		kept := `name="count" type="number" value="` + fields.Get("count") + `"`
		if !strings.Contains(body, kept) {
			t.Errorf("%v: the count is not kept:\n%s", fields, body)
		}
	}
	// Another site, and a form without token.
	for _, site := range []string{"cross-site", "same-origin"} {
		if res, _ := s.submit("/console/faults", url.Values{"outcome": {"drop"}}, site); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", site, res.Status)
		}
	}
	if len(s.faults.List()) != 0 {
		t.Errorf("in force: %v", s.faults.List())
	}
}

func TestCountersPage(t *testing.T) {
	s := newSandbox(t)
	name := func(*http.Request) string { return "GetId" }
	s.calls.Handler(name, http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	const row = `<code>GetId</code></td><td data-label="Calls">1</td>`
	if _, body := s.get("/console/faults"); !strings.Contains(body, row) {
		t.Errorf("no count in\n%s", body)
	}
	if _, body := s.get("/console/calls"); !strings.Contains(body, `<span class="badge bad">404</span>`) {
		t.Errorf("no call in\n%s", body)
	}
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	func() {
		defer func() { _ = recover() }()
		s.calls.Handler(name, broken).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	if _, body := s.get("/console/calls"); !strings.Contains(body, `<span class="badge bad">no answer</span>`) {
		t.Errorf("no broken connection in\n%s", body)
	}
	s.fill("/console/calls/reset", url.Values{})
	if n := len(s.calls.Counts()); n != 0 {
		t.Errorf("%d counters are left", n)
	}
}
