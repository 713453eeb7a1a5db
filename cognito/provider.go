package cognito

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// refreshMargin is how long before their end tokens are refreshed, as in Amplify JS: a token should
// outlive the call that it is sent with.
const refreshMargin = 5 * time.Second

// Providers returns what one request knows of the session that kv keeps: where its tokens and AWS
// credentials come from, and what starts and ends it. Together they read kv and refresh once.
//
// Nothing is read until it is asked for. Expired tokens are refreshed, and the new ones are kept in
// kv if it is writable. A session that the user pool has refused to refresh, or that its user has
// signed out of, is deleted from kv. The providers are safe for concurrent use if kv is.
func (c *Client) Providers(kv amplify.KeyValueStorage) amplify.Providers {
	p := &provider{client: c, kv: kv}
	return amplify.Providers{Tokens: p, Credentials: p, Session: p}
}

// TokenProvider returns the source of the tokens that kv keeps for one request: the Tokens of
// [Client.Providers].
func (c *Client) TokenProvider(kv amplify.KeyValueStorage) amplify.TokenProvider {
	return &provider{client: c, kv: kv}
}

// provider is the session of one request. This file finds it. Others refresh it (refresh.go), start
// and end it (keeper.go), and get its AWS credentials (credentials.go).
type provider struct {
	client *Client
	kv     amplify.KeyValueStorage

	examiner *examiner // nil except for Examine

	mu       sync.Mutex
	stored   *stored  // what kv held when it was first asked; nil before, and after a start
	unread   error    // why nothing was read
	current  *current // the session, once it is known
	refused  error    // why there is none, once that is certain
	newGuest chan struct{}
	life     context.Context // of the session: see Lifetime; nil until it is asked for
	endLife  context.CancelCauseFunc

	room struct { // for the first session, so that a request takes one allocation
		taken   bool
		stored  stored
		values  [8]sessionkey.Value
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
	leeway, now := p.client.options.Leeway, p.client.now()
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
	early := p.client.options.RefreshEarly
	if early <= refreshMargin || now.Add(early).Before(cur.expires) || !p.kv.Writable() {
		return refreshMargin // where new tokens cannot be kept they would be refreshed again and again
	}
	claims := &cur.accessClaims
	return max(refreshMargin, min(early, claims.ExpiresAt.Sub(claims.IssuedAt)/2))
}

// session returns the request's session, expired or not.
func (p *provider) session(ctx context.Context) (*current, error) {
	p.mu.Lock()
	if p.current != nil || p.refused != nil {
		defer p.mu.Unlock()
		return p.current, p.refused
	}
	st, found, err := p.read()
	p.mu.Unlock()

	if err == nil {
		err = p.client.choose(ctx, p.client.newVerifier(st.maxBytes), st, found, p.examiner)
	}

	p.mu.Lock()
	if p.current == nil && p.refused == nil && p.stored != st {
		p.mu.Unlock()
		return p.session(ctx) // a session has started meanwhile
	}
	defer p.mu.Unlock()
	switch {
	case p.current != nil || p.refused != nil: // known by another goroutine of this request
		return p.current, p.refused
	case err == nil:
		p.current = found
		return found, nil
	case errors.Is(err, amplify.ErrUnauthenticated):
		p.refused = err
		if amplify.ReasonOf(err) == amplify.ReasonSignedOut && p.examiner == nil {
			p.delete(ctx, found.user)
		}
	}
	return nil, err
}

// read returns what kv holds, and where to put the session. It reads kv unless that has been done.
// The first time it allocates nothing. p.mu is held.
func (p *provider) read() (st *stored, found *current, err error) {
	if p.stored != nil {
		return p.stored, &current{}, p.unread
	}
	st = &p.room.stored
	if found = &p.room.current; p.room.taken {
		st, found = &stored{}, &current{}
	} else {
		p.room.taken = true
		st.List = p.room.values[:0]
	}
	st.Prefix = p.client.prefix
	p.stored, p.unread = st, st.read(p.kv)
	return st, found, p.unread
}

// delete deletes the session of a user from the storage, as far as that is writable.
func (p *provider) delete(ctx context.Context, user string) {
	if !p.kv.Writable() {
		return
	}
	if err := deleteSession(p.kv, p.client.prefix, user); err != nil {
		p.client.app.Logger().WarnContext(ctx, "amplify: a session that has ended could not be deleted", "error", err)
	}
}

// ended reports whether err means that there is no session any more, so that it is to be deleted.
func ended(err error) bool {
	switch amplify.ReasonOf(err) {
	case amplify.ReasonRefreshRejected, amplify.ReasonRefreshAnswerLost, amplify.ReasonUserMismatch,
		amplify.ReasonSignedOut, amplify.ReasonTokenTooLarge:
		return true
	}
	return false
}
