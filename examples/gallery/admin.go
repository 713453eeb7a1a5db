package main

import "net/http"

// allNotes shows the notes of all visitors. The route lets admins in only, and so does the API: it
// would show others nothing but their own notes.
func (g *gallery) allNotes(r *http.Request) (any, error) {
	trail := trailOf(r)
	list, err := g.notebook.all(r.Context(), trail.token())
	return pageOf(list, trail, "/admin/notes", err)
}

// deleteAnyNote removes a note of anybody.
func (g *gallery) deleteAnyNote(r *http.Request) (to string, err error) {
	return "/admin/notes", g.notebook.remove(r.Context(), r.PathValue("id"))
}
