package data_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// Comment is what a page shows of a comment.
type Comment struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// A struct that does not fit the model is an error where the model is made, with all that is wrong.
func ExampleModelOf_wrong() {
	app, err := amplify.New(amplify.Config{Data: &amplify.DataConfig{ModelIntrospection: json.RawMessage(`{
		"models": {"Note": {"fields": {
			"id": {"type": "ID", "isRequired": true}, "title": {"type": "String"}, "stars": {"type": "Int"}
		}}}}`)}}, amplify.Options{})
	if err != nil {
		log.Fatal(err)
	}
	type Note struct {
		ID    string
		Titel string
		Stars string
	}
	_, err = data.ModelOf[Note](app, "Note")
	for _, fault := range amplify.ConfigErrors(err) {
		fmt.Println(fault)
	}
	// Output:
	// data_test.Note.Titel "Titel": the Note has no such field. It has: id, title, stars. A field that is not to be read has the tag `json:"-"`
	// data_test.Note.Stars: Int does not fit a string
}

// All notes of an author, by an index. What the index does not have to read costs nothing.
func ExampleModel_ListAll() {
	runner := newRunner()
	notes, err := data.ModelOf[Note](runner.App(), "Note")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/archive/{author}", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := data.ListInput{
			Index: "notesByAuthor", SortDirection: data.Descending,
			Key: data.Key{"author": r.PathValue("author"), "createdAt": data.BeginsWith("2024-")},
		}
		for note, err := range notes.ListAll(r.Context(), in) {
			if err != nil {
				log.Print(err)
				return
			}
			fmt.Fprintln(w, note.Title)
		}
	})))
}

// The comments of a note, in pages that the browser asks for.
func ExampleRelationOf() {
	runner := newRunner()
	notes, err := data.ModelOf[Note](runner.App(), "Note")
	if err != nil {
		log.Fatal(err)
	}
	comments, err := data.RelationOf[Comment](notes, "comments")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/notes/{id}/comments", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, err := comments.List(r.Context(), data.RelationInput{
			Of: data.ID(r.PathValue("id")), Limit: 20, NextToken: r.FormValue("after"),
		})
		switch {
		case errors.Is(err, data.ErrNotFound):
			http.NotFound(w, r)
		case err != nil:
			log.Print(err)
			http.Error(w, "no comments at the moment", http.StatusServiceUnavailable)
		default:
			_ = json.NewEncoder(w).Encode(page)
		}
	})))
}

// A custom query.
func ExampleOperationOf() {
	runner := newRunner()
	count, err := data.OperationOf[int](runner.App(), "countNotes")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/count", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := count.Call(r.Context(), data.CallInput{
			Arguments: map[string]any{"author": r.FormValue("author")},
		})
		if err != nil || n == nil {
			log.Print(err)
			return
		}
		fmt.Fprintln(w, *n)
	})))
}

// A page for users and guests alike: each of them by the auth mode that the rules of the model have.
func ExampleModel_ChooseAuthMode() {
	runner := newRunner()
	notes, err := data.ModelOf[Note](runner.App(), "Note")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/latest", runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		choice, err := notes.ChooseAuthMode(r.Context(), data.ActionList)
		if err != nil {
			log.Print(err) // says what each rule wants
			http.Error(w, "sign in to see notes", http.StatusForbidden)
			return
		}
		page, err := notes.With(data.Options{AuthMode: choice.AuthMode}).List(r.Context(), data.ListInput{})
		if err != nil {
			log.Print(choice.Why, ", but: ", err)
			return
		}
		fmt.Fprintln(w, len(page.Items), "notes")
	})))
}
