package s3

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
)

func sumOf(a checksum.Algorithm, content string) string {
	h := a.New()
	h.Write([]byte(content))
	return checksum.Encode(h)
}

// upload uploads an object in parts, as ann, with an algorithm and a type unless they are empty.
func (s *server) upload(t *testing.T, key string, a checksum.Algorithm, kind string,
	parts ...string) {
	t.Helper()
	var header []string
	if a != "" {
		header = []string{"X-Amz-Checksum-Algorithm", string(a), "X-Amz-Checksum-Type", kind}
	}
	var created struct {
		UploadID string `xml:"UploadId"`
	}
	answer := s.call(t, ann, "POST", "/bucket/"+key+"?uploads", "", header...)
	if err := xml.Unmarshal([]byte(answer.body), &created); err != nil {
		t.Fatal(err)
	}
	list := "<CompleteMultipartUpload>"
	for i, p := range parts {
		var header []string
		said := ""
		if a != "" {
			header = []string{a.Header(), sumOf(a, p)}
			said = fmt.Sprintf("<Checksum%s>%s</Checksum%[1]s>", a, sumOf(a, p))
		}
		put := s.call(t, ann, "PUT", fmt.Sprintf("/bucket/%s?uploadId=%s&partNumber=%d", key,
			created.UploadID, i+1), p, header...)
		put.want(t, "a part", 200, "")
		list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag>%s</Part>", i+1,
			put.Header.Get("ETag"), said)
	}
	s.call(t, ann, "POST", "/bucket/"+key+"?uploadId="+created.UploadID,
		list+"</CompleteMultipartUpload>").want(t, "complete", 200, "")
}

// TestChecksumsOfAnswers: who asks for it gets the checksum of what the answer has: of the whole
// object, or of the part that they name, but of no other section.
func TestChecksumsOfAnswers(t *testing.T) {
	const plain, small = "content", "end"
	large := strings.Repeat("x", minPart)
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/plain", plain).want(t, "put", 200, "")
	s.call(t, ann, "PUT", "/bucket/ann/crc32", plain, checksum.CRC32.Header(),
		sumOf(checksum.CRC32, plain)).want(t, "put", 200, "")
	s.upload(t, "ann/parts", "", "", large, small)
	s.upload(t, "ann/full", checksum.CRC32, checksum.FullObject, large, small)
	s.upload(t, "ann/composite", checksum.SHA256, checksum.Composite, large, small)
	composite := checksum.SHA256.Composed([]string{sumOf(checksum.SHA256, large),
		sumOf(checksum.SHA256, small)})
	type sums map[checksum.Algorithm]string
	for _, c := range []struct {
		target string
		bytes  string // the range
		want   sums
		kind   string
	}{
		{"plain", "", sums{checksum.CRC64NVME: sumOf(checksum.CRC64NVME, plain)}, "FULL_OBJECT"},
		{"crc32", "", sums{checksum.CRC32: sumOf(checksum.CRC32, plain)}, "FULL_OBJECT"},
		{"crc32", "0-", sums{checksum.CRC32: sumOf(checksum.CRC32, plain)}, "FULL_OBJECT"},
		{"crc32", "1-", sums{}, ""},
		{"crc32", "0-2", sums{}, ""},
		{"crc32?partNumber=1", "", sums{checksum.CRC32: sumOf(checksum.CRC32, plain)},
			"FULL_OBJECT"},
		{"parts", "", sums{checksum.CRC64NVME: sumOf(checksum.CRC64NVME, large+small)},
			"FULL_OBJECT"},
		{"full", "", sums{checksum.CRC32: sumOf(checksum.CRC32, large+small)}, "FULL_OBJECT"},
		{"full?partNumber=2", "", sums{checksum.CRC32: sumOf(checksum.CRC32, small)},
			"FULL_OBJECT"},
		{"full", "0-2", sums{}, ""},
		{"composite", "", sums{checksum.SHA256: composite}, "COMPOSITE"},
		{"composite?partNumber=2", "", sums{checksum.SHA256: sumOf(checksum.SHA256, small)},
			"COMPOSITE"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			for _, mode := range []string{"ENABLED", ""} {
				var header []string
				if c.bytes != "" {
					header = append(header, "Range", "bytes="+c.bytes)
				}
				want, kind := sums{}, ""
				if mode != "" {
					header = append(header, "X-Amz-Checksum-Mode", mode)
					want, kind = c.want, c.kind
				}
				answer := s.call(t, ann, method, "/bucket/ann/"+c.target, "", header...)
				got := sums{}
				for _, a := range checksum.All() {
					if v := answer.Header.Get(a.Header()); v != "" {
						got[a] = v
					}
				}
				if diff := cmp.Diff(want, got); diff != "" || answer.StatusCode >= 300 ||
					answer.Header.Get("X-Amz-Checksum-Type") != kind {
					t.Errorf("%s %s, %s, mode %q: %d %s %v", method, c.target, c.bytes, mode,
						answer.StatusCode, diff, answer.Header)
				}
			}
		}
	}
}

// TestAttributes: what GetObjectAttributes tells, and whom.
func TestAttributes(t *testing.T) {
	s := newServer(t)
	large := strings.Repeat("x", minPart)
	s.call(t, ann, "PUT", "/bucket/ann/plain", "content").want(t, "put", 200, "")
	s.upload(t, "ann/parts", checksum.CRC32, checksum.FullObject, large, "end")
	const all = "ETag, Checksum,ObjectParts,StorageClass,ObjectSize"
	for _, c := range []struct {
		key    string
		header []string
		want   string
	}{
		{"plain", []string{"X-Amz-Object-Attributes", all},
			"<ETag>9a0364b9e99bb480dd25e1f0284c8555</ETag><Checksum><ChecksumCRC64NVME>" +
				sumOf(checksum.CRC64NVME, "content") + "</ChecksumCRC64NVME><ChecksumType>" +
				"FULL_OBJECT</ChecksumType></Checksum><StorageClass>STANDARD</StorageClass>" +
				"<ObjectSize>7</ObjectSize>"},
		{"plain", []string{"X-Amz-Object-Attributes", "ObjectSize"}, "<ObjectSize>7</ObjectSize>"},
		{"parts", []string{"X-Amz-Object-Attributes", "ObjectParts", "X-Amz-Max-Parts", "1"},
			"<ObjectParts><PartsCount>2</PartsCount><PartNumberMarker>0</PartNumberMarker>" +
				"<NextPartNumberMarker>1</NextPartNumberMarker><MaxParts>1</MaxParts>" +
				"<IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber>" +
				"<Size>5242880</Size><ChecksumCRC32>" + sumOf(checksum.CRC32, large) +
				"</ChecksumCRC32></Part></ObjectParts>"},
		{"parts", []string{"X-Amz-Object-Attributes", "ObjectParts", "X-Amz-Part-Number-Marker",
			"2"},
			"<ObjectParts><PartsCount>2</PartsCount><PartNumberMarker>2</PartNumberMarker>" +
				"<NextPartNumberMarker>0</NextPartNumberMarker><MaxParts>1000</MaxParts>" +
				"<IsTruncated>false</IsTruncated></ObjectParts>"},
	} {
		a := s.call(t, admin, "GET", "/bucket/ann/"+c.key+"?attributes", "", c.header...)
		_, got, _ := strings.Cut(a.body, `xmlns="`+namespace+`">`)
		if got != c.want+"</GetObjectAttributesResponse>" ||
			a.Header.Get("Last-Modified") == "" {
			t.Errorf("%s %v: %s %v", c.key, c.header, a.body, a.Header)
		}
	}
	for _, c := range []struct {
		header []string
		code   string
	}{
		{nil, "InvalidRequest"},
		{[]string{"X-Amz-Object-Attributes", "ETag,Owner"}, "InvalidArgument"},
		{[]string{"X-Amz-Object-Attributes", "ETag", "X-Amz-Max-Parts", "-1"}, "InvalidArgument"},
		{[]string{"X-Amz-Object-Attributes", "ETag", "X-Amz-Part-Number-Marker", "x"},
			"InvalidArgument"},
	} {
		s.call(t, admin, "GET", "/bucket/ann/plain?attributes", "", c.header...).want(t,
			fmt.Sprint(c.header), 400, c.code)
	}
	s.call(t, admin, "GET", "/bucket/ann/none?attributes", "", "X-Amz-Object-Attributes",
		"ETag").want(t, "a missing object", 404, "NoSuchKey")
	s.call(t, ann, "GET", "/bucket/ann/plain?attributes", "", "X-Amz-Object-Attributes",
		"ETag").want(t, "a user", 403, "AccessDenied")
}
