package s3

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// minPart is the size that all parts but the last must have.
const minPart = 5 << 20

// checksumXML has a checksum in the element of its algorithm.
type checksumXML struct {
	ChecksumCRC32     *string `xml:",omitempty"`
	ChecksumCRC32C    *string `xml:",omitempty"`
	ChecksumCRC64NVME *string `xml:",omitempty"`
	ChecksumMD5       *string `xml:",omitempty"`
	ChecksumSHA1      *string `xml:",omitempty"`
	ChecksumSHA256    *string `xml:",omitempty"`
	ChecksumSHA512    *string `xml:",omitempty"`
	ChecksumXXHASH128 *string `xml:",omitempty"`
	ChecksumXXHASH3   *string `xml:",omitempty"`
	ChecksumXXHASH64  *string `xml:",omitempty"`
	ChecksumType      string  `xml:",omitempty"`
}

// element returns the element of an algorithm.
func (c *checksumXML) element(a checksum.Algorithm) **string {
	switch a {
	case checksum.CRC32:
		return &c.ChecksumCRC32
	case checksum.CRC32C:
		return &c.ChecksumCRC32C
	case checksum.CRC64NVME:
		return &c.ChecksumCRC64NVME
	case checksum.MD5:
		return &c.ChecksumMD5
	case checksum.SHA1:
		return &c.ChecksumSHA1
	case checksum.SHA256:
		return &c.ChecksumSHA256
	case checksum.SHA512:
		return &c.ChecksumSHA512
	case checksum.XXHASH128:
		return &c.ChecksumXXHASH128
	case checksum.XXHASH3:
		return &c.ChecksumXXHASH3
	default:
		return &c.ChecksumXXHASH64
	}
}

func sumXML(c objects.Checksum) (x checksumXML) {
	if c.Value != "" {
		*x.element(checksum.Algorithm(c.Algorithm)) = &c.Value
		x.ChecksumType = c.Type
	}
	return x
}

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
		return q.orNoBucket(err)
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

// partToUpload returns the number of the part that a request is about.
func (q *request) partToUpload() (int, error) {
	text := q.query.Get("partNumber")
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > objects.MaxParts {
		return 0, invalidPartNumber(text)
	}
	return number, nil
}

// upload returns the upload that a request is about.
func (q *request) upload() (*objects.Upload, error) {
	u, err := q.h.cfg.Objects.Upload(q.Context(), q.name, q.key, q.query.Get("uploadId"))
	return u, q.orNoUpload(err)
}

func (q *request) orNoUpload(err error) error {
	if errors.Is(err, objects.ErrNoUpload) {
		return noSuchUpload(q.query.Get("uploadId"))
	}
	return err
}

func (q *request) uploadPart(w http.ResponseWriter) error {
	if err := q.allows(q.name, access.Write, q.key); err != nil {
		return err
	}
	number, err := q.partToUpload()
	if err != nil {
		return err
	}
	u, err := q.upload()
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
		return errors.Join(q.orNoUpload(err), q.h.cfg.Objects.Discard(part.Blob))
	}
	*part = p.Part
	return nil
}

// mayEnd tells whether the caller may abort the upload or list its parts. Amplify's rules do not
// mention that; S3 lets the one who began it ("Multipart upload API and permissions").
func (q *request) mayEnd(u *objects.Upload, action string) error {
	if u.Initiator == q.caller.ID {
		return nil
	}
	return q.adminOnly(action)
}

// ownUpload returns the upload, unless it is another's. Who may not know about it is refused as if
// there were none to abort or list.
func (q *request) ownUpload(action string) (*objects.Upload, error) {
	u, err := q.upload()
	var missing *Error
	if errors.As(err, &missing) {
		if refused := q.allows(q.name, access.Write, q.key); refused != nil {
			return nil, q.adminOnly(action)
		}
	}
	if err != nil {
		return nil, err
	}
	return u, q.mayEnd(u, action)
}

func (q *request) abortMultipartUpload(w http.ResponseWriter) error {
	u, err := q.ownUpload("AbortMultipartUpload")
	if err != nil {
		return err
	}
	if err := q.h.cfg.Objects.Abort(q.Context(), q.name, q.key, u.ID); err != nil {
		return q.orNoUpload(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type completeRequest struct {
	Part []struct {
		PartNumber *int
		ETag       *string
		checksumXML
	}
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
	if len(in.Part) == 0 || len(in.Part) > objects.MaxParts {
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
		return q.assemble(u, parts, in, algorithm, value)
	}
	o, err := q.h.cfg.Objects.Complete(q.Context(), q.name, q.key, q.query.Get("uploadId"),
		complete)
	if err != nil {
		return q.orNoUpload(q.orNoBucket(err))
	}
	return writeXML(w, completeResult{Location: q.location(), Bucket: q.name, Key: text(q.key),
		ETag: o.ETag, checksumXML: sumXML(o.Checksum)})
}

// check tells whether the list of parts is complete and in order.
func (in completeRequest) check() error {
	last := 0
	for _, p := range in.Part {
		switch {
		case p.PartNumber == nil || p.ETag == nil:
			return malformedXML()
		case *p.PartNumber < 1:
			return invalidArgument("PartNumber", fmt.Sprint(*p.PartNumber),
				"PartNumber must be >= 1")
		case *p.PartNumber <= last:
			return badRequest("InvalidPartOrder",
				"The list of parts was not in ascending order. Parts must be ordered by part "+
					"number.")
		}
		last = *p.PartNumber
	}
	return nil
}

// location returns the address of the object.
func (q *request) location() string {
	scheme := "http"
	if q.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + q.Host + q.URL.EscapedPath()
}

// assemble makes the object of an upload from the parts that the caller lists. algorithm and value
// are what they say of its checksum, if anything.
func (q *request) assemble(u *objects.Upload, parts map[int]objects.Part, in completeRequest,
	algorithm checksum.Algorithm, value string,
) (*objects.Object, error) {
	kind := strings.ToUpper(q.Header.Get("X-Amz-Checksum-Type"))
	if kind != "" && kind != checksum.FullObject && kind != checksum.Composite {
		return nil, invalidChecksumHeader("x-amz-checksum-type")
	}
	if kind != "" && kind != u.Checksum.Type {
		return nil, invalidRequest("The upload was created using the %s checksum mode. The "+
			"complete request must use the same checksum mode.",
			orNull(u.Checksum.Type))
	}
	sum := u.Checksum
	if sum.Algorithm == "" {
		sum = objects.Checksum{Algorithm: string(checksum.CRC64NVME), Type: checksum.FullObject}
	}
	if algorithm != "" && string(algorithm) != sum.Algorithm {
		return nil, otherChecksum(u.Checksum.Algorithm, string(algorithm))
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	o := &objects.Object{Header: u.Header, Multipart: true}
	digests, sums := md5.New(), []string{}
	for i, p := range in.Part {
		number := *p.PartNumber
		part, ok := parts[number]
		if !ok || !matchesETag(*p.ETag, part.ETag) {
			return nil, invalidPart(u.ID, number, *p.ETag)
		}
		if i < len(in.Part)-1 && part.Size < minPart {
			return nil, badRequest("EntityTooSmall",
				"Your proposed upload is smaller than the minimum allowed size",
				"ProposedSize", fmt.Sprint(part.Size), "MinSizeAllowed", fmt.Sprint(minPart),
				"PartNumber", fmt.Sprint(number), "ETag", part.ETag)
		}
		if err := checkPart(u, number, p.checksumXML, part); err != nil {
			return nil, err
		}
		digest, err := hex.DecodeString(strings.Trim(part.ETag, `"`))
		if err != nil {
			return nil, err
		}
		digests.Write(digest)
		partSum := part.Checksum.Value
		if u.Checksum.Algorithm == "" {
			partSum = part.CRC64NVME
		}
		if sums = append(sums, partSum); sum.Type == checksum.FullObject {
			if i == 0 {
				sum.Value = partSum
			} else {
				sum.Value = checksum.Algorithm(sum.Algorithm).Append(sum.Value, partSum, part.Size)
			}
		}
		o.Size += part.Size
		o.Parts = append(o.Parts, part)
	}
	if sum.Type == checksum.Composite {
		sum.Value = checksum.Algorithm(sum.Algorithm).Composed(sums)
		if value != "" && !strings.Contains(value, "-") {
			value = fmt.Sprintf("%s-%d", value, len(sums))
		}
	}
	if value != "" && value != sum.Value {
		return nil, badDigest(algorithm)
	}
	if err := checkSize(q.Header.Get("X-Amz-Mp-Object-Size"), o.Size); err != nil {
		return nil, err
	}
	o.Checksum = sum
	o.ETag = fmt.Sprintf(`"%x-%d"`, digests.Sum(nil), len(in.Part))
	return o, nil
}

// checkSize compares the size of an object with what the caller says, if anything.
func checkSize(said string, size int64) error {
	n, err := strconv.ParseInt(said, 10, 64)
	switch {
	case said == "" || err == nil && n == size:
		return nil
	case err != nil:
		return invalidRequest("Value for x-amz-mp-object-size header is invalid: '%s'", said)
	case n < 0:
		return invalidRequest("Value for x-amz-mp-object-size header is less than zero: '%d'", n)
	}
	return invalidRequest("The provided 'x-amz-mp-object-size' header value %d does not match "+
		"what was computed: %d", n, size)
}

func invalidPart(upload string, number int, etag string) *Error {
	return badRequest("InvalidPart", "One or more of the specified parts could not be found.  "+
		"The part may not have been uploaded, or the "+
		"specified entity tag may not match the part's entity tag.", "UploadId", upload,
		"PartNumber", fmt.Sprint(number), "ETag", etag)
}

// checkPart compares what the caller says of a part with what was uploaded.
func checkPart(u *objects.Upload, number int, said checksumXML, part objects.Part) error {
	var algorithm checksum.Algorithm
	var all string
	count := 0
	for _, a := range checksum.All() {
		if value := *said.element(a); value != nil {
			count++
			algorithm = a
			all += fmt.Sprintf("%s:%s;", a, *value)
		}
	}
	if count == 0 {
		if u.Checksum.Type == checksum.Composite {
			name := strings.ToLower(u.Checksum.Algorithm)
			return invalidRequest("The upload was created using a %s checksum. The complete "+
				"request must include the checksum for each part. "+
				"It was missing for part %d in the request.", name, number)
		}
		return nil
	}
	const message = "Invalid Base64 or multiple checksums present in request"
	value := **said.element(algorithm)
	switch {
	case count > 1:
		return invalidArgument("Checksum", all, message)
	case !algorithm.Valid(value):
		return invalidArgument("Checksum", value, message)
	case string(algorithm) != part.Checksum.Algorithm:
		return badRequest("BadDigest", fmt.Sprintf(
			"The %s you specified for part %d did not match what we received.",
			strings.ToLower(string(algorithm)), number))
	case value != part.Checksum.Value:
		return invalidPart(u.ID, number, part.ETag)
	}
	return nil
}

type partsResult struct {
	XMLName              struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  text
	UploadID             string `xml:"UploadId"`
	Initiator, Owner     *ownerXML
	StorageClass         string
	ChecksumAlgorithm    string `xml:",omitempty"`
	ChecksumType         string `xml:",omitempty"`
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Part                 []partXML
}

type partXML struct {
	PartNumber   int
	LastModified timestamp
	ETag         string
	Size         int64
	checksumXML
}

func (q *request) listParts(w http.ResponseWriter) error {
	u, err := q.ownUpload("ListMultipartUploadParts")
	if err != nil {
		return err
	}
	limit, err := q.limit("max-parts")
	if err != nil {
		return err
	}
	marker, err := strconv.Atoi(q.query.Get("part-number-marker"))
	if text := q.query.Get("part-number-marker"); text != "" && (err != nil || marker < 0) {
		return invalidArgument("part-number-marker", text,
			"Provided part-number-marker not an integer or within integer range")
	}
	parts, err := q.h.cfg.Objects.Parts(q.Context(), u.ID, marker, limit+1)
	if err != nil {
		return err
	}
	out := partsResult{Bucket: q.name, Key: text(q.key), UploadID: u.ID, Initiator: owner(),
		Owner: owner(), StorageClass: "STANDARD",
		ChecksumAlgorithm: u.Checksum.Algorithm, ChecksumType: u.Checksum.Type,
		PartNumberMarker: marker, MaxParts: limit,
		IsTruncated: len(parts) > limit && limit > 0}
	for _, p := range parts[:min(limit, len(parts))] {
		x := partXML{PartNumber: p.Number, LastModified: timestamp(p.Modified), ETag: p.ETag,
			Size: p.Size}
		if u.Checksum.Algorithm != "" {
			x.checksumXML = sumXML(p.Checksum)
			x.ChecksumType = ""
		}
		out.Part = append(out.Part, x)
		out.NextPartNumberMarker = p.Number
	}
	return writeXML(w, out)
}

type uploadsResult struct {
	XMLName            struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          text
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      text   `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Prefix             text
	Delimiter          text   `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Upload             []uploadXML
	CommonPrefixes     []prefixXML
}

type uploadXML struct {
	Key               text
	UploadID          string `xml:"UploadId"`
	Initiator, Owner  *ownerXML
	StorageClass      string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Initiated         timestamp
}

func (q *request) listMultipartUploads(w http.ResponseWriter) error {
	if err := q.adminOnly("ListBucketMultipartUploads"); err != nil {
		return err
	}
	e, err := q.encoding()
	if err != nil {
		return err
	}
	limit, err := q.limit("max-uploads")
	if err != nil {
		return err
	}
	query := objects.Query{Prefix: q.query.Get("prefix"), Delimiter: q.query.Get("delimiter"),
		After: q.query.Get("key-marker"), Limit: limit}
	id := q.query.Get("upload-id-marker")
	page, err := q.h.cfg.Objects.ListUploads(q.Context(), q.name, query, id)
	if err != nil {
		return q.orNoBucket(err)
	}
	out := uploadsResult{Bucket: q.name, KeyMarker: e.key(query.After), UploadIDMarker: id,
		NextKeyMarker: e.key(page.Next),
		Prefix:        e.key(query.Prefix), Delimiter: e.key(query.Delimiter),
		EncodingType: e.name(),
		MaxUploads:   limit, IsTruncated: page.Next != ""}
	for _, u := range page.Entries {
		out.Upload = append(out.Upload, uploadXML{Key: e.key(u.Key), UploadID: u.ID,
			Initiator: owner(), Owner: owner(), StorageClass: "STANDARD",
			ChecksumAlgorithm: u.Checksum.Algorithm, ChecksumType: u.Checksum.Type,
			Initiated: timestamp(u.Created)})
		if u.Key == page.Next {
			out.NextUploadIDMarker = u.ID
		}
	}
	for _, p := range page.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{e.key(p)})
	}
	return writeXML(w, out)
}
