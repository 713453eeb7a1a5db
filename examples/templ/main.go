// Command templ is a small application whose pages are templ components: who signs in is greeted.
// home_templ.go is generated from home.templ:
//
//	go generate ./examples/templ
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.1100 generate

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

// greet greets the user. It is for everybody.
func greet(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = home(name(r.Context())).Render(r.Context(), w)
}

// name returns the best name of the user that there is, or "" if nobody is signed in.
func name(ctx context.Context) string {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return ""
	}
	return cmp.Or(user.Name, user.Email, user.Username)
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
