package storage

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is a checksum here (RFC 1864)
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// UploadDataInput is the input of [UploadData].
type UploadDataInput struct {
	Path ObjectPath
	// Body is what is uploaded, from where it stands to its end. nil is empty. It is not used after
	// UploadData has returned.
	//
	// A body that is an [io.Seeker] takes no memory: a file, also that of a form
	// (mime/multipart.File), a [bytes.Reader]. If it is an [io.ReaderAt] too, several parts are
	// read from it at a time. Other bodies are read once, and buffered: see Options.UploadMemory.
	Body io.Reader
	// Size is how many bytes Body has. If it is greater than 0, it must be right: else there is an
	// error and no object. http.Request.ContentLength can be used as it is. A body that is buffered
	// should have it: a small one then reserves no more memory than it needs.
	Size int64
	// OnProgress is called after each part that S3 has received, by the goroutine that called
	// UploadData. A body of up to 5 MiB is one part.
	OnProgress func(TransferProgress)
	// PreventOverwrite makes it an error, "PreconditionFailed", if there is an object already. That
	// may be the one of this upload if the connection broke before S3 said that it had arrived.
	PreventOverwrite bool
	// ChecksumAlgorithm may be "crc-32". Then S3 checks each part and the whole object by its
	// CRC-32, and keeps that.
	ChecksumAlgorithm string

	// ContentType is by default the one that the extension of the path stands for, or
	// "application/octet-stream". [mime.FormatMediaType] makes a ContentDisposition with the name
	// of a file. Downloads get these headers.
	ContentType, ContentDisposition, ContentEncoding, ContentLanguage, CacheControl string
	// Metadata are the user-defined metadata, by name without "x-amz-meta-". S3 changes the names
	// to lower case.
	Metadata map[string]string

	// Bucket is the bucket of the path.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// TransferProgress is how far an upload or a download is.
type TransferProgress struct {
	TransferredBytes int64
	TotalBytes       int64 // or -1 if that is not known
}

// UploadDataOutput is the output of [UploadData].
type UploadDataOutput struct {
	// Path is the path of the object in its bucket. Key is what [Key] was given, or empty.
	Path, Key   string
	ETag        string // with its quotes
	ContentType string
	Size        int64 // in bytes
	// VersionID is empty if the bucket keeps no versions.
	VersionID string
}

// UploadData uploads an object. What is there is replaced. More than 5 MiB go in parts, of which up
// to four are sent at a time. The object appears when all of it has arrived: if UploadData returns
// an error, the parts have been dropped. The caller needs the right to write, and no other.
//
// An upload ends with ctx, and with the session of the request, but not while Body is being read.
// An error of Body is in the chain of the error.
func UploadData(ctx context.Context, in UploadDataInput) (*UploadDataOutput, error) {
	t, err := open(ctx, in.Path, in.Bucket, in.AllowUnusualPath, errNoPath)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	in.ContentType = cmp.Or(in.ContentType, contentType(t.path))
	body, err := cut(in, t.memory)
	if err != nil {
		return nil, err
	}
	client, err := t.client(t.region)
	if err != nil {
		return nil, err
	}
	ctx, end := awsapi.Live(ctx, t.life)
	defer end()
	first, err := body.next(ctx)
	if err != nil {
		return nil, err
	}
	u := &upload{target: t, in: in, client: client, total: body.total(), whole: crc32.NewIEEE()}
	out := &UploadDataOutput{Path: t.path, Key: t.key, ContentType: in.ContentType}
	if first.last {
		err = u.put(ctx, first, out)
	} else {
		err = u.sendParts(ctx, body, first, out)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return out, nil
}

// check refuses what HTTP headers cannot hold.
func (in *UploadDataInput) check() error {
	fault := func(field, problem, suggestion string) error {
		message := field + " " + problem + "."
		return &amplify.Error{Name: invalidInput, Message: message, RecoverySuggestion: suggestion}
	}
	if in.ChecksumAlgorithm != "" && in.ChecksumAlgorithm != crc32Algorithm {
		return fault("ChecksumAlgorithm", fmt.Sprintf("is %q", in.ChecksumAlgorithm),
			`Use "crc-32", or leave it out.`)
	}
	for _, field := range []struct{ name, value string }{
		{"ContentType", in.ContentType}, {"ContentDisposition", in.ContentDisposition},
		{"ContentEncoding", in.ContentEncoding}, {"ContentLanguage", in.ContentLanguage},
		{"CacheControl", in.CacheControl},
	} {
		if !isPrintable(field.value) {
			return fault(field.name,
				fmt.Sprintf("is %q, which is not printable ASCII", field.value),
				"Encode it: mime.FormatMediaType writes parameters, such as the name of a file.")
		}
	}
	for name, value := range in.Metadata {
		if !awsapi.IsHeaderName(name) {
			return fault("Metadata",
				fmt.Sprintf("has the name %q, which is not one of an HTTP header", name),
				"Use letters, digits and hyphens.")
		}
		if !isPrintable(value) {
			return fault("Metadata",
				fmt.Sprintf("has a value for %q that is not printable ASCII", name),
				"Encode it, for example by url.QueryEscape.")
		}
	}
	return nil
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

const (
	crc32Algorithm = "crc-32"
	// parallelParts is how many parts of an upload are sent at a time, as in Amplify JS.
	parallelParts = 4
	// abortTimeout bounds the attempt to drop the parts of an upload that has failed.
	abortTimeout = 10 * time.Second
)

// upload is one upload. Only the goroutine of the caller changes it, but for what mu guards.
type upload struct {
	*target
	in          UploadDataInput
	client      *client
	total       int64       // or -1
	whole       hash.Hash32 // of all parts that have been read
	size        int64       // likewise
	transferred int64

	mu   sync.Mutex
	sent []types.CompletedPart
}

// sums are the checksums of a part, if they are wanted.
type sums struct{ crc32, md5 *string }

// read takes p into the checksum of the object, and returns its own. As in Amplify JS, the CRC-32
// replaces the MD5 that an object lock wants.
func (u *upload) read(p *part) (s sums, err error) {
	if u.size += p.size; p.last {
		u.total = u.size
	}
	switch {
	case u.in.ChecksumAlgorithm == crc32Algorithm:
		h := crc32.NewIEEE()
		if _, err = io.Copy(io.MultiWriter(h, u.whole), p.reader()); err == nil {
			s.crc32 = encoded(h)
		}
	case u.options.ObjectLock:
		h := md5.New() //nolint:gosec // likewise
		if _, err = io.Copy(h, p.reader()); err == nil {
			s.md5 = encoded(h)
		}
	}
	if err != nil {
		return sums{}, errBody(err)
	}
	return s, nil
}

// encoded returns a sum as headers have it.
func encoded(h hash.Hash) *string {
	return aws.String(base64.StdEncoding.EncodeToString(h.Sum(nil)))
}

// progress reports that size more bytes have arrived.
func (u *upload) progress(size int64) {
	u.transferred += size
	if u.in.OnProgress != nil {
		u.in.OnProgress(TransferProgress{TransferredBytes: u.transferred, TotalBytes: u.total})
	}
}

func (u *upload) rights() []right { return []right{{storageaccess.Write, u.target, u.path}} }

// transferring makes a call by the client that has time for data.
func (u *upload) transferring(o *s3.Options) { o.HTTPClient = u.client.uploading }

// ifNoneMatch returns the condition of an upload.
func (u *upload) ifNoneMatch() *string {
	if u.in.PreventOverwrite {
		return aws.String("*")
	}
	return nil
}

// put sends the body by one call.
func (u *upload) put(ctx context.Context, p *part, out *UploadDataOutput) error {
	defer p.release()
	s, err := u.read(p)
	if err != nil {
		return err
	}
	in := &s3.PutObjectInput{
		Bucket: &u.bucket, Key: &u.path, ExpectedBucketOwner: u.owner, IfNoneMatch: u.ifNoneMatch(),
		ContentType: &u.in.ContentType, ContentDisposition: optional(u.in.ContentDisposition),
		ContentEncoding: optional(u.in.ContentEncoding),
		ContentLanguage: optional(u.in.ContentLanguage),
		CacheControl:    optional(u.in.CacheControl), Metadata: u.in.Metadata,
		ChecksumCRC32: s.crc32, ContentMD5: s.md5,
	}
	send := func(
		c *s3.Client, ctx context.Context, in *s3.PutObjectInput, o ...func(*s3.Options),
	) (*s3.PutObjectOutput, error) {
		in.Body = p.reader() // invoke may call twice
		return c.PutObject(ctx, in, o...)
	}
	stored, err := invoke(ctx, u.target, u.rights(), send, in, u.transferring)
	if err != nil {
		return err
	}
	out.ETag, out.VersionID = aws.ToString(stored.ETag), aws.ToString(stored.VersionId)
	out.Size = u.size
	u.progress(u.size)
	return nil
}

// errAbandoned is why parts are not sent if the upload ends without an error: by a panic.
var errAbandoned = errors.New("the upload was abandoned")

// sendParts sends the body by a multipart upload. If that fails, it drops what has arrived.
func (u *upload) sendParts(
	ctx context.Context, body parts, first *part, out *UploadDataOutput,
) error {
	created := &s3.CreateMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.path, ExpectedBucketOwner: u.owner,
		ContentType: &u.in.ContentType, ContentDisposition: optional(u.in.ContentDisposition),
		ContentEncoding: optional(u.in.ContentEncoding),
		ContentLanguage: optional(u.in.ContentLanguage),
		CacheControl:    optional(u.in.CacheControl), Metadata: u.in.Metadata,
	}
	if u.in.ChecksumAlgorithm == crc32Algorithm {
		created.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32
		created.ChecksumType = types.ChecksumTypeFullObject
	}
	begun, err := invoke(ctx, u.target, u.rights(), (*s3.Client).CreateMultipartUpload, created)
	if err == nil && begun.UploadId == nil {
		err = errUnknown(errors.New("the answer has no upload id"))
	}
	if err != nil {
		first.release()
		return err
	}
	complete := false
	defer func() {
		if !complete {
			u.abort(ctx, begun.UploadId)
		}
	}()
	if err := u.sendAll(ctx, begun.UploadId, body, first); err != nil {
		return err
	}
	slices.SortFunc(u.sent, func(a, b types.CompletedPart) int {
		return cmp.Compare(*a.PartNumber, *b.PartNumber)
	})
	finish := &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.path, ExpectedBucketOwner: u.owner, UploadId: begun.UploadId,
		IfNoneMatch:     u.ifNoneMatch(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.sent},
	}
	if u.in.ChecksumAlgorithm == crc32Algorithm {
		finish.ChecksumType = types.ChecksumTypeFullObject
		finish.ChecksumCRC32 = encoded(u.whole)
	}
	stored, err := invoke(ctx, u.target, u.rights(), (*s3.Client).CompleteMultipartUpload, finish,
		func(o *s3.Options) { o.HTTPClient = u.client.copying }) // which takes as long as a copy
	if err != nil {
		return err
	}
	complete = true
	out.ETag, out.VersionID = aws.ToString(stored.ETag), aws.ToString(stored.VersionId)
	out.Size = u.size
	return nil
}

// sendAll sends the parts of body, several at a time. When it returns, no part is being sent.
func (u *upload) sendAll(ctx context.Context, id *string, body parts, next *part) error {
	sending, fail := context.WithCancelCause(ctx)
	var workers sync.WaitGroup
	defer func() {
		fail(errAbandoned)
		workers.Wait()
		if next != nil {
			next.release()
		}
	}()
	arrived := make(chan int64, parallelParts)
	underWay := 0
	wait := func() {
		size := <-arrived
		if underWay--; size > 0 {
			u.progress(size)
		}
	}
	for next != nil && sending.Err() == nil {
		s, err := u.read(next)
		if err != nil {
			fail(err)
			break
		}
		for underWay == parallelParts || len(arrived) > 0 {
			wait()
		}
		p := next
		next = nil
		underWay++
		workers.Go(func() {
			err := u.send(sending, id, p, s)
			p.release()
			if err != nil {
				fail(err)
				arrived <- 0
				return
			}
			arrived <- p.size
		})
		if !p.last {
			if next, err = body.next(sending); err != nil {
				fail(err)
			}
		}
	}
	for underWay > 0 {
		wait()
	}
	return context.Cause(sending)
}

// send sends one part.
func (u *upload) send(ctx context.Context, id *string, p *part, s sums) error {
	in := &s3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.path, ExpectedBucketOwner: u.owner,
		UploadId: id, PartNumber: &p.number, ChecksumCRC32: s.crc32, ContentMD5: s.md5,
	}
	send := func(
		c *s3.Client, ctx context.Context, in *s3.UploadPartInput, o ...func(*s3.Options),
	) (*s3.UploadPartOutput, error) {
		in.Body = p.reader() // invoke may call twice
		return c.UploadPart(ctx, in, o...)
	}
	arrived, err := invoke(ctx, u.target, u.rights(), send, in, u.transferring)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent = append(u.sent, types.CompletedPart{
		PartNumber: &p.number, ETag: arrived.ETag, ChecksumCRC32: s.crc32,
	})
	return nil
}

// abort drops the parts of an upload that has failed, also if ctx or the session has ended: S3
// keeps parts, and charges for them, until they are dropped. If it fails, parts remain, as after
// the end of the process. A lifecycle rule of the bucket can drop those.
func (u *upload) abort(ctx context.Context, id *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	credentials, err := u.renew(ctx, false)
	if err != nil {
		credentials = awsapi.AWSCredentials(u.credentials)
	}
	_, err = u.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.path, ExpectedBucketOwner: u.owner, UploadId: id,
	}, u.as(credentials))
	if err == nil {
		return
	}
	// An attempt whose answer got lost may have dropped them.
	if e := awsapi.Error(err); e.Name != "NoSuchUpload" {
		u.app.Logger().WarnContext(ctx,
			"amplify: the parts of a failed upload could not be dropped",
			"bucket", u.bucket, "error", e)
	}
}
