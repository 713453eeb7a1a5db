package porting

import (
	"net/http"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
)

// newSignInRunner makes a runner that signs users in. The environment variable AMPLIFY_APP_ORIGIN
// is the origin, as in JavaScript; Options.Origin says it in code.
func newSignInRunner(cfg amplify.Config, app amplify.Options) (*amplifyhttp.ServerRunner, error) {
	return amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{
		Cookies: amplifyhttp.CookieOptions{
			Domain:   ".myapp.com", // for all subdomains
			SameSite: http.SameSiteStrictMode,
			MaxAge:   7 * 24 * time.Hour,
		},
		App: app, // leave it out, except in tests
	})
}
