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

	//go:embed home.go signin.go amplifyjs.go web/amplifyjs.js account.go profile.go storeroom.go
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
		"home", "signin", "amplifyjs", "account", "profile", "storeroom", "problem",
	} {
		t, err := template.ParseFS(templates, "templates/layout.html", "templates/mode.html", "templates/users.html", "templates/"+room+".html")
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
	who, err := currentVisitor(r.Context())
	if err != nil {
		// Open rooms stay open, also while the user pool cannot be reached.
		slog.WarnContext(r.Context(), "cannot tell who the visitor is", "error", err)
	}
	v := view{Path: r.URL.Path, Visitor: who, Backend: g.backend, By: g.by, Content: content}
	for _, file := range []string{room + ".go", "web/" + room + ".js"} {
		if text, err := sources.ReadFile(file); err == nil {
			v.Sources = append(v.Sources, source{file, string(text)})
		}
	}

	var page bytes.Buffer
	if err := g.pages[room].Execute(&page, v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if room == "amplifyjs" {
		policy += "; script-src 'self'; connect-src " + g.backend.UserPool
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	page.WriteTo(w) // an error means that the visitor has left
	return nil
}
