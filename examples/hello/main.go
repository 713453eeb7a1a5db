// Command hello greets whoever has signed in. It is the program of the README.
package main

import (
	"cmp"
	"html/template"
	"log"
	"net/http"
	"os"

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
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{
		Origin: cmp.Or(os.Getenv("AMPLIFY_APP_ORIGIN"), "http://"+addr), // where browsers find it
	})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := newHandler(runner)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://" + addr)
	log.Fatal(http.ListenAndServe(addr, handler))
}

func newHandler(runner *amplifyhttp.ServerRunner) (http.Handler, error) {
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{RedirectOnSignInComplete: "/home"})
	if err != nil {
		return nil, err
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes) // sign-in, sign-up, sign-out and their callbacks
	mux.HandleFunc("GET /{$}", welcome)
	mux.Handle("GET /home", signedIn(http.HandlerFunc(home))) // others are sent to sign in
	return runner.Protect(runner.Middleware(mux)), nil
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<title>Hello</title>
{{if .}}<p>Hello, {{.}}! <a href="/api/auth/sign-out">Sign out</a></p>
{{else}}<p>Welcome! <a href="/home">Sign in</a></p>
{{end}}`))

func welcome(w http.ResponseWriter, _ *http.Request) {
	_ = page.Execute(w, "")
}

func home(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	_ = page.Execute(w, cmp.Or(user.Name, user.Email, user.Username))
}
