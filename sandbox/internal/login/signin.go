package login

import (
	"cmp"
	"net/http"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// signInPage is the data of the sign-in page beside its fields.
type signInPage struct {
	// Own is whether users of the pool itself may sign in.
	Own       bool
	Providers []provider
}

func (h *Handler) signInView(x *exchange, username string) view {
	password := field{Name: "password", Label: x.loc.say("field.password"), Type: "password", Autocomplete: "current-password"}
	return view{
		Fields: []field{h.nameField(x, username), password},
		Data:   signInPage{Own: x.offers(providerCognito), Providers: providers(x.Client)},
	}
}

func (h *Handler) showSignIn(x *exchange) error {
	s, err := h.session(x.r)
	if err != nil {
		return err
	}
	if s.answers(x.authRequest) {
		return h.grant(x, s)
	}
	f, err := h.flow(x, "/login")
	if err != nil {
		return err
	}
	v := h.signInView(x, cmp.Or(f.Username, x.LoginHint))
	f.tell(x.loc, &v)
	h.show(x, http.StatusOK, "signin", v)
	return nil
}

func (h *Handler) signIn(x *exchange) error {
	username := x.typed("username")
	v := h.signInView(x, username)
	if h.incomplete(x, "signin", v) {
		return nil
	}
	user, err := h.pool.VerifyPassword(x.ctx(), x.Client.ID, username, x.r.PostForm.Get("password"))
	switch userpool.CodeOf(err) {
	case "":
		if err != nil {
			return err
		}
		return h.begin(x, user, providerCognito)
	case userpool.UserNotConfirmed:
		// The pool reports this only after the right password,
		// so confirming the account signs the user in.
		user, err := h.pool.UserByName(x.ctx(), username)
		if err != nil {
			return err
		}
		return h.leave(x, "/confirm", flow{Username: username, Sub: user.Sub, Error: "error." + userpool.UserNotConfirmed})
	case userpool.PasswordResetRequired:
		d, err := h.pool.ForgotPassword(x.ctx(), x.Client.ID, username)
		if err != nil {
			return h.refuse(x, "signin", err, v)
		}
		return h.leave(x, "/confirmForgotPassword", flow{Username: username, Destination: destination(d), Error: "error." + userpool.PasswordResetRequired})
	case userpool.NewPasswordRequired:
		challenge, err := h.pool.NewPasswordSession(x.ctx(), x.Client.ID, user)
		if err != nil {
			return err
		}
		return h.leave(x, "/newPassword", flow{Username: username, Sub: user.Sub, Challenge: challenge})
	}
	return h.refuse(x, "signin", err, v)
}

// destination returns the address that a code was sent to, or "".
func destination(d *userpool.Delivery) string {
	if d == nil {
		return ""
	}
	return d.Destination
}
