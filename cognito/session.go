package cognito

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync/atomic"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

// session is what has been verified of a session and stays true as time passes. Requests that
// present the same tokens share it. It is immutable, except that it remembers the last sign-in
// details.
//
// Of the tokens it holds the claims only. Each request brings their texts along, which are longer
// than everything else.
type session struct {
	accessClaims, idClaims amplify.Claims
	keys                   [2]*key      // that signed the tokens; the second is nil for bearer tokens
	lineages               [2]sessionID // of the tokens; equal for bearer tokens
	notBefore              time.Time    // the later nbf; zero if there is none
	expires                time.Time    // the earlier exp
	details                atomic.Pointer[parsedDetails]
	idHash                 sessionID // of the ID token: the key of the user's credentials
	revocable              bool      // the user pool can revoke the tokens: they have an origin_jti
	refreshHash            tokenHash // of the refresh token that Cognito gave with the tokens, if we saw it
}

// newSession returns the session of tokens that have been verified. id is nil for bearer tokens.
func newSession(access, id *token.Verified) *session {
	l := lineage(access)
	s := &session{
		accessClaims: amplify.Claims(access.Payload.Claims),
		keys:         [2]*key{access.Key.(*key), nil},
		lineages:     [2]sessionID{l, l},
		revocable:    access.Payload.OriginJTI != "",
	}
	if id == nil {
		s.notBefore, s.expires = token.Span(access.Payload)
		return s
	}
	s.idClaims = amplify.Claims(id.Payload.Claims)
	s.keys[1], s.lineages[1] = id.Key.(*key), lineage(id)
	s.idHash = credentialsKey(id.Raw)
	s.notBefore, s.expires = token.Span(access.Payload, id.Payload)
	return s
}

// trusted reports whether the keys that signed s are still published.
func (s *session) trusted() bool {
	return s.keys[0].trusted() && (s.keys[1] == nil || s.keys[1].trusted())
}

// hasEnded reports whether the user of s has signed out of it.
func (c *Client) hasEnded(s *session) bool { return c.ended.has(c.now(), s.lineages[:]...) }

// known returns the session that is remembered under key, if its keys are still published.
func (c *Client) known(key sessionID) *session {
	if s, ok := c.sessions.GetIfPresent(key); ok && s.trusted() {
		return s
	}
	return nil
}

// credentialsKey is the key of the credentials that an ID token opens.
func credentialsKey(idToken string) sessionID { return newSessionID("credentials", idToken) }

// cookiesKey is the key of the session of an access and an ID token.
func cookiesKey(access, id string) sessionID { return newSessionID("cookies", access, id) }

// sessionID is the SHA-256 of what a thing is known by. No text of a request is a key itself.
type sessionID [sha256.Size]byte

// newSessionID hashes texts, each behind its length so that none can run into the next.
func newSessionID(texts ...string) sessionID {
	var stack [4 << 10]byte // as much as usual; longer ones go to the heap
	b := stack[:0]
	for _, t := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(t)))
		b = append(b, t...)
	}
	return sha256.Sum256(b)
}

// parsedDetails is the value of a signInDetails cookie and what it says.
type parsedDetails struct {
	raw     string
	details *amplify.SignInDetails
}

// maxRememberedDetails bounds the sign-in details that a session remembers: the request chooses
// them.
const maxRememberedDetails = 512

// signInDetails parses raw, the value of the signInDetails cookie. It is nil if that is no JSON
// object of the expected kind: the cookie proves nothing, and must not decide who is signed in. The
// last value is remembered, since a session nearly always presents the same.
func (s *session) signInDetails(raw string) *amplify.SignInDetails {
	if raw == "" {
		return nil
	}
	if p := s.details.Load(); p != nil && p.raw == raw {
		return p.details
	}
	var d *amplify.SignInDetails
	if json.Unmarshal([]byte(raw), &d) != nil {
		d = nil
	}
	if len(raw) <= maxRememberedDetails {
		s.details.Store(&parsedDetails{strings.Clone(raw), d})
	}
	return d
}
