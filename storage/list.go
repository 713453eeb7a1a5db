package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/amplify-go/amplify/internal/storageaccess"
)

// ListInput is the input of [List] and [ListAll].
type ListInput struct {
	// Path is what the paths of the objects begin with, mostly a folder with its slash: the rules
	// of Amplify Gen 2 that allow "photos/" do not allow "photos". The zero value is all keys at
	// the default access level.
	Path ObjectPath
	// PageSize is how many objects a page has at most: 1,000 by default, and at most.
	PageSize int
	// NextToken is that of the output of the page before. ListAll ignores it, and PageSize.
	NextToken string
	// ExcludeSubpaths leaves out what lies below Path in folders. The folders are returned instead.
	ExcludeSubpaths bool
	// Delimiter is the end of the name of a folder. The default is "/". It counts only with
	// ExcludeSubpaths.
	Delimiter string

	// Bucket is the bucket of the path.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// ListOutput is a page of a list.
type ListOutput struct {
	Items []Item
	// ExcludedSubpaths are the paths of the folders that were left out.
	ExcludedSubpaths []string
	// NextToken is empty if this is the last page.
	NextToken string
}

// Item is an object in a list.
type Item struct {
	// Path is the path of the object in its bucket. Key is the part after the prefix of the access
	// level if the list was asked for by [Key], or empty.
	Path, Key string
	ETag      string // with its quotes
	// LastModified is when the object was last written.
	LastModified time.Time
	Size         int64 // in bytes
	// Subpath says that this is no object but a folder that was left out. Only [ListAll] yields it.
	Subpath bool
}

// ObjectPath returns the path of the item for a call of this package. What has been listed is taken
// as it is: unusual paths need no permission.
func (i Item) ObjectPath() ObjectPath { return ObjectPath{kind: listedPath, text: i.Path} }

// List returns a page of the objects whose path begins with in.Path, in the order of their paths
// (by bytes of UTF-8).
func List(ctx context.Context, in ListInput) (*ListOutput, error) {
	l, err := newLister(ctx, in)
	if err != nil {
		return nil, err
	}
	return l.page(ctx, in.NextToken)
}

// ListAll returns all objects whose path begins with in.Path. It asks for them page by page. With
// ExcludeSubpaths the folders of a page follow its objects, as items with Subpath.
//
// An error ends it. It ends, with an error, when the server context closes or the session of the
// request does.
func ListAll(ctx context.Context, in ListInput) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		in.PageSize = 0
		l, err := newLister(ctx, in)
		if err != nil {
			yield(Item{}, err)
			return
		}
		for token := ""; ; {
			page, err := l.page(ctx, token)
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			for _, path := range page.ExcludedSubpaths {
				if !yield(Item{Path: path, Key: l.keyOf(path), Subpath: true}, nil) {
					return
				}
			}
			if token = page.NextToken; token == "" {
				return
			}
		}
	}
}

// maxPage is the size of the largest page of S3.
const maxPage = 1000

// lister lists what a target is the prefix of.
type lister struct {
	*target
	size      int32
	delimiter *string
}

func newLister(ctx context.Context, in ListInput) (*lister, error) {
	if in.Path.kind == noPath {
		in.Path = Key("", KeyOptions{})
	}
	t, err := open(ctx, in.Path, in.Bucket, in.AllowUnusualPath, nil)
	if err != nil {
		return nil, err
	}
	l := &lister{target: t, size: maxPage}
	if in.PageSize != 0 && in.PageSize < maxPage {
		l.size = int32(max(in.PageSize, -1)) // which S3 refuses
	}
	if in.ExcludeSubpaths {
		l.delimiter = aws.String(cmp.Or(in.Delimiter, "/"))
	}
	return l, nil
}

// page returns one page.
func (l *lister) page(ctx context.Context, token string) (*ListOutput, error) {
	out, err := l.fetch(ctx, token)
	if err != nil {
		return nil, err
	}
	page, err := l.read(token, out)
	if err != nil {
		return nil, errUnknown(err)
	}
	return page, nil
}

// fetch asks S3 for one page.
func (l *lister) fetch(ctx context.Context, token string) (*s3.ListObjectsV2Output, error) {
	in := &s3.ListObjectsV2Input{
		Bucket: &l.bucket, Prefix: &l.path, Delimiter: l.delimiter, MaxKeys: &l.size,
		ExpectedBucketOwner: l.owner,
		EncodingType:        types.EncodingTypeUrl, // XML cannot hold every key
	}
	if token != "" {
		in.ContinuationToken = &token
	}
	rights := []right{{storageaccess.List, l.target, l.path}}
	return invoke(ctx, l.target, rights, (*s3.Client).ListObjectsV2, in)
}

// read decodes an answer, and checks that it is the one to what was asked: what lies elsewhere must
// not be taken for it.
func (l *lister) read(token string, out *s3.ListObjectsV2Output) (*ListOutput, error) {
	decode := func(s *string) (string, error) { return aws.ToString(s), nil }
	if out.EncodingType == types.EncodingTypeUrl { // the SDK does not decode
		decode = func(s *string) (string, error) { return url.QueryUnescape(aws.ToString(s)) }
	}
	prefix, err := decode(out.Prefix)
	next := aws.ToString(out.NextContinuationToken)
	count := len(out.Contents) + len(out.CommonPrefixes)
	bucket := aws.ToString(out.Name)
	size, said := aws.ToInt32(out.MaxKeys), aws.ToInt32(out.KeyCount)
	switch {
	case err != nil:
		return nil, err
	case bucket != l.bucket:
		return nil, fmt.Errorf("the answer is about the bucket %q, not %q", bucket, l.bucket)
	case prefix != l.path:
		return nil, fmt.Errorf("the answer is about the prefix %q, not %q", prefix, l.path)
	case aws.ToString(out.ContinuationToken) != token:
		return nil, errors.New("the answer is about another page than the one that was asked for")
	case size != l.size:
		return nil, fmt.Errorf("the answer is about pages of %d objects, not %d", size, l.size)
	case int(said) != count:
		return nil, fmt.Errorf("the answer says that it has %d keys, and has %d", said, count)
	case aws.ToBool(out.IsTruncated) != (next != ""):
		return nil, errors.New("the answer does not say how it goes on")
	case next != "" && next == token:
		return nil, errors.New("the answer goes on with itself")
	}
	page := &ListOutput{NextToken: next}
	for _, o := range out.Contents {
		path, err := decode(o.Key)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, Item{
			Path: path, Key: l.keyOf(path), ETag: aws.ToString(o.ETag),
			LastModified: aws.ToTime(o.LastModified), Size: aws.ToInt64(o.Size),
		})
	}
	for _, p := range out.CommonPrefixes {
		path, err := decode(p.Prefix)
		if err != nil {
			return nil, err
		}
		page.ExcludedSubpaths = append(page.ExcludedSubpaths, path)
	}
	return page, nil
}

// keyOf returns the key of a path below an access level, or "" if the list is one of paths.
func (t *target) keyOf(path string) string {
	if !t.isKey {
		return ""
	}
	return strings.TrimPrefix(path, t.prefix)
}
