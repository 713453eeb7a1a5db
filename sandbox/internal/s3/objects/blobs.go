package objects

import (
	"crypto/rand"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"sync"
)

// files holds blobs by name.
type files interface {
	// create returns a writer for a new blob, which is there once it is closed without an error.
	create(name string) (io.WriteCloser, error)
	open(name string) (blobReader, error)
	remove(name string) error
	names() ([]string, error)
	close() error
}

type blobReader interface {
	io.ReaderAt
	io.Closer
}

// blobs adds to files that a blob in use outlives its removal.
type blobs struct {
	files files

	mu      sync.Mutex
	inUse   map[string]int
	removed map[string]bool // once nobody uses them
}

func newBlobs(dir string, limit int64) (*blobs, error) {
	b := &blobs{inUse: map[string]int{}, removed: map[string]bool{}}
	if dir == "" {
		b.files = &memory{limit: limit, blobs: map[string][][]byte{}}
		return b, nil
	}
	d, err := openDirectory(filepath.Join(dir, "objects"))
	b.files = d
	return b, err
}

// write makes a blob of what fill writes. It leaves nothing behind if that fails.
func (b *blobs) write(fill func(w io.Writer) error) (name string, err error) {
	name = rand.Text()
	w, err := b.files.create(name)
	if err != nil {
		return "", err
	}
	closed := false
	defer func() { // also if fill panics
		if !closed || err != nil {
			_ = w.Close()
			err = errors.Join(err, b.files.remove(name))
		}
	}()
	if err = fill(w); err == nil {
		err = w.Close()
		closed = true
	}
	return name, err
}

// use keeps blobs until the caller releases them.
func (b *blobs) use(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range names {
		b.inUse[n]++
	}
}

// release ends the use of blobs.
func (b *blobs) release(names []string) error {
	var gone []string
	b.mu.Lock()
	for _, n := range names {
		if b.inUse[n]--; b.inUse[n] > 0 {
			continue
		}
		delete(b.inUse, n)
		if b.removed[n] {
			delete(b.removed, n)
			gone = append(gone, n)
		}
	}
	b.mu.Unlock()
	return b.drop(gone)
}

// remove removes blobs that nothing names any more, those in use after their last use.
func (b *blobs) remove(names []string) error {
	var gone []string
	b.mu.Lock()
	for _, n := range names {
		if b.inUse[n] > 0 {
			b.removed[n] = true
		} else {
			gone = append(gone, n)
		}
	}
	b.mu.Unlock()
	return b.drop(gone)
}

// drop removes blobs that nobody uses, and nobody will, since nothing names them. It may take long,
// and so it must not hold up who opens an object.
func (b *blobs) drop(names []string) error {
	var errs []error
	for _, n := range names {
		errs = append(errs, b.files.remove(n))
	}
	return errors.Join(errs...)
}

// sweep removes all blobs but those with these names.
func (b *blobs) sweep(named []string) error {
	there, err := b.files.names()
	if err != nil {
		return err
	}
	slices.Sort(named)
	return b.remove(slices.DeleteFunc(there, func(n string) bool {
		_, found := slices.BinarySearch(named, n)
		return found
	}))
}
