package amplify_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
)

// TestClientDoesNotFollow checks that a request, which may hold tokens, is not repeated at an
// address that an answer names.
func TestClientDoesNotFollow(t *testing.T) {
	follows := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	for name, client := range map[string]*http.Client{"own": nil, "of the options": follows} {
		t.Run(name, func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				t.Error("followed")
			}))
			defer elsewhere.Close()
			redirect := http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect)
			service := httptest.NewServer(redirect)
			defer service.Close()
			app, err := amplify.New(amplify.Config{}, amplify.Options{HTTPClient: client})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := app.HTTPClient().Post(service.URL, "text/plain", strings.NewReader("secret"))
			if err != nil {
				t.Fatal(err)
			}
			if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusTemporaryRedirect {
				t.Errorf("got %s, %v", answer.Status, err)
			}
		})
	}
}
