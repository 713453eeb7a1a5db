package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
)

// outputs is what //go:embed amplify_outputs.json gives.
var outputs = []byte(`{"version":"1.4","auth":{"user_pool_id":"eu-west-1_Example01","user_pool_client_id":"1example23456789","aws_region":"eu-west-1"}}`)

func newRunner() *amplifyhttp.ServerRunner {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return runner
}

// A page for the user who asks for it: "Dynamic rendering in React server component" of the Amplify
// documentation.
func ExampleGetCurrentUser() {
	runner := newRunner()
	page := func(w http.ResponseWriter, r *http.Request) {
		currentUser, err := auth.GetCurrentUser(r.Context())
		if err != nil {
			log.Print(err)
			fmt.Fprint(w, "<p>Something went wrong...</p>")
			return
		}
		fmt.Fprintf(w, "<p>Hello, %s</p>", currentUser.Username)
	}
	http.Handle("/", runner.Middleware(http.HandlerFunc(page)))
}

// An API: "In Route Handlers" of the Amplify documentation.
func ExampleGetCurrentUser_routeHandler() {
	runner := newRunner()
	http.HandleFunc("GET /apis/get-current-user", func(w http.ResponseWriter, r *http.Request) {
		user, err := amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadWrite(w, r),
			func(ctx context.Context) (*auth.User, error) { return auth.GetCurrentUser(ctx) })
		if err != nil {
			http.Error(w, "not signed in", http.StatusUnauthorized)
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"user": user}); err != nil {
			log.Print(err)
		}
	})
}

// What is for signed-in users only: "Validate user session with the Next.js Middleware" of the
// Amplify documentation, by hand. [amplifyhttp.ServerRunner.RequireUser] does it, too.
func ExampleFetchAuthSession() {
	runner := newRunner()
	middleware := func(next http.Handler) http.Handler {
		return runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, err := auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{})
			switch {
			case err != nil:
				// Not known at the moment: nobody is sent to sign in for that.
				log.Print(err)
				http.Error(w, "try again", http.StatusServiceUnavailable)
			case session.Tokens == nil:
				log.Print(session.Unauthenticated) // says why
				http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			default:
				next.ServeHTTP(w, r)
			}
		}))
	}
	http.Handle("/private/", middleware(http.FileServer(http.Dir("private"))))
}

// The user's attributes, as they are in the user pool now.
func ExampleFetchUserAttributes() {
	runner := newRunner()
	profile := func(w http.ResponseWriter, r *http.Request) {
		attributes, err := auth.FetchUserAttributes(r.Context())
		if err != nil {
			http.Error(w, "no profile", http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "%s, plan %s", attributes["email"], attributes["custom:plan"])
	}
	http.Handle("/profile", runner.Middleware(http.HandlerFunc(profile)))
}

// Any framework that gives access to cookies will do: "Using the runWithAmplifyServerContext
// function" of the Amplify documentation. This one has parsed the cookies of the request.
func Example_framework() {
	// Get the Amplify configuration object.
	amplifyConfig, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	// These two live as long as the process.
	app, err := amplify.New(amplifyConfig, amplify.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cog, err := cognito.New(app, cognito.Options{})
	if err != nil {
		log.Fatal(err)
	}

	handle := func(ctx context.Context, request frameworkRequest) string {
		// Step 1 create the key-value storage
		keyValueStorage := cookie.NewKeyValueStorage(request, cookie.Options{})
		// Step 2 create the `tokenProvider`
		tokenProvider := cog.TokenProvider(keyValueStorage)
		// Call Amplify APIs in the callback function
		welcomeMessage, err := amplify.RunWithServerContext(ctx, app, amplify.Providers{Tokens: tokenProvider},
			func(ctx context.Context) (string, error) {
				user, err := auth.GetCurrentUser(ctx)
				if err != nil {
					return "", err
				}
				return fmt.Sprintf("Welcome %s!", user.Username), nil
			})
		if errors.Is(err, amplify.ErrUnauthenticated) {
			return "Please sign in: " + string(amplify.ReasonOf(err))
		}
		return welcomeMessage
	}

	request := frameworkRequest{cookies: []*http.Cookie{{Name: "theme", Value: "dark"}}, set: http.Header{}}
	fmt.Println(handle(context.Background(), request))
	// Output: Please sign in: no_session
}

// frameworkRequest stands for what a framework knows of a request. Its two methods make it a
// [cookie.Store].
type frameworkRequest struct {
	cookies []*http.Cookie
	set     http.Header
}

func (r frameworkRequest) CookieHeader() []string {
	var pairs []string
	for _, c := range r.cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return []string{strings.Join(pairs, "; ")}
}

func (r frameworkRequest) Set(c *http.Cookie) { cookie.Add(r.set, c) }
