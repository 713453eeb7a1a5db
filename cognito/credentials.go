package cognito

import (
	"context"
	"errors"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// CredentialsProvider returns the source of the AWS credentials of the session that kv keeps for
// one request, the Credentials of [Client.Providers]: those that the identity pool gives its user
// or, if it allows guests, a guest (see [GuestIdentity]). If there are none to be had, credentials
// and error are nil.
//
// Credentials are remembered for all requests that prove the same right to them, and renewed before
// they expire. Each is asked for once, however many requests wait for it. If it cannot be told at
// the moment who the user is, that is an error: an outage makes no user a guest.
func (c *Client) CredentialsProvider(kv amplify.KeyValueStorage) amplify.CredentialsProvider {
	return &provider{client: c, kv: kv}
}

// GuestCredentialsProvider returns the source of the AWS credentials of the guest that is shared by
// this process, for what belongs to no request: static pages, for instance.
func (c *Client) GuestCredentialsProvider() amplify.CredentialsProvider { return guestProvider{c} }

type guestProvider struct{ client *Client }

// Credentials implements [amplify.CredentialsProvider].
func (p guestProvider) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	pool := p.client.identities
	if pool == nil || !pool.allowsGuests {
		return nil, nil
	}
	return pool.sharedGuest(ctx, in.ForceRefresh)
}

// Credentials implements [amplify.CredentialsProvider].
func (p *provider) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	pool := p.client.identities
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
	if p.client.options.GuestIdentity == GuestPerVisitor {
		guest = pool.guestID(p.kv)
	}
	c, err := pool.userCredentials(ctx, cur, guest, force)
	if err == nil && guest != "" && p.keepsGuests(pool) {
		// The visitor is no guest any more.
		if err := p.kv.Delete(pool.guestKey()); err != nil {
			p.client.app.Logger().WarnContext(ctx, "amplify: the identity of a former guest could not be deleted", "error", err)
		}
	}
	return c, err
}

func (p *provider) guestCredentials(ctx context.Context, pool *identityPool, force bool) (*amplify.Credentials, error) {
	id := pool.guestID(p.kv)
	if id != "" {
		c, err := pool.ownGuest(ctx, id, force, false)
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
	next, err := p.createGuest(ctx, pool, id)
	switch {
	case err != nil:
		return nil, err
	case next == "":
		return pool.sharedGuest(ctx, force)
	}
	return pool.ownGuest(ctx, next, force, true)
}

// createGuest returns a new identity for the visitor in place of old, which may be empty. It
// returns "" where visitors do not have identities of their own, or too many want one.
func (p *provider) createGuest(ctx context.Context, pool *identityPool, old string) (string, error) {
	if !p.keepsGuests(pool) {
		return "", nil
	}
	p.mu.Lock()
	asked := p.newGuest
	if asked == nil {
		p.newGuest = make(chan struct{})
		defer close(p.newGuest)
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
	if !pool.guests.created.AllowN(p.client.app.Now(), 1) {
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
		p.client.app.Logger().WarnContext(ctx, "amplify: the identity of a guest could not be kept", "error", err)
	}
}

// keepsGuests reports whether visitors have identities of their own and this one's can be kept.
// With server-side sign-in, for instance, a storage keeps the session alone.
func (p *provider) keepsGuests(pool *identityPool) bool {
	if p.client.options.GuestIdentity != GuestPerVisitor || !p.kv.Writable() {
		return false
	}
	kv, ok := p.kv.(amplify.SelectiveStorage)
	return !ok || kv.Keeps(pool.guestKey())
}
