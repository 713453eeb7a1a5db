package s3

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

type createUploadResult struct {
	XMLName  struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      text
	UploadID string `xml:"UploadId"`
}

func (q *request) createMultipartUpload(w http.ResponseWriter) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	header, err := keptHeader(q.Header)
	if err != nil {
		return err
	}
	sum, err := uploadChecksum(q.Header.Get("X-Amz-Checksum-Algorithm"),
		strings.ToUpper(q.Header.Get("X-Amz-Checksum-Type")))
	if err != nil {
		return err
	}
	u := &objects.Upload{Key: q.key, Initiator: q.caller.ID, Header: header, Checksum: sum}
	if err := q.h.cfg.Objects.CreateUpload(q.Context(), q.name, u); err != nil {
		return err
	}
	if sum.Algorithm != "" {
		w.Header().Set("X-Amz-Checksum-Algorithm", sum.Algorithm)
		w.Header().Set("X-Amz-Checksum-Type", sum.Type)
	}
	return writeXML(w, createUploadResult{Bucket: q.name, Key: text(q.key), UploadID: u.ID})
}

// uploadChecksum returns the kind of the checksum that an upload has. Its value comes later.
func uploadChecksum(name, kind string) (sum objects.Checksum, err error) {
	var a checksum.Algorithm
	if name != "" {
		if a, err = parseAlgorithm(name); err != nil {
			return sum, err
		}
	}
	switch {
	case kind != "" && kind != checksum.FullObject && kind != checksum.Composite:
		return sum, invalidChecksumHeader("x-amz-checksum-type")
	case kind != "" && a == "":
		return sum, invalidRequest("The x-amz-checksum-type header can only be used with the " +
			"x-amz-checksum-algorithm header.")
	case kind == checksum.FullObject && !a.FullObject(),
		kind == checksum.Composite && a == checksum.CRC64NVME:
		return sum, invalidRequest("The %s checksum type cannot be used with the %s checksum "+
			"algorithm.", kind, strings.ToLower(string(a)))
	case kind == "" && a == checksum.CRC64NVME:
		kind = checksum.FullObject
	case kind == "" && a != "":
		kind = checksum.Composite
	}
	return objects.Checksum{Algorithm: string(a), Type: kind}, nil
}

// upload returns the upload that a request is about.
func (q *request) upload() (*objects.Upload, error) {
	return q.h.cfg.Objects.Upload(q.Context(), q.name, q.key, q.query.Get("uploadId"))
}

// ownUpload returns the upload that a request aborts, or whose parts it lists. Amplify's rules do
// not mention these actions; S3 allows them to the one who began the upload ("Multipart upload API
// and permissions"). Only who may write the object learns that there is no such upload.
func (q *request) ownUpload(action string) (*objects.Upload, error) {
	u, err := q.upload()
	missing := errors.Is(err, objects.ErrNoUpload)
	switch {
	case err != nil && !missing,
		missing && q.allows(q.name, access.Write, q.key) == nil,
		!missing && u.Initiator == q.caller.ID:
		return u, err
	}
	return u, errors.Join(q.adminOnly(action), err)
}

func (q *request) abortMultipartUpload(w http.ResponseWriter) error {
	u, err := q.ownUpload("AbortMultipartUpload")
	if err != nil {
		return err
	}
	if err := q.h.cfg.Objects.Abort(q.Context(), q.name, q.key, u.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type completeResult struct {
	XMLName  struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      text
	ETag     string
	checksumXML
}

func (q *request) completeMultipartUpload(w http.ResponseWriter) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	var in completeRequest
	if err := readXML(q.content, "CompleteMultipartUpload", &in); err != nil {
		return err
	}
	if len(in.Parts) == 0 {
		return malformedXML()
	}
	algorithm, value, err := headerSum(q.Header)
	if err != nil {
		return err
	}
	if algorithm != "" {
		sum, count, composite := strings.Cut(value, "-")
		_, err := strconv.ParseUint(count, 10, 31)
		if !algorithm.Valid(sum) || composite && err != nil {
			return invalidChecksumHeader(algorithm.Header())
		}
	}
	complete := func(u *objects.Upload, parts map[int]objects.Part,
		old *objects.Object) (*objects.Object, error) {
		if err := q.mayReplace(old); err != nil {
			return nil, err
		}
		return q.assemble(u, parts, in.Parts, algorithm, value)
	}
	o, err := q.h.cfg.Objects.Complete(q.Context(), q.name, q.key, q.query.Get("uploadId"),
		complete)
	if err != nil {
		return err
	}
	return writeXML(w, completeResult{Location: q.location(), Bucket: q.name, Key: text(q.key),
		ETag: o.ETag, checksumXML: sumXML(o.Checksum)})
}

// location returns the address of the object.
func (q *request) location() string {
	scheme := "http"
	if q.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + q.Host + q.URL.EscapedPath()
}
