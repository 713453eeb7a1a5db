package flow

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestPages: nothing that a page is given becomes markup, and its own policy lets its
// script and style run.
func TestPages(t *testing.T) {
	w := newPages().response(page{
		Status: 400, Title: "<script>1</script>", Text: `"><img src=x onerror=1>`,
		Link: `/a"b'c<d>&e;url='//evil.test'`, LinkText: "</a>", Follow: true,
	})
	body := string(w.Body)
	if w.Status != 400 || strings.Count(body, "<script") != 1 || strings.Contains(body, "<img") || strings.Count(body, "</a>") != 1 {
		t.Errorf("%d %s", w.Status, body)
	}
	targets := bodyTargets(body)
	if targets["link"] == "" || targets["link"] != targets["metaRefresh"] || strings.ContainsAny(targets["link"], `"<>`) {
		t.Errorf("targets %v", targets)
	}
	policy := w.Header.Get("Content-Security-Policy")
	for element, directive := range map[string]string{"script": "script-src", "style": "style-src"} {
		content := regexp.MustCompile(`(?s)<` + element + `>(.*)</` + element + `>`).FindStringSubmatch(body)
		sum := sha256.Sum256([]byte(html.UnescapeString(content[1])))
		if want := directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("%s lacks %s", policy, want)
		}
		if content[1] != html.UnescapeString(content[1]) {
			t.Errorf("the %s is escaped: %s", element, content[1])
		}
	}
	for name, want := range map[string]string{ // of what there are no others
		"default-src": `'none'`, "script-src": `'sha256-[^ ]+'`, "style-src": `'sha256-[^ ]+'`,
		"base-uri": `'none'`, "form-action": `'none'`, "frame-ancestors": `'none'`,
	} {
		if !regexp.MustCompile(`(^|; )` + name + ` ` + want + `(;|$)`).MatchString(policy) {
			t.Errorf("%s of %s", name, policy)
		}
	}
	// Going back must not run a callback again.
	if targets["script"] == "" {
		t.Errorf("the page does not replace itself: %s", body)
	}
	for name, want := range map[string]string{
		"Cache-Control": private, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := w.Header.Get(name); got != want {
			t.Errorf("%s %q", name, got)
		}
	}
	if strings.Contains(http.DetectContentType(w.Body), "plain") {
		t.Error("not recognised as HTML")
	}
}

func TestPageWithoutLink(t *testing.T) {
	w := newPages().response(page{Status: 403, Title: "t", Text: "x"})
	if strings.Contains(string(w.Body), "<a") || strings.Contains(string(w.Body), "refresh") {
		t.Errorf("%s", w.Body)
	}
}
