package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go

	"github.com/amplify-go/amplify/sandbox/internal/private"
)

// Errors of a [Tx].
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("store: not found")
	// ErrTaken: another row has that name.
	ErrTaken = errors.New("store: name taken")
)

// Store is a database. It is safe for concurrent use. Transactions run one after the other.
type Store struct{ db *sql.DB }

// Open opens the database in dir, and creates both if
// necessary. If dir is empty, the database is in memory.
func Open(ctx context.Context, dir string) (*Store, error) {
	dsn := ":memory:?_pragma=foreign_keys(1)"
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("sandbox: creating the data directory: %w", err)
		}
		path := filepath.Join(dir, "sandbox.db")
		if err := protect(path); err != nil {
			return nil, fmt.Errorf("sandbox: protecting the database: %w", err)
		}
		// EXCLUSIVE makes a second process on the same directory fail at once.
		// FULL syncs the write-ahead log at every commit, so that no acknowledged
		// write is lost (sqlite.org/pragma.html#pragma_synchronous).
		dsn = "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?_pragma=busy_timeout(2000)&_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate"
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("sandbox: opening the database: %w", err)
	}
	// There is one connection, and it stays open. A database in memory ends
	// with its connection, and SQLite allows one writer at a time anyway.
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	s := &Store{db}
	if err := s.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sandbox: preparing the database (is another sandbox using %q?): %w", dir, err)
	}
	return s, nil
}

// protect creates the database file at path. It closes the file and SQLite's
// companion files to other users, because they contain private keys and
// one-time codes. SQLite gives new companions the mode of the database.
func protect(path string) error {
	if err := private.Ensure(path); err != nil {
		return err
	}
	for _, companion := range []string{"-wal", "-shm", "-journal"} { // sqlite.org/tempfiles.html
		if err := private.Protect(path + companion); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Tx is a transaction. Only the function that got it may use it.
type Tx struct {
	tx *sql.Tx
	// ctx is the transaction's own. It is never cancelled.
	ctx context.Context
}

// Update runs f in a transaction. It commits the transaction if f returns nil, and rolls it back
// otherwise. Inside f, use only tx: a second transaction would wait for the first one for ever.
//
// ctx bounds the wait for other transactions. A transaction that has begun is not interrupted.
func (s *Store) Update(ctx context.Context, f func(tx *Tx) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // returns it to the pool
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := f(&Tx{tx, ctx}); err != nil {
		return err
	}
	return tx.Commit()
}

// View runs f like Update. f must only read.
func (s *Store) View(ctx context.Context, f func(tx *Tx) error) error {
	return s.Update(ctx, f)
}
