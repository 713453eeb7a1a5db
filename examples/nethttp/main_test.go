package main

import (
	"net/http"
	"testing"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, frameworktest.Handler(newApp)) }

func BenchmarkMe(b *testing.B) {
	frameworktest.Benchmark(b, frameworktest.Handler(newApp), frameworktest.Handler(newBare))
}

// newBare returns an application with nothing but /me, which answers without the library.
func newBare(*amplifyhttp.ServerRunner, bool) (http.Handler, error) {
	somebody := identity{"alice", "6f8b1c2a-1111-4222-8333-000000000000"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /me",
		func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, somebody) })
	return mux, nil
}
