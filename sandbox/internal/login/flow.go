package login

import (
	"errors"
	"net/http"
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
	// ClientID and Page say which client's page it is left for. For others it
	// does not count.
	ClientID, Page string
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

// tell puts what the page before had to say into v.
func (f flow) tell(l *locale, v *view) {
	if f.Notice != "" {
		v.Notice = l.say(f.Notice)
	}
	if f.Error != "" {
		v.Error = l.say(f.Error)
	}
}

// leave keeps f for a page, and goes there.
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

// flow returns what was left for this page, or the zero flow.
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
