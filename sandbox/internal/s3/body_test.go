package s3

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
)

// chunked encodes a body in signed chunks, as the API Reference describes it. seed is the signature
// of the request. With trailer there is a trailing header, with a signature of its own.
func chunked(s *server, seed string, trailer string, chunks ...string) string {
	key := sigv4.NewKey(ann.SecretAccessKey, sigv4.Scope{Date: s.now.Format("20060102"),
		Region: "us-east-1", Service: "s3"})
	var b strings.Builder
	for _, c := range append(chunks, "") {
		_, seed = key.Sign("AWS4-HMAC-SHA256-PAYLOAD", s.now, seed, sigv4.EmptyHash, hashOf(c))
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n", len(c), seed)
		if c != "" {
			b.WriteString(c + "\r\n")
		}
	}
	if trailer != "" {
		_, seed = key.Sign("AWS4-HMAC-SHA256-TRAILER", s.now, seed, hashOf(trailer+"\n"))
		b.WriteString(trailer + "\r\nx-amz-trailer-signature:" + seed + "\r\n")
	}
	return b.String() + "\r\n"
}

// TestSignedChunks uploads in signed chunks, and changes what is sent.
func TestSignedChunks(t *testing.T) {
	long := strings.Repeat("0123456789", 1000)
	h := checksum.CRC32.New()
	h.Write([]byte(long + "end"))
	crc := checksum.CRC32.Header() + ":" + checksum.Encode(h)
	replace := func(old, instead string) func(string) string {
		return func(body string) string { return strings.Replace(body, old, instead, 1) }
	}
	for what, c := range map[string]struct {
		trailer string
		change  func(string) string
		status  int
		code    string
	}{
		"nothing":                 {"", nil, 200, ""},
		"nothing, with a trailer": {crc, nil, 200, ""},
		"a byte":                  {"", replace("0123", "1123"), 403, "SignatureDoesNotMatch"},
		"a byte, with a trailer":  {crc, replace("0123", "1123"), 403, "SignatureDoesNotMatch"},
		"the last chunk":          {"", replace("end", "END"), 403, "SignatureDoesNotMatch"},
		"no last chunk": {"", func(b string) string {
			return b[:strings.Index(b,
				"3;chunk")]
		}, 400, "IncompleteBody"},
		"no end": {"", func(b string) string {
			return b[:strings.Index(b,
				"\r\n0;chunk")]
		}, 400, "IncompleteBody"},
		"more behind it": {"", func(b string) string { return b + "x" }, 400,
			"IncompleteBody"},
		"a signature": {"", replace("chunk-signature=", "chunk-signature=0"), 400,
			"IncompleteBody"},
		"a size":  {"", replace("2710;", "270f;"), 400, "IncompleteBody"},
		"no size": {"", replace("2710;", "-1;"), 400, "IncompleteBody"},
		"the trailer": {crc, replace(checksum.Encode(h), "AAAAAA=="), 403,
			"SignatureDoesNotMatch"},
		"the trailer's signature": {crc, func(b string) string {
			end := len(b) - len("0\r\n\r\n")
			return b[:end] + string(b[end]^1) + b[end+1:]
		}, 403, "SignatureDoesNotMatch"},
		"a longer signature": {crc, replace("x-amz-trailer-signature:",
			"x-amz-trailer-signature:0"), 400, "IncompleteBody"},
		"no trailer's signature": {crc, func(b string) string {
			return b[:strings.Index(b,
				"x-amz-trailer-sig")] + "\r\n"
		}, 400, "IncompleteBody"},
		"no trailer": {crc, func(b string) string {
			return b[:strings.Index(b,
				"x-amz-checksum")] + "\r\n"
		}, 400, "MalformedTrailerError"},
		"a trailer nobody mentions": {"", func(b string) string {
			return b[:len(b)-2] + crc +
				"\r\n\r\n"
		}, 400, "MalformedTrailerError"},
		"another trailer": {crc, replace("x-amz-checksum-crc32:", "x-amz-checksum-sha1:"),
			400, "MalformedTrailerError"},
	} {
		t.Run(what, func(t *testing.T) {
			s := newServer(t)
			header := []string{"X-Amz-Content-Sha256", streamingSigned,
				"X-Amz-Decoded-Content-Length", fmt.Sprint(len(long) + 3), "Content-Encoding",
				"aws-chunked,br"}
			if c.trailer != "" {
				header[1] = streamingSignedTrailer
				header = append(header, "X-Amz-Trailer", checksum.CRC32.Header())
			}
			r := s.newRequest(t, "PUT", "/bucket/ann/a", "", header...)
			s.sign(t, r, ann, "")
			_, seed, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			body := chunked(s, seed, c.trailer, long, "end")
			if c.change != nil {
				body = c.change(body)
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			s.do(t, r).want(t, what, c.status, c.code)
			got := s.call(t, admin, "GET", "/bucket/ann/a", "")
			if c.status == 200 && (got.body != long+"end" ||
				got.Header.Get("Content-Encoding") != "br") {
				t.Errorf("the object has %d bytes, %v", len(got.body), got.Header)
			}
			if c.status != 200 && got.StatusCode != 404 {
				t.Errorf("the object: %d", got.StatusCode)
			}
		})
	}
}

// TestChunkSizes: only the last chunk may be small, so that a body of
// many chunks does not cost more than its bytes.
func TestChunkSizes(t *testing.T) {
	s := newServer(t)
	body := strings.Repeat("1\r\nx\r\n", 3) + "0\r\n\r\n"
	s.call(t, ann, "PUT", "/bucket/ann/a", body, "X-Amz-Content-Sha256", streamingUnsigned,
		"X-Amz-Decoded-Content-Length", "3").
		want(t, "small chunks", 400, "InvalidChunkSizeError")
}

// TestDecodedLength: a body in chunks has the length that was announced.
func TestDecodedLength(t *testing.T) {
	s := newServer(t)
	const body = "3\r\nabc\r\n0\r\n\r\n"
	for length, c := range map[string]struct {
		status int
		code   string
	}{
		"3": {200, ""}, "2": {400, "IncompleteBody"}, "4": {400, "IncompleteBody"},
		"x": {411, "MissingContentLength"}, "-3": {411, "MissingContentLength"},
		"5368709121": {400, "EntityTooLarge"},
	} {
		s.call(t, ann, "PUT", "/bucket/ann/"+length, body, "X-Amz-Content-Sha256",
			streamingUnsigned, "X-Amz-Decoded-Content-Length", length).want(t, length, c.status,
			c.code)
	}
	s.call(t, admin, "GET", "/bucket/ann/2", "").want(t, "what was refused", 404, "NoSuchKey")
	s.call(t, ann, "POST", "/bucket?delete", body, "X-Amz-Content-Sha256", streamingUnsigned,
		"X-Amz-Decoded-Content-Length", "3").want(t, "a document in chunks", 400, "InvalidRequest")
}

// FuzzChunks: no body makes the reader panic, give
// more than a little beyond what was announced, or take one for another.
func FuzzChunks(f *testing.F) {
	f.Add("3\r\nabc\r\n0\r\n\r\n", int64(3), "")
	f.Add("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", int64(3),
		"x-amz-checksum-crc32")
	f.Add("ffffffffffffffff\r\n", int64(3), "")
	f.Add("3ffffffffffffff\r\n"+strings.Repeat("x", 2*minChunk), int64(3), "")
	f.Fuzz(func(t *testing.T, raw string, size int64, trailer string) {
		if size < 0 {
			return
		}
		b := &body{signature: &signature{payload: streamingUnsigned}, trailer: map[string]string{}}
		r := &chunkReader{body: b, in: bufio.NewReaderSize(strings.NewReader(raw), maxLine),
			size: size, trailers: true, name: trailer, hash: sha256.New()}
		content, err := io.ReadAll(r)
		if err == nil && (int64(len(content)) != size || trailer != "" &&
			b.trailer[trailer] == "" && !strings.Contains(raw, trailer)) {
			t.Errorf("%q of %q with the trailer %v", content, raw, b.trailer)
		}
		if int64(len(content)) > size+minChunk {
			t.Errorf("%d bytes of a body of %d", len(content), size)
		}
		if again, err := io.ReadAll(r); len(again) > 0 || err != nil && r.err == nil {
			t.Errorf("%q came after the end, %v", again, err)
		}
	})
}
