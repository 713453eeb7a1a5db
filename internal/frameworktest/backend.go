package frameworktest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/amplifytest"
)

// Backend lets another process use a pool: it serves the pool's user pool on a loopback listener,
// and returns the file of outputs that leads there. onCall sees each request and may hold it.
func Backend(t testing.TB, pool *amplifytest.Pool, onCall func(*http.Request)) (outputs string) {
	t.Helper()
	o := pool.Options().App
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		onCall(r)
		out := r.Clone(r.Context())
		out.RequestURI, out.Host = "", ""
		out.URL.Scheme, out.URL.Host, _ = strings.Cut(o.Endpoints.UserPool, "://")
		answer, err := o.HTTPClient.Transport.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)

	auth := pool.Config().Auth
	text, err := json.Marshal(map[string]any{
		"version": "1.4",
		"auth": map[string]any{
			"aws_region":          auth.UserPoolID[:strings.IndexByte(auth.UserPoolID, '_')],
			"user_pool_id":        auth.UserPoolID,
			"user_pool_client_id": auth.UserPoolClientID,
			"oauth": map[string]any{
				"identity_providers":    []string{},
				"domain":                auth.OAuth.Domain,
				"scopes":                auth.OAuth.Scopes,
				"redirect_sign_in_uri":  auth.OAuth.RedirectSignIn,
				"redirect_sign_out_uri": auth.OAuth.RedirectSignOut,
				"response_type":         "code",
			},
		},
		"custom": map[string]any{"amplify_go": map[string]any{"endpoints": map[string]string{
			"user_pool": server.URL, "user_pool_keys": server.URL,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	outputs = filepath.Join(t.TempDir(), "amplify_outputs.json")
	if err := os.WriteFile(outputs, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return outputs
}
