package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Pool is an identity pool. It is safe for concurrent use.
type Pool struct {
	store *store.Store
	cfg   Config
	seal  *sealer
}

// Identity is an identity of the pool, with the logins that are linked to it. A guest has none.
type Identity = store.PoolIdentity

// New returns the identity pool whose data is in st.
func New(ctx context.Context, st *store.Store, cfg Config) (*Pool, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Pool{store: st, cfg: cfg}
	err := st.Update(ctx, func(tx *store.Tx) (err error) {
		p.seal, err = loadSealer(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sandbox: preparing the identity pool: %w", err)
	}
	return p, nil
}

// Config returns the pool's configuration. The caller must not change the values it points to.
func (p *Pool) Config() Config { return p.cfg }

// Identify returns the id of the identity that the logins belong to. logins
// are ID tokens by the name of their provider. If they belong to no identity,
// it makes one. Without logins, each call makes a new guest, as with Cognito.
func (p *Pool) Identify(ctx context.Context, logins map[string]string) (id string, err error) {
	verified, err := p.verify(ctx, logins)
	if err != nil {
		return "", err
	}
	if len(verified) == 0 && !p.cfg.AllowGuests {
		return "", noGuests()
	}
	err = p.store.Update(ctx, func(tx *store.Tx) error {
		if id, err = owner(tx, verified); err != nil {
			return err
		}
		if id == "" {
			id = p.cfg.Region() + ":" + uuid.NewString()
			if err := tx.AddPoolIdentity(id, p.cfg.Clock()); err != nil {
				return err
			}
		}
		return p.link(tx, id, verified)
	})
	return id, err
}

// Credentials returns temporary credentials of an identity. If
// the identity has logins, the caller must give one of them.
//
// If a caller with logins asks for a guest identity, that identity becomes theirs. If they have
// an identity already, the guest is merged into it, and the credentials are those of the other
// identity. A login never gets credentials of an identity that another login is linked to.
//
// roleARN asks for one of the roles that the ID token lists (CustomRoleArn). It is usually empty.
func (p *Pool) Credentials(ctx context.Context, id string, logins map[string]string, roleARN string) (*Credentials, error) {
	verified, err := p.verify(ctx, logins)
	if err != nil {
		return nil, err
	}
	role, err := p.role(verified, roleARN)
	if err != nil {
		return nil, err
	}
	err = p.store.Update(ctx, func(tx *store.Tx) error {
		id, err = p.claim(tx, id, verified)
		return err
	})
	if err != nil {
		return nil, err
	}
	principal := Principal{IdentityID: id, Role: role, Guest: len(verified) == 0}
	if !principal.Guest {
		principal.Sub, principal.Username, principal.Groups = verified[0].sub, verified[0].username, verified[0].groups
	}
	return p.seal.issue(principal, p.cfg.Clock().Add(p.cfg.CredentialsValidity))
}

// claim returns the identity for a caller who asks for id with these logins.
func (p *Pool) claim(tx *store.Tx, id string, logins []login) (string, error) {
	identity, err := mustGet(tx, id)
	if err != nil {
		return "", err
	}
	guest := len(identity.Logins) == 0 && !identity.Disabled
	if len(logins) == 0 {
		switch {
		case !guest:
			return "", refuse(NotAuthorized, "Access to Identity '%s' is forbidden.", id)
		case !p.cfg.AllowGuests:
			return "", noGuests()
		}
		return id, nil
	}
	theirs, err := owner(tx, logins)
	switch {
	case err != nil:
		return "", err
	case guest && theirs == "":
		theirs = id
	case guest:
		if err := tx.MergePoolIdentity(id, theirs, p.cfg.Clock()); err != nil {
			return "", err
		}
	// The guest may have been merged by another request of the same browser a moment ago.
	case theirs == "" || theirs != id && theirs != identity.MergedInto:
		return "", loginsDoNotMatch()
	}
	return theirs, p.link(tx, theirs, logins)
}

// owner returns the identity that the logins are linked to, or "" if none of them is.
func owner(tx *store.Tx, logins []login) (string, error) {
	found := ""
	for _, l := range logins {
		id, err := tx.PoolIdentityOf(l.provider, l.sub)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return "", err
		case found != "" && found != id:
			return "", loginTaken()
		default:
			found = id
		}
	}
	return found, nil
}

// link links the logins to an identity, unless they are linked to it already.
func (p *Pool) link(tx *store.Tx, id string, logins []login) error {
	for _, l := range logins {
		// An identity has at most one login of each provider.
		err := tx.LinkLogin(id, l.provider, l.sub, p.cfg.Clock())
		if errors.Is(err, store.ErrTaken) {
			return loginTaken()
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Identity returns an identity.
func (p *Pool) Identity(ctx context.Context, id string) (identity *Identity, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		identity, err = mustGet(tx, id)
		return err
	})
	return identity, err
}

// mustGet returns an identity, or refuses.
func mustGet(tx *store.Tx, id string) (*Identity, error) {
	identity, err := tx.PoolIdentity(id)
	if errors.Is(err, store.ErrNotFound) {
		err = refuse(ResourceNotFound, "Identity '%s' not found.", id)
	}
	return identity, err
}

// Identities returns at most limit identities by id, beginning after the id after.
func (p *Pool) Identities(
	ctx context.Context, after string, limit int, hideDisabled bool,
) (list []*Identity, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.PoolIdentities(after, limit, hideDisabled)
		return err
	})
	return list, err
}

// Delete deletes identities. Those that do not exist are ignored.
// A login of a deleted identity gets a new identity the next time.
func (p *Pool) Delete(ctx context.Context, ids []string) error {
	return p.store.Update(ctx, func(tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.DeletePoolIdentity(id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unlink unlinks the logins of these providers from an identity. The caller must give one of the
// identity's logins. An unlinked login gets a new identity the next time. If the identity has no
// login left, it is disabled: neither a guest nor another login can use it.
func (p *Pool) Unlink(
	ctx context.Context, id string, logins map[string]string, providers []string,
) error {
	verified, err := p.verify(ctx, logins)
	if err != nil {
		return err
	}
	return p.store.Update(ctx, func(tx *store.Tx) error {
		identity, err := mustGet(tx, id)
		if err != nil {
			return err
		}
		theirs, err := owner(tx, verified)
		if err != nil {
			return err
		}
		if theirs != id {
			return loginsDoNotMatch()
		}
		for _, l := range identity.Logins {
			if !slices.Contains(providers, l.Provider) {
				continue
			}
			if err := tx.UnlinkLogin(id, l.Provider, p.cfg.Clock()); err != nil {
				return err
			}
		}
		return nil
	})
}
