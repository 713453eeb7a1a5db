package userpool

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestUnknownUsers: nothing tells who has an account, unless the client asks for that.
func TestUnknownUsers(t *testing.T) {
	f, ctx := newFixture(t, func(c *Config) { c.Clients[1].RevealUserExistence = true }), t.Context()
	f.user("known@b.com")
	if _, err := f.FederatedUser(ctx, "Google", Profile{ID: "1", Attributes: map[string]string{"email": "g@b.com"}}); err != nil {
		t.Fatal(err)
	}

	_, known := f.VerifyPassword(ctx, clientID, "known@b.com", "Wrong-1-password")
	for _, name := range []string{"unknown@b.com", "google_1"} {
		_, unknown := f.VerifyPassword(ctx, clientID, name, "Wrong-1-password")
		if diff := cmp.Diff(known, unknown); diff != "" {
			t.Errorf("password sign-in of a known user and %s differ:\n%s", name, diff)
		}
	}
	a, err := f.StartSRP(ctx, clientID, "unknown@b.com", "2")
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.StartSRP(ctx, clientID, "Unknown@b.com", "2")
	if err != nil {
		t.Fatal(err)
	}
	actual, err := f.StartSRP(ctx, clientID, "known@b.com", "2")
	if err != nil {
		t.Fatal(err)
	}
	if a.UserID != b.UserID || a.Salt != b.Salt || a.SRPB == b.SRPB {
		t.Errorf("two challenges for one unknown user: %+v, %+v; want the same user and salt", a, b)
	}
	if len(a.UserID) != len(actual.UserID) || len(actual.Salt)-len(a.Salt) > 4 || len(actual.SRPB)-len(a.SRPB) > 8 {
		t.Errorf("the challenge for an unknown user, %+v, does not look like a real one, %+v", a, actual)
	}
	sent, err := f.ForgotPassword(ctx, clientID, "unknown@b.com")
	if err != nil || sent.Destination != "u***@b***" {
		t.Errorf("forgotten password of an unknown user: %+v, %v", sent, err)
	}
	want(t, "its code", f.ConfirmForgotPassword(ctx, clientID, "unknown@b.com", "000000", password), CodeMismatch)
	want(t, "its confirmation", f.ConfirmSignUp(ctx, clientID, "unknown@b.com", "000000"), ExpiredCode)

	_, err = f.VerifyPassword(ctx, otherClient, "unknown@b.com", password)
	want(t, "with PreventUserExistenceErrors=LEGACY", err, UserNotFound)
	_, err = f.StartSRP(ctx, otherClient, "unknown@b.com", "2")
	want(t, "SRP likewise", err, UserNotFound)
}

func TestForgotPassword(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	const email, fresh = "a@b.com", "Fresh-1-password"
	u := f.user(email)

	sent, err := f.ForgotPassword(ctx, clientID, email)
	if err != nil || sent.Destination != "a***@b***" {
		t.Fatalf("%+v, %v", sent, err)
	}
	code := f.lastCode()
	want(t, "wrong code", f.ConfirmForgotPassword(ctx, clientID, email, wrong(code), fresh), CodeMismatch)
	want(t, "weak password", f.ConfirmForgotPassword(ctx, clientID, email, code, "weak"), InvalidPassword)
	want(t, "right code, still", f.ConfirmForgotPassword(ctx, clientID, email, code, fresh), "")
	want(t, "the code again", f.ConfirmForgotPassword(ctx, clientID, email, code, fresh), ExpiredCode)
	_, err = f.VerifyPassword(ctx, clientID, email, password)
	want(t, "the old password", err, NotAuthorized)
	_, err = f.VerifyPassword(ctx, clientID, email, fresh)
	want(t, "the new password", err, "")

	want(t, "reset by an administrator", f.ResetPassword(ctx, email), "")
	_, err = f.VerifyPassword(ctx, clientID, email, fresh)
	want(t, "sign-in afterwards", err, PasswordResetRequired)

	if _, _, err := f.SignUp(ctx, SignUpInput{ClientID: clientID, Username: "new@b.com", Password: password}); err != nil {
		t.Fatal(err)
	}
	_, err = f.ForgotPassword(ctx, clientID, "new@b.com")
	want(t, "no verified address", err, InvalidParameter)

	want(t, "disabling", f.SetEnabled(ctx, u.Username, false), "")
	want(t, "code of a disabled user", f.ConfirmForgotPassword(ctx, clientID, email, f.lastCode(), fresh), CodeMismatch)
}

func TestNewPassword(t *testing.T) {
	f, ctx := newFixture(t, func(c *Config) { c.RequiredAttributes = []string{"email", "name"} }), t.Context()
	const email, fresh = "a@b.com", "Fresh-1-password"
	if _, err := f.CreateUser(ctx, CreateUserInput{Username: email}); err != nil {
		t.Fatal(err)
	}
	temporary := f.lastCode()
	u, err := f.VerifyPassword(ctx, clientID, email, temporary)
	want(t, "temporary password", err, NewPasswordRequired)
	if u == nil {
		t.Fatal("no user")
	}
	if diff := cmp.Diff([]string{"name"}, f.MissingAttributes(u.Attributes)); diff != "" {
		t.Errorf("missing attributes (-want +got):\n%s", diff)
	}
	session, err := f.NewPasswordSession(ctx, clientID, u)
	if err != nil {
		t.Fatal(err)
	}
	name := map[string]string{"name": "A"}
	for _, c := range []struct {
		what, client, session, password string
		attributes                      map[string]string
		code                            string
	}{
		{"made-up session", clientID, "x", fresh, name, NotAuthorized},
		{"session of another client", otherClient, session, fresh, name, NotAuthorized},
		{"weak password", clientID, session, "weak", name, InvalidPassword},
		{"attribute missing", clientID, session, fresh, nil, InvalidParameter},
		{"unauthorized attribute", clientID, session, fresh, map[string]string{"name": "A", "email_verified": "true"}, NotAuthorized},
		{"all right", clientID, session, fresh, name, ""},
		{"session again", clientID, session, fresh, name, NotAuthorized},
	} {
		_, err := f.CompleteNewPassword(ctx, c.client, c.session, c.password, c.attributes)
		want(t, c.what, err, c.code)
	}
	u, err = f.VerifyPassword(ctx, clientID, email, fresh)
	if err != nil || u.Status != Confirmed || u.Attributes["name"] != "A" {
		t.Errorf("afterwards: %+v, %v", u, err)
	}

	want(t, "another temporary password", f.SetPassword(ctx, email, password, false), "")
	session, err = f.NewPasswordSession(ctx, clientID, u)
	if err != nil {
		t.Fatal(err)
	}
	f.clock.move(sessionLife)
	_, err = f.CompleteNewPassword(ctx, clientID, session, fresh, nil)
	want(t, "session that has expired", err, NotAuthorized)
}

func TestChangePassword(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	want(t, "wrong previous password", f.ChangePassword(ctx, u.Sub, "Wrong-1-password", "Fresh-1-password"), NotAuthorized)
	want(t, "weak password", f.ChangePassword(ctx, u.Sub, password, "weak"), InvalidPassword)
	want(t, "all right", f.ChangePassword(ctx, u.Sub, password, "Fresh-1-password"), "")
	_, err := f.VerifyPassword(ctx, clientID, "a@b.com", "Fresh-1-password")
	want(t, "sign-in", err, "")
}

// TestSRPClaims: a challenge is good once, for its client, its user and three minutes. (That a
// right claim is accepted is shown with the published clients.)
func TestSRPClaims(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	f.user("a@b.com")
	const timestamp = "Tue Feb 3 04:05:06 UTC 2026"
	start := func() *SRPChallenge {
		t.Helper()
		c, err := f.StartSRP(ctx, clientID, "a@b.com", "2")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		what  string
		claim SRPClaim
		code  string
	}{
		{"wrong signature", SRPClaim{"a@b.com", start().SecretBlock, "AAAA", timestamp}, NotAuthorized},
		{"made-up block", SRPClaim{"a@b.com", "AAAA", "AAAA", timestamp}, NotAuthorized},
		{"not base64", SRPClaim{"a@b.com", "?", "AAAA", timestamp}, InvalidParameter},
		{"signature not base64", SRPClaim{"a@b.com", start().SecretBlock, "?", timestamp}, InvalidParameter},
		{"bad timestamp", SRPClaim{"a@b.com", start().SecretBlock, "AAAA", time.RFC3339}, InvalidParameter},
	} {
		_, err := f.FinishSRP(ctx, clientID, c.claim)
		want(t, c.what, err, c.code)
	}
	_, err := f.StartSRP(ctx, clientID, "a@b.com", "0")
	want(t, "public value 0", err, InvalidParameter)
}
