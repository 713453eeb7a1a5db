package engine

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// go test ./e2e/engine -run TestChaos -chaos 10m
var chaosTime = flag.Duration("chaos", 30*time.Second, "how long the faults of TestChaos go on in all")

const (
	chaosUsers = 200
	chaosShare = 0.3 // of the calls that fail
	// Access tokens are good for five minutes, the least that Cognito allows. So long after a
	// refresh they have expired whatever the clocks say.
	chaosValidity = 5 * time.Minute
	chaosRound    = chaosValidity + 4*chaosOffset
	chaosOffset   = time.Minute // by which the backend's clock is wrong at most
	// No user waits longer for an answer; it takes several failures in a row to wait at all.
	chaosWaves = 60
)

// TestChaos: 200 users send requests side by side, three in ten hang up, and three in ten calls of
// the library fail in one of all the ways that there are. The backend's clock is wrong and its keys
// rotate. Meanwhile nobody is taken for somebody else, and nobody is signed out but those whose
// session cannot be kept by anybody: where a refresh token is good for one use without any grace,
// and the answer to that use was lost. They are told so.
func TestChaos(t *testing.T) {
	noLeaks(t)
	without := func(o faults.Outcome) []faults.Outcome {
		return slices.DeleteFunc(faults.Outcomes(), func(other faults.Outcome) bool { return other == o })
	}
	modes := []struct {
		name     string
		client   string
		outcomes []faults.Outcome
		loss     amplify.Reason // why users may be signed out, or empty
	}{
		{"no rotation", "plain", faults.Outcomes(), ""},
		{"rotation with grace", "grace", faults.Outcomes(), ""},
		{"rotation without grace, drops before the effect", "strict", without(faults.DropAfter), ""},
		{"rotation without grace, drops after the effect", "strict", faults.Outcomes(), amplify.ReasonRefreshAnswerLost},
	}
	c := newClock()
	var emails []string
	for i := range chaosUsers {
		emails = append(emails, fmt.Sprintf("user%d@example.com", i))
	}
	p := startPool(t, c, sandbox.Config{Clients: []sandbox.Client{
		{ID: "plain", AccessTokenValidity: chaosValidity},
		{ID: "grace", AccessTokenValidity: chaosValidity, RotateRefreshTokens: true, RotationGrace: 10 * time.Second},
		{ID: "strict", AccessTokenValidity: chaosValidity, RotateRefreshTokens: true},
	}}, emails...)
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			config := p.config(t, mode.client)
			config.Auth.IdentityPoolID = ""
			x := &chaos{pool: p, app: startApp(t, c, config, amplify.Options{}), loss: mode.loss}
			for _, email := range emails {
				x.users = append(x.users, &chaosUser{email: email})
			}
			x.each(x.users, func(u *chaosUser) {
				u.browser = p.signIn(t, x.app, u.email)
				u.wantUser(t, u.get(t))
			})
			if t.Failed() {
				t.FailNow()
			}

			for n, end := 0, time.Now().Add(*chaosTime/time.Duration(len(modes))); n == 0 || time.Now().Before(end); n++ {
				x.fail(t, mode.outcomes)
				if n%3 == 0 {
					if err := p.RotateKeys(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				x.round(t)
			}
			if x.loss != "" && x.lost == 0 {
				t.Error("no session was lost: the faults did not strike")
			}
			t.Logf("%d rounds, %d requests, %d refreshes at the backend, %d answers 503 %v, %d sessions lost",
				x.rounds, x.requests, p.Calls()[refresh], x.unavailable, x.reasons, x.lost)

			// Healthy at once.
			p.Faults().Clear()
			p.SetClockOffset(0)
			c.advance(chaosRound)
			p.ResetCalls()
			for range 2 {
				x.each(x.users, func(u *chaosUser) { u.wantUser(t, u.get(t)) })
			}
			if n := p.Calls()[refresh]; n != chaosUsers {
				t.Errorf("%d refreshes of %d sessions", n, chaosUsers)
			}
		})
	}
}

// chaos is a run with one kind of faults.
type chaos struct {
	pool  *pool
	app   *app
	users []*chaosUser
	loss  amplify.Reason

	mu                                  sync.Mutex
	rounds, requests, unavailable, lost int
	reasons                             map[string]int // of answers 503
}

type chaosUser struct {
	email string
	*browser
}

// fail puts new faults in force: every outcome is as probable as the others, for refreshes and for
// the key set.
func (x *chaos) fail(t *testing.T, outcomes []faults.Outcome) {
	t.Helper()
	set := x.pool.Faults()
	set.Clear()
	x.pool.SetClockOffset(rand.N(2*chaosOffset) - chaosOffset)
	// The first that strikes is the last, so that together they come to the share.
	each := 1 - math.Pow(1-chaosShare, 1/float64(len(outcomes)))
	for _, operation := range []string{refresh, "jwks.json"} {
		add := func(f faults.Fault) {
			f.Operation = operation
			if _, err := set.Add(f); err != nil {
				t.Fatal(err)
			}
		}
		add(faults.Fault{Latency: 20 * time.Millisecond, Probability: chaosShare})
		if operation == "jwks.json" && x.rounds%3 == 0 { // when the keys are new
			add(faults.Fault{Outcome: faults.HTML503, Count: 1})
		}
		for _, o := range outcomes {
			add(faults.Fault{Outcome: o, Probability: each})
		}
	}
}

// round lets every session expire, and every user try until the page is there. Users who wait try
// again every two seconds.
func (x *chaos) round(t *testing.T) {
	t.Helper()
	x.rounds++
	x.pool.clock.advance(chaosRound)
	waiting := x.users
	for range chaosWaves {
		var mu sync.Mutex
		var still []*chaosUser
		x.each(waiting, func(u *chaosUser) {
			if !x.visit(t, u) {
				mu.Lock()
				defer mu.Unlock()
				still = append(still, u)
			}
		})
		if waiting = still; len(waiting) == 0 {
			return
		}
		if t.Failed() {
			t.FailNow()
		}
		x.pool.clock.advance(2 * time.Second)
	}
	t.Fatalf("%d users still wait", len(waiting))
}

// visit sends three requests side by side, and reports whether the page came, or the session is
// lost and the user signed in anew.
func (x *chaos) visit(t *testing.T, u *chaosUser) bool {
	var (
		requests      sync.WaitGroup
		mu            sync.Mutex
		arrived, lost bool
	)
	cookies := u.cookies()
	for i := range 3 {
		requests.Go(func() {
			ctx := t.Context()
			quits := i == 0 && rand.Float64() < chaosShare
			if quits {
				var cancel func()
				ctx, cancel = context.WithTimeout(ctx, rand.N(50*time.Millisecond))
				defer cancel()
			}
			said, err := x.app.get(ctx, cookies)
			mu.Lock()
			defer mu.Unlock()
			x.count(said)
			switch {
			case err != nil && quits:
			case err != nil:
				t.Error(err)
			case said.status == http.StatusServiceUnavailable:
				if len(said.cookies) > 0 {
					t.Errorf("%s (%s) changed the session", said.Name, said.Reason)
				}
			case said.status == http.StatusUnauthorized && x.loss != "":
				if said.Reason != x.loss {
					t.Errorf("a session was lost for the reason %q, want %q", said.Reason, x.loss)
				}
				u.keep(said.cookies)
				lost = true
			default:
				u.wantUser(t, said)
				u.keep(said.cookies)
				arrived = true
			}
		})
	}
	requests.Wait()
	switch {
	case lost && arrived:
		t.Error("a session was lost, and was there")
	case lost:
		if left := cookieValue(u.cookies(), ".refreshToken"); left != "" {
			t.Error("the lost session was not deleted")
		}
		u.browser = x.pool.signIn(t, x.app, u.email)
	}
	return lost || arrived
}

// count takes notes; said is nil if there was no answer.
func (x *chaos) count(said *answer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.requests++
	if said == nil {
		return
	}
	switch said.status {
	case http.StatusUnauthorized:
		x.lost++
	case http.StatusServiceUnavailable:
		if x.reasons == nil {
			x.reasons = map[string]int{}
		}
		x.unavailable++
		x.reasons[said.Name+" "+string(said.Reason)]++
	}
}

// each calls f for all users, 16 at a time: more would wait for a sandbox on a small machine until
// they time out.
func (x *chaos) each(users []*chaosUser, f func(*chaosUser)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, 16)
	for _, u := range users {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			f(u)
		})
	}
	all.Wait()
}
