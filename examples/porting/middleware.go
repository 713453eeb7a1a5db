package porting

import (
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
)

// protect lets signed-in users pass, and sends others to /sign-in.
func protect(runner *amplifyhttp.ServerRunner, mux http.Handler) (http.Handler, error) {
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{
		SignIn: "/sign-in",
		Except: []string{"/api/", "/static/", "/favicon.ico"},
	})
	if err != nil {
		return nil, err
	}
	return runner.Middleware(signedIn(mux)), nil
}
