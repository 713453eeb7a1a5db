package engine

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// gate stands before all calls to a backend, and holds back refreshes while it is closed.
type gate struct {
	next http.RoundTripper

	mu     sync.Mutex
	opened chan struct{}
	held   chan struct{} // gets one for each refresh that comes to the closed gate
}

func newGate(next http.RoundTripper) *gate {
	g := &gate{next: next, opened: make(chan struct{}), held: make(chan struct{}, 1000)}
	close(g.opened)
	return g
}

// close closes the gate until the function that it returns is called.
func (g *gate) close() (open func()) {
	opened := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = opened
	return sync.OnceFunc(func() { close(opened) })
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") == "AWSCognitoIdentityProviderService."+refresh {
		g.mu.Lock()
		opened := g.opened
		g.mu.Unlock()
		select {
		case <-opened:
		default:
			g.held <- struct{}{}
		}
		select {
		case <-opened:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return g.next.RoundTrip(r)
}

// TestCrowd: 1,000 requests arrive at once with one expired session, at a backend that takes 20 ms
// for everything. It is refreshed once, and lives on.
func TestCrowd(t *testing.T) {
	const (
		size = 1000
		ada  = "ada@example.com"
	)
	noLeaks(t)
	c := newClock()
	p := startPool(t, c, sandbox.Config{Clients: []sandbox.Client{
		{ID: "rotating", RotateRefreshTokens: true}, // without any grace
		{ID: "plain"},
	}}, ada)
	if _, err := p.Faults().Add(faults.Fault{Latency: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	g := newGate(transport)

	for _, tt := range []struct {
		name, client string
		quitters     int // requests whose clients hang up meanwhile
		rounds       int
	}{
		{"rotation", "rotating", 0, 3},
		{"rotation, half hang up", "rotating", size / 2, 3},
		{"no rotation", "plain", 0, 1},
		{"no rotation, half hang up", "plain", size / 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := startApp(t, c, p.config(t, tt.client), amplify.Options{HTTPClient: &http.Client{Transport: g}})
			b := p.signIn(t, a, ada)
			b.wantUser(t, b.get(t))
			for range tt.rounds {
				c.advance(2 * time.Hour)
				p.ResetCalls()
				old := cookieValue(b.cookies(), ".refreshToken")
				answers := a.crowd(t, g, b.cookies(), size, tt.quitters)
				if n := p.Calls()[refresh]; n != 1 {
					t.Errorf("%d refreshes, want 1", n)
				}
				for _, said := range answers {
					b.wantUser(t, said)
					// Every one of them brings the session along.
					if got, want := cookieValue(said.cookies, ".refreshToken"), cookieValue(answers[0].cookies, ".refreshToken"); got == "" || got != want {
						t.Error("the answers set different sessions")
					}
					if t.Failed() {
						break
					}
				}
				b.keep(answers[0].cookies)
				if rotated := cookieValue(b.cookies(), ".refreshToken") != old; rotated != (tt.client == "rotating") {
					t.Errorf("the refresh token was rotated: %v", rotated)
				}
				b.wantUser(t, b.get(t))
				if n := p.Calls()[refresh]; n != 1 {
					t.Errorf("%d refreshes after a request with the new session, want 1", n)
				}
			}
			c.advance(2 * time.Hour)
			b.wantUser(t, b.get(t))
			if n := p.Calls()[refresh]; n != 2 {
				t.Errorf("%d refreshes after the session expired again, want 2", n)
			}
		})
	}
}

// crowd asks for the page so many times at once with the same cookies, and returns the answers. The
// refresh takes until all requests have arrived, and those who hang up have left: they are the
// first ones.
func (a *app) crowd(t testing.TB, g *gate, cookies []*http.Cookie, size, quitters int) []*answer {
	t.Helper()
	open := g.close()
	defer open()
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	all := make([]*answer, size)
	errs := make([]error, size)
	arrived, left := a.arrived.Load(), a.left.Load()
	var crowd sync.WaitGroup
	for i := range size {
		crowd.Go(func() {
			ctx := ctx
			if i >= quitters {
				ctx = context.WithoutCancel(ctx)
			}
			all[i], errs[i] = a.get(ctx, cookies)
		})
		if i == 0 { // the one whose refresh it is
			select {
			case <-g.held:
			case <-time.After(patience):
				t.Fatal("no refresh came")
			}
		}
	}
	eventually(t, "all requests have arrived", func() bool { return a.arrived.Load()-arrived == int64(size) })
	hangUp()
	eventually(t, "those who hung up have left", func() bool { return a.left.Load()-left == int64(quitters) })
	open()
	crowd.Wait()
	for i, err := range errs {
		if (err != nil) != (i < quitters) {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	return all[quitters:]
}
