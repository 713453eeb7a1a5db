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

// Buckets of the store in which things that expire are kept.
const (
	sessionBucket = "login-session"
	flowBucket    = "login-flow"
	codeBucket    = "authorization-code"
)

// keyOf is what stands in the store for a random key of the browser or the
// application. It needs no salt and no slow hash: the key has 256 random bits.
func keyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

const sessionCookie = "sandbox_session"

// sessionLife is fixed, and counts from the sign-in (Cognito Developer Guide,
// "Managed login session duration").
const sessionLife = time.Hour

// A session is that a browser has signed in: a second authorization request need
// not ask again, whichever client it comes from.
type session struct {
	Sub string
	// Provider is where the user came from, "COGNITO" for the pool itself.
	Provider string
	AuthTime time.Time
}

// session returns the login session of the browser, or nil if it has none or its
// user is gone or disabled.
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

// answers reports whether the session is enough for the request, so that nobody
// need be asked.
func (s *session) answers(req *authRequest) bool {
	if s == nil || req.prompts("login") || req.prompts("select_account") {
		return false
	}
	// A provider in the request selects it: a session that came from another one
	// does not count. Without one, the client must offer where the user came from.
	if req.Provider != "" {
		return s.Provider == req.Provider
	}
	return req.offers(s.Provider)
}

// begin starts a login session and goes on to the application. The session has
// a new key each time, so that nobody can have planted it.
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
