package porting

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

// currentUser serves "GET /apis/get-current-user", below runner.Middleware.
func currentUser(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	switch {
	case errors.Is(err, amplify.ErrUnauthenticated):
		http.Error(w, "not signed in", http.StatusUnauthorized)
	case err != nil:
		http.Error(w, "try again", http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"user": user})
	}
}
