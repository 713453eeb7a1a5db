package s3

import (
	"net/http"
	"strconv"

	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

type partsResult struct {
	XMLName              struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  text
	UploadID             string `xml:"UploadId"`
	Initiator, Owner     *ownerXML
	StorageClass         string
	ChecksumAlgorithm    string
	ChecksumType         string
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
	marker, err := parsePartMarker(q.query.Get("part-number-marker"))
	if err != nil {
		return err
	}
	parts, err := q.h.cfg.Objects.Parts(q.Context(), u.ID, marker, limit+1)
	if err != nil {
		return err
	}
	out := partsResult{Bucket: q.name, Key: text(q.key), UploadID: u.ID, Initiator: owner(),
		Owner: owner(), StorageClass: "STANDARD",
		ChecksumAlgorithm: orNull(u.Checksum.Algorithm), ChecksumType: orNull(u.Checksum.Type),
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

// parsePartMarker reads the number of the part after which a list of parts begins.
func parsePartMarker(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, invalidArgument("part-number-marker", text,
			"Provided part-number-marker not an integer or within integer range")
	}
	return int(n), nil
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
		return err
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
