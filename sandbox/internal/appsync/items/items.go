// Package items keeps the items of AppSync's models as DynamoDB does: tables with a primary key and
// secondary indexes, conditional writes, and pages.
package items

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// maxItem is how many bytes an item may have (Amazon DynamoDB Developer Guide, "Quotas").
const maxItem = 400 << 10

// Item is the attributes of an item. Values are nil, bool, string, int64,
// float64, []any or map[string]any. A missing attribute differs from nil.
type Item = map[string]any

// Table is a table. Its items differ in their primary keys.
type Table struct {
	Name    string
	Key     Key
	Indexes []Key
	// Numbers names the attributes of keys that are numbers. All others are texts.
	Numbers []string
}

// Key is the primary key of a table or the key of an index.
type Key struct {
	// Name is that of an index, or "".
	Name string
	// Partition and Sort name the attributes of the partition key
	// and of the sort key. Sort is empty where there is none.
	Partition, Sort string
}

// index returns the index of that name.
func (t *Table) index(name string) (Key, error) {
	for _, k := range t.Indexes {
		if k.Name == name {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("items: table %s has no index %q", t.Name, name)
}

// InvalidError is DynamoDB's refusal of a request.
type InvalidError struct{ Message string }

func (e *InvalidError) Error() string { return "items: " + e.Message }

func invalid(format string, args ...any) error {
	return &InvalidError{fmt.Sprintf(format, args...)}
}

// Store keeps tables. It is safe for concurrent use.
type Store struct {
	db     *store.Store
	tokens *sealer
}

// New returns the store of the tables in db. It fails if db has a
// table with another primary key. It fills indexes that are new.
func New(ctx context.Context, db *store.Store, tables []*Table) (*Store, error) {
	s := &Store{db: db}
	err := db.Update(ctx, func(tx *store.Tx) (err error) {
		if s.tokens, err = loadSealer(tx); err != nil {
			return err
		}
		for _, t := range tables {
			if err := t.prepare(tx); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sandbox: preparing the tables of the data schema: %w", err)
	}
	return s, nil
}

// prepare compares the table with what the store has of it.
func (t *Table) prepare(tx *store.Tx) error {
	name := "table " + t.Name
	text, err := tx.Meta(name)
	var was Table
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(text, &was); err != nil {
			return err
		}
		if was.Key != t.Key {
			return fmt.Errorf("the data directory has it with the primary key %v, the schema with "+
				"%v: change the schema, or use another directory", was.Key, t.Key)
		}
	}
	now, err := json.Marshal(t)
	if err != nil || string(now) == string(text) {
		return err
	}
	if err := t.reindex(tx); err != nil {
		return err
	}
	return tx.SetMeta(name, now)
}

// reindex writes all items of the table again. An item whose
// attributes do not fit an index is not in it, as in DynamoDB.
func (t *Table) reindex(tx *store.Tx) error {
	var all []Item
	err := t.read(tx, store.ItemQuery{Table: t.Name}, func(item Item, _ int) bool {
		all = append(all, item)
		return true
	})
	if err != nil {
		return err
	}
	for _, item := range all {
		if err := t.put(tx, item, t.fitting(item)); err != nil {
			return err
		}
	}
	return nil
}

// String returns the attributes of the key.
func (k Key) String() string { return strings.Trim(k.Partition+", "+k.Sort, ", ") }

// Get returns an item, or nil if there is none. key has the attributes of the primary key.
func (s *Store) Get(ctx context.Context, t *Table, key Item) (item Item, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		item, err = t.get(tx, key)
		return err
	})
	return item, err
}

func (t *Table) get(tx *store.Tx, key Item) (Item, error) {
	k, err := t.primary(key)
	if err != nil {
		return nil, err
	}
	record, err := tx.Item(t.Name, k)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return decode(record)
}

// Change changes an item in one transaction. change gets it, or nil if there is none, and returns
// what it shall be, or nil to delete it. If change returns an error, nothing has changed.
func (s *Store) Change(ctx context.Context, t *Table, key Item,
	change func(old Item) (Item, error)) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		k, err := t.primary(key)
		if err != nil {
			return err
		}
		old, err := t.get(tx, key)
		if err != nil {
			return err
		}
		item, err := change(old)
		switch {
		case err != nil || item == nil && old == nil:
			return err
		case item == nil:
			return tx.DeleteItem(t.Name, k)
		}
		indexes, err := t.indexKeys(item)
		if err != nil {
			return err
		}
		return t.put(tx, item, indexes)
	})
}

func (t *Table) put(tx *store.Tx, item Item, indexes map[string]store.ItemKey) error {
	k, err := t.primary(item)
	if err != nil {
		return err
	}
	record, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if len(record) > maxItem {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return tx.PutItem(t.Name, k, record, indexes)
}

func decode(record []byte) (Item, error) {
	v, err := scalars.ParseJSON(string(record))
	if err != nil {
		return nil, err
	}
	item, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("items: a record is not an object")
	}
	return item, nil
}
