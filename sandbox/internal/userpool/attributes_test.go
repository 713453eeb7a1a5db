package userpool

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUpdateAttributes(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	f.user("taken@b.com")

	sent, err := f.UpdateAttributes(ctx, u.Sub, map[string]string{"name": "A", "email": "new@b.com"})
	if diff := cmp.Diff([]Delivery{{"email", "EMAIL", "n***@b***"}}, sent); diff != "" || err != nil {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	attributes := func() map[string]string {
		t.Helper()
		u, err := f.User(ctx, u.Sub)
		if err != nil {
			t.Fatal(err)
		}
		return u.Attributes
	}
	if diff := cmp.Diff(map[string]string{"name": "A", "email": "new@b.com", "email_verified": "false"}, attributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	code := f.lastCode()
	want(t, "wrong code", f.VerifyAttribute(ctx, u.Sub, "email", wrong(code)), CodeMismatch)
	want(t, "right code", f.VerifyAttribute(ctx, u.Sub, "email", code), "")
	if got := attributes()["email_verified"]; got != "true" {
		t.Errorf("email_verified = %s", got)
	}
	sent, err = f.UpdateAttributes(ctx, u.Sub, map[string]string{"email": "new@b.com"})
	if err != nil || sent != nil || attributes()["email_verified"] != "true" {
		t.Errorf("the same address again: %v, %v", sent, err)
	}
	_, err = f.SendAttributeCode(ctx, u.Sub, "email")
	want(t, "another code", err, "")
	_, err = f.SendAttributeCode(ctx, u.Sub, "phone_number")
	want(t, "a code for an address that is not there", err, InvalidParameter)

	for _, c := range []struct {
		what string
		set  map[string]string
		code string
	}{
		{"an address of another user", map[string]string{"email": "Taken@b.com"}, AliasExists},
		{"a required attribute removed", map[string]string{"email": ""}, InvalidParameter},
		{"verified by oneself", map[string]string{"email_verified": "true"}, NotAuthorized},
		{"identities", map[string]string{"identities": "[]"}, NotAuthorized},
		{"unknown", map[string]string{"shoe": "42"}, InvalidParameter},
	} {
		_, err := f.UpdateAttributes(ctx, u.Sub, c.set)
		want(t, c.what, err, c.code)
	}
	if diff := cmp.Diff(map[string]string{"name": "A", "email": "new@b.com", "email_verified": "true"}, attributes()); diff != "" {
		t.Errorf("refused changes left traces (-want +got):\n%s", diff)
	}
	want(t, "removing", f.DeleteAttributes(ctx, u.Sub, []string{"name"}), "")
	if _, there := attributes()["name"]; there {
		t.Error("a removed attribute is still there")
	}
	_, err = f.VerifyPassword(ctx, clientID, "a@b.com", password)
	want(t, "sign-in by the old address", err, NotAuthorized)
}

func TestGroups(t *testing.T) {
	f, ctx := newFixture(t, func(c *Config) { c.Groups = []Group{{Name: "Admins"}} }), t.Context()
	f.user("a@b.com")
	_, err := f.CreateGroup(ctx, Group{Name: "Admins"})
	want(t, "a group that exists", err, GroupExists)
	_, err = f.CreateGroup(ctx, Group{})
	want(t, "a group without name", err, InvalidParameter)
	want(t, "no such group", f.AddToGroup(ctx, "a@b.com", "Nobody"), ResourceNotFound)
	want(t, "no such user", f.AddToGroup(ctx, "x@b.com", "Admins"), UserNotFound)
	want(t, "in", f.AddToGroup(ctx, "a@b.com", "Admins"), "")
	users, err := f.UsersInGroup(ctx, "Admins")
	if err != nil || len(users) != 1 || len(users[0].Groups) != 1 {
		t.Errorf("members = %v, %v", users, err)
	}
	want(t, "out", f.RemoveFromGroup(ctx, "a@b.com", "Admins"), "")
	users, err = f.UsersInGroup(ctx, "Admins")
	if err != nil || len(users) != 0 {
		t.Errorf("members = %v, %v", users, err)
	}
	want(t, "gone", f.DeleteGroup(ctx, "Admins"), "")
	want(t, "gone again", f.DeleteGroup(ctx, "Admins"), ResourceNotFound)
}

func TestConfig(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"id":       func(c *Config) { c.ID = "x" },
		"pattern":  func(c *Config) { c.ID = "eu_{x}" },
		"region":   func(c *Config) { c.Region = "" },
		"client":   func(c *Config) { c.Clients = nil },
		"grace":    func(c *Config) { c.Clients = []Client{{ID: "c", RotationGrace: 61e9}} },
		"validity": func(c *Config) { c.Clients = []Client{{ID: "c", IDTokenValidity: -1}} },
		"one key":  func(c *Config) { c.IDTokenKey = testKeys()[0] },
		"username": func(c *Config) { c.UsernameAttributes = []string{"shoe"} },
		"recovery": func(c *Config) { c.RecoveryAttributes = []string{"shoe"} },
		"required": func(c *Config) { c.RequiredAttributes = []string{"shoe"} },
		"original": func(c *Config) { c.KeepOriginal = []string{"email"} }, // which is not verified
		"flow":     func(c *Config) { c.Clients = []Client{{ID: "c", AuthFlows: []string{"SRP"}}} },
	} {
		cfg := Config{ID: "eu-west-1_A", Region: "eu-west-1", Clients: []Client{{ID: "c"}}}
		if err := cfg.validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if cfg.validate() == nil {
			t.Errorf("a bad %s was accepted", what)
		}
	}
}
