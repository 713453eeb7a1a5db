package porting

import (
	"html/template"
	"log"
	"net/http"

	"github.com/amplify-go/amplify/auth"
)

var helloPage = template.Must(template.New("hello").Parse(`<p>Hello, {{.Username}}</p>`))

// hello stands below runner.Middleware.
func hello(w http.ResponseWriter, r *http.Request) {
	currentUser, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		log.Print(err) // says why
		http.Error(w, "Something went wrong...", http.StatusInternalServerError)
		return
	}
	_ = helloPage.Execute(w, currentUser)
}
