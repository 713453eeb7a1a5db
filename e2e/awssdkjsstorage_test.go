package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/storage"
)

// driveBucket is the bucket of a drive's users.
const driveBucket = "my-drive"

// jsS3 is the AWS SDK's client for S3 in JavaScript, with the credentials of a user of a drive.
type jsS3 struct {
	*jsModule
	identityID string
	file       string // the content on its way
}

// awsSDKStorage starts the AWS SDK for JavaScript. It dials AWS's host names by TLS.
func (d *drive) awsSDKStorage(t *testing.T, user string) *jsS3 {
	t.Helper()
	tokens, err := d.Tokens(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	js := &jsS3{
		jsModule: startModule(t, npmProject(t, "js/amplify"), "s3.js", d.nodeEnvironment(t)...),
		file:     filepath.Join(t.TempDir(), "content"),
	}
	o := d.outputs(t).Auth
	provider := "cognito-idp." + o.Region + ".amazonaws.com/" + o.UserPoolID
	js.do(&js.identityID, "signIn", map[string]any{
		"region": o.Region, "identityPoolId": o.IdentityPoolID,
		"logins": map[string]string{provider: tokens.IDToken},
	})
	return js
}

// private returns the key of the user's own object.
func (js *jsS3) private(name string) string { return "private/" + js.identityID + "/" + name }

// in returns the input of an operation on an object.
func (js *jsS3) in(key string, namesAndValues ...any) map[string]any {
	in := map[string]any{"Bucket": driveBucket, "Key": key, "file": js.file}
	for i := 0; i < len(namesAndValues); i += 2 {
		in[namesAndValues[i].(string)] = namesAndValues[i+1]
	}
	return in
}

// sends sets the content that the next operation sends.
func (js *jsS3) sends(data []byte) {
	js.t.Helper()
	if err := os.WriteFile(js.file, data, 0o600); err != nil {
		js.t.Fatal(err)
	}
}

// got returns the content that the last operation has brought.
func (js *jsS3) got() []byte { return readFile(js.t, js.file) }

// The AWS SDK for JavaScript does with objects of a user what Amplify's rules allow.
func TestAWSSDKForJavaScriptStorage(t *testing.T) {
	d := startDrive(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	js := d.awsSDKStorage(t, ada)

	t.Run("an object", func(t *testing.T) {
		key := js.private(`a b+c%2F&=;'"(ü)日😀.txt`)
		js.sends([]byte("content"))
		var put, head, part struct {
			ETag, ContentType, CacheControl, ContentRange string
			ContentLength                                 int
			Metadata                                      map[string]string
		}
		js.do(&put, "PutObject", js.in(key, "ContentType", "text/plain",
			"CacheControl", "no-cache", "Metadata", map[string]string{"color": "red"}))
		js.do(&head, "HeadObject", js.in(key))
		if head.ETag != put.ETag || head.ContentLength != 7 || head.ContentType != "text/plain" ||
			head.CacheControl != "no-cache" || head.Metadata["color"] != "red" {
			t.Errorf("HeadObject: %+v after %+v", head, put)
		}
		js.do(nil, "GetObject", js.in(key, "IfMatch", put.ETag))
		if got := js.got(); string(got) != "content" {
			t.Errorf("GetObject: %q", got)
		}
		js.do(&part, "GetObject", js.in(key, "Range", "bytes=2-4"))
		if got := js.got(); string(got) != "nte" || part.ContentRange != "bytes 2-4/7" {
			t.Errorf("GetObject of a range: %q of %q", got, part.ContentRange)
		}
		js.fails("PreconditionFailed", "PutObject", js.in(key, "IfNoneMatch", "*"))

		copied := js.private("copy+ü")
		source := strings.ReplaceAll(url.QueryEscape(driveBucket+"/"+key), "+", "%20")
		js.do(nil, "CopyObject", js.in(copied, "CopySource", source))
		js.do(nil, "GetObject", js.in(copied))
		if got := js.got(); string(got) != "content" {
			t.Errorf("the copy is %q", got)
		}
		js.do(nil, "DeleteObject", js.in(copied))
		// Who may not list all keys is not told whether there is an object.
		js.fails("AccessDenied", "GetObject", js.in(copied))
	})

	t.Run("lists and removals", func(t *testing.T) {
		type object struct{ Key string }
		var keys []string
		var objects []object
		for i := range 5 {
			key := js.private(fmt.Sprintf("list/%d ü+&", i))
			keys = append(keys, key)
			objects = append(objects, object{key})
			js.sends(nil)
			js.do(nil, "PutObject", js.in(key))
		}
		var list struct {
			Keys  []string
			Pages int
		}
		folder := map[string]any{
			"Bucket": driveBucket, "Prefix": js.private("list/"), "MaxKeys": 2,
		}
		js.do(&list, "keys", folder)
		if diff := cmp.Diff(keys, list.Keys); diff != "" || list.Pages != 3 {
			t.Errorf("ListObjectsV2: %d pages (-want +got):\n%s", list.Pages, diff)
		}
		var out struct {
			Deleted []object
			Errors  []struct{ Key, Code string }
		}
		foreign := "private/other/diary.txt"
		js.do(&out, "DeleteObjects", map[string]any{
			"Bucket": driveBucket, "Delete": map[string]any{"Objects": append(objects, object{foreign})},
		})
		if diff := cmp.Diff(objects, out.Deleted); diff != "" {
			t.Errorf("DeleteObjects (-want +got):\n%s", diff)
		}
		if len(out.Errors) != 1 || out.Errors[0].Key != foreign ||
			out.Errors[0].Code != "AccessDenied" {
			t.Errorf("DeleteObjects: errors %+v", out.Errors)
		}
		js.do(&list, "keys", folder)
		if len(list.Keys) != 0 {
			t.Errorf("there remain %q", list.Keys)
		}
	})

	t.Run("a stream in parts", func(t *testing.T) {
		data := randomBytes(t, 10, 12<<20)
		js.sends(data)
		var up struct {
			ETag     string
			Progress []int64
		}
		key := js.private("large.bin")
		js.do(&up, "upload", js.in(key))
		if !strings.HasSuffix(up.ETag, `-3"`) || len(up.Progress) != 3 ||
			slices.Max(up.Progress) != 12<<20 {
			t.Errorf("upload: %+v, want three parts", up)
		}
		js.sends(nil)
		js.do(nil, "GetObject", js.in(key))
		if !bytes.Equal(js.got(), data) {
			t.Error("GetObject gives other bytes")
		}
	})

	t.Run("presigned URLs", func(t *testing.T) {
		key := js.private("by url+ü.txt")
		presigned := func(operation, key string) (status int) {
			js.do(&status, "presigned", js.in(key, "operation", operation))
			return status
		}
		js.sends([]byte("by URL"))
		if status := presigned("PutObject", key); status != http.StatusOK {
			t.Errorf("PUT: %d", status)
		}
		js.sends(nil)
		if status := presigned("GetObject", key); status != http.StatusOK ||
			string(js.got()) != "by URL" {
			t.Errorf("GET: %d %q", status, js.got())
		}
		for _, operation := range []string{"PutObject", "GetObject"} {
			status := presigned(operation, "private/other/diary.txt")
			if status != http.StatusForbidden {
				t.Errorf("%s for another's path: %d", operation, status)
			}
		}
	})

	t.Run("another user's objects", func(t *testing.T) {
		key := js.private("diary.txt")
		js.sends([]byte("secret"))
		js.do(nil, "PutObject", js.in(key))
		other := d.awsSDKStorage(t, bob)
		other.sends([]byte("forged"))
		for _, c := range []struct {
			operation string
			input     map[string]any
		}{
			{"GetObject", other.in(key)},
			{"PutObject", other.in(key)},
			{"DeleteObject", other.in(key)},
			{"CreateMultipartUpload", other.in(key)},
			{"CopyObject", other.in(other.private("x"), "CopySource", driveBucket+"/"+key)},
			{"ListObjectsV2", map[string]any{
				"Bucket": driveBucket, "Prefix": strings.TrimSuffix(key, "diary.txt"),
			}},
		} {
			if got := other.fails("AccessDenied", c.operation, c.input); got.Status != 403 {
				t.Errorf("%s: status %d", c.operation, got.Status)
			}
		}
		// The answer to HEAD has no body that could name the error.
		if _, err := other.call("HeadObject", other.in(key)); err == nil || err.Status != 403 {
			t.Errorf("HeadObject: %+v", err)
		}
		js.do(nil, "GetObject", js.in(key))
		if got := js.got(); string(got) != "secret" {
			t.Errorf("the diary is %q", got)
		}
	})
}

// Go reads what the AWS SDK for JavaScript has uploaded, byte for byte, and the reverse.
func TestAWSSDKForJavaScriptStorageAndGo(t *testing.T) {
	d := startDrive(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	js := d.awsSDKStorage(t, ada)
	objects := exchanged(t)
	names := slices.Sorted(maps.Keys(objects))

	for name, data := range objects {
		js.sends(data)
		operation := "PutObject"
		if len(data) > 5<<20 {
			operation = "upload"
		}
		js.do(nil, operation, js.in(js.private("js/"+name)))
	}
	d.as(t, ada, func(ctx context.Context) {
		var got []string
		for _, path := range listed(t, ctx, private("js/")) {
			name := strings.TrimPrefix(path, js.private("js/"))
			got = append(got, name)
			if !bytes.Equal(download(t, ctx, storage.Path(path)), objects[name]) {
				t.Errorf("Go reads other bytes of %q", name)
			}
			upload(t, ctx, private("go/"+name), bytes.NewReader(objects[name]))
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("what Go lists (-want +got):\n%s", diff)
		}
	})

	var list struct{ Keys []string }
	js.do(&list, "keys", map[string]any{"Bucket": driveBucket, "Prefix": js.private("go/")})
	var got []string
	for _, key := range list.Keys {
		name := strings.TrimPrefix(key, js.private("go/"))
		got = append(got, name)
		js.sends([]byte("not yet"))
		js.do(nil, "GetObject", js.in(key))
		if !bytes.Equal(js.got(), objects[name]) {
			t.Errorf("JavaScript reads other bytes of %q", name)
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("what JavaScript lists (-want +got):\n%s", diff)
	}
}
