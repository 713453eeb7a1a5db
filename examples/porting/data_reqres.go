package porting

import (
	"context"
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/data"
)

func todosOf(runner *amplifyhttp.ServerRunner, todos data.Model[Todo],
	w http.ResponseWriter, r *http.Request) (*data.Page[Todo], error) {
	return amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadWrite(w, r),
		func(ctx context.Context) (*data.Page[Todo], error) {
			return todos.List(ctx, data.ListInput{})
		})
}
