package objects

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// MaxParts is how many parts an upload may have (Amazon S3 User Guide, "Multipart upload limits").
const MaxParts = 10_000

// A completed upload is remembered for a day, so that a client that did
// not get the answer can ask again. S3 gives no term.
const (
	completed     = "completed_uploads"
	completedTerm = 24 * time.Hour
)

// completedName names a completed upload. No other upload has the same name, whatever is in a key.
func completedName(bucket, key, id string) string {
	return fmt.Sprintf("%q %q %q", bucket, key, id)
}

// CreateUpload begins an upload, and sets its id and time.
func (s *Store) CreateUpload(ctx context.Context, bucket string, u *Upload) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Bucket(bucket); err != nil {
			return orNot(err, ErrNoBucket)
		}
		// Uploads of one key are listed in the order in which they began.
		u.ID, u.Created = s.now().UTC().Format("20060102150405.000")+rand.Text(), s.now()
		return tx.AddUpload(bucket, u)
	})
}

// Upload returns an upload, or [ErrNoUpload].
func (s *Store) Upload(ctx context.Context, bucket, key, id string) (u *Upload, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		u, err = tx.Upload(bucket, key, id)
		return orNot(err, ErrNoUpload)
	})
	return u, err
}

// PutPart adds a part to an upload, in place of that with its number, and sets its time.
func (s *Store) PutPart(ctx context.Context, bucket, key, id string, p *NumberedPart) error {
	var gone []string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Upload(bucket, key, id); err != nil {
			return orNot(err, ErrNoUpload)
		}
		old, err := tx.Part(id, p.Number)
		if err == nil {
			gone = []string{old.Blob}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		p.Modified = s.now()
		return tx.PutPart(id, *p)
	})
	if err != nil {
		return err
	}
	return s.blobs.remove(gone)
}

// Parts returns at most limit parts of an upload by number, those after the number after.
func (s *Store) Parts(ctx context.Context, id string, after, limit int) (parts []NumberedPart,
	err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		parts, err = tx.Parts(id, after, limit)
		return err
	})
	return parts, err
}

// Abort ends an upload and removes its parts.
func (s *Store) Abort(ctx context.Context, bucket, key, id string) error {
	var gone []string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Upload(bucket, key, id); err != nil {
			return orNot(err, ErrNoUpload)
		}
		parts, err := tx.Parts(id, 0, MaxParts)
		if err != nil {
			return err
		}
		gone = blobsOfParts(parts)
		return tx.DeleteUpload(id)
	})
	if err != nil {
		return err
	}
	return s.blobs.remove(gone)
}

// Complete makes an object of an upload. make gets the upload, its parts by number, and the
// object that will be replaced, or nil. It returns the object, which takes over the blobs of
// its parts, or an error, and then nothing has changed.
//
// If the upload has been completed before, Complete returns what it returned
// then, without parts and header. The bucket must exist.
func (s *Store) Complete(ctx context.Context, bucket, key, id string,
	make func(u *Upload, parts map[int]Part, old *Object) (*Object, error),
) (o *Object, err error) {
	var gone []string
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		now := s.now()
		u, err := tx.Upload(bucket, key, id)
		if errors.Is(err, store.ErrNotFound) {
			o = &Object{Key: key}
			return orNot(tx.Get(completed, completedName(bucket, key, id), o, now), ErrNoUpload)
		} else if err != nil {
			return err
		}
		old, err := s.find(tx, bucket, key)
		if err != nil {
			return err
		}
		all, err := tx.Parts(id, 0, MaxParts)
		if err != nil {
			return err
		}
		parts := map[int]Part{}
		for _, p := range all {
			parts[p.Number] = p.Part
		}
		if o, err = make(u, parts, old); err != nil {
			return err
		}
		gone = unused(append(blobsOfParts(all), blobsOf(old)...), o)
		o.Key, o.Modified = key, now
		if err := tx.PutObject(bucket, o); err != nil {
			return err
		}
		if err := tx.DeleteUpload(id); err != nil {
			return err
		}
		return tx.Put(completed, completedName(bucket, key, id),
			&Object{Size: o.Size, ETag: o.ETag, Modified: now, Checksum: o.Checksum},
			now.Add(completedTerm), now)
	})
	if err != nil {
		return nil, err
	}
	return o, s.blobs.remove(gone)
}

// unused returns the blobs that o does not consist of.
func unused(blobs []string, o *Object) []string {
	used := map[string]bool{}
	for _, b := range blobsOf(o) {
		used[b] = true
	}
	var rest []string
	for _, b := range blobs {
		if !used[b] {
			rest = append(rest, b)
		}
	}
	return rest
}

func blobsOfParts(parts []NumberedPart) []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.Blob)
	}
	return names
}
