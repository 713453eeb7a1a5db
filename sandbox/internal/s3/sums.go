package s3

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// promise is what a caller says of the sums of a body.
type promise struct {
	// algorithm is "" if there is none.
	algorithm checksum.Algorithm
	// value is "" if it comes in the trailer.
	value string
	md5   string
}

// headerSum returns the one checksum among the headers, which may be of
// an object that was made of parts. algorithm is "" if there is none.
func headerSum(header http.Header) (algorithm checksum.Algorithm, value string, err error) {
	for name, values := range header {
		text, found := strings.CutPrefix(strings.ToLower(name), "x-amz-checksum-")
		if !found || slices.Contains([]string{"type", "algorithm", "mode"}, text) {
			continue
		}
		a, ok := checksum.Parse(text)
		switch {
		case !ok:
			return "", "", invalidRequest(
				"The algorithm type you specified in x-amz-checksum- header is invalid.")
		case algorithm != "":
			return "", "", severalChecksums()
		}
		algorithm, value = a, values[0]
	}
	return algorithm, value, nil
}

// promised returns what the headers say of the body's sums.
func promised(header http.Header) (p promise, err error) {
	if values, ok := header["Content-Md5"]; ok {
		p.md5 = values[0]
		if sum, err := base64.StdEncoding.DecodeString(p.md5); err != nil || len(sum) != md5.Size {
			return p, badRequest("InvalidDigest", "The Content-Md5 you specified is not valid.",
				"Content-MD5", p.md5)
		}
	}
	if p.algorithm, p.value, err = headerSum(header); err != nil {
		return p, err
	}
	if trailer := strings.ToLower(header.Get("X-Amz-Trailer")); trailer != "" {
		a, ok := checksum.Parse(strings.TrimPrefix(trailer, "x-amz-checksum-"))
		switch {
		case p.algorithm != "":
			return p, severalChecksums()
		case !ok || a.Header() != trailer:
			return p, invalidRequest("The value specified in the x-amz-trailer header is not " +
				"supported")
		}
		p.algorithm = a
	} else if p.algorithm != "" && !p.algorithm.Valid(p.value) {
		return p, invalidChecksumHeader(p.algorithm.Header())
	}
	if name := header.Get("X-Amz-Sdk-Checksum-Algorithm"); name != "" {
		a, err := parseAlgorithm(name)
		switch {
		case err != nil:
			return p, err
		case p.algorithm == "":
			return p, invalidRequest("x-amz-sdk-checksum-algorithm specified, but no " +
				"corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
		case p.algorithm != a:
			return p, invalidChecksumHeader("x-amz-sdk-checksum-algorithm")
		}
	}
	return p, nil
}

// parseAlgorithm returns the algorithm with that name.
func parseAlgorithm(name string) (checksum.Algorithm, error) {
	a, ok := checksum.Parse(name)
	if !ok {
		valid := strings.ReplaceAll(fmt.Sprint(checksum.All()), " ", ", ")
		return "", invalidRequest("Checksum algorithm provided is unsupported. Please try again "+
			"with any of the valid types: %s", valid)
	}
	return a, nil
}

// sums are those of what is written to them.
type sums struct {
	size   int64
	md5    hash.Hash
	hashes map[checksum.Algorithm]hash.Hash
}

// newSums returns sums of an algorithm, and of those that are always needed.
func newSums(a checksum.Algorithm) *sums {
	s := &sums{md5: md5.New(), hashes: map[checksum.Algorithm]hash.Hash{
		checksum.CRC64NVME: checksum.CRC64NVME.New()}}
	if a != "" {
		s.hashes[a] = a.New()
	}
	return s
}

func (s *sums) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	s.md5.Write(p)
	for _, h := range s.hashes {
		h.Write(p)
	}
	return len(p), nil
}

func (s *sums) of(a checksum.Algorithm) string { return checksum.Encode(s.hashes[a]) }

func (s *sums) etag() string { return `"` + hex.EncodeToString(s.md5.Sum(nil)) + `"` }

// check tells whether the caller kept their promise.
func (s *sums) check(p promise, trailer map[string]string) error {
	if p.md5 != "" {
		if got := base64.StdEncoding.EncodeToString(s.md5.Sum(nil)); got != p.md5 {
			return badRequest("BadDigest",
				"The Content-MD5 you specified did not match what we received.",
				"CalculatedDigest", got, "ExpectedDigest", hexOf(p.md5))
		}
	}
	if p.algorithm == "" {
		return nil
	}
	if p.value == "" {
		p.value = trailer[p.algorithm.Header()]
		if !p.algorithm.Valid(p.value) {
			return invalidRequest("Value for %s trailing header is invalid.", p.algorithm.Header())
		}
	}
	if s.of(p.algorithm) != p.value {
		return badDigest(p.algorithm)
	}
	return nil
}

// hexOf returns in hexadecimal what is given in base64.
func hexOf(text string) string {
	sum, _ := base64.StdEncoding.DecodeString(text) // it was checked before
	return hex.EncodeToString(sum)
}

// part makes a part of a blob with these sums. With algorithm "" the checksum is CRC64NVME.
func (s *sums) part(blob string, a checksum.Algorithm) objects.Part {
	if a == "" {
		a = checksum.CRC64NVME
	}
	return objects.Part{Blob: blob, Size: s.size, ETag: s.etag(),
		CRC64NVME: s.of(checksum.CRC64NVME),
		Checksum: objects.Checksum{Algorithm: string(a), Type: checksum.FullObject,
			Value: s.of(a)}}
}

// receive writes the body to a blob, and checks it. The caller
// must discard the blob unless something becomes of it.
func (q *request) receive(p promise, a checksum.Algorithm) (objects.Part, error) {
	s := newSums(a)
	blob, err := q.h.cfg.Objects.Write(func(w io.Writer) error {
		_, err := io.Copy(io.MultiWriter(w, s), q.body)
		return err
	})
	if err != nil {
		return objects.Part{}, err
	}
	if err := s.check(p, q.body.trailer); err != nil {
		return objects.Part{}, errors.Join(err, q.h.cfg.Objects.Discard(blob))
	}
	return s.part(blob, a), nil
}
