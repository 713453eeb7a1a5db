package s3

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// source is the object that a copy reads.
type source struct{ bucket, key, version string }

// parseSource reads the header X-Amz-Copy-Source.
func (q *request) parseSource() (s source, err error) {
	const name = "x-amz-copy-source"
	header := q.Header.Get(name)
	escaped, version, _ := strings.Cut(header, "?versionId=")
	path, err := url.QueryUnescape(escaped)
	if err != nil {
		return s, invalidArgument(name, header, "Invalid copy source encoding")
	}
	s.version = version
	s.bucket, s.key, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case !ValidBucketName(s.bucket):
		return s, invalidArgument(name, header, "Invalid copy source bucket name")
	case s.key == "" || !utf8.ValidString(s.key):
		return s, invalidArgument(name, header, "Invalid copy source object key")
	}
	return s, nil
}

// openSource opens the object that a copy reads, if the caller may read it.
func (q *request) openSource(s source) (*objects.Reader, error) {
	if s.version != "" {
		if err := q.checkVersion("GetObjectVersion", s.version); err != nil {
			return nil, err
		}
	}
	if o := q.Header.Get("X-Amz-Source-Expected-Bucket-Owner"); o != "" && o != Account {
		return nil, accessDenied("Access Denied.")
	}
	if err := q.allows(s.bucket, access.Get, s.key); err != nil {
		return nil, err
	}
	r, err := q.h.cfg.Objects.Open(q.Context(), s.bucket, s.key)
	switch { // not the bucket and the key of the request
	case errors.Is(err, objects.ErrNoBucket):
		return nil, noSuchBucket(s.bucket)
	case errors.Is(err, objects.ErrNoObject):
		return nil, q.missing(s.bucket, s.key)
	case err != nil:
		return nil, err
	}
	if err := conditions(q.Header, "X-Amz-Copy-Source-", r.Object); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// duplicate copies a section of an object to a new part.
func (q *request) duplicate(r *objects.Reader, s section, a checksum.Algorithm) (objects.Part,
	error) {
	if s.size > maxObject {
		return objects.Part{}, invalidRequest(
			"The specified copy source is larger than the maximum allowable size for a copy "+
				"source: %d", int64(maxObject))
	}
	sum := newSums(a)
	blob, err := q.h.cfg.Objects.Write(func(w io.Writer) error {
		return r.WriteTo(io.MultiWriter(w, sum), s.from, s.size)
	})
	if err != nil {
		return objects.Part{}, err
	}
	return sum.part(blob, a), nil
}

type copyResult struct {
	XMLName      struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
	ETag         string
	LastModified timestamp
	checksumXML
}

func (q *request) copyObject(w http.ResponseWriter) (err error) {
	if err := q.mayWrite(); err != nil {
		return err
	}
	directive := q.Header.Get("X-Amz-Metadata-Directive")
	if directive != "" && directive != "COPY" && directive != "REPLACE" {
		return invalidArgument("x-amz-metadata-directive", directive, "Unknown metadata directive.")
	}
	if d := q.Header.Get("X-Amz-Tagging-Directive"); d != "" && d != "COPY" && d != "REPLACE" {
		return invalidArgument("x-amz-tagging-directive", d, "Unknown tagging directive.")
	}
	var algorithm checksum.Algorithm
	if name := q.Header.Get("X-Amz-Checksum-Algorithm"); name != "" {
		if algorithm, err = parseAlgorithm(name); err != nil {
			return err
		}
	}
	header, err := keptHeader(q.Header)
	if err != nil {
		return err
	}
	from, err := q.parseSource()
	if err != nil {
		return err
	}
	r, err := q.openSource(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	tags, tagged := r.Object.Header[tagging]
	if q.Header.Get("X-Amz-Tagging-Directive") == "REPLACE" {
		tags, tagged = header[tagging]
	}
	if tagged {
		if err := q.adminOnly("PutObjectTagging"); err != nil {
			return err
		}
	}
	if directive != "REPLACE" {
		location, given := header[redirect]
		header = maps.Clone(r.Object.Header)
		delete(header, redirect)
		if given {
			header[redirect] = location
		} else if from.bucket == q.name && from.key == q.key {
			return invalidRequest("This copy request is illegal because it is trying to copy an " +
				"object to itself without changing the object's metadata, storage class, website " +
				"redirect location or encryption attributes.")
		}
	}
	delete(header, tagging)
	if tagged {
		header[tagging] = tags
	}
	if algorithm == "" {
		algorithm = checksum.Algorithm(r.Object.Checksum.Algorithm)
	}
	part, err := q.duplicate(r, section{size: r.Object.Size}, algorithm)
	if err != nil {
		return err
	}
	o := objectOf(q.key, part, header)
	if err := q.h.cfg.Objects.Put(q.Context(), q.name, o, q.mayReplace); err != nil {
		return errors.Join(err, q.h.cfg.Objects.Discard(part.Blob))
	}
	return writeXML(w, copyResult{ETag: o.ETag, LastModified: timestamp(o.Modified),
		checksumXML: sumXML(o.Checksum)})
}
