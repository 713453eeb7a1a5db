package console

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// usersPage is the list of users, with the form for another one.
type usersPage struct {
	Users  []*userpool.User
	SignIn []link
	// NameLabel says what users of this pool sign in with.
	NameLabel string
	// Attributes are the attributes that the form asks for beside that.
	Attributes []attribute
}

// attribute is an attribute in a form.
type attribute struct {
	Name, Value string
}

// Type returns the type of the attribute's input.
func (a attribute) Type() string {
	switch a.Name {
	case "email":
		return "email"
	case "phone_number":
		return "tel"
	}
	return "text"
}

// Flag reports whether the attribute is true or false.
func (a attribute) Flag() bool { return strings.HasSuffix(a.Name, verifiedSuffix) }

// Field returns the name of the attribute's input.
func (a attribute) Field() string { return attributePrefix + a.Name }

const (
	attributePrefix = "attribute."
	verifiedSuffix  = "_verified" // of the attributes that say whether an address is verified
)

// addresses are the attributes that can be verified.
func addresses() []string { return []string{"email", "phone_number"} }

func (h *Handler) users(r *http.Request) (any, error) {
	all, err := h.Pool.Users(r.Context())
	return usersPage{all, h.signInLinks(), h.nameLabel(), h.newUserAttributes()}, err
}

func (h *Handler) nameLabel() string {
	switch email, phone := h.signsInWith("email"), h.signsInWith("phone_number"); {
	case email && phone:
		return "Email address or phone number"
	case email:
		return "Email address"
	case phone:
		return "Phone number"
	}
	return "Username"
}

func (h *Handler) signsInWith(attribute string) bool {
	return slices.Contains(h.Pool.Config().UsernameAttributes, attribute)
}

// newUserAttributes returns the attributes of the form for a new user: addresses and
// required attributes, without those that users sign in with instead of a username.
func (h *Handler) newUserAttributes() []attribute {
	var list []attribute
	for _, name := range slices.Concat(addresses(), h.Pool.Config().RequiredAttributes) {
		if a := (attribute{Name: name}); !h.signsInWith(name) && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// Values of the field "kind" of a password.
const (
	temporary = "temporary"
	permanent = "permanent"
)

func (h *Handler) createUser(r *http.Request) (string, error) {
	form := r.PostForm
	in := userpool.CreateUserInput{
		Username: strings.TrimSpace(form.Get("username")), TemporaryPassword: form.Get("password"),
		Attributes: map[string]string{}, Silent: form.Get("kind") == permanent,
	}
	if in.Silent && in.TemporaryPassword == "" {
		return "", formError{"Enter the password, or invite the user with a temporary one."}
	}
	for _, a := range h.newUserAttributes() {
		if value := strings.TrimSpace(form.Get(a.Field())); value != "" {
			in.Attributes[a.Name] = value
		}
	}
	for _, name := range addresses() {
		isUsername := h.signsInWith(name) && strings.Contains(in.Username, "@") == (name == "email")
		if form.Get("verified") == "true" && (isUsername || in.Attributes[name] != "") {
			in.Attributes[name+verifiedSuffix] = "true"
		}
	}
	u, err := h.Pool.CreateUser(r.Context(), in)
	if err != nil {
		return "", err
	}
	if in.Silent {
		err = h.Pool.SetPassword(r.Context(), u.Username, in.TemporaryPassword, true)
	}
	return userPath(u) + "?done=created", err
}

// userPage is the page of a user.
type userPage struct {
	*userpool.User
	Messages []userpool.Message
	// Editable are the attributes that the form has.
	Editable []attribute
	// Standard are the names of attributes that every pool has.
	Standard []string
	// Joinable are the names of the groups that the user is not in.
	Joinable []string
	// HasPassword is whether the user signs in with a password.
	HasPassword bool
}

// Name returns what the user is called.
func (u userPage) Name() string { return displayName(u.User) }

func displayName(u *userpool.User) string {
	return cmp.Or(u.Attributes["email"], u.Attributes["phone_number"], u.Username)
}

func (h *Handler) user(r *http.Request) (any, error) {
	u, err := h.Pool.User(r.Context(), r.PathValue("sub"))
	if err != nil {
		return nil, err
	}
	p := userPage{
		User: u, Standard: userpool.StandardAttributes(),
		HasPassword: u.Status != userpool.ExternalProvider,
	}
	if p.Messages, err = h.Pool.MessagesTo(r.Context(), u.Sub, 20); err != nil {
		return nil, err
	}
	names := slices.AppendSeq(addresses(), maps.Keys(u.Attributes))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name != "identities" { // which nobody can change
			p.Editable = append(p.Editable, attribute{name, u.Attributes[name]})
		}
	}
	groups, err := h.Pool.Groups(r.Context())
	for _, g := range groups {
		same := func(of userpool.Group) bool { return of.Name == g.Name }
		if !slices.ContainsFunc(u.Groups, same) {
			p.Joinable = append(p.Joinable, g.Name)
		}
	}
	return p, err
}

// change returns the address of the page of the request's user, after
// f has changed the user. The page shows the notice of that word.
func (h *Handler) change(
	r *http.Request, word string, f func(*userpool.User) error,
) (string, error) {
	u, err := h.Pool.User(r.Context(), r.PathValue("sub"))
	if err != nil {
		return "", err
	}
	return userPath(u) + "?done=" + word, f(u)
}

func (h *Handler) confirmUser(r *http.Request) (string, error) {
	return h.change(r, "confirmed", func(u *userpool.User) error {
		return h.Pool.Confirm(r.Context(), u.Username)
	})
}

func (h *Handler) enableUser(r *http.Request) (string, error) {
	return h.change(r, "enabled", func(u *userpool.User) error {
		return h.Pool.SetEnabled(r.Context(), u.Username, true)
	})
}

func (h *Handler) disableUser(r *http.Request) (string, error) {
	return h.change(r, "disabled", func(u *userpool.User) error {
		return h.Pool.SetEnabled(r.Context(), u.Username, false)
	})
}

func (h *Handler) setPassword(r *http.Request) (string, error) {
	return h.change(r, "password", func(u *userpool.User) error {
		password, kind := r.PostForm.Get("password"), r.PostForm.Get("kind")
		return h.Pool.SetPassword(r.Context(), u.Username, password, kind == permanent)
	})
}

func (h *Handler) resetPassword(r *http.Request) (string, error) {
	return h.change(r, "reset-password", func(u *userpool.User) error {
		return h.Pool.ResetPassword(r.Context(), u.Username)
	})
}

func (h *Handler) signOut(r *http.Request) (string, error) {
	return h.change(r, "signed-out", func(u *userpool.User) error {
		return h.Pool.GlobalSignOut(r.Context(), u.Sub)
	})
}

// changeAttributes stores the attributes that differ from
// the stored ones. It removes attributes that are empty.
func (h *Handler) changeAttributes(r *http.Request) (string, error) {
	changes := map[string]string{}
	next, err := h.change(r, "attributes", func(u *userpool.User) error {
		form := r.PostForm
		for field := range form {
			name, ok := strings.CutPrefix(field, attributePrefix)
			if value := strings.TrimSpace(form.Get(field)); ok && value != u.Attributes[name] {
				changes[name] = value
			}
		}
		name := strings.TrimSpace(form.Get("new-name"))
		value := strings.TrimSpace(form.Get("new-value"))
		switch {
		case name != "":
			changes[name] = value
		case value != "":
			return formError{"Enter the name of the new attribute."}
		}
		for _, name := range addresses() {
			// The pool takes an address that changes for unverified unless it is told otherwise.
			// The form says what the address is now.
			flag := name + verifiedSuffix
			if address, changed := changes[name]; changed && address == "" {
				delete(changes, flag)
			} else if changed && form.Has(attributePrefix+flag) {
				changes[flag] = form.Get(attributePrefix + flag)
			}
		}
		return h.Pool.SetAttributes(r.Context(), u.Username, changes)
	})
	if err != nil {
		return "", err
	}
	u, err := h.Pool.User(r.Context(), r.PathValue("sub"))
	if err != nil {
		return "", err
	}
	for _, name := range addresses() {
		if address, changed := changes[name]; changed && address != u.Attributes[name] {
			return userPath(u) + "?done=waiting", nil // for its code
		}
	}
	return next, nil
}

func (h *Handler) addToGroup(r *http.Request) (string, error) {
	return h.change(r, "joined", func(u *userpool.User) error {
		return h.Pool.AddToGroup(r.Context(), u.Username, r.PostForm.Get("group"))
	})
}

func (h *Handler) removeFromGroup(r *http.Request) (string, error) {
	return h.change(r, "left", func(u *userpool.User) error {
		return h.Pool.RemoveFromGroup(r.Context(), u.Username, r.PostForm.Get("group"))
	})
}

func (h *Handler) askDeleteUser(r *http.Request) (any, error) {
	u, err := h.Pool.User(r.Context(), r.PathValue("sub"))
	if err != nil {
		return nil, err
	}
	return ask{
		Title:  "Delete " + displayName(u) + "?",
		Text:   "The user, the attributes and the memberships are lost. All sessions end.",
		Action: userPath(u) + "/delete", Button: "Delete user", Back: userPath(u),
	}, nil
}

func (h *Handler) deleteUser(r *http.Request) (string, error) {
	return "/console/users?done=deleted", h.Pool.DeleteUser(r.Context(), r.PathValue("sub"))
}

func userPath(u *userpool.User) string { return "/console/users/" + url.PathEscape(u.Sub) }
