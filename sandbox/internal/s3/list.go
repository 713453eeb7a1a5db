package s3

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// maxPage is how many entries an answer has at most.
const maxPage = 1000

// encoding writes keys as the caller asked for.
type encoding struct{ url bool }

func (q *request) encoding() (encoding, error) {
	switch e := q.query.Get("encoding-type"); e {
	case "":
		return encoding{}, nil
	case "url":
		return encoding{true}, nil
	default:
		return encoding{}, invalidArgument("encoding-type", e,
			"Invalid Encoding Method specified in Request")
	}
}

// name returns what the answer says of the encoding.
func (e encoding) name() string {
	if e.url {
		return "url"
	}
	return ""
}

func (e encoding) key(key string) text {
	if e.url {
		key = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
	}
	return text(key)
}

// limit returns how many entries a parameter asks for.
func (q *request) limit(name string) (int, error) { return parseLimit(name, q.query.Get(name)) }

func parseLimit(name, value string) (int, error) {
	if value == "" {
		return maxPage, nil
	}
	n, err := strconv.ParseInt(value, 10, 32)
	switch {
	case err != nil:
		return 0, invalidArgument(name, value,
			fmt.Sprintf("Provided %s not an integer or within integer range", name))
	case n < 0:
		return 0, invalidArgument(name, value,
			fmt.Sprintf("Argument %s must be an integer between 0 and 2147483647", name))
	}
	return min(int(n), maxPage), nil
}

// mayList tells whether the caller may list with the prefix that they sent.
// To rules, none is not the same as an empty one, and matches nothing.
func (q *request) mayList() error {
	if !q.query.Has("prefix") {
		return q.adminOnly("ListBucket")
	}
	return q.allows(q.name, access.List, q.query.Get("prefix"))
}

// listing is what both versions of a list have.
type listing struct {
	Name           string
	Prefix         text
	Delimiter      text `xml:",omitempty"`
	MaxKeys        int
	EncodingType   string `xml:",omitempty"`
	IsTruncated    bool
	Contents       []contentXML
	CommonPrefixes []prefixXML
}

type contentXML struct {
	Key               text
	LastModified      timestamp
	ETag              string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              int64
	StorageClass      string
	Owner             *ownerXML
}

type prefixXML struct{ Prefix text }

// list fills a listing with the objects after a key, and returns where the next page begins.
func (q *request) list(after string, owners bool) (out listing, next string, e encoding,
	err error) {
	if err := q.mayList(); err != nil {
		return out, "", e, err
	}
	if e, err = q.encoding(); err != nil {
		return out, "", e, err
	}
	limit, err := q.limit("max-keys")
	if err != nil {
		return out, "", e, err
	}
	query := objects.Query{Prefix: q.query.Get("prefix"), Delimiter: q.query.Get("delimiter"),
		After: after, Limit: limit}
	page, err := q.h.cfg.Objects.List(q.Context(), q.name, query)
	if err != nil {
		return out, "", e, err
	}
	out = listing{Name: q.name, Prefix: e.key(query.Prefix), Delimiter: e.key(query.Delimiter),
		MaxKeys:      limit,
		EncodingType: e.name(), IsTruncated: page.Next != ""}
	for _, o := range page.Entries {
		c := contentXML{Key: e.key(o.Key), LastModified: timestamp(o.Modified), ETag: o.ETag,
			Size: o.Size, StorageClass: "STANDARD",
			ChecksumAlgorithm: o.Checksum.Algorithm, ChecksumType: o.Checksum.Type}
		if owners {
			c.Owner = owner()
		}
		out.Contents = append(out.Contents, c)
	}
	for _, p := range page.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{e.key(p)})
	}
	return out, page.Next, e, nil
}

type listResult struct {
	XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	listing
	Marker     text
	NextMarker text `xml:",omitempty"`
}

func (q *request) listObjects(w http.ResponseWriter) error {
	marker := q.query.Get("marker")
	list, next, e, err := q.list(marker, true)
	if err != nil {
		return err
	}
	out := listResult{listing: list, Marker: e.key(marker)}
	if list.Delimiter != "" { // S3 has it only then: the last key tells it otherwise
		out.NextMarker = e.key(next)
	}
	return writeXML(w, out)
}

// continuation returns the name after which a list goes on, or "" at its beginning.
func (q *request) continuation() (after string, err error) {
	const name = "continuation-token"
	token := q.query.Get(name)
	decoded, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || token == "" && q.query.Has(name) {
		return "", invalidArgument(name, token, "The continuation token provided is incorrect")
	}
	return string(decoded), nil
}

// continueAfter returns the token with which a list goes on after a name, or "" for "".
func continueAfter(name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(name))
}

type listV2Result struct {
	XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	listing
	KeyCount              int
	StartAfter            text   `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
}

func (q *request) listObjectsV2(w http.ResponseWriter) error {
	after, err := q.continuation()
	if err != nil {
		return err
	}
	if after == "" {
		after = q.query.Get("start-after")
	}
	list, next, e, err := q.list(after, q.query.Get("fetch-owner") == "true")
	if err != nil {
		return err
	}
	out := listV2Result{listing: list, KeyCount: len(list.Contents) + len(list.CommonPrefixes),
		StartAfter:            e.key(q.query.Get("start-after")),
		ContinuationToken:     q.query.Get("continuation-token"),
		NextContinuationToken: continueAfter(next)}
	return writeXML(w, out)
}
