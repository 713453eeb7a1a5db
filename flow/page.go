package flow

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the template below
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed page.html
var pageHTML string

// The script and the style of every page. They are constants, so that the
// Content-Security-Policy of the pages can allow just them by their hashes, whatever
// policy the application has for its own pages.
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

// page is a small page of this package.
type page struct {
	Status   int
	Title    string
	Text     string
	Link     string // where it leads, a path or URL that we trust; "" for no link
	LinkText string
	Follow   bool // go there at once: by script, by refresh without script, by hand without either
}

// pages makes pages.
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
		template: template.Must(template.New("page").Parse(pageHTML)),
		policy: "default-src 'none'; script-src " + hash(pageScript) + "; style-src " + hash(pageStyle) +
			"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// response returns p as a response that no cache keeps. No address leaks to where it leads: that of
// a callback holds an authorization code (RFC 9700 §4.2.4).
func (ps *pages) response(p page) *Response {
	if u, err := url.Parse(p.Link); err == nil {
		p.Link = u.String() // percent-encodes what HTML and the refresh syntax could misread
	}
	var b bytes.Buffer
	if err := ps.template.Execute(&b, struct {
		page
		Script template.JS
		Style  template.CSS
	}{p, pageScript, pageStyle}); err != nil {
		return refuse(http.StatusInternalServerError)
	}
	answer := newResponse(p.Status, "text/html; charset=utf-8", b.Bytes())
	answer.Header.Set("Content-Security-Policy", ps.policy)
	answer.Header.Set("Referrer-Policy", "no-referrer")
	return answer
}
