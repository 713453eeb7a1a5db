package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/internal/srp/srptest"
)

// signIn signs a user in as Amplify JS does by default, and returns the answer to the last call.
func signIn(
	t *testing.T, c *cognito.Client, clientID, name, password string,
) (*cognito.RespondToAuthChallengeOutput, error) {
	t.Helper()
	pools, err := c.ListUserPools(t.Context(),
		&cognito.ListUserPoolsInput{MaxResults: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	user := newSRPUser(*pools.UserPools[0].Id)
	begun, err := c.InitiateAuth(t.Context(), &cognito.InitiateAuthInput{
		ClientId: &clientID, AuthFlow: types.AuthFlowTypeUserSrpAuth,
		AuthParameters: map[string]string{"USERNAME": name, "SRP_A": user.A()}})
	if err != nil {
		return nil, err
	}
	return c.RespondToAuthChallenge(t.Context(), &cognito.RespondToAuthChallengeInput{
		ClientId: &clientID, ChallengeName: begun.ChallengeName,
		ChallengeResponses: user.claim(t, begun.ChallengeParameters, password)})
}

// srpUser is somebody who signs in by SRP.
type srpUser struct{ *srptest.Client }

func newSRPUser(poolID string) srpUser {
	_, name, _ := strings.Cut(poolID, "_")
	return srpUser{srptest.NewClient(name)}
}

// claim returns the ChallengeResponses to a challenge with these parameters.
func (u srpUser) claim(
	t *testing.T, parameters map[string]string, password string,
) map[string]string {
	t.Helper()
	block, err := base64.StdEncoding.DecodeString(parameters["SECRET_BLOCK"])
	if err != nil {
		t.Fatal(err)
	}
	timestamp := time.Now().UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	signature := u.Sign(parameters["USER_ID_FOR_SRP"], password,
		parameters["SALT"], parameters["SRP_B"], block, timestamp)
	return map[string]string{
		"USERNAME":                    parameters["USERNAME"],
		"PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
		"PASSWORD_CLAIM_SIGNATURE":    base64.StdEncoding.EncodeToString(signature),
		"TIMESTAMP":                   timestamp,
	}
}

func attribute(list []types.AttributeType, name string) string {
	i := slices.IndexFunc(list, func(a types.AttributeType) bool { return *a.Name == name })
	if i < 0 {
		return ""
	}
	return *list[i].Value
}

// TestUserLife goes with the AWS SDK through everything that a user does, from sign-up to the end.
func TestUserLife(t *testing.T) {
	s, ctx := start(t, sandbox.Config{}), t.Context()
	c, client := sdk(s), aws.String(outputsOf(t, s).Auth.ClientID)
	codeOf := func(name string) *string {
		t.Helper()
		code, err := s.LastCode(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return &code
	}
	code := func() *string { t.Helper(); return codeOf(email) }
	const fresh, third = "Fresh-1-password", "Third-1-password"

	up, err := c.SignUp(ctx, &cognito.SignUpInput{ClientId: client, Username: aws.String(email), Password: aws.String(password),
		UserAttributes: []types.AttributeType{{Name: aws.String("name"), Value: aws.String("Alice")}}})
	if err != nil {
		t.Fatal(err)
	}
	if up.UserConfirmed || len(*up.UserSub) != 36 || *up.CodeDeliveryDetails.Destination != "a***@e***" || up.CodeDeliveryDetails.DeliveryMedium != "EMAIL" {
		t.Errorf("sign-up: %+v", up)
	}
	_, err = signIn(t, c, *client, email, password)
	refused(t, "sign-in before confirmation", err, "UserNotConfirmedException")
	_, err = c.ResendConfirmationCode(ctx, &cognito.ResendConfirmationCodeInput{ClientId: client, Username: aws.String(email)})
	refused(t, "resend", err, "")
	_, err = c.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{ClientId: client, Username: aws.String(email), ConfirmationCode: aws.String("x")})
	refused(t, "wrong code", err, "CodeMismatchException")
	_, err = c.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{ClientId: client, Username: aws.String(email), ConfirmationCode: code()})
	refused(t, "confirmation", err, "")

	_, err = signIn(t, c, *client, email, fresh)
	refused(t, "wrong password", err, "NotAuthorizedException")
	in, err := signIn(t, c, *client, email, password)
	if err != nil {
		t.Fatal(err)
	}
	r := in.AuthenticationResult
	if r.ExpiresIn != 3600 || *r.TokenType != "Bearer" || r.IdToken == nil || r.RefreshToken == nil {
		t.Errorf("sign-in: %+v", r)
	}
	access := r.AccessToken

	me, err := c.GetUser(ctx, &cognito.GetUserInput{AccessToken: access})
	if err != nil {
		t.Fatal(err)
	}
	if *me.Username != *up.UserSub || attribute(me.UserAttributes, "sub") != *up.UserSub || attribute(me.UserAttributes, "name") != "Alice" ||
		attribute(me.UserAttributes, "email_verified") != "true" {
		t.Errorf("user: %+v", me)
	}
	const newEmail = "bob@example.com"
	changed, err := c.UpdateUserAttributes(ctx, &cognito.UpdateUserAttributesInput{AccessToken: access, UserAttributes: []types.AttributeType{
		{Name: aws.String("name"), Value: aws.String("Bob")}, {Name: aws.String("email"), Value: aws.String(newEmail)}}})
	if err != nil || len(changed.CodeDeliveryDetailsList) != 1 || *changed.CodeDeliveryDetailsList[0].AttributeName != "email" {
		t.Fatalf("attributes: %+v, %v", changed, err)
	}
	_, err = c.VerifyUserAttribute(ctx, &cognito.VerifyUserAttributeInput{AccessToken: access, AttributeName: aws.String("email"), Code: code()})
	refused(t, "verification", err, "")
	_, err = c.UpdateUserAttributes(ctx, &cognito.UpdateUserAttributesInput{AccessToken: access, UserAttributes: []types.AttributeType{
		{Name: aws.String("email"), Value: aws.String(email)}}})
	refused(t, "the address back", err, "")
	_, err = c.GetUserAttributeVerificationCode(ctx, &cognito.GetUserAttributeVerificationCodeInput{AccessToken: access, AttributeName: aws.String("email")})
	refused(t, "another code", err, "")
	_, err = c.VerifyUserAttribute(ctx, &cognito.VerifyUserAttributeInput{AccessToken: access, AttributeName: aws.String("email"), Code: codeOf(newEmail)})
	refused(t, "verification of the address back", err, "")
	_, err = c.DeleteUserAttributes(ctx, &cognito.DeleteUserAttributesInput{AccessToken: access, UserAttributeNames: []string{"name"}})
	refused(t, "removing an attribute", err, "")

	_, err = c.ChangePassword(ctx, &cognito.ChangePasswordInput{AccessToken: access, PreviousPassword: aws.String(password), ProposedPassword: aws.String("weak")})
	refused(t, "weak password", err, "InvalidPasswordException")
	_, err = c.ChangePassword(ctx, &cognito.ChangePasswordInput{AccessToken: access, PreviousPassword: aws.String(password), ProposedPassword: aws.String(fresh)})
	refused(t, "change of password", err, "")
	forgot, err := c.ForgotPassword(ctx, &cognito.ForgotPasswordInput{ClientId: client, Username: aws.String(email)})
	if err != nil || *forgot.CodeDeliveryDetails.Destination != "a***@e***" {
		t.Fatalf("forgotten password: %+v, %v", forgot, err)
	}
	_, err = c.ConfirmForgotPassword(ctx, &cognito.ConfirmForgotPasswordInput{ClientId: client, Username: aws.String(email), ConfirmationCode: code(), Password: aws.String(third)})
	refused(t, "its confirmation", err, "")
	in, err = signIn(t, c, *client, email, third)
	refused(t, "sign-in with the third password", err, "")

	refreshed, err := c.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{ClientId: client, RefreshToken: r.RefreshToken})
	if err != nil || refreshed.AuthenticationResult.AccessToken == nil || refreshed.AuthenticationResult.RefreshToken != nil {
		t.Errorf("refresh: %+v, %v", refreshed, err)
	}
	old, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{ClientId: client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth,
		AuthParameters: map[string]string{"REFRESH_TOKEN": *r.RefreshToken}})
	if err != nil || old.AuthenticationResult.AccessToken == nil {
		t.Errorf("refresh, old manner: %+v, %v", old, err)
	}
	_, err = c.RevokeToken(ctx, &cognito.RevokeTokenInput{ClientId: client, Token: r.RefreshToken})
	refused(t, "revocation", err, "")
	_, err = c.GetUser(ctx, &cognito.GetUserInput{AccessToken: access})
	refused(t, "the revoked session", err, "NotAuthorizedException")
	_, err = c.RevokeToken(ctx, &cognito.RevokeTokenInput{ClientId: client, Token: access})
	refused(t, "revocation of an access token", err, "UnsupportedTokenTypeException")

	access = in.AuthenticationResult.AccessToken
	_, err = c.GlobalSignOut(ctx, &cognito.GlobalSignOutInput{AccessToken: access})
	refused(t, "global sign-out", err, "")
	_, err = c.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{ClientId: client, RefreshToken: in.AuthenticationResult.RefreshToken})
	refused(t, "refresh after it", err, "NotAuthorizedException")
	in, err = signIn(t, c, *client, email, third)
	refused(t, "sign-in after it", err, "")
	_, err = c.DeleteUser(ctx, &cognito.DeleteUserInput{AccessToken: in.AuthenticationResult.AccessToken})
	refused(t, "the end", err, "")
	_, err = signIn(t, c, *client, email, third)
	refused(t, "sign-in after the end", err, "NotAuthorizedException")
}

// TestSRP signs in by SRP, and through a temporary password.
func TestSRP(t *testing.T) {
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{{Email: email, Password: password, NewPasswordRequired: true}}}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	client := aws.String(out.Auth.ClientID)
	attempt := func(password string) (*cognito.RespondToAuthChallengeOutput, error) {
		t.Helper()
		return signIn(t, c, *client, email, password)
	}
	_, err := attempt("Wrong-1-password")
	refused(t, "wrong password", err, "NotAuthorizedException")
	next, err := attempt(password)
	if err != nil || next.ChallengeName != types.ChallengeNameTypeNewPasswordRequired || next.ChallengeParameters["requiredAttributes"] != "[]" {
		t.Fatalf("temporary password: %+v, %v", next, err)
	}
	done, err := c.RespondToAuthChallenge(ctx, &cognito.RespondToAuthChallengeInput{ClientId: client, ChallengeName: next.ChallengeName, Session: next.Session,
		ChallengeResponses: map[string]string{"USERNAME": email, "NEW_PASSWORD": "Fresh-1-password", "userAttributes.name": "Alice"}})
	if err != nil || done.AuthenticationResult == nil {
		t.Fatalf("new password: %+v, %v", done, err)
	}
	me, err := c.GetUser(ctx, &cognito.GetUserInput{AccessToken: done.AuthenticationResult.AccessToken})
	if err != nil || attribute(me.UserAttributes, "name") != "Alice" {
		t.Errorf("user: %+v, %v", me, err)
	}
	if done, err = attempt("Fresh-1-password"); err != nil || done.AuthenticationResult == nil {
		t.Errorf("afterwards: %+v, %v", done, err)
	}
}

// TestClientSecret: a client with a secret proves itself in each call.
func TestClientSecret(t *testing.T) {
	const secret = "client-secret"
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{
			{Secret: secret, AuthFlows: []string{allowPassword, allowRefresh}},
			{ID: "publicclient"},
		},
		Users: []sandbox.User{{Email: email, Password: password}},
	}), t.Context()
	c, client := sdk(s), outputsOf(t, s).Auth.ClientID
	hash := func(name string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(name + client))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	auth := func(flow types.AuthFlowType, parameters map[string]string) (*cognito.InitiateAuthOutput, error) {
		return c.InitiateAuth(ctx, &cognito.InitiateAuthInput{ClientId: &client, AuthFlow: flow, AuthParameters: parameters})
	}
	const byPassword, byRefresh = types.AuthFlowTypeUserPasswordAuth, types.AuthFlowTypeRefreshTokenAuth
	_, err := auth(byPassword, map[string]string{"USERNAME": email, "PASSWORD": password})
	refused(t, "no hash", err, "NotAuthorizedException")
	_, err = auth(byPassword, map[string]string{"USERNAME": email, "PASSWORD": password, "SECRET_HASH": hash("other")})
	refused(t, "wrong hash", err, "NotAuthorizedException")
	in, err := auth(byPassword, map[string]string{"USERNAME": email, "PASSWORD": password, "SECRET_HASH": hash(email)})
	if err != nil {
		t.Fatal(err)
	}
	refresh := in.AuthenticationResult.RefreshToken
	me, err := c.GetUser(ctx, &cognito.GetUserInput{AccessToken: in.AuthenticationResult.AccessToken})
	if err != nil {
		t.Fatal(err)
	}
	_, err = auth(byRefresh, map[string]string{"REFRESH_TOKEN": *refresh, "SECRET_HASH": hash(email)})
	refused(t, "refresh, hash of the alias", err, "NotAuthorizedException")
	_, err = auth(byRefresh, map[string]string{"REFRESH_TOKEN": *refresh, "SECRET_HASH": hash(*me.Username)})
	refused(t, "refresh, hash of the username", err, "")
	for given, want := range map[string]string{"": "NotAuthorizedException", "wrong": "NotAuthorizedException", secret: ""} {
		_, err = c.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{ClientId: &client, ClientSecret: &given, RefreshToken: refresh})
		refused(t, "GetTokensFromRefreshToken with secret "+given, err, want)
	}
	_, err = c.SignUp(ctx, &cognito.SignUpInput{ClientId: &client, Username: aws.String("b@example.com"), Password: aws.String(password)})
	refused(t, "sign-up without hash", err, "NotAuthorizedException")
	_, err = c.RevokeToken(ctx, &cognito.RevokeTokenInput{ClientId: &client, Token: refresh})
	refused(t, "revocation without secret", err, "UnauthorizedException")
	_, err = c.RevokeToken(ctx, &cognito.RevokeTokenInput{ClientId: &client, ClientSecret: aws.String(secret), Token: refresh})
	refused(t, "revocation", err, "")
	_, err = signIn(t, c, "publicclient", email, password)
	refused(t, "a client without secret", err, "")
	_, err = signIn(t, c, "nobody", email, password)
	refused(t, "a client that does not exist", err, "ResourceNotFoundException")
}

// TestRotation: what the API says where refresh tokens rotate.
func TestRotation(t *testing.T) {
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{RotateRefreshTokens: true}},
		Users:   []sandbox.User{{Email: email, Password: password}},
	}), t.Context()
	c, client := sdk(s), outputsOf(t, s).Auth.ClientID
	in, err := signIn(t, c, client, email, password)
	if err != nil {
		t.Fatal(err)
	}
	first := in.AuthenticationResult.RefreshToken
	_, err = c.InitiateAuth(ctx, &cognito.InitiateAuthInput{ClientId: &client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth,
		AuthParameters: map[string]string{"REFRESH_TOKEN": *first}})
	refused(t, "the old manner", err, "InvalidParameterException")
	refresh := func(token *string) (*cognito.GetTokensFromRefreshTokenOutput, error) {
		return c.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{ClientId: &client, RefreshToken: token})
	}
	out, err := refresh(first)
	if err != nil || out.AuthenticationResult.RefreshToken == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	_, err = refresh(first)
	refused(t, "reuse", err, "RefreshTokenReuseException")
	_, err = refresh(out.AuthenticationResult.RefreshToken)
	refused(t, "the successor after reuse", err, "NotAuthorizedException")
}

// TestAdmin goes through what administrators do.
func TestAdmin(t *testing.T) {
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{{Email: email, Password: password, Groups: []string{"Admins"}}}}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	pool, name := aws.String(out.Auth.PoolID), aws.String("carol@example.com")

	created, err := c.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{UserPoolId: pool, Username: name,
		UserAttributes: []types.AttributeType{{Name: aws.String("email_verified"), Value: aws.String("true")}}})
	if err != nil {
		t.Fatal(err)
	}
	if created.User.UserStatus != types.UserStatusTypeForceChangePassword || !created.User.Enabled || created.User.UserCreateDate.IsZero() {
		t.Errorf("created: %+v", created.User)
	}
	sent, err := s.Messages(ctx, *name)
	if err != nil || len(sent) != 1 || sent[0].Kind != "invitation" {
		t.Errorf("messages: %+v, %v", sent, err)
	}
	_, err = c.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{UserPoolId: pool, Username: name})
	refused(t, "again", err, "UsernameExistsException")
	_, err = c.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{UserPoolId: aws.String("us-east-1_Other"), Username: name})
	refused(t, "in another pool", err, "ResourceNotFoundException")
	_, err = c.AdminSetUserPassword(ctx, &cognito.AdminSetUserPasswordInput{UserPoolId: pool, Username: name, Password: aws.String(password), Permanent: true})
	refused(t, "password", err, "")
	_, err = c.CreateGroup(ctx, &cognito.CreateGroupInput{UserPoolId: pool, GroupName: aws.String("Editors"), Precedence: aws.Int32(3)})
	refused(t, "group", err, "")
	_, err = c.AdminAddUserToGroup(ctx, &cognito.AdminAddUserToGroupInput{UserPoolId: pool, Username: name, GroupName: aws.String("Editors")})
	refused(t, "membership", err, "")
	groups, err := c.AdminListGroupsForUser(ctx, &cognito.AdminListGroupsForUserInput{UserPoolId: pool, Username: name})
	if err != nil || len(groups.Groups) != 1 || *groups.Groups[0].Precedence != 3 {
		t.Errorf("groups of the user: %+v, %v", groups, err)
	}
	all, err := c.ListGroups(ctx, &cognito.ListGroupsInput{UserPoolId: pool})
	if err != nil || len(all.Groups) != 2 {
		t.Errorf("groups: %+v, %v", all, err)
	}
	members, err := c.ListUsersInGroup(ctx, &cognito.ListUsersInGroupInput{UserPoolId: pool, GroupName: aws.String("Editors")})
	if err != nil || len(members.Users) != 1 {
		t.Errorf("members: %+v, %v", members, err)
	}
	_, err = c.AdminRemoveUserFromGroup(ctx, &cognito.AdminRemoveUserFromGroupInput{UserPoolId: pool, Username: name, GroupName: aws.String("Editors")})
	refused(t, "end of the membership", err, "")
	_, err = c.DeleteGroup(ctx, &cognito.DeleteGroupInput{UserPoolId: pool, GroupName: aws.String("Editors")})
	refused(t, "end of the group", err, "")
	_, err = c.AdminUpdateUserAttributes(ctx, &cognito.AdminUpdateUserAttributesInput{UserPoolId: pool, Username: name,
		UserAttributes: []types.AttributeType{{Name: aws.String("name"), Value: aws.String("Carol")}}})
	refused(t, "attributes", err, "")
	got, err := c.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: name})
	if err != nil || got.UserStatus != types.UserStatusTypeConfirmed || attribute(got.UserAttributes, "name") != "Carol" {
		t.Errorf("user: %+v, %v", got, err)
	}

	for filter, want := range map[string]int{"": 2, `email = "carol@example.com"`: 1, `"email" ^= "alice"`: 1, `name = "x"`: 0, `cognito:user_status = "CONFIRMED"`: 2, `status="Enabled"`: 2} {
		list, err := c.ListUsers(ctx, &cognito.ListUsersInput{UserPoolId: pool, Filter: &filter})
		if err != nil || len(list.Users) != want {
			t.Errorf("filter %s: %d users, %v; want %d", filter, len(list.Users), err, want)
		}
	}
	_, err = c.ListUsers(ctx, &cognito.ListUsersInput{UserPoolId: pool, Filter: aws.String("email")})
	refused(t, "a bad filter", err, "InvalidParameterException")
	pages := cognito.NewListUsersPaginator(c, &cognito.ListUsersInput{UserPoolId: pool, Limit: aws.Int32(1)})
	names := map[string]bool{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil || len(page.Users) != 1 {
			t.Fatalf("page: %+v, %v", page, err)
		}
		names[*page.Users[0].Username] = true
	}
	if len(names) != 2 {
		t.Errorf("pages showed %d users, want 2", len(names))
	}

	in, err := signIn(t, c, out.Auth.ClientID, *name, password)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.AdminUserGlobalSignOut(ctx, &cognito.AdminUserGlobalSignOutInput{UserPoolId: pool, Username: name})
	refused(t, "sign-out", err, "")
	_, err = c.GetUser(ctx, &cognito.GetUserInput{AccessToken: in.AuthenticationResult.AccessToken})
	refused(t, "session after it", err, "NotAuthorizedException")
	_, err = c.AdminDisableUser(ctx, &cognito.AdminDisableUserInput{UserPoolId: pool, Username: name})
	refused(t, "disabling", err, "")
	_, err = signIn(t, c, out.Auth.ClientID, *name, password)
	refused(t, "sign-in when disabled", err, "NotAuthorizedException")
	_, err = c.AdminEnableUser(ctx, &cognito.AdminEnableUserInput{UserPoolId: pool, Username: name})
	refused(t, "enabling", err, "")
	_, err = c.AdminResetUserPassword(ctx, &cognito.AdminResetUserPasswordInput{UserPoolId: pool, Username: name})
	refused(t, "reset", err, "")
	_, err = signIn(t, c, out.Auth.ClientID, *name, password)
	refused(t, "sign-in after reset", err, "PasswordResetRequiredException")
	_, err = c.AdminDeleteUser(ctx, &cognito.AdminDeleteUserInput{UserPoolId: pool, Username: name})
	refused(t, "deletion", err, "")
	_, err = c.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: name})
	refused(t, "afterwards", err, "UserNotFoundException")

	_, err = c.SignUp(ctx, &cognito.SignUpInput{ClientId: &out.Auth.ClientID, Username: name, Password: aws.String(password)})
	refused(t, "sign-up", err, "")
	_, err = c.AdminConfirmSignUp(ctx, &cognito.AdminConfirmSignUpInput{UserPoolId: pool, Username: name})
	refused(t, "confirmation", err, "")
	_, err = signIn(t, c, out.Auth.ClientID, *name, password)
	refused(t, "sign-in after it", err, "")
}
