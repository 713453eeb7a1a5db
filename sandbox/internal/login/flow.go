package login

import (
	"errors"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
)

const flowCookie = "sandbox_flow"

// flowLife is how long one may take from one page to the next.
const flowLife = 15 * time.Minute

// A flow is a sign-in in progress: what one page leaves for the next one, kept
// here and not in the browser, which has the key alone.
type flow struct {
	// ClientID is the client for which the flow was begun. For another one it
	// does not count.
	ClientID string
	// Username is whom the next page is about, as typed.
	Username string
	// Sub is set once the browser has given this user's password: confirming the
	// account signs the user in.
	Sub string
	// Destination is where the code went, with most of the address hidden.
	Destination string
	// Challenge is a session of [userpool.Pool.NewPasswordSession].
	Challenge string
	// Notice and Error are keys of texts that the next page shows.
	Notice, Error string
}

// leave keeps f for the next page and goes there.
func (h *Handler) leave(x *exchange, path string, f flow) error {
	f.ClientID = x.Client.ID
	key := ui.NewToken()
	now := h.Pool.Now()
	err := h.Store.Update(x.ctx(), func(tx *store.Tx) error {
		if c, err := x.r.Cookie(flowCookie); err == nil {
			if err := tx.Drop(flowBucket, keyOf(c.Value)); err != nil {
				return err
			}
		}
		return tx.Put(flowBucket, keyOf(key), f, now.Add(flowLife), now)
	})
	if err != nil {
		return err
	}
	ui.SetCookie(x.w, x.r, flowCookie, key, int(flowLife/time.Second))
	x.redirect(x.link(path))
	return nil
}

// flow returns what the page before left. Without any it is the zero flow.
func (h *Handler) flow(x *exchange) (flow, error) {
	var f flow
	c, err := x.r.Cookie(flowCookie)
	if err != nil {
		return flow{}, nil
	}
	err = h.Store.View(x.ctx(), func(tx *store.Tx) error {
		return tx.Get(flowBucket, keyOf(c.Value), &f, h.Pool.Now())
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && f.ClientID != x.Client.ID {
		return flow{}, nil
	}
	return f, err
}
