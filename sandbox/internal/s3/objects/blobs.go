package objects

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/amplify-go/amplify/sandbox/internal/private"
)

// ErrFull means that objects in memory have reached their limit.
var ErrFull = errors.New("objects: the memory for objects is full")

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

// directory keeps blobs in files.
type directory struct{ root *os.Root }

func openDirectory(path string) (*directory, error) {
	if err := private.MkdirAll(path); err != nil {
		return nil, fmt.Errorf("sandbox: the directory for objects: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("sandbox: the directory for objects: %w", err)
	}
	return &directory{root}, nil
}

// syncedFile syncs the file, and that it exists, when it is closed.
type syncedFile struct {
	*os.File
	root *os.Root
}

func (f *syncedFile) Close() error {
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.File.Close())
	}
	if err := f.File.Close(); err != nil {
		return err
	}
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (d *directory) create(name string) (io.WriteCloser, error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return &syncedFile{f, d.root}, err
}

func (d *directory) open(name string) (blobReader, error) { return d.root.Open(name) }

func (d *directory) remove(name string) error {
	if err := d.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *directory) names() ([]string, error) {
	dir, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	return names, errors.Join(err, dir.Close())
}

func (d *directory) close() error { return d.root.Close() }

// blobCost is what a blob in memory costs besides its bytes, so that empty objects end, too. It is
// more than an object's row takes, unless its headers are long.
const blobCost = 4 << 10

// chunkSize is the unit in which blobs in memory grow.
const chunkSize = 256 << 10

// memory keeps blobs in memory.
type memory struct {
	limit int64

	mu    sync.Mutex
	size  int64
	blobs map[string][][]byte // in chunks, all but the last of chunkSize
}

type memoryWriter struct {
	m      *memory
	name   string
	chunks [][]byte
	closed bool
}

func (m *memory) create(name string) (io.WriteCloser, error) {
	if err := m.reserve(blobCost); err != nil {
		return nil, err
	}
	return &memoryWriter{m: m, name: name}, nil
}

func (w *memoryWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		last := len(w.chunks) - 1
		if last < 0 || len(w.chunks[last]) == chunkSize {
			w.chunks = append(w.chunks, nil)
			last++
		}
		take := min(len(p)-n, chunkSize-len(w.chunks[last]))
		if err := w.m.reserve(int64(take)); err != nil {
			return n, err
		}
		w.chunks[last] = append(w.chunks[last], p[n:n+take]...)
		n += take
	}
	return n, nil
}

// Close adds the blob. What is not complete is then removed by its name.
func (w *memoryWriter) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.m.blobs[w.name] = w.chunks
	return nil
}

func (m *memory) reserve(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size+n > m.limit {
		return ErrFull
	}
	m.size += n
	return nil
}

func (m *memory) open(name string) (blobReader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	chunks, ok := m.blobs[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return chunkReader(chunks), nil
}

func (m *memory) remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	chunks, ok := m.blobs[name]
	if !ok {
		return nil
	}
	m.size -= blobCost
	for _, c := range chunks {
		m.size -= int64(len(c))
	}
	delete(m.blobs, name)
	return nil
}

func (m *memory) names() ([]string, error) { return nil, nil } // new with each start
func (m *memory) close() error             { return nil }

// chunkReader reads a blob in memory.
type chunkReader [][]byte

func (r chunkReader) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		i := int((off + int64(n)) / chunkSize)
		if i >= len(r) {
			return n, io.EOF
		}
		within := int((off + int64(n)) % chunkSize)
		if within >= len(r[i]) {
			return n, io.EOF
		}
		n += copy(p[n:], r[i][within:])
	}
	return n, nil
}

func (r chunkReader) Close() error { return nil }
