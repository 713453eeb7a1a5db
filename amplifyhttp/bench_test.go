package amplifyhttp

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/amplify-go/amplify/auth"
)

// discard is a ResponseWriter that keeps nothing, so that only handlers are measured.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// me answers as examples/contract does.
func me(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	writeUser(w, user.Username, user.UserID)
}

func writeUser(w http.ResponseWriter, username, id string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"username": username, "userId": id})
}

// BenchmarkMe compares a handler that asks who sent the request, in a warm session and with its
// middleware, with one that merely writes the same.
func BenchmarkMe(b *testing.B) {
	f := newFixture(b, nil, nil)
	cookies := f.backend.Session("alice", time.Hour, nil) + "; theme=dark; _ga=GA1.1.1234567890.1234567890"
	for name, h := range map[string]http.Handler{
		"bare":    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeUser(w, "alice", "sub-of-alice") }),
		"unused":  f.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeUser(w, "alice", "sub-of-alice") })),
		"me":      f.Middleware(http.HandlerFunc(me)),
		"guarded": f.Middleware(must(f.RequireUser(Guard{SignIn: "/sign-in"}))(http.HandlerFunc(me))),
	} {
		b.Run(name, func(b *testing.B) {
			r := request("/me", cookies)
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
