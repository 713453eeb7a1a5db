// Command chi is a small application on chi: who signs in is greeted.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

func main() {
	cfg, err := amplify.LoadConfig(cmp.Or(os.Getenv("AMPLIFY_OUTPUTS"), "amplify_outputs.json"))
	if err != nil {
		log.Fatal(err)
	}
	addr := "localhost:" + cmp.Or(os.Getenv("PORT"), "3000")
	origin := cmp.Or(os.Getenv("AMPLIFY_APP_ORIGIN"), "http://"+addr) // where browsers find it
	managedLogin := origin != "none"
	if !managedLogin { // Amplify JS signs users in, in the browser
		os.Unsetenv("AMPLIFY_APP_ORIGIN") // the default of Options.Origin
		origin = ""
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: origin})
	if err != nil {
		log.Fatal(err)
	}
	app, err := newApp(runner, managedLogin)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://" + addr)
	log.Fatal(http.ListenAndServe(addr, app))
}

// newApp returns the application, with or without routes to sign in by managed login.
func newApp(runner *amplifyhttp.ServerRunner, managedLogin bool) (http.Handler, error) {
	page, err1 := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	user, err2 := runner.RequireUser(amplifyhttp.Guard{})
	admin, err3 := runner.RequireGroup(amplifyhttp.Guard{}, "admins")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	r.Use(middleware.GetHead) // HEAD is answered as GET
	r.Use(runner.Protect, runner.Middleware)
	if managedLogin {
		routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
		if err != nil {
			return nil, err
		}
		r.Handle("/api/auth/*", routes)
	}
	r.Get("/", greet)
	r.With(page).Get("/home", greet) // others are sent to sign in
	r.Group(func(r chi.Router) {
		r.Use(user) // others get status 401
		r.Get("/me", me)
		r.Get("/events", events)
		r.Post("/note", note)
	})
	r.With(admin).Get("/admin", onlyAdmins)
	return r, nil
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
