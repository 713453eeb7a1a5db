package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// Through endpoints in a ResourcesConfig literal, as applications reach a user pool that is not
// AWS's own.
func TestAmplifyJSThroughEndpoints(t *testing.T) {
	backend := startBackend(t, sandbox.Config{})
	useUserPool(t, backend, func(t testing.TB) *jsModule {
		js := amplify6(t).node(t)
		js.do(nil, "configure", backend.resourcesConfig(t))
		return js
	})
}

// With nothing but its own amplify_outputs.json: the library dials AWS's host names by TLS.
func TestAmplifyJSUnmodified(t *testing.T) {
	backend := startBackend(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	useUserPool(t, backend, func(t testing.TB) *jsModule {
		js := amplify6(t).node(t, backend.nodeEnvironment(t)...)
		js.do(nil, "configure", json.RawMessage(backend.Outputs()))
		return js
	})
}

// useUserPool does with aws-amplify what an application's users do. start makes another client of
// the user pool, in which nobody is signed in.
func useUserPool(t *testing.T, backend *backend, start func(testing.TB) *jsModule) {
	const email = "ada@example.com"

	t.Run("sign-up", func(t *testing.T) {
		js := start(t)
		var signUp struct {
			IsSignUpComplete bool
			UserID           string
			NextStep         struct {
				SignUpStep          string
				CodeDeliveryDetails struct{ AttributeName, DeliveryMedium, Destination string }
			}
		}
		details := map[string]any{"username": email, "password": password,
			"options": map[string]any{"userAttributes": map[string]any{"email": email, "name": "Ada"}}}
		js.do(&signUp, "signUp", details)
		if got := signUp.NextStep; signUp.IsSignUpComplete || signUp.UserID == "" || got.SignUpStep != "CONFIRM_SIGN_UP" ||
			got.CodeDeliveryDetails.AttributeName != "email" || got.CodeDeliveryDetails.DeliveryMedium != "EMAIL" || got.CodeDeliveryDetails.Destination != "a***@e***" {
			t.Errorf("signUp: %+v", signUp)
		}
		js.fails("UsernameExistsException", "signUp", details)
		js.fails("InvalidPasswordException", "signUp", map[string]any{"username": "bob@example.com", "password": "short",
			"options": map[string]any{"userAttributes": map[string]any{"email": "bob@example.com"}}})

		if step := signIn(js, email, password); step != "CONFIRM_SIGN_UP" {
			t.Errorf("signIn before the address is confirmed: next step %s", step)
		}
		js.do(nil, "resendSignUpCode", map[string]any{"username": email})
		code := backend.code(t, email)
		js.fails("CodeMismatchException", "confirmSignUp", map[string]any{"username": email, "confirmationCode": otherCode(code)})
		js.do(&signUp, "confirmSignUp", map[string]any{"username": email, "confirmationCode": code})
		if !signUp.IsSignUpComplete {
			t.Errorf("confirmSignUp: %+v", signUp)
		}
	})

	t.Run("session", func(t *testing.T) {
		js := start(t)
		js.fails("UserUnAuthenticatedException", "getCurrentUser")
		js.fails("NotAuthorizedException", "signIn", map[string]any{"username": email, "password": newPassword})
		// Whether somebody has an account is told to nobody.
		js.fails("NotAuthorizedException", "signIn", map[string]any{"username": "nobody@example.com", "password": password})

		if step := signIn(js, email, password); step != "DONE" {
			t.Fatalf("signIn: next step %s", step)
		}
		var user struct {
			Username, UserID string
			SignInDetails    struct{ LoginID, AuthFlowType string }
		}
		js.do(&user, "getCurrentUser")
		if user.SignInDetails.LoginID != email || user.SignInDetails.AuthFlowType != "USER_SRP_AUTH" || user.UserID == "" {
			t.Errorf("getCurrentUser: %+v", user)
		}
		session := fetchAuthSession(js, false)
		if session.UserSub != user.UserID || session.Tokens.IDToken.Payload["email"] != email || session.Tokens.AccessToken.Payload["token_use"] != "access" {
			t.Errorf("fetchAuthSession: %+v", session)
		}

		var attributes map[string]string
		js.do(&attributes, "fetchUserAttributes")
		if attributes["name"] != "Ada" || attributes["email"] != email || attributes["email_verified"] != "true" || attributes["sub"] != user.UserID {
			t.Errorf("fetchUserAttributes: %v", attributes)
		}
		js.do(nil, "updateUserAttributes", map[string]any{"userAttributes": map[string]any{"name": "Ada Lovelace"}})
		js.do(&attributes, "fetchUserAttributes")
		if attributes["name"] != "Ada Lovelace" {
			t.Errorf("fetchUserAttributes after the update: %v", attributes)
		}

		refreshed := fetchAuthSession(js, true)
		if refreshed.Tokens.AccessToken.Text == session.Tokens.AccessToken.Text {
			t.Error("the refresh gave the same access token")
		}
		if got := refreshed.Tokens.IDToken.Payload["name"]; got != "Ada Lovelace" {
			t.Errorf("the refreshed ID token names %v", got)
		}

		js.fails("NotAuthorizedException", "updatePassword", map[string]any{"oldPassword": newPassword, "newPassword": newPassword})
		js.do(nil, "updatePassword", map[string]any{"oldPassword": password, "newPassword": newPassword})
		js.do(nil, "signOut")
		js.fails("UserUnAuthenticatedException", "getCurrentUser")
		js.fails("NotAuthorizedException", "signIn", map[string]any{"username": email, "password": password})
		signIn(js, email, newPassword)
		js.do(nil, "updatePassword", map[string]any{"oldPassword": newPassword, "newPassword": password})
	})

	t.Run("sign-out everywhere", func(t *testing.T) {
		here, there := start(t), start(t)
		for _, js := range []*jsModule{here, there} {
			if step := signIn(js, email, password); step != "DONE" {
				t.Fatalf("signIn: next step %s", step)
			}
		}
		here.do(nil, "signOut", map[string]any{"global": true})
		there.fails("NotAuthorizedException", "fetchUserAttributes")
		// The refresh ends the session here, too. With an identity pool the call fails nevertheless:
		// the library then asks for a guest's credentials with the user's identity.
		there.call("fetchAuthSession", map[string]any{"forceRefresh": true})
		there.fails("UserUnAuthenticatedException", "getCurrentUser")
	})

	t.Run("forgotten password", func(t *testing.T) {
		js := start(t)
		var reset struct {
			NextStep struct {
				ResetPasswordStep   string
				CodeDeliveryDetails struct{ DeliveryMedium string }
			}
		}
		js.do(&reset, "resetPassword", map[string]any{"username": email})
		if reset.NextStep.ResetPasswordStep != "CONFIRM_RESET_PASSWORD_WITH_CODE" || reset.NextStep.CodeDeliveryDetails.DeliveryMedium != "EMAIL" {
			t.Errorf("resetPassword: %+v", reset)
		}
		code := backend.code(t, email)
		confirm := func(code, password string) map[string]any {
			return map[string]any{"username": email, "confirmationCode": code, "newPassword": password}
		}
		js.fails("CodeMismatchException", "confirmResetPassword", confirm(otherCode(code), newPassword))
		js.fails("InvalidPasswordException", "confirmResetPassword", confirm(code, "weak"))
		js.do(nil, "confirmResetPassword", confirm(code, newPassword))
		js.fails("NotAuthorizedException", "signIn", map[string]any{"username": email, "password": password})
		if step := signIn(js, email, newPassword); step != "DONE" {
			t.Errorf("signIn with the new password: next step %s", step)
		}
	})

	t.Run("temporary password", func(t *testing.T) {
		const invited = "invited@example.com"
		backend.addUser(t, sandbox.User{Email: invited, NewPasswordRequired: true})
		js := start(t)
		if step := signIn(js, invited, password); step != "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED" {
			t.Fatalf("signIn with a temporary password: next step %s", step)
		}
		js.do(nil, "confirmSignIn", map[string]any{"challengeResponse": newPassword,
			"options": map[string]any{"userAttributes": map[string]any{"name": "Grace"}}})
		var attributes map[string]string
		js.do(&attributes, "fetchUserAttributes")
		if attributes["name"] != "Grace" || attributes["email"] != invited {
			t.Errorf("fetchUserAttributes: %v", attributes)
		}
		js.do(nil, "deleteUser")
		js.fails("NotAuthorizedException", "signIn", map[string]any{"username": invited, "password": newPassword})
	})
}

// signIn signs in by SRP, the library's default, and returns the next step.
func signIn(js *jsModule, username, password string) string {
	js.t.Helper()
	var out struct{ NextStep struct{ SignInStep string } }
	js.do(&out, "signIn", map[string]any{"username": username, "password": password})
	return out.NextStep.SignInStep
}

// authSession is what fetchAuthSession resolves to.
type authSession struct {
	UserSub     string
	Tokens      *struct{ AccessToken, IDToken jsToken }
	IdentityID  string
	Credentials *struct {
		AccessKeyID, SecretAccessKey, SessionToken string
		Expiration                                 time.Time
	}
}

type jsToken struct {
	Payload map[string]any
	Text    string
}

func fetchAuthSession(js *jsModule, forceRefresh bool) authSession {
	js.t.Helper()
	var session authSession
	js.do(&session, "fetchAuthSession", map[string]any{"forceRefresh": forceRefresh})
	return session
}

// otherCode returns a code that is not code.
func otherCode(code string) string {
	last := (code[len(code)-1]-'0'+1)%10 + '0'
	return code[:len(code)-1] + string(last)
}
