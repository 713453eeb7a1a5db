package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// minPart is the size that all parts but the last must have.
const minPart = 5 << 20

type completeRequest struct {
	Parts completeParts `xml:"Part"`
}

type completePart struct {
	PartNumber *int
	ETag       *string
	checksumXML
}

// completeParts are the parts that a caller lists.
type completeParts []completePart

// UnmarshalXML adds one part.
func (c *completeParts) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	return addElement((*[]completePart)(c), objects.MaxParts, d, start)
}

// check tells whether the list of parts is complete and in order.
func (c completeParts) check() error {
	last := 0
	for _, p := range c {
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

// assemble makes the object of an upload from the parts that the caller lists. algorithm and value
// are what they say of its checksum, if anything.
func (q *request) assemble(u *objects.Upload, parts map[int]objects.Part, in completeParts,
	algorithm checksum.Algorithm, value string,
) (*objects.Object, error) {
	if err := checkKind(u, strings.ToUpper(q.Header.Get("X-Amz-Checksum-Type"))); err != nil {
		return nil, err
	}
	sum := u.Checksum
	if sum.Algorithm == "" {
		sum = objects.Checksum{Algorithm: string(checksum.CRC64NVME), Type: checksum.FullObject}
	}
	if algorithm != "" && string(algorithm) != sum.Algorithm {
		return nil, otherChecksum(u.Checksum.Algorithm, string(algorithm))
	}
	chosen, err := in.choose(u, parts)
	if err != nil {
		return nil, err
	}
	sum.Value = wholeSum(sum, chosen)
	if value != "" && sum.Type == checksum.Composite && !strings.Contains(value, "-") {
		value = fmt.Sprintf("%s-%d", value, len(chosen))
	}
	if value != "" && value != sum.Value {
		return nil, badDigest(algorithm)
	}
	o := &objects.Object{Header: u.Header, Checksum: sum, Parts: chosen, Multipart: true}
	for _, p := range chosen {
		o.Size += p.Size
	}
	if err := checkSize(q.Header.Get("X-Amz-Mp-Object-Size"), o.Size); err != nil {
		return nil, err
	}
	o.ETag, err = etagOf(chosen)
	return o, err
}

// checkKind compares the type of an upload's checksum with what the caller says, if anything.
func checkKind(u *objects.Upload, said string) error {
	switch said {
	case "", u.Checksum.Type:
		return nil
	case checksum.FullObject, checksum.Composite:
		return invalidRequest("The upload was created using the %s checksum mode. The complete "+
			"request must use the same checksum mode.", orNull(u.Checksum.Type))
	}
	return invalidChecksumHeader("x-amz-checksum-type")
}

// choose returns the parts that the caller lists.
func (c completeParts) choose(u *objects.Upload, parts map[int]objects.Part) ([]objects.Part,
	error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	var chosen []objects.Part
	for i, p := range c {
		number := *p.PartNumber
		part, ok := parts[number]
		if !ok || !matchesETag(*p.ETag, part.ETag) {
			return nil, invalidPart(u.ID, number, *p.ETag)
		}
		if i < len(c)-1 && part.Size < minPart {
			return nil, badRequest("EntityTooSmall",
				"Your proposed upload is smaller than the minimum allowed size",
				"ProposedSize", fmt.Sprint(part.Size), "MinSizeAllowed", fmt.Sprint(minPart),
				"PartNumber", fmt.Sprint(number), "ETag", part.ETag)
		}
		if err := checkPart(u, number, p.checksumXML, part); err != nil {
			return nil, err
		}
		chosen = append(chosen, part)
	}
	return chosen, nil
}

// wholeSum returns the value of a checksum of parts.
func wholeSum(c objects.Checksum, parts []objects.Part) (whole string) {
	a := checksum.Algorithm(c.Algorithm)
	var sums []string
	for i, p := range parts {
		sum := p.Checksum.Value
		if a == checksum.CRC64NVME { // which parts of uploads without an algorithm have, too
			sum = p.CRC64NVME
		}
		sums = append(sums, sum)
		switch {
		case c.Type == checksum.Composite:
		case i == 0:
			whole = sum
		default:
			whole = a.Append(whole, sum, p.Size)
		}
	}
	if c.Type == checksum.Composite {
		return a.Composed(sums)
	}
	return whole
}

// etagOf returns the entity tag of an object that was uploaded in parts.
func etagOf(parts []objects.Part) (string, error) {
	digests := md5.New()
	for _, p := range parts {
		digest, err := hex.DecodeString(strings.Trim(p.ETag, `"`))
		if err != nil {
			return "", err
		}
		digests.Write(digest)
	}
	return fmt.Sprintf(`"%x-%d"`, digests.Sum(nil), len(parts)), nil
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
