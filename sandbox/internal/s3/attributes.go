package s3

import (
	"net/http"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

type attributesResult struct {
	XMLName      struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string   `xml:",omitempty"`
	Checksum     *checksumXML
	ObjectParts  *objectPartsXML
	StorageClass string `xml:",omitempty"`
	ObjectSize   *int64
}

type objectPartsXML struct {
	PartsCount           int
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Part                 []objectPartXML
}

type objectPartXML struct {
	PartNumber int
	Size       int64
	checksumXML
}

// attributes are those that [request.getObjectAttributes] can be asked for.
var attributes = []string{"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}

func (q *request) getObjectAttributes(w http.ResponseWriter) error {
	if err := q.adminOnly("GetObjectAttributes"); err != nil {
		return err
	}
	if err := q.onlyVersion("GetObjectVersionAttributes"); err != nil {
		return err
	}
	asked, err := askedAttributes(q.Header.Values("X-Amz-Object-Attributes"))
	if err != nil {
		return err
	}
	limit, err := parseLimit("x-amz-max-parts", q.Header.Get("X-Amz-Max-Parts"))
	if err != nil {
		return err
	}
	marker, err := parsePartMarker(q.Header.Get("X-Amz-Part-Number-Marker"))
	if err != nil {
		return err
	}
	r, err := q.h.cfg.Objects.Open(q.Context(), q.name, q.key)
	if err != nil {
		return err
	}
	o := r.Object
	if err := r.Close(); err != nil {
		return err
	}
	var out attributesResult
	for _, name := range asked {
		switch name {
		case "ETag":
			out.ETag = strings.Trim(o.ETag, `"`)
		case "Checksum":
			if x := sumXML(o.Checksum); x.ChecksumType != "" {
				out.Checksum = &x
			}
		case "ObjectParts":
			if o.Multipart {
				out.ObjectParts = partsXML(o, marker, limit)
			}
		case "StorageClass":
			out.StorageClass = "STANDARD"
		case "ObjectSize":
			out.ObjectSize = &o.Size
		}
	}
	w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	return writeXML(w, out)
}

// askedAttributes reads the header X-Amz-Object-Attributes.
func askedAttributes(header []string) ([]string, error) {
	text := strings.Join(header, ",")
	if text == "" {
		return nil, invalidRequest("The x-amz-object-attributes header specifying the attributes " +
			"to be retrieved is either missing or empty")
	}
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(attributes, name) {
			return nil, invalidArgument("x-amz-object-attributes", name,
				"Invalid attribute name specified.")
		}
		names = append(names, name)
	}
	return names, nil
}

// partsXML lists at most limit parts of an object, those after the number marker.
func partsXML(o *objects.Object, marker, limit int) *objectPartsXML {
	x := &objectPartsXML{PartsCount: len(o.Parts), PartNumberMarker: marker, MaxParts: limit}
	for i := marker; i < len(o.Parts); i++ {
		if len(x.Part) == limit {
			x.IsTruncated = true
			break
		}
		p := objectPartXML{PartNumber: i + 1, Size: o.Parts[i].Size}
		if o.Parts[i].Checksum.Algorithm == o.Checksum.Algorithm {
			p.checksumXML = sumXML(o.Parts[i].Checksum)
			p.ChecksumType = ""
		}
		x.Part = append(x.Part, p)
		x.NextPartNumberMarker = i + 1
	}
	return x
}
