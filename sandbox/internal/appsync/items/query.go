package items

import (
	"context"
	"errors"
	"fmt"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// maxPage is how many bytes of items a page reads at most (Amazon DynamoDB Developer Guide,
// "Paginating table query results"). They are counted before any filter.
const maxPage = 1 << 20

// ErrToken is the error of a token that is none of this store for this query.
var ErrToken = errors.New("items: invalid page token")

// Query selects a page of items of a table.
type Query struct {
	Table *Table
	// Index is the name of an index, or "" for the table itself.
	Index string
	// Partition is the value of the partition key, or nil for all items of the table, which come
	// in no particular order.
	Partition any
	// Sort bounds the sort key.
	Sort       Range
	Descending bool
	// Limit is how many items are read. It is at least 1.
	Limit int
	// Token is that of the page before, or "".
	Token string
	// Match tells which of the items that were read are given. Nil gives all.
	Match func(Item) bool
}

// Range bounds a sort key. An end that is nil is no bound. An open end does not belong.
type Range struct {
	Low, High         any
	LowOpen, HighOpen bool
}

// Prefix returns the range of the texts that begin with prefix.
func Prefix(prefix string) Range {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return Range{Low: prefix}
	}
	end[len(end)-1]++
	return Range{Low: prefix, High: string(end), HighOpen: true}
}

// Page is what a [Query] has found.
type Page struct {
	Items []Item
	// Token is that of the next page, or "" if there is none. There may be one after the last item.
	Token string
}

// Query returns a page. Its errors are [ErrToken] and [InvalidError].
func (s *Store) Query(ctx context.Context, q Query) (page Page, err error) {
	if q.Limit < 1 {
		return page, invalid("1 validation error detected: Value '%d' at 'limit' failed to "+
			"satisfy constraint: Member must have value greater than or equal to 1", q.Limit)
	}
	key := q.Table.Key
	if q.Index != "" {
		if key, err = q.Table.index(q.Index); err != nil {
			return page, err
		}
	}
	rows := store.ItemQuery{
		Table: q.Table.Name, Index: q.Index, Partition: q.Partition, Descending: q.Descending,
		Low: q.Sort.Low, LowOpen: q.Sort.LowOpen, High: q.Sort.High, HighOpen: q.Sort.HighOpen,
	}
	// A token is good for the partition that it came from, whatever filter, limit and direction.
	scope := fmt.Sprintf("%q %q %#v", q.Table.Name, q.Index, q.Partition)
	if q.Token != "" {
		if rows.After, err = s.tokens.open(q.Token, scope); err != nil {
			return page, err
		}
	}
	size := 0
	var all []Item
	err = s.db.View(ctx, func(tx *store.Tx) error {
		return q.Table.read(tx, rows, func(item Item, bytes int) bool {
			all, size = append(all, item), size+bytes
			return len(all) < q.Limit && size < maxPage
		})
	})
	if err != nil {
		return page, err
	}
	// The transaction has ended: matching takes time that others need not wait for.
	for _, item := range all {
		if q.Match == nil || q.Match(item) {
			page.Items = append(page.Items, item)
		}
	}
	if len(all) < q.Limit && size < maxPage {
		return page, nil
	}
	last := all[len(all)-1]
	place := store.ItemPlace{}
	if place.Key, err = q.Table.primary(last); err != nil {
		return page, err
	}
	if in, ok := key.of(last); ok && q.Index != "" {
		place.IndexSort = in.Sort
	}
	page.Token, err = s.tokens.seal(place, scope)
	return page, err
}

// read calls yield with the items of a query and the sizes of their records.
func (t *Table) read(tx *store.Tx, q store.ItemQuery, yield func(item Item, bytes int) bool) error {
	var failed error
	err := tx.Items(q, func(record []byte) bool {
		var item Item
		if item, failed = decode(record); failed != nil {
			return false
		}
		return yield(item, len(record))
	})
	return errors.Join(err, failed)
}
