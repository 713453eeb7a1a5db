package e2e

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// awsSDK starts the AWS SDK for JavaScript. Its clients know of the sandbox what every program can
// tell them: the endpoint. An administrator's calls are signed; whose key it is does not matter to
// the sandbox.
func (b *backend) awsSDK(t testing.TB) *jsModule {
	t.Helper()
	js := startModule(t, npmProject(t, "js/amplify"), "awssdk.js")
	js.do(nil, "configure", map[string]any{
		"region": b.outputs(t).Auth.Region, "endpoint": b.URL(),
		"credentials": map[string]any{"accessKeyId": "admin", "secretAccessKey": "admin"},
	})
	return js
}

// sdkUser is a user as the SDK describes one.
type sdkUser struct {
	Username, UserStatus       string
	Enabled                    bool
	UserCreateDate             time.Time
	Attributes, UserAttributes []sdkAttribute
}

type sdkAttribute struct{ Name, Value string }

// sdkSignIn is what the SDK's calls to sign in give.
type sdkSignIn struct {
	ChallengeName, Session string
	ChallengeParameters    map[string]string
	AuthenticationResult   *struct {
		AccessToken, IDToken, RefreshToken, TokenType string
		ExpiresIn                                     int
	}
}

// A server administers users by the AWS SDK for JavaScript.
func TestAWSSDKForJavaScriptUserPool(t *testing.T) {
	flows := []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
	backend := startBackend(t, sandbox.Config{Clients: []sandbox.Client{{AuthFlows: flows}}})
	js := backend.awsSDK(t)
	o := backend.outputs(t)
	// in returns the input of an operation on the pool.
	in := func(namesAndValues ...any) map[string]any {
		input := map[string]any{"UserPoolId": o.Auth.UserPoolID}
		for i := 0; i < len(namesAndValues); i += 2 {
			input[namesAndValues[i].(string)] = namesAndValues[i+1]
		}
		return input
	}
	attributes := func(namesAndValues ...string) []sdkAttribute {
		var list []sdkAttribute
		for i := 0; i < len(namesAndValues); i += 2 {
			list = append(list, sdkAttribute{namesAndValues[i], namesAndValues[i+1]})
		}
		return list
	}

	t.Run("a user", func(t *testing.T) {
		const email = "ada@example.com"
		var created struct{ User sdkUser }
		js.do(&created, "AdminCreateUser", in("Username", email, "TemporaryPassword", password,
			"UserAttributes", attributes("email", email, "email_verified", "true", "name", "Ada")))
		if u := created.User; u.Username == "" || u.UserStatus != "FORCE_CHANGE_PASSWORD" ||
			!u.Enabled || time.Since(u.UserCreateDate).Abs() > time.Minute {
			t.Errorf("AdminCreateUser: %+v", u)
		}
		if got := backend.code(t, email); got != password {
			t.Errorf("the invitation has the password %q", got)
		}
		js.do(nil, "AdminCreateUser", in("Username", email, "MessageAction", "RESEND"))
		temporary := backend.code(t, email)
		if temporary == password {
			t.Error("the second invitation has the password of the first")
		}

		credentials := func(password string) map[string]any {
			return in("ClientId", o.Auth.ClientID, "AuthFlow", "ADMIN_USER_PASSWORD_AUTH",
				"AuthParameters", map[string]string{"USERNAME": email, "PASSWORD": password})
		}
		signIn := func(password string) (out sdkSignIn) {
			t.Helper()
			js.do(&out, "AdminInitiateAuth", credentials(password))
			return out
		}
		challenge := signIn(temporary)
		if challenge.ChallengeName != "NEW_PASSWORD_REQUIRED" || challenge.Session == "" ||
			challenge.AuthenticationResult != nil ||
			!strings.Contains(challenge.ChallengeParameters["userAttributes"], `"name":"Ada"`) {
			t.Fatalf("AdminInitiateAuth: %+v", challenge)
		}
		var session sdkSignIn
		js.do(&session, "AdminRespondToAuthChallenge", in("ClientId", o.Auth.ClientID,
			"ChallengeName", challenge.ChallengeName, "Session", challenge.Session,
			"ChallengeResponses", map[string]string{
				"USERNAME": email, "NEW_PASSWORD": newPassword,
			}))
		r := session.AuthenticationResult
		if r == nil || r.AccessToken == "" || r.IDToken == "" || r.RefreshToken == "" ||
			r.TokenType != "Bearer" || r.ExpiresIn != 3600 {
			t.Fatalf("AdminRespondToAuthChallenge: %+v", r)
		}

		js.do(nil, "AdminSetUserPassword",
			in("Username", email, "Password", password, "Permanent", true))
		if got := signIn(password); got.AuthenticationResult == nil {
			t.Errorf("AdminInitiateAuth with the new password: challenge %q", got.ChallengeName)
		}

		js.do(nil, "AdminUpdateUserAttributes", in("Username", email,
			"UserAttributes", attributes("name", "Ada Lovelace", "nickname", "Countess")))
		js.do(nil, "AdminDeleteUserAttributes",
			in("Username", email, "UserAttributeNames", []string{"nickname"}))
		var user sdkUser
		js.do(&user, "AdminGetUser", in("Username", email))
		want := attributes("email", email, "email_verified", "true",
			"name", "Ada Lovelace", "sub", created.User.Username)
		slices.SortFunc(user.UserAttributes, func(a, b sdkAttribute) int {
			return strings.Compare(a.Name, b.Name)
		})
		if diff := gocmp.Diff(want, user.UserAttributes); diff != "" {
			t.Errorf("AdminGetUser: attributes (-want +got):\n%s", diff)
		}
		if user.UserStatus != "CONFIRMED" {
			t.Errorf("AdminGetUser: status %s", user.UserStatus)
		}

		js.do(nil, "AdminDisableUser", in("Username", email))
		refused := js.fails("NotAuthorizedException", "AdminInitiateAuth", credentials(password))
		if refused.Message != "User is disabled." {
			t.Errorf("AdminInitiateAuth of a disabled user: %s", refused.Message)
		}
		js.do(nil, "AdminEnableUser", in("Username", email))
		js.do(nil, "AdminUserGlobalSignOut", in("Username", email))
		js.fails("NotAuthorizedException", "GetUser", map[string]any{"AccessToken": r.AccessToken})
		js.do(nil, "AdminDeleteUser", in("Username", email))
		js.fails("UserNotFoundException", "AdminGetUser", in("Username", email))
	})

	t.Run("a group", func(t *testing.T) {
		const email = "grace@example.com"
		backend.addUser(t, sandbox.User{Email: email})
		type group struct {
			GroupName, Description string
			Precedence             int
		}
		want := group{"admins", "They may do all.", 5}
		name := want.GroupName
		js.do(nil, "CreateGroup", in("GroupName", name,
			"Description", "They may do much.", "Precedence", want.Precedence))
		js.fails("GroupExistsException", "CreateGroup", in("GroupName", name))
		js.do(nil, "UpdateGroup", in("GroupName", name, "Description", want.Description))
		js.do(nil, "AdminAddUserToGroup", in("GroupName", name, "Username", email))

		var one struct{ Group group }
		js.do(&one, "GetGroup", in("GroupName", name))
		var all, ofUser struct{ Groups []group }
		js.do(&all, "ListGroups", in())
		js.do(&ofUser, "AdminListGroupsForUser", in("Username", email))
		for operation, got := range map[string][]group{
			"GetGroup": {one.Group}, "ListGroups": all.Groups,
			"AdminListGroupsForUser": ofUser.Groups,
		} {
			if diff := gocmp.Diff([]group{want}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", operation, diff)
			}
		}
		var members struct{ Users []sdkUser }
		js.do(&members, "ListUsersInGroup", in("GroupName", name))
		if len(members.Users) != 1 ||
			!slices.Contains(members.Users[0].Attributes, sdkAttribute{"email", email}) {
			t.Errorf("ListUsersInGroup: %+v", members)
		}
		js.do(nil, "AdminRemoveUserFromGroup", in("GroupName", name, "Username", email))
		js.do(nil, "DeleteGroup", in("GroupName", name))
		js.fails("ResourceNotFoundException", "GetGroup", in("GroupName", name))
	})

	t.Run("a list of users", func(t *testing.T) {
		want := []string{}
		for i := range 5 {
			email := fmt.Sprintf("list%d@example.com", i)
			backend.addUser(t, sandbox.User{Email: email})
			want = append(want, email)
		}
		var got []string
		page := in("Filter", `email ^= "list"`, "Limit", 2, "AttributesToGet", []string{"email"})
		for {
			var out struct {
				Users           []sdkUser
				PaginationToken string
			}
			js.do(&out, "ListUsers", page)
			for _, u := range out.Users {
				if len(u.Attributes) != 1 || u.Attributes[0].Name != "email" {
					t.Fatalf("ListUsers gave the attributes %v", u.Attributes)
				}
				got = append(got, u.Attributes[0].Value)
			}
			if out.PaginationToken == "" {
				break
			}
			page["PaginationToken"] = out.PaginationToken
		}
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("ListUsers (-want +got):\n%s", diff)
		}
	})

	t.Run("descriptions", func(t *testing.T) {
		var pool struct {
			UserPool struct {
				ID                 string
				UsernameAttributes []string
				Policies           struct{ PasswordPolicy struct{ MinimumLength int } }
			}
		}
		js.do(&pool, "DescribeUserPool", in())
		if p := pool.UserPool; p.ID != o.Auth.UserPoolID ||
			!slices.Equal(p.UsernameAttributes, []string{"email"}) ||
			p.Policies.PasswordPolicy.MinimumLength != 8 {
			t.Errorf("DescribeUserPool: %+v", p)
		}
		var client struct {
			UserPoolClient struct {
				ClientID          string
				ExplicitAuthFlows []string
			}
		}
		js.do(&client, "DescribeUserPoolClient", in("ClientId", o.Auth.ClientID))
		if c := client.UserPoolClient; c.ClientID != o.Auth.ClientID ||
			!slices.Equal(c.ExplicitAuthFlows, flows) {
			t.Errorf("DescribeUserPoolClient: %+v", c)
		}
		var pools struct{ UserPools []struct{ ID string } }
		js.do(&pools, "ListUserPools", map[string]any{"MaxResults": 10})
		if len(pools.UserPools) != 1 || pools.UserPools[0].ID != o.Auth.UserPoolID {
			t.Errorf("ListUserPools: %+v", pools)
		}
		var clients struct{ UserPoolClients []struct{ ClientID string } }
		js.do(&clients, "ListUserPoolClients", in())
		if len(clients.UserPoolClients) != 1 ||
			clients.UserPoolClients[0].ClientID != o.Auth.ClientID {
			t.Errorf("ListUserPoolClients: %+v", clients)
		}
	})

	// The SDK makes an object of the class that it has for an error, and for others one of the
	// service's own class.
	t.Run("errors", func(t *testing.T) {
		const email = "linus@example.com"
		backend.addUser(t, sandbox.User{Email: email})
		const base = "CognitoIdentityProviderServiceException"
		for _, c := range []struct {
			operation string
			input     map[string]any
			name      string
			class     string // "": the name
		}{
			{"AdminGetUser", in("Username", "nobody@example.com"), "UserNotFoundException", ""},
			{"AdminCreateUser", in("Username", email), "UsernameExistsException", ""},
			{"AdminSetUserPassword", in("Username", email, "Password", "weak-one"),
				"InvalidPasswordException", ""},
			{"AdminUpdateUserAttributes",
				in("Username", email, "UserAttributes", attributes("email", "no address")),
				"InvalidParameterException", ""},
			{"ListUsers", in("Filter", "who = me"), "InvalidParameterException", ""},
			{"DescribeUserPool", map[string]any{"UserPoolId": "us-east-1_nowhere"},
				"ResourceNotFoundException", ""},
			{"DescribeUserPoolClient", in("ClientId", "nowhere"), "ResourceNotFoundException", ""},
			{"AdminCreateUser", in("Username", email, "MessageAction", "RESEND"),
				"UnsupportedUserStateException", ""},
			{"InitiateAuth", map[string]any{"ClientId": o.Auth.ClientID,
				"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": map[string]string{
					"USERNAME": email, "PASSWORD": password,
				}}, "InvalidParameterException", ""},
			{"ListDevices", map[string]any{"AccessToken": "a.b.c"},
				"UnknownOperationException", base},
			{"ListTerms", in(), "UnknownOperationException", base},
		} {
			got := js.fails(c.name, c.operation, c.input)
			if got.Class != cmp.Or(c.class, c.name) || got.Status != 400 || got.Message == "" {
				t.Errorf("%s: class %s, status %d, message %q",
					c.operation, got.Class, got.Status, got.Message)
			}
		}
		if got := backend.Calls()["UnknownOperation"]; got != 2 {
			t.Errorf("the sandbox counted %d unknown operations", got)
		}
	})
}

// The AWS SDK for JavaScript gets AWS credentials for a guest and for a user, who gets the same
// identity each time, and administers identities.
func TestAWSSDKForJavaScriptIdentityPool(t *testing.T) {
	backend := startBackend(t, sandbox.Config{})
	const ada = "ada@example.com"
	backend.addUser(t, sandbox.User{Email: ada})
	tokens, err := backend.Tokens(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	o := backend.outputs(t)
	provider := "cognito-idp." + o.Auth.Region + ".amazonaws.com/" + o.Auth.UserPoolID
	logins := map[string]string{provider: tokens.IDToken}
	js := backend.awsSDK(t)

	identity := func(logins map[string]string) string {
		t.Helper()
		var id struct{ IdentityID string }
		js.do(&id, "GetId",
			map[string]any{"IdentityPoolId": o.Auth.IdentityPoolID, "Logins": logins})
		var out struct {
			IdentityID  string
			Credentials struct {
				AccessKeyID, SecretKey, SessionToken string
				Expiration                           time.Time
			}
		}
		js.do(&out, "GetCredentialsForIdentity",
			map[string]any{"IdentityId": id.IdentityID, "Logins": logins})
		if c := out.Credentials; out.IdentityID != id.IdentityID ||
			c.AccessKeyID == "" || c.SecretKey == "" || c.SessionToken == "" ||
			time.Until(c.Expiration) < 59*time.Minute {
			t.Fatalf("no good credentials for identity %q", id.IdentityID)
		}
		return id.IdentityID
	}
	user := identity(logins)
	if again := identity(logins); again != user {
		t.Errorf("identity %s the second time, %s the first", again, user)
	}
	guest := identity(nil)
	if guest == user {
		t.Error("a guest got the user's identity")
	}

	pool := map[string]any{"IdentityPoolId": o.Auth.IdentityPoolID}
	var description struct {
		IdentityPoolID                 string
		AllowUnauthenticatedIdentities bool
		CognitoIdentityProviders       []struct{ ProviderName, ClientID string }
	}
	js.do(&description, "DescribeIdentityPool", pool)
	if d := description; d.IdentityPoolID != o.Auth.IdentityPoolID ||
		!d.AllowUnauthenticatedIdentities || len(d.CognitoIdentityProviders) != 1 ||
		d.CognitoIdentityProviders[0].ProviderName != provider ||
		d.CognitoIdentityProviders[0].ClientID != o.Auth.ClientID {
		t.Errorf("DescribeIdentityPool: %+v", d)
	}
	var roles struct{ Roles map[string]string }
	js.do(&roles, "GetIdentityPoolRoles", pool)
	if roles.Roles["authenticated"] == "" || roles.Roles["unauthenticated"] == "" {
		t.Errorf("GetIdentityPoolRoles: %v", roles.Roles)
	}
	var list struct {
		Identities []struct {
			IdentityID string
			Logins     []string
		}
	}
	js.do(&list, "ListIdentities",
		map[string]any{"IdentityPoolId": o.Auth.IdentityPoolID, "MaxResults": 10})
	for _, i := range list.Identities {
		want := map[string][]string{user: {provider}, guest: nil}[i.IdentityID]
		if !slices.Equal(i.Logins, want) {
			t.Errorf("identity %s has the logins %v, want %v", i.IdentityID, i.Logins, want)
		}
	}
	if len(list.Identities) != 2 {
		t.Errorf("ListIdentities: %+v", list)
	}
	js.do(nil, "DeleteIdentities", map[string]any{"IdentityIdsToDelete": []string{guest}})
	js.fails("ResourceNotFoundException", "GetCredentialsForIdentity",
		map[string]any{"IdentityId": guest})
	logins[provider] += "x"
	refused := js.fails("NotAuthorizedException", "GetId",
		map[string]any{"IdentityPoolId": o.Auth.IdentityPoolID, "Logins": logins})
	if refused.Class != refused.Name {
		t.Errorf("GetId with a token that was changed: class %s", refused.Class)
	}
}
