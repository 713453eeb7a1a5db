package porting

import (
	"fmt"
	"log"
	"net/http"

	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/storage"
)

// album makes a link for each of the user's photos. The session is verified once, and AWS
// credentials are asked for once, however often the APIs are called.
func album(w http.ResponseWriter, r *http.Request) {
	if _, err := auth.GetCurrentUser(r.Context()); err != nil {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	for n := range 100 {
		link, err := storage.GetURL(r.Context(), storage.GetURLInput{
			Path: storage.PathFunc(func(identityID string) string {
				return fmt.Sprintf("album/%s/%d.jpg", identityID, n)
			}),
		})
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Fprintln(w, link.URL)
	}
}
