package idp

import (
	"net/http"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

func (h *Handler) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	awsjson.AllowOrigin(w.Header())
	_, _ = w.Write(h.pool.JWKS())
}

// openIDConfiguration serves OpenID Connect Discovery §3
// with Cognito's content. The addresses are those of AWS.
func (h *Handler) openIDConfiguration(w http.ResponseWriter, _ *http.Request) {
	issuer := h.pool.Issuer()
	c := map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/.well-known/jwks.json",
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code", "token"},
		"scopes_supported":                      []string{"openid", "email", "phone", "profile"},
		"subject_types_supported":               []string{"public"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	}
	if h.domain != "" {
		login := "https://" + h.domain
		c["authorization_endpoint"] = login + "/oauth2/authorize"
		c["end_session_endpoint"] = login + "/logout"
		c["revocation_endpoint"] = login + "/oauth2/revoke"
		c["token_endpoint"] = login + "/oauth2/token"
		c["userinfo_endpoint"] = login + "/oauth2/userInfo"
	}
	w.Header().Set("Content-Type", "application/json")
	awsjson.AllowOrigin(w.Header())
	awsjson.Write(w, http.StatusOK, c)
}
