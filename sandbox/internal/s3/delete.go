package s3

import (
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

func (q *request) deleteObject(w http.ResponseWriter) error {
	if err := q.onlyVersion("DeleteObjectVersion"); err != nil {
		return err
	}
	if err := q.allows(q.name, access.Delete, q.key); err != nil {
		return err
	}
	if q.Header.Get("If-Match") != "" { // a deletion with it tells something about the object
		if err := q.allows(q.name, access.Get, q.key); err != nil {
			return err
		}
	}
	err := q.h.cfg.Objects.Delete(q.Context(), q.name, q.key, func(old *objects.Object) error {
		if match := q.Header.Get("If-Match"); match != "" && old != nil &&
			!matchesETag(match, old.ETag) {
			return preconditionFailed("If-Match")
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxDeleted is how many objects one request may delete.
const maxDeleted = 1000

type deleteRequest struct {
	Objects objectsToDelete `xml:"Object"`
	Quiet   bool
}

type objectToDelete struct {
	Key       *string
	VersionID string `xml:"VersionId"`
}

type objectsToDelete []objectToDelete

// UnmarshalXML adds one object.
func (o *objectsToDelete) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	return addElement((*[]objectToDelete)(o), maxDeleted, d, start)
}

type deleteResult struct {
	XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deleted
	Error   []deleteError
}

type deleted struct{ Key text }

type deleteError struct {
	Key     text
	Code    string
	Message text
}

func (q *request) deleteObjects(w http.ResponseWriter) error {
	p, err := promised(q.Header)
	if err != nil {
		return err
	}
	if p.md5 == "" && p.algorithm == "" {
		return invalidRequest("Missing required header for this request: Content-MD5 OR " +
			"x-amz-checksum-*")
	}
	s := newSums(p.algorithm)
	_, _ = s.Write(q.content)
	if err := s.check(p, q.body.trailer); err != nil {
		return err
	}
	var in deleteRequest
	if err := readXML(q.content, "Delete", &in); err != nil {
		return err
	}
	if len(in.Objects) == 0 {
		return malformedXML()
	}
	var out deleteResult
	for _, o := range in.Objects {
		if o.Key == nil || *o.Key == "" {
			return malformedXML()
		}
		err := q.allows(q.name, access.Delete, *o.Key)
		if o.VersionID != "" && err == nil {
			err = q.checkVersion("DeleteObjectVersion", o.VersionID)
		}
		if err == nil {
			err = q.h.cfg.Objects.Delete(q.Context(), q.name, *o.Key,
				func(*objects.Object) error { return nil })
		}
		var refused *Error
		switch {
		case errors.As(err, &refused):
			out.Error = append(out.Error, deleteError{text(*o.Key), refused.Code,
				text(refused.Message)})
		case err != nil:
			return err
		case !in.Quiet:
			out.Deleted = append(out.Deleted, deleted{text(*o.Key)})
		}
	}
	return writeXML(w, out)
}
