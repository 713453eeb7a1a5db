package idp

import (
	"net/http"
)

// ofPool answers only for the pool's own id.
func (h *Handler) ofPool(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		allowOrigin(w.Header())
		if r.PathValue("pool") != h.pool.Config().ID {
			fail(w, http.StatusNotFound, "ResourceNotFoundException", "User pool "+clip(r.PathValue("pool"))+" does not exist.")
			return
		}
		next(w, r)
	}
}

func (h *Handler) jwks(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write(h.pool.JWKS())
}

// openIDConfiguration is OpenID Connect Discovery §3 with what Cognito says there: the addresses are AWS's.
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
	write(w, http.StatusOK, c)
}
