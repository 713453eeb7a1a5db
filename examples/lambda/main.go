// Command lambda is a small application on AWS Lambda, behind a function URL, API Gateway or a load
// balancer: who signs in is greeted. docs/guides/deploy.md says how it gets there.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifylambda"
	"github.com/amplify-go/amplify/auth"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	cfg, err := amplify.LoadConfig(cmp.Or(os.Getenv("AMPLIFY_OUTPUTS"), "amplify_outputs.json"))
	if err != nil {
		log.Fatal(err)
	}
	origin := os.Getenv("AMPLIFY_APP_ORIGIN") // where browsers find it, such as https://myapp.com
	switch origin {
	case "":
		log.Fatal("set AMPLIFY_APP_ORIGIN to the application's origin, such as " +
			"https://myapp.com, or to none if Amplify JS signs users in")
	case "none": // Amplify JS signs users in, in the browser
		os.Unsetenv("AMPLIFY_APP_ORIGIN") // the default of Options.Origin
		origin = ""
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: origin})
	if err != nil {
		log.Fatal(err)
	}
	app, err := newApp(runner, origin != "")
	if err != nil {
		log.Fatal(err)
	}
	warmUp(runner)
	handler := amplifylambda.Handler(app)
	if os.Getenv("RESPONSE_STREAM") != "" { // the function URL has the invoke mode RESPONSE_STREAM
		handler = amplifylambda.StreamingHandler(app)
	}
	lambda.Start(handler)
}

// warmUp fetches the keys of the user pool while Lambda starts the function, when it has more CPU
// than later. Without them it starts, too: the first request will fetch them.
func warmUp(runner *amplifyhttp.ServerRunner) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := runner.WarmUp(ctx); err != nil {
		log.Print(err)
	}
}

// newApp returns the application, with or without routes to sign in by managed login.
func newApp(runner *amplifyhttp.ServerRunner, managedLogin bool) (http.Handler, error) {
	page, err1 := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	user, err2 := runner.RequireUser(amplifyhttp.Guard{})
	admin, err3 := runner.RequireGroup(amplifyhttp.Guard{}, "admins")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	if managedLogin {
		routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
		if err != nil {
			return nil, err
		}
		mux.Handle("/api/auth/", routes)
	}
	mux.HandleFunc("GET /{$}", greet)
	mux.Handle("GET /home", page(http.HandlerFunc(greet))) // others are sent to sign in
	mux.Handle("GET /me", user(http.HandlerFunc(me)))      // others get status 401
	mux.Handle("GET /events", user(http.HandlerFunc(events)))
	mux.Handle("POST /note", user(http.HandlerFunc(note)))
	mux.Handle("GET /admin", admin(http.HandlerFunc(onlyAdmins)))
	return runner.Protect(runner.Middleware(mux)), nil
}

var home = template.Must(template.New("home").Parse(`<!doctype html>
<title>Home</title>
{{if .}}<p>Hello, {{.}}! <a href="/api/auth/sign-out">Sign out</a></p>
{{else}}<p>Welcome! <a href="/home">Sign in</a></p>
{{end}}`))

// greet greets the user. It is for everybody.
func greet(w http.ResponseWriter, r *http.Request) {
	name := ""
	if user, err := auth.GetCurrentUser(r.Context()); err == nil {
		name = cmp.Or(user.Name, user.Email, user.Username)
	}
	_ = home.Execute(w, name)
}

// identity is what /me answers.
type identity struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

func me(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	writeJSON(w, identity{user.Username, user.UserID})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func onlyAdmins(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, "admins only")
}

// events sends Server-Sent Events. Asking for the user comes first: a refresh sets cookies, and
// the header can take none any more once it has been sent.
func events(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for n := range 3 {
		if n > 0 {
			select {
			case <-r.Context().Done(): // the client has hung up
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
		_, _ = fmt.Fprintf(w, "data: %d %s\n\n", n+1, user.Username)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
	}
}

// note keeps a note in a cookie.
func note(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "note", Value: url.QueryEscape(r.PostFormValue("note"))})
	http.Redirect(w, r, "/home", http.StatusSeeOther)
}
