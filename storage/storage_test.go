package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// functions are the functions of the package, called about one object.
var functions = map[string]func(context.Context) error{
	"GetURL": func(ctx context.Context) error {
		_, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("a"), ValidateObjectExistence: true})
		return err
	},
	"GetProperties": func(ctx context.Context) error {
		_, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: storage.Path("a")})
		return err
	},
	"List": func(ctx context.Context) error {
		_, err := storage.List(ctx, storage.ListInput{Path: storage.Path("a")})
		return err
	},
	"ListAll": func(ctx context.Context) error {
		for _, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("a")}) {
			return err
		}
		return nil
	},
	"Remove": func(ctx context.Context) error {
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a")})
		return err
	},
	"Remove a folder": func(ctx context.Context) error {
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a/")})
		return err
	},
	"Copy": func(ctx context.Context) error {
		_, err := storage.Copy(ctx, storage.CopyInput{
			Source: storage.CopySource{Path: storage.Path("a")}, Destination: storage.CopyDestination{Path: storage.Path("b")},
		})
		return err
	},
	"UploadData": func(ctx context.Context) error {
		_, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: strings.NewReader("a")})
		return err
	},
	"DownloadData": func(ctx context.Context) error {
		_, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: storage.Path("a")})
		return err
	},
	"Locations": func(ctx context.Context) error { _, err := storage.Locations(ctx); return err },
}

// TestWithoutServerContext: every function says what is missing, and that an operation has
// returned.
func TestWithoutServerContext(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	closed, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{})
	done()
	nobody, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{})
	defer done()
	for name, call := range functions {
		if err := call(t.Context()); amplify.ReasonOf(err) != amplify.ReasonNoContext {
			t.Errorf("%s without a server context: %v", name, err)
		}
		if err := call(closed); !errors.Is(err, amplify.ErrServerContextClosed) {
			t.Errorf("%s after the operation: %v", name, err)
		}
		var e *amplify.Error
		if err := call(nobody); !errors.As(err, &e) || e.Name != "NoCredentials" {
			t.Errorf("%s without credentials: %v", name, err)
		}
	}
	if calls := s.took(); len(calls) > 0 {
		t.Errorf("S3 was called: %q", calls)
	}
}

// TestErrorsWithStatus200: S3 sends an error after it has begun to answer.
func TestErrorsWithStatus200(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	for name, action := range map[string]string{"Copy": "COPY", "Remove a folder": "POST", "List": "LIST", "Remove": "DELETE", "UploadData": "PUT"} {
		if action == "POST" {
			s.put("a/x")
		}
		s.refuse = func(got, _ string) string { return map[bool]string{true: "OK"}[got == action] }
		err := functions[name](ctx)
		var e *amplify.Error
		if !errors.As(err, &e) || e.Name != "InternalError" || e.Reason != amplify.ReasonServiceUnavailable {
			t.Errorf("%s: %v", name, err)
		}
		delete(s.buckets["drive"], "a/x")
	}
}

func TestConfigure(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	if err := storage.Configure(app, storage.Options{DefaultAccessLevel: "public"}); len(amplify.ConfigErrors(err)) != 1 {
		t.Errorf("a level that there is not: %v", err)
	}
	for size, right := range map[int64]bool{-1: false, 1: false, 20<<20 - 1: false, 20 << 20: true} {
		err := storage.Configure(s.app(t, config()), storage.Options{UploadMemory: size})
		if (err == nil) != right || !right && !strings.Contains(err.Error(), fmt.Sprint(size)) {
			t.Errorf("memory of %d bytes: %v", size, err)
		}
	}
	if err := storage.Configure(app, storage.Options{DefaultAccessLevel: "public", UploadMemory: 1}); len(amplify.ConfigErrors(err)) != 2 {
		t.Errorf("two faults: %v", err)
	}
	failed := errors.New("failed")
	o := storage.Options{DefaultAccessLevel: storage.LevelProtected, PrefixResolver: func(_ context.Context, in storage.PrefixInput) (string, error) {
		if in.AccessLevel == storage.LevelPrivate {
			return "", failed
		}
		return string(in.AccessLevel) + "-of-" + in.TargetIdentityID + "/", nil
	}}
	if err := storage.Configure(app, o); err != nil {
		t.Fatal(err)
	}
	s.put("protected-of-me/a", "protected-of-them/a")
	ctx := s.in(t, app, "me")
	page := must(storage.List(ctx, storage.ListInput{}))
	if len(page.Items) != 1 || page.Items[0].Path != "protected-of-me/a" || page.Items[0].Key != "a" {
		t.Errorf("%+v", page)
	}
	if _, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: page.Items[0].ObjectPath()}); err != nil {
		t.Errorf("listed by key: %v", err)
	}
	theirs := storage.Key("a", storage.KeyOptions{TargetIdentityID: "them"})
	if p, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: theirs}); err != nil || p.Path != "protected-of-them/a" || p.Key != "a" {
		t.Errorf("%+v, %v", p, err)
	}
	private := storage.Key("a", storage.KeyOptions{AccessLevel: storage.LevelPrivate})
	if _, err := storage.GetURL(ctx, storage.GetURLInput{Path: private}); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	used := s.app(t, config())
	_ = must(storage.List(s.in(t, used, "me"), storage.ListInput{}))
	for name, app := range map[string]*amplify.App{"configured": app, "used": used} {
		if err := storage.Configure(app, storage.Options{}); amplify.ReasonOf(err) != amplify.ReasonConfiguration {
			t.Errorf("an App that is %s: %v", name, err)
		}
	}
}

// TestCopy: across buckets, with conditions and without tags.
func TestCopy(t *testing.T) {
	s := newFakeS3(t)
	s.put("a")
	ctx := s.in(t, s.app(t, config()), "me")
	out, err := storage.Copy(ctx, storage.CopyInput{
		Source:      storage.CopySource{Path: storage.Path("a"), Bucket: storage.Bucket{Name: "drive"}},
		Destination: storage.CopyDestination{Path: storage.Key("b", storage.KeyOptions{}), Bucket: storage.Bucket{Name: "backup"}},
	})
	if err != nil || out.Path != "public/b" || out.Key != "b" || !slices.Contains(s.keys("backup"), "public/b") {
		t.Errorf("%+v, %v", out, err)
	}
	header := http.Header{}
	app, err := amplify.New(config(), amplify.Options{HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		header = r.Header
		return nil, errors.New("seen")
	})}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = storage.Copy(s.in(t, app, "me"), storage.CopyInput{
		Source: storage.CopySource{
			Path: storage.Path("a"), ETag: `"e"`, NotModifiedSince: time.Date(2024, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600)),
		},
		Destination: storage.CopyDestination{Path: storage.Path("b")}, RemoveTags: true,
	})
	for name, want := range map[string]string{
		"X-Amz-Tagging-Directive": "REPLACE", "X-Amz-Copy-Source-If-Match": `"e"`,
		"X-Amz-Copy-Source-If-Unmodified-Since": "Tue, 02 Jan 2024 02:04:05 GMT",
	} {
		if header.Get(name) != want {
			t.Errorf("%s: %q", name, header.Get(name))
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestListFolders: what lies in folders is left out, in pages and in all.
func TestListFolders(t *testing.T) {
	s := newFakeS3(t)
	s.put("p/1", "p/a/x", "p/a/y", "p/b/x", "p/2", "p/c d/ü/x")
	ctx := s.in(t, s.app(t, config()), "me")
	in := storage.ListInput{Path: storage.Path("p/"), ExcludeSubpaths: true, PageSize: 2}
	var pages, all []string
	for {
		page := must(storage.List(ctx, in))
		for _, item := range page.Items {
			pages = append(pages, item.Path)
		}
		pages = append(pages, page.ExcludedSubpaths...)
		if in.NextToken = page.NextToken; in.NextToken == "" {
			break
		}
	}
	for item, err := range storage.ListAll(ctx, in) {
		if err != nil || item.Subpath != strings.HasSuffix(item.Path, "/") {
			t.Errorf("%+v, %v", item, err)
		}
		all = append(all, item.Path)
	}
	want := []string{"p/1", "p/2", "p/a/", "p/b/", "p/c d/"}
	if d := cmp.Diff(want, pages) + cmp.Diff(want, all); d != "" {
		t.Error(d)
	}
	for item, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("p/")}) {
		if err != nil || item.Path != "p/1" {
			t.Errorf("%+v, %v", item, err)
		}
		break // which asks for no more
	}
}

// TestLongList: a page of the longest keys can be read.
func TestLongList(t *testing.T) {
	s := newFakeS3(t)
	for i := range 1000 {
		s.put(fmt.Sprintf("%04d", i) + strings.Repeat("ü", 510))
	}
	page, err := storage.List(s.in(t, s.app(t, config()), "me"), storage.ListInput{Path: storage.Path("")})
	if err != nil || len(page.Items) != 1000 || len(page.Items[0].Path) != 1024 {
		t.Errorf("%v", err)
	}
}

// TestAnswersAreBounded: an answer that is too long is an error, and is not kept.
func TestAnswersAreBounded(t *testing.T) {
	long := "<ListBucketResult>" + strings.Repeat(" ", 8<<20) + "<Name>drive</Name><Prefix>a</Prefix><MaxKeys>1000</MaxKeys></ListBucketResult>"
	app, err := amplify.New(config(), amplify.Options{HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(long)), Request: r}, nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := storage.List(newFakeS3(t).in(t, app, "me"), storage.ListInput{Path: storage.Path("a")})
	if e, ok := err.(*amplify.Error); !ok || e.Name != "NetworkError" {
		t.Errorf("%+v, %v", page, err)
	}
}
