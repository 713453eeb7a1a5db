package storage

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/partition"
)

// Bucket names the bucket of a call. The zero value is the default bucket of the configuration.
type Bucket struct {
	// Name is the friendly name of a bucket in the outputs. If there is a Region, it is the name of
	// a bucket in S3.
	Name   string
	Region string
}

// find returns the name and region in S3 of the bucket.
func (b Bucket) find(c *amplify.StorageConfig) (name, region string, err error) {
	if c == nil {
		c = &amplify.StorageConfig{}
	}
	switch {
	case b == Bucket{}:
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
	case !isDNSName(name):
		return "", "", &amplify.Error{
			Name: "DnsIncompatibleBucketName", Reason: amplify.ReasonConfiguration,
			Message:            "The bucket name isn't DNS compatible.",
			RecoverySuggestion: fmt.Sprintf("Correct the name %q.", name),
		}
	}
	return name, region, nil
}

// Patterns of bucket names: Amazon S3 User Guide, "General purpose bucket naming rules".
var (
	dnsName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	ipAddress = regexp.MustCompile(`(\d+\.){3}\d+`)
)

func isDNSName(bucket string) bool {
	return dnsName.MatchString(bucket) && !ipAddress.MatchString(bucket) &&
		!strings.Contains(bucket, "..")
}

// endpoint says where a call goes instead of AWS's own address.
type endpoint struct {
	custom     string // a host
	accelerate bool
	app        string // Endpoints.Storage
}

// url returns the address of a bucket, without a slash at its end.
func (e endpoint) url(bucket, region string) (*url.URL, error) {
	u := &url.URL{Scheme: "https"}
	pathStyle := strings.Contains(bucket, ".") // no certificate covers such names of hosts
	switch {
	case e.custom != "":
		parsed, err := url.Parse("https://" + e.custom)
		if err != nil || parsed.Host != e.custom || parsed.Hostname() == "" {
			return nil, &amplify.Error{
				Name: "InvalidCustomEndpoint", Reason: amplify.ReasonConfiguration,
				Message: "Invalid S3 custom endpoint.",
				RecoverySuggestion: `Give a host such as "s3.example.com", without https:// and ` +
					"path. Options.Endpoints of the App takes URLs.",
			}
		}
		u.Host = e.custom
		pathStyle = pathStyle || isLocal(parsed.Hostname())
	case e.app != "":
		parsed, err := url.Parse(e.app) // which amplify.New has checked
		if err != nil {
			return nil, err
		}
		u, pathStyle = parsed, true
	case e.accelerate && pathStyle:
		return nil, &amplify.Error{
			Name: "ForcePathStyleEndpointNotSupported", Reason: amplify.ReasonConfiguration,
			Message: "Path style URLs are not supported with S3 Transfer Acceleration.",
			RecoverySuggestion: fmt.Sprintf("The bucket %q has a dot in its name: "+
				"leave UseAccelerateEndpoint out.", bucket),
		}
	case e.accelerate:
		u.Host = "s3-accelerate." + partition.DNSSuffix(region)
	default:
		u.Host = "s3." + region + "." + partition.DNSSuffix(region)
	}
	if pathStyle {
		u.Path += "/" + bucket
	} else {
		u.Host = bucket + "." + u.Host
	}
	return u, nil
}

// isLocal reports whether host has no names below it that lead anywhere.
func isLocal(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
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
