package main

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// problem is an error as visitors get to see it: what is wrong, and what to do next.
type problem struct {
	Status         int
	Title, Advice  string
	Link, LinkText string
}

func (p *problem) Error() string { return p.Title }

// notFound is the room that does not exist.
func notFound(*http.Request) (any, error) {
	return nil, &problem{
		Status: http.StatusNotFound,
		Title:  "There is no such room.",
		Advice: "The address may be mistyped, or the room may have moved. All rooms are listed at the entrance.",
		Link:   "/", LinkText: "Back to the entrance",
	}
}

// fail shows err as a page.
func (g *gallery) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := explain(r, err)
	if err := g.render(w, r, p.Status, "problem", p); err != nil {
		http.Error(w, p.Title+" "+p.Advice, p.Status)
	}
}

// explain returns what the visitor is to be told about err. The log has it if it is ours.
func explain(r *http.Request, err error) *problem {
	path := r.URL.Path
	if r.Method == http.MethodPost {
		path = roomOf(path) // where the form is
	}
	p := problemOf(err, path)
	if p.Status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	return p
}

// roomOf returns the room that an address belongs to.
func roomOf(path string) string {
	for _, room := range []string{"/notes", "/admin/notes"} {
		if path == room || strings.HasPrefix(path, room+"/") {
			return room
		}
	}
	return "/photos"
}

// closed returns what answers visitors who are not in a group that may come in.
func (g *gallery) closed(group string) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if amplify.ReasonOf(err) == amplify.ReasonMissingGroup {
			err = errClosed(group)
		}
		g.fail(w, r, err)
	}
}

// errClosed returns the error for a room that is for a group.
func errClosed(group string) *problem {
	return &problem{
		Status: http.StatusForbidden,
		Title:  "This room is for " + group + ".",
		Advice: "You are signed in, but your account is not in the group that may come in. " +
			"If that changes, sign out and in again.",
		Link: "/", LinkText: "Back to the entrance",
	}
}

// problemOf returns what a visitor at path is to be told about err.
func problemOf(err error, path string) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if errors.Is(err, data.ErrNotFound) || conditionFailed(err) {
		return errNoNote()
	}
	if errors.Is(err, amplify.ErrUnauthenticated) {
		return &problem{
			Status: http.StatusUnauthorized,
			Title:  "Your session has ended.",
			Advice: "Sign in again to go on.",
			Link:   "/sign-in", LinkText: "Sign in",
		}
	}
	switch amplify.ReasonOf(err) {
	case amplify.ReasonNoAccessRule:
		return &problem{
			Status: http.StatusForbidden,
			Title:  "Your role has no album.",
			Advice: "Members of a group have the role of the group, and no rule of the bucket lets " +
				"this one in here. If that changes, sign out and in again.",
			Link: "/", LinkText: "Back to the entrance",
		}
	case amplify.ReasonMissingOrForbidden, amplify.ReasonUnusualPath:
		return errNoPhoto()
	case amplify.ReasonNotAuthorized:
		return errNoNote() // the API tells nobody what it hides
	case amplify.ReasonServiceUnavailable, amplify.ReasonKeysUnavailable:
		return &problem{
			Status: http.StatusServiceUnavailable,
			Title:  "The backend does not answer.",
			Advice: "You are still signed in and nothing is lost. Wait a moment, then try again.",
			Link:   path, LinkText: "Try again",
		}
	}
	return &problem{
		Status: http.StatusInternalServerError,
		Title:  "Something broke on our side.",
		Advice: "It is not your fault, and the details are in the log. Try again; if that does not help, sign out and in again.",
		Link:   path, LinkText: "Try again",
	}
}
