package sandbox_test

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// storageKey is a key for S3. The zero value is no key.
type storageKey = aws.Credentials

// storageRequest is a request for S3.
type storageRequest struct {
	method, path string // the path is not escaped
	query        url.Values
	header       map[string]string
	body         string
}

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// adminKey returns the administrator's key.
func (b *backend) adminKey(t *testing.T) storageKey {
	t.Helper()
	admin, ok := b.StorageAdmin()
	if !ok {
		t.Fatal("there is no administrator's key")
	}
	return storageKey{AccessKeyID: admin.AccessKeyID, SecretAccessKey: admin.SecretAccessKey}
}

// storageKey returns the identity and the key of a user, or, if user is empty, of a new guest.
func (b *backend) storageKey(t *testing.T, user string) (identityID string, key storageKey) {
	t.Helper()
	var logins map[string]string
	if user != "" {
		logins = b.logins(b.signIn(t, user).IdToken)
	}
	out, err := b.credentials(t, b.mustGetID(t, logins), logins)
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	return *out.IdentityId, storageKey{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretKey,
		SessionToken: *c.SessionToken}
}

// send sends a request, signed with key unless that is none. It returns status and body.
func (b *backend) send(t *testing.T, key storageKey, s storageRequest) (int, string) {
	t.Helper()
	r := s.request(t, b.URL())
	if key.AccessKeyID != "" {
		sign(t, r, key, s.body, time.Now())
	}
	res, body := do(t, http.DefaultTransport, r)
	return res.StatusCode, body
}

func (s storageRequest) request(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), s.method, address, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = s.path, httpbinding.EscapePath(s.path, false),
		s.query.Encode()
	for name, value := range s.header {
		r.Header.Set(name, value)
	}
	return r
}

// sign signs a request with the signer of the AWS SDK.
func sign(t *testing.T, r *http.Request, key storageKey, body string, now time.Time) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(t.Context(), key, r, hash, "s3", "us-east-1", now); err != nil {
		t.Fatal(err)
	}
}

// s3Client returns the AWS SDK's client for S3 with a key.
func (b *backend) s3Client(key storageKey, options ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(b.Custom.AmplifyGo.Endpoints["storage"]),
		UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials,
			error) {
			return key, nil
		}),
	}, options...)
}

// crc32Of returns a checksum as S3 writes it.
func crc32Of(content []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil,
		crc32.ChecksumIEEE(content)))
}
