package storage_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
)

// fakeS3 is as much of S3 as the tests need: objects in buckets, by path style. It checks
// signatures by an implementation of its own, and answers 400 to what it does not know.
type fakeS3 struct {
	*httptest.Server
	secrets secrets
	// refuse returns the code of an error, or "", for an action at a key: "HEAD", "GET", "LIST",
	// "COPY", "DELETE", "PUT", or "CREATE", "PART", "COMPLETE" and "ABORT" of multipart uploads. May be
	// nil.
	refuse func(action, key string) string
	// checkHeader is called with the header of each upload. May be nil.
	checkHeader func(action string, h http.Header)

	mu      sync.Mutex
	buckets map[string]map[string]string
	calls   []string // actions and keys
	uploads map[string]*fakeUpload
	headers map[string]http.Header // of objects that were uploaded, by bucket and key
}

func newFakeS3(t testing.TB) *fakeS3 {
	t.Helper()
	s := &fakeS3{secrets: secrets{}, buckets: map[string]map[string]string{"drive": {}, "backup": {}},
		uploads: map[string]*fakeUpload{}, headers: map[string]http.Header{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// put puts objects, whose contents are their keys, into the bucket drive.
func (s *fakeS3) put(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.buckets["drive"][key] = key
	}
}

// keys returns the keys of a bucket.
func (s *fakeS3) keys(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.buckets[bucket]))
}

// took returns the calls since the last time.
func (s *fakeS3) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// config is a configuration with the two buckets.
func config(paths ...amplify.PathAccess) amplify.Config {
	return amplify.Config{Storage: &amplify.StorageConfig{
		Bucket: "drive", Region: "eu-west-1",
		Buckets: map[string]amplify.BucketConfig{
			"drive":  {Name: "drive", Region: "eu-west-1", Paths: paths},
			"backup": {Name: "backup", Region: "us-east-1"},
		},
	}}
}

// app returns an App whose S3 is s.
func (s *fakeS3) app(t testing.TB, cfg amplify.Config) *amplify.App {
	t.Helper()
	app, err := amplify.New(cfg, amplify.Options{Endpoints: amplify.Endpoints{Storage: s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	return app
}

// credentials returns credentials of an identity that s knows.
func (s *fakeS3) credentials(identity string) *amplify.Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets["ASIA"+identity] = "secret of " + identity
	return &amplify.Credentials{
		AccessKeyID: "ASIA" + identity, SecretAccessKey: amplify.NewSecret("secret of " + identity),
		SessionToken: amplify.NewSecret("token/of+" + identity), Expires: time.Now().Add(time.Hour), IdentityID: identity,
	}
}

// in returns a context of a request of an identity.
func (s *fakeS3) in(t testing.TB, app *amplify.App, identity string) context.Context {
	t.Helper()
	credentials := s.credentials(identity)
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
	})
	t.Cleanup(done)
	return ctx
}

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.authentic(r, body); err != nil {
		fail(w, r, http.StatusForbidden, "SignatureDoesNotMatch", err.Error())
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	objects, ok := s.buckets[bucket]
	if !ok {
		fail(w, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	query := r.URL.Query()
	action := r.Method
	switch {
	case query.Get("list-type") == "2":
		action, key = "LIST", query.Get("prefix")
	case r.Header.Get("X-Amz-Copy-Source") != "":
		action = "COPY"
	case uploadAction(r) != "":
		action = uploadAction(r)
	}
	s.calls = append(s.calls, action+" "+key)
	if s.refuse != nil {
		if code := s.refuse(action, key); code != "" {
			status := map[string]int{"AccessDenied": 403, "InternalError": 500, "OK": 200, "ExpiredToken": 400, "NoSuchUpload": 404}[code]
			fail(w, r, status, map[bool]string{true: "InternalError", false: code}[code == "OK"], "Access Denied")
			return
		}
	}
	switch content, exists := objects[key]; {
	case uploadAction(r) != "":
		s.upload(w, r, action, bucket, key, body)
	case action == "LIST":
		s.list(w, bucket, query)
	case action == "POST" && query.Has("delete"):
		s.deleteBatch(w, r, objects, body)
	case action == "DELETE":
		delete(objects, key)
		w.WriteHeader(http.StatusNoContent)
	case action == "COPY":
		source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
		if err != nil {
			panic(err)
		}
		from, name, _ := strings.Cut(source, "/")
		content, ok := s.buckets[from][name]
		if !ok {
			fail(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
			return
		}
		objects[key] = content
		_, _ = io.WriteString(w, `<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>`)
	case !exists:
		fail(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case action == "HEAD", action == "GET":
		w.Header().Set("ETag", etagOf(content))
		w.Header().Set("Content-Type", "text/plain")
		http.ServeContent(w, r, "", time.Unix(1_700_000_000, 0), strings.NewReader(content))
	default:
		fail(w, r, http.StatusBadRequest, "Unknown"+action, "not in this test")
	}
}

func (s *fakeS3) authentic(r *http.Request, body []byte) error {
	signature := r.URL.Query().Get("X-Amz-Signature")
	if signature == "" {
		return s.secrets.verify(r, body)
	}
	right, err := s.secrets.presigned(r.Method, "http://"+r.Host+r.RequestURI)
	if err == nil && !strings.HasSuffix(right, "&X-Amz-Signature="+signature) {
		err = errors.New("the signature of the address is wrong")
	}
	return err
}

func fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "R1")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>R1</RequestId></Error>", code, message)
	}
}

// list answers ListObjectsV2. A token is the last key or folder of the page before.
func (s *fakeS3) list(w io.Writer, bucket string, query url.Values) {
	prefix, delimiter, after := query.Get("prefix"), query.Get("delimiter"), query.Get("continuation-token")
	most, _ := strconv.Atoi(query.Get("max-keys"))
	var contents, folders strings.Builder
	count, truncated, last := 0, false, after
	for _, key := range slices.Sorted(maps.Keys(s.buckets[bucket])) {
		if !strings.HasPrefix(key, prefix) || key <= after || strings.HasPrefix(key, last) && strings.HasSuffix(last, "/") && delimiter != "" {
			continue
		}
		if count == most {
			truncated = true
			break
		}
		count++
		if i := strings.Index(key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			last = key[:len(prefix)+i+len(delimiter)]
			fmt.Fprintf(&folders, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", url.QueryEscape(last))
			continue
		}
		last = key
		fmt.Fprintf(&contents, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>2024-05-01T10:20:30.000Z</LastModified></Contents>",
			url.QueryEscape(key), len(s.buckets[bucket][key]))
	}
	next := ""
	if truncated {
		next = "<NextContinuationToken>" + xmlText(last) + "</NextContinuationToken>"
	}
	if after != "" {
		next += "<ContinuationToken>" + xmlText(after) + "</ContinuationToken>"
	}
	_, _ = fmt.Fprintf(w, "<ListBucketResult><Name>%s</Name><Prefix>%s</Prefix><KeyCount>%d</KeyCount><MaxKeys>%d</MaxKeys>"+
		"<EncodingType>url</EncodingType><IsTruncated>%v</IsTruncated>%s%s%s</ListBucketResult>",
		bucket, url.QueryEscape(prefix), count, most, truncated, next, &contents, &folders)
}

func xmlText(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err)
	}
	return b.String()
}

// deleteBatch answers DeleteObjects.
func (s *fakeS3) deleteBatch(w http.ResponseWriter, r *http.Request, objects map[string]string, body []byte) {
	var batch struct{ Object []struct{ Key string } }
	if err := xml.Unmarshal(body, &batch); err != nil || r.Header.Get("Content-Md5") == "" {
		fail(w, r, http.StatusBadRequest, "MalformedXML", "no XML, or no Content-MD5")
		return
	}
	_, _ = io.WriteString(w, "<DeleteResult>")
	for _, o := range batch.Object {
		s.calls = append(s.calls, "DELETE "+o.Key)
		if s.refuse != nil && s.refuse("DELETE", o.Key) != "" {
			_, _ = fmt.Fprintf(w, "<Error><Key>%s</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", xmlText(o.Key))
			continue
		}
		delete(objects, o.Key)
		_, _ = fmt.Fprintf(w, "<Deleted><Key>%s</Key></Deleted>", xmlText(o.Key))
	}
	_, _ = io.WriteString(w, "</DeleteResult>")
}
