package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/storage"
)

// driveOutputs are outputs with two buckets, and with a rule for each kind of caller.
const driveOutputs = `{
	"version": "1.4",
	"auth": {
		"user_pool_id": "us-east-1_AbCdEfGhI", "user_pool_client_id": "2example23456789",
		"aws_region": "us-east-1",
		"identity_pool_id": "us-east-1:01234567-89ab-cdef-0123-456789abcdef",
		"unauthenticated_identities_enabled": true, "username_attributes": ["email"],
		"standard_required_attributes": ["email"], "user_verification_types": ["email"],
		"groups": [{"editors": {"precedence": 0}}]
	},
	"storage": {"bucket_name": "my-drive", "aws_region": "us-east-1", "buckets": [
		{"name": "drive", "bucket_name": "my-drive", "aws_region": "us-east-1", "paths": {
			"public/*": {"guest": ["get", "list"],
				"authenticated": ["get", "list", "write", "delete"]},
			"private/${cognito-identity.amazonaws.com:sub}/*": {
				"entityidentity": ["get", "list", "write", "delete"]},
			"team/*": {"authenticated": ["get"], "groupseditors": ["get", "list", "write"]}}},
		{"name": "archive", "bucket_name": "my-archive", "aws_region": "eu-west-1", "paths": {
			"reports/*": {"authenticated": ["get", "list", "write"]}}}]}
}`

// Users of a drive, beside ada. Eve is an editor.
const (
	bob = "bob@example.com"
	eve = "eve@example.com"
)

// drive is a sandbox with buckets, and a Go server for its users.
type drive struct {
	*backend
	*visitors
}

func startDrive(t *testing.T, config sandbox.Config) *drive {
	t.Helper()
	config.Outputs = []byte(driveOutputs)
	d := &drive{backend: startBackend(t, config)}
	d.visitors = newVisitors(t, d.Outputs(), amplify.Options{})
	for _, u := range []sandbox.User{
		{Email: ada}, {Email: bob}, {Email: eve, Groups: []string{"editors"}},
	} {
		d.addUser(t, u)
		tokens, err := d.Tokens(t.Context(), u.Email)
		if err != nil {
			t.Fatal(err)
		}
		d.signIn(t, u.Email, tokens.AccessToken, tokens.IDToken)
	}
	return d
}

// visitors are those of a Go server.
type visitors struct {
	config  amplify.Config
	runner  *amplifyhttp.ServerRunner
	cookies map[string][]*http.Cookie // by the user's e-mail address
}

// newVisitors returns visitors of whom nobody is signed in.
func newVisitors(t *testing.T, outputs []byte, app amplify.Options) *visitors {
	t.Helper()
	v := &visitors{cookies: map[string][]*http.Cookie{}}
	var err error
	if v.config, err = amplify.ParseConfig(outputs); err != nil {
		t.Fatal(err)
	}
	v.runner, err = amplifyhttp.NewServerRunner(v.config, amplifyhttp.Options{App: app})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.runner.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing the runner: %v", err)
		}
	})
	return v
}

// signIn keeps the tokens of a user.
func (v *visitors) signIn(t *testing.T, user, accessToken, idToken string) {
	t.Helper()
	cookies, err := amplifytest.Cookies(v.config, amplify.IssuedTokens{
		AccessToken: amplify.NewSecret(accessToken), IDToken: amplify.NewSecret(idToken),
	})
	if err != nil {
		t.Fatal(err)
	}
	v.cookies[user] = cookies
}

// as runs operation for a request with the cookies of a user, or, if user is empty, of a guest.
func (v *visitors) as(t *testing.T, user string, operation func(context.Context)) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for _, c := range v.cookies[user] {
		r.AddCookie(c)
	}
	_, err := amplifyhttp.RunWithServerContext(v.runner, amplifyhttp.ReadOnly(r),
		func(ctx context.Context) (struct{}, error) {
			operation(ctx)
			return struct{}{}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
}

// private returns the path of a user's own object.
func private(name string) storage.ObjectPath {
	return storage.PathFunc(func(id string) string { return "private/" + id + "/" + name })
}

// randomBytes returns the same bytes for the same seed.
func randomBytes(t testing.TB, seed byte, size int) []byte {
	t.Helper()
	data := make([]byte, size)
	if _, err := io.ReadFull(rand.NewChaCha8([32]byte{seed}), data); err != nil {
		t.Fatal(err)
	}
	return data
}

// upload uploads an object that has to arrive, and returns its path in the bucket.
func upload(t testing.TB, ctx context.Context, path storage.ObjectPath, body io.Reader) string {
	t.Helper()
	out, err := storage.UploadData(ctx, storage.UploadDataInput{Path: path, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return out.Path
}

// download returns the whole of an object.
func download(t testing.TB, ctx context.Context, path storage.ObjectPath) []byte {
	t.Helper()
	out, err := storage.DownloadData(ctx, storage.DownloadDataInput{
		Path: path, AllowUnusualPath: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != out.Length || out.Length != out.Size {
		t.Errorf("%d bytes of an object of %d, of which %d were announced",
			len(data), out.Size, out.Length)
	}
	return data
}

// listed returns the paths of all objects below a folder.
func listed(t testing.TB, ctx context.Context, folder storage.ObjectPath) []string {
	t.Helper()
	var paths []string
	for item, err := range storage.ListAll(ctx, storage.ListInput{Path: folder}) {
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, item.Path)
	}
	return paths
}

// fetch makes a request without any credentials but those that the URL has.
func fetch(t testing.TB, method, url, contentType string, body io.Reader) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, content
}

// refused tests that an error is an AccessDenied which says that no rule allows the call.
func refused(t *testing.T, err error, suggestion string) {
	t.Helper()
	e, ok := err.(*amplify.Error)
	if !ok || e.Name != "AccessDenied" || e.Reason != amplify.ReasonNoAccessRule ||
		!strings.Contains(e.RecoverySuggestion, suggestion) {
		t.Errorf("error %v, want an AccessDenied with %q", err, suggestion)
	}
}

// A user does with an object all that there is to do.
func TestStorage(t *testing.T) {
	d := startDrive(t, sandbox.Config{})

	t.Run("a small object", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			path := private("notes/a.txt")
			in := storage.UploadDataInput{
				Path: path, Body: strings.NewReader("first"), PreventOverwrite: true,
				CacheControl: "no-cache", Metadata: map[string]string{"Color": "red"},
				ChecksumAlgorithm: "crc-32",
			}
			up, err := storage.UploadData(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			in.Body = strings.NewReader("second")
			if _, err := storage.UploadData(ctx, in); !hasName(err, "PreconditionFailed") {
				t.Errorf("the second upload: %v", err)
			}
			got, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			if time.Since(got.LastModified).Abs() > time.Minute {
				t.Errorf("last modified %v", got.LastModified)
			}
			got.LastModified = time.Time{}
			want := &storage.Properties{
				Path: up.Path, Size: 5, ETag: up.ETag, ContentType: "text/plain",
				Metadata: map[string]string{"color": "red"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("GetProperties (-want +got):\n%s", diff)
			}
			if got := download(t, ctx, path); string(got) != "first" {
				t.Errorf("DownloadData: %q", got)
			}
		})
	})

	t.Run("an object in parts", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			data := randomBytes(t, 1, 12<<20)
			path := private("large.bin")
			var last storage.TransferProgress
			out, err := storage.UploadData(ctx, storage.UploadDataInput{
				Path: path, Body: io.MultiReader(bytes.NewReader(data)), // of unknown length
				OnProgress: func(p storage.TransferProgress) {
					if p.TransferredBytes <= last.TransferredBytes {
						t.Errorf("progress %+v after %+v", p, last)
					}
					last = p
				},
				CacheControl: "max-age=60",
			})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(out.ETag, `-3"`) || out.Size != 12<<20 {
				t.Errorf("UploadData: %+v, want three parts", out)
			}
			if last.TransferredBytes != 12<<20 {
				t.Errorf("the last progress is %+v", last)
			}
			if sha256.Sum256(download(t, ctx, path)) != sha256.Sum256(data) {
				t.Error("the download has other bytes")
			}

			// A range across the border of two parts.
			const from, length = 5<<20 - 1000, 2000
			part, err := storage.DownloadData(ctx, storage.DownloadDataInput{
				Path: path, Offset: from, Length: length,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer part.Body.Close()
			got, err := io.ReadAll(part.Body)
			if err != nil || !bytes.Equal(got, data[from:from+length]) {
				t.Errorf("the range has %d bytes, or other ones; %v", len(got), err)
			}
			if part.CacheControl != "max-age=60" || part.Size != 12<<20 {
				t.Errorf("DownloadData: %+v", part)
			}
			_, err = storage.DownloadData(ctx, storage.DownloadDataInput{
				Path: path, Offset: 12 << 20,
			})
			if !hasName(err, "InvalidRange") {
				t.Errorf("a range behind the end: %v", err)
			}
		})
	})

	t.Run("lists", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			var all []string
			for _, name := range []string{"a", "b/1", "b/2", "c/d/1", "e"} {
				upload(t, ctx, storage.Path("public/list/"+name), strings.NewReader(name))
				all = append(all, "public/list/"+name)
			}
			folder := storage.Path("public/list/")
			if diff := cmp.Diff(all, listed(t, ctx, folder)); diff != "" {
				t.Errorf("ListAll (-want +got):\n%s", diff)
			}
			var paged []string
			in := storage.ListInput{Path: folder, PageSize: 2}
			for range 3 {
				page, err := storage.List(ctx, in)
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range page.Items {
					paged = append(paged, item.Path)
				}
				in.NextToken = page.NextToken
			}
			if diff := cmp.Diff(all, paged); diff != "" || in.NextToken != "" {
				t.Errorf("List in pages, which end with %q (-want +got):\n%s", in.NextToken, diff)
			}
			flat, err := storage.List(ctx, storage.ListInput{Path: folder, ExcludeSubpaths: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(flat.Items) != 2 || flat.Items[1].Path != "public/list/e" ||
				flat.Items[1].Size != 1 ||
				!slices.Equal(flat.ExcludedSubpaths, []string{"public/list/b/", "public/list/c/"}) {
				t.Errorf("List without subpaths: %+v", flat)
			}
		})
	})

	t.Run("copies", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			const name = `public/copy/a b+c%2F?&=#;'"ü日😀.txt`
			source := upload(t, ctx, storage.Path(name), strings.NewReader("copied"))
			for _, c := range []struct{ from, to, path string }{
				{"", "", "public/copy/" + `x y+%20?ü.txt`},
				{"drive", "archive", "reports/" + `x y+%20?ü.txt`},
			} {
				out, err := storage.Copy(ctx, storage.CopyInput{
					Source: storage.CopySource{
						Path: storage.Path(source), Bucket: storage.Bucket{Name: c.from},
					},
					Destination: storage.CopyDestination{
						Path: storage.Path(c.path), Bucket: storage.Bucket{Name: c.to},
					},
				})
				if err != nil || out.Path != c.path {
					t.Fatalf("Copy to %q: %+v, %v", c.path, out, err)
				}
				copied, err := storage.GetURL(ctx, storage.GetURLInput{
					Path: storage.Path(out.Path), Bucket: storage.Bucket{Name: c.to},
					ValidateObjectExistence: true,
				})
				if err != nil {
					t.Fatal(err)
				}
				status, body := fetch(t, http.MethodGet, copied.URL, "", nil)
				if status != 200 || string(body) != "copied" {
					t.Errorf("the copy %q: %d %q", c.path, status, body)
				}
			}
			_, err := storage.Copy(ctx, storage.CopyInput{
				Source:      storage.CopySource{Path: storage.Path(source), ETag: `"other"`},
				Destination: storage.CopyDestination{Path: storage.Path("public/copy/never")},
			})
			if !hasName(err, "PreconditionFailed") {
				t.Errorf("Copy of another version: %v", err)
			}
		})
	})

	t.Run("URLs", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			path := private("by url.txt")
			put, err := storage.GetURL(ctx, storage.GetURLInput{
				Path: path, Method: http.MethodPut, ContentType: "text/plain",
			})
			if err != nil {
				t.Fatal(err)
			}
			// The signature is one for PUT.
			if status, body := fetch(t, http.MethodDelete, put.URL, "", nil); status != 403 {
				t.Errorf("DELETE: %d %s", status, body)
			}
			status, body := fetch(t, http.MethodPut, put.URL, "text/plain",
				strings.NewReader("by URL"))
			if status != http.StatusOK {
				t.Errorf("PUT: %d %s", status, body)
			}
			get, err := storage.GetURL(ctx, storage.GetURLInput{Path: path, Stable: true})
			if err != nil {
				t.Fatal(err)
			}
			if until := time.Until(get.ExpiresAt); until <= 0 || until > 15*time.Minute {
				t.Errorf("the URL is good for %v", until)
			}
			status, body = fetch(t, http.MethodGet, get.URL, "", nil)
			if status != http.StatusOK || string(body) != "by URL" {
				t.Errorf("GET: %d %q", status, body)
			}
			forged := strings.Replace(get.URL, "by%20url", "large", 1)
			if status, _ := fetch(t, http.MethodGet, forged, "", nil); forged == get.URL ||
				status != http.StatusForbidden {
				t.Errorf("GET of another object by the same signature: %d", status)
			}
		})
	})

	t.Run("removal", func(t *testing.T) {
		d.as(t, ada, func(ctx context.Context) {
			for i := range 5 {
				upload(t, ctx, storage.Path(fmt.Sprintf("public/remove/%d", i)), nil)
			}
			upload(t, ctx, storage.Path("public/removed"), nil)
			_, err := storage.Remove(ctx, storage.RemoveInput{
				Path: storage.Path("public/remove/0"),
			})
			if err != nil {
				t.Error(err)
			}
			if got := listed(t, ctx, storage.Path("public/remove/")); len(got) != 4 {
				t.Errorf("there remain %q", got)
			}
			progress := 0
			out, err := storage.Remove(ctx, storage.RemoveInput{
				Path:       storage.Path("public/remove/"),
				OnProgress: func(p storage.RemoveProgress) { progress += len(p.Removed) },
			})
			if err != nil || out.Removed != 4 || progress != 4 {
				t.Errorf("Remove of the folder: %+v, %v, progress %d", out, err, progress)
			}
			got := listed(t, ctx, storage.Path("public/remove"))
			if !slices.Equal(got, []string{"public/removed"}) {
				t.Errorf("there remain %q", got)
			}
		})
	})
}

// hasName tells whether err is one of the library's with this name.
func hasName(err error, name string) bool {
	e, ok := err.(*amplify.Error)
	return ok && e.Name == name
}

// Who may do what, by the rules of the outputs: the sandbox decides, and the library explains.
func TestStorageRights(t *testing.T) {
	d := startDrive(t, sandbox.Config{})
	var adas string
	d.as(t, ada, func(ctx context.Context) {
		adas = upload(t, ctx, private("diary.txt"), strings.NewReader("secret"))
		upload(t, ctx, storage.Path("public/a.txt"), strings.NewReader("for all"))
	})
	write := func(ctx context.Context, path string) error {
		_, err := storage.UploadData(ctx, storage.UploadDataInput{
			Path: storage.Path(path), Body: strings.NewReader("x"),
		})
		return err
	}

	t.Run("another user's objects", func(t *testing.T) {
		folder := strings.TrimSuffix(adas, "diary.txt")
		for _, user := range []string{bob, eve, ""} {
			d.as(t, user, func(ctx context.Context) {
				path := storage.Path(adas)
				_, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: path})
				refused(t, err, adas)
				_, err = storage.GetProperties(ctx, storage.GetPropertiesInput{Path: path})
				refused(t, err, adas)
				_, err = storage.List(ctx, storage.ListInput{Path: storage.Path(folder)})
				refused(t, err, folder)
				refused(t, write(ctx, adas), adas)
				_, err = storage.Remove(ctx, storage.RemoveInput{Path: path})
				refused(t, err, adas)
				_, err = storage.Copy(ctx, storage.CopyInput{
					Source: storage.CopySource{Path: path},
					Destination: storage.CopyDestination{
						Path: storage.Path("public/stolen.txt"),
					},
				})
				refused(t, err, adas)
				stolen, err := storage.GetURL(ctx, storage.GetURLInput{Path: path})
				if err != nil {
					t.Fatal(err)
				}
				status, body := fetch(t, http.MethodGet, stolen.URL, "", nil)
				if status != http.StatusForbidden || bytes.Contains(body, []byte("secret")) {
					t.Errorf("GET by a URL that %q signed: %d %s", user, status, body)
				}
			})
		}
		d.as(t, ada, func(ctx context.Context) {
			if got := download(t, ctx, storage.Path(adas)); string(got) != "secret" {
				t.Errorf("the diary is %q", got)
			}
		})
	})

	t.Run("a guest", func(t *testing.T) {
		d.as(t, "", func(ctx context.Context) {
			if got := download(t, ctx, storage.Path("public/a.txt")); string(got) != "for all" {
				t.Errorf("the public object is %q", got)
			}
			refused(t, write(ctx, "public/a.txt"), `"public/*" allows it to`)
			_, err := storage.List(ctx, storage.ListInput{Path: storage.Path("public")})
			refused(t, err, "with the slash")
			want := []storage.Location{
				{Bucket: "drive", Path: "public/*", Actions: []string{"get", "list"}},
			}
			locations(t, ctx, want)
		})
	})

	t.Run("a user without a group", func(t *testing.T) {
		d.as(t, bob, func(ctx context.Context) {
			refused(t, write(ctx, "team/plan.txt"), "editors")
			if err := write(ctx, "public/bob.txt"); err != nil {
				t.Error(err)
			}
			// A rule allows it, and S3 does not say whether the object exists.
			_, err := storage.GetProperties(ctx, storage.GetPropertiesInput{
				Path: storage.Path("team/nothing.txt"),
			})
			if !hasName(err, "AccessDenied") ||
				amplify.ReasonOf(err) != amplify.ReasonMissingOrForbidden {
				t.Errorf("a missing object: %v", err)
			}
			mine := strings.TrimSuffix(upload(t, ctx, private("x"), nil), "x") + "*"
			all := []string{"get", "list", "write", "delete"}
			locations(t, ctx, []storage.Location{
				{Bucket: "archive", Path: "reports/*", Actions: []string{"get", "list", "write"}},
				{Bucket: "drive", Path: "public/*", Actions: all},
				{Bucket: "drive", Path: mine, Actions: all},
				{Bucket: "drive", Path: "team/*", Actions: []string{"get"}},
			})
		})
	})

	// The role of the group comes instead of that of signed-in users, not on top of it.
	t.Run("a member of a group", func(t *testing.T) {
		d.as(t, eve, func(ctx context.Context) {
			if err := write(ctx, "team/plan.txt"); err != nil {
				t.Error(err)
			}
			refused(t, write(ctx, "public/eve.txt"), `"public/*" allows it to`)
			_, err := storage.UploadData(ctx, storage.UploadDataInput{Path: private("x")})
			refused(t, err, "editors")
			locations(t, ctx, []storage.Location{
				{Bucket: "drive", Path: "team/*", Actions: []string{"get", "list", "write"}},
			})
		})
		d.as(t, bob, func(ctx context.Context) {
			if got := download(t, ctx, storage.Path("team/plan.txt")); string(got) != "x" {
				t.Errorf("the plan is %q", got)
			}
		})
	})
}

// locations compares what Locations returns.
func locations(t *testing.T, ctx context.Context, want []storage.Location) {
	t.Helper()
	got, err := storage.Locations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Locations (-want +got):\n%s", diff)
	}
}
