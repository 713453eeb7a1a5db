package flow

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
)

// TestPages: nothing that a page is given becomes markup, and its own policy lets its
// script and style run.
func TestPages(t *testing.T) {
	f := newFixture(t, nil, nil)
	w := f.Runner.page(request("/", ""), Page{
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
	f := newFixture(t, nil, nil)
	w := f.Runner.page(request("/", ""), Page{Status: 403, Title: "t", Text: "x"})
	if strings.Contains(string(w.Body), "<a") || strings.Contains(string(w.Body), "refresh") {
		t.Errorf("%s", w.Body)
	}
}

// TestPagesAreReadable: a page says its language, and has the landmarks that screen readers go by.
func TestPagesAreReadable(t *testing.T) {
	f := newFixture(t, nil, nil)
	w := serve(f.guarded(f.RequireUser(GuardOptions{})), request("/notes", "", append([]string{"Accept-Language", "fr-CH, de;q=0.5"}, navigation...)...))
	_, body := read(t, w)
	for _, want := range []string{
		`<html lang="fr">`, "<title>Veuillez vous connecter</title>", "<h1>Veuillez vous connecter</h1>", "<main>", `name="viewport"`,
		"Cette page est réservée aux utilisateurs connectés.", ">Se connecter</a>", "a:focus-visible", "prefers-color-scheme: dark",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s: %s", want, body)
		}
	}
}

const ownPage = `<!doctype html><html lang="{{.Lang}}"><title>{{.Title}}</title><style nonce="{{.Nonce}}">a{}</style>
<main class="{{.Name}}">{{.Status}} {{.Text}} {{with .Link}}<a id="next" href="{{.}}">{{$.LinkText}}</a>{{end}}</main>`

// TestPageTemplate: an application's own template gets all that a page says. Its policy lets the
// application's own styles and scripts run, and nobody else's.
func TestPageTemplate(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.SignedIn("alice"), func(_ *amplify.Config, o *Options) {
		o.PageTemplate = template.Must(template.New("").Parse(ownPage))
	})
	b := f.browser(t, RoutesOptions{})
	w, body := b.get(b.begin("?return_to=/notes%3Fa=1%26b=2"), append([]string{"Accept-Language", "de"}, fromAfar...)...)
	for _, want := range []string{`lang="de"`, "<title>Sie sind angemeldet</title>", `class="signed-in">200 Sie werden`, `href="/notes?a=1&amp;b=2">Weiter</a>`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s: %s", want, body)
		}
	}
	if got := w.Header.Get("Refresh"); got != "0; url=/notes?a=1&b=2" {
		t.Errorf("Refresh %q", got)
	}
	if got := w.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q", got)
	}
	var nonces []string
	for range 2 {
		w := serve(f.guarded(f.RequireUser(GuardOptions{})), request("/", "", navigation...))
		_, body := read(t, w)
		if w.StatusCode != 401 || w.Header.Get("Refresh") != "" || !strings.Contains(body, `class="sign-in-needed">401`) {
			t.Errorf("%d %v %s", w.StatusCode, w.Header, body)
		}
		nonce := regexp.MustCompile(`nonce="([A-Za-z0-9]{22,})"`).FindStringSubmatch(body)
		if nonce == nil || slices.Contains(nonces, nonce[1]) {
			t.Fatalf("nonce %q after %q", nonce, nonces)
		}
		nonces = append(nonces, nonce[1])
		want := "default-src 'self' 'nonce-" + nonce[1] + "'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if got := w.Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("policy %s", got)
		}
	}
}

// TestPageTemplateFaults: a template that cannot render a page is reported at the start. One that
// fails later gives way to the built-in page.
func TestPageTemplateFaults(t *testing.T) {
	f := newFixture(t, nil, nil)
	with := func(text string, funcs template.FuncMap) error {
		runner, err := New(f.backend.Config, Options{PageTemplate: template.Must(template.New("").Funcs(funcs).Parse(text)), App: f.backend.App})
		if err == nil {
			f.Runner = runner
			t.Cleanup(func() { _ = runner.Close(t.Context()) })
		}
		return err
	}
	for _, text := range []string{"{{.Titel}}", "{{if .Follow}}{{.Url}}{{end}}", `{{template "missing"}}`} {
		faults := amplify.ConfigErrors(with(text, nil))
		if len(faults) != 1 || faults[0].Field != "Options.PageTemplate" || !strings.Contains(faults[0].Problem, "does not render a Page") {
			t.Errorf("%s: %v", text, faults)
		}
	}
	broken := false
	if err := with("half of a page {{check}}", template.FuncMap{"check": func() (string, error) {
		if broken {
			return "", errors.New("no such file")
		}
		return "", nil
	}}); err != nil {
		t.Fatal(err)
	}
	broken = true
	w := serve(f.guarded(f.RequireUser(GuardOptions{})), request("/", "", navigation...))
	_, body := read(t, w)
	if w.StatusCode != 401 || !strings.HasPrefix(body, "<!DOCTYPE html>") || !strings.Contains(w.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v %s", w.StatusCode, w.Header, body)
	}
	if !strings.Contains(f.backend.Log.String(), "no such file") {
		t.Errorf("log %s", f.backend.Log)
	}
}
