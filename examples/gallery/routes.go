package main

import (
	"embed"
	"net/http"
)

//go:embed static
var static embed.FS

// routes returns the whole application. Every address that it answers stands here.
func (g *gallery) routes() http.Handler {
	mux := http.NewServeMux()

	// Rooms that are open to everyone.
	mux.Handle("GET /{$}", g.page("home", home))

	// Rooms for those who are signed in. Others are sent to /sign-in and come back; programs get a
	// 401. The storeroom is for a group of them.
	mux.Handle("GET /home", g.signedIn(g.page("account", account)))
	mux.Handle("GET /profile", g.signedIn(g.page("profile", profile)))
	mux.Handle("GET /storeroom", g.signedIn(g.curators(g.page("storeroom", storeroom))))
	mux.Handle("GET /apis/get-current-user", g.signedIn(http.HandlerFunc(getCurrentUser)))

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

	mux.Handle("GET /static/", http.FileServerFS(static))
	mux.Handle("/", g.page("problem", notFound))

	// The middleware gives each request a server context, from which the Amplify APIs read who sent
	// it.
	return g.runner.Middleware(mux)
}
