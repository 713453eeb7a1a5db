package cognito

import (
	"context"
	"errors"
	"slices"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
	"github.com/amplify-go/amplify/internal/token"
)

// candidate is an access and an ID token that a request presents under one name.
type candidate struct {
	sessionkey.Pair
	known      *session     // what is remembered of the two, or nil
	readAccess *token.Token // else the two, taken apart
	readID     *token.Token
	judged     token.Candidate
	index      int // among the candidates, in the order of the request
}

// candidates returns every pair of tokens that users' values can make. What costs no signature
// check is judged already.
func (c *Client) candidates(st *stored, users []string, v *verifier) (all []*candidate) {
	for _, user := range users {
		for _, pair := range st.Pairs(user) {
			cand := &candidate{Pair: pair, index: len(all)}
			c.prejudge(cand, v)
			all = append(all, cand)
		}
	}
	return all
}

// prejudge judges a candidate as far as no signature must be checked.
func (c *Client) prejudge(cand *candidate, v *verifier) {
	j := &cand.judged
	j.AsWritten = cand.AsWritten
	if max(len(cand.Access), len(cand.ID)) > v.MaxBytes {
		// Read tells; nothing of that size is hashed
	} else if s := c.known(cookiesKey(cand.Access, cand.ID)); s != nil {
		cand.known = s
		j.Access, j.ID = (*token.Claims)(&s.accessClaims), (*token.Claims)(&s.idClaims)
		return
	}
	cand.readAccess = v.Read(cand.Access, token.UseAccess, c.clientID)
	cand.readID = v.Read(cand.ID, token.UseID, c.clientID)
	*j = token.NewCandidate(cand.readAccess, cand.readID, cand.AsWritten)
}

// judge returns the session of a candidate.
func (c *Client) judge(ctx context.Context, cand *candidate, v *verifier) (*session, error) {
	s := cand.known
	if s == nil {
		if cand.judged.Err != nil {
			return nil, cand.judged.Err
		}
		p, err := v.Pair(ctx, cand.readAccess, cand.readID)
		if err != nil {
			return nil, err
		}
		s = newSession(p.Access, p.ID)
	}
	if c.hasEnded(s) {
		return nil, errSignedOut()
	}
	if cand.known == nil {
		c.sessions.Set(cookiesKey(cand.Access, cand.ID), s)
	}
	return s, nil
}

// choose puts the session that st holds into best. If cookies came several times it is the one
// whose tokens verify and were issued last. Tokens of two users never make one. If the session has
// been signed out of, best.user is the name that it is kept under.
func (c *Client) choose(ctx context.Context, v *verifier, st *stored, best *current, e *examiner) error {
	if c.poolID == "" {
		return amplify.Unauthenticated(amplify.ReasonNoSession, errors.New("the configuration has no user pool"))
	}
	*best = current{}
	if s, cand := c.onlyCandidate(st); s != nil && e == nil {
		c.take(best, st, s, &cand)
		return nil
	}
	all := c.candidates(st, st.Users(), v)
	slices.SortStableFunc(all, func(a, b *candidate) int { return a.judged.Compare(&b.judged) })
	var refused error
	var chosen *candidate
	for _, cand := range all {
		if err := ctx.Err(); err != nil {
			refused = notJudged(err)
			break
		}
		s, err := c.judge(ctx, cand, v)
		cand.judged.Err = err
		switch {
		case err == nil && chosen == nil:
			chosen = cand
			c.take(best, st, s, cand)
		case err != nil && moreTelling(err, refused):
			refused = err
			if amplify.ReasonOf(err) == amplify.ReasonSignedOut {
				best.user = cand.User
			}
		}
		if chosen != nil && e == nil {
			break
		}
	}
	e.judged(all, chosen)
	switch {
	case chosen != nil:
		best.user = chosen.User
		if chosen.AccessTokens > 1 {
			c.advise(ctx, &c.told.duplicates, "amplify: a browser sends several cookies of one name for one session",
				"The cookies have different Domains. Let everything that writes them use the same one (Options.Cookies.Domain here).")
		}
		return nil
	case refused != nil:
		c.adviseOnKeys(ctx, refused)
		return refused
	case len(st.List) > 0:
		return amplify.Unauthenticated(amplify.ReasonIncompleteSession, nil)
	default:
		return amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
}

// onlyCandidate returns the session of the one pair of tokens that nearly every request has, if it
// is remembered. It allocates nothing.
func (c *Client) onlyCandidate(st *stored) (*session, candidate) {
	users := st.Users()
	if len(users) != 1 {
		return nil, candidate{}
	}
	access, accessTokens := st.All(users[0], sessionkey.AccessToken)
	id, idTokens := st.All(users[0], sessionkey.IDToken)
	if accessTokens != 1 || idTokens != 1 || max(len(access[0]), len(id[0])) > st.maxBytes {
		return nil, candidate{}
	}
	s := c.known(cookiesKey(access[0], id[0]))
	if s == nil || c.hasEnded(s) {
		return nil, candidate{}
	}
	pair := sessionkey.Pair{User: users[0], AccessTokens: 1, Access: access[0], ID: id[0]}
	return s, candidate{Pair: pair}
}

// take makes s, the session of a candidate, the request's.
func (c *Client) take(best *current, st *stored, s *session, cand *candidate) {
	best.session, best.user = s, cand.User
	best.refreshToken = st.refreshToken(cand.User, cand.Nth, cand.AccessTokens)
	best.expires = s.expires.Add(-st.Drift(cand.User))
	best.details = st.First(cand.User, sessionkey.SignInDetails)
	best.setTokens(cand.Access, cand.ID)
}

// moreTelling reports whether err says more than before about why a request has no session. What
// cannot be judged now must not be taken for refused; and what was signed out of is to be deleted.
func moreTelling(err, before error) bool {
	rank := func(err error) int {
		switch {
		case err == nil:
			return 0
		case !errors.Is(err, amplify.ErrUnauthenticated):
			return 3
		case amplify.ReasonOf(err) == amplify.ReasonSignedOut:
			return 2
		}
		return 1
	}
	return rank(err) > rank(before)
}

// notJudged returns the error of a request that has gone before it was judged.
func notJudged(err error) error {
	return &amplify.Error{
		Name: "NetworkError", Reason: amplify.ReasonServiceUnavailable,
		Message: "The request has ended before its session was read.", Err: err,
	}
}
