package objects

import (
	"context"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Query selects objects or uploads of a bucket.
type Query struct {
	// Prefix is what keys begin with.
	Prefix string
	// Delimiter puts keys that have it behind the prefix together, up to its first place.
	Delimiter string
	// After leaves out what comes before it, and itself: a key, or an entry that was put together.
	After string
	// Limit is how many entries there are at most.
	Limit int
}

// Page is what a [Query] has found.
type Page[T any] struct {
	Entries []T
	// Prefixes are the beginnings of keys that were put together, in their order.
	Prefixes []string
	// Next is the After of the next page, or "" if this is the last one.
	Next string
}

// List returns the objects of a bucket by key. They lack parts and header.
func (s *Store) List(ctx context.Context, bucket string, q Query) (page Page[*Object], err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		if _, err := tx.Bucket(bucket); err != nil {
			return orNot(err, ErrNoBucket)
		}
		page, err = list(q, q.from(), func(o *Object) string { return o.Key },
			func(from, end string, limit int) ([]*Object,
				error) {
				return tx.Objects(bucket, from, end, limit)
			})
		return err
	})
	return page, err
}

// from returns where the keys begin.
func (q Query) from() string {
	if q.After < q.Prefix || q.After == "" {
		return q.Prefix
	}
	if p, ok := q.together(q.After); ok && p == q.After {
		return successor(p)
	}
	return q.After + "\x00"
}

// together returns the beginning of key that stands for it.
func (q Query) together(key string) (prefix string, ok bool) {
	rest, within := strings.CutPrefix(key, q.Prefix)
	if q.Delimiter == "" || !within {
		return "", false
	}
	i := strings.Index(rest, q.Delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(q.Prefix)+i+len(q.Delimiter)], true
}

// list fills a page from rows, which it gets from fetch, a batch of keys in [from, end) at a time.
func list[T any](q Query, from string, key func(T) string,
	fetch func(from, end string, limit int) ([]T, error)) (page Page[T], err error) {
	end, last, count := successor(q.Prefix), "", 0
	if q.Limit == 0 {
		return page, nil
	}
	for {
		batch, err := fetch(from, end, q.Limit+1)
		if err != nil {
			return page, err
		}
		for _, entry := range batch {
			k := key(entry)
			if k < from {
				continue // it stands for itself in a prefix
			}
			if count == q.Limit {
				page.Next = last
				return page, nil
			}
			count++
			if p, ok := q.together(k); ok {
				page.Prefixes = append(page.Prefixes, p)
				from, last = successor(p), p
			} else {
				page.Entries = append(page.Entries, entry)
				from, last = k+"\x00", k
			}
		}
		if len(batch) <= q.Limit {
			return page, nil
		}
	}
}

// successor returns the least text that is greater than all texts with
// the prefix. There is none, and it returns "", if prefix is empty.
func successor(prefix string) string {
	b := []byte(prefix)
	for len(b) > 0 && b[len(b)-1] == 0xff {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return ""
	}
	b[len(b)-1]++
	return string(b)
}

// ListUploads returns the uploads of a bucket by key and id. With afterID,
// q.After leaves out only those of its key up to that id.
func (s *Store) ListUploads(ctx context.Context, bucket string, q Query,
	afterID string) (page Page[*Upload], err error) {
	const pastAllIDs = "~"
	from, id := q.After, afterID
	switch {
	case q.After < q.Prefix || q.After == "":
		from, id = q.Prefix, ""
	case afterID == "":
		id = pastAllIDs
	}
	last, count := q.After, 0
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Bucket(bucket); err != nil {
			return orNot(err, ErrNoBucket)
		}
		for q.Limit > 0 {
			batch, err := tx.Uploads(bucket, from, id, successor(q.Prefix), q.Limit+1)
			if err != nil {
				return err
			}
			for _, u := range batch {
				if u.Key < from {
					continue // it stands for itself in a prefix
				}
				from, id = u.Key, u.ID
				p, together := q.together(u.Key)
				if together {
					from, id = successor(p), ""
				}
				if together && p == last {
					continue
				}
				if count == q.Limit {
					page.Next = last
					return nil
				}
				count++
				if together {
					page.Prefixes, last = append(page.Prefixes, p), p
				} else {
					page.Entries, last = append(page.Entries, u), u.Key
				}
			}
			if len(batch) <= q.Limit {
				return nil
			}
		}
		return nil
	})
	return page, err
}
