package login

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

func (h *Handler) showForgot(x *exchange) error {
	h.show(x, http.StatusOK, "forgot", view{Fields: []field{h.nameField(x, x.LoginHint)}})
	return nil
}

func (h *Handler) forgot(x *exchange) error {
	username := x.typed("username")
	v := view{Fields: []field{h.nameField(x, username)}}
	if h.incomplete(x, "forgot", v) {
		return nil
	}
	d, err := h.pool.ForgotPassword(x.ctx(), x.Client.ID, username)
	if err != nil {
		return h.refuse(x, "forgot", err, v)
	}
	return h.leave(x, "/confirmForgotPassword", flow{Username: username, Destination: destination(d)})
}

func (h *Handler) resetView(x *exchange, f flow) view {
	v := h.confirmView(x, f)
	v.Fields = append(v.Fields, h.newPasswordFields(x, "newPassword")...)
	return v
}

func (h *Handler) showReset(x *exchange) error {
	f, err := h.flow(x, "/confirmForgotPassword")
	if err != nil {
		return err
	}
	v := h.resetView(x, f)
	f.tell(x.loc, &v)
	h.show(x, http.StatusOK, "reset", v)
	return nil
}

func (h *Handler) reset(x *exchange) error {
	f, err := h.flow(x, "/confirmForgotPassword")
	if err != nil {
		return err
	}
	v := h.resetView(x, f)
	if h.incomplete(x, "reset", v) {
		return nil
	}
	username := cmp.Or(f.Username, x.typed("username"))
	if err := h.pool.ConfirmForgotPassword(x.ctx(), x.Client.ID, username, code(x), x.r.PostForm.Get("password")); err != nil {
		return h.refuse(x, "reset", err, v)
	}
	return h.leave(x, "/login", flow{Username: username, Notice: "reset.done"})
}

// newPasswordView asks for a new password, and for
// required attributes that the user does not have yet.
func (h *Handler) newPasswordView(x *exchange, f flow) (view, error) {
	v := view{Data: confirmPage{Username: f.Username}}
	user, err := h.pool.User(x.ctx(), f.Sub)
	if err != nil {
		return v, err
	}
	for _, a := range h.pool.MissingAttributes(user.Attributes) {
		v.Fields = append(v.Fields, attributeField(x, a, x.typed(attributePrefix+a)))
	}
	v.Fields = append(v.Fields, h.newPasswordFields(x, "newPassword")...)
	return v, nil
}

func (h *Handler) showNewPassword(x *exchange) error {
	f, err := h.flow(x, "/newPassword")
	if err != nil {
		return err
	}
	if f.Challenge == "" {
		x.redirect(x.link("/login"))
		return nil
	}
	v, err := h.newPasswordView(x, f)
	if err != nil {
		return err
	}
	h.show(x, http.StatusOK, "newpassword", v)
	return nil
}

func (h *Handler) newPassword(x *exchange) error {
	f, err := h.flow(x, "/newPassword")
	if err != nil {
		return err
	}
	if f.Challenge == "" {
		return h.leave(x, "/login", flow{Error: "error.newPassword.NotAuthorizedException"})
	}
	v, err := h.newPasswordView(x, f)
	if err != nil {
		return err
	}
	if h.incomplete(x, "newpassword", v) {
		return nil
	}
	attributes := make(map[string]string)
	for _, f := range v.Fields {
		if name, ok := strings.CutPrefix(f.Name, attributePrefix); ok {
			attributes[name] = x.typed(f.Name)
		}
	}
	user, err := h.pool.CompleteNewPassword(x.ctx(), x.Client.ID, f.Challenge, x.r.PostForm.Get("password"), attributes)
	if userpool.CodeOf(err) == userpool.NotAuthorized {
		return h.leave(x, "/login", flow{Error: "error.newPassword.NotAuthorizedException"})
	}
	if err != nil {
		return h.refuse(x, "newpassword", err, v)
	}
	return h.begin(x, user, providerCognito)
}
