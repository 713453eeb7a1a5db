package storage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/amplify-go/amplify"
)

// Limits of multipart uploads: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
const (
	minPart  = 5 << 20 // of all parts but the last
	maxParts = 10_000
)

// part is a part of a body.
type part struct {
	number  int32 // from 1
	size    int64
	last    bool
	reader  func() io.ReadSeeker // each attempt to send the part needs one of its own
	release func()               // must be called once
}

// parts cuts a body into parts.
type parts interface {
	// next returns the next part. It must not be called after the last one.
	next(context.Context) (*part, error)
	// total returns the size of the body in bytes, or -1 if it is not known.
	total() int64
}

// cut returns the parts of in.Body.
func cut(in UploadDataInput, m *memory) (parts, error) {
	body := in.Body
	if body == nil {
		body = strings.NewReader("")
	}
	start, size, err := seekable(body)
	switch {
	case err != nil:
		return nil, err
	case size > 0 && in.Size > 0 && in.Size != size:
		return nil, errSize(in.Size, fmt.Sprint(size))
	case size > 0:
		s := &sections{start: start, size: size, part: knownPart(size)}
		if at, ok := body.(io.ReaderAt); ok {
			s.data = at
		} else {
			s.data = &seekerAt{body: body.(io.ReadSeeker)}
		}
		return s, nil
	case in.Size > maxParts*m.largestPart():
		return nil, m.errTooLong(maxParts * m.largestPart())
	}
	s := &stream{body: bufio.NewReaderSize(body, 16), memory: m, size: -1}
	if in.Size > 0 {
		s.size = in.Size
	}
	return s, nil
}

// seekable returns where body stands and how much follows. size is 0 if that cannot be told: pipes
// and terminals are files that cannot seek, and special files seem to be empty.
func seekable(body io.Reader) (start, size int64, err error) {
	s, ok := body.(io.Seeker)
	if !ok {
		return 0, 0, nil
	}
	if start, err = s.Seek(0, io.SeekCurrent); err != nil {
		return 0, 0, nil
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, nil
	}
	if _, err = s.Seek(start, io.SeekStart); err != nil {
		return 0, 0, errBody(err)
	}
	return start, max(end-start, 0), nil
}

// knownPart returns the size of the parts of a body of a known size.
func knownPart(size int64) int64 {
	part := int64(minPart)
	for size > part*maxParts {
		part *= 2
	}
	return part
}

// sections are the parts of a body that can be read at any place. They take no memory.
type sections struct {
	data        io.ReaderAt
	start, size int64
	part        int64 // size of the parts
	number      int32
}

func (s *sections) total() int64 { return s.size }

func (s *sections) next(ctx context.Context) (*part, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	at := int64(s.number) * s.part
	s.number++
	size := min(s.part, s.size-at)
	section := func() io.ReadSeeker { return io.NewSectionReader(s.data, s.start+at, size) }
	return &part{s.number, size, at+size == s.size, section, func() {}}, nil
}

// seekerAt makes an io.ReaderAt of a body that can seek.
type seekerAt struct {
	mu   sync.Mutex
	body io.ReadSeeker
}

func (s *seekerAt) ReadAt(p []byte, at int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.body.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) {
		read, err := s.body.Read(p[n:])
		if n += read; err != nil {
			return n, err
		}
	}
	return n, nil
}

// stream is the parts of a body that can be read once. They are kept in memory, so that an attempt
// to send one can be repeated.
type stream struct {
	body   *bufio.Reader
	memory *memory
	size   int64 // or -1
	read   int64
	number int32
}

func (s *stream) total() int64 { return s.size }

func (s *stream) next(ctx context.Context) (*part, error) {
	s.number++
	size := s.memory.partSize(s.number)
	if s.size >= 0 {
		size = min(knownPart(s.size), s.memory.largestPart(), s.size-s.read)
	}
	b, err := s.memory.reserve(ctx, size)
	if err != nil {
		return nil, err
	}
	kept := false
	defer func() {
		if !kept {
			b.release()
		}
	}()
	ended, err := b.fill(ctx, s.body)
	if err == nil && !ended {
		if _, err = s.body.Peek(1); err == io.EOF {
			ended, err = true, nil
		}
	}
	s.read += b.length
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == errTooSlow:
		return nil, err
	case err != nil:
		return nil, errBody(err)
	case ended && s.size > s.read:
		return nil, errSize(s.size, fmt.Sprint(s.read))
	case !ended && s.size == s.read:
		return nil, errSize(s.size, "more")
	case !ended && s.number == maxParts:
		return nil, s.memory.errTooLong(s.read)
	}
	kept = true
	return &part{s.number, b.length, ended, b.reader, b.release}, nil
}

// largestPart returns the size of the largest part of a stream.
func (m *memory) largestPart() int64 { return m.size / 4 / blockSize * blockSize }

// partSize returns the size of a part of a stream of unknown length. It doubles every 1,000 parts,
// so that a body that turns out to be long fits into the parts that it may have.
func (m *memory) partSize(number int32) int64 {
	return min(minPart<<((number-1)/1000), m.largestPart())
}

func (m *memory) errTooLong(most int64) error {
	return &amplify.Error{
		Name: "EntityTooLarge",
		Message: fmt.Sprintf(
			"The body has more than %d bytes. An upload through memory has no more.", most),
		RecoverySuggestion: fmt.Sprintf("Upload a file, or another body that can seek, which "+
			"takes no memory. Or raise storage.Options.UploadMemory, which is %d: a part takes a "+
			"quarter at most, and there are %d.", m.size, maxParts),
	}
}

func errSize(said int64, has string) error {
	return &amplify.Error{
		Name:               invalidInput,
		Message:            fmt.Sprintf("Size is %d, and the body has %s bytes.", said, has),
		RecoverySuggestion: "Leave Size out if it is not known. Nothing has been stored.",
	}
}

func errBody(err error) error { return fmt.Errorf("reading the body: %w", err) }
