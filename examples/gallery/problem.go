package main

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/amplify-go/amplify"
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
	path := r.URL.Path
	if r.Method == http.MethodPost {
		path = "/photos" // where all forms of the gallery are
	}
	p := problemOf(err, path)
	if p.Status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	if err := g.render(w, r, p.Status, "problem", p); err != nil {
		http.Error(w, p.Title+" "+p.Advice, p.Status)
	}
}

// problemOf returns what a visitor at path is to be told about err.
func problemOf(err error, path string) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
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
	case amplify.ReasonMissingGroup:
		return &problem{
			Status: http.StatusForbidden,
			Title:  "This room is for curators.",
			Advice: "You are signed in, but your account is not in the group that may come in. " +
				"If that changes, sign out and in again.",
			Link: "/", LinkText: "Back to the entrance",
		}
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
