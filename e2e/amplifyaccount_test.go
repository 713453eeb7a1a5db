package e2e

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
)

// What users do with their accounts less often, by aws-amplify in Node.js. It gets nothing but
// amplify_outputs.json.
func TestAmplifyJSAccount(t *testing.T) {
	backend := startBackend(t, sandbox.Config{TLSAddr: "127.0.0.1:0", Clock: stopped()})
	pool := newPoolClient(t, backend.Outputs())
	environment := backend.nodeEnvironment(t)
	start := func(t testing.TB) *jsModule {
		js := amplify6(t).node(t, environment...)
		js.do(nil, "configure", json.RawMessage(backend.Outputs()))
		return js
	}
	signUp := func(email string, options map[string]any) map[string]any {
		options["userAttributes"] = map[string]string{"email": email}
		return map[string]any{"username": email, "password": password, "options": options}
	}
	confirm := func(email, code string) map[string]any {
		return map[string]any{"username": email, "confirmationCode": code}
	}

	t.Run("a session that begins with the sign-up", func(t *testing.T) {
		const email = "auto@example.com"
		js := start(t)
		js.fails("AutoSignInException", "autoSignIn")
		js.do(nil, "signUp", signUp(email, map[string]any{"autoSignIn": true}))
		var confirmed struct{ NextStep struct{ SignUpStep string } }
		js.do(&confirmed, "confirmSignUp", confirm(email, backend.code(t, email)))
		if step := confirmed.NextStep.SignUpStep; step != "COMPLETE_AUTO_SIGN_IN" {
			t.Fatalf("confirmSignUp: next step %s", step)
		}
		var signedIn struct{ IsSignedIn bool }
		js.do(&signedIn, "autoSignIn")
		if !signedIn.IsSignedIn || fetchAuthSession(js, false).Tokens == nil {
			t.Error("autoSignIn began no session")
		}
		js.fails("UserAlreadyAuthenticatedException", "signIn",
			map[string]any{"username": email, "password": password})
	})

	t.Run("a code that is sent again", func(t *testing.T) {
		const email = "again@example.com"
		js := start(t)
		js.do(nil, "signUp", signUp(email, map[string]any{}))
		lost := backend.code(t, email)
		var sent struct{ AttributeName, DeliveryMedium, Destination string }
		js.do(&sent, "resendSignUpCode", map[string]any{"username": email})
		if sent.AttributeName != "email" || sent.DeliveryMedium != "EMAIL" ||
			sent.Destination != "a***@e***" {
			t.Errorf("resendSignUpCode: %+v", sent)
		}
		code := backend.code(t, email)
		for code == lost { // one in a million
			js.do(nil, "resendSignUpCode", map[string]any{"username": email})
			code = backend.code(t, email)
		}
		js.fails("CodeMismatchException", "confirmSignUp", confirm(email, lost))
		js.do(nil, "confirmSignUp", confirm(email, code))

		refused := js.fails("InvalidParameterException", "resendSignUpCode",
			map[string]any{"username": email})
		if refused.Message != "User is already confirmed." {
			t.Errorf("resendSignUpCode: %s", refused.Message)
		}
		refused = js.fails("NotAuthorizedException", "confirmSignUp", confirm(email, code))
		if refused.Message != "User cannot be confirmed. Current status is CONFIRMED" {
			t.Errorf("confirmSignUp: %s", refused.Message)
		}
	})

	t.Run("another address", func(t *testing.T) {
		const before, after = "before@example.com", "after@example.org"
		backend.addUser(t, sandbox.User{Email: before})
		js := start(t)
		signIn(js, before, password)
		var updated map[string]struct {
			IsUpdated bool
			NextStep  struct {
				UpdateAttributeStep string
				CodeDeliveryDetails struct{ AttributeName, DeliveryMedium, Destination string }
			}
		}
		js.do(&updated, "updateUserAttributes", map[string]any{
			"userAttributes": map[string]string{"email": after, "name": "Ada", "nickname": "A."},
		})
		if !updated["name"].IsUpdated || updated["name"].NextStep.UpdateAttributeStep != "DONE" {
			t.Errorf("updateUserAttributes: name: %+v", updated["name"])
		}
		if u := updated["email"]; u.IsUpdated ||
			u.NextStep.UpdateAttributeStep != "CONFIRM_ATTRIBUTE_WITH_CODE" ||
			u.NextStep.CodeDeliveryDetails.Destination != "a***@e***" {
			t.Errorf("updateUserAttributes: email: %+v", u)
		}
		lost := backend.code(t, before)

		// The address with which the user signs in is the old one until the new one is verified.
		signsIn := func(address string, wanted bool) {
			t.Helper()
			_, err := pool.signIn(t.Context(), address, password)
			if wanted && err != nil || !wanted && !isA[*types.NotAuthorizedException](err) {
				t.Errorf("signing in as %s: %v", address, err)
			}
		}
		signsIn(before, true)
		signsIn(after, false)

		js.do(nil, "sendUserAttributeVerificationCode", map[string]any{"userAttributeKey": "email"})
		code := backend.code(t, before)
		confirm := func(code string) map[string]any {
			return map[string]any{"userAttributeKey": "email", "confirmationCode": code}
		}
		if lost != code {
			js.fails("CodeMismatchException", "confirmUserAttribute", confirm(lost))
		}
		js.do(nil, "confirmUserAttribute", confirm(code))
		js.do(nil, "deleteUserAttributes",
			map[string]any{"userAttributeKeys": []string{"nickname"}})
		var attributes map[string]string
		js.do(&attributes, "fetchUserAttributes")
		_, deleted := attributes["nickname"]
		if attributes["email"] != after || attributes["email_verified"] != "true" ||
			attributes["name"] != "Ada" || deleted {
			t.Errorf("fetchUserAttributes: %v", attributes)
		}
		signsIn(before, false)
		signsIn(after, true)
	})

	t.Run("AWS credentials after the sign-out", func(t *testing.T) {
		const email = "guest@example.com"
		backend.addUser(t, sandbox.User{Email: email})
		js := start(t)
		signIn(js, email, password)
		user := fetchAuthSession(js, false)
		if user.Credentials == nil || user.UserSub == "" {
			t.Fatal("fetchAuthSession gave the user no credentials")
		}
		js.do(nil, "signOut")
		guest := fetchAuthSession(js, false)
		if guest.Tokens != nil || guest.UserSub != "" || guest.Credentials == nil {
			t.Fatal("fetchAuthSession did not give what a guest gets")
		}
		if guest.IdentityID == user.IdentityID ||
			guest.Credentials.AccessKeyID == user.Credentials.AccessKeyID {
			t.Error("the guest goes on with the user's identity")
		}
	})

	t.Run("a flow that the client does not allow", func(t *testing.T) {
		const email = "flow@example.com"
		backend.addUser(t, sandbox.User{Email: email})
		js := start(t)
		refused := js.fails("InvalidParameterException", "signIn", map[string]any{
			"username": email, "password": password,
			"options": map[string]any{"authFlowType": "USER_PASSWORD_AUTH"},
		})
		if refused.Message != "USER_PASSWORD_AUTH flow not enabled for this client" {
			t.Errorf("signIn: %s", refused.Message)
		}
	})

	t.Run("attempts that are too many", func(t *testing.T) {
		const email = "many@example.com"
		backend.addUser(t, sandbox.User{Email: email})
		js := start(t)
		js.do(nil, "resetPassword", map[string]any{"username": email})
		code := backend.code(t, email)
		reset := func(code string) map[string]any {
			return map[string]any{
				"username": email, "confirmationCode": code, "newPassword": newPassword,
			}
		}
		for range 5 {
			js.fails("CodeMismatchException", "confirmResetPassword", reset(otherCode(code)))
		}
		refused := js.fails("LimitExceededException", "confirmResetPassword", reset(code))
		if refused.Message != "Attempt limit exceeded, please try after some time." {
			t.Errorf("confirmResetPassword: %s", refused.Message)
		}

		for range 5 {
			_, err := pool.signIn(t.Context(), email, newPassword)
			if !isA[*types.NotAuthorizedException](err) {
				t.Fatal(err)
			}
		}
		refused = js.fails("NotAuthorizedException", "signIn",
			map[string]any{"username": email, "password": password})
		if refused.Message != "Password attempts exceeded" {
			t.Errorf("signIn: %s", refused.Message)
		}
		backend.SetClockOffset(time.Second)
		if step := signIn(js, email, password); step != "DONE" {
			t.Errorf("signIn after the lock-out: next step %s", step)
		}
	})
}

// The flow USER_AUTH, by aws-amplify in Node.js: the session of a sign-up signs the user in without
// the password, and users choose how to sign in.
func TestAmplifyJSChoice(t *testing.T) {
	backend := startBackend(t, sandbox.Config{TLSAddr: "127.0.0.1:0", Clients: []sandbox.Client{
		{AuthFlows: []string{"ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}},
	}})
	environment := backend.nodeEnvironment(t)
	start := func(t testing.TB) *jsModule {
		js := amplify6(t).node(t, environment...)
		js.do(nil, "configure", json.RawMessage(backend.Outputs()))
		return js
	}
	type step struct {
		IsSignedIn bool
		NextStep   struct {
			SignInStep, SignUpStep string
			AvailableChallenges    []string
		}
	}
	signedIn := func(t *testing.T, js *jsModule, s step) {
		t.Helper()
		if !s.IsSignedIn || fetchAuthSession(js, false).Tokens == nil {
			t.Errorf("there is no session: %+v", s)
		}
	}

	t.Run("the session of a sign-up", func(t *testing.T) {
		const email = "auto@example.com"
		js := start(t)
		js.do(nil, "signUp", map[string]any{
			"username": email, "password": password,
			"options": map[string]any{
				"userAttributes": map[string]string{"email": email},
				"autoSignIn":     map[string]string{"authFlowType": "USER_AUTH"},
			},
		})
		var s step
		js.do(&s, "confirmSignUp", map[string]any{
			"username": email, "confirmationCode": backend.code(t, email)})
		if s.NextStep.SignUpStep != "COMPLETE_AUTO_SIGN_IN" {
			t.Fatalf("confirmSignUp: %+v", s)
		}
		js.do(&s, "autoSignIn")
		signedIn(t, js, s)
	})

	backend.addUser(t, sandbox.User{Email: ada})
	signIn := func(js *jsModule, options map[string]any) (s step) {
		options["authFlowType"] = "USER_AUTH"
		js.do(&s, "signIn",
			map[string]any{"username": ada, "password": password, "options": options})
		return s
	}
	for _, challenge := range []string{"PASSWORD", "PASSWORD_SRP"} {
		t.Run(challenge+" preferred", func(t *testing.T) {
			js := start(t)
			signedIn(t, js, signIn(js, map[string]any{"preferredChallenge": challenge}))
		})
		t.Run(challenge+" chosen", func(t *testing.T) {
			js := start(t)
			s := signIn(js, map[string]any{})
			if s.NextStep.SignInStep != "CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION" ||
				!slices.Contains(s.NextStep.AvailableChallenges, challenge) {
				t.Fatalf("signIn: %+v", s)
			}
			js.do(&s, "confirmSignIn", map[string]string{"challengeResponse": challenge})
			js.do(&s, "confirmSignIn", map[string]string{"challengeResponse": password})
			signedIn(t, js, s)
		})
	}
}
