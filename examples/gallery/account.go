package main

import (
	"net/http"

	"github.com/amplify-go/amplify/auth"
)

// account is a protected page: its route lets signed-in users in only.
func account(r *http.Request) (any, error) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		return nil, err
	}
	return struct{ User *auth.User }{user}, nil
}
