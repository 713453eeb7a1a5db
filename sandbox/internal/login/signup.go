package login

import (
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// signUpView is the sign-up form, filled with what was submitted so far. It never
// sends a password back.
func (h *Handler) signUpView(x *exchange) view {
	get := func(name string) string { return strings.TrimSpace(x.r.PostForm.Get(name)) }
	name := h.nameField(x, get("username"))
	if name.Value == "" {
		name.Value = x.LoginHint
	}
	v := view{Fields: []field{name}}
	for _, a := range h.signUpAttributes() {
		v.Fields = append(v.Fields, attributeField(x, a, get(attributePrefix+a)))
	}
	v.Fields = append(v.Fields, h.newPasswordFields(x, "password")...)
	return v
}

func (h *Handler) showSignUp(x *exchange) error {
	if err := h.requireOwn(x); err != nil {
		return err
	}
	h.show(x, http.StatusOK, "signup", h.signUpView(x))
	return nil
}

func (h *Handler) signUp(x *exchange) error {
	if err := h.requireOwn(x); err != nil {
		return err
	}
	v := h.signUpView(x)
	if key := fault(x, v.Fields); key != "" {
		v.Error = x.loc.first(key)
		return h.refuseWith(x, "signup", v)
	}
	in := userpool.SignUpInput{
		ClientID: x.Client.ID, Username: strings.TrimSpace(x.r.PostForm.Get("username")),
		Password: x.r.PostForm.Get("password"), Attributes: make(map[string]string),
	}
	for _, a := range h.signUpAttributes() {
		in.Attributes[a] = strings.TrimSpace(x.r.PostForm.Get(attributePrefix + a))
	}
	// In a pool whose users sign in with an attribute, that attribute is the name.
	switch email := strings.Contains(in.Username, "@"); {
	case h.signsInWith("email") && (email || !h.signsInWith("phone_number")):
		in.Attributes["email"] = in.Username
	case h.signsInWith("phone_number"):
		in.Attributes["phone_number"] = in.Username
	}
	user, delivery, err := h.Pool.SignUp(x.ctx(), in)
	if err != nil {
		return h.refuse(x, "signup", err, v)
	}
	// Whoever signs up has given the password: confirming signs in, as with Cognito.
	return h.leave(x, "/confirm", flow{Username: in.Username, Sub: user.Sub, Destination: destination(delivery)})
}

// confirmPage is what the pages that ask for a code know of the flow.
type confirmPage struct {
	Username, Destination string
}

func (h *Handler) confirmView(x *exchange, f flow) view {
	v := view{Data: confirmPage{f.Username, f.Destination}}
	if f.Username == "" {
		// The page was opened by itself, or the flow took too long.
		v.Fields = append(v.Fields, h.nameField(x, strings.TrimSpace(x.r.PostForm.Get("username"))))
	}
	v.Fields = append(v.Fields, codeField(x))
	if f.Notice != "" {
		v.Notice = x.loc.first(f.Notice)
	}
	if f.Error != "" {
		v.Error = x.loc.first(f.Error)
	}
	return v
}

func (h *Handler) showConfirm(x *exchange) error {
	f, err := h.flow(x)
	if err != nil {
		return err
	}
	h.show(x, http.StatusOK, "confirm", h.confirmView(x, f))
	return nil
}

func (h *Handler) confirm(x *exchange) error {
	f, err := h.flow(x)
	if err != nil {
		return err
	}
	f.Notice, f.Error = "", ""
	v := h.confirmView(x, f)
	if key := fault(x, v.Fields); key != "" {
		v.Error = x.loc.first(key)
		return h.refuseWith(x, "confirm", v)
	}
	username := f.Username
	if username == "" {
		username = strings.TrimSpace(x.r.PostForm.Get("username"))
	}
	if err := h.Pool.ConfirmSignUp(x.ctx(), x.Client.ID, username, code(x)); err != nil {
		return h.refuse(x, "confirm", err, v)
	}
	if f.Sub == "" {
		return h.leave(x, "/login", flow{Username: username, Notice: "confirm.done"})
	}
	user, err := h.Pool.User(x.ctx(), f.Sub)
	if err != nil {
		return err
	}
	return h.begin(x, user, providerCognito)
}

func (h *Handler) resendCode(x *exchange) error {
	f, err := h.flow(x)
	if err != nil {
		return err
	}
	f.Notice, f.Error = "", ""
	if f.Username == "" {
		f.Error = "error.missing"
		return h.leave(x, "/confirm", f)
	}
	d, err := h.Pool.ResendConfirmationCode(x.ctx(), x.Client.ID, f.Username)
	if err != nil {
		return h.refuse(x, "confirm", err, h.confirmView(x, f))
	}
	f.Destination, f.Notice = destination(d), "confirm.resent"
	return h.leave(x, "/confirm", f)
}

// code is the submitted code without the blanks that come along when it is copied.
func code(x *exchange) string {
	return strings.Join(strings.Fields(x.r.PostForm.Get("code")), "")
}
