package storage_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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

// TestWithoutServerContext: every function says what is missing, and that an operation has returned.
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

// TestListEndsWithTheContext: an iterator asks for no page once its server context has closed.
func TestListEndsWithTheContext(t *testing.T) {
	s := newFakeS3(t)
	for i := range 1500 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	credentials := s.credentials("me")
	ctx, done := amplify.WithServerContext(t.Context(), s.app(t, config()), amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
	})
	n := 0
	var last error
	for _, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("a/")}) {
		if last = err; err == nil {
			n++
			done()
		}
	}
	if n != 1000 || !errors.Is(last, amplify.ErrServerContextClosed) {
		t.Errorf("%d objects, %v", n, last)
	}
}

// keeper is a session that ends.
type keeper struct{ life context.Context }

func (keeper) Start(context.Context, amplify.IssuedTokens) error { return nil }
func (keeper) End(context.Context, amplify.EndInput) error       { return nil }
func (k keeper) Lifetime() context.Context                       { return k.life }

// TestListEndsWithTheSession: an iterator that began as one user does not go on as another.
func TestListEndsWithTheSession(t *testing.T) {
	s := newFakeS3(t)
	for i := range 1500 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	life, end := context.WithCancelCause(t.Context())
	defer end(nil)
	current := s.credentials("alice")
	ctx, done := amplify.WithServerContext(t.Context(), s.app(t, config()), amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return current, nil }),
		Session:     keeper{life},
	})
	defer done()
	n := 0
	var last error
	for _, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("a/")}) {
		if last = err; err == nil {
			if n++; n == 1 {
				current = s.credentials("bob")
				end(amplify.Unauthenticated(amplify.ReasonSessionReplaced, nil))
			}
		}
	}
	if n != 1000 || amplify.ReasonOf(last) != amplify.ReasonSessionReplaced {
		t.Errorf("%d objects, %v", n, last)
	}
}

// TestManyUsersAtOnce makes calls of many users through one App, whose client and signers they share.
// S3 must see the credentials of each with the path of each.
func TestManyUsersAtOnce(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	s.refuse = func(_, key string) string {
		if strings.HasPrefix(key, "private/") {
			return ""
		}
		return "AccessDenied"
	}
	var all sync.WaitGroup
	for i := range 20 {
		id := fmt.Sprintf("user%d", i)
		s.put("private/" + id + "/a")
		ctx := s.in(t, app, id)
		all.Go(func() {
			own := storage.PathFunc(func(identity string) string { return "private/" + identity + "/a" })
			for range 10 {
				u, err := storage.GetURL(ctx, storage.GetURLInput{Path: own})
				if err != nil || !strings.Contains(u.URL, "/private/"+id+"/a?") || !strings.Contains(u.URL, "Credential=ASIA"+id+"%2F") {
					t.Errorf("%s: %+v, %v", id, u, err)
				} else if got := download(t, u.URL); got != "private/"+id+"/a" {
					t.Errorf("%s: %s", id, got)
				}
				if p, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: own}); err != nil || p.Path != "private/"+id+"/a" {
					t.Errorf("%s: %+v, %v", id, p, err)
				}
			}
		})
	}
	all.Wait()
}

// TestLifetime: how long a URL is good for, and as of when it is signed.
func TestLifetime(t *testing.T) {
	now := time.Date(2024, 5, 17, 12, 7, 30, 500, time.UTC)
	const minute = time.Minute
	for _, c := range []struct {
		name     string
		wanted   time.Duration
		stable   bool
		end      time.Duration // of the credentials, from now
		from     string
		seconds  string
		expected time.Time
		err      string
	}{
		{"default", 0, false, 0, "20240517T120730Z", "900", now.Truncate(time.Second).Add(15 * minute), ""},
		{"stable", 0, true, 0, "20240517T120730Z", "900", now.Truncate(time.Second).Add(15 * minute), ""},
		{"stable hour", time.Hour, true, 0, "20240517T120000Z", "3600", time.Date(2024, 5, 17, 13, 0, 0, 0, time.UTC), ""},
		{"stable, credentials end", time.Hour, true, 10 * minute, "20240517T120000Z", "1050", time.Date(2024, 5, 17, 12, 17, 30, 0, time.UTC), ""},
		{"stable second", time.Second, true, 0, "20240517T120730Z", "1", now.Truncate(time.Second).Add(time.Second), ""},
		{"stable week", 7 * 24 * time.Hour, true, 0, "20240516T120000Z", "604800", time.Date(2024, 5, 23, 12, 0, 0, 0, time.UTC), ""},
		{"credentials end", time.Hour, false, minute, "20240517T120730Z", "60", now.Truncate(time.Second).Add(minute), ""},
		{"too long", 7*24*time.Hour + time.Second, false, 0, "", "", time.Time{}, "UrlExpirationMaxLimitExceed"},
		{"too short", time.Millisecond, false, 0, "", "", time.Time{}, "InvalidStorageOperationInput"},
		{"negative", -time.Hour, true, 0, "", "", time.Time{}, "InvalidStorageOperationInput"},
		{"ended", time.Hour, true, -minute, "", "", time.Time{}, "ExpiredToken"},
		{"ended, long URL", 24 * time.Hour, true, -minute, "", "", time.Time{}, "ExpiredToken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, err := amplify.New(config(), amplify.Options{Clock: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			credentials := &amplify.Credentials{AccessKeyID: "a", SecretAccessKey: amplify.NewSecret("s")}
			if c.end != 0 {
				credentials.Expires = now.Add(c.end)
			}
			ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
				Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
			})
			defer done()
			out, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("a"), ExpiresIn: c.wanted, Stable: c.stable})
			if c.err != "" {
				if e, ok := err.(*amplify.Error); !ok || e.Name != c.err || e.RecoverySuggestion == "" {
					t.Errorf("%+v, %v", out, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(out.URL)
			if err != nil {
				t.Fatal(err)
			}
			if q := u.Query(); q.Get("X-Amz-Date") != c.from || q.Get("X-Amz-Expires") != c.seconds || !out.ExpiresAt.Equal(c.expected) {
				t.Errorf("signed as of %s for %s, until %v", q.Get("X-Amz-Date"), q.Get("X-Amz-Expires"), out.ExpiresAt)
			}
		})
	}
}

// TestStableURL: the same URL for a quarter of its life, then another one.
func TestStableURL(t *testing.T) {
	now := time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC)
	s := newFakeS3(t)
	app, err := amplify.New(config(), amplify.Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	credentials := s.credentials("me")
	credentials.Expires = now.Add(time.Hour)
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
	})
	defer done()
	seen := map[string]int{}
	for range 60 { // minutes
		out := must(storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("a"), ExpiresIn: 20 * time.Minute, Stable: true}))
		seen[out.URL]++
		if left := out.ExpiresAt.Sub(now); left < min(15*time.Minute, credentials.Expires.Sub(now)) {
			t.Errorf("good for %v", left)
		}
		now = now.Add(time.Minute)
	}
	if len(seen) != 12 {
		t.Errorf("%d URLs", len(seen))
	}
	for u, n := range seen {
		if n != 5 {
			t.Errorf("%s: %d times", u, n)
		}
	}
}

// TestAddresses: where calls and URLs go.
func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		name   string
		app    string
		bucket storage.Bucket
		custom string
		fast   bool
		want   string
		err    string
	}{
		{"AWS", "", storage.Bucket{}, "", false, "https://drive.s3.eu-west-1.amazonaws.com/a", ""},
		{"a friendly name", "", storage.Bucket{Name: "backup"}, "", false, "https://backup.s3.us-east-1.amazonaws.com/a", ""},
		{"China", "", storage.Bucket{Name: "b12", Region: "cn-north-1"}, "", false, "https://b12.s3.cn-north-1.amazonaws.com.cn/a", ""},
		{"dots", "", storage.Bucket{Name: "b.12", Region: "eu-west-1"}, "", false, "https://s3.eu-west-1.amazonaws.com/b.12/a", ""},
		{"accelerated", "", storage.Bucket{}, "", true, "https://drive.s3-accelerate.amazonaws.com/a", ""},
		{"accelerated dots", "", storage.Bucket{Name: "b.12", Region: "eu-west-1"}, "", true, "", "ForcePathStyleEndpointNotSupported"},
		{"the App's endpoint", "http://127.0.0.1:9000", storage.Bucket{}, "", false, "http://127.0.0.1:9000/drive/a", ""},
		{"the App's endpoint with a path", "https://x.test/s3/", storage.Bucket{}, "", false, "https://x.test/s3/drive/a", ""},
		{"the App's endpoint, accelerated", "http://127.0.0.1:9000", storage.Bucket{}, "", true, "http://127.0.0.1:9000/drive/a", ""},
		{"custom", "http://127.0.0.1:9000", storage.Bucket{}, "s3.test:8443", false, "https://drive.s3.test:8443/a", ""},
		{"custom loopback", "", storage.Bucket{}, "localhost:9000", false, "https://localhost:9000/drive/a", ""},
		{"custom address", "", storage.Bucket{}, "[::1]:9000", false, "https://[::1]:9000/drive/a", ""},
		{"custom with a path", "", storage.Bucket{}, "s3.test/x", false, "", "InvalidCustomEndpoint"},
		{"custom with a user", "", storage.Bucket{}, "u:p@s3.test", false, "", "InvalidCustomEndpoint"},
		{"custom with a query", "", storage.Bucket{}, "s3.test?x", false, "", "InvalidCustomEndpoint"},
		{"a region alone", "", storage.Bucket{Region: "eu-west-1"}, "", false, "", "NoBucket"},
		{"no such name", "", storage.Bucket{Name: "nobody"}, "", false, "", "InvalidStorageBucket"},
		{"an odd name", "", storage.Bucket{Name: "x/../y", Region: "eu-west-1"}, "", false, "", "DnsIncompatibleBucketName"},
	} {
		app, err := amplify.New(config(), amplify.Options{Endpoints: amplify.Endpoints{Storage: c.app}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
			Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return &amplify.Credentials{AccessKeyID: "a"}, nil }),
		})
		out, err := storage.GetURL(ctx, storage.GetURLInput{
			Path: storage.Path("a"), Bucket: c.bucket, CustomEndpoint: c.custom, UseAccelerateEndpoint: c.fast,
		})
		done()
		var e *amplify.Error
		if errors.As(err, &e); c.err != "" && (e == nil || e.Name != c.err || strings.Contains(err.Error(), "u:p")) {
			t.Errorf("%s: %+v, %v", c.name, out, err)
		}
		if c.err == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if address, _, _ := strings.Cut(out.URL, "?"); address != c.want {
				t.Errorf("%s: %s", c.name, address)
			}
		}
	}
}

// tokens is a source of the tokens of a user in groups.
type tokens struct {
	groups    []string
	preferred string // the role
}

func (s tokens) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	payload, err := json.Marshal(map[string]any{"cognito:preferred_role": s.preferred})
	if err != nil {
		return nil, err
	}
	raw := "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
	token := amplify.NewToken(raw, &amplify.Claims{Subject: "s", Groups: s.groups})
	return &amplify.Tokens{AccessToken: token, IDToken: token}, nil
}

// rules are access rules for several roles.
var rules = []amplify.PathAccess{
	{Pattern: "photos/*", Actions: map[string][]string{
		"guest": {"get"}, "authenticated": {"get", "list", "write"}, "groupsADMINS": {"get", "list", "write", "delete"},
	}},
	{Pattern: "photos/raw/*", Actions: map[string][]string{"groupsADMINS": {"get"}}},
	{Pattern: "private/${cognito-identity.amazonaws.com:sub}/*", Actions: map[string][]string{
		"entityidentity": {"get", "list", "write", "delete"},
	}},
}

// TestAccessDenied: an error of S3 comes with what the outputs say.
func TestAccessDenied(t *testing.T) {
	s := newFakeS3(t)
	s.refuse = func(string, string) string { return "AccessDenied" }
	user, admin := tokens{}, tokens{[]string{"USERS", "ADMINS"}, "arn:aws:iam::1:role/x"}
	get := func(path string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: storage.Path(path)})
			return err
		}
	}
	list := func(path string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := storage.List(ctx, storage.ListInput{Path: storage.Path(path)})
			return err
		}
	}
	remove := func(ctx context.Context) error {
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("photos/a")})
		return err
	}
	backup := func(ctx context.Context) error {
		_, err := storage.List(ctx, storage.ListInput{Path: storage.Path("a/"), Bucket: storage.Bucket{Name: "backup"}})
		return err
	}
	duplicate := func(from, to string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := storage.Copy(ctx, storage.CopyInput{
				Source: storage.CopySource{Path: storage.Path(from)}, Destination: storage.CopyDestination{Path: storage.Path(to)},
			})
			return err
		}
	}
	const no, maybe = amplify.ReasonNoAccessRule, amplify.ReasonMissingOrForbidden
	for _, c := range []struct {
		name   string
		tokens amplify.TokenProvider
		call   func(context.Context) error
		reason amplify.Reason
		text   []string
	}{
		{"missing, or forbidden", nil, get("photos/a"), maybe, []string{`"photos/*" allows guests to get "photos/a"`, "may not exist"}},
		{"no path", nil, get("a"), no, []string{`allows guests to get "a"`, "No path covers it"}},
		{"another's right", nil, list("photos/"), no, []string{`allows guests to list "photos/"`, `"photos/*" allows it to authenticated, groupsADMINS`}},
		{"the slash", user, list("photos"), no, []string{`Write "photos/", with the slash`}},
		{"taken away", user, get("photos/raw/a"), no, []string{"signed-in users", `"photos/raw/*" takes that away`}},
		{"own path", user, get("private/me/a"), maybe, []string{`"private/${cognito-identity.amazonaws.com:sub}/*" allows signed-in users`}},
		{"another's path", user, get("private/them/a"), no, []string{"No path covers it"}},
		{"own path of a group", admin, get("private/me/a"), no, []string{`the group "ADMINS"`, "allows it to entityidentity"}},
		{"a group", admin, get("photos/raw/a"), maybe, []string{`allows the group "ADMINS" to get "photos/raw/a"`}},
		{"a group without a role of its own", tokens{[]string{"ADMINS"}, ""}, get("photos/raw/a"), no, []string{"signed-in users"}},
		{"deletion", user, remove, no, []string{`signed-in users to delete "photos/a"`, "groupsADMINS"}},
		{"source of a copy", user, duplicate("photos/raw/a", "photos/b"), no, []string{`get "photos/raw/a"`}},
		{"destination of a copy", user, duplicate("photos/a", "b"), no, []string{`write "b"`}},
		{"copy", user, duplicate("photos/a", "photos/b"), maybe, []string{`get "photos/a", and`, `write "photos/b"`}},
		{"no rules", user, backup, "", []string{`no access rules for the bucket "backup"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(rules...)
			cfg.Auth = &amplify.AuthConfig{
				UserPoolID: "eu-west-1_A", UserPoolClientID: "c", Groups: []amplify.GroupConfig{{Name: "USERS", Precedence: 5}, {Name: "ADMINS", Precedence: 1}},
			}
			credentials := s.credentials("me")
			ctx, done := amplify.WithServerContext(t.Context(), s.app(t, cfg), amplify.Providers{
				Tokens:      c.tokens,
				Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
			})
			defer done()
			err := c.call(ctx)
			var e *amplify.Error
			if !errors.As(err, &e) || e.Name != "AccessDenied" || e.Reason != c.reason || e.RequestID != "R1" {
				t.Fatalf("%#v", err)
			}
			for _, text := range c.text {
				if !strings.Contains(e.RecoverySuggestion, text) {
					t.Errorf("%q is not in: %s", text, e.RecoverySuggestion)
				}
			}
			if c.reason != "" && !strings.Contains(err.Error(), e.RecoverySuggestion) {
				t.Errorf("the text lacks the suggestion: %v", err)
			}
		})
	}
}

func TestLocations(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config(rules...))
	all := []string{"get", "list", "write", "delete"}
	for name, c := range map[string]struct {
		tokens amplify.TokenProvider
		want   []storage.Location
	}{
		"guest": {nil, []storage.Location{{"drive", "photos/*", all[:1]}, {"drive", "photos/raw/*", nil}}},
		"user":  {tokens{}, []storage.Location{{"drive", "photos/*", all[:3]}, {"drive", "photos/raw/*", nil}, {"drive", "private/me/*", all}}},
		"admin": {tokens{[]string{"ADMINS"}, "role"}, []storage.Location{{"drive", "photos/*", all}, {"drive", "photos/raw/*", all[:1]}}},
	} {
		credentials := s.credentials("me")
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
			Tokens:      c.tokens,
			Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
		})
		got, err := storage.Locations(ctx)
		done()
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, d)
		}
	}
	if calls := s.took(); len(calls) > 0 {
		t.Errorf("S3 was called: %q", calls)
	}
}

// TestRemoveFolder: batches, progress, and objects that remain.
func TestRemoveFolder(t *testing.T) {
	s := newFakeS3(t)
	for i := range 2500 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	s.put("b", "a\x01/c", "a/\x01", "a/kept\x02")
	s.refuse = func(action, key string) string {
		if action == "DELETE" && (strings.HasSuffix(key, "7") || strings.HasPrefix(key, "a/kept")) {
			return "AccessDenied"
		}
		return ""
	}
	ctx := s.in(t, s.app(t, config()), "me")
	batches, removed, failed := 0, 0, 0
	out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a/"), OnProgress: func(p storage.RemoveProgress) {
		batches++
		removed += len(p.Removed)
		failed += len(p.Failed)
	}})
	var e *storage.RemoveError
	if amplify.ReasonOf(err) != amplify.ReasonPartlyRemoved || !errors.As(err, &e) || !strings.Contains(err.Error(), "251 of 2502 objects remain") {
		t.Fatalf("%v", err)
	}
	if e.Total != 251 || e.Removed != 2251 || len(e.Failed) != 251 || out.Removed != 2251 || batches != 3 || removed != 2251 || failed != 251 {
		t.Errorf("%d remain, %d failures, %+v; progress: %d, %d, %d", e.Total, len(e.Failed), out, batches, removed, failed)
	}
	if f := e.Failed[1]; f.Code != "AccessDenied" || f.Message != "Access Denied" || !strings.HasSuffix(f.Path, "7") {
		t.Errorf("%+v", f)
	}
	if left := s.keys("drive"); len(left) != 253 || !slices.Contains(left, "b") || !slices.Contains(left, "a\x01/c") {
		t.Errorf("%d are left", len(left))
	}
	s.refuse = nil
	if out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a")}); err != nil || out.Removed != 251 || out.Path != "a" {
		t.Errorf("%+v, %v", out, err)
	}
	s.took()
	if out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("b")}); err != nil || out.Removed != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if d := cmp.Diff([]string{"LIST b/", "DELETE b"}, s.took()); d != "" {
		t.Error(d)
	}
}

// TestRemoveErrorIsBounded: of a large folder not every failure is kept.
func TestRemoveErrorIsBounded(t *testing.T) {
	s := newFakeS3(t)
	for i := range 2100 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	s.refuse = func(action, _ string) string { return map[bool]string{true: "AccessDenied"}[action == "DELETE"] }
	_, err := storage.Remove(s.in(t, s.app(t, config()), "me"), storage.RemoveInput{Path: storage.Path("a/")})
	var e *storage.RemoveError
	if !errors.As(err, &e) || e.Total != 2100 || len(e.Failed) != 1000 {
		t.Errorf("%v", err)
	}
}

// TestRemoveUnseen: a caller who may not list removes the object, and is told so. An outage is an
// error before anything is removed.
func TestRemoveUnseen(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	for code, removed := range map[string]bool{"AccessDenied": true, "InternalError": false} {
		s.put("a", "a/b")
		s.refuse = func(action, _ string) string { return map[bool]string{true: code}[action == "LIST"] }
		out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a")})
		if removed != (err == nil) || removed && out.FolderUnseen == nil || removed == slices.Contains(s.keys("drive"), "a") {
			t.Errorf("%s: %+v, %v; left %q", code, out, err, s.keys("drive"))
		}
	}
	s.took()
	for _, path := range []string{"*", "**", " ", "*/", " * / * "} {
		if out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path(path)}); err == nil {
			t.Errorf("%q: %+v", path, out)
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

// TestExpiredCredentials: S3 says that they have expired; they are renewed once.
func TestExpiredCredentials(t *testing.T) {
	s := newFakeS3(t)
	old, renewed := s.credentials("old"), s.credentials("new")
	for name, c := range map[string]struct {
		fresh *amplify.Credentials
		calls int
	}{"renewed": {renewed, 1}, "not renewed": {old, 0}} {
		forced := 0
		provider := providerFunc(func(in amplify.CredentialsInput) (*amplify.Credentials, error) {
			if in.ForceRefresh {
				forced++
				return c.fresh, nil
			}
			return old, nil
		})
		app, err := amplify.New(config(), amplify.Options{
			Endpoints:  amplify.Endpoints{Storage: s.URL},
			HTTPClient: &http.Client{Transport: expiring{s, "ASIAold"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Credentials: provider})
		_, err = storage.List(ctx, storage.ListInput{Path: storage.Path("a")})
		done()
		if (err == nil) != (c.calls == 1) || forced != 1 || len(s.took()) != c.calls {
			t.Errorf("%s: %v after %d refreshes", name, err, forced)
		}
		if e, ok := err.(*amplify.Error); err != nil && (!ok || e.Name != "ExpiredToken") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type providerFunc func(amplify.CredentialsInput) (*amplify.Credentials, error)

func (f providerFunc) Credentials(_ context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	return f(in)
}

// expiring answers calls with one access key as S3 answers expired credentials.
type expiring struct {
	service *fakeS3
	key     string
}

func (e expiring) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), e.key) {
		canned := &cannedService{secrets: e.service.secrets, responses: []canned{{Status: 400, Text: "<Error><Code>ExpiredToken</Code><Message>m</Message></Error>"}}}
		return canned.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
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
