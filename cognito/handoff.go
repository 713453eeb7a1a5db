package cognito

import (
	"crypto/sha256"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	// handoffWindow is how long a request that still carries the old tokens gets their successors. It is as long as
	// Cognito's longest grace period for rotated refresh tokens.
	handoffWindow = time.Minute
	// maxHandoffs bounds how many refreshes are remembered.
	maxHandoffs = 10_000
	// maxChain bounds how many of them are followed for one session.
	maxChain = 100
)

// tokenHash stands for a refresh token: the SHA-256 of client id and token.
type tokenHash [sha256.Size]byte

func (c *Cognito) hash(refreshToken string) tokenHash {
	return tokenHash(newSessionID("refresh", c.clientID, refreshToken))
}

// handoff remembers what refreshes answered. Browsers send requests side by side, and some of them leave before
// the cookies of the first answer arrive; without a hand-off each of these would redeem a refresh token that has been
// redeemed already, which ends the session where refresh tokens rotate.
//
// To get the successor one must present tokens of the same user that verify, be they expired, with the very refresh token. Within
// the window Cognito does not see, and so cannot punish, that a stolen refresh token is used a second time.
type handoff struct {
	successors   *otter.Cache[tokenHash, *refreshed]
	predecessors *otter.Cache[tokenHash, tokenHash] // of rotated refresh tokens
}

func newHandoff() (*handoff, error) {
	successors, err := otter.New(&otter.Options[tokenHash, *refreshed]{MaximumSize: maxHandoffs})
	if err != nil {
		return nil, err
	}
	predecessors, err := otter.New(&otter.Options[tokenHash, tokenHash]{MaximumSize: maxHandoffs})
	if err != nil {
		return nil, err
	}
	return &handoff{successors, predecessors}, nil
}

// get returns what the refresh token with that hash was answered within the window, or nil; if the answer was refreshed
// in turn, it returns the last one. A forced refresh gets that only where the token was rotated, and so is
// useless now.
func (h *handoff) get(of tokenHash, now time.Time, force bool) (last *refreshed) {
	for range maxChain {
		r, ok := h.successors.GetIfPresent(of)
		if !ok || now.Sub(r.received) >= handoffWindow || force && r.refreshToken == "" {
			return last
		}
		last, of = r, r.next
	}
	return last
}

// put remembers what the refresh token with that hash was answered.
func (h *handoff) put(of tokenHash, r *refreshed) {
	h.successors.Set(of, r)
	if r.refreshToken != "" {
		h.predecessors.Set(r.next, of)
	}
}

// forget forgets what led to the refresh token with that hash, and what it led to, so that the tokens of a session
// that has ended are handed to nobody.
func (h *handoff) forget(token tokenHash) {
	for range maxChain {
		h.successors.Invalidate(token)
		previous, ok := h.predecessors.Invalidate(token)
		if !ok {
			return
		}
		token = previous
	}
}
