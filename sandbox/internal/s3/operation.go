package s3

import (
	"net/http"
	"net/url"
	"slices"
)

// operation is an operation of the API. One that streams reads its body itself.
type operation struct {
	name    string
	run     func(q *request, w http.ResponseWriter) error
	streams bool
}

// unknown is the operation of requests for what the
// sandbox does not have: tags, versions and so on.
const unknown = "UnknownOperation"

func operations() []operation {
	return []operation{
		{name: "ListBuckets", run: (*request).listBuckets},
		{name: "CreateBucket", run: (*request).createBucket},
		{name: "DeleteBucket", run: (*request).deleteBucket},
		{name: "HeadBucket", run: (*request).headBucket},
		{name: "GetBucketLocation", run: (*request).getBucketLocation},
		{name: "ListObjects", run: (*request).listObjects},
		{name: "ListObjectsV2", run: (*request).listObjectsV2},
		{name: "ListMultipartUploads", run: (*request).listMultipartUploads},
		{name: "GetObject", run: (*request).getObject},
		{name: "HeadObject", run: (*request).getObject},
		{name: "GetObjectAttributes", run: (*request).getObjectAttributes},
		{name: "PutObject", run: (*request).putObject, streams: true},
		{name: "CopyObject", run: (*request).copyObject},
		{name: "GetObjectTagging", run: (*request).getObjectTagging},
		{name: "PutObjectTagging", run: (*request).putObjectTagging},
		{name: "DeleteObjectTagging", run: (*request).deleteObjectTagging},
		{name: "DeleteObject", run: (*request).deleteObject},
		{name: "DeleteObjects", run: (*request).deleteObjects},
		{name: "CreateMultipartUpload", run: (*request).createMultipartUpload},
		{name: "UploadPart", run: (*request).uploadPart, streams: true},
		{name: "UploadPartCopy", run: (*request).uploadPartCopy},
		{name: "CompleteMultipartUpload", run: (*request).completeMultipartUpload},
		{name: "AbortMultipartUpload", run: (*request).abortMultipartUpload},
		{name: "ListParts", run: (*request).listParts},
		{name: unknown, run: (*request).unknownOperation},
	}
}

// Operations returns the names of all operations.
func Operations() []string {
	var names []string
	for _, o := range operations() {
		names = append(names, o.name)
	}
	return names
}

// Operation returns the name of the operation that r asks for.
func (h *Handler) Operation(r *http.Request) string { return h.operation(r).name }

func (h *Handler) operation(r *http.Request) operation {
	bucket, key := h.target(r)
	name := operationName(r, bucket, key, parseQuery(r.URL.RawQuery))
	all := operations()
	return all[slices.IndexFunc(all, func(o operation) bool { return o.name == name })]
}

// subresources are the parameters that choose another operation than the path alone does. All that
// S3 has are here: one that was not would make a PUT of it replace the object itself.
var subresources = []string{
	"abac", "accelerate", "acl", "analytics", "annotation", "attributes", "cors", "delete",
	"encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location",
	"logging", "metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable",
	"metadataJournalTable", "metadataTable", "metrics", "notification", "object-lock",
	"ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject",
	"replication", "requestPayment", "restore", "retention", "select", "session", "tagging",
	"torrent", "uploadId", "uploads", "versioning", "versions", "website",
}

func operationName(r *http.Request, bucket, key string, query url.Values) string {
	level, sub := "object", ""
	switch {
	case bucket == "":
		level = "service"
	case key == "":
		level = "bucket"
	}
	for _, s := range subresources {
		if query.Has(s) {
			sub = s
			break
		}
	}
	copies := r.Header.Get("X-Amz-Copy-Source") != ""
	switch level + " " + r.Method + " " + sub {
	case "service GET ":
		return "ListBuckets"
	case "bucket PUT ":
		return "CreateBucket"
	case "bucket DELETE ":
		return "DeleteBucket"
	case "bucket HEAD ":
		return "HeadBucket"
	case "bucket GET location":
		return "GetBucketLocation"
	case "bucket GET uploads":
		return "ListMultipartUploads"
	case "bucket POST delete":
		return "DeleteObjects"
	case "bucket GET ":
		if query.Get("list-type") == "2" {
			return "ListObjectsV2"
		}
		return "ListObjects"
	case "object GET ":
		return "GetObject"
	case "object HEAD ":
		return "HeadObject"
	case "object PUT ":
		if copies {
			return "CopyObject"
		}
		return "PutObject"
	case "object GET attributes":
		return "GetObjectAttributes"
	case "object GET tagging":
		return "GetObjectTagging"
	case "object PUT tagging":
		return "PutObjectTagging"
	case "object DELETE tagging":
		return "DeleteObjectTagging"
	case "object DELETE ":
		return "DeleteObject"
	case "object POST uploads":
		return "CreateMultipartUpload"
	case "object PUT uploadId":
		if copies {
			return "UploadPartCopy"
		}
		return "UploadPart"
	case "object POST uploadId":
		return "CompleteMultipartUpload"
	case "object DELETE uploadId":
		return "AbortMultipartUpload"
	case "object GET uploadId":
		return "ListParts"
	}
	return unknown
}

// methods are those of S3's operations.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost,
	http.MethodDelete}

func (q *request) unknownOperation(http.ResponseWriter) error {
	if err := q.adminOnly("*"); err != nil {
		return err
	}
	if !slices.Contains(methods, q.Method) || q.name == "" {
		return newError(http.StatusMethodNotAllowed, "MethodNotAllowed",
			"The specified method is not allowed against this resource.",
			"Method", q.Method, "ResourceType", "SERVICE")
	}
	return notImplemented("")
}
