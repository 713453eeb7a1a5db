package storage

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
)

// IdleTimeout is how long a transfer may stand still.
const IdleTimeout = idleTimeout

// Memory is the memory of the uploads of an App.
type Memory = memory

// NewMemory returns memory of a size in bytes.
func NewMemory(size int64) *Memory { return newMemory(size) }

// MemoryOf returns the memory of the uploads of app.
func MemoryOf(app *amplify.App) *Memory {
	s, err := serviceOf(app)
	if err != nil {
		panic(err)
	}
	return s.memory
}

// Reserve reserves size bytes, and returns how they are given back.
func (m *memory) Reserve(ctx context.Context, size int64) (release func(), err error) {
	b, err := m.reserve(ctx, size)
	if err != nil {
		return nil, err
	}
	return b.release, nil
}

// Held returns how many bytes there are in buffers and in blocks that are kept for others.
func (m *memory) Held() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(m.used+len(m.free)) * blockSize
}

// Free reports whether size bytes are not reserved.
func (m *memory) Free(size int64) bool {
	if !m.reserved.TryAcquire(size) {
		return false
	}
	m.reserved.Release(size)
	return true
}

// PartSize returns the size of a part of a body of unknown length.
func (m *memory) PartSize(number int32) int64 { return m.partSize(number) }

// KnownPart returns the size of the parts of a body of a known size.
func KnownPart(size int64) int64 { return knownPart(size) }

// The numbers of the first and the last part that an upload may have.
const (
	FirstPart = 1
	LastPart  = maxParts
)

// ReadPart reads a part of an upload of unknown length.
func (m *memory) ReadPart(ctx context.Context, number int32, body io.Reader) error {
	s := &stream{body: bufio.NewReaderSize(body, 16), memory: m, size: -1, number: number - 1}
	p, err := s.next(ctx)
	if err == nil {
		p.release()
	}
	return err
}

// Signers are the signers of an App.
type Signers = signers

// NewSigners returns signers at the time of now.
func NewSigners(now func() time.Time) *Signers { return newSigners(now) }

// Presign returns address with the signature of c in its query.
func (s *signers) Presign(c aws.Credentials, method, address, payloadHash, region string, at time.Time) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	var query []param
	for name, values := range u.Query() {
		query = append(query, param{name, values[0]})
	}
	return s.presign(c, method, u, u.EscapedPath(), query, payloadHash, region, at), nil
}
