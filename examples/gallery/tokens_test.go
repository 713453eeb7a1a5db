package main

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifytest"
)

// TestSeededSession: a browser begins with the session of a seeded user, without the way through
// managed login.
func TestSeededSession(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "alice@example.com")
	b.open(origin + "/profile")
	b.wantAt("/profile")
	b.wantText("Alice", "alice@example.com", "curators")
	b.follow("Sign out")
	b.open(origin + "/profile")
	b.wantAt("/sign-in")
}

// serveGallery serves a gallery in this process, and returns the origin that browsers open.
func serveGallery(t *testing.T) (*gallery, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	origin := originOf(server.Listener)
	backend, err := startBackend(t.Context(), origin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	gallery, err := newGallery(backend, byServer, origin, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gallery.Close() })
	server.Config.Handler = gallery.routes()
	server.Start()
	t.Cleanup(server.Close)
	return gallery, origin
}

// browserOf returns a browser with the session of a seeded user.
func (g *gallery) browserOf(t *testing.T, origin, email string) *browser {
	t.Helper()
	backend, config := g.backend, g.config // as the guide has them
	tokens, err := backend.sandbox.Tokens(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	cookies, err := amplifytest.Cookies(config, amplify.IssuedTokens{
		AccessToken:  amplify.NewSecret(tokens.AccessToken),
		IDToken:      amplify.NewSecret(tokens.IDToken),
		RefreshToken: amplify.NewSecret(tokens.RefreshToken),
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	at, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(at, cookies)
	return b
}
