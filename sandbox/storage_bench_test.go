package sandbox_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify/sandbox"
)

// BenchmarkStorage shows how fast parts go in and objects come out, with files.
func BenchmarkStorage(b *testing.B) {
	const size = 8 << 20
	s := start(b, sandbox.Config{DataDir: b.TempDir(), StorageAdmin: true})
	admin, _ := s.StorageAdmin()
	backend := &backend{Sandbox: s, outputs: outputsOf(b, s)}
	client := backend.s3Client(storageKey{
		AccessKeyID: admin.AccessKeyID, SecretAccessKey: admin.SecretAccessKey})
	bucket, key := aws.String("bucket"), aws.String("key")
	if _, err := client.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		b.Fatal(err)
	}
	content := make([]byte, size)
	put := func() {
		input := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(content)}
		if _, err := client.PutObject(b.Context(), input); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("put", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			put()
		}
	})
	b.Run("get", func(b *testing.B) {
		put()
		b.SetBytes(size)
		for b.Loop() {
			got, err := client.GetObject(b.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, got.Body); err != nil || n != size {
				b.Fatal(n, err)
			}
			_ = got.Body.Close()
		}
	})
}
