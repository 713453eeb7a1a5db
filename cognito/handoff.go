package cognito

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// handoffWindow is how long a request that still carries the old tokens gets their successors. It is as long as
	// Cognito's longest grace period for rotated refresh tokens.
	handoffWindow = time.Minute
	// maxHandoffs bounds how many refreshes are remembered. Cognito's default quota allows 7,200 a minute.
	maxHandoffs = 10_000
	// maxChain bounds how many of them are followed for one session.
	maxChain = 100
)

// tokenHash stands for a refresh token: the SHA-256 of client id and token.
type tokenHash [sha256.Size]byte

func (c *Client) hash(refreshToken string) tokenHash {
	return tokenHash(newSessionID("refresh", c.clientID, refreshToken))
}

// handoff remembers what refreshes answered. Browsers send requests side by side, and some of them leave before
// the cookies of the first answer arrive; without a hand-off each of these would redeem a refresh token that has been
// redeemed already, which ends the session where refresh tokens rotate.
//
// To get the successor one must present tokens of the same user that verify, be they expired, with the very refresh token. Within
// the window Cognito does not see, and so cannot punish, that a stolen refresh token is used a second time.
//
// Answers leave in the order in which they came: a cache that prefers what is read often would drop those that
// have just come, which are the ones that will be asked for.
type handoff struct {
	mu           sync.Mutex
	successors   map[tokenHash]successor
	predecessors map[tokenHash]tokenHash // of rotated refresh tokens
	order        []arrival               // of successors, oldest first
}

// successor is what a refresh token was answered. Without an answer it marks a session whose user has signed
// out, so that the answer to a refresh that was under way is not remembered after all.
type successor struct {
	answer *refreshed
	at     time.Time
}

type arrival struct {
	token tokenHash
	at    time.Time
}

func newHandoff() *handoff {
	return &handoff{successors: map[tokenHash]successor{}, predecessors: map[tokenHash]tokenHash{}}
}

// get returns what the refresh token with that hash was answered within the window, or nil; if the answer was refreshed
// in turn, it returns the last one. A forced refresh gets that only where the token was rotated, and so is
// useless now.
func (h *handoff) get(of tokenHash, now time.Time, force bool) (last *refreshed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for range maxChain {
		r := h.successors[of].answer
		if r == nil || now.Sub(r.received) >= handoffWindow || force && r.refreshToken == "" {
			return last
		}
		last, of = r, r.next
	}
	return last
}

// put remembers what the refresh token with that hash was answered. It reports false, and remembers nothing, if the
// user has signed out meanwhile.
func (h *handoff) put(of tokenHash, r *refreshed) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leave(r.received)
	if s, ok := h.successors[of]; ok && s.answer == nil {
		return false
	}
	h.add(of, successor{r, r.received})
	if r.refreshToken != "" {
		h.predecessors[r.next] = of
	}
	return true
}

// add adds a successor. h.mu is held.
func (h *handoff) add(of tokenHash, s successor) {
	h.successors[of] = s
	h.order = append(h.order, arrival{of, s.at})
}

// leave drops what is too old or too much. h.mu is held.
func (h *handoff) leave(now time.Time) {
	for len(h.order) > 0 && (len(h.order) >= maxHandoffs || now.Sub(h.order[0].at) >= handoffWindow) {
		oldest := h.order[0]
		h.order = h.order[1:]
		if s, ok := h.successors[oldest.token]; ok && s.at.Equal(oldest.at) { // not replaced since
			h.remove(oldest.token)
		}
	}
}

// remove removes a successor. h.mu is held.
func (h *handoff) remove(token tokenHash) {
	if r := h.successors[token].answer; r != nil && h.predecessors[r.next] == token {
		delete(h.predecessors, r.next)
	}
	delete(h.successors, token)
}

// forget forgets what led to the refresh token with that hash, and what it led to, so that the tokens of a session
// that has ended are handed to nobody.
func (h *handoff) forget(token tokenHash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.chain(token) {
		h.remove(t)
	}
}

// end is forget for a session whose user has signed out: what refreshes of it answer that are under way is not
// remembered either.
func (h *handoff) end(token tokenHash, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leave(now)
	for _, t := range h.chain(token) {
		h.remove(t)
		h.add(t, successor{at: now})
	}
}

// chain returns the hash of a refresh token, and those of the tokens before and after it in its session. h.mu is held.
func (h *handoff) chain(token tokenHash) []tokenHash {
	tokens := []tokenHash{token}
	for t := token; len(tokens) < maxChain; {
		before, ok := h.predecessors[t]
		if !ok {
			break
		}
		tokens, t = append(tokens, before), before
	}
	for t := token; len(tokens) < 2*maxChain; {
		r := h.successors[t].answer
		if r == nil || r.refreshToken == "" {
			break
		}
		tokens, t = append(tokens, r.next), r.next
	}
	return tokens
}
