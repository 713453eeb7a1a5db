package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amplify-go/amplify/data"
)

// Bounds of what visitors write.
const (
	maxTitle   = 100       // characters
	maxText    = 10_000    // characters of a note
	maxComment = 2_000     // characters
	maxForm    = 256 << 10 // bytes
)

// form is what a visitor has written, into the form of a note or of a comment.
type form struct {
	ID          string // of the note that changes, or "" for a new one
	Title, Text string
	Version     int      // of the note that the visitor began with
	Problem     *problem // why it was not saved
	Current     *note    // what was saved meanwhile, in another tab
}

// Action returns where the form goes.
func (f form) Action() string {
	if f.ID == "" {
		return "/notes"
	}
	return noteAddress(f.ID)
}

// MaxTitle and MaxText are how many characters there may be.
func (form) MaxTitle() int { return maxTitle }
func (form) MaxText() int  { return maxText }

// newNote shows the form of a new note.
func newNote(*http.Request) (any, error) { return form{}, nil }

// editNote shows the form of a note of the visitor.
func (g *gallery) editNote(r *http.Request) (any, error) {
	note, own, err := g.notebook.get(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !own {
		return nil, errNoNote()
	}
	return form{ID: note.ID, Title: note.Title, Text: note.Text, Version: note.Version}, nil
}

// saveNote saves what the form of a note brings.
func (g *gallery) saveNote(w http.ResponseWriter, r *http.Request) {
	written, err := readForm(w, r)
	if err == nil {
		written.ID = r.PathValue("id")
		err = errors.Join(
			checkText("The title", written.Title, maxTitle),
			checkText("The text", written.Text, maxText),
		)
	}
	var id string
	if err == nil {
		id, err = g.notebook.save(r.Context(), written)
	}
	if err == nil {
		http.Redirect(w, r, noteAddress(id), http.StatusSeeOther)
		return
	}
	written.Problem = explain(r, err)
	if conditionFailed(err) {
		if written.Current, _, err = g.notebook.get(r.Context(), written.ID); err != nil {
			g.fail(w, r, err)
			return
		}
		written.Problem, written.Version = errChanged, written.Current.Version
	}
	if written.Problem.Status == http.StatusNotFound {
		g.fail(w, r, written.Problem)
		return
	}
	// The page keeps what the visitor has written.
	if err := g.render(w, r, written.Problem.Status, "writing", written); err != nil {
		g.fail(w, r, err)
	}
}

// save writes a new note, or changes one. A note changes only if it has the version that the visitor
// began with: otherwise two tabs would overwrite each other without a word.
func (n notebook) save(ctx context.Context, f form) (id string, err error) {
	if f.ID != "" {
		_, err = n.notes.Update(ctx, data.UpdateInput{
			Item:      note{ID: f.ID, Title: f.Title, Text: f.Text, Version: f.Version + 1},
			Condition: data.Where("version", data.Eq(f.Version)),
		})
		return f.ID, err
	}
	author, err := authorOf(ctx)
	if err != nil {
		return "", err
	}
	created, err := n.notes.Create(ctx, data.CreateInput{
		Item: note{Title: f.Title, Text: f.Text, Author: author, Version: 1},
	})
	if err != nil {
		return "", err
	}
	return created.ID, nil
}

// readForm reads the form of a note or of a comment.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return form{}, &problem{
			Status: http.StatusBadRequest,
			Title:  "Your text did not arrive.",
			Advice: "The connection broke, or the text is far too long. Try again.",
			Link:   "/notes", LinkText: "Back to your notes",
		}
	}
	f := form{
		Title: strings.TrimSpace(r.PostForm.Get("title")),
		// Browsers send the ends of lines as two characters.
		Text: strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n")),
	}
	if v, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 31); err == nil {
		f.Version = int(v) // else 0, which no note has
	}
	return f, nil
}

// checkText returns an error unless a text has between one and most characters.
func checkText(name, text string, most int) error {
	var advice string
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		advice = name + " is missing."
	case n > most:
		advice = fmt.Sprintf("%s has %d characters. At most %d fit.", name, n, most)
	default:
		return nil
	}
	return &problem{Status: http.StatusUnprocessableEntity, Title: "It is not saved yet.", Advice: advice}
}

var errChanged = &problem{
	Status: http.StatusConflict,
	Title:  "The note was changed meanwhile.",
	Advice: "Another tab or device has saved it after you began. Nothing is overwritten. " +
		"Compare the two, and save yours if it is to replace the other.",
}
