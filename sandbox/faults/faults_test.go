package faults

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// backend counts the effects of calls that Set stands before. A call is named by its path.
type backend struct {
	*Set
	effects atomic.Int64
	handler http.Handler
}

func newBackend(seed uint64) *backend {
	b := &backend{Set: NewSet([]string{"Write", "Read", "/oauth2/token"}, seed)}
	name := func(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/") }
	b.handler = b.Handler(name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.effects.Add(1)
		_, _ = io.WriteString(w, "done")
	}))
	return b
}

func (b *backend) mustAdd(t *testing.T, f Fault) int {
	t.Helper()
	id, err := b.Add(f)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// call returns the status of a call, or 0 if its connection broke.
func (b *backend) call(operation string) (status int) {
	defer func() {
		if recover() == http.ErrAbortHandler {
			status = 0
		}
	}()
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/"+operation, nil))
	return w.Code
}

// Every outcome by a real connection.
func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		outcome     Outcome
		status      int // 0: the connection breaks
		effects     int64
		contentType string
		exception   string
		body        string
	}{
		{"", 200, 1, "text/plain; charset=utf-8", "", "done"},
		{Throttle, 400, 0, "application/x-amz-json-1.1", "TooManyRequestsException:", `{"__type":"TooManyRequestsException","message":"Rate exceeded"}`},
		{Plain429, 429, 0, "text/plain; charset=utf-8", "", "Too Many Requests\n"},
		{JSON500, 500, 0, "application/x-amz-json-1.1", "InternalErrorException:", `{"__type":"InternalErrorException","message":"An internal error occurred."}`},
		{HTML503, 503, 0, "text/html", "", "<html>"},
		{Drop, 0, 0, "", "", ""},
		{DropAfter, 0, 1, "", "", ""},
		{Cut, 0, 1, "", "", ""},
	} {
		t.Run("outcome "+string(tt.outcome), func(t *testing.T) {
			b := newBackend(1)
			server := httptest.NewServer(b.handler)
			defer server.Close()
			b.mustAdd(t, Fault{Operation: "Write", Outcome: tt.outcome, Latency: time.Nanosecond})
			resp, err := server.Client().Post(server.URL+"/Write", "text/plain", strings.NewReader("x"))
			if got := b.effects.Load(); got != tt.effects {
				t.Errorf("%d effects, want %d", got, tt.effects)
			}
			if err != nil {
				if tt.status != 0 {
					t.Error(err)
				}
				return
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || resp.Header.Get("Content-Type") != tt.contentType ||
				resp.Header.Get("X-Amzn-Errortype") != tt.exception || !strings.HasPrefix(string(body), tt.body) {
				t.Errorf("got %d %v %s", resp.StatusCode, resp.Header, body)
			}
		})
	}
}

// TestCut: half of a body arrives, that of the request or that of the answer.
func TestCut(t *testing.T) {
	const content = "0123456789"
	s := NewSet([]string{"Call"}, 1)
	got := make(chan string, 1)
	name := func(*http.Request) string { return "Call" }
	server := httptest.NewServer(s.Handler(name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var read strings.Builder
		defer func() { got <- read.String() }()
		_, _ = io.Copy(&read, r.Body)
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, content[:3])
		_, _ = io.WriteString(w, content[3:])
	})))
	defer server.Close()
	if _, err := s.Add(Fault{Outcome: Cut}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Client().Post(server.URL, "text/plain", strings.NewReader(content)); err == nil {
		t.Error("the request was answered")
	}
	if half := <-got; half != content[:5] {
		t.Errorf("%q of the request arrived", half)
	}
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if half, err := io.ReadAll(resp.Body); err == nil || string(half) != content[:5] {
		t.Errorf("%q of the answer arrived, %v", half, err)
	}
}

// TestCallerOfAPostHangsUp: also if nobody has read the body that the call came with.
func TestCallerOfAPostHangsUp(t *testing.T) {
	b := newBackend(1)
	b.mustAdd(t, Fault{Latency: time.Hour})
	arrived, ended := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		close(arrived)
		b.handler.ServeHTTP(w, r)
	}))
	defer server.CloseClientConnections()
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/Write", strings.NewReader("a body"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if response, err := http.DefaultClient.Do(r); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-arrived
	hangUp()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the call still waits")
	}
	if n := b.effects.Load(); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestOnlyItsOperation(t *testing.T) {
	b := newBackend(1)
	b.mustAdd(t, Fault{Operation: "Write", Outcome: JSON500})
	if b.call("Write") != 500 || b.call("Read") != 200 || b.call("/oauth2/token") != 200 {
		t.Error("the fault did not strike its operation alone")
	}
	b.mustAdd(t, Fault{Outcome: Plain429})
	if b.call("Write") != 500 || b.call("Read") != 429 {
		t.Error("the fault of all operations did not strike after the one before")
	}
	if b.call("") != 200 {
		t.Error("a call without a name was struck")
	}
}

func TestCount(t *testing.T) {
	b := newBackend(1)
	id := b.mustAdd(t, Fault{Outcome: Throttle, Count: 2})
	if got := []int{b.call("Read"), b.call("Write"), b.call("Read")}; !cmp.Equal(got, []int{400, 400, 200}) {
		t.Errorf("statuses %v", got)
	}
	want := []Active{{ID: id, Fault: Fault{Outcome: Throttle, Count: 2}, Struck: 2}}
	if diff := cmp.Diff(want, b.List()); diff != "" {
		t.Error(diff)
	}
}

func TestRemoveAndClear(t *testing.T) {
	b := newBackend(1)
	id := b.mustAdd(t, Fault{Outcome: Drop})
	if b.call("Read") != 0 {
		t.Error("the fault did not strike")
	}
	if !b.Remove(id) || b.Remove(id) || b.call("Read") != 200 {
		t.Error("the fault was not removed")
	}
	b.mustAdd(t, Fault{Outcome: Drop})
	b.Clear()
	if len(b.List()) != 0 || b.call("Read") != 200 {
		t.Error("the fault was not cleared")
	}
}

func TestProbabilityIsSeeded(t *testing.T) {
	run := func(seed uint64) (statuses []int, share float64) {
		b := newBackend(seed)
		b.mustAdd(t, Fault{Outcome: JSON500, Probability: 0.3})
		struck := 0
		for range 1000 {
			s := b.call("Read")
			statuses = append(statuses, s)
			if s == 500 {
				struck++
			}
		}
		return statuses, float64(struck) / 1000
	}
	first, share := run(7)
	if math.Abs(share-0.3) > 0.05 {
		t.Errorf("%v of the calls were struck, want 0.3", share)
	}
	if again, _ := run(7); !cmp.Equal(first, again) {
		t.Error("the same seed struck other calls")
	}
	if other, _ := run(8); cmp.Equal(first, other) {
		t.Error("another seed struck the same calls")
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(1)
		b.mustAdd(t, Fault{Latency: 20 * time.Millisecond})
		b.mustAdd(t, Fault{Operation: "Write", Latency: time.Second, Outcome: JSON500})
		b.mustAdd(t, Fault{Latency: time.Hour, Operation: "Write"}) // behind an outcome
		began := time.Now()
		if status := b.call("Write"); status != 500 || time.Since(began) != 1020*time.Millisecond {
			t.Errorf("status %d after %v", status, time.Since(began))
		}
		began = time.Now()
		if status := b.call("Read"); status != 200 || time.Since(began) != 20*time.Millisecond {
			t.Errorf("status %d after %v", status, time.Since(began))
		}
	})
}

// A caller who hangs up while the call waits is not waited for, and there is no effect.
func TestCallerHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(1)
		b.mustAdd(t, Fault{Latency: time.Hour})
		r := httptest.NewRequest(http.MethodPost, "/Write", nil)
		done := make(chan any)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer func() { done <- recover() }()
			b.handler.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
		}()
		synctest.Wait()
		cancel()
		if p := <-done; p != http.ErrAbortHandler {
			t.Errorf("the handler ended with %v", p)
		}
		if b.effects.Load() != 0 {
			t.Error("there was an effect")
		}
	})
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		fault Fault
		want  []string
	}{
		{Fault{}, []string{"neither an outcome nor a latency"}},
		{Fault{Operation: "Wrote", Outcome: "explode"}, []string{`no operation "Wrote"; there are: /oauth2/token Read Write`, `no outcome "explode"`}},
		{Fault{Latency: -1}, []string{"negative"}},
		{Fault{Outcome: Drop, Probability: 1.5}, []string{"between 0 and 1"}},
		{Fault{Outcome: Drop, Probability: -0.5}, []string{"between 0 and 1"}},
		{Fault{Outcome: Drop, Probability: math.NaN()}, []string{"between 0 and 1"}},
		{Fault{Outcome: Drop, Count: -1}, []string{"count"}},
	} {
		b := newBackend(1)
		_, err := b.Add(tt.fault)
		if err == nil {
			t.Errorf("%+v was accepted", tt.fault)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: the error %q does not say %q", tt.fault, err, want)
			}
		}
		if len(b.List()) != 0 {
			t.Errorf("%+v is in force", tt.fault)
		}
	}
}

func TestConcurrent(t *testing.T) {
	b := newBackend(0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				id, _ := b.Add(Fault{Operation: "Write", Outcome: Throttle, Probability: 0.5, Count: 3})
				b.call("Write")
				b.List()
				b.Remove(id)
			}
		})
	}
	wg.Wait()
}

func TestJSON(t *testing.T) {
	f := Fault{Operation: "Read", Outcome: DropAfter, Latency: 1500 * time.Millisecond, Probability: 0.25, Count: 2}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"operation":"Read","outcome":"drop-after","latency":"1.5s","probability":0.25,"count":2}`
	if string(text) != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if err := json.Unmarshal([]byte(`{"latency":20}`), &f); err == nil {
		t.Error("a latency without unit was accepted")
	}
}

func FuzzFaultJSON(f *testing.F) {
	f.Add(`{"operation":"Read","outcome":"drop","latency":"20ms","probability":0.3,"count":2}`)
	f.Add(`{"latency":"-9223372036854775808ns"}`)
	f.Add(`{}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		var fault Fault
		if json.Unmarshal([]byte(text), &fault) != nil {
			return
		}
		written, err := json.Marshal(fault)
		if err != nil {
			t.Fatal(err)
		}
		var again Fault
		if err := json.Unmarshal(written, &again); err != nil || again != fault {
			t.Errorf("%+v became %+v, %v", fault, again, err)
		}
		_, _ = NewSet([]string{"Read"}, 1).Add(fault)
	})
}
