package amplifytest_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/auth"
)

// exampleT stands for the *testing.T of a test, which examples do not have.
type exampleT struct{ testing.TB }

func (exampleT) Helper()           {}
func (exampleT) Cleanup(func())    {}
func (exampleT) Output() io.Writer { return io.Discard }

// newGreeter returns the application of the examples: it greets users, and tells others why they
// are none.
func newGreeter(cfg amplify.Config, o amplifyhttp.Options) http.Handler {
	runner, err := amplifyhttp.NewServerRunner(cfg, o)
	if err != nil {
		log.Fatal(err)
	}
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		user, err := auth.GetCurrentUser(r.Context())
		if err != nil {
			fmt.Fprint(w, amplify.ReasonOf(err))
			return
		}
		fmt.Fprintf(w, "Hello, %s", user.Username)
	})
	return runner.Middleware(mux)
}

// A request as a user, and as somebody who pretends to be that user.
func Example() {
	t := exampleT{} // the parameter of a test
	pool := amplifytest.New(t, amplifytest.Options{})
	app := newGreeter(pool.Config(), pool.Options())
	ann := amplifytest.User{Name: "ann"}

	for _, flaws := range [][]amplifytest.Flaw{nil, {amplifytest.Forged}} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		pool.SignIn(r, ann, flaws...)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(w.Body)
	}
	// Output:
	// Hello, ann
	// bad_signature
}

// A session that expires, and one that has been revoked meanwhile.
func ExamplePool_Advance() {
	t := exampleT{} // the parameter of a test
	pool := amplifytest.New(t, amplifytest.Options{})
	app := newGreeter(pool.Config(), pool.Options())
	ann := amplifytest.User{Name: "ann"}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	pool.SignIn(r, ann)

	greet := func() {
		pool.Advance(2 * time.Hour)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(w.Body, pool.Calls()["GetTokensFromRefreshToken"])
	}
	greet()
	pool.Revoke(ann)
	greet()
	// Output:
	// Hello, ann 1
	// refresh_rejected 2
}

// Through the routes of the application: in by managed login, and out again.
func ExamplePool_Browser() {
	t := exampleT{} // the parameter of a test
	pool := amplifytest.New(t, amplifytest.Options{})
	app := newGreeter(pool.Config(), pool.Options())

	browser := pool.Browser(app, amplifytest.User{Name: "ann"})
	for _, path := range []string{"/", "/api/auth/sign-in", "/api/auth/sign-out"} {
		page, err := browser.Get(pool.Origin() + path)
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(page.Body)
		if err != nil {
			log.Fatal(err)
		}
		page.Body.Close()
		fmt.Printf("%s leads to %s: %s\n", path, page.Request.URL, text)
	}
	// Output:
	// / leads to https://example.com/: no_session
	// /api/auth/sign-in leads to https://example.com/: Hello, ann
	// /api/auth/sign-out leads to https://example.com/: no_session
}

// The session of a real server's user. In a test with package sandbox the tokens come from its
// Tokens method.
func ExampleCookies() {
	t := exampleT{} // the parameter of a test
	pool := amplifytest.New(t, amplifytest.Options{})
	tokens := pool.Tokens(amplifytest.User{Name: "ann@example.com"})

	cookies, err := amplifytest.Cookies(pool.Config(), tokens)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range cookies { // for a cookie jar, or a browser
		_, name, _ := strings.Cut(c.Name, pool.Config().Auth.UserPoolClientID+".")
		fmt.Println(name)
	}
	// Output:
	// LastAuthUser
	// ann%40example.com.accessToken
	// ann%40example.com.idToken
	// ann%40example.com.refreshToken
}
