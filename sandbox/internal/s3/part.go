package s3

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// partTarget returns the number of the part that a request uploads, and the upload that it is for.
func (q *request) partTarget() (number int, u *objects.Upload, err error) {
	if err := q.allows(q.name, access.Write, q.key); err != nil {
		return 0, nil, err
	}
	if number, err = parsePartNumber(q.query.Get("partNumber")); err != nil {
		return 0, nil, err
	}
	u, err = q.upload()
	return number, u, err
}

func parsePartNumber(text string) (int, error) {
	n, ok := parseOffset(text)
	if !ok || n < 1 || n > objects.MaxParts {
		return 0, invalidArgument("partNumber", text,
			"Part number must be an integer between 1 and 10000, inclusive.")
	}
	return int(n), nil
}

func (q *request) uploadPart(w http.ResponseWriter) error {
	number, u, err := q.partTarget()
	if err != nil {
		return err
	}
	p, err := promised(q.Header)
	if err != nil {
		return err
	}
	algorithm := p.algorithm
	if wanted := checksum.Algorithm(u.Checksum.Algorithm); wanted != "" && algorithm != wanted {
		if algorithm != "" || u.Checksum.Type == checksum.Composite {
			return otherChecksum(string(wanted), string(algorithm))
		}
		algorithm = wanted
	}
	part, err := q.receive(p, algorithm)
	if err != nil {
		return err
	}
	if err := q.addPart(u, number, &part); err != nil {
		return err
	}
	w.Header().Set("ETag", part.ETag)
	if algorithm != "" {
		w.Header().Set(algorithm.Header(), part.Checksum.Value)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// addPart adds a part to an upload, and sets its time.
func (q *request) addPart(u *objects.Upload, number int, part *objects.Part) error {
	p := &objects.NumberedPart{Number: number, Part: *part}
	if err := q.h.cfg.Objects.PutPart(q.Context(), q.name, q.key, u.ID, p); err != nil {
		return errors.Join(err, q.h.cfg.Objects.Discard(part.Blob))
	}
	*part = p.Part
	return nil
}

type copyPartResult struct {
	XMLName      struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyPartResult"`
	ETag         string
	LastModified timestamp
	checksumXML
}

func (q *request) uploadPartCopy(w http.ResponseWriter) (err error) {
	from, err := q.parseSource()
	if err != nil {
		return err
	}
	number, u, err := q.partTarget()
	if err != nil {
		return err
	}
	r, err := q.openSource(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s, err := copyRange(q.Header.Get("X-Amz-Copy-Source-Range"), r.Object.Size)
	if err != nil {
		return err
	}
	part, err := q.duplicate(r, s, checksum.Algorithm(u.Checksum.Algorithm))
	if err != nil {
		return err
	}
	if err := q.addPart(u, number, &part); err != nil {
		return err
	}
	out := copyPartResult{ETag: part.ETag, LastModified: timestamp(part.Modified)}
	if u.Checksum.Algorithm != "" {
		out.checksumXML = sumXML(part.Checksum)
		out.ChecksumType = ""
	}
	return writeXML(w, out)
}

// copyRange reads the header X-Amz-Copy-Source-Range.
func copyRange(header string, size int64) (section, error) {
	if header == "" {
		return section{size: size}, nil
	}
	text, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	from, ok := parseOffset(first)
	to, ok2 := parseOffset(last)
	switch {
	case !found || !dash || !ok || !ok2 || to < from:
		return section{}, invalidArgument("x-amz-copy-source-range", header,
			"The x-amz-copy-source-range value must be of the form "+
				"bytes=first-last where first and last are the zero-based offsets of the first "+
				"and last bytes to copy")
	case to >= size:
		return section{}, invalidArgument("x-amz-copy-source-range", fmt.Sprint(size),
			fmt.Sprintf("Range specified is not valid for source object of size: %d", size))
	}
	return section{from: from, size: to - from + 1}, nil
}
