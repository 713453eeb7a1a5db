package login

import (
	"errors"
	"net/http"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
)

const flowCookie = "sandbox_flow"

// flowLife is the time that a user has to go from one page to the next.
const flowLife = 15 * time.Minute

// flow is a sign-in in progress: what one page passes to the
// next one. It is in the store. The browser has only its key.
type flow struct {
	// ClientID and Page are the app client and the page that it is for. Others ignore it.
	ClientID, Page string
	// Username is the name of the user, as typed.
	Username string
	// Sub is set once the browser has sent this user's
	// password. Confirming the account then signs the user in.
	Sub string
	// Destination is the address that the code was sent to, mostly hidden.
	Destination string
	// Challenge is a session of [userpool.Pool.NewPasswordSession].
	Challenge string
	// Notice and Error are keys of texts for the next page.
	Notice, Error string
}

// tell sets the notice and the error of v.
func (f flow) tell(l *locale, v *view) {
	if f.Notice != "" {
		v.Notice = l.say(f.Notice)
	}
	if f.Error != "" {
		v.Error = l.say(f.Error)
	}
}

// leave stores f for a page, and redirects to that page.
func (h *Handler) leave(x *exchange, page string, f flow) error {
	f.ClientID, f.Page = x.Client.ID, page
	key := ui.NewToken()
	now := h.pool.Now()
	err := h.store.Update(x.ctx(), func(tx *store.Tx) error {
		if err := dropFlow(tx, x.r); err != nil {
			return err
		}
		return tx.Put(flowBucket, keyOf(key), f, now.Add(flowLife), now)
	})
	if err != nil {
		return err
	}
	ui.SetCookie(x.w, x.r, flowCookie, key, int(flowLife/time.Second))
	x.redirect(x.link(page))
	return nil
}

func dropFlow(tx *store.Tx, r *http.Request) error {
	c, err := r.Cookie(flowCookie)
	if err != nil {
		return nil
	}
	return tx.Drop(flowBucket, keyOf(c.Value))
}

// flow returns the flow that was stored for this page, or the zero flow.
func (h *Handler) flow(x *exchange, page string) (flow, error) {
	var f flow
	c, err := x.r.Cookie(flowCookie)
	if err != nil {
		return flow{}, nil
	}
	err = h.store.View(x.ctx(), func(tx *store.Tx) error {
		return tx.Get(flowBucket, keyOf(c.Value), &f, h.pool.Now())
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && (f.ClientID != x.Client.ID || f.Page != page) {
		return flow{}, nil
	}
	return f, err
}
