package cognito

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestAbandonedFlights: a call whose callers have gone can be joined until it ends, unless it is one
// of too many. One that has been cancelled is not joined.
func TestAbandonedFlights(t *testing.T) {
	for name, tt := range map[string]struct {
		others int // abandoned before
		after  time.Duration
		calls  int32
	}{
		"soon":            {0, time.Second, 1},
		"late":            {0, flightTimeout - time.Second, 1},
		"one of too many": {maxAbandoned, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWork(slog.Default)
				defer func() { _ = w.close(context.Background()) }()
				f := flights[int]{work: w, abandoned: tt.others}
				var calls atomic.Int32
				release := make(chan struct{})
				call := func(ctx context.Context) (int, error) {
					n := calls.Add(1)
					select {
					case <-release:
						return int(n), nil
					case <-ctx.Done():
						// An upstream that takes its time to notice.
						time.Sleep(time.Second)
						return 0, ctx.Err()
					}
				}
				ctx, hangUp := context.WithCancel(t.Context())
				hangUp()
				if _, err := f.do(ctx, [32]byte{1}, call); err == nil {
					t.Error("a caller that has gone got an answer")
				}
				time.Sleep(tt.after)
				synctest.Wait()
				done := make(chan struct{})
				go func() {
					defer close(done)
					if n, err := f.do(t.Context(), [32]byte{1}, call); err != nil || int32(n) != tt.calls {
						t.Errorf("answer %d, %v", n, err)
					}
				}()
				synctest.Wait()
				close(release)
				<-done
				synctest.Wait()
				time.Sleep(2 * time.Second)
				f.mu.Lock()
				defer f.mu.Unlock()
				if n := calls.Load(); n != tt.calls || f.abandoned != tt.others {
					t.Errorf("%d calls, want %d; %d are abandoned, want %d", n, tt.calls, f.abandoned, tt.others)
				}
			})
		})
	}
}
