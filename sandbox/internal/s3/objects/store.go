package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		old, err := s.find(tx, bucket, o.Key)
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

// find returns the object with that key, or nil if there is none.
func (s *Store) find(tx *store.Tx, bucket, key string) (*Object, error) {
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
		old, err := s.find(tx, bucket, key)
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
		o, err := s.find(tx, bucket, key)
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
