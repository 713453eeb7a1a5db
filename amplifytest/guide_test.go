package amplifytest_test

// The code of docs/testing.md. The test of package docs holds the two together.

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/auth"
)

// newHandler returns the whole application: what main serves, and what tests test.
func newHandler(runner *amplifyhttp.ServerRunner) (http.Handler, error) {
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		return nil, err
	}
	editors, err := runner.RequireGroup(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"}, "editors")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.Handle("/notes", editors(http.HandlerFunc(notes)))
	return runner.Middleware(mux), nil
}

func notes(w http.ResponseWriter, r *http.Request) {
	attributes, err := auth.FetchUserAttributes(r.Context())
	if err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "The notes of %s", attributes["name"])
}

// start returns the application on a user pool of the test's own.
func start(t *testing.T) (*amplifytest.Pool, http.Handler) {
	t.Helper()
	pool := amplifytest.New(t, amplifytest.Options{})
	runner, err := amplifyhttp.NewServerRunner(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	handler, err := newHandler(runner)
	if err != nil {
		t.Fatal(err)
	}
	return pool, handler
}

func TestNotes(t *testing.T) {
	t.Parallel()
	pool, handler := start(t)
	ann := amplifytest.User{
		Email:      "ann@example.com",
		Groups:     []string{"editors"},
		Attributes: map[string]string{"name": "Ann Lee"},
	}

	r := httptest.NewRequest(http.MethodGet, "/notes", nil)
	pool.SignIn(r, ann)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)

	if w.Code != http.StatusOK || w.Body.String() != "The notes of Ann Lee" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestNotesAreGuarded(t *testing.T) {
	t.Parallel()
	editor := amplifytest.User{Name: "ann", Groups: []string{"editors"}}
	type flaws = []amplifytest.Flaw
	tests := map[string]struct {
		user  amplifytest.User
		flaws flaws
		want  int
	}{
		"an editor":   {editor, nil, 200},
		"a reader":    {amplifytest.User{Name: "bob"}, nil, 403},
		"next day":    {editor, flaws{amplifytest.Expired}, 200},
		"ended":       {editor, flaws{amplifytest.Expired, amplifytest.Revoked}, 401},
		"an impostor": {editor, flaws{amplifytest.Forged}, 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, handler := start(t)
			r := httptest.NewRequest(http.MethodGet, "/notes", nil)
			pool.SignIn(r, tt.user, tt.flaws...)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
		})
	}
}

func TestLongSession(t *testing.T) {
	t.Parallel()
	pool, handler := start(t)
	browser := pool.Browser(handler, amplifytest.User{Name: "ann", Groups: []string{"editors"}})

	for range 3 {
		page, err := browser.Get(pool.Origin() + "/notes")
		if err != nil {
			t.Fatal(err)
		}
		page.Body.Close()
		if page.StatusCode != http.StatusOK {
			t.Errorf("status %d", page.StatusCode)
		}
		pool.Advance(2 * time.Hour) // longer than access and ID tokens last
	}
	calls := pool.Calls()
	if calls["/oauth2/token"] != 1 || calls["GetTokensFromRefreshToken"] != 2 {
		t.Errorf("calls: %v", calls)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	pool, handler := start(t)
	browser := pool.Browser(handler, amplifytest.User{Name: "ann", Groups: []string{"editors"}})
	for _, path := range []string{"/notes", "/api/auth/sign-out"} {
		page, err := browser.Get(pool.Origin() + path)
		if err != nil {
			t.Fatal(err)
		}
		page.Body.Close()
	}
	if calls := pool.Calls(); calls["/oauth2/revoke"] != 1 {
		t.Errorf("calls: %v", calls)
	}
}

func TestCognitoIsDown(t *testing.T) {
	t.Parallel()
	pool, handler := start(t)
	pool.SetOutage(amplifytest.Down)
	r := httptest.NewRequest(http.MethodGet, "/notes", nil)
	pool.SignIn(r, amplifytest.User{Name: "ann", Groups: []string{"editors"}})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("status %d: an outage must sign nobody out", w.Code)
	}
}
