package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// RemoveInput is the input of [Remove].
type RemoveInput struct {
	Path ObjectPath
	// OnProgress is called after each batch of a folder, by the goroutine that called Remove.
	OnProgress func(RemoveProgress)

	// Bucket is the bucket of the path.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// RemoveProgress is what became of a batch of up to 1,000 objects of a folder.
type RemoveProgress struct {
	Removed []string // paths
	Failed  []RemoveFailure
}

// RemoveFailure is an object of a folder that could not be removed, and what S3 says about it.
type RemoveFailure struct {
	Path, Code, Message string
}

// RemoveOutput is the output of [Remove].
type RemoveOutput struct {
	// Path is the path that was removed. Key is what [Key] was given, or empty.
	Path, Key string
	// Removed is how many objects of a folder were removed. It is 0 if Path is no folder.
	Removed int
	// FolderUnseen is the error of the look whether Path is a folder, if S3 refused it. Then the
	// object of that path was removed and no folder: nobody can remove what they may not list.
	FolderUnseen error
}

// RemoveError is the cause of the error of [Remove] if some objects of a folder could not be
// removed.
type RemoveError struct {
	// Failed are the first 1,000 of the objects that remain.
	Failed []RemoveFailure
	// Total is how many remain, and Removed how many were removed.
	Total, Removed int
}

// Error returns the first failure and how many there are.
func (e *RemoveError) Error() string {
	first := e.Failed[0]
	return fmt.Sprintf("%d of %d objects remain, the first of them %q: %s: %s",
		e.Total, e.Total+e.Removed, first.Path, first.Code, first.Message)
}

// Remove removes an object, or a folder with all objects in it. A path that ends with a slash is a
// folder, and so is one below which there are objects, as in Amplify JS: Remove looks first. To
// remove an object that does not exist is no error. The whole bucket cannot be removed.
//
// A folder is removed in batches, and goes on after failures. If any object remains, the error has
// [amplify.ReasonPartlyRemoved] and a [*RemoveError] in its chain, and the output is returned too.
// The caller needs the right to delete, and to list a folder.
func Remove(ctx context.Context, in RemoveInput) (*RemoveOutput, error) {
	t, err := open(ctx, in.Path, in.Bucket, in.AllowUnusualPath, errNoPath)
	if err != nil {
		return nil, err
	}
	if strings.Trim(t.path, " */") == "" {
		return nil, &amplify.Error{
			Name: "Error", Message: "Cannot delete root or bucket-wide paths",
			RecoverySuggestion: fmt.Sprintf("Name an object or a folder, and not %q. "+
				"There are no wildcards.", t.path),
		}
	}
	out := &RemoveOutput{Path: t.path, Key: t.key}
	folder := *t
	isFolder := strings.HasSuffix(t.path, "/")
	if !isFolder {
		folder.path += "/"
		isFolder, out.FolderUnseen, err = folder.hasObjects(ctx)
		if err != nil {
			return nil, err
		}
	}
	if !isFolder {
		if err := t.remove(ctx, t.path); err != nil {
			return nil, err
		}
		return out, nil
	}
	out.Removed, err = folder.removeAll(ctx, in.OnProgress)
	return out, err
}

// hasObjects reports whether there is any object below t. unseen is the error of a caller who may
// not know.
func (t *target) hasObjects(ctx context.Context) (has bool, unseen, err error) {
	// Whether the answer is the right one is checked when the folder is listed.
	page, err := (&lister{target: t, size: 1}).fetch(ctx, "")
	switch {
	case isDenied(err):
		return false, err, nil
	case err != nil:
		return false, nil, err
	}
	return len(page.Contents) > 0, nil, nil
}

func isDenied(err error) bool {
	var e *amplify.Error
	return errors.As(err, &e) && e.Name == accessDenied
}

// remove removes one object.
func (t *target) remove(ctx context.Context, path string) error {
	_, err := invoke(ctx, t, []right{{storageaccess.Delete, t, path}}, (*s3.Client).DeleteObject,
		&s3.DeleteObjectInput{Bucket: &t.bucket, Key: &path, ExpectedBucketOwner: t.owner})
	return err
}

// removeAll removes what is below t, page by page, and returns how many objects it has removed.
func (t *target) removeAll(
	ctx context.Context, onProgress func(RemoveProgress),
) (removed int, err error) {
	l := &lister{target: t, size: maxPage}
	remain := &RemoveError{}
	for token := ""; ; {
		page, err := l.page(ctx, token)
		if err != nil {
			return remain.Removed, err
		}
		if len(page.Items) > 0 {
			done, err := t.removeBatch(ctx, page.Items)
			remain.Removed += len(done.Removed)
			remain.Total += len(done.Failed)
			room := maxPage - len(remain.Failed)
			remain.Failed = append(remain.Failed, done.Failed[:min(room, len(done.Failed))]...)
			if onProgress != nil && (err == nil || len(done.Removed)+len(done.Failed) > 0) {
				onProgress(done)
			}
			if err != nil {
				return remain.Removed, err
			}
		}
		if token = page.NextToken; token == "" {
			break
		}
	}
	if remain.Total == 0 {
		return remain.Removed, nil
	}
	return remain.Removed, &amplify.Error{
		Name: remain.Failed[0].Code, Reason: amplify.ReasonPartlyRemoved,
		Message:            "Some objects of the folder could not be removed.",
		RecoverySuggestion: "Look at the failures in the RemoveError.", Err: remain,
	}
}

// removeBatch removes the objects of a page.
func (t *target) removeBatch(ctx context.Context, items []Item) (done RemoveProgress, err error) {
	var batch []types.ObjectIdentifier
	for _, item := range items {
		if inXML(item.Path) {
			batch = append(batch, types.ObjectIdentifier{Key: &item.Path})
			continue
		}
		switch err := t.remove(ctx, item.Path); {
		case err == nil:
			done.Removed = append(done.Removed, item.Path)
		case isDenied(err):
			done.Failed = append(done.Failed,
				RemoveFailure{item.Path, accessDenied, "Access Denied"})
		default:
			return done, err
		}
	}
	if len(batch) == 0 {
		return done, nil
	}
	rights := []right{{storageaccess.Delete, t, *batch[0].Key}}
	out, err := invoke(ctx, t, rights, (*s3.Client).DeleteObjects, &s3.DeleteObjectsInput{
		Bucket: &t.bucket, ExpectedBucketOwner: t.owner,
		Delete: &types.Delete{Objects: batch, Quiet: aws.Bool(false)},
	}, withContentMD5)
	if err != nil {
		return done, err
	}
	for _, o := range out.Deleted {
		done.Removed = append(done.Removed, aws.ToString(o.Key))
	}
	for _, o := range out.Errors {
		done.Failed = append(done.Failed,
			RemoveFailure{aws.ToString(o.Key), aws.ToString(o.Code), aws.ToString(o.Message)})
	}
	return done, nil
}

// withContentMD5 sends Content-MD5, as Amplify JS does and every service with the API of S3
// understands, in place of the checksum of the SDK.
func withContentMD5(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		if _, err := stack.Initialize.Remove("AWSChecksum:SetupInputContext"); err != nil {
			return err
		}
		return smithyhttp.AddContentChecksumMiddleware(stack)
	})
}

// inXML reports whether XML surely keeps s as it is. A batch names its objects in XML, a single
// deletion in the path of a URL (XML 1.0, "Characters" and "End-of-Line Handling").
func inXML(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF
	})
}
