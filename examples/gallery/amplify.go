package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/static"
)

// gallery is the application.
type gallery struct {
	backend  *backend
	by       mode
	config   amplify.Config
	runner   *amplifyhttp.ServerRunner
	signedIn func(http.Handler) http.Handler
	curators func(http.Handler) http.Handler // behind signedIn
	admins   func(http.Handler) http.Handler // likewise
	notebook notebook
	pages    pages
	kept     *static.Pages // pages that are the same for everyone
	poster   *static.Page

	authRoutes http.Handler // byServer
	bundle     []byte       // byBrowser: the script of the sign-in page
}

// newGallery sets up Amplify for an application that browsers open at origin.
func newGallery(b *backend, by mode, origin string, bundle []byte) (*gallery, error) {
	config, err := amplify.ParseConfig(b.Outputs)
	if err != nil {
		return nil, err
	}
	var options amplifyhttp.Options
	switch by {
	case byServer:
		options = amplifyhttp.Options{
			Origin: origin,
			Cookies: amplifyhttp.CookieOptions{
				SameSite: http.SameSiteStrictMode,
				MaxAge:   7 * 24 * time.Hour,
			},
			Cognito: cognito.Options{ForgetClients: []string{browserClient}},
		}
	case byBrowser:
		if os.Getenv("AMPLIFY_APP_ORIGIN") != "" {
			return nil, errors.New("AMPLIFY_APP_ORIGIN is set, which makes the server sign people in: unset it for -sign-in=browser")
		}
		// Without an origin, cookies are left as Amplify JS needs them.
		options.Cognito.ForgetClients = []string{config.Auth.UserPoolClientID}
		config.Auth.UserPoolClientID = browserClient
	}
	runner, err := amplifyhttp.NewServerRunner(config, options)
	if err != nil {
		return nil, err
	}
	g := &gallery{
		backend: b,
		by:      by,
		config:  config,
		runner:  runner,
		bundle:  bundle,
	}
	g.signedIn, err = runner.RequireUser(amplifyhttp.Guard{SignIn: "/sign-in"})
	if err != nil {
		return nil, err
	}
	g.curators, err = runner.RequireGroup(amplifyhttp.Guard{Denied: g.closed("curators")}, "curators")
	if err != nil {
		return nil, err
	}
	g.admins, err = runner.RequireGroup(amplifyhttp.Guard{Denied: g.closed("admins")}, "admins")
	if err != nil {
		return nil, err
	}
	if g.notebook, err = newNotebook(runner.App()); err != nil {
		return nil, err
	}
	if by == byServer {
		g.authRoutes, err = runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/sign-in",
		})
		if err != nil {
			return nil, err
		}
	}
	if g.pages, err = parsePages(); err != nil {
		return nil, err
	}
	if g.kept, err = static.New(runner, static.Options{}); err != nil {
		return nil, err
	}
	g.poster, err = g.newPoster()
	return g, err
}

// Close gives back what Amplify holds.
func (g *gallery) Close() error {
	ctx := context.Background()
	return errors.Join(g.kept.Close(ctx), g.runner.Close(ctx))
}
