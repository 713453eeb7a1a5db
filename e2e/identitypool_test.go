package e2e

import (
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// aws-amplify gets its guests' and users' AWS credentials from the sandbox's identity pool.
func TestAmplifyJSIdentityPool(t *testing.T) {
	backend := startBackend(t, sandbox.Config{})
	const ada, bob = "ada@example.com", "bob@example.com"
	backend.addUser(t, sandbox.User{Email: ada})
	backend.addUser(t, sandbox.User{Email: bob})
	start := func() *jsModule {
		config := backend.resourcesConfig(t).(map[string]any)
		cognito := config["Auth"].(map[string]any)["Cognito"].(map[string]any)
		cognito["identityPoolId"] = backend.outputs(t).Auth.IdentityPoolID
		cognito["identityPoolEndpoint"] = backend.URL()
		cognito["allowGuestAccess"] = true
		js := amplify6(t).node(t)
		js.do(nil, "configure", config)
		return js
	}
	fetch := func(js *jsModule) authSession {
		t.Helper()
		var s authSession
		js.do(&s, "fetchAuthSession")
		if s.Credentials == nil || s.Credentials.AccessKeyID == "" || s.Credentials.SecretAccessKey == "" || s.Credentials.SessionToken == "" ||
			time.Until(s.Credentials.Expiration) < 59*time.Minute {
			t.Fatalf("fetchAuthSession gave no good credentials for identity %q", s.IdentityID)
		}
		return s
	}
	js := start()
	guest := fetch(js)
	if again := fetch(js); again.IdentityID != guest.IdentityID {
		t.Error("the guest got another identity")
	}
	signIn(js, ada, password)
	first := fetch(js)
	if first.IdentityID != guest.IdentityID || first.Credentials.AccessKeyID == guest.Credentials.AccessKeyID {
		t.Error("the guest who signed in did not become the user")
	}
	js.do(nil, "signOut")

	other := start()
	guest = fetch(other)
	signIn(other, ada, password)
	if again := fetch(other); again.IdentityID != first.IdentityID || again.UserSub != first.UserSub {
		t.Errorf("identity %s in another browser, want %s", again.IdentityID, first.IdentityID)
	}
	other.do(nil, "signOut")
	signIn(other, bob, password)
	if bobs := fetch(other); bobs.IdentityID == first.IdentityID || bobs.IdentityID == guest.IdentityID {
		t.Error("another user got an identity that is not his")
	}
}
