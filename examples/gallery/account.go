package main

import (
	"net/http"

	"github.com/amplify-go/amplify/auth"
)

// account is a protected page: its route lets nobody in who is not signed in.
func account(r *http.Request) (any, error) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		return nil, err
	}
	return struct{ User *auth.User }{user}, nil
}
