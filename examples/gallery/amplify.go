package main

import (
	"context"
	"net/http"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
)

// gallery is the application.
type gallery struct {
	backend    *backend
	runner     *amplifyhttp.ServerRunner
	authRoutes http.Handler
	signedIn   func(http.Handler) http.Handler
	pages      pages
}

// newGallery sets up Amplify for an application that browsers open at origin.
func newGallery(b *backend, origin string) (*gallery, error) {
	config, err := amplify.ParseConfig(b.Outputs)
	if err != nil {
		return nil, err
	}
	runner, err := amplifyhttp.NewServerRunner(config, amplifyhttp.Options{
		Origin: origin,
		Cookies: amplifyhttp.CookieOptions{
			SameSite: http.SameSiteStrictMode,
			MaxAge:   7 * 24 * time.Hour,
		},
	})
	if err != nil {
		return nil, err
	}
	authRoutes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
		RedirectOnSignInComplete:  "/home",
		RedirectOnSignOutComplete: "/sign-in",
	})
	if err != nil {
		return nil, err
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	return &gallery{
		backend:    b,
		runner:     runner,
		authRoutes: authRoutes,
		signedIn:   runner.RequireUser(amplifyhttp.Guard{SignIn: "/sign-in"}),
		pages:      pages,
	}, nil
}

// Close gives back what Amplify holds.
func (g *gallery) Close() error {
	return g.runner.Close(context.Background())
}
