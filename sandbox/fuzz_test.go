package sandbox

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzAPI: no body makes an operation fail as if it were our fault.
func FuzzAPI(f *testing.F) {
	s, err := Start(f.Context(), Config{
		Logger: slog.New(slog.DiscardHandler), Users: []User{{Email: "a@example.com", Password: "Right-1-password"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close(f.Context()) })
	clientID, pool := s.pool.Config().Clients[0].ID, s.pool.Config().ID
	operations := s.faults.Operations()
	for i := range operations {
		f.Add(uint8(i), `{"ClientId": "`+clientID+`", "UserPoolId": "`+pool+`", "Username": "a@example.com", "Password": "Right-1-password", "AccessToken": "a.b.c"}`)
	}
	for _, body := range []string{
		"", "null", "[]", `{"AuthParameters": null}`, `{"UserAttributes": [null, {}]}`, `{"Limit": -1}`, `{"Precedence": 1e99}`,
		`{"ClientId": "` + clientID + `", "AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "a@example.com", "SRP_A": "2"}}`,
		`{"ClientId": "` + clientID + `", "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": {"USERNAME": "\u0000", "TIMESTAMP": "x"}}`,
		`{"ClientId": "` + clientID + `", "Username": "b@example.com", "Password": "Right-1-password", "UserAttributes": [{"Name": "custom:\ud800", "Value": "\u0000"}]}`,
		`{"UserPoolId": "` + pool + `", "Filter": "email ^= \"a\"", "Limit": 1, "PaginationToken": "9"}`,
	} {
		f.Add(uint8(0), body)
	}
	handler := s.servers[0].Handler
	f.Fuzz(func(t *testing.T, operation uint8, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operations[int(operation)%len(operations)])
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 any")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzOutputs: no outputs file makes the reader panic, and what it accepts it can write.
func FuzzOutputs(f *testing.F) {
	for _, text := range []string{"", "null", "{}", `{"auth": null}`, `{"auth": {"groups": [null, {"a": null}]}}`,
		`{"version": "1", "auth": {"user_pool_id": "a_b", "aws_region": "a", "user_pool_client_id": "c", "oauth": {"domain": "d"}}, "custom": {"amplify_go": 1}}`,
		`{"version": "1", "auth": {"user_pool_id": "a_b", "aws_region": "a", "user_pool_client_id": "c", "oauth": null}, "custom": null}`,
		`{"aws_project_region": "a", "aws_user_pools_id": "a_b", "aws_user_pools_web_client_id": "c", "oauth": {"domain": "d"}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		log := slog.New(slog.DiscardHandler)
		o, err := readOutputs([]byte(text), log)
		if err != nil {
			return
		}
		_ = o.addOrigins([]string{"http://localhost:3000"}, log)
		_ = o.poolConfig(Config{})
		written, err := o.marshal("http://127.0.0.1:1", false)
		if err != nil {
			return
		}
		if _, err := parseOutputs(written); err != nil {
			t.Errorf("%s became %s, which cannot be read: %v", text, written, err)
		}
	})
}
