package cognito_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestSlowAnswers: where refresh tokens rotate without grace, the answer to a refresh is the only
// successor. It is waited for however late it comes, and the refresh is sent once more, because the
// request may have got lost.
func TestSlowAnswers(t *testing.T) {
	const never = time.Hour
	type delays struct{ request, answer time.Duration }
	for _, tt := range []struct {
		name  string
		calls []delays // by refresh; later ones have none
		took  time.Duration
		want  amplify.Reason
		after amplify.Reason // of the next request
		sent  int32
	}{
		{"a late answer", []delays{{0, 7 * time.Second}}, 7 * time.Second, "", "", 1},
		{"a later answer", []delays{{0, 15 * time.Second}}, 15 * time.Second, "", "", 2},
		{"a lost request", []delays{{never, 0}}, 8 * time.Second, "", "", 2},
		{"a late request", []delays{{15 * time.Second, 0}}, 8 * time.Second, "", "", 2},
		{"a lost answer", []delays{{0, never}}, 20 * time.Second, amplify.ReasonRefreshAnswerLost, amplify.ReasonNoSession, 2},
		{"nothing but silence", []delays{{never, 0}, {never, 0}}, 20 * time.Second, amplify.ReasonServiceUnavailable, "", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pool := testpool.New(t)
			rotating(pool, alice)
			kv, stale := expired(pool, alice, "r1"), expired(pool, alice, "r1")
			synctest.Test(t, func(t *testing.T) {
				wait := func(r *http.Request, d time.Duration) error {
					select {
					case <-time.After(d):
						return nil
					case <-r.Context().Done():
						return r.Context().Err()
					}
				}
				var sent atomic.Int32
				o := pool.Options()
				o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					if strings.HasSuffix(r.URL.Path, "jwks.json") {
						return pool.RoundTrip(r)
					}
					var d delays
					if n := int(sent.Add(1)); n <= len(tt.calls) {
						d = tt.calls[n-1]
					}
					if err := wait(r, d.request); err != nil {
						return nil, err
					}
					resp, err := pool.RoundTrip(r) // which has its effect in any case
					if late := wait(r, d.answer); late != nil {
						return nil, late
					}
					return resp, err
				})
				c := newCognitoFor(t, pool.Config(), o, cognito.Options{})
				if err := c.WarmUp(t.Context()); err != nil {
					t.Fatal(err)
				}
				for request, want := range []amplify.Reason{tt.want, tt.after} {
					begin := time.Now()
					_, err := tokens(t, c, kv)
					if got := amplify.ReasonOf(err); got != want {
						t.Fatalf("reason %q (%v), want %q", got, err, want)
					}
					if took := time.Since(begin); request == 0 && took != tt.took {
						t.Errorf("it took %v, want %v", took, tt.took)
					}
				}
				if n := sent.Load(); n != tt.sent {
					t.Errorf("%d refreshes were sent, want %d", n, tt.sent)
				}
				if tt.want == "" {
					// A request that brings the old token much later has not lost an answer.
					synctest.Wait()
					pool.Advance(2 * time.Hour)
					wantReason(t, c, stale, amplify.ReasonRefreshRejected)
				}
			})
		})
	}
}
