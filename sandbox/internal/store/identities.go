package store

import (
	"errors"
	"time"
)

// PoolIdentity is an identity of the identity pool.
type PoolIdentity struct {
	ID string
	// MergedInto is the identity that this guest was merged into, or "".
	MergedInto string
	// Logins is empty for a guest.
	Logins            []Login
	Created, Modified time.Time
}

// Login is a user of a provider, linked to an identity.
type Login struct{ Provider, Sub string }

const poolIdentityColumns = `i.id, i.merged_into, i.created, i.modified,
	(SELECT json_group_array(json_object('Provider', l.provider, 'Sub', l.sub)) FROM logins l WHERE l.identity_id = i.id)`

func scanPoolIdentity(s scanner) (*PoolIdentity, error) {
	i := &PoolIdentity{}
	return i, s.Scan(&i.ID, &i.MergedInto, asTime(&i.Created), asTime(&i.Modified), asJSON(&i.Logins))
}

// PoolIdentity returns an identity.
func (tx *Tx) PoolIdentity(id string) (*PoolIdentity, error) {
	return one(tx, scanPoolIdentity, "SELECT "+poolIdentityColumns+" FROM pool_identities i WHERE id = ?", id)
}

// PoolIdentityOf returns the id of the identity that a login is linked to.
func (tx *Tx) PoolIdentityOf(provider, sub string) (string, error) {
	return one(tx, func(r scanner) (string, error) {
		var id string
		err := r.Scan(&id)
		return id, err
	}, "SELECT identity_id FROM logins WHERE provider = ? AND sub = ?", provider, sub)
}

// AddPoolIdentity adds an identity without logins.
func (tx *Tx) AddPoolIdentity(id string, now time.Time) error {
	return tx.exec("INSERT INTO pool_identities (id, merged_into, created, modified) VALUES (?, '', ?, ?)", id, now.UnixMilli(), now.UnixMilli())
}

// LinkLogin links a login to an identity. It does nothing if they are
// linked already. It returns [ErrTaken] if the login is linked to
// another identity, or the identity to another login of the provider.
func (tx *Tx) LinkLogin(id, provider, sub string, now time.Time) error {
	err := tx.execOne("INSERT OR IGNORE INTO logins (provider, sub, identity_id) VALUES (?, ?, ?)", provider, sub, id)
	if err == nil {
		return tx.exec("UPDATE pool_identities SET modified = ? WHERE id = ?", now.UnixMilli(), id)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	// Nothing was inserted, because one of the keys exists.
	// That is no conflict if this very link exists.
	linked, err := tx.PoolIdentityOf(provider, sub)
	if err == nil && linked == id {
		return nil
	}
	if err == nil || errors.Is(err, ErrNotFound) {
		return ErrTaken
	}
	return err
}

// MergePoolIdentity records that a guest was merged into another identity.
func (tx *Tx) MergePoolIdentity(id, into string, now time.Time) error {
	return tx.execOne("UPDATE pool_identities SET merged_into = ?, modified = ? WHERE id = ?", into, now.UnixMilli(), id)
}
