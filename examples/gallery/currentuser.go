package main

import (
	"encoding/json"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

// getCurrentUser answers GET /apis/get-current-user with {"user": …}, for programs.
func getCurrentUser(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		p := problemOf(err, r.URL.Path)
		writeJSON(w, p.Status, map[string]any{"error": p.Title, "reason": amplify.ReasonOf(err)})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"user": user})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
