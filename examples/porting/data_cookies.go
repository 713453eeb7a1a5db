package porting

import (
	"encoding/json"
	"log"
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/data"
)

// Todo says which fields are read.
type Todo struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

func handleTodos(mux *http.ServeMux, runner *amplifyhttp.ServerRunner) error {
	todos, err := data.ModelOf[Todo](runner.App(), "Todo") // once
	if err != nil {
		return err
	}
	list := func(w http.ResponseWriter, r *http.Request) {
		page, err := todos.List(r.Context(), data.ListInput{})
		if err != nil {
			log.Print(err)
			http.Error(w, "no todos at the moment", http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(page.Items)
	}
	mux.Handle("GET /todos", runner.Middleware(http.HandlerFunc(list)))
	return nil
}
