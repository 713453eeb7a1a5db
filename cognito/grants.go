package cognito

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/amplify-go/amplify"
)

const (
	// renewBefore is how long before their end credentials are renewed. Cognito's last an hour.
	// Like Amplify JS we take them for fresh for 50 minutes. What is signed with them, a presigned
	// URL for instance, ends with them.
	renewBefore = 10 * time.Minute
	// usableBefore is how long before their end credentials are no longer given, even if there are
	// no others.
	usableBefore = time.Minute
	// noCredentialsAge is how long the identity pool's refusal is remembered.
	noCredentialsAge = 30 * time.Second
	// maxNoCredentials bounds how many refusals are remembered.
	maxNoCredentials = 10_000
)

// grant is what the identity pool gave: credentials, and when to ask for new ones, by Cognito's
// clock.
type grant struct {
	credentials amplify.Credentials
	renew       time.Time
}

func (g *grant) usable(now time.Time) bool {
	return now.Before(g.credentials.Expires.Add(-usableBefore))
}

// copy returns the credentials, copied since the caller may change what it gets.
func (g *grant) copy() *amplify.Credentials {
	c := g.credentials
	return &c
}

// grants remembers grants, by a hash of what proves the right to them. Refusals are remembered
// apart, so that made-up proofs do not take the place of others' credentials.
type grants struct {
	client  *Client
	given   *otter.Cache[sessionID, *grant]
	refused *recent[sessionID, error]
	flights flights[*grant]
}

func newGrants(c *Client, size int) (*grants, error) {
	given, err := otter.New(&otter.Options[sessionID, *grant]{MaximumSize: size})
	if err != nil {
		return nil, err
	}
	g := &grants{client: c, given: given, refused: newRecent[sessionID, error](maxNoCredentials)}
	g.flights.work = c.work
	return g, nil
}

// known returns the credentials under key, or the refusal. Both are nil if they are unknown or due
// to be renewed.
func (g *grants) known(key sessionID) (*grant, error) {
	now := g.client.now()
	if given, ok := g.given.GetIfPresent(key); ok && now.Before(given.renew) {
		return given, nil
	}
	refusal, _ := g.refused.get(key, now)
	return nil, refusal
}

// isProven reports whether the identity pool has given credentials under key, be they due.
func (g *grants) isProven(key sessionID) bool {
	_, ok := g.given.GetIfPresent(key)
	return ok
}

// get returns the credentials under key. If they are unknown or due it asks for them, once for all
// callers. Credentials that are due but valid still do if that fails, unless force is set.
func (g *grants) get(ctx context.Context, key sessionID, force bool, a asker) (*amplify.Credentials, error) {
	if !force {
		if given, refusal := g.known(key); given != nil || refusal != nil {
			return answer(given, refusal)
		}
	}
	flight := key
	if force { // not to be answered from memory
		flight = newSessionID("forced", string(key[:]))
	}
	given, err := g.flights.do(ctx, flight, func(ctx context.Context) (*grant, error) {
		return g.ask(ctx, key, force, a)
	})
	if err != nil && !force && !definite(err) {
		if old, ok := g.given.GetIfPresent(key); ok && old.usable(g.client.now()) {
			return old.copy(), nil
		}
	}
	return answer(given, err)
}

func answer(given *grant, err error) (*amplify.Credentials, error) {
	if err != nil {
		return nil, err
	}
	return given.copy(), nil
}

// asker asks the identity pool for credentials. It outlives the request that it was made for.
type asker interface {
	credentials(ctx context.Context) (*amplify.Credentials, error)
	// hasEnded reports whether the session that has a right to them has ended meanwhile. They are
	// not remembered then.
	hasEnded() bool
}

// ask asks for the credentials under key, and remembers the answer.
func (g *grants) ask(ctx context.Context, key sessionID, force bool, a asker) (*grant, error) {
	if !force {
		if given, refusal := g.known(key); given != nil || refusal != nil {
			return given, refusal // from a flight that has just ended
		}
	}
	c, err := a.credentials(ctx)
	now := g.client.now()
	if err != nil {
		if definite(err) {
			g.given.Invalidate(key)
			g.refused.put(key, err, now, now.Add(noCredentialsAge))
		}
		return nil, err
	}
	life := c.Expires.Sub(now)
	// Half of it where it is short. At least some seconds: a clock that is wrong must not make each
	// request ask.
	given := &grant{credentials: *c, renew: now.Add(max(life-renewBefore, life/2, noCredentialsAge))}
	g.given.Set(key, given)
	if a.hasEnded() {
		g.forget(key)
	}
	return given, nil
}

func (g *grants) forget(key sessionID) { g.given.Invalidate(key) }

// definite reports whether err, of a call of the identity pool, would be the same if the call were
// made again.
func definite(err error) bool {
	return isNamed(err, "NotAuthorizedException", "ResourceNotFoundException", "ResourceConflictException",
		"InvalidIdentityPoolConfigurationException", "InvalidParameterException")
}

// isNamed reports whether err is an error of one of these names.
func isNamed(err error, names ...string) bool {
	var e *amplify.Error
	return errors.As(err, &e) && slices.Contains(names, e.Name)
}
