package e2e

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
)

// The Authenticator of ui-react, configured with nothing but amplify_outputs.json. The errors are
// in the words of the user pool, which the Authenticator translates.
func TestAuthenticator(t *testing.T) {
	backend := startBackend(t, sandbox.Config{TLSAddr: "127.0.0.1:0", Clock: stopped()})
	app := startApp(t, newSite(t, "localhost"), backend, appOptions{
		Script: amplify6(t).bundle(t, "authenticator.jsx"),
		Configuration: map[string]any{
			"config": json.RawMessage(backend.Outputs()), "options": map[string]any{"ssr": true},
		},
	})
	browser := backend.browser(t)
	open := func(t testing.TB, query string) *tab {
		b := browser.profile(t)
		b.open(app.origin + "/amplify" + query)
		return b
	}
	// signIn signs in on the first page of the Authenticator.
	signIn := func(b *tab, email, password string) {
		b.t.Helper()
		b.fill("username", email)
		b.fill("password", password)
		b.enter()
	}
	newPasswords := func(b *tab, password string) {
		b.t.Helper()
		b.fill("password", password)
		b.fill("confirm_password", password)
	}
	const wrongCode = "Invalid verification code provided, please try again."

	t.Run("an account from its beginning to its end", func(t *testing.T) {
		const email = "ada@example.com"
		b := open(t, "")
		b.click("Create Account")
		b.fill("email", email)
		newPasswords(b, password)
		b.enter()
		b.sees("Your code is on the way. To log in, enter the code we emailed to a***@e***.")
		code := backend.code(t, email)
		b.fill("confirmation_code", otherCode(code))
		b.click("Confirm")
		b.sees(wrongCode)
		b.fill("confirmation_code", code)
		b.click("Confirm")
		b.sees("Signed in as " + email)
		if got := b.whoami(); got.Username == "" {
			t.Errorf("the server knows nobody: %+v", got)
		}
		b.click("Sign out")
		b.sees("Forgot your password?")
		if got := b.whoami(); got.Reason != string(amplify.ReasonNoSession) {
			t.Errorf("after the sign-out: %+v", got)
		}

		signIn(b, email, password)
		b.sees("Signed in as " + email)
		change := func(current string) {
			b.fill("currentPassword", current)
			b.fill("newPassword", newPassword)
			b.fill("confirmPassword", newPassword)
			b.click("Update password")
		}
		change("Not-the-password-3")
		b.sees("Incorrect username or password.")
		change(password)
		b.sees("The password is changed.")
		b.click("Delete Account")
		b.sees("Deleting your account is not reversible.")
		b.click("Delete")
		b.sees("Forgot your password?")
		signIn(b, email, newPassword)
		b.sees("Incorrect username or password.")
	})

	t.Run("a forgotten password", func(t *testing.T) {
		const email = "grace@example.com"
		backend.addUser(t, sandbox.User{Email: email})
		b := open(t, "")
		b.click("Forgot your password?")
		b.fill("username", email)
		b.click("Send code")
		b.sees("Resend Code")
		code := backend.code(t, email)
		b.fill("confirmation_code", otherCode(code))
		newPasswords(b, newPassword)
		b.click("Submit")
		b.sees(wrongCode)
		b.fill("confirmation_code", code)
		b.click("Submit")
		b.sees("Forgot your password?")
		signIn(b, email, newPassword)
		b.sees("Signed in as " + email)
	})

	t.Run("a temporary password", func(t *testing.T) {
		const email = "linus@example.com"
		backend.addUser(t, sandbox.User{Email: email, NewPasswordRequired: true})
		b := open(t, "")
		signIn(b, email, password)
		b.sees("Change Password")
		newPasswords(b, newPassword)
		b.enter()
		b.sees("Signed in as " + email)
	})

	t.Run("another address", func(t *testing.T) {
		const before, after = "before@example.com", "after@example.org"
		backend.addUser(t, sandbox.User{Email: before})
		b := open(t, "")
		signIn(b, before, password)
		b.sees("Signed in as " + before)
		js := b.amplify()
		var updated struct {
			NextStep struct{ UpdateAttributeStep string }
		}
		js.do(&updated, "updateUserAttribute", map[string]any{
			"userAttribute": map[string]string{"attributeKey": "email", "value": after},
		})
		if step := updated.NextStep.UpdateAttributeStep; step != "CONFIRM_ATTRIBUTE_WITH_CODE" {
			t.Fatalf("updateUserAttribute: next step %s", step)
		}
		code := backend.code(t, before)
		confirm := func(code string) map[string]any {
			return map[string]any{"userAttributeKey": "email", "confirmationCode": code}
		}
		refused := js.fails("CodeMismatchException", "confirmUserAttribute",
			confirm(otherCode(code)))
		if refused.Message != wrongCode {
			t.Errorf("confirmUserAttribute: %s", refused.Message)
		}
		js.do(nil, "confirmUserAttribute", confirm(code))
		b.click("Sign out")
		signIn(b, before, password)
		b.sees("Incorrect username or password.")
		signIn(b, after, password)
		b.sees("Signed in as " + after)
	})

	t.Run("an address that is not verified", func(t *testing.T) {
		const email = "margaret@example.com"
		user := map[string]any{
			"UserPoolId": backend.outputs(t).Auth.UserPoolID, "Username": email,
			"Password": password, "Permanent": true,
		}
		sdk := backend.awsSDK(t)
		sdk.do(nil, "AdminCreateUser", user)
		sdk.do(nil, "AdminSetUserPassword", user)
		b := open(t, "")
		signIn(b, email, password)
		b.sees("Account recovery requires verified contact information")
		b.click("Verify")
		b.sees("Submit")
		code := backend.code(t, email)
		b.fill("confirmation_code", otherCode(code))
		b.click("Submit")
		b.sees(wrongCode)
		b.fill("confirmation_code", code)
		b.click("Submit")
		b.sees("Signed in as " + email)
		var attributes map[string]string
		b.amplify().do(&attributes, "fetchUserAttributes")
		if attributes["email_verified"] != "true" {
			t.Errorf("fetchUserAttributes: %v", attributes)
		}
	})

	t.Run("the words of errors", func(t *testing.T) {
		const locked = "katherine@example.com"
		backend.addUser(t, sandbox.User{Email: locked})
		pool := newPoolClient(t, backend.Outputs())
		for range 5 {
			_, err := pool.signIn(t.Context(), locked, newPassword)
			if !isA[*types.NotAuthorizedException](err) {
				t.Fatal(err)
			}
			forgot := &cognitoidentityprovider.ForgotPasswordInput{
				ClientId: &pool.clientID, Username: aws.String(locked),
			}
			if _, err := pool.api.ForgotPassword(t.Context(), forgot); err != nil {
				t.Fatal(err)
			}
		}
		for _, language := range []struct{ query, wrong, locked, createAccount, exists string }{
			{"", "Incorrect username or password.", "Password attempts exceeded",
				"Create Account", "An account with the given email already exists."},
			{"?lang=de", "Falscher Benutzername oder falsches Passwort",
				"Die maximale Anzahl der fehlerhaften Anmeldeversuche wurde erreicht",
				"Account erstellen", "Ein Account mit dieser E-Mail existiert bereits."},
		} {
			b := open(t, language.query)
			signIn(b, "nobody@example.com", password)
			b.sees(language.wrong)
			signIn(b, locked, password)
			b.sees(language.locked)
			b.click(language.createAccount)
			b.fill("email", locked)
			newPasswords(b, password)
			b.enter()
			b.sees(language.exists)
		}

		b := open(t, "")
		b.click("Forgot your password?")
		b.fill("username", locked)
		b.click("Send code")
		b.sees("Attempt limit exceeded, please try after some time.")
	})
}
