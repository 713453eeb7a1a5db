package cognito

import (
	"crypto/sha256"
	"sync/atomic"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

const (
	// handoffWindow is how long a request that still carries the old tokens gets their successors.
	// It is as long as Cognito's longest grace period for rotated refresh tokens.
	handoffWindow = time.Minute
	// maxHandoffs bounds how many refreshes are remembered. Cognito's default quota allows 7,200 a
	// minute.
	maxHandoffs = 10_000
	// maxCodes bounds how many redeemed authorization codes are remembered.
	maxCodes = 1_000
	// maxChain bounds how many successors are followed for one session.
	maxChain = 100
)

// tokenHash stands for a refresh token, the SHA-256 of client id and token; or for an authorization
// code, the SHA-256 of code, state and verifier.
type tokenHash [sha256.Size]byte

func (c *Client) hash(refreshToken string) tokenHash {
	return tokenHash(newSessionID("refresh", c.clientID, refreshToken))
}

// issued is what the user pool answered to a refresh token or an authorization code.
type issued struct {
	accessToken, idToken string
	refreshToken         string    // empty if a refresh did not rotate it
	next                 tokenHash // of refreshToken
	received             time.Time // by Cognito's clock

	pair atomic.Pointer[token.Pair] // the first two, once they have been verified
}

// forSession returns the tokens as a session starts with them. refreshToken goes with the others.
func (r *issued) forSession(refreshToken string) amplify.IssuedTokens {
	return amplify.IssuedTokens{
		AccessToken:  amplify.NewSecret(r.accessToken),
		IDToken:      amplify.NewSecret(r.idToken),
		RefreshToken: amplify.NewSecret(refreshToken),
	}
}

// handoff gives the successors of tokens to requests that come a moment late.
//
// Browsers send requests side by side, and some of them leave before the cookies of the first
// answer arrive. Without a hand-off each of these would redeem a refresh token that has been
// redeemed already, which ends the session where refresh tokens rotate. The same goes for a
// callback that arrives twice.
//
// A caller must present tokens of the same user that verify, even if they have expired, together
// with the very refresh token; or code, state and verifier. Within the window Cognito does not see,
// and so cannot punish, a second use.
//
// The rule (which successor, how long) is here. Where answers are kept is the business of recent.
type handoff struct {
	answers      *recent[tokenHash, *issued]   // by the refresh token that was redeemed
	codes        *recent[tokenHash, *issued]   // by the code that was redeemed
	predecessors *recent[tokenHash, tokenHash] // what a refresh token came from
}

func newHandoff() *handoff {
	return &handoff{
		answers:      newRecent[tokenHash, *issued](maxHandoffs),
		codes:        newRecent[tokenHash, *issued](maxCodes),
		predecessors: newRecent[tokenHash, tokenHash](maxHandoffs + maxCodes),
	}
}

// refreshed returns what the refresh token with that hash was answered within the window, or nil.
// If the answer was refreshed in turn, it returns the last one. A forced refresh gets that only if
// the token was rotated, since it is useless then.
func (h *handoff) refreshed(of tokenHash, now time.Time, force bool) (last *issued) {
	for range maxChain {
		r, ok := h.answers.get(of, now)
		if !ok || force && r.refreshToken == "" {
			break
		}
		last, of = r, r.next
		if r.refreshToken == "" {
			break
		}
	}
	return last
}

// redeemed returns the tokens that a code opened within the window, as they are now: refreshed
// perhaps. refreshToken goes with them.
func (h *handoff) redeemed(code tokenHash, now time.Time) (tokens *issued, refreshToken string, ok bool) {
	tokens, ok = h.codes.get(code, now)
	if !ok {
		return nil, "", false
	}
	refreshToken = tokens.refreshToken
	if next := h.refreshed(tokens.next, now, false); next != nil {
		tokens = next
		if next.refreshToken != "" {
			refreshToken = next.refreshToken
		}
	}
	return tokens, refreshToken, true
}

// put remembers what the refresh token with that hash was answered.
func (h *handoff) put(of tokenHash, r *issued) { h.add(h.answers, of, r) }

// putCode remembers what a code was answered.
func (h *handoff) putCode(code tokenHash, r *issued) { h.add(h.codes, code, r) }

func (h *handoff) add(to *recent[tokenHash, *issued], of tokenHash, r *issued) {
	until := r.received.Add(handoffWindow)
	to.put(of, r, r.received, until)
	if r.refreshToken != "" {
		h.predecessors.put(r.next, of, r.received, until)
	}
}

// end forgets what led to the refresh token with that hash, and what it led to, so that no request
// gets the tokens of a session that has ended. It returns what it has forgotten.
func (h *handoff) end(token tokenHash, now time.Time) (forgotten []*issued) {
	first := token
	for range maxChain {
		before, ok := h.predecessors.get(first, now)
		if !ok {
			break
		}
		first = before
	}
	for range 2 * maxChain {
		r, ok := h.answers.get(first, now)
		if !ok {
			r, ok = h.codes.get(first, now)
		}
		h.answers.delete(first)
		h.codes.delete(first)
		if !ok {
			break
		}
		forgotten = append(forgotten, r)
		if r.refreshToken == "" {
			break
		}
		h.predecessors.delete(r.next)
		first = r.next
	}
	return forgotten
}
