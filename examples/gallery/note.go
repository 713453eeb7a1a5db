package main

import (
	"context"
	"net/http"
	"net/url"

	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/data"
)

// notePage is the page of one note.
type notePage struct {
	*note
	Own      bool // it belongs to the visitor, who may change it
	Comments []comment
	pager         // of the comments
	Comment  form // the comment that the visitor is writing
}

// Address returns the address of the page of a note.
func (n note) Address() string { return noteAddress(n.ID) }

// Address returns the address of the page of a note.
func (e entry) Address() string { return noteAddress(e.ID) }

func noteAddress(id string) string { return "/notes/" + url.PathEscape(id) }

// Changed reports whether the note was changed after it had been written.
func (n note) Changed() bool { return n.Version > 1 }

// commentsPerPage is how many comments the page of a note shows.
const commentsPerPage = 20

// note shows one note and its comments.
func (g *gallery) note(r *http.Request) (any, error) { return g.openNote(r) }

func (g *gallery) openNote(r *http.Request) (*notePage, error) {
	ctx, id := r.Context(), r.PathValue("id")
	note, own, err := g.notebook.get(ctx, id)
	if err != nil {
		return nil, err
	}
	// The index has the comments in the order of their times, which the relation has not. The newest
	// come first, so that visitors see what they have just written.
	trail := trailOf(r)
	comments, err := g.notebook.comments.List(ctx, data.ListInput{
		Index: "commentsByNote", Key: data.Key{"noteId": id},
		SortDirection: data.Descending, Limit: commentsPerPage, NextToken: trail.token(),
	})
	if err != nil {
		return nil, trail.explain(err)
	}
	return &notePage{
		note: note, Own: own, Comments: comments.Items,
		pager: trail.pager(note.Address(), comments.NextToken),
	}, nil
}

// addComment puts a comment below a note.
func (g *gallery) addComment(w http.ResponseWriter, r *http.Request) {
	written, err := readForm(w, r)
	if err == nil {
		err = checkText("The comment", written.Text, maxComment)
	}
	if err == nil {
		err = g.notebook.comment(r.Context(), r.PathValue("id"), written.Text)
	}
	if err == nil {
		http.Redirect(w, r, noteAddress(r.PathValue("id")), http.StatusSeeOther)
		return
	}
	// The page keeps what the visitor has written, if there still is such a note.
	written.Problem = explain(r, err)
	page, err := g.openNote(r)
	if err == nil {
		page.Comment = written
		err = g.render(w, r, written.Problem.Status, "note", page)
	}
	if err != nil {
		g.fail(w, r, err)
	}
}

// comment writes a comment, if the request's user may see the note.
func (n notebook) comment(ctx context.Context, id, text string) error {
	author, err := authorOf(ctx)
	if err != nil {
		return err
	}
	note, _, err := n.get(ctx, id)
	if err != nil {
		return err
	}
	_, err = n.comments.Create(ctx, data.CreateInput{
		Item: struct{ NoteID, NoteOwner, Text, Author string }{note.ID, note.Owner, text, author},
	})
	return err
}

// authorOf returns the name of the request's user for people to read.
func authorOf(ctx context.Context) (string, error) {
	who, err := currentVisitor(ctx)
	if err != nil {
		return "", err
	}
	if who == nil {
		_, err := auth.GetCurrentUser(ctx) // which says why
		return "", err
	}
	return who.Name, nil
}

// deleteComment removes a comment.
func (g *gallery) deleteComment(r *http.Request) (to string, err error) {
	return noteAddress(r.PathValue("id")), g.notebook.removeComment(r.Context(), r.PathValue("comment"))
}

// deleteNote removes a note.
func (g *gallery) deleteNote(r *http.Request) (to string, err error) {
	return "/notes", g.notebook.remove(r.Context(), r.PathValue("id"))
}
