package login

import (
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// signInPage is what the sign-in page shows beside its fields.
type signInPage struct {
	// Own is whether users of the pool itself may sign in.
	Own       bool
	Providers []provider
}

func (h *Handler) signInView(x *exchange, username string) view {
	password := field{Name: "password", Label: x.loc.first("field.password"), Type: "password", Autocomplete: "current-password"}
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
	f, err := h.flow(x)
	if err != nil {
		return err
	}
	v := h.signInView(x, x.LoginHint)
	if f.Notice != "" {
		v.Notice = x.loc.first(f.Notice)
	}
	if f.Error != "" {
		v.Error = x.loc.first(f.Error)
	}
	h.show(x, http.StatusOK, "signin", v)
	return nil
}

func (h *Handler) signIn(x *exchange) error {
	if err := h.requireOwn(x); err != nil {
		return err
	}
	username := strings.TrimSpace(x.r.PostForm.Get("username"))
	v := h.signInView(x, username)
	if key := fault(x, v.Fields); key != "" {
		v.Error = x.loc.first(key)
		return h.refuseWith(x, "signin", v)
	}
	user, err := h.Pool.VerifyPassword(x.ctx(), x.Client.ID, username, x.r.PostForm.Get("password"))
	switch userpool.CodeOf(err) {
	case "":
		if err != nil {
			return err
		}
		return h.begin(x, user, providerCognito)
	case userpool.UserNotConfirmed:
		// The pool says so only after the right password: confirming will sign in.
		user, err := h.Pool.UserByName(x.ctx(), username)
		if err != nil {
			return err
		}
		return h.leave(x, "/confirm", flow{Username: username, Sub: user.Sub, Error: "error." + userpool.UserNotConfirmed})
	case userpool.PasswordResetRequired:
		d, err := h.Pool.ForgotPassword(x.ctx(), x.Client.ID, username)
		if err != nil {
			return h.refuse(x, "signin", err, v)
		}
		return h.leave(x, "/confirmForgotPassword", flow{Username: username, Destination: destination(d), Error: "error." + userpool.PasswordResetRequired})
	case userpool.NewPasswordRequired:
		challenge, err := h.Pool.NewPasswordSession(x.ctx(), x.Client.ID, user)
		if err != nil {
			return err
		}
		return h.leave(x, "/newPassword", flow{Username: username, Sub: user.Sub, Challenge: challenge})
	}
	return h.refuse(x, "signin", err, v)
}

// requireOwn refuses forms for users of the pool itself where the client only
// lets others in: that their page is not offered does not keep anybody from
// submitting it.
func (h *Handler) requireOwn(x *exchange) error {
	if !x.offers(providerCognito) {
		return x.fail("unauthorized_client", "The client does not offer the identity provider COGNITO.")
	}
	return nil
}

// destination is where a code was sent, or empty.
func destination(d *userpool.Delivery) string {
	if d == nil {
		return ""
	}
	return d.Destination
}
