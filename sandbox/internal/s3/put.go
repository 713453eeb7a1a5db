package s3

import (
	"errors"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// mayWrite tells whether the caller may write the object, with what the headers ask for.
func (q *request) mayWrite() error {
	if err := q.allows(q.name, access.Write, q.key); err != nil {
		return err
	}
	for _, name := range []string{"partNumber", "versionId"} { // of other operations
		if q.query.Has(name) {
			return invalidArgument(name, q.query.Get(name),
				"This operation does not accept a "+name+".")
		}
	}
	if q.Header.Get("If-Match") != "" { // a write with it tells something about the object
		if err := q.allows(q.name, access.Get, q.key); err != nil {
			return err
		}
	}
	for name := range q.Header {
		lower := strings.ToLower(name)
		switch {
		case lower == tagging:
			if err := q.adminOnly("PutObjectTagging"); err != nil {
				return err
			}
		case lower == "x-amz-acl" || strings.HasPrefix(lower, "x-amz-grant-"):
			if err := q.adminOnly("PutObjectAcl"); err != nil {
				return err
			}
			return notImplemented(name)
		case strings.HasPrefix(lower, "x-amz-object-lock-"):
			return invalidRequest("Bucket is missing ObjectLockConfiguration")
		}
	}
	return nil
}

// mayReplace checks the conditions of a write against the object that will be replaced, or nil.
func (q *request) mayReplace(old *objects.Object) error {
	match, none := q.Header.Get("If-Match"), q.Header.Get("If-None-Match")
	switch {
	case none != "" && (none != "*" || match != ""):
		return notImplemented("If-None-Match")
	case match != "" && old == nil:
		return noSuchKey(q.key)
	case match != "" && !matchesETag(match, old.ETag):
		return preconditionFailed("If-Match")
	case none != "" && old != nil:
		return preconditionFailed("If-None-Match")
	}
	return nil
}

func (q *request) putObject(w http.ResponseWriter) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	header, err := keptHeader(q.Header)
	if err != nil {
		return err
	}
	p, err := promised(q.Header)
	if err != nil {
		return err
	}
	part, err := q.receive(p, p.algorithm)
	if err != nil {
		return err
	}
	o := objectOf(q.key, part, header)
	if err := q.h.cfg.Objects.Put(q.Context(), q.name, o, q.mayReplace); err != nil {
		return errors.Join(err, q.h.cfg.Objects.Discard(part.Blob))
	}
	w.Header().Set("ETag", o.ETag)
	setChecksum(w.Header(), o.Checksum)
	w.WriteHeader(http.StatusOK)
	return nil
}

// objectOf makes an object of one part.
func objectOf(key string, part objects.Part, header map[string]string) *objects.Object {
	return &objects.Object{Key: key, Size: part.Size, ETag: part.ETag, Header: header,
		Checksum: part.Checksum, Parts: []objects.Part{part}}
}

// setChecksum sets the headers for a checksum.
func setChecksum(header http.Header, c objects.Checksum) {
	if c.Value != "" {
		header.Set(checksum.Algorithm(c.Algorithm).Header(), c.Value)
		header.Set("X-Amz-Checksum-Type", c.Type)
	}
}
