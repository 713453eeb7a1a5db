package porting

import (
	"context"
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

// handleForm serves <form method="post" action="/profile"><input name="nickname">…
func handleForm(mux *http.ServeMux, runner *amplifyhttp.ServerRunner,
	save func(ctx context.Context, userID, nickname string) error) {
	rename := func(w http.ResponseWriter, r *http.Request) {
		user, err := auth.GetCurrentUser(r.Context())
		if err != nil {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		if err := save(r.Context(), user.UserID, r.PostFormValue("nickname")); err != nil {
			http.Error(w, "That did not work.", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/profile", http.StatusSeeOther)
	}
	// Protect refuses forms that other sites send in the user's name.
	mux.Handle("POST /profile", runner.Protect(runner.Middleware(http.HandlerFunc(rename))))
}
