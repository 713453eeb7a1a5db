package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// contentOf returns the content of the object with
// that key: any other, or half of it, is told from it.
func contentOf(key string, size int) []byte {
	sum := sha256.Sum256([]byte(key))
	return bytes.Repeat(sum[:], size/len(sum))
}

// TestStorageSurvivesAKill kills the sandbox while objects and parts are uploaded. What was
// acknowledged is there afterwards, no half object is, and nothing else takes space.
func TestStorageSurvivesAKill(t *testing.T) {
	const size = 1 << 20
	dir := t.TempDir()
	ctx := t.Context()
	bucket := aws.String("bucket")
	kept := map[string]bool{}
	var upload *string
	parts := map[int32]*string{}
	for round := range 2 {
		p := startProcess(t, dir)
		client := p.storage.s3Client(p.admin)
		if round == 0 {
			if _, err := client.CreateBucket(ctx,
				&s3.CreateBucketInput{Bucket: bucket}); err != nil {
				t.Fatal(err)
			}
			created, err := client.CreateMultipartUpload(ctx,
				&s3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("large")})
			if err != nil {
				t.Fatal(err)
			}
			upload = created.UploadId
		}
		var mu sync.Mutex
		var killed atomic.Bool
		var working sync.WaitGroup
		for worker := range 4 {
			working.Go(func() {
				for i := int32(1); !killed.Load(); i++ {
					key := fmt.Sprintf("%d/%d/%d", round, worker, i)
					if worker == 0 {
						part, err := client.UploadPart(ctx,
							&s3.UploadPartInput{Bucket: bucket, Key: aws.String("large"),
								UploadId:   upload,
								PartNumber: &i, Body: bytes.NewReader(contentOf(fmt.Sprint(i),
									5*size))})
						if err == nil {
							mu.Lock()
							parts[i] = part.ETag
							mu.Unlock()
						}
					} else if _, err := client.PutObject(ctx,
						&s3.PutObjectInput{Bucket: bucket, Key: &key,
							Body: bytes.NewReader(contentOf(key, size))}); err == nil {
						mu.Lock()
						kept[key] = true
						if len(kept) == 20*(round+1) {
							killed.Store(true)
							_ = p.Process.Kill()
						}
						mu.Unlock()
					}
				}
			})
		}
		working.Wait()
		_ = p.Wait()
	}

	p := startProcess(t, dir)
	client := p.storage.s3Client(p.admin)
	list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		delete(kept, *o.Key)
		got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(got.Body); err != nil ||
			!bytes.Equal(content, contentOf(*o.Key, size)) {
			t.Errorf("%s: %d other bytes, %v", *o.Key, len(content), err)
		}
	}
	for key := range kept {
		t.Errorf("%s was acknowledged, and is not there", key)
	}
	listed, err := client.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket,
		Key: aws.String("large"), UploadId: upload})
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := os.ReadDir(filepath.Join(dir, "objects"))
	if err != nil || len(blobs) != len(list.Contents)+len(listed.Parts) {
		t.Errorf("%d blobs of %d objects and %d parts, %v", len(blobs), len(list.Contents),
			len(listed.Parts), err)
	}
	// The upload goes on with the parts that are there.
	var complete []types.CompletedPart
	var whole []byte
	for _, part := range listed.Parts {
		if want := parts[*part.PartNumber]; want != nil && *want != *part.ETag {
			t.Errorf("part %d is %s, want %s", *part.PartNumber, *part.ETag, *want)
		}
		delete(parts, *part.PartNumber)
		complete = append(complete, types.CompletedPart{PartNumber: part.PartNumber,
			ETag: part.ETag})
		whole = append(whole, contentOf(fmt.Sprint(*part.PartNumber), 5*size)...)
	}
	for number := range parts {
		t.Errorf("part %d was acknowledged, and is not there", number)
	}
	if _, err := client.CompleteMultipartUpload(ctx,
		&s3.CompleteMultipartUploadInput{Bucket: bucket, Key: aws.String("large"), UploadId: upload,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: complete}}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("large")})
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(content, whole) {
		t.Errorf("the whole has %d other bytes, %v", len(content), err)
	}
}
