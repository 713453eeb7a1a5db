package e2e

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify/sandbox"
)

// aws-amplify gets its guests' and users' AWS credentials from the sandbox's identity pool.
func TestAmplifyJSIdentityPool(t *testing.T) {
	backend := startBackend(t, sandbox.Config{})
	const ada, bob = "ada@example.com", "bob@example.com"
	backend.addUser(t, sandbox.User{Email: ada})
	backend.addUser(t, sandbox.User{Email: bob})
	start := func() *amplifyJS {
		config := backend.resourcesConfig(t).(map[string]any)
		cognito := config["Auth"].(map[string]any)["Cognito"].(map[string]any)
		cognito["identityPoolId"] = backend.outputs(t).Auth.IdentityPoolID
		cognito["identityPoolEndpoint"] = backend.URL()
		cognito["allowGuestAccess"] = true
		js := amplify6(t).node(t)
		js.do(nil, "configure", config)
		return js
	}
	fetch := func(js *amplifyJS) authSession {
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

// The AWS SDK for JavaScript gets credentials there, too, for a guest and for a user, who gets the
// same identity each time.
func TestAWSSDKForJavaScript(t *testing.T) {
	backend := startBackend(t, sandbox.Config{})
	const ada = "ada@example.com"
	backend.addUser(t, sandbox.User{Email: ada})
	pool := newPoolClient(t, backend.Outputs())
	session, err := pool.signIn(t.Context(), ada, password)
	if err != nil {
		t.Fatal(err)
	}
	o := backend.outputs(t)
	logins, err := json.Marshal(map[string]string{
		"cognito-idp." + o.Auth.Region + ".amazonaws.com/" + o.Auth.UserPoolID: aws.ToString(session.IdToken),
	})
	if err != nil {
		t.Fatal(err)
	}
	identity := func(logins string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, program(t, "node"), filepath.Join(npmProject(t, "js/amplify"), "awssdk.js"),
			o.Auth.Region, backend.URL(), o.Auth.IdentityPoolID, logins).Output()
		if err != nil {
			t.Fatalf("node: %v", err)
		}
		var answer struct {
			IdentityID string
			Complete   bool
			Expiration time.Time
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		if !answer.Complete || time.Until(answer.Expiration) < 59*time.Minute || answer.IdentityID == "" {
			t.Fatalf("no good credentials for identity %q", answer.IdentityID)
		}
		return answer.IdentityID
	}
	user := identity(string(logins))
	if again := identity(string(logins)); again != user {
		t.Errorf("identity %s the second time, %s the first", again, user)
	}
	if guest := identity("{}"); guest == user {
		t.Error("a guest got the user's identity")
	}
}
