package main

import (
	"embed"
	"net/http"
)

//go:embed static
var assets embed.FS

// routes returns the whole application. Every address that it answers stands here.
func (g *gallery) routes() http.Handler {
	mux := http.NewServeMux()

	// Rooms that are open to everyone.
	mux.Handle("GET /{$}", g.page("home", home))
	mux.Handle("GET /poster", g.poster)

	// Rooms for those who are signed in. Others are sent to /sign-in and come back; programs get a
	// 401. The storeroom is for a group of them.
	mux.Handle("GET /home", g.signedIn(g.page("account", account)))
	mux.Handle("GET /profile", g.signedIn(g.page("profile", profile)))
	mux.Handle("GET /storeroom", g.signedIn(g.curators(g.page("storeroom", storeroom))))
	mux.Handle("GET /apis/get-current-user", g.signedIn(http.HandlerFunc(getCurrentUser)))

	// The visitor's photos.
	mux.Handle("GET /photos", g.signedIn(g.page("photos", photos)))
	mux.Handle("POST /photos", readToEnd(g.signedIn(http.HandlerFunc(g.upload))))
	mux.Handle("GET /photos/{name}", g.signedIn(g.page("photo", photo)))
	mux.Handle("GET /photos/{name}/download", g.signedIn(http.HandlerFunc(g.download)))
	mux.Handle("POST /photos/{name}/publish", g.signedIn(g.action(publish)))
	mux.Handle("POST /photos/{name}/unpublish", g.signedIn(g.action(unpublish)))
	mux.Handle("POST /photos/{name}/delete", g.signedIn(g.action(deletePhoto)))
	mux.Handle("GET /photos/empty", g.signedIn(g.page("emptying", askBeforeEmptying)))
	mux.Handle("POST /photos/empty", g.signedIn(http.HandlerFunc(g.empty)))

	// The visitor's notes, their comments, and the notes of all for admins.
	mux.Handle("GET /notes", g.signedIn(g.page("notes", g.ownNotes)))
	mux.Handle("POST /notes", g.signedIn(http.HandlerFunc(g.saveNote)))
	mux.Handle("GET /notes/new", g.signedIn(g.page("writing", newNote)))
	mux.Handle("GET /notes/{id}", g.signedIn(g.page("note", g.note)))
	mux.Handle("POST /notes/{id}", g.signedIn(http.HandlerFunc(g.saveNote)))
	mux.Handle("GET /notes/{id}/edit", g.signedIn(g.page("writing", g.editNote)))
	mux.Handle("POST /notes/{id}/delete", g.signedIn(g.action(g.deleteNote)))
	mux.Handle("POST /notes/{id}/comments", g.signedIn(http.HandlerFunc(g.addComment)))
	mux.Handle("POST /notes/{id}/comments/{comment}/delete", g.signedIn(g.action(g.deleteComment)))
	mux.Handle("GET /admin/notes", g.signedIn(g.admins(g.page("admin", g.allNotes))))
	mux.Handle("POST /admin/notes/{id}/delete", g.signedIn(g.admins(g.action(g.deleteAnyNote))))

	// Signing in, up and out: by links to managed login, which comes back to the same routes, or by
	// a form for Amplify JS.
	switch g.by {
	case byServer:
		mux.Handle("GET /sign-in", g.page("signin", signIn))
		mux.Handle("/api/auth/", g.authRoutes)
	case byBrowser:
		mux.Handle("GET /sign-in", g.page("amplifyjs", g.amplifyJS))
		mux.HandleFunc("GET /amplifyjs.js", g.script)
	}

	mux.Handle("GET /static/", http.FileServerFS(assets))
	mux.Handle("/", g.page("problem", notFound))

	// The middleware gives each request a server context, from which the Amplify APIs read who sent
	// it. Forms of other sites are refused.
	return g.runner.Protect(g.runner.Middleware(mux))
}
