package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"runtime/debug"
)

var (
	//go:embed templates
	templates embed.FS

	//go:embed home.go poster.go signin.go amplifyjs.go web/amplifyjs.js account.go profile.go storeroom.go
	//go:embed photos.go static/photos.js photo.go emptying.go
	//go:embed notes.go note.go writing.go admin.go
	sources embed.FS
)

// view is what the templates are given.
type view struct {
	Path    string
	Visitor *visitor // nil for strangers
	Backend *backend
	By      mode
	Sources []source // none for pages that belong to no room
	Content any      // what the room gathered
}

// source is a file of this program that makes a page, shown at its end.
type source struct {
	File, Text string
}

// pages holds the templates of each room, joined with the layout.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	p := pages{}
	for _, room := range []string{
		"home", "poster", "signin", "amplifyjs", "account", "profile", "storeroom", "photos", "photo",
		"emptying", "notes", "note", "writing", "admin", "problem",
	} {
		t, err := template.ParseFS(templates, "templates/layout.html", "templates/mode.html", "templates/users.html", "templates/pager.html", "templates/"+room+".html")
		if err != nil {
			return nil, err
		}
		p[room] = t
	}
	return p, nil
}

// page returns a handler that shows what gather returns in the template of a room. If gather
// returns an error, the visitor sees what to do about it instead.
func (g *gallery) page(room string, gather func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				g.fail(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
		}()
		content, err := gather(r)
		if err == nil {
			err = g.render(w, r, http.StatusOK, room, content)
		}
		if err != nil {
			g.fail(w, r, err)
		}
	})
}

// render writes a page. If it returns an error, it has written nothing.
func (g *gallery) render(w http.ResponseWriter, r *http.Request, status int, room string, content any) error {
	var page bytes.Buffer
	if err := g.pages[room].Execute(&page, g.view(r, room, content)); err != nil {
		return err
	}
	g.setHeader(w.Header(), room)
	w.WriteHeader(status)
	page.WriteTo(w) // an error means that the visitor has left
	return nil
}

// stream writes a page while its content comes to be. The status is 200 whatever happens.
func (g *gallery) stream(w http.ResponseWriter, r *http.Request, room string, content any) {
	v := g.view(r, room, content)
	g.setHeader(w.Header(), room)
	if err := g.pages[room].Execute(w, v); err != nil {
		slog.WarnContext(r.Context(), "page not written to its end", "path", r.URL.Path, "error", err)
	}
}

// view returns what the template of a room is given.
func (g *gallery) view(r *http.Request, room string, content any) view {
	who, err := currentVisitor(r.Context())
	if err != nil {
		// Open rooms stay open, also while the user pool cannot be reached.
		slog.WarnContext(r.Context(), "cannot tell who the visitor is", "error", err)
	}
	return view{
		Path: r.URL.Path, Visitor: who, Backend: g.backend, By: g.by, Sources: sourcesOf(room), Content: content,
	}
}

// sourcesOf returns the files that make the page of a room.
func sourcesOf(room string) (found []source) {
	for _, file := range []string{room + ".go", "web/" + room + ".js", "static/" + room + ".js"} {
		if text, err := sources.ReadFile(file); err == nil {
			found = append(found, source{file, string(text)})
		}
	}
	return found
}

// setHeader sets the header of the page of a room.
func (g *gallery) setHeader(h http.Header, room string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	images, forms, scripts := "'self'", "'none'", ""
	switch room {
	case "home", "poster", "photos", "photo":
		images += " " + g.backend.Storage
	}
	switch room {
	case "photos", "photo", "emptying", "note", "writing", "admin":
		forms = "'self'"
	}
	switch room {
	case "photos":
		scripts = "; script-src 'self'; connect-src 'self'"
	case "amplifyjs":
		scripts = "; script-src 'self'; connect-src " + g.backend.UserPool
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src "+images+
		"; base-uri 'none'; form-action "+forms+"; frame-ancestors 'none'"+scripts)
	h.Set("X-Content-Type-Options", "nosniff")
}
