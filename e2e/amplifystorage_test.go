package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/storage"
)

// jsObject is what the functions of aws-amplify/storage tell of an object.
type jsObject struct {
	Path, ETag, ContentType string
	Size                    int64
	LastModified            time.Time
	Metadata                map[string]string
}

// jsFolder is what list resolves to.
type jsFolder struct {
	Items            []jsObject
	NextToken        string
	ExcludedSubpaths []string
}

func (f jsFolder) paths() []string {
	var paths []string
	for _, item := range f.Items {
		paths = append(paths, item.Path)
	}
	return paths
}

// jsDrive is aws-amplify, in which a user of a drive may be signed in.
type jsDrive struct {
	*jsModule
	dir string // of the contents on their way
}

// amplifyStorage starts aws-amplify with nothing but the sandbox's amplify_outputs.json.
func (d *drive) amplifyStorage(t testing.TB, user string) *jsDrive {
	t.Helper()
	js := startModule(t, npmProject(t, "js/amplify"), "storage.js", d.nodeEnvironment(t)...)
	js.do(nil, "configure", json.RawMessage(d.Outputs()))
	if user != "" {
		if step := signIn(js, user, password); step != "DONE" {
			t.Fatalf("signIn: next step %s", step)
		}
	}
	return &jsDrive{js, t.TempDir()}
}

// upload uploads data by uploadData. The rest of the input is optional.
func (js *jsDrive) upload(path string, data []byte, options map[string]any) (out jsObject) {
	js.t.Helper()
	js.do(&out, "uploadData", js.input(path, data, options))
	return out
}

// input returns the input of uploadData.
func (js *jsDrive) input(path string, data []byte, options map[string]any) map[string]any {
	js.t.Helper()
	file := filepath.Join(js.dir, "up")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		js.t.Fatal(err)
	}
	return map[string]any{"path": path, "file": file, "options": options}
}

// download returns what downloadData gives.
func (js *jsDrive) download(path string, options map[string]any) []byte {
	js.t.Helper()
	file := filepath.Join(js.dir, "down")
	js.do(nil, "downloadData", map[string]any{"path": path, "file": file, "options": options})
	data, err := os.ReadFile(file)
	if err != nil {
		js.t.Fatal(err)
	}
	return data
}

// at returns the input of a function that needs a path alone.
func at(path string) map[string]any { return map[string]any{"path": path} }

// aws-amplify in Node.js does with objects what there is to do. It dials AWS's host names by TLS.
func TestAmplifyJSStorage(t *testing.T) {
	d := startDrive(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	js := d.amplifyStorage(t, ada)

	t.Run("a small object", func(t *testing.T) {
		const path = "private/{identityId}/a.txt"
		options := map[string]any{
			"contentType": "text/plain", "metadata": map[string]string{"color": "red"},
			"preventOverwrite": true, "checksumAlgorithm": "crc-32",
		}
		up := js.upload(path, []byte("first"), options)
		if up.ETag == "" || up.ContentType != "text/plain" || strings.Contains(up.Path, "{") {
			t.Errorf("uploadData: %+v", up)
		}
		js.fails("PreconditionFailed", "uploadData", js.input(path, []byte("second"), options))
		var got jsObject
		js.do(&got, "getProperties", at(path))
		if time.Since(got.LastModified).Abs() > time.Minute {
			t.Errorf("last modified %v", got.LastModified)
		}
		got.LastModified = time.Time{}
		want := jsObject{
			Path: up.Path, ETag: up.ETag, ContentType: "text/plain", Size: 5,
			Metadata: map[string]string{"color": "red"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("getProperties (-want +got):\n%s", diff)
		}
		if data := js.download(path, nil); string(data) != "first" {
			t.Errorf("downloadData: %q", data)
		}
		part := js.download(path, map[string]any{
			"bytesRange": map[string]int{"start": 1, "end": 3},
		})
		if string(part) != "irs" {
			t.Errorf("downloadData of a range: %q", part)
		}
	})

	t.Run("an object in parts", func(t *testing.T) {
		data := randomBytes(t, 2, 12<<20)
		up := js.upload("public/large.bin", data, map[string]any{"contentType": "image/x"})
		if !strings.HasSuffix(up.ETag, `-3"`) {
			t.Errorf("uploadData: %+v, want three parts", up)
		}
		if got := js.download("public/large.bin", nil); !bytes.Equal(got, data) {
			t.Error("downloadData gives other bytes")
		}
	})

	t.Run("lists", func(t *testing.T) {
		var all []string
		for _, name := range []string{"a", "b/1", "b/2", "e"} {
			all = append(all, js.upload("public/list/"+name, []byte(name), nil).Path)
		}
		var folder, flat, page jsFolder
		in := func(options map[string]any) map[string]any {
			return map[string]any{"path": "public/list/", "options": options}
		}
		js.do(&folder, "list", in(map[string]any{"listAll": true}))
		if diff := cmp.Diff(all, folder.paths()); diff != "" {
			t.Errorf("list (-want +got):\n%s", diff)
		}
		js.do(&flat, "list", in(map[string]any{
			"subpathStrategy": map[string]string{"strategy": "exclude"},
		}))
		if !slices.Equal(flat.paths(), []string{"public/list/a", "public/list/e"}) ||
			!slices.Equal(flat.ExcludedSubpaths, []string{"public/list/b/"}) {
			t.Errorf("list without subpaths: %+v", flat)
		}
		js.do(&page, "list", in(map[string]any{"pageSize": 3}))
		token := page.NextToken
		if len(page.Items) != 3 || token == "" {
			t.Errorf("list, the first page: %+v", page)
		}
		page = jsFolder{}
		js.do(&page, "list", in(map[string]any{"pageSize": 3, "nextToken": token}))
		if !slices.Equal(page.paths(), all[3:]) || page.NextToken != "" {
			t.Errorf("list, the second page: %+v", page)
		}
	})

	t.Run("copy, URL and removal", func(t *testing.T) {
		const odd = `public/copy/a b+c%2F&=;'"ü日😀.txt`
		js.upload(odd, []byte("odd"), nil)
		// The library does not escape the source, so that it has to be plain.
		js.upload("public/plain.txt", []byte("copied"), nil)
		var out jsObject
		js.do(&out, "copy", map[string]any{
			"source":      map[string]any{"path": "public/plain.txt", "bucket": "drive"},
			"destination": map[string]any{"path": "reports/x y+ü.txt", "bucket": "archive"},
		})
		if out.Path != "reports/x y+ü.txt" {
			t.Errorf("copy: %+v", out)
		}
		archive := map[string]any{"bucket": "archive"}
		if data := js.download(out.Path, archive); string(data) != "copied" {
			t.Errorf("the copy is %q", data)
		}
		var link struct {
			URL       string
			ExpiresAt time.Time
		}
		js.do(&link, "getUrl", map[string]any{
			"path": odd, "options": map[string]any{"validateObjectExistence": true},
		})
		status, body := d.fetchTLS(t, link.URL)
		if status != http.StatusOK || string(body) != "odd" || !link.ExpiresAt.After(time.Now()) {
			t.Errorf("the URL, until %v: %d %q", link.ExpiresAt, status, body)
		}
		js.do(nil, "remove", at(odd))
		var folder jsFolder
		js.do(&folder, "list", at("public/copy/"))
		if len(folder.Items) != 0 {
			t.Errorf("there remains %q", folder.paths())
		}
	})

	t.Run("refusals", func(t *testing.T) {
		own := js.upload("private/{identityId}/diary.txt", []byte("secret"), nil)
		for _, user := range []string{bob, ""} {
			other := d.amplifyStorage(t, user)
			for _, c := range []struct {
				name, wantError string
				input           map[string]any
			}{
				{"getProperties", "403", at(own.Path)}, // the answer to HEAD tells no name
				{"remove", "AccessDenied", at(own.Path)},
				{"list", "AccessDenied", at(strings.TrimSuffix(own.Path, "diary.txt"))},
				{"downloadData", "AccessDenied", map[string]any{"path": own.Path, "file": "none"}},
				{"uploadData", "AccessDenied", other.input(own.Path, []byte("x"), nil)},
			} {
				other.fails(c.wantError, c.name, c.input)
			}
			if user == "" {
				other.fails("AccessDenied", "uploadData", other.input("public/x", []byte("x"), nil))
			}
		}
	})
}

// fetchTLS gets what a URL with one of AWS's host names leads to, by TLS from the sandbox.
func (d *drive) fetchTLS(t testing.TB, url string) (int, []byte) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(d.CACertificate())
	address := strings.TrimPrefix(d.TLSURL(), "https://")
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// exchanged returns objects, by name, that Go and JavaScript give one another.
func exchanged(t testing.TB) map[string][]byte {
	t.Helper()
	return map[string][]byte{
		"empty":                    {},
		"small.txt":                []byte("Grüße, 世界"),
		`a b+c%2F&=;'"(ü)日😀!*.txt`: randomBytes(t, 3, 1000),
		"sub/e\u0301 large.bin":    randomBytes(t, 4, 11<<20),
	}
}

// Go lists and reads what aws-amplify has uploaded, byte for byte, and the reverse.
func TestAmplifyJSStorageAndGo(t *testing.T) {
	d := startDrive(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	js := d.amplifyStorage(t, ada)
	objects := exchanged(t)
	compare := func(t *testing.T, names []string) {
		t.Helper()
		var want []string
		for name := range objects {
			want = append(want, name)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	}
	t.Run("from JavaScript to Go", func(t *testing.T) {
		for name, data := range objects {
			js.upload("private/{identityId}/js/"+name, data, nil)
		}
		d.as(t, ada, func(ctx context.Context) {
			var names []string
			for _, path := range listed(t, ctx, private("js/")) {
				_, name, _ := strings.Cut(path, "/js/")
				names = append(names, name)
				if !bytes.Equal(download(t, ctx, storage.Path(path)), objects[name]) {
					t.Errorf("%q has other bytes", name)
				}
			}
			compare(t, names)
		})
	})
	t.Run("from Go to JavaScript", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			for name, data := range objects {
				upload(t, ctx, private("go/"+name), bytes.NewReader(data))
			}
		})
		var folder jsFolder
		js.do(&folder, "list", at("private/{identityId}/go/"))
		var names []string
		for _, item := range folder.Items {
			_, name, _ := strings.Cut(item.Path, "/go/")
			names = append(names, name)
			if data := js.download(item.Path, nil); !bytes.Equal(data, objects[name]) {
				t.Errorf("%q has other bytes", name)
			}
		}
		compare(t, names)
	})
}

// aws-amplify in a page uploads and downloads in parts and with progress, across origins.
func TestAmplifyJSStorageInPage(t *testing.T) {
	d := startDrive(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	app := startApp(t, newSite(t, "localhost"), d.backend, appOptions{
		Script: amplify6(t).bundle(t, "storagepage.js"),
		Configuration: map[string]any{
			"config": json.RawMessage(d.Outputs()), "options": map[string]any{"ssr": true},
		},
	})
	b := d.browser(t).profile(t)
	b.open(app.origin + "/amplify")
	js := b.amplify()
	js.fails("AccessDenied", "upload", "public/x", 1) // as a guest
	if step := signIn(js, ada, password); step != "DONE" {
		t.Fatalf("signIn: next step %s", step)
	}

	const path, size = "public/in parts+ü.bin", 12 << 20
	type progress []struct{ TransferredBytes, TotalBytes int64 }
	complete := func(what string, p progress) {
		t.Helper()
		for i := range p {
			if i > 0 && p[i].TransferredBytes < p[i-1].TransferredBytes || p[i].TotalBytes != size {
				t.Errorf("%s: progress %+v", what, p)
				return
			}
		}
		if len(p) < 2 || p[len(p)-1].TransferredBytes != size {
			t.Errorf("%s: progress %+v", what, p)
		}
	}
	var up struct {
		ETag     string
		Progress progress
	}
	js.do(&up, "upload", path, size)
	if !strings.HasSuffix(up.ETag, `-3"`) {
		t.Errorf("upload: %s is no ETag of three parts", up.ETag)
	}
	complete("upload", up.Progress)

	want := make([]byte, size)
	for i := range want {
		want[i] = byte(i % 251)
	}
	d.as(t, bob, func(ctx context.Context) {
		if !bytes.Equal(download(t, ctx, storage.Path(path)), want) {
			t.Error("Go downloads other bytes")
		}
		want = randomBytes(t, 5, size)
		upload(t, ctx, storage.Path(path), bytes.NewReader(want))
	})
	var down struct {
		Sum      string
		Progress progress
	}
	js.do(&down, "download", path)
	if down.Sum != fmt.Sprintf("%x", sha256.Sum256(want)) {
		t.Error("the page downloads other bytes")
	}
	complete("download", down.Progress)
}
