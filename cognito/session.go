package cognito

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/amplify-go/amplify"
)

// session is what has been verified of a session: all that does not depend on the hour. Requests that present
// the same tokens share it. It is immutable, its
// memory of sign-in details and of its end apart.
type session struct {
	// Of the tokens only the claims: each request brings their texts along, which are longer than all else.
	accessClaims, idClaims amplify.Claims
	keys                   [2]*key   // that signed them; the second is nil for bearer tokens
	notBefore              time.Time // the later nbf; zero if there is none
	expires                time.Time // the earlier exp
	details                atomic.Pointer[parsedDetails]
	ended                  atomic.Bool // its user has signed out: see Forget
	idHash                 sessionID   // of the ID token: the key of the user's credentials
}

func newSession(access, id *verified) *session {
	s := &session{
		accessClaims: access.claims.Claims,
		keys:         [2]*key{access.key, nil},
		notBefore:    access.claims.notBefore,
		expires:      access.claims.ExpiresAt,
	}
	if id != nil {
		s.idClaims, s.keys[1] = id.claims.Claims, id.key
		s.idHash = credentialsKey(id.raw)
		if id.claims.notBefore.After(s.notBefore) {
			s.notBefore = id.claims.notBefore
		}
		if id.claims.ExpiresAt.Before(s.expires) {
			s.expires = id.claims.ExpiresAt
		}
	}
	return s
}

// issuedAfter reports whether the tokens of s are younger than those of t.
func (s *session) issuedAfter(t *session) bool {
	if c := s.accessClaims.IssuedAt.Compare(t.accessClaims.IssuedAt); c != 0 {
		return c > 0
	}
	return s.idClaims.IssuedAt.After(t.idClaims.IssuedAt)
}

// stands reports whether the keys that signed s are still published.
func (s *session) stands() bool {
	return s.keys[0].stands() && (s.keys[1] == nil || s.keys[1].stands())
}

// credentialsKey is the key of the credentials that an ID token opens.
func credentialsKey(idToken string) sessionID { return newSessionID("credentials", idToken) }

// sessionID is the SHA-256 of all that a session was verified from.
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

// cookieSession returns the session of an access and an ID token that lastAuthUser selected, from memory if it
// has been verified before.
func (c *Client) cookieSession(ctx context.Context, lastAuthUser, access, id string) (*session, error) {
	memo := newSessionID("cookies", lastAuthUser, access, id)
	if s, ok := c.sessions.GetIfPresent(memo); ok && s.stands() {
		return s, nil
	}
	a, i, err := c.verifyPair(ctx, access, id)
	if err != nil {
		return nil, err
	}
	if !selects(lastAuthUser, i.claims) {
		return nil, amplify.Unauthenticated(amplify.ReasonUserMismatch, nil)
	}
	s := newSession(a, i)
	c.sessions.Set(memo, s)
	return s, nil
}

// bearerSession returns the session of an access token alone.
func (c *Client) bearerSession(ctx context.Context, access string) (*session, error) {
	memo := newSessionID("bearer", access)
	if s, ok := c.sessions.GetIfPresent(memo); ok && s.stands() {
		return s, nil
	}
	a, err := c.verify(ctx, access, tokenUseAccess, append(slices.Clip(c.options.BearerClientIDs), c.clientID)...)
	if err != nil {
		return nil, err
	}
	s := newSession(a, nil)
	c.sessions.Set(memo, s)
	return s, nil
}

// verifyPair verifies an access and an ID token, and that they belong to one user.
func (c *Client) verifyPair(ctx context.Context, access, id string) (a, i *verified, err error) {
	if a, err = c.verify(ctx, access, tokenUseAccess, c.clientID); err != nil {
		return nil, nil, err
	}
	if i, err = c.verify(ctx, id, tokenUseID, c.clientID); err != nil {
		return nil, nil, err
	}
	if a.claims.Subject != i.claims.Subject || a.claims.Username != i.claims.Username {
		return nil, nil, amplify.Unauthenticated(amplify.ReasonUserMismatch, nil)
	}
	return a, i, nil
}

// selects reports whether the user of an ID token can have been meant by lastAuthUser: it is the username, or an
// alias, since Amplify JS notes the name that was typed in some pools; or it is the name that
// Amplify JS falls back to. It selects only: who the user is the tokens say.
func selects(lastAuthUser string, id *claims) bool {
	return lastAuthUser == fallbackUser ||
		strings.EqualFold(lastAuthUser, id.Username) ||
		slices.ContainsFunc(id.aliases[:], func(alias string) bool {
			return alias != "" && strings.EqualFold(lastAuthUser, alias)
		})
}

// parsedDetails is the value of a signInDetails cookie and what it says.
type parsedDetails struct {
	raw     string
	details *amplify.SignInDetails
}

// signInDetails parses raw, the value of the signInDetails cookie. What is no JSON object of
// the expected kind tells nothing: the cookie proves nothing, and must not decide who is signed in. The last one is
// remembered, since a session nearly always presents the same.
func (s *session) signInDetails(raw string) *amplify.SignInDetails {
	if raw == "" {
		return nil
	}
	if p := s.details.Load(); p != nil && p.raw == raw {
		return p.details
	}
	d := &amplify.SignInDetails{}
	if json.Unmarshal([]byte(raw), d) != nil {
		d = nil
	}
	s.details.Store(&parsedDetails{strings.Clone(raw), d})
	return d
}
