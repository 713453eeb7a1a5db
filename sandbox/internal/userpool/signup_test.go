package userpool

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSignUp(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	const email = "Alice@Example.com"

	u, sent, err := f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: email, Password: password, Attributes: map[string]string{"name": "Alice"}})
	if err != nil {
		t.Fatal(err)
	}
	if u.Username != u.Sub || u.Status != Unconfirmed {
		t.Errorf("username %s, sub %s, status %s: want a UUID for both, unconfirmed", u.Username, u.Sub, u.Status)
	}
	if diff := cmp.Diff(&Delivery{"email", "EMAIL", "A***@E***"}, sent); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
	_, err = f.VerifyPassword(ctx, clientID, email, password)
	want(t, "sign-in before confirmation", err, UserNotConfirmed)
	_, err = f.VerifyPassword(ctx, clientID, email, "Wrong-1-password")
	want(t, "a wrong password says nothing of the status", err, NotAuthorized)

	code := f.lastCode()
	want(t, "wrong code", f.ConfirmSignUp(ctx, clientID, email, wrong(code)), CodeMismatch)
	want(t, "right code", f.ConfirmSignUp(ctx, clientID, email, code), "")
	want(t, "again", f.ConfirmSignUp(ctx, clientID, email, code), NotAuthorized)
	_, err = f.ResendConfirmationCode(ctx, clientID, email)
	want(t, "resend when confirmed", err, InvalidParameter)

	for _, name := range []string{email, strings.ToLower(email), u.Sub} {
		got, err := f.VerifyPassword(ctx, clientID, name, password)
		if err != nil || got.Sub != u.Sub || got.Attributes["email_verified"] != "true" {
			t.Errorf("sign-in as %s: %+v, %v", name, got, err)
		}
	}
	_, _, err = f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: strings.ToUpper(email), Password: password})
	want(t, "the address again", err, UsernameExists)
}

func TestSignUpRefusals(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.RequiredAttributes = []string{"email", "name"} })
	named := map[string]string{"name": "A"}
	for _, c := range []struct {
		what string
		in   SignUpInput
		code string
	}{
		{"unknown client", SignUpInput{"nobody", "a@b.com", password, named}, ResourceNotFound},
		{"no username", SignUpInput{clientID, "", password, named}, InvalidParameter},
		{"not an address", SignUpInput{clientID, "alice", password, named}, InvalidParameter},
		{"an address with a name", SignUpInput{clientID, "A<a@b.com>", password, named}, InvalidParameter},
		{"long username", SignUpInput{clientID, strings.Repeat("a", 128) + "@b.com", password, named}, InvalidParameter},
		{"required attribute missing", SignUpInput{clientID, "a@b.com", password, nil}, InvalidParameter},
		{"unknown attribute", SignUpInput{clientID, "a@b.com", password, map[string]string{"name": "A", "shoe": "42"}}, InvalidParameter},
		{"bad phone", SignUpInput{clientID, "a@b.com", password, map[string]string{"name": "A", "phone_number": "0123"}}, InvalidParameter},
		{"verified by oneself", SignUpInput{clientID, "a@b.com", password, map[string]string{"name": "A", "email_verified": "true"}}, NotAuthorized},
		{"a sub of one's own", SignUpInput{clientID, "a@b.com", password, map[string]string{"name": "A", "sub": "x"}}, NotAuthorized},
		{"weak password", SignUpInput{clientID, "a@b.com", "password", named}, InvalidPassword},
		{"all right", SignUpInput{clientID, "a@b.com", password, map[string]string{"name": "A", "custom:shoe": "42"}}, ""},
	} {
		_, _, err := f.SignUp(t.Context(), c.in)
		want(t, c.what, err, c.code)
	}
}

// TestAliases: where users choose a username, an address becomes theirs when it is verified.
func TestAliases(t *testing.T) {
	f, ctx := newFixture(t, func(c *Config) {
		c.UsernameAttributes, c.AliasAttributes = nil, []string{"email", "preferred_username"}
	}), t.Context()
	signUp := func(name, email string) string {
		t.Helper()
		_, _, err := f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: name, Password: password, Attributes: map[string]string{"email": email}})
		want(t, "sign-up of "+name, err, "")
		return f.lastCode()
	}
	_, _, err := f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: "a@b.com", Password: password, Attributes: map[string]string{"email": "a@b.com"}})
	want(t, "a username like an alias", err, InvalidParameter)

	aliceCode, malloryCode := signUp("alice", "a@b.com"), signUp("mallory", "a@b.com")
	_, _, err = f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: "ALICE", Password: password, Attributes: map[string]string{"email": "c@b.com"}})
	want(t, "the username again", err, UsernameExists)
	if err.Error() != "UsernameExistsException: User already exists" {
		t.Error(err)
	}
	_, err = f.VerifyPassword(ctx, clientID, "a@b.com", password)
	want(t, "sign-in by an unverified alias", err, NotAuthorized)
	want(t, "alice verifies", f.ConfirmSignUp(ctx, clientID, "alice", aliceCode), "")
	want(t, "mallory verifies", f.ConfirmSignUp(ctx, clientID, "mallory", malloryCode), AliasExists)
	u, err := f.VerifyPassword(ctx, clientID, "a@b.com", password)
	if err != nil || u.Username != "alice" {
		t.Errorf("sign-in by alias: %v, %v", u, err)
	}
}

func TestCodes(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	const email = "a@b.com"
	if _, _, err := f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: email, Password: password}); err != nil {
		t.Fatal(err)
	}
	first := f.lastCode()
	if _, err := f.ResendConfirmationCode(ctx, clientID, email); err != nil {
		t.Fatal(err)
	}
	code := f.lastCode()
	if first != code {
		want(t, "a code that was replaced", f.ConfirmSignUp(ctx, clientID, email, first), CodeMismatch)
	}
	f.clock.move(24 * time.Hour)
	want(t, "a code after a day", f.ConfirmSignUp(ctx, clientID, email, code), ExpiredCode)
	f.clock.move(time.Hour) // that attempt counts no longer

	if _, err := f.ResendConfirmationCode(ctx, clientID, email); err != nil {
		t.Fatal(err)
	}
	code = f.lastCode()
	for range confirmSignUp.perHour() {
		want(t, "wrong code", f.ConfirmSignUp(ctx, clientID, email, wrong(code)), CodeMismatch)
	}
	want(t, "the right code after too many wrong ones", f.ConfirmSignUp(ctx, clientID, email, code), LimitExceeded)
	// Otherwise a new code would give new guesses.
	if _, err := f.ResendConfirmationCode(ctx, clientID, email); err != nil {
		t.Fatal(err)
	}
	code = f.lastCode()
	want(t, "a new code", f.ConfirmSignUp(ctx, clientID, email, code), LimitExceeded)
	f.clock.move(time.Hour)
	want(t, "an hour later", f.ConfirmSignUp(ctx, clientID, email, code), "")
}

func TestPasswordPolicy(t *testing.T) {
	strict := PasswordPolicy{8, true, true, true, true}
	for _, c := range []struct {
		policy   PasswordPolicy
		password string
		want     string
	}{
		{strict, "Right-1x", ""},
		{strict, "Pässwör-1", ""},
		{strict, "Rgt-1xx", "InvalidPasswordException: Password did not conform with policy: Password not long enough"},
		{strict, "right-1x", "InvalidPasswordException: Password did not conform with policy: Password must have uppercase characters"},
		{strict, "RIGHT-1X", "InvalidPasswordException: Password did not conform with policy: Password must have lowercase characters"},
		{strict, "Right-xx", "InvalidPasswordException: Password did not conform with policy: Password must have numeric characters"},
		{strict, "Right1xx", "InvalidPasswordException: Password did not conform with policy: Password must have symbol characters"},
		{strict, "Right 1x", ""},
		{PasswordPolicy{}, "12345", "InvalidPasswordException: Password did not conform with policy: Password not long enough"},
		{PasswordPolicy{}, "123456", ""},
		{PasswordPolicy{MinLength: 12}, "12345678901", "InvalidPasswordException: Password did not conform with policy: Password not long enough"},
	} {
		got := ""
		if err := c.policy.check(c.password); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.password, got, c.want)
		}
	}
	for _, p := range []string{" Right-1x", "Right-1x ", strings.Repeat("Right-1x", 33)} {
		want(t, "password outside of what the API takes", strict.check(p), InvalidParameter)
	}
}
