package porting

import (
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
)

func handleAuth(mux *http.ServeMux, runner *amplifyhttp.ServerRunner) error {
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
		RedirectOnSignInComplete:  "/home",
		RedirectOnSignOutComplete: "/sign-in",
	})
	if err != nil {
		return err
	}
	mux.Handle("/api/auth/", routes)
	return nil
}
