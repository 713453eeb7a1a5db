package storage

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/s3address"
)

// Bucket says which bucket a call is about, and how to reach it. The zero value is the default
// bucket of the configuration.
type Bucket struct {
	// Name is the friendly name of a bucket in the outputs. If there is a Region, it is the name of
	// a bucket in S3. If there is neither, the bucket is the default one.
	Name, Region string

	// ExpectedOwner is the id of the AWS account that must own the bucket, or empty.
	ExpectedOwner string
	// UseAccelerateEndpoint uses S3 Transfer Acceleration.
	UseAccelerateEndpoint bool
	// CustomEndpoint is the host of another service with the API of S3, or empty.
	CustomEndpoint string
}

func (b Bucket) isDefault() bool { return b.Name == "" && b.Region == "" }

// find returns the name and region in S3 of the bucket.
func (b Bucket) find(c *amplify.StorageConfig) (name, region string, err error) {
	if c == nil {
		c = &amplify.StorageConfig{}
	}
	switch {
	case b.isDefault():
		name, region = c.Bucket, c.Region
	case b.Region != "":
		name, region = b.Name, b.Region
	default:
		known, ok := c.Buckets[b.Name]
		if !ok {
			return "", "", &amplify.Error{
				Name: "InvalidStorageBucket", Reason: amplify.ReasonConfiguration,
				Message: "Unable to lookup bucket from provided name in Amplify configuration.",
				RecoverySuggestion: fmt.Sprintf("There is no bucket %q in storage.buckets, which "+
					"has %q. Give the Region too if that is the name of a bucket in S3.",
					b.Name, slices.Sorted(maps.Keys(c.Buckets))),
			}
		}
		name, region = known.Name, known.Region
	}
	switch {
	case name == "":
		return "", "", &amplify.Error{
			Name: "NoBucket", Reason: amplify.ReasonConfiguration,
			Message: "Missing bucket name while accessing object.",
			RecoverySuggestion: "Make sure that the configuration has Storage.Bucket, or name a " +
				"bucket in the call.",
		}
	case region == "":
		return "", "", &amplify.Error{
			Name: "NoRegion", Reason: amplify.ReasonConfiguration,
			Message:            "Missing region while accessing object.",
			RecoverySuggestion: "Make sure that the configuration has Storage.Region.",
		}
	case !s3address.IsBucketName(name):
		return "", "", &amplify.Error{
			Name: "DnsIncompatibleBucketName", Reason: amplify.ReasonConfiguration,
			Message:            "The bucket name isn't DNS compatible.",
			RecoverySuggestion: fmt.Sprintf("Correct the name %q.", name),
		}
	}
	return name, region, nil
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// checkOwner refuses an expected bucket owner that is no AWS account.
func checkOwner(id string) error {
	if id == "" || accountID.MatchString(id) {
		return nil
	}
	return &amplify.Error{
		Name: "InvalidAWSAccountID", Message: "Invalid AWS account ID was provided.",
		RecoverySuggestion: fmt.Sprintf("%q has not 12 digits.", id),
	}
}
