package main

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// notesPerPage is how many notes a page of a list shows.
const notesPerPage = 10

// notesPage is a page of a list of notes.
type notesPage struct {
	Notes []entry
	pager
}

// ownNotes shows the visitor's notes.
func (g *gallery) ownNotes(r *http.Request) (any, error) {
	trail := trailOf(r)
	list, err := g.notebook.own(r.Context(), trail.token())
	return pageOf(list, trail, "/notes", err)
}

func pageOf(list *data.Page[entry], t trail, path string, err error) (*notesPage, error) {
	if err != nil {
		return nil, t.explain(err)
	}
	return &notesPage{list.Items, t.pager(path, list.NextToken)}, nil
}

// trail is the way to a page of a list: the tokens of the pages from the second one on, its own
// last. The API tells a page the token of the next one only, so that the address of a page has the
// way back.
type trail []string

// maxTrail bounds how long an address becomes. Tokens of AppSync may have several hundred bytes.
const maxTrail = 8

func trailOf(r *http.Request) trail {
	t := r.URL.Query()["after"]
	return t[max(0, len(t)-maxTrail):]
}

// token returns the token of the page itself, or "" for the first one.
func (t trail) token() string {
	if len(t) == 0 {
		return ""
	}
	return t[len(t)-1]
}

// pager has the addresses of the pages around one. Those that do not exist are "".
type pager struct {
	First, Previous, Next string
}

// pager returns the addresses of the pages around this one, for a list at path.
func (t trail) pager(path, next string) (p pager) {
	address := func(t trail) string {
		if len(t) == 0 {
			return path
		}
		return path + "?" + url.Values{"after": t}.Encode()
	}
	if len(t) > 0 {
		p.First = path
	}
	if len(t) > 1 {
		p.Previous = address(t[:len(t)-1])
	}
	if next != "" {
		longer := append(t[:len(t):len(t)], next)
		p.Next = address(longer[max(0, len(longer)-maxTrail):])
	}
	return p
}

// explain returns the error of a list that this trail led to. A token that the API does not know is
// one of an address that somebody has changed.
func (t trail) explain(err error) error {
	e, ok := errors.AsType[*amplify.Error](err)
	if ok && e.Name == "DynamoDB:UserIllegalArgumentException" && len(t) > 0 {
		return errNoNote()
	}
	return err
}

// errNoNote returns the error for a note that the visitor may not see, or not change. It does not
// tell whether there is one.
func errNoNote() *problem {
	return &problem{
		Status: http.StatusNotFound,
		Title:  "There is no such note.",
		Advice: "It may be deleted. Notes of others are closed to you.",
		Link:   "/notes", LinkText: "Back to your notes",
	}
}
