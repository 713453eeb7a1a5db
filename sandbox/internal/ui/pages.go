package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// Pages holds the templates of one part of the sandbox.
// It is immutable and safe for concurrent use.
type Pages struct {
	byName map[string]*template.Template
}

// NewPages parses the templates in dir of fsys. A file whose name begins with an underscore
// is shared by all pages. Every other file is a page, named after the file without ".html".
// A page must define "title" and "content". One of the shared files must define "layout".
//
// NewPages panics if a template is wrong. Templates
// are embedded, so that is a mistake in the program.
func NewPages(fsys fs.FS, dir string) *Pages {
	assets := NewAssets()
	base := template.Must(template.New("").
		Funcs(template.FuncMap{"asset": func(name string) (string, error) {
			p, ok := assets.paths[name]
			if !ok {
				return "", fmt.Errorf("no asset %q", name)
			}
			return p, nil
		}}).
		Option("missingkey=error").
		ParseFS(embedded, "assets/frame.html"))
	files, err := fs.Glob(fsys, dir+"/*.html")
	if err != nil {
		panic("ui: " + err.Error())
	}
	p := &Pages{byName: make(map[string]*template.Template)}
	var pages []string
	for _, file := range files {
		if strings.HasPrefix(path.Base(file), "_") {
			base = template.Must(base.ParseFS(fsys, file))
		} else {
			pages = append(pages, file)
		}
	}
	if base.Lookup("layout") == nil {
		// Note that //go:embed leaves out files with an underscore unless a pattern names them.
		panic("ui: no layout in " + dir)
	}
	for _, file := range pages {
		t := template.Must(template.Must(base.Clone()).ParseFS(fsys, file))
		p.byName[strings.TrimSuffix(path.Base(file), ".html")] = t
	}
	return p
}

// Write renders the page and sends it with the headers of [Secure]. If
// the page cannot be rendered, it returns an error and has sent nothing.
func (p *Pages) Write(w http.ResponseWriter, status int, page string, data any) error {
	t, ok := p.byName[page]
	if !ok {
		return fmt.Errorf("ui: no page %q", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", data); err != nil {
		return fmt.Errorf("ui: page %q: %w", page, err)
	}
	Secure(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the client has gone
	return nil
}

// Secure sets the headers of a page that shows personal data or takes a password.
func Secure(h http.Header) {
	h.Set("Cache-Control", "no-store")
	// form-action is left open. Browsers also apply it to the redirects
	// after a submission, which lead to the application's origin.
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY") // for what does not know frame-ancestors
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// The address of a page contains state and PKCE challenge, which other sites must
	// not see. The value is not "no-referrer", because browsers would then send "Origin:
	// null" with the sandbox's own forms (Fetch, "append a request Origin header").
	h.Set("Referrer-Policy", "same-origin")
}
