package s3

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// openSource opens the object that the header X-Amz-Copy-Source names, if the caller may read it.
func (q *request) openSource() (*objects.Reader, error) {
	header := q.Header.Get("X-Amz-Copy-Source")
	name, version, _ := strings.Cut(header, "?versionId=")
	decoded, err := url.QueryUnescape(name)
	if err != nil {
		return nil, invalidArgument("x-amz-copy-source", header, "Invalid copy source encoding")
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(decoded, "/"), "/")
	switch {
	case !ValidBucketName(bucket):
		return nil, invalidArgument("x-amz-copy-source", header, "Invalid copy source bucket name")
	case key == "":
		return nil, invalidArgument("x-amz-copy-source", header, "Invalid copy source object key")
	}
	if version != "" {
		if err := q.checkVersion("GetObjectVersion", version); err != nil {
			return nil, err
		}
	}
	if o := q.Header.Get("X-Amz-Source-Expected-Bucket-Owner"); o != "" && o != Account {
		return nil, accessDenied("Access Denied.")
	}
	if err := q.allows(bucket, access.Get, key); err != nil {
		return nil, err
	}
	r, err := q.open(bucket, key)
	if err != nil {
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
	from, to := io.Pipe()
	go func() { _ = to.CloseWithError(r.WriteTo(to, s.from, s.size)) }()
	defer func() { _ = from.Close() }()
	blob, size, err := q.h.cfg.Objects.Write(io.TeeReader(from, sum))
	if err != nil {
		return objects.Part{}, err
	}
	return sum.part(blob, size, a), nil
}

type copyResult struct {
	XMLName      struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
	ETag         string
	LastModified timestamp
	checksumXML
}

type copyPartResult struct {
	XMLName      struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyPartResult"`
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
	r, err := q.openSource()
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
		} else if q.sameObject(r) {
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
		return errors.Join(q.orNoBucket(err), q.h.cfg.Objects.Discard(part.Blob))
	}
	return writeXML(w, copyResult{ETag: o.ETag, LastModified: timestamp(o.Modified),
		checksumXML: sumXML(o.Checksum)})
}

// sameObject tells whether the source is what will be replaced.
func (q *request) sameObject(r *objects.Reader) bool {
	name, _, _ := strings.Cut(q.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	decoded, err := url.QueryUnescape(name)
	return err == nil && strings.TrimPrefix(decoded, "/") == q.name+"/"+r.Object.Key &&
		r.Object.Key == q.key
}

func (q *request) uploadPartCopy(w http.ResponseWriter) (err error) {
	if err := q.allows(q.name, access.Write, q.key); err != nil {
		return err
	}
	number, err := q.partToUpload()
	if err != nil {
		return err
	}
	r, err := q.openSource()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	u, err := q.upload()
	if err != nil {
		return err
	}
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
				"and "+
				"last bytes to copy")
	case to >= size:
		return section{}, invalidArgument("x-amz-copy-source-range", fmt.Sprint(size),
			fmt.Sprintf("Range specified is not valid for source object of size: %d", size))
	}
	return section{from: from, size: to - from + 1}, nil
}
