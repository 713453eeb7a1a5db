package sandbox

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// BenchmarkAPI measures the operations that load tests lean on, client included.
func BenchmarkAPI(b *testing.B) {
	s, err := Start(b.Context(), Config{
		Logger:  slog.New(slog.DiscardHandler),
		Clients: []Client{{AuthFlows: []string{userpool.AllowPassword}}},
		Users:   []User{{Email: "a@example.com", Password: "Right-1-password"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close(b.Context()) })
	clientID := s.pool.Config().Clients[0].ID
	u, err := s.pool.UserByName(b.Context(), "a@example.com")
	if err != nil {
		b.Fatal(err)
	}
	tokens, err := s.pool.IssueTokens(b.Context(), userpool.Grant{ClientID: clientID, Sub: u.Sub})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ operation, body string }{
		{"InitiateAuth", `{"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "` + clientID + `", "AuthParameters": {"USERNAME": "a@example.com", "PASSWORD": "Right-1-password"}}`},
		{"GetTokensFromRefreshToken", `{"ClientId": "` + clientID + `", "RefreshToken": "` + tokens.RefreshToken + `"}`},
		{"GetUser", `{"AccessToken": "` + tokens.AccessToken + `"}`},
	} {
		b.Run(c.operation, func(b *testing.B) {
			for b.Loop() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.URL(), strings.NewReader(c.body))
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+c.operation)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, err = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK {
					b.Fatal(res.StatusCode, err)
				}
			}
		})
	}
}
