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

	tokens, err := backend.sandbox.Tokens(t.Context(), "alice@example.com")
	if err != nil {
		t.Fatal(err)
	}
	config, err := amplify.ParseConfig(backend.Outputs)
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
	b.open(origin + "/profile")
	b.wantAt("/profile")
	b.wantText("Alice", "alice@example.com", "curators")
	b.follow("Sign out")
	b.open(origin + "/profile")
	b.wantAt("/sign-in")
}
