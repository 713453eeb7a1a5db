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
func (c *Cognito) TokenProvider(kv amplify.KeyValueStorage) amplify.TokenProvider {
	return &tokenProvider{cognito: c, kv: kv}
}

type tokenProvider struct {
	cognito *Cognito
	kv      amplify.KeyValueStorage

	mu      sync.Mutex
	stored  *stored  // what kv held when it was first asked
	current *current // the session, once it is known
	refused error    // why there is none, once that is certain

	room struct { // so that a request takes one allocation
		stored stored
		values [8]storedValue
	}
}

// current is the session of one request.
type current struct {
	*session
	user         string // whose keys it is stored under: LastAuthUser
	refreshToken string
	details      string    // as they are stored
	expires      time.Time // when to take it for expired
	refreshed    bool      // in this request
}

// Tokens implements [amplify.TokenProvider].
func (p *tokenProvider) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	cur, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	leeway, now := p.cognito.options.Leeway, p.cognito.now()
	if now.Add(leeway).Before(cur.notBefore) {
		return nil, amplify.Unauthenticated(amplify.ReasonNotYetValid, nil)
	}
	if !now.Add(refreshMargin).Before(cur.expires) || in.ForceRefresh && !cur.refreshed {
		expired := !now.Add(-leeway).Before(cur.expires)
		next, err := p.refresh(ctx, cur, in, expired)
		switch {
		case err == nil:
			cur = next
		case in.ForceRefresh || expired || ended(err):
			return nil, err
		}
		// Otherwise the tokens are good for a few seconds yet.
	}
	return &amplify.Tokens{
		AccessToken:   cur.access,
		IDToken:       cur.id,
		SignInDetails: cur.signInDetails(cur.details),
	}, nil
}

// session returns the request's session, expired or not.
func (p *tokenProvider) session(ctx context.Context) (*current, error) {
	p.mu.Lock()
	if p.stored == nil {
		p.room.stored = read(p.kv, p.cognito.prefix, p.room.values[:0])
		p.stored = &p.room.stored
	}
	cur, refused := p.current, p.refused
	p.mu.Unlock()
	if cur != nil || refused != nil {
		return cur, refused
	}

	cur, err := p.cognito.choose(ctx, p.stored)

	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current != nil: // found, and perhaps refreshed, by another goroutine of this request
		return p.current, nil
	case err == nil:
		p.current = cur
	case errors.Is(err, amplify.ErrUnauthenticated):
		p.refused = err
	}
	return cur, err
}

// choose returns the session that st holds. Where cookies came several times it is the one whose tokens verify and
// were issued last. Tokens of two users never make one.
func (c *Cognito) choose(ctx context.Context, st *stored) (*current, error) {
	if c.poolID == "" {
		return nil, amplify.Unauthenticated(amplify.ReasonNoSession, errors.New("the configuration has no user pool"))
	}
	users := st.lastAuthUsers
	if len(users) == 0 {
		users = fallbackUsers
	}
	var best *current
	var refused error
	for _, user := range users {
		access, accessTokens := st.all(user, keyAccessToken)
		id, idTokens := st.all(user, keyIDToken)
		for i := range accessTokens {
			for j := range idTokens {
				s, err := c.cookieSession(ctx, user, access[i], id[j])
				switch {
				case err != nil:
					// What cannot be judged now must not be taken for refused.
					if refused == nil || !errors.Is(err, amplify.ErrUnauthenticated) {
						refused = err
					}
				case best == nil || s.issuedAfter(best.session):
					best = &current{
						session:      s,
						user:         user,
						refreshToken: st.refreshToken(user, i, accessTokens),
						details:      st.first(user, keySignInDetails),
						expires:      s.expires.Add(-st.drift(user)),
					}
					if s.ended.Load() {
						best.expires = time.Time{} // the refresh that is due now tells
					}
				}
			}
		}
	}
	switch {
	case best != nil:
		return best, nil
	case refused != nil:
		return nil, refused
	case len(st.values) > 0:
		return nil, amplify.Unauthenticated(amplify.ReasonIncompleteSession, nil)
	default:
		return nil, amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
}
