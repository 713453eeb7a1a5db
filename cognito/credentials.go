package cognito

import (
	"context"
	"errors"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// Providers returns the sources of the tokens and of the AWS credentials of the session that kv keeps, for one request.
// Between them they read kv and refresh once; else they are what [Client.TokenProvider] and [Client.CredentialsProvider] return.
func (c *Client) Providers(kv amplify.KeyValueStorage) amplify.Providers {
	p := &provider{cognito: c, kv: kv}
	return amplify.Providers{Tokens: p, Credentials: p, Session: p}
}

// CredentialsProvider returns the source of the AWS credentials of the session that kv keeps for one request: those that
// the identity pool gives its user or, where it allows guests, a guest (see [GuestIdentity]). Where there are none to be had,
// credentials and error are nil.
//
// Credentials are remembered for all requests that prove the same right to them, and renewed before they expire; each is asked for
// once, however many requests wait for it. That nobody can be told apart at the moment is an error, and makes nobody a guest. The
// provider is safe for concurrent use if kv is.
func (c *Client) CredentialsProvider(kv amplify.KeyValueStorage) amplify.CredentialsProvider {
	return &provider{cognito: c, kv: kv}
}

// GuestCredentialsProvider returns the source of the AWS credentials of the guest that all of this process share, for
// what belongs to no request: static pages, for instance.
func (c *Client) GuestCredentialsProvider() amplify.CredentialsProvider { return guestProvider{c} }

type guestProvider struct{ cognito *Client }

// Credentials implements [amplify.CredentialsProvider].
func (p guestProvider) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	pool := p.cognito.identities
	if pool == nil || !pool.allowsGuests {
		return nil, nil
	}
	return pool.sharedGuest(ctx, in.ForceRefresh)
}

// Credentials implements [amplify.CredentialsProvider].
func (p *provider) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	pool := p.cognito.identities
	if pool == nil {
		return nil, nil
	}
	cur, err := p.valid(ctx, amplify.TokensInput{})
	switch {
	case err == nil:
		return p.userCredentials(ctx, pool, cur, in.ForceRefresh)
	case !errors.Is(err, amplify.ErrUnauthenticated):
		return nil, err
	case !pool.allowsGuests:
		return nil, nil
	}
	return p.guestCredentials(ctx, pool, in.ForceRefresh)
}

func (p *provider) userCredentials(ctx context.Context, pool *identityPool, cur *current, force bool) (*amplify.Credentials, error) {
	guest := ""
	if p.cognito.options.GuestIdentity == GuestPerVisitor {
		guest = pool.guestID(p.kv)
	}
	c, err := pool.userCredentials(ctx, cur, guest, force)
	if err == nil && guest != "" && p.keepsGuests(pool) {
		// The visitor is no guest any more.
		if err := p.kv.Delete(pool.guestKey()); err != nil {
			p.cognito.app.Logger().WarnContext(ctx, "amplify: the identity of a former guest could not be deleted", "error", err)
		}
	}
	return c, err
}

func (p *provider) guestCredentials(ctx context.Context, pool *identityPool, force bool) (*amplify.Credentials, error) {
	id := pool.guestID(p.kv)
	if id != "" {
		c, err := pool.ownGuest(ctx, id, force)
		switch {
		case err == nil:
			if c.IdentityID != id {
				p.keepGuest(ctx, pool, c.IdentityID)
			}
			return c, nil
		case !isNamed(err, "NotAuthorizedException", "ResourceNotFoundException", "ResourceConflictException", "InvalidParameterException"):
			return nil, err
		}
		// It is no guest's, or not any more.
	}
	next, err := p.newGuest(ctx, pool, id)
	switch {
	case err != nil:
		return nil, err
	case next == "":
		return pool.sharedGuest(ctx, force)
	}
	return pool.ownGuest(ctx, next, force)
}

// newGuest returns a new identity for the visitor in place of old, which may be empty. It returns "" where visitors do not
// have identities of their own, or too many want one.
func (p *provider) newGuest(ctx context.Context, pool *identityPool, old string) (string, error) {
	if !p.keepsGuests(pool) {
		return "", nil
	}
	p.mu.Lock()
	asked := p.guest
	if asked == nil {
		p.guest = make(chan struct{})
		defer close(p.guest)
	}
	p.mu.Unlock()
	if asked != nil { // by another goroutine of this request
		if err := wait(ctx, asked); err != nil {
			return "", awsapi.Error(err)
		}
		if id := pool.guestID(p.kv); id != old {
			return id, nil
		}
		return "", nil
	}
	if !pool.guests.fresh.AllowN(p.cognito.app.Now(), 1) {
		return "", nil
	}
	id, err := pool.getID(ctx, noLogins)
	if err == nil {
		p.keepGuest(ctx, pool, id)
	}
	return id, err
}

// keepGuest keeps the id of a visitor's identity, where visitors have identities.
func (p *provider) keepGuest(ctx context.Context, pool *identityPool, id string) {
	if !p.keepsGuests(pool) {
		return
	}
	if err := p.kv.Set(pool.guestKey(), id); err != nil {
		p.cognito.app.Logger().WarnContext(ctx, "amplify: the identity of a guest could not be kept", "error", err)
	}
}

// keepsGuests reports whether visitors have identities of their own and this one's can be kept. A storage that
// keeps some keys only (with server-side sign-in the session's alone) has a method that tells.
func (p *provider) keepsGuests(pool *identityPool) bool {
	if p.cognito.options.GuestIdentity != GuestPerVisitor || !p.kv.Writable() {
		return false
	}
	kv, ok := p.kv.(interface{ Keeps(key string) bool })
	return !ok || kv.Keeps(pool.guestKey())
}
