package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// ItemKey is the primary key of an item in a table, or its key in an index. Both parts are
// texts or numbers (string, int64 or float64). Sort is "" where there is no sort key.
type ItemKey struct{ Partition, Sort any }

// hash returns a number that orders partitions in a way that means nothing.
func (k ItemKey) hash() int64 {
	sum := sha256.Sum256(fmt.Append(nil, k.Partition))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

// PutItem adds an item to a table, in place of that with its key.
// indexes are its keys in the indexes that it belongs to.
func (tx *Tx) PutItem(table string, key ItemKey, record []byte, indexes map[string]ItemKey) error {
	hash := key.hash()
	err := tx.exec("INSERT INTO items (table_name, hash, partition, sort, record) "+
		"VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
		table, hash, key.Partition, key.Sort, string(record))
	if err != nil {
		return err
	}
	err = tx.exec("DELETE FROM item_indexes WHERE table_name = ? AND hash = ? AND partition = ? "+
		"AND sort = ?", table, hash, key.Partition, key.Sort)
	if err != nil {
		return err
	}
	for name, in := range indexes {
		err := tx.exec("INSERT INTO item_indexes (table_name, index_name, index_partition, "+
			"index_sort, hash, partition, sort) VALUES (?, ?, ?, ?, ?, ?, ?)",
			table, name, in.Partition, in.Sort, hash, key.Partition, key.Sort)
		if err != nil {
			return err
		}
	}
	return nil
}

// Item returns the record of an item.
func (tx *Tx) Item(table string, key ItemKey) ([]byte, error) {
	text, err := one(tx, scanText, "SELECT record FROM items WHERE table_name = ? AND hash = ? "+
		"AND partition = ? AND sort = ?", table, key.hash(), key.Partition, key.Sort)
	return []byte(text), err
}

// DeleteItem deletes an item. It returns [ErrNotFound] if there is none.
func (tx *Tx) DeleteItem(table string, key ItemKey) error {
	return tx.execOne("DELETE FROM items WHERE table_name = ? AND hash = ? AND partition = ? "+
		"AND sort = ?", table, key.hash(), key.Partition, key.Sort)
}

// ItemQuery selects items of a table. Those of a partition come in the order
// of their sort keys. All items of a table come in no particular order.
type ItemQuery struct {
	Table string
	// Index names an index. If it is empty, the partition is that of the primary key.
	Index string
	// Partition is the key of the partition, or nil for all items of the table.
	Partition any
	// Low and High bound the sort key, unless they are nil. An open end does not belong.
	Low, High         any
	LowOpen, HighOpen bool
	Descending        bool
	// After leaves out the items up to a place.
	After *ItemPlace
}

// ItemPlace is the place of an item in the order of a query.
type ItemPlace struct {
	Key ItemKey
	// IndexSort is the sort key in the index of the query.
	IndexSort any
}

// Items calls yield with the records of the items that q selects, until it returns false.
func (tx *Tx) Items(q ItemQuery, yield func(record []byte) bool) error {
	rows, err := tx.tx.QueryContext(tx.ctx, q.sql(), q.args()...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var record string
		if err := rows.Scan(&record); err != nil {
			return err
		}
		if !yield([]byte(record)) {
			return rows.Close()
		}
	}
	return rows.Err()
}

// sql returns the statement of the query. Its parameters are those of [ItemQuery.args].
func (q ItemQuery) sql() string {
	text, sort := "SELECT i.record FROM items i WHERE i.table_name = ?", "i.sort"
	place := []string{"i.hash", "i.partition", "i.sort"}
	switch {
	case q.Index != "":
		text = "SELECT i.record FROM item_indexes e JOIN items i USING (table_name, hash, " +
			"partition, sort) WHERE e.table_name = ? AND e.index_name = ? AND e.index_partition = ?"
		sort, place = "e.index_sort", []string{"e.index_sort", "e.hash", "e.partition", "e.sort"}
	case q.Partition != nil:
		text += " AND i.hash = ? AND i.partition = ?"
		place = []string{"i.sort"}
	}
	bound := func(operator string, value any, open bool) {
		if value == nil {
			return
		}
		if text += " AND " + sort + " " + operator; !open {
			text += "="
		}
		text += " ?"
	}
	bound(">", q.Low, q.LowOpen)
	bound("<", q.High, q.HighOpen)
	direction, after := "", " > "
	if q.Descending {
		direction, after = " DESC", " < "
	}
	columns, order, marks := "", "", ""
	for i, column := range place {
		if i > 0 {
			columns, order, marks = columns+", ", order+", ", marks+", "
		}
		columns, order, marks = columns+column, order+column+direction, marks+"?"
	}
	if q.After != nil {
		text += " AND (" + columns + ")" + after + "(" + marks + ")"
	}
	return text + " ORDER BY " + order
}

func (q ItemQuery) args() []any {
	args := []any{q.Table}
	switch {
	case q.Index != "":
		args = append(args, q.Index, q.Partition)
	case q.Partition != nil:
		args = append(args, ItemKey{Partition: q.Partition}.hash(), q.Partition)
	}
	for _, bound := range []any{q.Low, q.High} {
		if bound != nil {
			args = append(args, bound)
		}
	}
	if a := q.After; a != nil {
		switch {
		case q.Index != "":
			args = append(args, a.IndexSort, a.Key.hash(), a.Key.Partition, a.Key.Sort)
		case q.Partition != nil:
			args = append(args, a.Key.Sort)
		default:
			args = append(args, a.Key.hash(), a.Key.Partition, a.Key.Sort)
		}
	}
	return args
}
