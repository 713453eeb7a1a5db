package cognito

import (
	"sync"
	"time"

	"github.com/amplify-go/amplify"
)

const (
	// refusalAge is how long a refused refresh token is refused without asking again.
	refusalAge = time.Minute
	// maxRefusals bounds how many are remembered.
	maxRefusals = 10_000

	// userRefusals and sessionRefusals are how many refresh tokens that are not known here may be
	// refused in a minute for one user, and for one pair of tokens.
	userRefusals, sessionRefusals = 20, 5
)

// refusalBudget bounds the calls that made-up refresh tokens cause. A request must present tokens
// that verify, but they may have expired: leaked ones are enough. So the budget of a pair of tokens
// is smaller than that of its user, and a refresh token that came with the tokens passes unasked. A
// request over its budget gets a transient error: it may be the user's own.
type refusalBudget struct {
	now func() time.Time

	mu   sync.Mutex
	used *recent[sessionID, refusalCount]
}

// refusalCount counts refusals for a minute.
type refusalCount struct {
	n     int
	until time.Time
}

func newRefusalBudget(now func() time.Time) *refusalBudget {
	return &refusalBudget{now: now, used: newRecent[sessionID, refusalCount](maxRefusals)}
}

// take reserves one refusal for r. giveBack returns it.
func (b *refusalBudget) take(r *redemption) (giveBack func(), err error) {
	s := r.presented
	if s.refreshHash == r.hash {
		return func() {}, nil
	}
	user := newSessionID("refusals of a user", s.accessClaims.Issuer, s.accessClaims.Subject)
	session := newSessionID("refusals of a session", string(s.idHash[:]))
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	ofUser, _ := b.used.get(user, now)
	ofSession, _ := b.used.get(session, now)
	if ofUser.n >= userRefusals || ofSession.n >= sessionRefusals {
		return nil, &amplify.Error{
			Name: "TooManyRequestsException", Reason: amplify.ReasonServiceUnavailable,
			Message: "Too many refresh tokens of this user were refused.",
		}
	}
	b.count(user, +1, now)
	b.count(session, +1, now)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.count(user, -1, now)
		b.count(session, -1, now)
	}, nil
}

// count changes a counter, which ends a minute after it began. b.mu is held.
func (b *refusalBudget) count(key sessionID, by int, now time.Time) {
	c, ok := b.used.get(key, now)
	switch {
	case ok:
	case by < 0:
		return
	default:
		c.until = now.Add(refusalAge)
	}
	c.n = max(0, c.n+by)
	b.used.put(key, c, now, c.until)
}
