package amplifyhttp

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the template below
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

//go:embed pages.html
var pagesHTML string

// The script and the style of every page. They are constants, and so the pages' Content-Security-Policy can
// allow just them by their hashes, whatever policy the application has for its own pages.
const (
	// replace keeps the page out of the history: going back must not run a callback again.
	pageScript = `location.replace(document.getElementById("next").href)`
	pageStyle  = `:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
main{max-width:26rem;padding:2rem;text-align:center}
h1{font-size:1.25rem;margin:0 0 .5rem}
p{margin:0 0 1rem}
a{color:LinkText}`
)

// page is a small page of our own.
type page struct {
	Status   int
	Title    string
	Text     string
	Link     string // where it leads, a path or URL that we trust; "" for no link
	LinkText string
	Follow   bool // go there at once: by script, by refresh without script, by hand without either
}

// pages writes pages.
type pages struct {
	template *template.Template
	policy   string
}

func newPages() *pages {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return &pages{
		template: template.Must(template.New("page").Parse(pagesHTML)),
		policy: "default-src 'none'; script-src " + hash(pageScript) + "; style-src " + hash(pageStyle) +
			"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// write sends p. Nobody keeps it, and no address leaks to where it leads: that of a callback
// holds an authorization code (RFC 9700 §4.2.4).
func (ps *pages) write(w http.ResponseWriter, p page) {
	if u, err := url.Parse(p.Link); err == nil {
		p.Link = u.String() // percent-encodes what HTML and the refresh syntax could misread
	}
	var b bytes.Buffer
	if err := ps.template.Execute(&b, struct {
		page
		Script template.JS
		Style  template.CSS
	}{p, pageScript, pageStyle}); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", ps.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", private)
	w.WriteHeader(p.Status)
	_, _ = w.Write(b.Bytes())
}
