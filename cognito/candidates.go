package cognito

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// candidate is an access and an ID token that a request presents under one name.
type candidate struct {
	user         string
	nth          int // of the user's access tokens
	accessTokens int // how many there are
	access, id   string

	known        *session // what is remembered of the two, or nil
	readAccess   *token   // else the two, taken apart
	readID       *token
	accessClaims *amplify.Claims // of either
	idClaims     *amplify.Claims
	err          error // why the two are refused, or cannot be judged now
	asWritten    bool  // the nth of both
	index        int   // among the candidates, in the order of the request
}

// candidates returns every pair of tokens that a user's cookies can make: browsers may send two
// cookies of one name. What costs no signature check is judged already.
func (c *Client) candidates(st *stored, users []string, v *verifier) (all []*candidate) {
	for _, user := range users {
		access, accessTokens := st.all(user, sessionkey.AccessToken)
		id, idTokens := st.all(user, sessionkey.IDToken)
		for i := range accessTokens {
			for j := range idTokens {
				cand := &candidate{
					user: user, nth: i, accessTokens: accessTokens, access: access[i], id: id[j],
					asWritten: i == j && accessTokens == idTokens, index: len(all),
				}
				c.prejudge(cand, v)
				all = append(all, cand)
			}
		}
	}
	return all
}

// prejudge judges a candidate as far as no signature must be checked.
func (c *Client) prejudge(cand *candidate, v *verifier) {
	if max(len(cand.access), len(cand.id)) > v.maxBytes {
		// read tells; nothing of that size is hashed
	} else if s := c.known(cookiesKey(cand.access, cand.id)); s != nil {
		cand.known, cand.accessClaims, cand.idClaims = s, &s.accessClaims, &s.idClaims
		return
	}
	cand.readAccess = v.read(cand.access, tokenUseAccess, c.clientID)
	cand.readID = v.read(cand.id, tokenUseID, c.clientID)
	switch {
	case cand.readAccess.err != nil:
		cand.err = cand.readAccess.err
	case cand.readID.err != nil:
		cand.err = cand.readID.err
	default:
		cand.accessClaims, cand.idClaims = &cand.readAccess.claims.Claims, &cand.readID.claims.Claims
	}
}

// compare orders candidates: those issued last come first, and pairs that were written together
// before others. Pairs that do not name one user come later, and refused ones last.
func compare(a, b *candidate) int {
	if n := cmp.Compare(a.rank(), b.rank()); n != 0 || a.err != nil {
		return n
	}
	if n := b.accessClaims.IssuedAt.Compare(a.accessClaims.IssuedAt); n != 0 {
		return n
	}
	if n := b.idClaims.IssuedAt.Compare(a.idClaims.IssuedAt); n != 0 {
		return n
	}
	switch {
	case a.asWritten == b.asWritten:
		return 0
	case a.asWritten:
		return -1
	}
	return 1
}

func (cand *candidate) rank() int {
	switch {
	case cand.err != nil:
		return 2
	case !sameUser(cand.accessClaims, cand.idClaims):
		return 1
	}
	return 0
}

// judge returns the session of a candidate.
func (c *Client) judge(ctx context.Context, cand *candidate, v *verifier) (*session, error) {
	s := cand.known
	if s == nil {
		if cand.err != nil {
			return nil, cand.err
		}
		p, err := v.pair(ctx, cand.readAccess, cand.readID)
		if err != nil {
			return nil, err
		}
		s = newSession(p.access, p.id)
	}
	if c.hasEnded(s) {
		return nil, errSignedOut()
	}
	if cand.known == nil {
		c.sessions.Set(cookiesKey(cand.access, cand.id), s)
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
	all := c.candidates(st, st.users(), v)
	slices.SortStableFunc(all, compare)
	var refused error
	var chosen *candidate
	for _, cand := range all {
		if err := ctx.Err(); err != nil {
			refused = notJudged(err)
			break
		}
		s, err := c.judge(ctx, cand, v)
		cand.err = err
		switch {
		case err == nil && chosen == nil:
			chosen = cand
			c.take(best, st, s, cand)
		case err != nil && moreTelling(err, refused):
			refused = err
			if amplify.ReasonOf(err) == amplify.ReasonSignedOut {
				best.user = cand.user
			}
		}
		if chosen != nil && e == nil {
			break
		}
	}
	e.judged(all, chosen)
	switch {
	case chosen != nil:
		best.user = chosen.user
		if chosen.accessTokens > 1 {
			c.advise(ctx, &c.told.duplicates, "amplify: a browser sends several cookies of one name for one session",
				"The cookies have different Domains. Let everything that writes them use the same one (Options.Cookies.Domain here).")
		}
		return nil
	case refused != nil:
		c.adviseOnKeys(ctx, refused)
		return refused
	case len(st.values) > 0:
		return amplify.Unauthenticated(amplify.ReasonIncompleteSession, nil)
	default:
		return amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
}

// onlyCandidate returns the session of the one pair of tokens that nearly every request has, if it
// is remembered. It allocates nothing.
func (c *Client) onlyCandidate(st *stored) (*session, candidate) {
	users := st.users()
	if len(users) != 1 {
		return nil, candidate{}
	}
	access, accessTokens := st.all(users[0], sessionkey.AccessToken)
	id, idTokens := st.all(users[0], sessionkey.IDToken)
	if accessTokens != 1 || idTokens != 1 || max(len(access[0]), len(id[0])) > st.maxBytes {
		return nil, candidate{}
	}
	s := c.known(cookiesKey(access[0], id[0]))
	if s == nil || c.hasEnded(s) {
		return nil, candidate{}
	}
	return s, candidate{user: users[0], accessTokens: 1, access: access[0], id: id[0]}
}

// take makes s, the session of a candidate, the request's.
func (c *Client) take(best *current, st *stored, s *session, cand *candidate) {
	best.session, best.user = s, cand.user
	best.refreshToken = st.refreshToken(cand.user, cand.nth, cand.accessTokens)
	best.expires = s.expires.Add(-st.drift(cand.user))
	best.details = st.first(cand.user, sessionkey.SignInDetails)
	best.setTokens(cand.access, cand.id)
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
