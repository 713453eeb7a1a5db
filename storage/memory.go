package storage

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/amplify-go/amplify"
)

const (
	defaultUploadMemory = 32 << 20
	minUploadMemory     = 4 * minPart
	// blockSize is the size of the pieces that buffers are made of, so that small bodies take
	// little.
	blockSize = 256 << 10
	// slowestPart is how long a part may take to be read while others wait for memory. It makes
	// 43 KiB/s of parts of 5 MiB.
	slowestPart = 2 * time.Minute
)

// memory is what the buffers of all uploads of an App share. A part reserves what it may need
// before it is read, in one step: an upload that waits holds nothing but parts that are being sent,
// so that uploads cannot block each other. Who asks first is served first. A body that comes too
// slowly loses its memory to those who wait: a few clients must not keep all others out.
//
// It is safe for concurrent use.
type memory struct {
	size     int64
	reserved *semaphore.Weighted // bytes
	waiting  atomic.Int32        // parts for which there is no room yet

	mu   sync.Mutex
	free [][]byte
	used int // blocks in buffers
}

func newMemory(size int64) *memory {
	return &memory{size: size, reserved: semaphore.NewWeighted(size)}
}

// reserve returns an empty buffer for up to size bytes. It waits until there is room.
func (m *memory) reserve(ctx context.Context, size int64) (*buffer, error) {
	b := &buffer{memory: m, room: inBlocks(size), most: size}
	m.waiting.Add(1)
	err := m.reserved.Acquire(ctx, b.room)
	m.waiting.Add(-1)
	if err != nil {
		return nil, context.Cause(ctx)
	}
	b.since = time.Now()
	return b, nil
}

func (m *memory) take() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used++
	if n := len(m.free); n > 0 {
		block := m.free[n-1]
		m.free = m.free[:n-1]
		return block
	}
	return make([]byte, blockSize)
}

// give takes blocks back. They are kept for other buffers as long as there are any.
func (m *memory) give(blocks [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= len(blocks)
	m.free = append(m.free, blocks...)
	if m.used == 0 {
		m.free = nil
	}
}

// buffer holds a part. It is filled by one goroutine, and then read by any.
type buffer struct {
	memory *memory
	room   int64     // bytes that are reserved
	since  time.Time // when they were
	most   int64     // bytes that may be filled in
	blocks [][]byte
	length int64
}

// fill reads r until the buffer is full or r ends, which ended reports. It gives back what is
// reserved and not needed.
func (b *buffer) fill(ctx context.Context, r io.Reader) (ended bool, err error) {
	for b.length < b.most {
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case b.memory.waiting.Load() > 0 && time.Since(b.since) > slowestPart:
			return false, errTooSlow
		}
		i, from := b.length/blockSize, b.length%blockSize
		if i == int64(len(b.blocks)) {
			b.blocks = append(b.blocks, b.memory.take())
		}
		n, err := r.Read(b.blocks[i][from:min(blockSize, from+b.most-b.length)])
		b.length += int64(n)
		if err == io.EOF {
			spare := b.room - inBlocks(b.length)
			b.room -= spare
			b.memory.reserved.Release(spare)
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

var errTooSlow = &amplify.Error{
	Name: "RequestTimeout", Reason: amplify.ReasonServiceUnavailable,
	Message: "The body came too slowly while other uploads waited for memory.",
	RecoverySuggestion: "Raise storage.Options.UploadMemory, or put bodies of slow clients into " +
		"files before they are uploaded.",
}

// reader returns a reader of the buffer.
func (b *buffer) reader() io.ReadSeeker {
	return &bufferReader{io.NewSectionReader(b, 0, b.length), b}
}

// ReadAt implements [io.ReaderAt].
func (b *buffer) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) && at < b.length {
		copied := copy(p[n:], b.rest(at))
		n += copied
		at += int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// rest returns what follows in the block of the byte at.
func (b *buffer) rest(at int64) []byte {
	from := at % blockSize
	return b.blocks[at/blockSize][from:min(blockSize, from+b.length-at)]
}

// bufferReader reads a buffer.
type bufferReader struct {
	*io.SectionReader
	buffer *buffer
}

// WriteTo implements [io.WriterTo]: a hash takes the blocks as they are.
func (r *bufferReader) WriteTo(w io.Writer) (n int64, err error) {
	at, err := r.Seek(0, io.SeekCurrent)
	for err == nil && at < r.buffer.length {
		var written int
		written, err = w.Write(r.buffer.rest(at))
		n += int64(written)
		at, _ = r.Seek(int64(written), io.SeekCurrent)
	}
	return n, err
}

// release gives all of the buffer back.
func (b *buffer) release() {
	b.memory.give(b.blocks)
	b.memory.reserved.Release(b.room)
	b.blocks, b.room = nil, 0
}

// inBlocks returns size rounded up to whole blocks.
func inBlocks(size int64) int64 { return (size + blockSize - 1) / blockSize * blockSize }
