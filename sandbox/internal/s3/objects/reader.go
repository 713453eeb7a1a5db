package objects

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

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
		if r.Object, err = s.find(tx, bucket, key); err != nil {
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
