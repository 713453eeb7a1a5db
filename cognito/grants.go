package cognito

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/amplify-go/amplify"
)

const (
	// renewBefore is how long before their end credentials are renewed. Cognito's last an hour; like Amplify JS
	// we take them for fresh for 50 minutes. What is signed with them, a presigned URL for instance, ends with them.
	renewBefore = 10 * time.Minute
	// usableBefore is how long before their end credentials are no longer given, even if there are no others.
	usableBefore = time.Minute
	// refusalAge is how long a refusal is remembered.
	refusalAge = 30 * time.Second
)

// grant is what the identity pool last answered when it was asked for credentials: them, or that there are none.
type grant struct {
	credentials amplify.Credentials
	refusal     error
	renew       time.Time // from when on to ask again, by Cognito's clock
}

func (g *grant) usable(now time.Time) bool {
	return g.refusal == nil && now.Before(g.credentials.Expires.Add(-usableBefore))
}

// answer returns the credentials, copied since the caller may change what it gets; or the refusal.
func (g *grant) answer() (*amplify.Credentials, error) {
	if g.refusal != nil {
		return nil, g.refusal
	}
	c := g.credentials
	return &c, nil
}

// grants remembers grants, by a hash of what proves the right to them.
type grants struct {
	cognito *Client
	known   *otter.Cache[sessionID, *grant]
	flights flights[*grant]
}

func newGrants(c *Client, size int) (*grants, error) {
	known, err := otter.New(&otter.Options[sessionID, *grant]{MaximumSize: size})
	if err != nil {
		return nil, err
	}
	g := &grants{cognito: c, known: known}
	g.flights.work = c.work
	return g, nil
}

// fresh returns what is known under key, or nil if that is nothing or due.
func (g *grants) fresh(key sessionID) *grant {
	if known, ok := g.known.GetIfPresent(key); ok && g.cognito.now().Before(known.renew) {
		return known
	}
	return nil
}

// get returns the credentials under key. If they are unknown or due it asks for them, once for all callers. Credentials that are
// due but valid still do if that fails, unless force is set. What is asked for a session that has ended meanwhile
// is not remembered; ended may be nil.
func (g *grants) get(
	ctx context.Context, key sessionID, force bool, ended *atomic.Bool, ask func(context.Context) (*amplify.Credentials, error),
) (*amplify.Credentials, error) {
	if known := g.fresh(key); known != nil && !force {
		return known.answer()
	}
	flight := key
	if force { // not to be answered from memory
		flight = newSessionID("forced", string(key[:]))
	}
	got, err := g.flights.do(ctx, flight, func(ctx context.Context) (*grant, error) {
		if known := g.fresh(key); known != nil && !force {
			return known, nil // from a flight that has just ended
		}
		got, err := g.judge(ask(ctx))
		if err != nil {
			return nil, err
		}
		g.known.Set(key, got)
		if ended != nil && ended.Load() {
			g.known.Invalidate(key)
		}
		return got, nil
	})
	if err == nil {
		return got.answer()
	}
	if old, ok := g.known.GetIfPresent(key); ok && !force && old.usable(g.cognito.now()) {
		return old.answer()
	}
	return nil, err
}

// judge tells how long an answer is good for.
func (g *grants) judge(c *amplify.Credentials, err error) (*grant, error) {
	now := g.cognito.now()
	switch {
	case definite(err):
		return &grant{refusal: err, renew: now.Add(refusalAge)}, nil
	case err != nil:
		return nil, err
	}
	life := c.Expires.Sub(now)
	// Half of it where it is short. At least some seconds: a clock that is wrong must not make each request ask.
	fresh := max(life-renewBefore, life/2, refusalAge)
	return &grant{credentials: *c, renew: now.Add(fresh)}, nil
}

func (g *grants) forget(key sessionID) { g.known.Invalidate(key) }

// isNamed reports whether err is an error of one of these names.
func isNamed(err error, names ...string) bool {
	var e *amplify.Error
	return errors.As(err, &e) && slices.Contains(names, e.Name)
}
