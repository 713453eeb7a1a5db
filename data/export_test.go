package data

import "github.com/amplify-go/amplify"

// The limits, for tests.
const (
	MaxAnswer      = maxAnswer
	AttemptTimeout = attemptTimeout
	MaxDocuments   = maxDocuments
	MaxErrors      = maxErrors
)

// HashOf returns the hash of a body, as signatures have it.
func HashOf(body []byte) string { return hashOf(body) }

// Documents returns how many documents app remembers.
func Documents(app *amplify.App) int {
	s, err := serviceOf(app)
	if err != nil {
		panic(err)
	}
	s.documents.mu.RLock()
	defer s.documents.mu.RUnlock()
	return len(s.documents.known)
}
