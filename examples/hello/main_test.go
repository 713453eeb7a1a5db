package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
)

// TestHome: users are greeted by the best name that there is, and others sent to sign in.
func TestHome(t *testing.T) {
	pool := amplifytest.New(t, amplifytest.Options{})
	runner, err := amplifyhttp.NewServerRunner(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(t.Context()) })
	handler, err := newHandler(runner)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, user *amplifytest.User) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept", "text/html") // programs get status 401
		if user != nil {
			pool.SignIn(r, *user)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for want, user := range map[string]amplifytest.User{
		"Hello, Ann Lee!": {
			Name: "ann", Email: "ann@example.com", Attributes: map[string]string{"name": "Ann Lee"},
		},
		"Hello, bob@example.com!": {Email: "bob@example.com"},
		"Hello, carl!":            {Name: "carl"},
	} {
		if w := get("/home", &user); w.Code != http.StatusOK ||
			!strings.Contains(w.Body.String(), want) {
			t.Errorf("status %d, want %q:\n%s", w.Code, want, w.Body)
		}
	}
	if w := get("/home", nil); w.Code != http.StatusSeeOther ||
		w.Header().Get("Location") != "/api/auth/sign-in?return_to=%2Fhome" {
		t.Errorf("status %d, location %q", w.Code, w.Header().Get("Location"))
	}
	if w := get("/", nil); w.Code != http.StatusOK ||
		!strings.Contains(w.Body.String(), "Welcome!") {
		t.Errorf("status %d:\n%s", w.Code, w.Body)
	}
}
