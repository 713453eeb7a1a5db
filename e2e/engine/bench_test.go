package engine

import (
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
)

// BenchmarkRefreshUnderContention: 100 requests at a time arrive with one session that has expired,
// whose refresh tokens rotate. Client, application and backend share the processors.
func BenchmarkRefreshUnderContention(b *testing.B) {
	const crowd = 100
	c := newClock()
	p := startPool(b, c, sandbox.Config{Clients: []sandbox.Client{{ID: "rotating", RotateRefreshTokens: true}}}, "ada@example.com")
	a := startApp(b, c, p.config(b, "rotating"), amplify.Options{})
	ada := p.signIn(b, a, "ada@example.com")
	p.ResetCalls()
	rounds := 0
	for b.Loop() {
		rounds++
		c.advance(2 * time.Hour)
		cookies := ada.cookies()
		var requests sync.WaitGroup
		for range crowd {
			requests.Go(func() {
				said, err := a.get(b.Context(), cookies)
				if err != nil {
					b.Error(err)
					return
				}
				ada.wantUser(b, said)
				ada.keep(said.cookies)
			})
		}
		requests.Wait()
	}
	b.ReportMetric(float64(rounds*crowd)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(p.Calls()[refresh])/float64(rounds), "refreshes/op")
}
