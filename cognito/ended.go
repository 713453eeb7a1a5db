package cognito

import (
	"bytes"
	"slices"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

// maxEnded bounds how many ended sessions are remembered. One takes about 200 bytes. An entry needs
// a session that verified and had not ended, so that no one user can fill the memory.
const maxEnded = 50_000

// endedSessions remembers the sessions whose users have signed out, until the last of their tokens
// has expired: a signature goes on being right after a sign-out. What is remembered of a session
// are the lineages of its tokens, and its refresh tokens, so that the answer to a refresh under way
// is refused as well.
type endedSessions struct {
	lineages *recent[sessionID, struct{}]
}

func newEndedSessions() *endedSessions {
	return &endedSessions{newRecent[sessionID, struct{}](maxEnded)}
}

// add remembers that the session with these lineages and refresh tokens has ended.
func (e *endedSessions) add(now, until time.Time, ids ...sessionID) {
	slices.SortFunc(ids, func(a, b sessionID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(ids) {
		e.lineages.put(id, struct{}{}, now, until)
	}
}

// has reports whether one of ids belongs to a session that has ended.
func (e *endedSessions) has(now time.Time, ids ...sessionID) bool {
	if e.lineages.empty() {
		return false
	}
	for _, id := range ids {
		if _, ok := e.lineages.get(id, now); ok {
			return true
		}
	}
	return false
}

// lineage names all tokens that descend from one sign-in: by the claim origin_jti or, in pools
// without token revocation, which do not have it, the token itself.
func lineage(t *token.Verified) sessionID {
	if t.Payload.OriginJTI == "" {
		return newSessionID("token", t.Raw)
	}
	return newSessionID("origin_jti", t.Payload.Issuer, t.Payload.OriginJTI)
}

// errSignedOut refuses the tokens of a session that has ended.
func errSignedOut() error { return amplify.Unauthenticated(amplify.ReasonSignedOut, nil) }
