package s3

import (
	"encoding/xml"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// bucketName matches the names of buckets (Amazon S3 User Guide, "Bucket
// naming rules"), and shorter ones, which stand in outputs of tests.
var bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// regionName matches the names of AWS's regions.
var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// ValidBucketName tells whether a bucket may have that name.
func ValidBucketName(name string) bool {
	return bucketName.MatchString(name) && net.ParseIP(name) == nil
}

// maxBuckets is how many buckets an answer has at most.
const maxBuckets = 10_000

type bucketsResult struct {
	XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner   *ownerXML
	Buckets []bucketXML `xml:"Buckets>Bucket"`
	Prefix  text        `xml:",omitempty"`
	// ContinuationToken is where the next page begins, or "".
	ContinuationToken string `xml:",omitempty"`
}

type bucketXML struct {
	Name         string
	CreationDate timestamp
	BucketRegion string
}

func (q *request) listBuckets(w http.ResponseWriter) error {
	if err := q.adminOnly("ListAllMyBuckets"); err != nil {
		return err
	}
	limit := maxBuckets
	if text := q.query.Get("max-buckets"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxBuckets {
			return invalidArgument("max-buckets", text,
				"Argument max-buckets must be an integer between 1 and 10000.")
		}
		limit = n
	}
	after, err := q.continuation()
	if err != nil {
		return err
	}
	list, err := q.h.cfg.Objects.Buckets(q.Context())
	if err != nil {
		return err
	}
	prefix, region := q.query.Get("prefix"), q.query.Get("bucket-region")
	out := bucketsResult{Owner: owner(), Prefix: text(prefix)}
	for _, b := range list {
		if b.Name <= after || !strings.HasPrefix(b.Name, prefix) ||
			region != "" && b.Region != region {
			continue
		}
		if len(out.Buckets) == limit {
			out.ContinuationToken = continueAfter(out.Buckets[limit-1].Name)
			break
		}
		out.Buckets = append(out.Buckets, bucketXML{b.Name, timestamp(b.Created), b.Region})
	}
	return writeXML(w, out)
}

// plainBucket has the values of headers with which a bucket is made that is like all others.
var plainBucket = map[string]string{
	"x-amz-acl": "private", "x-amz-bucket-object-lock-enabled": "false",
	"x-amz-object-ownership": "BucketOwnerEnforced",
}

func (q *request) createBucket(w http.ResponseWriter) error {
	if err := q.adminOnly("CreateBucket"); err != nil {
		return err
	}
	if !ValidBucketName(q.name) || len(q.name) < 3 {
		return badRequest("InvalidBucketName", "The specified bucket is not valid.", "BucketName",
			q.name)
	}
	for name, only := range plainBucket {
		if v := q.Header.Get(name); v != "" && !strings.EqualFold(v, only) {
			return notImplemented(name)
		}
	}
	var in struct {
		LocationConstraint string
		Tags               []tag `xml:"Tags>Tag"`
	}
	if len(q.content) > 0 {
		if err := readXML(q.content, "CreateBucketConfiguration", &in); err != nil {
			return err
		}
	}
	if len(in.Tags) > 0 {
		return notImplemented("")
	}
	if in.LocationConstraint == "" {
		in.LocationConstraint = q.h.cfg.Region
	}
	if !regionName.MatchString(in.LocationConstraint) {
		return badRequest("InvalidLocationConstraint",
			"The specified location-constraint is not valid",
			"LocationConstraint", in.LocationConstraint)
	}
	err := q.h.cfg.Objects.CreateBucket(q.Context(), q.name, in.LocationConstraint)
	if errors.Is(err, objects.ErrBucketTaken) {
		return newError(http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.",
			"BucketName", q.name)
	} else if err != nil {
		return err
	}
	w.Header().Set("Location", "/"+q.name)
	w.Header().Set("X-Amz-Bucket-Arn", q.arn(q.name))
	w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) deleteBucket(w http.ResponseWriter) error {
	if err := q.adminOnly("DeleteBucket"); err != nil {
		return err
	}
	err := q.h.cfg.Objects.DeleteBucket(q.Context(), q.name)
	if errors.Is(err, objects.ErrNotEmpty) {
		return newError(http.StatusConflict, "BucketNotEmpty",
			"The bucket you tried to delete is not empty.", "BucketName", q.name)
	} else if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (q *request) headBucket(w http.ResponseWriter) error {
	if err := q.adminOnly("ListBucket"); err != nil {
		return err
	}
	w.Header().Set("X-Amz-Bucket-Region", q.bucket.Region)
	w.Header().Set("X-Amz-Access-Point-Alias", "false")
	w.WriteHeader(http.StatusOK)
	return nil
}

type locationResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

func (q *request) getBucketLocation(w http.ResponseWriter) error {
	if err := q.adminOnly("GetBucketLocation"); err != nil {
		return err
	}
	out := locationResult{Region: q.bucket.Region}
	if out.Region == "us-east-1" { // the region that has no name here
		out.Region = ""
	}
	return writeXML(w, out)
}
