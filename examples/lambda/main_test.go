package main

import (
	"net/http"
	"testing"

	"github.com/amplify-go/amplify/amplifylambda"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

// TestApplication: behind each integration the application is what it is on net/http, but that its
// events arrive together.
func TestApplication(t *testing.T) {
	for name, i := range integrations {
		t.Run(name, func(t *testing.T) {
			frameworktest.RunBuffered(t, serve(func(t testing.TB, app http.Handler) http.Handler {
				return i.serve(t, amplifylambda.Handler(app))
			}))
		})
	}
}

// TestStreamingApplication: where the integration streams, nothing differs.
func TestStreamingApplication(t *testing.T) {
	frameworktest.Run(t, serve(func(t testing.TB, app http.Handler) http.Handler {
		return integrations["function URL"].stream(t, amplifylambda.StreamingHandler(app))
	}))
}
