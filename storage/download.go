package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// DownloadDataInput is the input of [DownloadData].
type DownloadDataInput struct {
	Path ObjectPath
	// Offset is how many bytes of the object are left out at its beginning, and Length how many are
	// read, if it is greater than 0. There may be fewer. If there are none, the error is
	// "InvalidRange".
	Offset, Length int64
	// OnProgress is called after each read from the body, by the goroutine that reads.
	OnProgress func(TransferProgress)

	// Bucket is the bucket of the path.
	Bucket Bucket
	// AllowUnusualPath allows paths with empty segments, "." and "..", and control characters.
	AllowUnusualPath bool
}

// DownloadDataOutput is the output of [DownloadData].
type DownloadDataOutput struct {
	// Properties are those of the object. Size is that of all of it.
	Properties
	ContentDisposition, ContentEncoding, ContentLanguage, CacheControl string
	// Body is the data. It must be closed, and used by one goroutine at a time.
	Body io.ReadCloser
	// Length is how many bytes Body has.
	Length int64
}

// DownloadData begins to download an object, or a part of one. Nothing of it is kept in memory:
//
//	out, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: storage.Path("a.pdf")})
//	if err != nil {
//		…
//	}
//	defer out.Body.Close()
//	_, err = io.Copy(w, out.Body)
//
// If the connection breaks, or nothing comes for 30 seconds, Body asks for the rest, as long as the
// object is the same. After three attempts in a row that bring nothing, it returns the error. If
// the object has changed, that is "PreconditionFailed". [io.EOF] means that all Length bytes have
// been read. Body ends with ctx, and with the session of the request.
//
// The error for a missing object is that of [GetProperties], but for the name "NoSuchKey".
func DownloadData(ctx context.Context, in DownloadDataInput) (*DownloadDataOutput, error) {
	t, err := open(ctx, in.Path, in.Bucket, in.AllowUnusualPath, errNoPath)
	if err != nil {
		return nil, err
	}
	if in.Offset < 0 || in.Length < 0 {
		return nil, &amplify.Error{
			Name:               invalidInput,
			Message:            fmt.Sprintf("Offset is %d, and Length %d.", in.Offset, in.Length),
			RecoverySuggestion: "Neither may be negative.",
		}
	}
	client, err := t.client(t.region)
	if err != nil {
		return nil, err
	}
	ctx, end := awsapi.Live(ctx, t.life)
	d := &download{
		target: t, client: client, ctx: ctx, end: end,
		first: in.Offset, at: in.Offset, onProgress: in.OnProgress,
	}
	out, err := d.open(in.Length)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		end()
		return nil, err
	}
	return out, nil
}

// download is the body of a download.
type download struct {
	*target
	client     *client
	ctx        context.Context
	end        func() // of ctx
	onProgress func(TransferProgress)

	etag            string
	first, at, stop int64 // in the object: where it began, is, and ends
	size            int64 // of the object
	body            io.ReadCloser
	fruitless       int   // attempts since something came
	broken          error // why body is nil
	err             error // of all further reads
}

// open makes the first call.
func (d *download) open(length int64) (*DownloadDataOutput, error) {
	last := int64(-1)
	if length > 0 {
		last = d.at + length - 1
	}
	got, err := d.get(last)
	if err != nil {
		return nil, err
	}
	end, size, err := extent(got, d.at)
	if err == nil && last < 0 && end != size {
		err = fmt.Errorf("the answer ends at %d of %d bytes", end, size)
	}
	if err == nil && last >= 0 && end > last+1 {
		err = fmt.Errorf("the answer ends at %d, beyond the range", end)
	}
	if err != nil {
		got.Body.Close()
		return nil, errUnknown(err)
	}
	d.etag, d.stop, d.size, d.body = aws.ToString(got.ETag), end, size, got.Body
	return &DownloadDataOutput{
		Properties: Properties{
			Path: d.path, Key: d.key,
			ContentType: aws.ToString(got.ContentType), Size: size, ETag: d.etag,
			LastModified: aws.ToTime(got.LastModified), Metadata: got.Metadata,
			VersionID: aws.ToString(got.VersionId),
		},
		ContentDisposition: aws.ToString(got.ContentDisposition),
		ContentEncoding:    aws.ToString(got.ContentEncoding),
		ContentLanguage:    aws.ToString(got.ContentLanguage),
		CacheControl:       aws.ToString(got.CacheControl),
		Body:               d, Length: end - d.at,
	}, nil
}

// get asks for the object from where d is to last, or to its end if that is negative.
func (d *download) get(last int64) (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{
		Bucket: &d.bucket, Key: &d.path, ExpectedBucketOwner: d.owner, IfMatch: optional(d.etag),
	}
	switch {
	case last >= 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", d.at, last))
	case d.at > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", d.at))
	}
	rights := []right{{storageaccess.Get, d.target, d.path}}
	return invoke(d.ctx, d.target, rights, (*s3.Client).GetObject, in,
		func(o *s3.Options) { o.HTTPClient = d.client.downloading })
}

// extent returns where an answer ends that begins at start, and the size of the object. An answer
// that begins elsewhere must not be taken for it.
func extent(got *s3.GetObjectOutput, start int64) (end, size int64, err error) {
	if got.ContentLength == nil || *got.ContentLength < 0 {
		return 0, 0, errors.New("the answer does not say how long it is")
	}
	length := *got.ContentLength
	if got.ContentRange == nil {
		if start > 0 {
			return 0, 0, fmt.Errorf("the answer begins at 0, not %d", start)
		}
		return length, length, nil
	}
	var from, last int64
	if _, err := fmt.Sscanf(*got.ContentRange, "bytes %d-%d/%d", &from, &last, &size); err != nil {
		return 0, 0, fmt.Errorf("the answer has the range %q", *got.ContentRange)
	}
	if from != start || last-from+1 != length || last >= size {
		return 0, 0, fmt.Errorf("the answer to a call from %d has %d bytes of the range %q",
			start, length, *got.ContentRange)
	}
	return last + 1, size, nil
}

// Read implements [io.Reader].
func (d *download) Read(p []byte) (int, error) {
	for d.err == nil {
		switch {
		case d.at == d.stop:
			return 0, io.EOF
		case d.ctx.Err() != nil:
			d.err = context.Cause(d.ctx)
			continue
		case len(p) == 0:
			return 0, nil
		case d.body == nil:
			d.err = d.resume()
			continue
		}
		n, err := d.body.Read(p[:min(int64(len(p)), d.stop-d.at)])
		d.at += int64(n)
		if err != nil {
			d.body.Close()
			if d.body, d.broken = nil, err; err == io.EOF {
				d.broken = io.ErrUnexpectedEOF
			}
		}
		if n > 0 {
			d.fruitless = 0
			if d.onProgress != nil {
				d.onProgress(TransferProgress{d.at - d.first, d.stop - d.first})
			}
			return n, nil
		}
	}
	return 0, d.err
}

// resume asks for the rest after the connection broke.
func (d *download) resume() error {
	d.fruitless++
	if d.fruitless > awsapi.Attempts || d.etag == "" {
		e := serviceError(d.broken)
		e.RecoverySuggestion = fmt.Sprintf("Only %d of %d bytes came.",
			d.at-d.first, d.stop-d.first)
		return e
	}
	if d.fruitless > 1 {
		// As [awsapi.Retryer] does.
		pause := time.NewTimer(rand.N(100 * time.Millisecond << (d.fruitless - 1)))
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-d.ctx.Done():
		}
	}
	got, err := d.get(d.stop - 1)
	switch {
	case d.ctx.Err() != nil:
		if err == nil {
			got.Body.Close()
		}
		return context.Cause(d.ctx)
	case err != nil:
		if e, ok := err.(*amplify.Error); ok && e.Name == "PreconditionFailed" {
			e.RecoverySuggestion = "The object was changed while it was read: begin again."
		}
		return err
	}
	end, size, err := extent(got, d.at)
	if err == nil && (end != d.stop || size != d.size || aws.ToString(got.ETag) != d.etag) {
		err = errors.New("the rest is of another object than the beginning")
	}
	if err != nil {
		got.Body.Close()
		return errUnknown(err)
	}
	d.body = got.Body
	return nil
}

// Close implements [io.Closer].
func (d *download) Close() error {
	d.end()
	d.err = http.ErrBodyReadAfterClose
	if d.body == nil {
		return nil
	}
	body := d.body
	d.body = nil
	return body.Close()
}
