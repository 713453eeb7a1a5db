package store

import (
	"encoding/json"
	"time"
)

// Values that expire are codes, challenges, authorization codes and browser sessions. A value
// is stored as JSON under a bucket and a key. The caller should hash keys that are secrets.

// Put stores value under key until expires, and replaces the value
// that is there. It deletes all values that have expired by now.
func (tx *Tx) Put(bucket, key string, value any, expires, now time.Time) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := tx.exec("DELETE FROM expiring WHERE expires <= ?", now.UnixMilli()); err != nil {
		return err
	}
	return tx.exec("INSERT OR REPLACE INTO expiring (bucket, key, value, expires) VALUES (?, ?, ?, ?)",
		bucket, key, string(text), expires.UnixMilli())
}

// Get reads the value under key. It returns [ErrNotFound] if there is none or it has expired.
func (tx *Tx) Get(bucket, key string, value any, now time.Time) error {
	_, err := one(tx, func(r scanner) (any, error) { return value, r.Scan(asJSON(value)) },
		"SELECT value FROM expiring WHERE bucket = ? AND key = ? AND expires > ?", bucket, key, now.UnixMilli())
	return err
}

// Take reads the value like Get, and deletes it. Of several callers, one gets it.
func (tx *Tx) Take(bucket, key string, value any, now time.Time) error {
	if err := tx.Get(bucket, key, value, now); err != nil {
		return err
	}
	return tx.Drop(bucket, key)
}

// Drop deletes the value under key, if there is one.
func (tx *Tx) Drop(bucket, key string) error {
	return tx.exec("DELETE FROM expiring WHERE bucket = ? AND key = ?", bucket, key)
}
