package sandbox_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// accessCase is a case of storage-access.json; its README tells the form.
type accessCase struct {
	ID    string
	Input struct {
		Outputs    json.RawMessage
		Identities map[string]struct {
			IdentityID string
			SignedIn   bool
			Unsigned   bool
			Groups     []string
		}
		Requests []accessRequest
	}
	Expected struct{ Verdicts []accessVerdict }
}

type accessRequest struct {
	As, Action, Bucket string
	Key                string
	Prefix, Delimiter  *string
	Keys               []string
	Source             *struct{ Bucket, Key string }
	Headers            map[string]string
	Initiator          string
}

type accessVerdict struct {
	Allowed bool
	Why     string
	Keys    []accessVerdict
}

// TestAccess makes all requests of the recording to sandboxes with its outputs, by users and guests
// of theirs. The verdicts are those of the policies that the real construct deploys.
func TestAccess(t *testing.T) {
	text, err := os.ReadFile("../testdata/conformance/storage-access.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []accessCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, c := range cases {
		count += len(c.Input.Requests)
		if len(c.Input.Requests) > 0 {
			t.Run(c.ID, func(t *testing.T) { startAccess(t, c).test(t, c) })
		}
	}
	if count != 1462 {
		t.Errorf("there are %d requests", count)
	}
}

// administrator is the name of the administrator's key among those of the identities.
const administrator = "the administrator"

// accessBackend is a sandbox with the identities of a case.
type accessBackend struct {
	*backend
	keys    map[string]storageKey // of the identities and the administrator
	buckets map[string]string
	// recorded and actual ids of the identities, in turn
	ids []string
}

func startAccess(t *testing.T, c accessCase) *accessBackend {
	t.Helper()
	a := &accessBackend{keys: map[string]storageKey{}, buckets: map[string]string{}}
	a.backend = startBackend(t, func(cfg *sandbox.Config) {
		*cfg = sandbox.Config{Outputs: c.Input.Outputs, StorageAdmin: true}
		for name, who := range c.Input.Identities {
			if who.SignedIn {
				cfg.Users = append(cfg.Users, sandbox.User{Email: name + "@example.com",
					Password: password, Groups: who.Groups})
			}
		}
	})
	var o struct {
		Storage struct {
			Buckets []struct {
				Name   string
				Bucket string `json:"bucket_name"`
			}
		}
	}
	if err := json.Unmarshal(c.Input.Outputs, &o); err != nil {
		t.Fatal(err)
	}
	for _, b := range o.Storage.Buckets {
		a.buckets[b.Name] = b.Bucket
	}
	a.keys[administrator] = a.adminKey(t)
	for name, who := range c.Input.Identities {
		if who.Unsigned {
			continue
		}
		user := ""
		if who.SignedIn {
			user = name + "@example.com"
		}
		id, key := a.storageKey(t, user)
		a.keys[name] = key
		a.ids = append(a.ids, who.IdentityID, id)
	}
	return a
}

// actual puts the actual ids of identities in place of the recorded ones.
func (a *accessBackend) actual(text string) string {
	return strings.NewReplacer(a.ids...).Replace(text)
}

func (a *accessBackend) test(t *testing.T, c accessCase) {
	for i, r := range c.Input.Requests {
		want := c.Expected.Verdicts[i]
		r.Key = a.actual(r.Key)
		if r.Prefix != nil {
			prefix := a.actual(*r.Prefix)
			r.Prefix = &prefix
		}
		if r.Source != nil {
			r.Source.Key = a.actual(r.Source.Key)
		}
		for j := range r.Keys {
			r.Keys[j] = a.actual(r.Keys[j])
		}
		s := a.prepare(t, r)
		status, body := a.send(t, a.keys[r.As], s)
		if want.Keys != nil {
			compareKeys(t, r, want, status, body)
			continue
		}
		what := fmt.Sprintf("%s by %s: %s?%s", r.Action, r.As, s.path, s.query.Encode())
		if want.Allowed != (status < 300) || !want.Allowed && status != http.StatusForbidden {
			t.Errorf("%s: %d %s, want %+v", what, status, body, want)
			continue
		}
		if want.Allowed || s.method == http.MethodHead || a.keys[r.As].AccessKeyID == "" ||
			r.Source != nil {
			continue // there is no reason, or there may be two
		}
		if reason := map[string]string{"explicit deny": "with an explicit deny",
			"no allow": "because no identity-based policy allows"}[want.Why]; !strings.Contains(
			body, reason) {
			t.Errorf("%s: %s, want %+v", what, body, want)
		}
	}
}

// compareKeys compares the verdicts about the keys of DeleteObjects.
func compareKeys(t *testing.T, r accessRequest, want accessVerdict, status int, body string) {
	t.Helper()
	var got struct {
		Deleted, Error []struct{ Key, Code string }
	}
	if err := xml.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%+v: %d %s", r, status, body)
	}
	for j, key := range r.Keys {
		deleted := slices.ContainsFunc(got.Deleted, func(d struct {
			Key,
			Code string
		}) bool {
			return d.Key == key
		})
		refused := slices.ContainsFunc(got.Error, func(d struct {
			Key,
			Code string
		}) bool {
			return d.Key == key && d.Code == "AccessDenied"
		})
		if deleted != want.Keys[j].Allowed || refused == deleted {
			t.Errorf("%s by %s: %q: %s, want %+v", r.Action, r.As, key, body, want.Keys[j])
		}
	}
}

// prepare returns a request, and makes as the administrator what it needs.
func (a *accessBackend) prepare(t *testing.T, r accessRequest) storageRequest {
	t.Helper()
	path := "/" + a.buckets[r.Bucket]
	s := storageRequest{path: path + "/" + r.Key, query: url.Values{}, header: map[string]string{}}
	for name, value := range r.Headers {
		s.header[name] = value
	}
	put := func(path string) {
		if status, body := a.send(t, a.keys[administrator],
			storageRequest{method: "PUT", path: path, body: "x"}); status != 200 {
			t.Fatalf("PUT %s: %d %s", path, status, body)
		}
	}
	sub := func(method, name string) {
		s.method = method
		s.query.Set(name, "")
	}
	switch r.Action {
	case "GetObject":
		put(s.path)
		s.method = "GET"
	case "HeadObject":
		put(s.path)
		s.method = "HEAD"
	case "PutObject":
		s.method, s.body = "PUT", "x"
	case "DeleteObject":
		s.method = "DELETE"
	case "GetObjectVersion":
		s.method = "GET"
		s.query.Set("versionId", "null")
	case "DeleteObjectVersion":
		s.method = "DELETE"
		s.query.Set("versionId", "null")
	case "ListObjects", "ListObjectsV2", "ListMultipartUploads", "ListObjectVersions":
		s.method, s.path = "GET", path
		for name, value := range map[string]*string{"prefix": r.Prefix, "delimiter": r.Delimiter} {
			if value != nil {
				s.query.Set(name, *value)
			}
		}
		switch r.Action {
		case "ListObjectsV2":
			s.query.Set("list-type", "2")
		case "ListMultipartUploads":
			s.query.Set("uploads", "")
		case "ListObjectVersions":
			s.query.Set("versions", "")
		}
	case "CopyObject", "UploadPartCopy":
		source := "/" + a.buckets[r.Source.Bucket] + "/" + r.Source.Key
		put(source)
		s.method = "PUT"
		s.header["X-Amz-Copy-Source"] = url.QueryEscape(source)
		s.header["X-Amz-Metadata-Directive"] = "REPLACE"
		if r.Action == "UploadPartCopy" {
			s.query = url.Values{"uploadId": {a.upload(t, administrator, s.path)},
				"partNumber": {"1"}}
		}
	case "DeleteObjects":
		s.method, s.path = "POST", path
		s.query.Set("delete", "")
		s.body = "<Delete>"
		for _, key := range r.Keys {
			put(path + "/" + key)
			s.body += "<Object><Key>" + key + "</Key></Object>"
		}
		s.body += "</Delete>"
		s.header["Content-Md5"] = md5Of(s.body)
	case "CreateMultipartUpload":
		sub("POST", "uploads")
	case "UploadPart":
		s.method, s.body = "PUT", "x"
		s.query = url.Values{"uploadId": {a.upload(t, administrator, s.path)}, "partNumber": {"1"}}
	case "CompleteMultipartUpload":
		id := a.upload(t, administrator, s.path)
		part := storageRequest{method: "PUT", path: s.path,
			query: url.Values{"uploadId": {id}, "partNumber": {"1"}}, body: "x"}
		if status, body := a.send(t, a.keys[administrator], part); status != 200 {
			t.Fatalf("the part: %d %s", status, body)
		}
		s.method, s.query = "POST", url.Values{"uploadId": {id}}
		s.body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
			"<ETag>9dd4e461268c8034f5c8564e155c67a6</ETag></Part></CompleteMultipartUpload>"
	case "AbortMultipartUpload", "ListParts":
		s.method = map[string]string{"AbortMultipartUpload": "DELETE", "ListParts": "GET"}[r.Action]
		s.query = url.Values{"uploadId": {a.upload(t, r.Initiator, s.path)}}
	case "GetObjectTagging":
		sub("GET", "tagging")
	case "PutObjectTagging":
		sub("PUT", "tagging")
	case "DeleteObjectTagging":
		sub("DELETE", "tagging")
	case "GetObjectAcl":
		sub("GET", "acl")
	case "PutObjectAcl":
		sub("PUT", "acl")
	case "GetObjectAttributes":
		sub("GET", "attributes")
	case "RestoreObject":
		sub("POST", "restore")
	case "HeadBucket":
		s.method, s.path = "HEAD", path
	case "GetBucketLocation":
		s.path = path
		sub("GET", "location")
	case "GetBucketCors":
		s.path = path
		sub("GET", "cors")
	case "ListBuckets":
		s.method, s.path = "GET", "/"
	default:
		t.Fatalf("no action %s", r.Action)
	}
	return s
}

// upload begins an upload and returns its id.
func (a *accessBackend) upload(t *testing.T, as, path string) string {
	t.Helper()
	status, body := a.send(t, a.keys[as], storageRequest{method: "POST", path: path,
		query: url.Values{"uploads": {""}}})
	var out struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal([]byte(body), &out); err != nil || status != 200 {
		t.Fatalf("upload by %s to %s: %d %s", as, path, status, body)
	}
	return out.UploadID
}
