package sandbox_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// hostileNames returns names that are hard to sign, to escape, to list, or to keep in a file.
func hostileNames() []string {
	names := []string{"a/../b", "..", "../../etc/passwd", ".", "./a", "a//b", "/a", "//", "a/", " ",
		" a ", "a+b c%20d%2Fe%", "?a=b&c=d#e;f", `a'b"c<d>e\f`,
		"\x00", "\x01\x0b\x1f\x7f", "\r\n", "\t", "\u00fc", "u\u0308", "\u202ea", "\u2028",
		"\U0001f600", "\ufffe", "!*'()", "$:@=,", "~-._", "%", "%zz", "+",
		"${cognito-identity.amazonaws.com:sub}/x", "[1]{2}^`|", strings.Repeat("k", 200)}
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []rune(" +%?#&;'\"/\\.\x01\n\u00fc\u4e2d\U0001f600ab=~*[]{}|^$:@,<>!()")
	for len(names) < 100 {
		var name strings.Builder
		for range 1 + random.IntN(12) {
			name.WriteRune(pieces[random.IntN(len(pieces))])
		}
		names = append(names, name.String())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestHostileNames: an object has the name that it was given, in each operation and to the byte.
func TestHostileNames(t *testing.T) {
	b := startStorage(t, nil)
	ctx := t.Context()
	client, private := b.ofBob(t)
	bucket := aws.String(photos)
	presign := s3.NewPresignClient(client)
	names := hostileNames()
	for _, name := range names {
		key := private + "n/" + name
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key,
			Body: strings.NewReader(name)}); err != nil {
			t.Errorf("put %q: %v", name, err)
			continue
		}
		signed, err := presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		if res, body := call(t, "GET", signed.URL, "", nil); res.StatusCode != 200 || body != name {
			t.Errorf("presigned %q: %d %.300s", name, res.StatusCode, body)
		}
		copied := private + "c/" + name
		if _, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: &copied,
			CopySource: aws.String(url.QueryEscape(photos + "/" + key))}); err != nil {
			t.Errorf("copy %q: %v", name, err)
		}
		got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &copied})
		if err != nil {
			t.Errorf("get the copy of %q: %v", name, err)
			continue
		}
		if content, err := io.ReadAll(got.Body); err != nil || string(content) != name {
			t.Errorf("the copy of %q has %q, %v", name, content, err)
		}
	}
	var listed []string
	input := &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String(private + "n/"),
		MaxKeys: aws.Int32(7), EncodingType: types.EncodingTypeUrl}
	for pages := s3.NewListObjectsV2Paginator(client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			key, err := url.QueryUnescape(*o.Key)
			if err != nil {
				t.Fatal(err)
			}
			listed = append(listed, strings.TrimPrefix(key, private+"n/"))
		}
	}
	if diff := cmp.Diff(names, listed); diff != "" {
		t.Error(diff)
	}
	for _, name := range names {
		if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket,
			Key: aws.String(private + "n/" + name)}); err != nil {
			t.Errorf("delete %q: %v", name, err)
		}
	}
	if left, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket,
		Prefix: input.Prefix}); err != nil || len(left.Contents) != 0 {
		t.Errorf("%v are left, %v", fmt.Sprint(left), err)
	}
}
