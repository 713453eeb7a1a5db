package userpool

import (
	"context"
	"crypto/rsa"
	"errors"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// The methods in this file serve identity pools that accept ID tokens of this pool as logins.

// PublicKey returns the public key with that id, or nil if the pool has none.
func (p *Pool) PublicKey(kid string) *rsa.PublicKey { return p.keys.Load().public[kid] }

// SignedIn reports whether the session that tokens name in origin_jti is
// active: it was not revoked, and its user was neither deleted nor disabled.
func (p *Pool) SignedIn(ctx context.Context, originJTI string) (yes bool, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) error {
		s, err := tx.Session(originJTI)
		if err != nil {
			return err
		}
		u, err := tx.User(s.Sub)
		yes = err == nil && !s.Revoked && u.Enabled
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return yes, err
}
