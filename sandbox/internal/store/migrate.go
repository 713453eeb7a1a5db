package store

import (
	"context"
	"fmt"
)

// migrations returns the statements that bring a database from one version
// to the next. Released ones never change. Times are in Unix milliseconds.
func migrations() []string {
	return []string{`
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
	kid TEXT PRIMARY KEY,
	use TEXT NOT NULL,           -- "access" or "id"
	generation INTEGER NOT NULL, -- the greatest signs
	pkcs8 BLOB NOT NULL
) STRICT;

CREATE TABLE users (
	sub TEXT PRIMARY KEY,
	username TEXT NOT NULL,
	status TEXT NOT NULL,
	enabled INTEGER NOT NULL,
	salt BLOB NOT NULL,     -- of the SRP verifier; both are empty where there is no password
	verifier BLOB NOT NULL,
	attributes TEXT NOT NULL, -- JSON
	identities TEXT NOT NULL, -- JSON
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT;
-- What a user can be found by: username and aliases, in lower case.
CREATE TABLE names (
	name TEXT PRIMARY KEY,
	sub TEXT NOT NULL REFERENCES users ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX names_sub ON names (sub);

CREATE TABLE groups (
	name TEXT PRIMARY KEY,
	description TEXT NOT NULL,
	role_arn TEXT NOT NULL,
	precedence INTEGER,
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
	group_name TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
	sub TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
	PRIMARY KEY (group_name, sub)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_sub ON members (sub);

-- One session of a user: everything that descends from one sign-in. It outlives its user, so that
-- tokens of a deleted user stay known.
CREATE TABLE sessions (
	origin_jti TEXT PRIMARY KEY,
	sub TEXT NOT NULL,
	client_id TEXT NOT NULL,
	event_id TEXT NOT NULL,
	scopes TEXT, -- separated by blanks; NULL for sign-ins through the API
	auth_time INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	revoked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_sub ON sessions (sub);
CREATE INDEX sessions_expires ON sessions (expires);
CREATE TABLE refresh_tokens (
	hash BLOB PRIMARY KEY, -- SHA-256
	origin_jti TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
	used INTEGER -- when it was rotated out
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_origin_jti ON refresh_tokens (origin_jti);

CREATE TABLE expiring (
	bucket TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL, -- JSON
	expires INTEGER NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX expiring_expires ON expiring (expires);

CREATE TABLE messages (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	sub TEXT NOT NULL,
	value TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX messages_sub ON messages (sub);
`, `
-- The identities of the identity pool. One without logins is a guest.
CREATE TABLE pool_identities (
	id TEXT PRIMARY KEY,
	merged_into TEXT NOT NULL, -- the identity that a guest became part of, or ''
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE logins (
	provider TEXT NOT NULL, -- issuer without the scheme
	sub TEXT NOT NULL,
	identity_id TEXT NOT NULL REFERENCES pool_identities,
	PRIMARY KEY (provider, sub),
	UNIQUE (identity_id, provider)
) STRICT, WITHOUT ROWID;
`, `
-- A disabled identity was merged into another one, or lost its last login. It is no guest.
ALTER TABLE pool_identities ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
UPDATE pool_identities SET disabled = 1 WHERE merged_into <> '';
`, `
-- S3. Keys are BLOBs: they are compared byte by byte, and may contain any character. The bytes of
-- objects and parts are elsewhere: their records name blobs.
CREATE TABLE buckets (
	name TEXT PRIMARY KEY,
	region TEXT NOT NULL,
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE objects (
	bucket TEXT NOT NULL REFERENCES buckets,
	key BLOB NOT NULL,
	record TEXT NOT NULL, -- JSON
	PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
	bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE,
	key BLOB NOT NULL,
	id TEXT NOT NULL UNIQUE,
	record TEXT NOT NULL, -- JSON
	PRIMARY KEY (bucket, key, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE upload_parts (
	upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
	number INTEGER NOT NULL,
	record TEXT NOT NULL, -- JSON
	PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
`, `
-- Items of the tables of AppSync's models. Keys are texts or numbers, and compare as such. The hash
-- of the partition key comes first: a scan has no order that means anything, as in DynamoDB.
CREATE TABLE items (
	table_name TEXT NOT NULL,
	hash INTEGER NOT NULL,
	partition ANY NOT NULL,
	sort ANY NOT NULL, -- '' in a table without sort key
	record TEXT NOT NULL, -- JSON
	PRIMARY KEY (table_name, hash, partition, sort)
) STRICT, WITHOUT ROWID;
-- Where the items are in the secondary indexes. An item without the keys of an index is not in it.
CREATE TABLE item_indexes (
	table_name TEXT NOT NULL,
	index_name TEXT NOT NULL,
	index_partition ANY NOT NULL,
	index_sort ANY NOT NULL,
	hash INTEGER NOT NULL,
	partition ANY NOT NULL,
	sort ANY NOT NULL,
	PRIMARY KEY (table_name, index_name, index_partition, index_sort, hash, partition, sort),
	FOREIGN KEY (table_name, hash, partition, sort) REFERENCES items ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX item_indexes_item ON item_indexes (table_name, hash, partition, sort);
`}
}

func (s *Store) migrate(ctx context.Context) error {
	return s.Update(ctx, func(tx *Tx) error {
		version, err := one(tx, func(r scanner) (v int, err error) {
			err = r.Scan(&v)
			return v, err
		}, "PRAGMA user_version")
		if err != nil {
			return err
		}
		all := migrations()
		if version > len(all) {
			return fmt.Errorf("it is of version %d and this program knows %d: use a newer one", version, len(all))
		}
		for _, m := range all[version:] {
			if err := tx.exec(m); err != nil {
				return err
			}
		}
		return tx.exec(fmt.Sprintf("PRAGMA user_version = %d", len(all)))
	})
}
