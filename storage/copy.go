package storage

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// CopyInput is the input of [Copy].
type CopyInput struct {
	Source      CopySource
	Destination CopyDestination
	// RemoveTags leaves the tags of the source behind.
	RemoveTags bool
}

// CopySource is the object to copy.
type CopySource struct {
	Path ObjectPath
	// ETag, if it is not empty, must be that of the object. NotModifiedSince, if it is not zero,
	// must not be earlier than its last change, in whole seconds. Else the error is
	// "PreconditionFailed".
	ETag             string
	NotModifiedSince time.Time
	// Bucket is the bucket of the object. If it is named, that of the destination must be, too.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// CopyDestination is where the copy goes. What is there is replaced.
type CopyDestination struct {
	Path ObjectPath
	// Bucket is the bucket of the copy, which gets the call. If it is named, that of the source
	// must be, too.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// CopyOutput is the output of [Copy].
type CopyOutput struct {
	// Path is the path of the copy in its bucket. Key is what [Key] was given, or empty.
	Path, Key string
}

// Copy copies an object of up to 5 GiB, with its metadata. The caller needs the right to get the
// source and the right to write the destination.
func Copy(ctx context.Context, in CopyInput) (*CopyOutput, error) {
	c, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	if in.Source.Bucket.isDefault() != in.Destination.Bucket.isDefault() {
		return nil, &amplify.Error{
			Name:               "InvalidCopyOperationStorageBucket",
			Message:            "Missing bucket option in either source or destination.",
			RecoverySuggestion: "Set Bucket in both of them, or in none.",
		}
	}
	from, err := c.locate(ctx, in.Source.Path, in.Source.Bucket, in.Source.AllowUnusualPath,
		errCopyLacks("Source", in.Source.Path))
	if err != nil {
		return nil, err
	}
	to, err := c.locate(ctx, in.Destination.Path, in.Destination.Bucket,
		in.Destination.AllowUnusualPath, errCopyLacks("Destination", in.Destination.Path))
	if err != nil {
		return nil, err
	}
	source := from.bucket + "/" + httpbinding.EscapePath(from.path, false)
	copied := &s3.CopyObjectInput{
		Bucket: &to.bucket, Key: &to.path, CopySource: &source,
		MetadataDirective:   types.MetadataDirectiveCopy,
		TaggingDirective:    types.TaggingDirectiveCopy,
		ExpectedBucketOwner: to.owner, ExpectedSourceBucketOwner: from.owner,
	}
	if in.RemoveTags {
		copied.TaggingDirective = types.TaggingDirectiveReplace
	}
	if in.Source.ETag != "" {
		copied.CopySourceIfMatch = &in.Source.ETag
	}
	if !in.Source.NotModifiedSince.IsZero() {
		// The SDK would write fractions, which HTTP does not have.
		since := in.Source.NotModifiedSince.Truncate(time.Second)
		copied.CopySourceIfUnmodifiedSince = &since
	}
	rights := []right{{storageaccess.Get, from, from.path}, {storageaccess.Write, to, to.path}}
	client, err := to.client(to.region)
	if err != nil {
		return nil, err
	}
	patient := func(o *s3.Options) { o.HTTPClient = client.copying }
	if _, err = invoke(ctx, to, rights, (*s3.Client).CopyObject, copied, patient); err != nil {
		return nil, err
	}
	return &CopyOutput{to.path, to.key}, nil
}

// errCopyLacks is the error for a side of a copy that names nothing.
func errCopyLacks(side string, p ObjectPath) error {
	kind := "Path"
	if p.kind == legacyKey {
		kind = "Key"
	}
	return &amplify.Error{
		Name:    "No" + side + kind,
		Message: "Missing " + strings.ToLower(side+" "+kind) + " in copy api call.",
		RecoverySuggestion: "Set " + side + ".Path to what storage.Path, storage.PathFunc or " +
			"storage.Key returns for a name that is not empty.",
	}
}
