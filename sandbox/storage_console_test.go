package sandbox_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestStorageConsole: the console shows buckets, who may do what, and objects of all names.
func TestStorageConsole(t *testing.T) {
	b := startStorage(t, nil)
	client := b.s3Client(b.adminKey(t))
	put := func(key, kind, content string) {
		t.Helper()
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(photos),
			Key: &key, ContentType: &kind, Body: strings.NewReader(content)}); err != nil {
			t.Fatal(err)
		}
	}
	const hostile = `"><script>alert(1)&?#/`
	put("public/"+hostile+"a.png", "text/html", "<script>")
	put("public/b.svg", "image/svg+xml", "<svg/>")
	for i := range 101 {
		put(fmt.Sprintf("many/%03d", i), "", "")
	}
	get := func(path string, want int) string {
		t.Helper()
		res, body := call(t, "GET", b.URL()+path, "", nil)
		if res.StatusCode != want {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
		if strings.Contains(body, "<script") && !strings.Contains(path, "/preview") {
			t.Errorf("%s has a script", path)
		}
		return body
	}
	overview := get("/console/storage", 200)
	for _, want := range []string{photos, "my-archive", "eu-west-1", "guests: get, list",
		"the owner: get, list, write, delete", "group editors: get, list, write"} {
		if !strings.Contains(overview, want) {
			t.Errorf("the overview lacks %q:\n%s", want, overview)
		}
	}
	link := regexp.MustCompile(`(?:href|src)="(/console/storage/[^"]*)"`)
	// follow returns the page behind the last link that contains part.
	follow := func(page, part string) (string, string) {
		t.Helper()
		address := ""
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], part) {
				address = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		if address == "" {
			t.Fatalf("no link with %q in\n%s", part, page)
		}
		return address, get(address, 200)
	}
	_, root := follow(overview, photos)
	_, many := follow(root, "prefix=many")
	if _, next := follow(many, "after="); !strings.Contains(next, "<code>100</code>") ||
		strings.Contains(many, "<code>100</code>") {
		t.Errorf("the second page: %s", next)
	}
	_, public := follow(root, "prefix=public")
	if strings.Contains(public, "key=public%2Fb.svg") {
		t.Error("an SVG, which may have scripts, is shown")
	}
	_, folder := follow(public, "prefix="+url.QueryEscape("public/"+hostile))
	preview, _ := follow(folder, "/preview?")
	res, _ := call(t, "GET", b.URL()+preview, "", nil)
	if kind, csp := res.Header.Get("Content-Type"),
		res.Header.Get("Content-Security-Policy"); kind != "image/png" ||
		!strings.Contains(csp, "sandbox") ||
		res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the preview: %v", res.Header)
	}
	get("/console/storage/"+photos+"/preview?key=public/b.svg", 404)
	get("/console/storage/"+photos+"/preview?key=none.png", 404)
	get("/console/storage/none", 404)
	if res, _ := call(t, "GET", b.URL()+preview, "",
		map[string]string{"Host": "s3.us-east-1.amazonaws.com"}); res.StatusCode == 200 {
		t.Error("the preview is there under AWS's name")
	}
}
