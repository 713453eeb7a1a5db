package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// What the store keeps.
type (
	Bucket       = store.Bucket
	Object       = store.Object
	Part         = store.Part
	NumberedPart = store.NumberedPart
	Upload       = store.Upload
	Checksum     = store.Checksum
)

// Errors of a [Store].
var (
	ErrNoBucket    = errors.New("objects: there is no such bucket")
	ErrNoObject    = errors.New("objects: there is no such object")
	ErrNoUpload    = errors.New("objects: there is no such upload")
	ErrBucketTaken = errors.New("objects: there is a bucket of that name")
	ErrNotEmpty    = errors.New("objects: the bucket has objects")
)

// Store keeps buckets. It is safe for concurrent use.
type Store struct {
	db    *store.Store
	blobs *blobs
	now   func() time.Time
}

// New returns the store of the buckets in db. Their bytes are in the directory
// objects of dir, or, if dir is empty, in memory, at most limit of them.
func New(ctx context.Context, db *store.Store, dir string, limit int64,
	now func() time.Time) (*Store, error) {
	b, err := newBlobs(dir, limit)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, blobs: b, now: func() time.Time { return now().Truncate(time.Millisecond) }}
	var named []string
	err = db.View(ctx, func(tx *store.Tx) (err error) {
		named, err = tx.Blobs()
		return err
	})
	if err == nil {
		err = b.sweep(named)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: preparing the objects: %w", err),
			b.files.close())
	}
	return s, nil
}

// Close ends the use of the directory.
func (s *Store) Close() error { return s.blobs.files.close() }

// CreateBucket adds an empty bucket, or returns [ErrBucketTaken].
func (s *Store) CreateBucket(ctx context.Context, name, region string) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		err := tx.AddBucket(Bucket{Name: name, Region: region, Created: s.now()})
		if errors.Is(err, store.ErrTaken) {
			return ErrBucketTaken
		}
		return err
	})
}

// Bucket returns a bucket, or [ErrNoBucket].
func (s *Store) Bucket(ctx context.Context, name string) (b Bucket, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		b, err = tx.Bucket(name)
		return orNot(err, ErrNoBucket)
	})
	return b, err
}

// Buckets returns all buckets by name.
func (s *Store) Buckets(ctx context.Context) (list []Bucket, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Buckets()
		return err
	})
	return list, err
}

// DeleteBucket deletes a bucket and its uploads. It
// returns [ErrNotEmpty] if the bucket has objects.
func (s *Store) DeleteBucket(ctx context.Context, name string) error {
	var gone []string
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		some, err := tx.Objects(name, "", "", 1)
		if err != nil {
			return err
		}
		if len(some) > 0 {
			return ErrNotEmpty
		}
		if gone, err = tx.BlobsOfUploads(name); err != nil {
			return err
		}
		return orNot(tx.DeleteBucket(name), ErrNoBucket)
	})
	if err != nil {
		return err
	}
	return s.blobs.remove(gone)
}

// Write makes a blob of what fill writes, for an object or a part to
// come. The caller must [Store.Discard] it if nothing comes of it.
func (s *Store) Write(fill func(w io.Writer) error) (blob string, err error) {
	return s.blobs.write(fill)
}

// Discard removes a blob that nothing names.
func (s *Store) Discard(blob string) error { return s.blobs.remove([]string{blob}) }

// Put adds an object to a bucket, in place of that with its key, and sets its time. check gets
// that object, or nil; its error is returned, and nothing has changed.
func (s *Store) Put(ctx context.Context, bucket string, o *Object,
	check func(old *Object) error) error {
	var gone []string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		old, err := s.replaced(tx, bucket, o.Key)
		if err != nil {
			return err
		}
		if err := check(old); err != nil {
			return err
		}
		gone = blobsOf(old)
		o.Modified = s.now()
		return tx.PutObject(bucket, o)
	})
	if err != nil {
		return err
	}
	return s.blobs.remove(gone)
}

// replaced returns the object with that key, or nil if there is none.
func (s *Store) replaced(tx *store.Tx, bucket, key string) (*Object, error) {
	if _, err := tx.Bucket(bucket); err != nil {
		return nil, orNot(err, ErrNoBucket)
	}
	old, err := tx.Object(bucket, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return old, err
}

// Delete deletes the object with that key, if there is one. check is as for [Store.Put].
func (s *Store) Delete(ctx context.Context, bucket, key string,
	check func(old *Object) error) error {
	var gone []string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		old, err := s.replaced(tx, bucket, key)
		if err != nil {
			return err
		}
		if err := check(old); err != nil || old == nil {
			return err
		}
		gone = blobsOf(old)
		return tx.DeleteObject(bucket, key)
	})
	if err != nil {
		return err
	}
	return s.blobs.remove(gone)
}

// Change changes what is kept of an object besides its bytes. Its time
// stays the same. The errors are [ErrNoBucket] and [ErrNoObject].
func (s *Store) Change(ctx context.Context, bucket, key string, change func(o *Object)) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		o, err := s.replaced(tx, bucket, key)
		if err != nil {
			return err
		}
		if o == nil {
			return ErrNoObject
		}
		change(o)
		return tx.PutObject(bucket, o)
	})
}

// Reader reads an object as it was when it was opened.
type Reader struct {
	Object *Object
	blobs  *blobs
}

// Open returns a reader of an object, which the caller must
// close. The errors are [ErrNoBucket] and [ErrNoObject].
func (s *Store) Open(ctx context.Context, bucket, key string) (*Reader, error) {
	r := &Reader{blobs: s.blobs}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if r.Object, err = s.replaced(tx, bucket, key); err != nil {
			return err
		}
		if r.Object == nil {
			return ErrNoObject
		}
		s.blobs.use(blobsOf(r.Object)) // before another transaction can remove them
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Close ends the use of the object.
func (r *Reader) Close() error { return r.blobs.release(blobsOf(r.Object)) }

// WriteTo writes size bytes from the offset from. Both must lie within the object.
func (r *Reader) WriteTo(w io.Writer, from, size int64) error {
	for _, p := range r.Object.Parts {
		if size == 0 {
			return nil
		}
		if from >= p.Size {
			from -= p.Size
			continue
		}
		n := min(size, p.Size-from)
		if err := r.blobs.copy(w, p.Blob, from, n); err != nil {
			return err
		}
		from, size = 0, size-n
	}
	if size > 0 {
		return fmt.Errorf("objects: the object ends %d bytes too early", size)
	}
	return nil
}

// copy writes n bytes of a blob.
func (b *blobs) copy(w io.Writer, name string, from, n int64) (err error) {
	f, err := b.files.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.CopyN(w, io.NewSectionReader(f, from, n), n)
	return err
}

func blobsOf(o *Object) []string {
	if o == nil {
		return nil
	}
	var names []string
	for _, p := range o.Parts {
		names = append(names, p.Blob)
	}
	return names
}

// orNot returns instead if err says that there is no such row.
func orNot(err, instead error) error {
	if errors.Is(err, store.ErrNotFound) {
		return instead
	}
	return err
}

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
