package store

import (
	"context"
	"fmt"
)

// migrations bring a database from one version to the next. Those that were released never change.
func migrations() []string {
	return []string{`
CREATE TABLE expiring (
	bucket TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires INTEGER NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX expiring_expires ON expiring (expires);
`}
}

func (s *Store) migrate(ctx context.Context) error {
	return s.Update(ctx, func(tx *Tx) error {
		var version int
		if err := tx.tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		all := migrations()
		if version > len(all) {
			return fmt.Errorf("the database is of version %d, this program knows %d: use a newer one", version, len(all))
		}
		for _, m := range all[version:] {
			if _, err := tx.tx.Exec(m); err != nil {
				return err
			}
		}
		_, err := tx.tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(all)))
		return err
	})
}
