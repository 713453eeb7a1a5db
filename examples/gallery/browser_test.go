package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser is a client that behaves as a browser without script: it keeps cookies, follows redirects
// and the refresh of an intermediary page, and submits forms with their hidden fields.
type browser struct {
	t      *testing.T
	client *http.Client
	page   string   // what it shows
	at     *url.URL // where it is
	status int
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar}}
}

var (
	refreshTag = regexp.MustCompile(`<meta[^>]*http-equiv="refresh"[^>]*content="\d+;\s*url=([^"]*)"`)
	linkTag    = regexp.MustCompile(`<a[^>]*href="([^"]*)"[^>]*>([^<]*)</a>`)
	inputTag   = regexp.MustCompile(`<input[^>]*>`)
	formTag    = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	attrName   = regexp.MustCompile(`\bname="([^"]*)"`)
	attrValue  = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

func (b *browser) show(response *http.Response, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.page, b.at, b.status = string(body), response.Request.URL, response.StatusCode
	if m := refreshTag.FindStringSubmatch(b.page); m != nil {
		b.open(b.resolve(html.UnescapeString(m[1])))
	}
}

func (b *browser) resolve(ref string) string {
	b.t.Helper()
	u, err := b.at.Parse(ref)
	if err != nil {
		b.t.Fatal(err)
	}
	return u.String()
}

func (b *browser) open(address string) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	b.show(b.client.Do(request))
}

// follow opens the link with this text.
func (b *browser) follow(text string) {
	b.t.Helper()
	for _, m := range linkTag.FindAllStringSubmatch(b.page, -1) {
		if strings.TrimSpace(m[2]) == text {
			b.open(b.resolve(html.UnescapeString(m[1])))
			return
		}
	}
	b.t.Fatalf("no link %q at %s (status %d):\n%s", text, b.at, b.status, b.page)
}

// submit fills the first form of the page and sends it.
func (b *browser) submit(fields map[string]string) {
	b.t.Helper()
	form := formTag.FindStringSubmatch(b.page)
	if form == nil {
		b.t.Fatalf("no form at %s (status %d)", b.at, b.status)
	}
	values := url.Values{}
	for _, tag := range inputTag.FindAllString(b.page, -1) {
		name, value := attrName.FindStringSubmatch(tag), attrValue.FindStringSubmatch(tag)
		if name != nil && value != nil && strings.Contains(tag, "hidden") {
			values.Set(html.UnescapeString(name[1]), html.UnescapeString(value[1]))
		}
	}
	for name, value := range fields {
		values.Set(name, value)
	}
	b.show(b.client.PostForm(b.resolve(html.UnescapeString(form[1])), values))
}

func (b *browser) wantAt(path string) {
	b.t.Helper()
	if b.at.Path != path {
		b.t.Fatalf("at %s (status %d), want %s:\n%s", b.at.Path, b.status, path, b.page)
	}
}

func (b *browser) wantText(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(b.page, text) {
			b.t.Errorf("%s does not say %q:\n%s", b.at.Path, text, b.page)
		}
	}
}
