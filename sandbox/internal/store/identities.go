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
	// Disabled is true for a guest that was merged, and after the last login was unlinked.
	Disabled bool
	// Logins is empty for a guest.
	Logins            []Login
	Created, Modified time.Time
}

// Login is a user of a provider, linked to an identity.
type Login struct{ Provider, Sub string }

const poolIdentityColumns = `i.id, i.merged_into, i.disabled, i.created, i.modified,
	(SELECT json_group_array(json_object('Provider', l.provider, 'Sub', l.sub)) FROM logins l WHERE l.identity_id = i.id)`

func scanPoolIdentity(s scanner) (*PoolIdentity, error) {
	i := &PoolIdentity{}
	return i, s.Scan(&i.ID, &i.MergedInto, &i.Disabled,
		asTime(&i.Created), asTime(&i.Modified), asJSON(&i.Logins))
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
	return tx.execOne(`UPDATE pool_identities SET
		merged_into = ?, disabled = 1, modified = ? WHERE id = ?`, into, now.UnixMilli(), id)
}

// PoolIdentities returns at most limit identities whose id is greater than after, by id.
func (tx *Tx) PoolIdentities(after string, limit int, hideDisabled bool) ([]*PoolIdentity, error) {
	return all(tx, scanPoolIdentity, "SELECT "+poolIdentityColumns+
		" FROM pool_identities i WHERE id > ? AND NOT (disabled AND ?) ORDER BY id LIMIT ?",
		after, hideDisabled, limit)
}

// UnlinkLogin unlinks a provider's login from an identity. Without logins the identity is disabled.
func (tx *Tx) UnlinkLogin(id, provider string, now time.Time) error {
	err := tx.exec("DELETE FROM logins WHERE identity_id = ? AND provider = ?", id, provider)
	if err != nil {
		return err
	}
	return tx.execOne(`UPDATE pool_identities SET
		disabled = NOT EXISTS (SELECT 1 FROM logins WHERE identity_id = id),
		modified = ? WHERE id = ?`, now.UnixMilli(), id)
}

// DeletePoolIdentity deletes an identity with its logins, if it exists.
func (tx *Tx) DeletePoolIdentity(id string) error {
	if err := tx.exec("DELETE FROM logins WHERE identity_id = ?", id); err != nil {
		return err
	}
	return tx.exec("DELETE FROM pool_identities WHERE id = ?", id)
}
