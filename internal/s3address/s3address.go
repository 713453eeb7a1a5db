// Package s3address knows where the buckets of an App are: package storage calls them there, and the
// doctor asks whether they exist.
package s3address

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/partition"
)

// Patterns of bucket names: Amazon S3 User Guide, "General purpose bucket naming rules".
var (
	dnsName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	ipAddress = regexp.MustCompile(`(\d+\.){3}\d+`)
)

// IsBucketName reports whether bucket may be the name of a bucket.
func IsBucketName(bucket string) bool {
	return dnsName.MatchString(bucket) && !ipAddress.MatchString(bucket) &&
		!strings.Contains(bucket, "..")
}

// Options say where a call goes instead of AWS's own address.
type Options struct {
	Custom     string // a host, which a call names
	Accelerate bool   // S3 Transfer Acceleration
	App        string // Endpoints.Storage of the App
}

// URL returns the address of a bucket, without a slash at its end.
func (o Options) URL(bucket, region string) (*url.URL, error) {
	u := &url.URL{Scheme: "https"}
	pathStyle := strings.Contains(bucket, ".") // no certificate covers such names of hosts
	switch {
	case o.Custom != "":
		parsed, err := url.Parse("https://" + o.Custom)
		if err != nil || parsed.Host != o.Custom || parsed.Hostname() == "" {
			return nil, &amplify.Error{
				Name: "InvalidCustomEndpoint", Reason: amplify.ReasonConfiguration,
				Message: "Invalid S3 custom endpoint.",
				RecoverySuggestion: `Give a host such as "s3.example.com", without https:// and ` +
					"path. Options.Endpoints of the App takes URLs.",
			}
		}
		u.Host = o.Custom
		pathStyle = pathStyle || isLocal(parsed.Hostname())
	case o.App != "":
		parsed, err := url.Parse(o.App) // which amplify.New has checked
		if err != nil {
			return nil, err
		}
		u, pathStyle = parsed, true
	case o.Accelerate && pathStyle:
		return nil, &amplify.Error{
			Name: "ForcePathStyleEndpointNotSupported", Reason: amplify.ReasonConfiguration,
			Message: "Path style URLs are not supported with S3 Transfer Acceleration.",
			RecoverySuggestion: fmt.Sprintf("The bucket %q has a dot in its name: "+
				"leave UseAccelerateEndpoint out.", bucket),
		}
	case o.Accelerate:
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
