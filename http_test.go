package amplify_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestClientDoesNotFollow: what is sent to a service, tokens among it, does not travel to where an answer points.
func TestClientDoesNotFollow(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	service := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer service.Close()
	answer, err := newApp(t).HTTPClient().Post(service.URL, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("got %s, %v", answer.Status, err)
	}
}
