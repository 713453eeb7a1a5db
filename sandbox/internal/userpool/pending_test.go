package userpool

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keepsOriginal is a pool of Amplify's construct: a new address must be verified first.
func keepsOriginal(c *Config) { c.KeepOriginal = []string{"email"} }

func (f *fixture) attributes(sub string) map[string]string {
	f.t.Helper()
	u, err := f.User(f.t.Context(), sub)
	if err != nil {
		f.t.Fatal(err)
	}
	return u.Attributes
}

// TestKeepOriginal: until a new address is verified, the one before is the user's (Developer Guide,
// "Verifying updates to email addresses and phone numbers").
func TestKeepOriginal(t *testing.T) {
	f, ctx := newFixture(t, keepsOriginal), t.Context()
	u := f.user("a@b.com")
	f.user("taken@b.com")
	update := func(email string) ([]Delivery, error) {
		t.Helper()
		return f.UpdateAttributes(ctx, u.Sub, map[string]string{"email": email, "name": "A"})
	}
	original := map[string]string{"email": "a@b.com", "email_verified": "true", "name": "A"}
	unchanged := func(what string) {
		t.Helper()
		if diff := cmp.Diff(original, f.attributes(u.Sub)); diff != "" {
			t.Errorf("%s: attributes (-want +got):\n%s", what, diff)
		}
	}
	signIn := func(what, name, code string) {
		t.Helper()
		_, err := f.VerifyPassword(ctx, clientID, name, password)
		want(t, what, err, code)
	}

	sent, err := update("new@b.com")
	delivered := []Delivery{{"email", "EMAIL", "n***@b***"}}
	if diff := cmp.Diff(delivered, sent); diff != "" || err != nil {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	first := f.codeFor(u.Sub, "new@b.com")
	unchanged("after the change")
	signIn("by the original address", "a@b.com", "")
	signIn("by the new address", "new@b.com", NotAuthorized)
	reset, err := f.ForgotPassword(ctx, clientID, "a@b.com")
	if err != nil || reset.Destination != "a***@b***" {
		t.Errorf("a code for the password goes to %+v, %v", reset, err)
	}

	// A second change replaces the first.
	if _, err := update("newer@b.com"); err != nil {
		t.Fatal(err)
	}
	second := f.codeFor(u.Sub, "newer@b.com")
	if first != second {
		want(t, "the first code", f.VerifyAttribute(ctx, u.Sub, "email", first), CodeMismatch)
	}
	unchanged("after the second change")
	// Another code goes to the new address, too.
	d, err := f.SendAttributeCode(ctx, u.Sub, "email")
	if err != nil || d.Destination != "n***@b***" {
		t.Errorf("another code: %+v, %v", d, err)
	}
	third := f.codeFor(u.Sub, "newer@b.com")
	want(t, "the new address", f.VerifyAttribute(ctx, u.Sub, "email", third), "")
	original["email"] = "newer@b.com"
	unchanged("after the verification")
	signIn("by the new address", "newer@b.com", "")
	signIn("by the address before", "a@b.com", NotAuthorized)

	_, err = update("Taken@b.com")
	want(t, "an address of another user", err, AliasExists)
	_, err = update("")
	want(t, "a required address removed", err, InvalidParameter)
	unchanged("after refusals")
}

// codeFor returns the code that was sent to an address last.
func (f *fixture) codeFor(sub, address string) string {
	f.t.Helper()
	ms, err := f.MessagesTo(f.t.Context(), sub, 1)
	if err != nil || len(ms) != 1 || ms[0].To != address {
		f.t.Fatalf("the last message is %+v, %v; want one to %s", ms, err, address)
	}
	return ms[0].Code
}

// TestPendingAddressEnds: what takes an address back that waits for its verification.
func TestPendingAddressEnds(t *testing.T) {
	for what, c := range map[string]struct {
		end   func(f *fixture, u *User) error
		email string // afterwards
		code  string // of the refusal of the code
	}{
		"a day": {func(f *fixture, _ *User) error {
			f.clock.move(24 * time.Hour)
			return nil
		}, "a@b.com", ExpiredCode},
		"the original address again": {func(f *fixture, u *User) error {
			_, err := f.UpdateAttributes(f.t.Context(), u.Sub,
				map[string]string{"email": "a@b.com"})
			return err
		}, "a@b.com", ExpiredCode},
		"another user takes the address": {func(f *fixture, _ *User) error {
			f.user("new@b.com")
			return nil
		}, "a@b.com", AliasExists},
		"an administrator sets one": {func(f *fixture, u *User) error {
			return f.SetAttributes(f.t.Context(), u.Username,
				map[string]string{"email": "set@b.com", "email_verified": "true"})
		}, "set@b.com", ExpiredCode},
	} {
		f, ctx := newFixture(t, keepsOriginal), t.Context()
		u := f.user("a@b.com")
		_, err := f.UpdateAttributes(ctx, u.Sub, map[string]string{"email": "new@b.com"})
		if err != nil {
			t.Fatal(err)
		}
		code := f.codeFor(u.Sub, "new@b.com")
		if err := c.end(f, u); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		want(t, what, f.VerifyAttribute(ctx, u.Sub, "email", code), c.code)
		if got := f.attributes(u.Sub); got["email"] != c.email || got["email_verified"] != "true" {
			t.Errorf("%s: the address is %v, want %s", what, got, c.email)
		}
	}
}

// TestPendingAddressRemoved: an address that was added and not verified can be removed again.
func TestPendingAddressRemoved(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.VerifiedAttributes = []string{"phone_number"}
		c.KeepOriginal = c.VerifiedAttributes
	})
	u, ctx := f.user("a@b.com"), t.Context()
	const phone = "+15550100"
	_, err := f.UpdateAttributes(ctx, u.Sub, map[string]string{"phone_number": phone})
	if err != nil {
		t.Fatal(err)
	}
	code := f.codeFor(u.Sub, phone)
	want(t, "removal", f.DeleteAttributes(ctx, u.Sub, []string{"phone_number"}), "")
	want(t, "the code", f.VerifyAttribute(ctx, u.Sub, "phone_number", code), ExpiredCode)
	if got := f.attributes(u.Sub)["phone_number"]; got != "" {
		t.Errorf("phone number %q", got)
	}
}

// TestAdministratorsChangeAddresses: an address of KeepOriginal waits unless the administrator
// vouches for it (API Reference, AdminUpdateUserAttributes). Others change at once.
func TestAdministratorsChangeAddresses(t *testing.T) {
	f, ctx := newFixture(t, keepsOriginal), t.Context()
	for _, c := range []struct {
		what       string
		set        map[string]string
		email      string
		deliveries int
	}{
		{"an address", map[string]string{"email": "new@b.com"}, "a@b.com", 1},
		{"one that is not verified",
			map[string]string{"email": "new@b.com", "email_verified": "false"}, "a@b.com", 1},
		{"one that is verified",
			map[string]string{"email": "new@b.com", "email_verified": "true"}, "new@b.com", 0},
	} {
		u := f.user("a@b.com")
		want(t, c.what, f.SetAttributes(ctx, "a@b.com", c.set), "")
		if got := f.attributes(u.Sub); got["email"] != c.email || got["email_verified"] != "true" {
			t.Errorf("%s: %v, want %s", c.what, got, c.email)
		}
		if ms, err := f.MessagesTo(ctx, u.Sub, 10); err != nil || len(ms) != c.deliveries {
			t.Errorf("%s: messages %+v, %v", c.what, ms, err)
		}
		want(t, "the end", f.DeleteUser(ctx, u.Sub), "")
	}
	u := f.user("a@b.com")
	want(t, "a phone number", f.SetAttributes(ctx, "a@b.com",
		map[string]string{"phone_number": "+15550100"}), "")
	if got := f.attributes(u.Sub)["phone_number"]; got != "+15550100" {
		t.Errorf("phone number %q", got)
	}
}

// TestCodeProvesItsAddress: the code of an address does not verify another.
func TestCodeProvesItsAddress(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	if _, err := f.SendAttributeCode(ctx, u.Sub, "email"); err != nil {
		t.Fatal(err)
	}
	code := f.codeFor(u.Sub, "a@b.com")
	want(t, "another address", f.SetAttributes(ctx, "a@b.com",
		map[string]string{"email": "new@b.com"}), "")
	want(t, "the code", f.VerifyAttribute(ctx, u.Sub, "email", code), ExpiredCode)
	if got := f.attributes(u.Sub)["email_verified"]; got != "false" {
		t.Errorf("email_verified = %s", got)
	}
}

// TestRecoveryAttributes: codes for a forgotten password go nowhere else.
func TestRecoveryAttributes(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.RecoveryAttributes = []string{"phone_number"} })
	ctx := t.Context()
	f.user("a@b.com")
	_, err := f.ForgotPassword(ctx, clientID, "a@b.com")
	want(t, "a verified e-mail address", err, InvalidParameter)
	want(t, "by an administrator", f.ResetPassword(ctx, "a@b.com"), InvalidParameter)
	want(t, "a phone number", f.SetAttributes(ctx, "a@b.com",
		map[string]string{"phone_number": "+15550100", "phone_number_verified": "true"}), "")
	d, err := f.ForgotPassword(ctx, clientID, "a@b.com")
	if err != nil || d.Medium != "SMS" {
		t.Errorf("the code went to %+v, %v", d, err)
	}
}

// TestNewPasswordKeepsAttributes: with a new password comes what
// is missing (API Reference, RespondToAuthChallenge).
func TestNewPasswordKeepsAttributes(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u, err := f.CreateUser(ctx, CreateUserInput{Username: "a@b.com", TemporaryPassword: password})
	if err != nil {
		t.Fatal(err)
	}
	session, err := f.NewPasswordSession(ctx, clientID, u)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.CompleteNewPassword(ctx, clientID, session, password,
		map[string]string{"email": "x@b.com"})
	want(t, "another e-mail address", err, NotAuthorized)
	_, err = f.CompleteNewPassword(ctx, clientID, session, password,
		map[string]string{"name": "A"})
	want(t, "a name", err, "")
}
