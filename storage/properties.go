package storage

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify/internal/storageaccess"
)

// GetPropertiesInput is the input of [GetProperties].
type GetPropertiesInput struct {
	Path ObjectPath

	// Bucket is the bucket of the path.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// Properties are the properties of an object.
type Properties struct {
	// Path is the path of the object in its bucket. Key is what [Key] was given, or empty.
	Path, Key   string
	ContentType string
	Size        int64  // in bytes
	ETag        string // with its quotes
	// LastModified is when the object was last written, in whole seconds.
	LastModified time.Time
	// Metadata are the user-defined metadata, by name in lower case without "x-amz-meta-".
	Metadata map[string]string
	// VersionID is empty if the bucket keeps no versions.
	VersionID string
}

// GetProperties returns the properties of an object. The error is "NotFound" if there is none, but
// only if the caller may list the whole bucket, which no rule of Amplify Gen 2 allows. Else S3
// answers as to a forbidden object: "AccessDenied", with [amplify.ReasonMissingOrForbidden] if a
// rule allows the call.
func GetProperties(ctx context.Context, in GetPropertiesInput) (*Properties, error) {
	t, err := open(ctx, in.Path, in.Bucket, in.AllowUnusualPath, errNoPath)
	if err != nil {
		return nil, err
	}
	return t.properties(ctx)
}

func (t *target) properties(ctx context.Context) (*Properties, error) {
	rights := []right{{storageaccess.Get, t, t.path}}
	out, err := invoke(ctx, t, rights, (*s3.Client).HeadObject, &s3.HeadObjectInput{
		Bucket: &t.bucket, Key: &t.path, ExpectedBucketOwner: t.owner,
		ResponseCacheControl: aws.String("no-store"),
	})
	if err != nil {
		return nil, err
	}
	return &Properties{
		Path:         t.path,
		Key:          t.key,
		ContentType:  aws.ToString(out.ContentType),
		Size:         aws.ToInt64(out.ContentLength),
		ETag:         aws.ToString(out.ETag),
		LastModified: aws.ToTime(out.LastModified),
		Metadata:     out.Metadata,
		VersionID:    aws.ToString(out.VersionId),
	}, nil
}
