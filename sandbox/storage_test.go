package sandbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// withStorage is an outputs file with buckets in two regions.
const withStorage = `{
	"version": "1.4",
	"auth": {
		"user_pool_id": "us-east-1_AbCdEfGhI", "user_pool_client_id": "2example23456789",
		"aws_region": "us-east-1",
		"identity_pool_id": "us-east-1:01234567-89ab-cdef-0123-456789abcdef",
		"unauthenticated_identities_enabled": true, "username_attributes": ["email"],
		"standard_required_attributes": ["email"], "user_verification_types": ["email"],
		"groups": [{"editors": {"precedence": 0}}]
	},
	"storage": {"bucket_name": "my-photos", "aws_region": "us-east-1", "buckets": [
		{"name": "photos", "bucket_name": "my-photos", "aws_region": "us-east-1", "paths": {
			"public/*": {"guest": ["get", "list"],
				"authenticated": ["get", "list", "write", "delete"]},
			"private/${cognito-identity.amazonaws.com:sub}/*": {
				"entityidentity": ["get", "list", "write", "delete"]}}},
		{"name": "archive", "bucket_name": "my-archive", "aws_region": "eu-west-1", "paths": {
			"reports/*": {"groupseditors": ["get", "list", "write"]}}}]}
}`

func startStorage(t *testing.T, change func(*sandbox.Config)) *backend {
	t.Helper()
	return startBackend(t, func(cfg *sandbox.Config) {
		cfg.Outputs, cfg.StorageAdmin = []byte(withStorage), true
		if change != nil {
			change(cfg)
		}
	})
}

// ofBob returns Bob's client for S3, and where his
// own objects are. Ann, an editor, has another role.
func (b *backend) ofBob(t *testing.T) (client *s3.Client, private string) {
	t.Helper()
	id, key := b.storageKey(t, "bob@example.com")
	return b.s3Client(key), "private/" + id + "/"
}

const photos = "my-photos"

func s3Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestStorage does what Amplify Storage does, with the AWS SDK.
func TestStorage(t *testing.T) {
	b := startStorage(t, nil)
	ctx := t.Context()
	client, private := b.ofBob(t)
	key := private + "a b+ü/%2e/&.txt"
	put, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(photos), Key: &key,
		Body:        strings.NewReader("content"),
		ContentType: aws.String("text/plain"), CacheControl: aws.String("no-cache"),
		Metadata: map[string]string{"color": "red"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos), Key: &key,
		Range: aws.String("bytes=-3"), IfMatch: put.ETag})
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(got.Body)
	if err != nil || string(content) != "ent" || *got.ContentRange != "bytes 4-6/7" {
		t.Errorf("%q of %v, %v", content, got.ContentRange, err)
	}
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(photos), Key: &key})
	if err != nil || *head.ContentLength != 7 || *head.ContentType != "text/plain" ||
		*head.CacheControl != "no-cache" || head.Metadata["color"] != "red" {
		t.Errorf("%+v, %v", head, err)
	}

	copied := private + "copy"
	if _, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(photos),
		Key: &copied, CopySourceIfMatch: put.ETag,
		CopySource:       aws.String(url.QueryEscape(photos + "/" + key)),
		TaggingDirective: types.TaggingDirectiveCopy}); err != nil {
		t.Error(err)
	}
	list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(photos),
		Prefix: &private, Delimiter: aws.String("/")})
	if err != nil || len(list.Contents) != 1 || *list.Contents[0].Key != copied ||
		len(list.CommonPrefixes) != 1 || *list.CommonPrefixes[0].Prefix != private+"a b+ü/" {
		t.Errorf("%+v, %v", list, err)
	}
	for ifNoneMatch, code := range map[string]string{"*": "PreconditionFailed", "": "<nil>"} {
		input := &s3.PutObjectInput{Bucket: aws.String(photos), Key: &copied,
			Body: strings.NewReader("new")}
		if ifNoneMatch != "" {
			input.IfNoneMatch = &ifNoneMatch
		}
		if _, err := client.PutObject(ctx, input); s3Code(err) != code {
			t.Errorf("put with If-None-Match %q: %v", ifNoneMatch, err)
		}
	}
	for owner, code := range map[string]string{"000000000000": "<nil>",
		"111111111111": "AccessDenied"} {
		if _, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos),
			Key: &copied, ExpectedBucketOwner: &owner}); s3Code(err) != code {
			t.Errorf("the owner %s: %v", owner, err)
		}
	}
	deleted, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String(photos),
		Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: &key}, {Key: &copied},
				{Key: aws.String("elsewhere/x")}}}})
	if err != nil || len(deleted.Deleted) != 2 || len(deleted.Errors) != 1 ||
		*deleted.Errors[0].Code != "AccessDenied" {
		t.Errorf("%+v, %v", deleted, err)
	}
	// Amplify's users may not learn that an object is missing.
	if _, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos),
		Key: &key}); s3Code(err) != "AccessDenied" {
		t.Errorf("a missing object: %v", err)
	}
	if n := b.Calls(); n["GetObject"] != 4 || n["DeleteObjects"] != 1 || n["ListObjectsV2"] != 1 {
		t.Errorf("calls: %v", n)
	}
}

// TestMultipart uploads in parts, of which the sandbox computes the checksum of the whole.
func TestMultipart(t *testing.T) {
	b := startStorage(t, nil)
	ctx := t.Context()
	client, private := b.ofBob(t)
	key := private + "video"
	created, err := client.CreateMultipartUpload(ctx,
		&s3.CreateMultipartUploadInput{Bucket: aws.String(photos), Key: &key,
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
			ChecksumType:      types.ChecksumTypeFullObject})
	if err != nil {
		t.Fatal(err)
	}
	whole := bytes.Repeat([]byte("0123456789abcdef"), 6<<20/16)
	var parts []types.CompletedPart
	for i, content := range [][]byte{whole[:5<<20], whole[5<<20:]} {
		number := aws.Int32(int32(i + 1))
		part, err := client.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String(photos),
			Key: &key, UploadId: created.UploadId, PartNumber: number,
			Body: bytes.NewReader(content)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: number,
			ChecksumCRC32: part.ChecksumCRC32})
	}
	complete := func(crc string, parts []types.CompletedPart) error {
		_, err := client.CompleteMultipartUpload(ctx,
			&s3.CompleteMultipartUploadInput{Bucket: aws.String(photos), Key: &key,
				UploadId:      created.UploadId,
				ChecksumCRC32: &crc, ChecksumType: types.ChecksumTypeFullObject,
				MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	if err := complete("AAAAAA==", parts); s3Code(err) != "BadDigest" {
		t.Errorf("another checksum: %v", err)
	}
	if err := complete("AAAAAA==", []types.CompletedPart{parts[1],
		parts[0]}); s3Code(err) != "InvalidPartOrder" {
		t.Errorf("another order: %v", err)
	}
	_, ann := b.storageKey(t, "ann@example.com")
	if _, err := b.s3Client(ann).ListParts(ctx, &s3.ListPartsInput{Bucket: aws.String(photos),
		Key: &key, UploadId: created.UploadId}); s3Code(err) != "AccessDenied" {
		t.Errorf("another's upload: %v", err)
	}
	if listed, err := client.ListParts(ctx, &s3.ListPartsInput{Bucket: aws.String(photos),
		Key: &key, UploadId: created.UploadId}); err != nil || len(listed.Parts) != 2 {
		t.Errorf("%+v, %v", listed, err)
	}
	if err := complete(crc32Of(whole), parts); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos), Key: &key,
		ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(content, whole) ||
		*got.ChecksumCRC32 != crc32Of(whole) {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}

// TestPresignedURLs: a URL is good for what it was made for, as long as it and its credentials are.
func TestPresignedURLs(t *testing.T) {
	b := startStorage(t, nil)
	ctx := t.Context()
	client, private := b.ofBob(t)
	presign := s3.NewPresignClient(client)
	key := private + "a"
	put, err := presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(photos),
		Key: &key}, s3.WithPresignExpires(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if res, body := call(t, "PUT", put.URL, "<script>",
		map[string]string{"Content-Type": "text/html",
			"Origin": "https://app.example"}); res.StatusCode != 200 ||
		res.Header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(res.Header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("put: %d %s", res.StatusCode, body)
	}
	get, err := presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos),
		Key: &key, ResponseContentDisposition: aws.String("inline")},
		s3.WithPresignExpires(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	res, body := call(t, "GET", get.URL, "", nil)
	if res.StatusCode != 200 || body != "<script>" ||
		res.Header.Get("Content-Disposition") != "inline" {
		t.Errorf("get: %d %s", res.StatusCode, body)
	}
	// The page has the origin of the console. It must not act there.
	if res.Header.Get("Content-Security-Policy") != "sandbox" ||
		res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the header of a page: %v", res.Header)
	}
	b.SetClockOffset(61 * time.Minute)
	if res, body := call(t, "GET", get.URL, "", nil); res.StatusCode != 400 ||
		!strings.Contains(body, "ExpiredToken") {
		t.Errorf("after the credentials have expired: %d %s", res.StatusCode, body)
	}
	if res, _ := call(t, "PUT", put.URL, "x", nil); res.StatusCode != 403 {
		t.Errorf("after the URL has expired: %d", res.StatusCode)
	}
}

// TestStorageIsolation: users do not reach one another's objects, guests do not write, and the role
// of a group replaces that of signed-in users.
func TestStorageIsolation(t *testing.T) {
	b := startStorage(t, nil)
	ctx := t.Context()
	bob, private := b.ofBob(t)
	mine := private + "a"
	if _, err := bob.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(photos),
		Key: &mine}); err != nil {
		t.Fatal(err)
	}
	_, guestKey := b.storageKey(t, "")
	_, annKey := b.storageKey(t, "ann@example.com")
	inEurope := func(o *s3.Options) { o.Region = "eu-west-1" }
	for who, c := range map[string]struct {
		client, europe *s3.Client
		archive        string
	}{
		"guest": {b.s3Client(guestKey), b.s3Client(guestKey, inEurope), "AccessDenied"},
		"ann":   {b.s3Client(annKey), b.s3Client(annKey, inEurope), "<nil>"},
	} {
		_, get := c.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos),
			Key: &mine})
		_, put := c.client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(photos),
			Key: &mine})
		_, public := c.client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(photos),
			Key: aws.String("public/a")})
		_, list := c.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(photos),
			Prefix: &private})
		_, from := c.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("my-archive"),
			Key: aws.String("reports/a"), CopySource: aws.String(photos + "/" + mine)})
		_, archive := c.europe.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("my-archive"),
			Key: aws.String("reports/a")})
		got := []string{s3Code(get), s3Code(put), s3Code(public), s3Code(list), s3Code(archive)}
		want := []string{"AccessDenied", "AccessDenied", "AccessDenied", "AccessDenied", c.archive}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
		if from == nil {
			t.Errorf("%s copied another's object", who)
		}
	}
	if _, err := b.s3Client(annKey).PutObject(ctx,
		&s3.PutObjectInput{Bucket: aws.String("my-archive"),
			Key: aws.String("reports/a")}); s3Code(err) != "AuthorizationHeaderMalformed" {
		t.Errorf("a bucket of another region: %v", err)
	}
	if _, err := bob.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("mine")}); s3Code(
		err) != "AccessDenied" {
		t.Errorf("a bucket of Bob's: %v", err)
	}
}

// TestStorageAdmin: the key is for those who asked for
// it, on the loopback address, and without a token.
func TestStorageAdmin(t *testing.T) {
	b := startStorage(t, nil)
	key := b.adminKey(t)
	if !strings.HasPrefix(key.AccessKeyID, "AKIA") || len(key.AccessKeyID) != 20 ||
		len(key.SecretAccessKey) != 40 {
		t.Errorf("the key is %+v", key)
	}
	ctx := t.Context()
	client := b.s3Client(key)
	if _, err := client.CreateBucket(ctx,
		&s3.CreateBucketInput{Bucket: aws.String("new-bucket")}); err != nil {
		t.Error(err)
	}
	if out, err := client.ListBuckets(ctx, &s3.ListBucketsInput{}); err != nil ||
		len(out.Buckets) != 3 {
		t.Errorf("%+v, %v", out, err)
	}
	r := storageRequest{method: "PUT", path: "/my-photos/a"}.request(t, b.URL())
	r.Host = "s3.us-east-1.amazonaws.com"
	sign(t, r, key, "", time.Now())
	if res, body := do(t, http.DefaultTransport, r); res.StatusCode != 403 ||
		!strings.Contains(body, "InvalidAccessKeyId") {
		t.Errorf("under AWS's name: %d %s", res.StatusCode, body)
	}
	key.SessionToken = "x"
	if _, err := b.s3Client(key).ListBuckets(ctx,
		&s3.ListBucketsInput{}); s3Code(err) != "InvalidToken" {
		t.Errorf("with a token: %v", err)
	}
	if key, ok := startStorage(t, func(c *sandbox.Config) {
		c.StorageAdmin = false
	}).StorageAdmin(); ok {
		t.Errorf("a key that nobody asked for: %+v", key)
	}
}

// TestStorageByTLS reaches S3 under AWS's names, in both styles, as unmodified programs do.
func TestStorageByTLS(t *testing.T) {
	b := startStorage(t, func(c *sandbox.Config) { c.TLSAddr = "127.0.0.1:0" })
	id, key := b.storageKey(t, "bob@example.com")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.CACertificate())
	address := strings.TrimPrefix(b.TLSURL(), "https://")
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	defer transport.CloseIdleConnections()
	object := "private/" + id + "/a"
	for _, pathStyle := range []bool{true, false} {
		client := s3.New(s3.Options{Region: "us-east-1", UsePathStyle: pathStyle,
			HTTPClient: &http.Client{Transport: transport}, Retryer: aws.NopRetryer{},
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials,
				error) {
				return key, nil
			})})
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(photos),
			Key: &object, Body: strings.NewReader("x")}); err != nil {
			t.Errorf("path style %v: %v", pathStyle, err)
		}
		if _, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(photos),
			Key: &object}); err != nil {
			t.Errorf("path style %v: %v", pathStyle, err)
		}
	}
}

// TestStoragePreflight: pages of all origins may call S3, which
// the browser asks before it sends credentials.
func TestStoragePreflight(t *testing.T) {
	b := startStorage(t, nil)
	for path, want := range map[string]int{"/my-photos/public/a": 200, "/my-photos?delete": 200,
		"/no-bucket/a": 404} {
		res, body := call(t, "OPTIONS", b.URL()+path, "",
			map[string]string{"Origin": "https://app.example",
				"Access-Control-Request-Method":  "PUT",
				"Access-Control-Request-Headers": "authorization,x-amz-date"})
		if res.StatusCode != want {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
		if want == 200 && (res.Header.Get("Access-Control-Allow-Origin") != "*" ||
			res.Header.Get("Access-Control-Allow-Headers") != "authorization,x-amz-date" ||
			!strings.Contains(res.Header.Get("Access-Control-Allow-Methods"), "PUT")) {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
}

// TestStorageFaults: what S3 answers when it is struck. Nothing that was broken off is stored.
func TestStorageFaults(t *testing.T) {
	b := startStorage(t, nil)
	ctx := t.Context()
	client, private := b.ofBob(t)
	key := private + "a"
	content := strings.Repeat("x", 1<<20)
	put := func() error {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(photos), Key: &key,
			Body: strings.NewReader(content)})
		return err
	}
	for outcome, code := range map[faults.Outcome]string{faults.Throttle: "SlowDown",
		faults.JSON500: "InternalError"} {
		b.mustAdd(t, faults.Fault{Operation: "PutObject", Outcome: outcome, Count: 1})
		if err := put(); s3Code(err) != code {
			t.Errorf("%s: %v", outcome, err)
		}
	}
	for _, outcome := range []faults.Outcome{faults.Drop, faults.Cut} {
		b.mustAdd(t, faults.Fault{Operation: "PutObject", Outcome: outcome, Count: 1})
		if err := put(); err == nil {
			t.Errorf("%s: no error", outcome)
		}
	}
	if list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(photos),
		Prefix: &private}); err != nil || len(list.Contents) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	b.mustAdd(t, faults.Fault{Operation: "GetObject", Outcome: faults.Cut, Count: 1})
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(photos), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	if half, err := io.ReadAll(got.Body); err == nil || len(half) != len(content)/2 {
		t.Errorf("%d bytes, %v", len(half), err)
	}
}

// TestLegacyStorage: outputs without rules for the bucket have those of Gen 1.
func TestLegacyStorage(t *testing.T) {
	legacy := strings.Replace(withStorage, `"buckets"`, `"other"`, 1)
	b := startStorage(t, func(c *sandbox.Config) { c.Outputs = []byte(legacy) })
	_, guest := b.storageKey(t, "")
	bob, private := b.ofBob(t)
	for key, code := range map[string]string{"public/a": "<nil>", private + "a": "<nil>",
		"protected/x/a": "AccessDenied", "a": "AccessDenied"} {
		if _, err := bob.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(photos),
			Key: &key}); s3Code(err) != code {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := b.s3Client(guest).GetObject(t.Context(),
		&s3.GetObjectInput{Bucket: aws.String(photos), Key: aws.String("public/a")}); err != nil {
		t.Error(err)
	}
}

// TestStorageHosts: outputs of another party do not reach names that a certificate must not have.
func TestStorageHosts(t *testing.T) {
	outputs := strings.Replace(withStorage, `"aws_region": "eu-west-1"`, `"aws_region": "*"`, 1)
	outputs = strings.ReplaceAll(outputs, "my-photos", "my..photos")
	b := startStorage(t, func(c *sandbox.Config) { c.Outputs = []byte(outputs) })
	for _, host := range b.AWSHosts() {
		if strings.Contains(host, "*") || strings.Contains(host, "..") {
			t.Errorf("the name %q", host)
		}
	}
}

// TestBadStorage: what is wrong with the section storage stops the sandbox.
func TestBadStorage(t *testing.T) {
	for _, c := range [][3]string{
		{`"bucket_name": "my-archive"`, `"bucket_name": "../x"`,
			`"../x" is not the name of a bucket`},
		{`"get"`, `"read"`, `there is no action "read"`},
		{`"buckets": [`, `"buckets": {}, "x": [`, "section storage"},
	} {
		_, err := sandbox.Start(t.Context(),
			sandbox.Config{Outputs: []byte(strings.Replace(withStorage, c[0], c[1], 1))})
		if err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", c[1], err)
		}
	}
}
