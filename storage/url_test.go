package storage_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

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
		c.bucket.CustomEndpoint, c.bucket.UseAccelerateEndpoint = c.custom, c.fast
		out, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("a"), Bucket: c.bucket})
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
