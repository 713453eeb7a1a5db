package cognito

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
)

// refreshMargin is how long before their end tokens are refreshed, as in Amplify JS: a token should
// outlive the call that it is sent with.
const refreshMargin = 5 * time.Second

// TokenProvider returns the source of the tokens that kv keeps for one request. Nothing is read
// until tokens are asked for, and then once.
//
// Expired tokens are refreshed, and the new ones are kept in kv if it is writable. A session that the
// user pool has refused to refresh is deleted from kv. The provider is safe for concurrent use if kv is.
func (c *Client) TokenProvider(kv amplify.KeyValueStorage) amplify.TokenProvider {
	return &provider{cognito: c, kv: kv}
}

type provider struct {
	cognito *Client
	kv      amplify.KeyValueStorage

	examiner *examiner // nil but for Examine

	mu      sync.Mutex
	stored  *stored       // what kv held when it was first asked
	current *current      // the session, once it is known
	refused error         // why there is none, once that is certain
	guest   chan struct{} // closed when the visitor's new identity is there; nil if none is asked for

	room struct { // so that a request takes one allocation
		stored  stored
		values  [8]storedValue
		current current
	}
}

// current is the session of one request.
type current struct {
	*session
	access, id   amplify.Token
	tokens       amplify.Tokens
	user         string // whose keys it is stored under: LastAuthUser
	refreshToken string
	details      string    // sign-in details, as they are stored
	expires      time.Time // when to take it for expired
	refreshed    bool      // in this request
}

// setTokens sets the tokens with the texts that the session was verified from.
func (cur *current) setTokens(access, id string) {
	cur.access = *amplify.NewToken(access, &cur.accessClaims)
	cur.id = *amplify.NewToken(id, &cur.idClaims)
	cur.tokens = amplify.Tokens{AccessToken: &cur.access, IDToken: &cur.id, SignInDetails: cur.signInDetails(cur.details)}
}

// Tokens implements [amplify.TokenProvider].
func (p *provider) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	cur, err := p.valid(ctx, in)
	if err != nil {
		return nil, err
	}
	return &cur.tokens, nil
}

// valid returns the request's session as long as its tokens are valid, refreshed where that is due.
func (p *provider) valid(ctx context.Context, in amplify.TokensInput) (*current, error) {
	cur, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	leeway, now := p.cognito.options.Leeway, p.cognito.now()
	if now.Add(leeway).Before(cur.notBefore) {
		return nil, amplify.Unauthenticated(amplify.ReasonNotYetValid, nil)
	}
	if !now.Add(p.refreshMargin(cur, now)).Before(cur.expires) || in.ForceRefresh && !cur.refreshed {
		expired := !now.Add(-leeway).Before(cur.expires)
		next, err := p.refresh(ctx, cur, in, expired)
		switch {
		case err == nil:
			cur = next
		case in.ForceRefresh || expired || ended(err):
			return nil, err
		}
		// Otherwise the tokens are still good.
	}
	return cur, nil
}

// refreshMargin returns how long before their end the tokens of cur are to be refreshed.
func (p *provider) refreshMargin(cur *current, now time.Time) time.Duration {
	early := p.cognito.options.RefreshEarly
	if early <= refreshMargin || now.Add(early).Before(cur.expires) || !p.kv.Writable() {
		return refreshMargin // where new tokens cannot be kept they would be refreshed again and again
	}
	claims := &cur.accessClaims
	return max(refreshMargin, min(early, claims.ExpiresAt.Sub(claims.IssuedAt)/2))
}

// session returns the request's session, expired or not.
func (p *provider) session(ctx context.Context) (*current, error) {
	p.mu.Lock()
	var found *current
	if p.stored == nil {
		p.stored, found = &p.room.stored, &p.room.current
		*p.stored = stored{prefix: p.cognito.prefix, values: p.room.values[:0]}
		p.stored.read(p.kv)
	}
	cur, refused := p.current, p.refused
	p.mu.Unlock()
	if cur != nil || refused != nil {
		return cur, refused
	}
	if found == nil { // the room belongs to the goroutine that came first
		found = &current{}
	}

	err := p.cognito.choose(ctx, p.stored, found, p.examiner)

	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current != nil: // known, and perhaps refreshed, by another goroutine of this request
		return p.current, p.refused
	case err == nil:
		p.current = found
		return found, nil
	case errors.Is(err, amplify.ErrUnauthenticated):
		p.refused = err
	}
	return nil, err
}

// choose puts the session that st holds into best. Where cookies came several times it is the one whose tokens verify and
// were issued last. Tokens of two users never make one.
func (c *Client) choose(ctx context.Context, st *stored, best *current, e *examiner) error {
	if c.poolID == "" {
		return amplify.Unauthenticated(amplify.ReasonNoSession, errors.New("the configuration has no user pool"))
	}
	*best = current{}
	var (
		refused            error
		accessText, idText string // of best
	)
	for _, user := range st.users() {
		access, accessTokens := st.all(user, keyAccessToken)
		id, idTokens := st.all(user, keyIDToken)
		for i := range accessTokens {
			for j := range idTokens {
				s, err := c.cookieSession(ctx, user, access[i], id[j])
				e.judged(err)
				switch {
				case err != nil:
					// What cannot be judged now must not be taken for refused.
					if refused == nil || !errors.Is(err, amplify.ErrUnauthenticated) {
						refused = err
					}
				case best.session == nil || s.issuedAfter(best.session):
					e.preferred()
					best.session, best.user = s, user
					accessText, idText = access[i], id[j]
					best.refreshToken = st.refreshToken(user, i, accessTokens)
				}
			}
		}
	}
	switch {
	case best.session != nil:
		best.expires = best.session.expires.Add(-st.drift(best.user))
		if best.ended.Load() {
			best.expires = time.Time{} // the refresh that is due now tells
		}
		best.details = st.first(best.user, keySignInDetails)
		best.setTokens(accessText, idText)
		return nil
	case refused != nil:
		return refused
	case len(st.values) > 0:
		return amplify.Unauthenticated(amplify.ReasonIncompleteSession, nil)
	default:
		return amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
}
