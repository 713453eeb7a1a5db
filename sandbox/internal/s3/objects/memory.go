package objects

import (
	"errors"
	"io"
	"io/fs"
	"sync"
)

// ErrFull means that objects in memory have reached their limit.
var ErrFull = errors.New("objects: the memory for objects is full")

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
