package doctor_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/doctor"
)

// TestStorage: buckets that are not there, and rules that nobody can use.
func TestStorage(t *testing.T) {
	paths := []amplify.PathAccess{
		{Pattern: "public/*", Actions: map[string][]string{"guest": {"get"}, "authenticated": {"get"}}},
		{Pattern: "staff/*", Actions: map[string][]string{"groupsSTAFF": {"get"}}},
	}
	there := func(region string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead || r.Header.Get("Authorization") != "" || r.URL.Path != "/" {
				t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
			}
			w.Header().Set("X-Amz-Bucket-Region", region)
			w.WriteHeader(status)
		}
	}
	for _, c := range []struct {
		name   string
		bucket http.HandlerFunc
		change func(*amplify.Config)
		want   []string // of the findings about storage: status and a part of the message
	}{
		{"well", there("eu-west-1", 403), nil, []string{`ok The bucket "drive" exists`}},
		{"without the header", there("", 200), nil, []string{`ok The bucket "drive" exists`}},
		{"no bucket", there("", 404), nil, []string{`problem There is no bucket "drive"`}},
		{"another region", there("us-east-1", 301), nil, []string{`problem The bucket "drive" is in the region us-east-1, not in eu-west-1`}},
		{"out of order", there("", 503), nil, []string{`warning For the bucket "drive" S3 answers status 503`}},
		{"no answer", nil, nil, []string{`problem The bucket "drive" cannot be asked for`}},
		{"no region", nil, func(c *amplify.Config) {
			c.Storage.Buckets = nil
			c.Storage.Region = ""
		}, []string{`problem There is no bucket "drive" in the region ""`}},
		{"no guests", there("", 403), func(c *amplify.Config) { c.Auth.AllowGuestAccess = false }, []string{
			`warning The outputs allow guests to use "public/*"`, `ok The bucket`,
		}},
		{"no such group", there("", 403), func(c *amplify.Config) { c.Auth.Groups = nil }, []string{
			`warning The outputs allow the group "STAFF" to use "staff/*"`, `ok The bucket`,
		}},
		{"no identity pool", there("", 403), func(c *amplify.Config) { c.Auth.IdentityPoolID = "" }, []string{
			`problem There are buckets, but no identity pool`, `ok The bucket`,
		}},
		{"no storage", nil, func(c *amplify.Config) { c.Storage = nil }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.bucket = c.bucket
			cfg := w.IdentityConfig()
			cfg.Auth.Groups = []amplify.GroupConfig{{Name: "STAFF"}}
			cfg.Storage = &amplify.StorageConfig{
				Bucket: "drive", Region: "eu-west-1",
				Buckets: map[string]amplify.BucketConfig{"main": {Name: "drive", Region: "eu-west-1", Paths: paths}},
			}
			if c.change != nil {
				c.change(&cfg)
			}
			in := w.input("")
			in.Requests = nil
			var got []doctor.Finding
			for _, f := range doctor.Examine(t.Context(), cfg, in).Findings {
				if f.Check == "storage" {
					got = append(got, f)
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("%+v", got)
			}
			for i, f := range got {
				if text := string(f.Status) + " " + f.Message; !strings.HasPrefix(text, c.want[i]) || (f.Status == doctor.OK) != (f.Advice == "") {
					t.Errorf("%q, %q; want %q", text, f.Advice, c.want[i])
				}
			}
		})
	}
}
