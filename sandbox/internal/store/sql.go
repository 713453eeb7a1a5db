package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// exec runs a statement.
func (tx *Tx) exec(query string, args ...any) error {
	_, err := tx.tx.ExecContext(tx.ctx, query, args...)
	return err
}

// execOne runs a statement. It returns [ErrNotFound] if the statement changes no row.
func (tx *Tx) execOne(query string, args ...any) error {
	res, err := tx.tx.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNotFound
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// one returns the row that query finds, or [ErrNotFound].
func one[T any](tx *Tx, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(tx.tx.QueryRowContext(tx.ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
}

// all returns the rows that query finds.
func all[T any](tx *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.tx.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var vs []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return vs, rows.Err()
}

// asJSON returns a column that stores v as JSON text. For scanning, v is a pointer.
func asJSON(v any) jsonColumn { return jsonColumn{v} }

type jsonColumn struct{ v any }

func (c jsonColumn) Scan(src any) error {
	text, _ := src.(string)
	return json.Unmarshal([]byte(text), c.v)
}

// mustJSON returns v as JSON text. It panics if v has no JSON form.
func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// asTime returns a column that stores *t in Unix milliseconds. NULL is the zero time.
func asTime(t *time.Time) timeColumn { return timeColumn{t} }

type timeColumn struct{ t *time.Time }

func (c timeColumn) Scan(src any) error {
	*c.t = time.Time{}
	if ms, ok := src.(int64); ok {
		*c.t = time.UnixMilli(ms)
	}
	return nil
}
