package porting

import (
	"context"
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

// profile needs no Middleware: the operation's context alone acts as the user.
func profile(runner *amplifyhttp.ServerRunner) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, err := amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadWrite(w, r),
			func(ctx context.Context) (*auth.User, error) { return auth.GetCurrentUser(ctx) })
		if err != nil {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		_ = helloPage.Execute(w, user)
	}
}
