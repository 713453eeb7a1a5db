package s3

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// blobs returns how many files there are for objects and parts in dir.
func blobs(t testing.TB, dir string) int {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// dial sends the head of a request as it is, and returns the connection.
func (s *server) dial(t testing.TB, r *http.Request, more string) *net.TCPConn {
	t.Helper()
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.URL.Host)
	if err := r.Header.Write(&head); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(append(head.Bytes(), more...)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// TestBrokenUploads: of an upload that breaks off nothing stays, and it is no failure of S3.
func TestBrokenUploads(t *testing.T) {
	const content = "the whole content"
	for what, c := range map[string]struct {
		payload, head, body string
		reset               bool
	}{
		"the end of the connection": {unsignedPayload,
			fmt.Sprintf("Content-Length: %d\r\n", len(content)), content[:5], false},
		"a reset": {unsignedPayload, fmt.Sprintf("Content-Length: %d\r\n", len(content)),
			content[:5], true},
		"a reset between chunks": {streamingUnsigned, "Content-Length: 99\r\n", "5\r\nthe w\r\n",
			true},
		"bad framing by HTTP": {streamingUnsigned, "Transfer-Encoding: chunked\r\n", "zz\r\n",
			false},
		"the end within framing by HTTP": {streamingUnsigned, "Transfer-Encoding: chunked\r\n",
			"3\r\n1\r\n", false},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			s := newServerIn(t, dir)
			r := s.newRequest(t, "PUT", "/bucket/ann/a", "", "X-Amz-Content-Sha256", c.payload,
				"X-Amz-Decoded-Content-Length", fmt.Sprint(len(content)))
			s.sign(t, r, ann, "")
			conn := s.dial(t, r, c.head+"\r\n"+c.body)
			defer conn.Close()
			if c.reset {
				_ = conn.SetLinger(0)
				_ = conn.Close()
			} else {
				_ = conn.CloseWrite()
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(res.Body)
				if res.StatusCode != 400 || !bytes.Contains(body, []byte("IncompleteBody")) {
					t.Errorf("%d %s", res.StatusCode, body)
				}
			}
			s.Server.Close() // waits for the handler
			if n := blobs(t, dir); n != 0 {
				t.Errorf("%d blobs are left", n)
			}
			if s.log.Len() > 0 {
				t.Errorf("the log: %s", &s.log)
			}
		})
	}
}

// failing is the writer of a caller who has gone.
type failing struct{ http.ResponseWriter }

func (failing) Write([]byte) (int, error) { return 0, errors.New("gone") }

// TestReadersAreApart: a reader who goes away does not take the object from another, although it is
// replaced in the meantime.
func TestReadersAreApart(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/a", "content").want(t, "put", 200, "")
	other, err := s.objects.Open(t.Context(), bucket, "ann/a")
	if err != nil {
		t.Fatal(err)
	}
	r := s.newRequest(t, "GET", "/bucket/ann/a", "")
	s.sign(t, r, ann, "")
	func() {
		defer func() {
			if reason := recover(); reason != http.ErrAbortHandler {
				t.Errorf("the answer did not break off: %v", reason)
			}
		}()
		s.Config.Handler.ServeHTTP(failing{httptest.NewRecorder()}, r)
	}()
	s.call(t, ann, "PUT", "/bucket/ann/a", "another").want(t, "put again", 200, "")
	var got strings.Builder
	if err := other.WriteTo(&got, 0, other.Object.Size); err != nil || got.String() != "content" {
		t.Errorf("%q, %v", &got, err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

// TestObjectsAreNoPages: on loopback the console has the same origin, so that no object is a page.
func TestObjectsAreNoPages(t *testing.T) {
	s := newServer(t)
	for kind, want := range map[string]string{
		"text/html": "sandbox", "image/svg+xml": "sandbox", "application/pdf": "",
		// Of these, browsers take the second.
		"application/pdf, text/html": "sandbox", "application/pdf;a=b,text/html": "sandbox",
		"application/pdfx": "sandbox",
	} {
		s.call(t, ann, "PUT", "/bucket/ann/a", "x", "Content-Type", kind).want(t, kind, 200, "")
		s.call(t, ann, "PUT", "/bucket/ann/b", "x").want(t, kind, 200, "")
		for _, target := range []string{"/bucket/ann/a",
			"/bucket/ann/b?response-content-type=" + url.QueryEscape(kind)} {
			h := s.call(t, ann, "GET", target, "").Header
			if h.Get("Content-Type") != kind || h.Get("Content-Security-Policy") != want ||
				h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", target, h)
			}
		}
	}
	for _, target := range []string{"/bucket?prefix=ann/", "/bucket/none", "/"} {
		if h := s.call(t, ann, "GET", target, "").Header; h.Get(
			"Content-Security-Policy") != "sandbox" {
			t.Errorf("%s: %v", target, h)
		}
	}
}

// TestTrailers: there is one trailing header, the one that was announced.
func TestTrailers(t *testing.T) {
	s := newServer(t)
	name := checksum.CRC32.Header()
	const right = "NSRBwg=="
	for trailer, code := range map[string]string{
		name + ":" + right + "\r\n":                               "",
		name + ":" + right + "\r\n" + name + ":" + right + "\r\n": "MalformedTrailerError",
		strings.Repeat(name+":\r\n", 2):                           "MalformedTrailerError",
		name + "\r\n":                                             "MalformedTrailerError",
		name + ":\r\n":                                            "InvalidRequest",
		"":                                                        "MalformedTrailerError",
		"x-amz-checksum-sha1:x\r\n":                               "MalformedTrailerError",
		strings.Repeat("x", maxLine+1):                            "IncompleteBody",
	} {
		status := map[bool]int{true: 200, false: 400}[code == ""]
		s.call(t, ann, "PUT", "/bucket/ann/a", "3\r\nabc\r\n0\r\n"+trailer+"\r\n",
			"X-Amz-Content-Sha256", streamingUnsigned, "X-Amz-Trailer", name,
			"X-Amz-Decoded-Content-Length", "3").want(t, trailer[:min(len(trailer), 60)], status,
			code)
	}
}

// TestDocuments: documents that are no plain list of what they are about are refused.
func TestDocuments(t *testing.T) {
	const one = "<Delete><Object><Key>ann/a</Key></Object></Delete>"
	s := newServer(t)
	for what, c := range map[string]struct{ body, code string }{
		"plain":       {one, ""},
		"a namespace": {strings.Replace(one, ">", " xmlns='"+namespace+"'>", 1), ""},
		"with more":   {"<?xml version='1.0'?><!-- c -->\n" + one + "\n", ""},
		"an entity": {`<!DOCTYPE x [<!ENTITY a "aaaa">]>` + strings.Replace(one, "ann/a", "&a;", 1),
			"MalformedXML"},
		"an unknown entity":  {strings.Replace(one, "ann/a", "&a;", 1), "MalformedXML"},
		"a document type":    {"<!DOCTYPE Delete>" + one, "MalformedXML"},
		"two roots":          {one + one, "MalformedXML"},
		"text behind it":     {one + "x", "MalformedXML"},
		"text before it":     {"x" + one, "MalformedXML"},
		"no end":             {one[:len(one)-1], "MalformedXML"},
		"another encoding":   {"<?xml version='1.0' encoding='UTF-7'?>" + one, "MalformedXML"},
		"deep nesting":       {strings.Repeat("<Delete>", 100_000), "MalformedXML"},
		"deep nesting in it": {"<Delete>" + strings.Repeat("<x>", 100_000), "MalformedXML"},
		"nothing":            {"", "MalformedXML"},
		"more than 1,000": {"<Delete>" + strings.Repeat("<Object><Key>a</Key></Object>", 1001) +
			"</Delete>", "MalformedXML"},
		"too long": {one + strings.Repeat(" ", maxContent), "MaxMessageLengthExceeded"},
	} {
		h := checksum.MD5.New()
		h.Write([]byte(c.body))
		status := map[bool]int{true: 200, false: 400}[c.code == ""]
		s.call(t, ann, "POST", "/bucket?delete", c.body, "Content-Md5", checksum.Encode(h)).want(t,
			what, status, c.code)
	}
}

// TestListsAreBounded: a list of more than there can be is not read to its end. Each element takes
// many times the memory of its text.
func TestListsAreBounded(t *testing.T) {
	var parts completeRequest
	body := "<CompleteMultipartUpload>" + strings.Repeat("<Part/>", 20*objects.MaxParts) +
		"</CompleteMultipartUpload>"
	if err := readXML([]byte(body), "CompleteMultipartUpload", &parts); err == nil ||
		len(parts.Parts) > objects.MaxParts {
		t.Errorf("%d parts, %v", len(parts.Parts), err)
	}
	var gone deleteRequest
	body = "<Delete>" + strings.Repeat("<Object/>", 20*maxDeleted) + "</Delete>"
	if err := readXML([]byte(body), "Delete", &gone); err == nil ||
		len(gone.Objects) > maxDeleted {
		t.Errorf("%d objects, %v", len(gone.Objects), err)
	}
}

// TestOtherOperations: what the sandbox does not have it neither takes for something else that it
// has, nor does by half.
func TestOtherOperations(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/a", "content").want(t, "put", 200, "")
	// From the serializers of the AWS SDK for Go, service/s3 v1.114.10.
	for _, query := range []string{
		"abac", "accelerate", "acl", "analytics", "annotation", "cors", "encryption",
		"intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging",
		"metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable",
		"metadataJournalTable", "metadataTable", "metrics", "notification", "object-lock",
		"ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject",
		"replication", "requestPayment", "restore", "retention", "select&select-type=2", "session",
		"torrent", "versioning", "versions", "website",
	} {
		for _, method := range []string{"GET", "PUT", "DELETE", "POST"} {
			for _, target := range []string{"/bucket", "/bucket/ann/a"} {
				what := method + " " + target + "?" + query
				s.call(t, admin, method, target+"?"+query, "").want(t, what, 501, "NotImplemented")
				s.call(t, ann, method, target+"?"+query, "").want(t, what, 403, "AccessDenied")
			}
		}
	}
	for _, header := range []string{
		"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Write-Offset-Bytes",
		"X-Amz-Server-Side-Encryption", "X-Amz-If-Match-Size", "X-Amz-If-Match-Last-Modified-Time",
		"X-Amz-Object-Annotation-Directive",
		"X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key",
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			s.call(t, ann, method, "/bucket/ann/a", "", header, "x").want(t, method+" "+header, 501,
				"NotImplemented")
		}
	}
	s.call(t, ann, "PUT", "/bucket/ann/a", "", "X-Amz-Server-Side-Encryption", "aws:kms").want(t,
		"a key of KMS", 501, "NotImplemented")
	s.call(t, ann, "PUT", "/bucket/ann/a", "", "X-Amz-Storage-Class", "GLACIER").want(t,
		"another storage class", 501, "NotImplemented")
	for _, query := range []string{"partNumber=1", "versionId=x"} { // of other operations
		s.call(t, ann, "PUT", "/bucket/ann/a?"+query, "").want(t, query, 400, "InvalidArgument")
	}
	s.call(t, ann, "PUT", "/bucket/ann/b", "", "X-Amz-Server-Side-Encryption", "AES256",
		"X-Amz-Storage-Class", "STANDARD").want(t,
		"what S3 does anyway", 200, "")
	s.call(t, ann, "PUT", "/bucket/ann/a", "", "X-Amz-Object-Lock-Mode", "GOVERNANCE").want(t,
		"a lock", 400, "InvalidRequest")
	s.call(t, none, "POST", "/bucket", "", "Content-Type", "multipart/form-data; boundary=x").want(
		t, "a form", 501, "NotImplemented")
	for header, value := range map[string]string{"X-Amz-Acl": "public-read",
		"X-Amz-Bucket-Object-Lock-Enabled": "true", "X-Amz-Object-Ownership": "ObjectWriter"} {
		s.call(t, admin, "PUT", "/new-bucket", "", header, value).want(t, header, 501,
			"NotImplemented")
	}
	s.call(t, admin, "PUT", "/new-bucket", "<CreateBucketConfiguration><Tags><Tag><Key>a</Key>"+
		"<Value>b</Value></Tag></Tags></CreateBucketConfiguration>").want(t, "tags", 501,
		"NotImplemented")
	s.call(t, admin, "GET", "//bucket/ann/a", "").want(t, "no bucket", 400, "InvalidURI")
	if a := s.call(t, ann, "GET", "/bucket/ann/a", ""); a.body != "content" {
		t.Errorf("the object is %q", a.body)
	}
}

// TestHeaderSize: what an object keeps of its headers is bounded. Cookies are others'.
func TestHeaderSize(t *testing.T) {
	s := newServer(t)
	long := strings.Repeat("x", maxHeader)
	s.call(t, ann, "PUT", "/bucket/ann/a", "", "Content-Disposition", long).want(t, "a header", 400,
		"RequestHeaderSectionTooLarge")
	s.call(t, ann, "PUT", "/bucket/ann/a", "", "Cookie", "a="+long).want(t, "a cookie", 200, "")
}

// TestHoistedHeaders: a presigned URL has headers as parameters, and they count like headers.
func TestHoistedHeaders(t *testing.T) {
	s := newServer(t)
	s.call(t, ann, "PUT", "/bucket/ann/a", "content").want(t, "put", 200, "")
	presign := func(query string) *http.Request {
		r := s.newRequest(t, "PUT", "/bucket/ann/b?X-Amz-Expires=60&"+query, "")
		signed, _, err := signer().PresignHTTP(t.Context(), ann, r, unsignedPayload, "s3",
			"us-east-1", s.now)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = url.Parse(signed); err != nil {
			t.Fatal(err)
		}
		return r
	}
	s.do(t, presign("x-amz-copy-source=bucket/ann/a&x-amz-metadata-directive=REPLACE"+
		"&x-amz-meta-color=red")).want(t, "copy", 200, "")
	if a := s.call(t, ann, "GET", "/bucket/ann/b", ""); a.body != "content" ||
		a.Header.Get("X-Amz-Meta-Color") != "red" {
		t.Errorf("the copy: %q, %v", a.body, a.Header)
	}
	s.do(t, presign("x-amz-copy-source=bucket/other/a")).want(t, "of what they may not read", 403,
		"AccessDenied")
	s.do(t, presign("x-amz-tagging=a%3Db")).want(t, "tags", 403, "AccessDenied")
}

// TestPreflight: all origins may ask, for what S3 has.
func TestPreflight(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		origin, method, headers string
		status                  int
	}{
		{"https://example.com", "PUT", "content-type, x-amz-date", 200},
		{"https://example.com", "GET", "", 200},
		{"", "GET", "", 400},
		{"https://example.com", "PATCH", "", 400},
		{"https://example.com", "get", "", 400},
		{"https://example.com", "GET", "a b", 400},
		{"https://example.com", "GET", "a,,b", 400},
		{"https://example.com", "GET", "a,b:c", 400},
	} {
		header := []string{}
		for name, value := range map[string]string{"Origin": c.origin,
			"Access-Control-Request-Method":  c.method,
			"Access-Control-Request-Headers": c.headers} {
			if value != "" {
				header = append(header, name, value)
			}
		}
		a := s.call(t, none, "OPTIONS", "/bucket/ann/a", "", header...)
		if a.StatusCode != c.status || c.status == 200 && (a.Header.Get(
			"Access-Control-Allow-Origin") != "*" || a.Header.Get(
			"Access-Control-Allow-Headers") != c.headers) {
			t.Errorf("%+v: %d %s %v", c, a.StatusCode, a.body, a.Header)
		}
	}
}

// TestFullDisk: a caller learns that there is no room.
func TestFullDisk(t *testing.T) {
	q := &request{Request: httptest.NewRequest("PUT", "/", nil)}
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	var refused *Error
	if err := q.explain(fmt.Errorf("writing: %w", full)); !errors.As(err, &refused) ||
		refused.Status != http.StatusInsufficientStorage {
		t.Error(err)
	}
}

// TestListBuckets: pages, and what they are narrowed to.
func TestListBuckets(t *testing.T) {
	s := newServer(t)
	s.call(t, admin, "PUT", "/west", "<CreateBucketConfiguration><LocationConstraint>eu-west-1"+
		"</LocationConstraint></CreateBucketConfiguration>").want(t, "create", 200, "")
	list := func(query string) (names []string, token string) {
		var out struct {
			Buckets struct {
				Bucket []struct{ Name string }
			}
			ContinuationToken string
		}
		a := s.call(t, admin, "GET", "/?"+query, "")
		a.want(t, query, 200, "")
		if err := xml.Unmarshal([]byte(a.body), &out); err != nil {
			t.Fatal(err)
		}
		for _, b := range out.Buckets.Bucket {
			names = append(names, b.Name)
		}
		return names, out.ContinuationToken
	}
	for query, want := range map[string]string{"": "[bucket west whole]",
		"prefix=w": "[west whole]", "bucket-region=eu-west-1": "[west]", "prefix=x": "[]"} {
		if names, token := list(query); fmt.Sprint(names) != want || token != "" {
			t.Errorf("%s: %v, %q", query, names, token)
		}
	}
	first, token := list("max-buckets=2")
	rest, end := list("max-buckets=2&continuation-token=" + token)
	if fmt.Sprint(first, rest) != "[bucket west] [whole]" || end != "" {
		t.Errorf("pages %v, %v, %q", first, rest, end)
	}
	for _, query := range []string{"max-buckets=0", "max-buckets=-1", "max-buckets=10001",
		"continuation-token=!"} {
		s.call(t, admin, "GET", "/?"+query, "").want(t, query, 400, "InvalidArgument")
	}
	s.call(t, ann, "GET", "/", "").want(t, "a user", 403, "AccessDenied")
}
