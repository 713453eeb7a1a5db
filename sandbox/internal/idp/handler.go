package idp

import (
	"net/http"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Handler serves one user pool. It is safe for concurrent use.
type Handler struct {
	pool   *userpool.Pool
	domain string
}

// New returns a Handler. Domain is the host of managed login, or "".
func New(pool *userpool.Pool, domain string) *Handler { return &Handler{pool, domain} }

// Register adds the routes of the key set and the OpenID configuration to mux.
func (h *Handler) Register(mux *http.ServeMux) {
	wellKnown := "GET /" + h.pool.Config().ID + "/.well-known/"
	mux.HandleFunc(wellKnown+"jwks.json", h.jwks)
	mux.HandleFunc(wellKnown+"openid-configuration", h.openIDConfiguration)
}
