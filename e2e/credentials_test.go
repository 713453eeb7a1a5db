package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// 10,000 requests for AWS credentials, by 100 users and then by guests, cost the identity pool one
// call of each kind per user, and one for all guests together.
func TestCredentialsAreAskedForOnce(t *testing.T) {
	const users, requests, clients = 100, 10_000, 100
	backend := startBackend(t, sandbox.Config{})
	var cookies []string
	pool := newPoolClient(t, backend.Outputs())
	client := backend.outputs(t).Auth.ClientID
	for i := range users {
		email := fmt.Sprintf("user%d@example.com", i)
		backend.addUser(t, sandbox.User{Email: email})
		tokens, err := pool.signIn(t.Context(), email, password)
		if err != nil {
			t.Fatal(err)
		}
		prefix := "CognitoIdentityServiceProvider." + client + "."
		cookies = append(cookies, fmt.Sprintf("%sLastAuthUser=username; %susername.accessToken=%s; %susername.idToken=%s",
			prefix, prefix, *tokens.AccessToken, prefix, *tokens.IdToken))
	}
	cfg, err := amplify.ParseConfig(backend.Outputs())
	if err != nil {
		t.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close(t.Context())
	handler := runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{})
		if err != nil || s.Credentials == nil {
			http.Error(w, fmt.Sprint(err), http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode([]string{s.UserSub, s.IdentityID})
	}))
	if _, err := backend.Faults().Add(faults.Fault{Latency: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		cookies    []string
		identities int
	}{{"users", cookies, users}, {"guests", []string{""}, 1}} {
		t.Run(c.name, func(t *testing.T) {
			backend.ResetCalls()
			var mu sync.Mutex
			identities := map[string]string{} // by sub
			var all sync.WaitGroup
			for n := range clients {
				all.Go(func() {
					for i := n; i < requests; i += clients {
						r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/session", nil)
						r.Header.Set("Cookie", c.cookies[i%len(c.cookies)])
						w := httptest.NewRecorder()
						handler.ServeHTTP(w, r)
						var got []string
						if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != 2 {
							t.Errorf("status %d: %s", w.Code, w.Body)
							return
						}
						mu.Lock()
						if known, ok := identities[got[0]]; ok && known != got[1] {
							t.Errorf("%s is %s and %s", got[0], known, got[1])
						}
						identities[got[0]] = got[1]
						mu.Unlock()
					}
				})
			}
			all.Wait()
			calls := backend.Calls()
			if len(identities) != c.identities || calls["GetId"] > c.identities || calls["GetCredentialsForIdentity"] > c.identities {
				t.Errorf("%d identities, %v", len(identities), calls)
			}
		})
	}
}
