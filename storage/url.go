package storage

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// GetURLInput is the input of [GetURL].
type GetURLInput struct {
	Path ObjectPath
	// Method is "GET", the default, for a URL that downloads the object, or "PUT" for one that
	// uploads it.
	Method string
	// ValidateObjectExistence asks S3 first whether the object exists. It costs a call, and
	// concerns downloads only.
	ValidateObjectExistence bool
	// ExpiresIn is how long the URL is good for, in whole seconds: 15 minutes by default, 7 days at
	// most, and no longer than the credentials.
	ExpiresIn time.Duration
	// Stable makes the URL the same for a while, so that browsers and CDNs can cache what it leads
	// to. It is signed as of the last full quarter of ExpiresIn, so that it is good for three
	// quarters of ExpiresIn at least, unless the credentials end earlier. It changes with the
	// credentials, which differ from server to server and are renewed about every hour.
	Stable bool
	// ContentType, ContentDisposition and CacheControl are headers of the download, in place of
	// those that the object has. With PUT they are parameters of the URL, as in Amplify JS, and the
	// default of ContentType is "application/octet-stream". They do not bind the upload: the object
	// has the headers that it is sent with. [mime.FormatMediaType] makes a ContentDisposition with
	// the name of a file.
	ContentType, ContentDisposition, CacheControl string

	// Bucket is the bucket of the path.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// GetURLOutput is the output of [GetURL].
type GetURLOutput struct {
	// URL holds a signature: whoever has it can do what it is for.
	URL string
	// ExpiresAt is when it ceases to work.
	ExpiresAt time.Time
}

const (
	defaultExpiry = 15 * time.Minute
	// Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
	maxExpiry = 7 * 24 * time.Hour
)

// GetURL returns a URL by which anybody can download or upload an object until it expires, with the
// rights of the caller. It makes no call of S3 unless ValidateObjectExistence is set: a URL for
// what the caller may not do answers 403.
func GetURL(ctx context.Context, in GetURLInput) (*GetURLOutput, error) {
	t, err := open(ctx, in.Path, in.Bucket, in.AllowUnusualPath, errNoPath)
	if err != nil {
		return nil, err
	}
	query := make([]param, 0, 12)
	set := func(name, value string) {
		if value != "" {
			query = append(query, param{name, value})
		}
	}
	switch in.Method {
	case "", http.MethodGet:
		if in.ValidateObjectExistence {
			if _, err := t.properties(ctx); err != nil {
				return nil, err
			}
		}
		in.Method = http.MethodGet
		set("x-id", "GetObject")
		set("response-content-type", in.ContentType)
		set("response-content-disposition", in.ContentDisposition)
		set("response-cache-control", in.CacheControl)
	case http.MethodPut:
		if in.ContentType == "" {
			in.ContentType = "application/octet-stream"
		}
		set("x-id", "PutObject")
		set("content-type", in.ContentType)
		set("content-disposition", in.ContentDisposition)
		set("cache-control", in.CacheControl)
	default:
		return nil, &amplify.Error{
			Name: invalidInput, Message: fmt.Sprintf("There are no URLs for the method %q.",
				in.Method),
			RecoverySuggestion: `Use "GET" or "PUT".`,
		}
	}
	set("x-amz-expected-bucket-owner", in.Bucket.ExpectedOwner)
	from, life, err := lifetime(t.app.Now(), t.credentials.Expires, in.ExpiresIn, in.Stable)
	if err != nil {
		return nil, err
	}
	set("X-Amz-Expires", strconv.FormatInt(int64(life/time.Second), 10))
	path := appendEscaped([]byte(t.url.EscapedPath()+"/"), t.path, "/")
	signed := t.signers.presign(awsapi.AWSCredentials(t.credentials), in.Method, t.url,
		string(path), query, unsigned, t.region, from)
	return &GetURLOutput{signed, from.Add(life)}, nil
}

// lifetime returns as of when a URL is signed and how long it is good from then on. The credentials
// end at a time that may be zero, which is not known.
func lifetime(
	now, end time.Time, wanted time.Duration, stable bool,
) (from time.Time, life time.Duration, err error) {
	if wanted == 0 {
		wanted = defaultExpiry
	}
	from, life = now.Truncate(time.Second), wanted.Truncate(time.Second)
	if step := (wanted / 4).Truncate(time.Second); stable && step > 0 {
		from = now.Truncate(step)
	}
	if !end.IsZero() {
		life = min(life, end.Sub(from).Truncate(time.Second))
	}
	switch {
	case wanted < time.Second:
		return from, 0, &amplify.Error{
			Name: invalidInput, Message: fmt.Sprintf("A URL cannot expire in %v.", wanted),
			RecoverySuggestion: "Set ExpiresIn to a second or more, or leave it out for " +
				"15 minutes.",
		}
	case !end.IsZero() && !now.Before(end), life < time.Second:
		return from, 0, &amplify.Error{
			Name: "ExpiredToken", Message: "The credentials have expired.",
			RecoverySuggestion: "Make sure that the credentials provider renews credentials " +
				"before they expire.",
		}
	case life > maxExpiry:
		return from, 0, &amplify.Error{
			Name:               "UrlExpirationMaxLimitExceed",
			Message:            "Url Expiration can not be greater than 7 Days.",
			RecoverySuggestion: fmt.Sprintf("Set ExpiresIn to less than %v.", wanted),
		}
	}
	return from, life, nil
}
