package store

import "errors"

// SigningKey is a private key that tokens are signed with.
type SigningKey struct {
	KeyID string
	// Use is "access" or "id".
	Use        string
	Generation int
	PKCS8      []byte
}

// SigningKeys returns all keys, the newest generation first.
func (tx *Tx) SigningKeys() ([]SigningKey, error) {
	return all(tx, func(r scanner) (SigningKey, error) {
		var k SigningKey
		err := r.Scan(&k.KeyID, &k.Use, &k.Generation, &k.PKCS8)
		return k, err
	}, "SELECT kid, use, generation, pkcs8 FROM signing_keys ORDER BY generation DESC, use DESC")
}

// AddSigningKey adds a key.
func (tx *Tx) AddSigningKey(k SigningKey) error {
	return tx.exec("INSERT INTO signing_keys (kid, use, generation, pkcs8) VALUES (?, ?, ?, ?)", k.KeyID, k.Use, k.Generation, k.PKCS8)
}

// DropSigningKeys deletes the keys of that generation and of earlier ones.
func (tx *Tx) DropSigningKeys(generation int) error {
	return tx.exec("DELETE FROM signing_keys WHERE generation <= ?", generation)
}

// Meta returns a value of the store as a whole.
func (tx *Tx) Meta(name string) ([]byte, error) {
	return one(tx, func(r scanner) ([]byte, error) {
		var v []byte
		err := r.Scan(&v)
		return v, err
	}, "SELECT value FROM meta WHERE name = ?", name)
}

// MetaOr returns a value of the store as a whole. If there is none, it stores fresh and returns that.
func (tx *Tx) MetaOr(name string, fresh []byte) ([]byte, error) {
	value, err := tx.Meta(name)
	if errors.Is(err, ErrNotFound) {
		return fresh, tx.SetMeta(name, fresh)
	}
	return value, err
}

// SetMeta stores a value of the store as a whole.
func (tx *Tx) SetMeta(name string, value []byte) error {
	return tx.exec("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)
}
