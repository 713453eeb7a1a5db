package s3

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
)

// maxObject is the size of the largest object, or part, that one request can upload.
const maxObject = 5 << 30

// body is the body of a request as the caller meant it. Reading fails where it
// is not what was signed; the last error comes instead of io.EOF.
type body struct {
	signature *signature
	io.Reader
	// trailer has what follows a body in chunks, once it has been read.
	trailer map[string]string
}

func (b *body) isStreaming() bool { return strings.HasPrefix(b.signature.payload, "STREAMING-") }

// decode makes the body readable.
func (b *body) decode(q *request) error {
	size := q.ContentLength
	if b.isStreaming() {
		var err error
		size, err = strconv.ParseInt(q.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return missingLength()
		}
	}
	switch {
	case size < 0:
		return missingLength()
	case size > maxObject:
		return badRequest("EntityTooLarge",
			"Your proposed upload exceeds the maximum allowed object size.",
			"ProposedSize", fmt.Sprint(size), "MaxSizeAllowed", fmt.Sprint(int64(maxObject)))
	}
	in := arriving{q.Request.Body}
	switch payload := b.signature.payload; {
	case b.isStreaming():
		b.trailer = map[string]string{}
		b.Reader = &chunkReader{body: b, in: bufio.NewReaderSize(in, maxLine),
			size:   size,
			signed: payload != streamingUnsigned, trailers: payload != streamingSigned,
			name:     strings.ToLower(q.Header.Get("X-Amz-Trailer")),
			previous: b.signature.value, hash: sha256.New()}
	case payload == unsignedPayload:
		b.Reader = in
	default:
		b.Reader = &hashedReader{in: in, hash: sha256.New(), want: payload}
	}
	return nil
}

// arriving reads a body as it arrives. Where that fails, the caller broke off or framed it wrongly.
type arriving struct{ io.Reader }

func (a arriving) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = incompleteBody()
	}
	return n, err
}

// hashedReader fails at the end of what has another hash.
type hashedReader struct {
	in   io.Reader
	hash hash.Hash
	want string
}

func (r *hashedReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	r.hash.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(r.hash.Sum(nil)); got != r.want {
			err = badRequest("XAmzContentSHA256Mismatch",
				"The provided 'x-amz-content-sha256' header does not match what was computed.",
				"ClientComputedContentSHA256", r.want, "S3ComputedContentSHA256", got)
		}
	}
	return n, err
}

// maxContent is more than the document of ten thousand parts takes.
const maxContent = 8 << 20

// readContent reads a small body, and checks that it is what was signed.
func (q *request) readContent() error {
	if q.body.isStreaming() {
		return invalidRequest("The value of x-amz-content-sha256 header is invalid.")
	}
	if err := q.body.decode(q); err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(q.body, maxContent+1))
	if err != nil {
		return err
	}
	if len(content) > maxContent {
		return badRequest("MaxMessageLengthExceeded", "Your request was too big.")
	}
	q.content = content
	return nil
}

const (
	// maxLine is more than a line between chunks takes.
	maxLine = 16 << 10
	// minChunk is the size that all chunks but the last must have.
	minChunk = 8 << 10
)

// chunkReader reads a body in chunks (API Reference, "Transferring payload in
// multiple chunks", and "… with trailing headers").
type chunkReader struct {
	body     *body
	in       *bufio.Reader
	size     int64  // of all chunks together
	signed   bool   // each chunk has a signature
	trailers bool   // there may be trailing headers
	name     string // of the trailing header, or ""

	count    int   // of chunks
	last     int64 // size of the last one
	left     int64 // to be read of it
	read     int64 // of all of them
	previous string
	current  string    // signature of the chunk that is being read
	hash     hash.Hash // of that chunk
	err      error
}

func (r *chunkReader) Read(p []byte) (int, error) {
	if r.left == 0 && r.err == nil {
		r.err = r.next()
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.in.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	r.read += int64(n)
	r.hash.Write(p[:n])
	if err != nil {
		r.err = incompleteBody()
	} else if r.left == 0 {
		r.err = r.endChunk()
	}
	return n, r.err
}

// next reads the line before a chunk. After the last chunk it returns io.EOF.
func (r *chunkReader) next() error {
	line, err := r.line()
	if err != nil {
		return err
	}
	text := line
	if r.signed {
		var found bool
		if text, r.current, found = strings.Cut(line, ";chunk-signature="); !found ||
			len(r.current) != 64 {
			return incompleteBody()
		}
	}
	size, err := strconv.ParseUint(text, 16, 62)
	if err != nil {
		return incompleteBody()
	}
	r.hash.Reset()
	if size == 0 {
		return r.end()
	}
	// Of what is too long almost nothing is stored. A little is, since S3 rather says that a chunk
	// does not end where it should.
	if int64(size) > r.size-r.read+minChunk {
		return otherLength()
	}
	r.count++
	if r.count > 1 && r.last < minChunk {
		return badRequest("InvalidChunkSizeError",
			"Only the last chunk is allowed to have a size less than 8192 bytes",
			"Chunk", fmt.Sprint(r.count), "BadChunkSize", fmt.Sprint(size))
	}
	r.last, r.left = int64(size), int64(size)
	return nil
}

// line reads a line, which ends with CR LF.
func (r *chunkReader) line() (string, error) {
	line, err := r.in.ReadSlice('\n')
	if err != nil {
		return "", incompleteBody()
	}
	text, found := strings.CutSuffix(string(line), "\r\n")
	if !found {
		return "", incompleteBody()
	}
	return text, nil
}

// endChunk checks a chunk that has been read.
func (r *chunkReader) endChunk() error {
	if line, err := r.line(); err != nil {
		return err
	} else if line != "" {
		return incompleteBody()
	}
	if r.read > r.size {
		return otherLength()
	}
	return r.checkSignature("AWS4-HMAC-SHA256-PAYLOAD", sigv4.EmptyHash,
		hex.EncodeToString(r.hash.Sum(nil)))
}

// checkSignature checks the current signature, which covers the one before it.
func (r *chunkReader) checkSignature(algorithm string, what ...string) error {
	if !r.signed {
		return nil
	}
	s := *r.body.signature
	toSign, want := s.key.Sign(algorithm, s.time, append([]string{r.previous}, what...)...)
	if !sigv4.Equal(r.current, want) {
		s.value = r.current
		return s.mismatch(toSign)
	}
	r.previous = want
	return nil
}

// end reads what follows the last chunk.
func (r *chunkReader) end() error {
	if err := r.checkSignature("AWS4-HMAC-SHA256-PAYLOAD", sigv4.EmptyHash,
		sigv4.EmptyHash); err != nil {
		return err
	}
	var trailer string
	covered := !r.signed
	for {
		line, err := r.line()
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		name, value, found := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case r.signed && name == "x-amz-trailer-signature":
			if len(value) != 64 || covered {
				return incompleteBody()
			}
			r.current, covered = value, true
		case trailer != "" && r.signed: // where its signature should be
			return incompleteBody()
		case !found || !r.trailers || name != r.name || trailer != "":
			return malformedTrailer()
		default:
			r.body.trailer[name] = value
			trailer = name + ":" + value + "\n"
		}
	}
	if r.read != r.size {
		return otherLength()
	}
	if r.name != "" && trailer == "" {
		return malformedTrailer()
	}
	if _, err := r.in.ReadByte(); err != io.EOF {
		return incompleteBody()
	}
	if trailer != "" {
		if !covered {
			return incompleteBody()
		}
		if err := r.checkSignature("AWS4-HMAC-SHA256-TRAILER", sigv4.Hash(trailer)); err != nil {
			return err
		}
	}
	return io.EOF
}
