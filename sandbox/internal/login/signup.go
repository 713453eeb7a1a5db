package login

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// signUpView returns the sign-up form with the submitted values. It never contains a password.
func (h *Handler) signUpView(x *exchange) view {
	v := view{Fields: []field{h.nameField(x, cmp.Or(x.typed("username"), x.LoginHint))}}
	for _, a := range h.signUpAttributes() {
		v.Fields = append(v.Fields, attributeField(x, a, x.typed(attributePrefix+a)))
	}
	v.Fields = append(v.Fields, h.newPasswordFields(x, "password")...)
	return v
}

func (h *Handler) showSignUp(x *exchange) error {
	h.show(x, http.StatusOK, "signup", h.signUpView(x))
	return nil
}

func (h *Handler) signUp(x *exchange) error {
	v := h.signUpView(x)
	if h.incomplete(x, "signup", v) {
		return nil
	}
	in := userpool.SignUpInput{
		ClientID: x.Client.ID, Username: x.typed("username"),
		Password: x.r.PostForm.Get("password"), Attributes: make(map[string]string),
	}
	for _, a := range h.signUpAttributes() {
		in.Attributes[a] = x.typed(attributePrefix + a)
	}
	// If users of the pool sign in with an attribute, that attribute is the username.
	switch email := strings.Contains(in.Username, "@"); {
	case h.signsInWith("email") && (email || !h.signsInWith("phone_number")):
		in.Attributes["email"] = in.Username
	case h.signsInWith("phone_number"):
		in.Attributes["phone_number"] = in.Username
	}
	user, delivery, err := h.pool.SignUp(x.ctx(), in)
	if err != nil {
		return h.refuse(x, "signup", err, v)
	}
	// The user has just sent the password. Confirming
	// the account signs the user in, as with Cognito.
	return h.leave(x, "/confirm", flow{Username: in.Username, Sub: user.Sub, Destination: destination(delivery)})
}

// confirmPage is the data of pages that ask for a code.
type confirmPage struct {
	Username, Destination string
}

// Name returns what the page calls the user. It is empty if the user typed an address and the
// page says where the code went: there that address is mostly hidden, and here it would not be.
func (p confirmPage) Name() string {
	address := strings.Contains(p.Username, "@") || strings.HasPrefix(p.Username, "+")
	if address && p.Destination != "" {
		return ""
	}
	return p.Username
}

func (h *Handler) confirmView(x *exchange, f flow) view {
	v := view{Data: confirmPage{f.Username, f.Destination}}
	if f.Username == "" {
		// The page was opened directly, or the flow has expired.
		v.Fields = append(v.Fields, h.nameField(x, x.typed("username")))
	}
	v.Fields = append(v.Fields, codeField(x))
	return v
}

func (h *Handler) showConfirm(x *exchange) error {
	f, err := h.flow(x, "/confirm")
	if err != nil {
		return err
	}
	v := h.confirmView(x, f)
	f.tell(x.loc, &v)
	h.show(x, http.StatusOK, "confirm", v)
	return nil
}

func (h *Handler) confirm(x *exchange) error {
	f, err := h.flow(x, "/confirm")
	if err != nil {
		return err
	}
	v := h.confirmView(x, f)
	if h.incomplete(x, "confirm", v) {
		return nil
	}
	username := cmp.Or(f.Username, x.typed("username"))
	if err := h.pool.ConfirmSignUp(x.ctx(), x.Client.ID, username, code(x)); err != nil {
		return h.refuse(x, "confirm", err, v)
	}
	if f.Sub == "" {
		return h.leave(x, "/login", flow{Username: username, Notice: "confirm.done"})
	}
	user, err := h.pool.User(x.ctx(), f.Sub)
	if err != nil {
		return err
	}
	return h.begin(x, user, providerCognito)
}

func (h *Handler) resendCode(x *exchange) error {
	f, err := h.flow(x, "/confirm")
	if err != nil {
		return err
	}
	if f.Username == "" { // the flow took too long: ask who is there
		x.redirect(x.link("/confirm"))
		return nil
	}
	d, err := h.pool.ResendConfirmationCode(x.ctx(), x.Client.ID, f.Username)
	if err != nil {
		return h.refuse(x, "confirm", err, h.confirmView(x, f))
	}
	f.Destination, f.Notice, f.Error = destination(d), "confirm.resent", ""
	return h.leave(x, "/confirm", f)
}

// code returns the submitted code without the blanks that copying can add.
func code(x *exchange) string {
	return strings.Join(strings.Fields(x.r.PostForm.Get("code")), "")
}
