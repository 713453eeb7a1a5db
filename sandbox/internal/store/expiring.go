package store

import (
	"encoding/json"
	"time"
)

// Things that expire: codes, challenges, authorization codes, browser sessions. Each has a key in
// a bucket of its own; a value is kept as JSON. Keys that are secrets should be hashed by the caller.

// Put keeps value under key until expires, in place of what was there, and forgets
// what has expired by now.
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

// Get reads what is kept under key into value. It returns [ErrNotFound] if there is nothing or it has expired.
func (tx *Tx) Get(bucket, key string, value any, now time.Time) error {
	_, err := one(tx, func(r scanner) (any, error) { return value, r.Scan(asJSON(value)) },
		"SELECT value FROM expiring WHERE bucket = ? AND key = ? AND expires > ?", bucket, key, now.UnixMilli())
	return err
}

// Take is Get, and forgets the value: of many callers one gets it.
func (tx *Tx) Take(bucket, key string, value any, now time.Time) error {
	if err := tx.Get(bucket, key, value, now); err != nil {
		return err
	}
	return tx.Drop(bucket, key)
}

// Drop forgets what is kept under key, if anything is.
func (tx *Tx) Drop(bucket, key string) error {
	return tx.exec("DELETE FROM expiring WHERE bucket = ? AND key = ?", bucket, key)
}
