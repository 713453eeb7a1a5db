package login

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Buckets of the store for values that expire.
const (
	sessionBucket = "login-session"
	flowBucket    = "login-flow"
	codeBucket    = "authorization-code"
)

// keyOf returns the key in the store for a random key of a browser or an application.
// It needs neither salt nor a slow hash, because the random key has 256 bits.
func keyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

const sessionCookie = "sandbox_session"

// sessionLife is fixed and begins with the sign-in (Cognito
// Developer Guide, "Managed login session duration").
const sessionLife = time.Hour

// session is a login session of a browser. Further authorization
// requests, also of other clients, then need no password.
type session struct {
	Sub string
	// Provider is the provider of the user, "COGNITO" for the pool itself.
	Provider string
	AuthTime time.Time
}

// session returns the login session of the browser. It returns
// nil if there is none, or if its user was deleted or disabled.
func (h *Handler) session(r *http.Request) (*session, error) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, nil
	}
	s := &session{}
	err = h.store.View(r.Context(), func(tx *store.Tx) error {
		return tx.Get(sessionBucket, keyOf(c.Value), s, h.pool.Now())
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	user, err := h.pool.User(r.Context(), s.Sub)
	if userpool.CodeOf(err) == userpool.UserNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !user.Enabled {
		return nil, nil
	}
	return s, nil
}

// answers reports whether the session satisfies the request without a new sign-in.
func (s *session) answers(req *authRequest) bool {
	if s == nil || req.prompts("login") || req.prompts("select_account") {
		return false
	}
	// A provider in the request excludes sessions from other providers.
	// Without one, the client must offer the provider of the session.
	if req.Provider != "" {
		return s.Provider == req.Provider
	}
	return req.offers(s.Provider)
}

// begin starts a login session and returns to the application. The
// session gets a new key, so that an attacker cannot have planted it.
func (h *Handler) begin(x *exchange, user *userpool.User, provider string) error {
	now := h.pool.Now()
	s := &session{Sub: user.Sub, Provider: provider, AuthTime: now}
	key := ui.NewToken()
	err := h.store.Update(x.ctx(), func(tx *store.Tx) error {
		if err := errors.Join(dropSession(tx, x.r), dropFlow(tx, x.r)); err != nil {
			return err
		}
		return tx.Put(sessionBucket, keyOf(key), s, now.Add(sessionLife), now)
	})
	if err != nil {
		return err
	}
	ui.SetCookie(x.w, x.r, sessionCookie, key, int(sessionLife/time.Second))
	return h.grant(x, s)
}

// end ends the login session of the browser.
func (h *Handler) end(x *exchange) error {
	ui.SetCookie(x.w, x.r, sessionCookie, "", -1)
	return h.store.Update(x.ctx(), func(tx *store.Tx) error { return dropSession(tx, x.r) })
}

func dropSession(tx *store.Tx, r *http.Request) error {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	return tx.Drop(sessionBucket, keyOf(c.Value))
}
