package flow

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the built-in page
	"encoding/base64"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/amplify-go/amplify"
)

// Page is what a page of this package says, and the data of [Options.PageTemplate]. Its texts are
// plain text, in English, French, German, Spanish or Japanese: what the browser prefers of these.
type Page struct {
	// Name says which page it is: "signed-in", "not-signed-in", "signed-out", "not-signed-out",
	// "confirm-sign-out", "signing-out" (of the auth routes), "sign-in-needed", "arrival" (of
	// guards), "not-allowed", "too-many-cookies", "try-again" or "failure". There may be more one
	// day.
	Name string
	// Status is the status of the response.
	Status int
	// Lang is the language of the texts, such as "de".
	Lang string
	// Title and Text say what has happened. Text may be empty.
	Title, Text string
	// Link is where the user can go, a path or a URL, and LinkText what to call it. Link may be
	// empty.
	Link, LinkText string
	// Follow says that the browser goes to Link at once: a header of the response makes it. The
	// link is for browsers that do not.
	Follow bool
	// Nonce lets style and script elements of the page run that have it as their attribute nonce.
	Nonce string
}

// The built-in page. Its Content-Security-Policy allows just its script and its style by their
// hashes, whatever policy the application has for its own pages.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageStyle string
)

// replace keeps the page out of the history: going back must not run a callback again.
const pageScript = `location.replace(document.getElementById("next").href)`

// framing is what the policies of all pages end with.
const framing = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// nonceLength is the length of a page's nonce: 190 bits.
const nonceLength = 32

// pages makes pages.
type pages struct {
	languages languages
	builtIn   *template.Template
	policy    string             // of the built-in page
	own       *template.Template // the application's, or nil
}

// newPages returns pages that own renders, unless it is nil.
func newPages(own *template.Template) (*pages, *amplify.ConfigError) {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	ps := &pages{
		languages: newLanguages(),
		builtIn:   template.Must(template.New("page").Parse(pageHTML)),
		policy:    "default-src 'none'; script-src " + hash(pageScript) + "; style-src " + hash(pageStyle) + framing,
		own:       own,
	}
	if own == nil {
		return ps, nil
	}
	for _, p := range []Page{
		{Name: "signed-in", Lang: english, Title: "t", Text: "t", Link: "/", LinkText: "t", Follow: true},
		{Name: "not-signed-out", Lang: english, Title: "t"},
	} {
		if err := own.Execute(io.Discard, p); err != nil {
			return nil, &amplify.ConfigError{
				Field: "Options.PageTemplate", Problem: "does not render a Page: " + err.Error(),
			}
		}
	}
	return ps, nil
}

// page returns p, in the language of the request, as a response that no cache keeps. No address
// leaks to where it leads: that of a callback holds an authorization code (RFC 9700 §4.2.4).
func (r *Runner) page(request *http.Request, p Page) *Response {
	r.pages.languages.translate(&p, request.Header.Values("Accept-Language"))
	if u, err := url.Parse(p.Link); err == nil {
		p.Link = u.String() // percent-encodes what HTML and the refresh syntax could misread
	}
	body, policy, err := r.pages.render(p)
	if err != nil {
		r.log(request.Context(), slog.LevelError, "page not rendered by Options.PageTemplate",
			"page", p.Name, "error", err)
	}
	answer := newResponse(p.Status, "text/html; charset=utf-8", body)
	answer.Header.Set("Content-Security-Policy", policy)
	answer.Header.Set("Referrer-Policy", "no-referrer")
	if p.Follow && r.pages.own != nil {
		answer.Header.Set("Refresh", "0; url="+p.Link)
	}
	return answer
}

// render returns a page and its Content-Security-Policy. If the application's template fails it
// returns the built-in page and the error: users must not be stuck there.
func (ps *pages) render(p Page) (body []byte, policy string, err error) {
	var b bytes.Buffer
	if ps.own != nil {
		p.Nonce = randomText(nonceLength)
		if err = ps.own.Execute(&b, p); err == nil {
			policy := "default-src 'self' 'nonce-" + p.Nonce + "'; img-src 'self' data:; object-src 'none'"
			return b.Bytes(), policy + framing, nil
		}
		b.Reset()
	}
	if err := ps.builtIn.Execute(&b, struct {
		Page
		Script template.JS
		Style  template.CSS
	}{p, pageScript, template.CSS(pageStyle)}); err != nil {
		panic(err) // a constant, and plain texts
	}
	return b.Bytes(), ps.policy, err
}
