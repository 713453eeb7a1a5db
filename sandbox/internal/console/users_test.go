package console

import (
	"html"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

const (
	goodPassword = "Correct-horse-9"
	weakPassword = "weak-7c1f"
)

// policy refuses weakPassword.
func policy(c *userpool.Config) {
	c.PasswordPolicy = userpool.PasswordPolicy{MinLength: 10, RequireUppercase: true}
}

// stored returns a user as the pool has it.
func (s *sandbox) stored(sub string) *userpool.User {
	s.t.Helper()
	u, err := s.pool.User(s.t.Context(), sub)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// signsIn reports whether the password lets the user in, and the code of the refusal.
func (s *sandbox) signsIn(username, password string) string {
	s.t.Helper()
	_, err := s.pool.VerifyPassword(s.t.Context(), clientID, username, password)
	if err != nil && userpool.CodeOf(err) == "" {
		s.t.Fatal(err)
	}
	return userpool.CodeOf(err)
}

func TestUserIsConfirmedAndDeleted(t *testing.T) {
	s := newSandbox(t)
	u := s.signUp(ada)
	page := "/console/users/" + u.Sub
	for _, path := range []string{"/console/users", page} {
		_, body := s.get(path)
		if !strings.Contains(body, "UNCONFIRMED") || !strings.Contains(body, ada) {
			t.Errorf("%s:\n%s", path, body)
		}
	}
	res, body := s.post(page, page+"/confirm")
	if res.Request.URL.Path != page || !strings.Contains(body, "is confirmed") {
		t.Errorf("confirm: %s at %s\n%s", res.Status, res.Request.URL.Path, body)
	}
	if u := s.stored(u.Sub); u.Status != userpool.Confirmed {
		t.Errorf("status %v", u.Status)
	}
	if strings.Contains(body, page+"/confirm") {
		t.Error("a confirmed user can be confirmed")
	}
	// The page of the user leads to a page that asks.
	if !strings.Contains(body, `href="`+page+`/delete"`) {
		t.Errorf("no way to delete the user:\n%s", body)
	}
	_, body = s.get(page + "/delete")
	if !strings.Contains(body, "Delete "+ada+"?") || !strings.Contains(body, `href="`+page+`"`) {
		t.Errorf("the page does not ask, or has no way back:\n%s", body)
	}
	s.stored(u.Sub)
	res, body = s.post(page+"/delete", page+"/delete")
	if res.Request.URL.Path != "/console/users" || !strings.Contains(body, "is deleted") {
		t.Errorf("delete: %s at %s", res.Status, res.Request.URL.Path)
	}
	if res, _ := s.get(page); res.StatusCode != 404 {
		t.Errorf("after the deletion: %s", res.Status)
	}
}

func TestCreateUser(t *testing.T) {
	byName := func(c *userpool.Config) {
		policy(c)
		c.UsernameAttributes, c.RequiredAttributes = nil, []string{"email", "name"}
	}
	byPhone := func(c *userpool.Config) {
		policy(c)
		c.UsernameAttributes = []string{"phone_number"}
	}
	const phone = "+33612345678"
	for _, c := range []struct {
		name       string
		change     func(*userpool.Config)
		label      string
		fields     []string
		status     userpool.Status
		attributes map[string]string
		signIn     string // what the pool says to username and goodPassword
		invited    bool
	}{
		{"at once", policy, "Email address",
			[]string{"username", ada, "kind", "permanent", "password", goodPassword,
				"verified", "true"},
			userpool.Confirmed, map[string]string{"email": ada, "email_verified": "true"},
			"", false},
		{"with an invitation", policy, "Email address",
			[]string{"username", ada, "kind", "temporary", "password", goodPassword,
				"verified", "false"},
			userpool.ForceChangePassword,
			map[string]string{"email": ada, "email_verified": "false"},
			userpool.NewPasswordRequired, true},
		{"with a random password", policy, "Email address",
			[]string{"username", ada, "kind", "temporary", "password", "", "verified", "true",
				"attribute.phone_number", phone},
			userpool.ForceChangePassword,
			map[string]string{"email": ada, "email_verified": "true",
				"phone_number": phone, "phone_number_verified": "true"},
			userpool.NotAuthorized, true},
		{"by username", byName, "Username",
			[]string{"username", "ada", "kind", "permanent", "password", goodPassword,
				"verified", "true", "attribute.email", ada, "attribute.name", hostile},
			userpool.Confirmed,
			map[string]string{"email": ada, "email_verified": "true", "name": hostile},
			"", false},
		{"by phone number", byPhone, "Phone number",
			[]string{"username", phone, "kind", "permanent", "password", goodPassword,
				"verified", "true"},
			userpool.Confirmed,
			map[string]string{"phone_number": phone, "phone_number_verified": "true"},
			"", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t, c.change)
			_, form := s.get("/console/users")
			if !strings.Contains(form, `<label for="username">`+c.label+`<`) {
				t.Errorf("no field %q:\n%s", c.label, form)
			}
			res, body := s.post("/console/users", "/console/users", c.fields...)
			if !strings.Contains(body, "is created") {
				t.Fatalf("%s:\n%s", res.Status, body)
			}
			username := c.fields[1]
			u, err := s.pool.UserByName(t.Context(), username)
			if err != nil {
				t.Fatal(err)
			}
			if u.Status != c.status || !maps.Equal(u.Attributes, c.attributes) {
				t.Errorf("%s %v, want %s %v", u.Status, u.Attributes, c.status, c.attributes)
			}
			if got := s.signsIn(username, goodPassword); got != c.signIn {
				t.Errorf("signing in: %q, want %q", got, c.signIn)
			}
			messages, err := s.pool.MessagesTo(t.Context(), u.Sub, 2)
			if err != nil || (len(messages) == 1) != c.invited {
				t.Errorf("messages %v, %v", messages, err)
			}
			if !strings.Contains(res.Request.URL.Path, u.Sub) {
				t.Errorf("at %s", res.Request.URL)
			}
		})
	}
}

// A form that is refused comes back with the reason and with what was typed, but not the password.
func TestRefusedFormsAreKept(t *testing.T) {
	s := newSandbox(t, policy)
	s.signUp("taken@example.com")
	u := s.signUp(ada)
	if err := s.pool.EnsureGroup(t.Context(), userpool.Group{Name: "editors"}); err != nil {
		t.Fatal(err)
	}
	user := "/console/users/" + u.Sub
	for _, c := range []struct {
		name, page, action string
		fields             []string
		reason             string
		gone               string // a field that must not come back
	}{
		{"weak password", "/console/users", "/console/users",
			[]string{"username", "new@example.com", "kind", "permanent", "password", weakPassword},
			"Password did not conform", "password"},
		{"no password", "/console/users", "/console/users",
			[]string{"username", hostile, "kind", "permanent"},
			"Enter the password", ""},
		{"user exists", "/console/users", "/console/users",
			[]string{"username", "taken@example.com", "kind", "temporary",
				"attribute.phone_number", "+33612345678"},
			"already exists", ""},
		{"weak new password", user, user + "/password",
			[]string{"kind", "permanent", "password", weakPassword},
			"Password did not conform", "password"},
		{"no code", user, user + "/reset", nil, "no registered/verified email", ""},
		{"address taken", user, user + "/attributes",
			[]string{"attribute.email", "taken@example.com",
				"new-name", "name", "new-value", "Ada"},
			"already exists", ""},
		{"no such attribute", user, user + "/attributes",
			[]string{"new-name", "colour", "new-value", hostile},
			"Attribute does not exist in schema", ""},
		{"attribute without a name", user, user + "/attributes",
			[]string{"new-name", "", "new-value", "blue"},
			"Enter the name of the new attribute", ""},
		{"no such group", user, user + "/groups/add",
			[]string{"group", "nobodies"},
			"Group not found", "group"},
		{"group exists", "/console/groups", "/console/groups",
			[]string{"name", "editors", "description", "Who writes", "precedence", "7"},
			"already exists", ""},
		{"precedence", "/console/group?name=editors", "/console/group?name=editors",
			[]string{"description", "Who writes", "precedence", "first", "role", ""},
			"whole number", ""},
		{"role", "/console/group?name=editors", "/console/group?name=editors",
			[]string{"precedence", "3", "role", "arn:aws:iam::0"},
			"roleArn", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := s.post(c.page, c.action, c.fields...)
			_, alert, _ := strings.Cut(body, `role="alert"`)
			alert, _, _ = strings.Cut(alert, "</div>")
			if res.StatusCode != 422 || !strings.Contains(alert, c.reason) {
				t.Fatalf("%s, without %q:\n%s", res.Status, c.reason, body)
			}
			if strings.Contains(body, weakPassword) {
				t.Error("the page contains the password")
			}
			for i := 0; i < len(c.fields); i += 2 {
				name, value := c.fields[i], html.EscapeString(c.fields[i+1])
				if name == c.gone {
					continue
				}
				value = strings.ReplaceAll(value, "+", "&#43;") // as html/template writes it
				kept := `value="` + value + `"`
				if name == "kind" {
					kept += " selected"
				}
				if !strings.Contains(body, kept) {
					t.Errorf("%s is not kept as %s:\n%s", name, value, body)
				}
			}
		})
	}
	want := map[string]string{"email": ada, "email_verified": "false"}
	if diff := cmp.Diff(want, s.stored(u.Sub).Attributes); diff != "" {
		t.Errorf("something was changed (-want +got):\n%s", diff)
	}
	if users, err := s.pool.Users(t.Context()); err != nil || len(users) != 2 {
		t.Errorf("%d users, %v", len(users), err)
	}
}

func TestPasswords(t *testing.T) {
	s := newSandbox(t, policy)
	u := s.signUp(ada)
	page := "/console/users/" + u.Sub
	const second, third = "Second-horse-9", "Third-horse-99"
	s.post(page, page+"/password", "password", second, "kind", "permanent")
	if got := s.signsIn(ada, second); got != "" {
		t.Errorf("with the permanent password: %s", got)
	}
	s.post(page, page+"/password", "password", third, "kind", "temporary")
	if got := s.signsIn(ada, third); got != userpool.NewPasswordRequired {
		t.Errorf("with the temporary password: %q", got)
	}
	verified := map[string]string{"email_verified": "true"}
	if err := s.pool.SetAttributes(t.Context(), ada, verified); err != nil {
		t.Fatal(err)
	}
	_, body := s.post(page, page+"/reset")
	status := s.stored(u.Sub).Status
	if status != userpool.ResetRequired || !strings.Contains(body, "must choose a new password") {
		t.Errorf("after the reset: %s\n%s", status, body)
	}
}

func TestDisableEnableAndSignOut(t *testing.T) {
	s := newSandbox(t)
	u := s.signUp(ada)
	page := "/console/users/" + u.Sub
	s.post(page, page+"/confirm")
	_, body := s.post(page, page+"/disable")
	if s.stored(u.Sub).Enabled || !strings.Contains(body, ">disabled<") ||
		strings.Contains(body, page+"/disable") {
		t.Errorf("not disabled:\n%s", body)
	}
	_, body = s.post(page, page+"/enable")
	if !s.stored(u.Sub).Enabled || strings.Contains(body, ">disabled<") {
		t.Errorf("not enabled:\n%s", body)
	}
	tokens, err := s.pool.IssueTokens(t.Context(), userpool.Grant{ClientID: clientID, Sub: u.Sub})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.VerifyAccessToken(t.Context(), tokens.AccessToken, ""); err != nil {
		t.Fatal(err)
	}
	s.post(page, page+"/sign-out")
	_, err = s.pool.VerifyAccessToken(t.Context(), tokens.AccessToken, "")
	if userpool.CodeOf(err) != userpool.NotAuthorized {
		t.Errorf("after the sign-out: %v", err)
	}
}

func TestChangeAttributes(t *testing.T) {
	s := newSandbox(t)
	u := s.signUp(ada)
	page := "/console/users/" + u.Sub
	const other = "countess@example.com"
	for _, step := range []struct {
		name   string
		fields []string
		want   map[string]string
	}{
		{"verified", []string{"attribute.email", ada, "attribute.email_verified", "true"},
			map[string]string{"email": ada, "email_verified": "true"}},
		{"added", []string{"new-name", "custom:colour", "new-value", hostile},
			map[string]string{"email": ada, "email_verified": "true", "custom:colour": hostile}},
		{"changed and still verified",
			[]string{"attribute.email", other, "attribute.email_verified", "true"},
			map[string]string{"email": other, "email_verified": "true", "custom:colour": hostile}},
		{"changed and not verified",
			[]string{"attribute.email", ada, "attribute.email_verified", "false"},
			map[string]string{"email": ada, "email_verified": "false", "custom:colour": hostile}},
		{"removed", []string{"attribute.custom:colour", "", "attribute.phone_number", ""},
			map[string]string{"email": ada, "email_verified": "false"}},
		{"nothing", []string{"attribute.email", ada, "attribute.email_verified", "false"},
			map[string]string{"email": ada, "email_verified": "false"}},
	} {
		res, body := s.post(page, page+"/attributes", step.fields...)
		if !strings.Contains(body, "attributes are saved") {
			t.Errorf("%s: %s\n%s", step.name, res.Status, body)
		}
		if diff := cmp.Diff(step.want, s.stored(u.Sub).Attributes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// An address that must be verified before it replaces the old one waits, and the page says so.
func TestChangedAddressWaits(t *testing.T) {
	s := newSandbox(t, func(c *userpool.Config) { c.KeepOriginal = []string{"email"} })
	u := s.signUp(ada)
	page := "/console/users/" + u.Sub
	const other = "countess@example.com"
	_, body := s.post(page, page+"/attributes",
		"attribute.email", other, "attribute.email_verified", "false")
	if !strings.Contains(body, "replaces the old one once") || s.stored(u.Sub).Attributes["email"] != ada {
		t.Errorf("%v\n%s", s.stored(u.Sub).Attributes, body)
	}
	if _, body := s.get("/inbox?to=" + url.QueryEscape(other)); !strings.Contains(body, "code") {
		t.Errorf("no code for the new address:\n%s", body)
	}
}

func TestMembership(t *testing.T) {
	s := newSandbox(t)
	u := s.signUp(ada)
	page := "/console/users/" + u.Sub
	for _, name := range []string{"editors", hostile} {
		if err := s.pool.EnsureGroup(t.Context(), userpool.Group{Name: name}); err != nil {
			t.Fatal(err)
		}
		_, body := s.post(page, page+"/groups/add", "group", name)
		link := strings.ToLower(`href="/console/group?name=` + url.QueryEscape(name))
		if !strings.Contains(strings.ToLower(body), link) {
			t.Errorf("no link to the group %q:\n%s", name, body)
		}
	}
	groups := func() (names []string) {
		for _, g := range s.stored(u.Sub).Groups {
			names = append(names, g.Name)
		}
		slices.Sort(names)
		return names
	}
	if diff := cmp.Diff([]string{hostile, "editors"}, groups()); diff != "" {
		t.Error(diff)
	}
	if _, body := s.get("/console/group?name=editors"); !strings.Contains(body, ada) {
		t.Errorf("the group does not show its member:\n%s", body)
	}
	s.post(page, page+"/groups/remove", "group", hostile)
	if diff := cmp.Diff([]string{"editors"}, groups()); diff != "" {
		t.Error(diff)
	}
}

// A federated user has no password to set, and a name that is no markup.
func TestFederatedUser(t *testing.T) {
	s := newSandbox(t)
	u, err := s.pool.FederatedUser(t.Context(), "Google", userpool.Profile{
		ID: "1", Attributes: map[string]string{"email": ada, "name": hostile}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/console/users", "/console/users/" + u.Sub} {
		_, body := s.get(path)
		if !strings.Contains(body, ada) || strings.Contains(body, `type="password" required`) {
			t.Errorf("%s:\n%s", path, body)
		}
	}
}
