package sandbox_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
)

// behaviour is a documented behaviour of an operation.
type behaviour struct {
	what      string
	exception string // "" means success
	source    string // API means the operation's page in the API Reference
	call      func() error
}

const (
	invalidParameter = "InvalidParameterException"
	notAuthorized    = "NotAuthorizedException"
	resourceNotFound = "ResourceNotFoundException"
	userNotFound     = "UserNotFoundException"
	validation       = "ValidationException"
)

// checkAll makes the calls one after the other.
func checkAll(t *testing.T, rows []behaviour) {
	t.Helper()
	for _, row := range rows {
		err := row.call()
		if got := codeOf(err); got != row.exception || err != nil && got == "" {
			t.Errorf("%s: %v, want %q (%s)", row.what, err, row.exception, row.source)
		}
	}
}

// signedCall calls an operation with a body that the SDK would not send.
func signedCall(t *testing.T, s *sandbox.Sandbox, operation, body string) (status int, answer string) {
	t.Helper()
	res, answer := call(t, "POST", s.URL(), body, map[string]string{
		"X-Amz-Target": target + operation, "Authorization": "AWS4-HMAC-SHA256 any"})
	return res.StatusCode, answer
}

const identityTarget = "AWSCognitoIdentityService."

// TestOperationsOfAdministrators: what only a server may call demands a signature
// (API Reference: "you must use IAM credentials"), and is closed to pages.
func TestOperationsOfAdministrators(t *testing.T) {
	s := start(t, sandbox.Config{})
	for _, operation := range []string{
		target + "AdminDeleteUserAttributes", target + "AdminInitiateAuth",
		target + "AdminLinkProviderForUser", target + "AdminRespondToAuthChallenge",
		target + "DescribeUserPool", target + "DescribeUserPoolClient", target + "GetGroup",
		target + "ListUserPoolClients", target + "ListUserPools", target + "UpdateGroup",
		identityTarget + "DeleteIdentities", identityTarget + "DescribeIdentityPool",
		identityTarget + "GetIdentityPoolRoles", identityTarget + "ListIdentities",
	} {
		for want, header := range map[string]map[string]string{
			"MissingAuthenticationTokenException:": {},
			"AccessDeniedException:": {
				"Authorization": "AWS4-HMAC-SHA256 any", "Origin": s.URL()},
		} {
			header["X-Amz-Target"] = operation
			res, _ := call(t, "POST", s.URL(), "{}", header)
			if got := res.Header.Get("X-Amzn-Errortype"); got != want {
				t.Errorf("%s: %s, want %s", operation, got, want)
			}
		}
	}
}

// TestAdminAuth: servers sign users in with their own flows.
func TestAdminAuth(t *testing.T) {
	const temporary = "temporary@example.com"
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{AuthFlows: serverFlows()}},
		Users: []sandbox.User{
			{Email: email, Password: password},
			{Email: temporary, Password: password, NewPasswordRequired: true},
		},
	}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	pool, client, other := &out.Auth.PoolID, &out.Auth.ClientID, aws.String("us-east-1_Other")

	var answer *cognito.AdminInitiateAuthOutput
	initiate := func(in cognito.AdminInitiateAuthInput) func() error {
		return func() (err error) {
			answer, err = c.AdminInitiateAuth(ctx, &in)
			return err
		}
	}
	// byPassword is a sign-in by the flow for servers.
	byPassword := func(pool, client *string, name, password string) func() error {
		return initiate(cognito.AdminInitiateAuthInput{UserPoolId: pool, ClientId: client,
			AuthFlow:       types.AuthFlowTypeAdminUserPasswordAuth,
			AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password}})
	}
	right := map[string]string{"USERNAME": email, "PASSWORD": password}
	checkAll(t, []behaviour{
		{"another pool", resourceNotFound, "API", byPassword(other, client, email, password)},
		{"another client", resourceNotFound, "API", byPassword(pool, other, email, password)},
		{"no password", invalidParameter, "API: AuthParameters", byPassword(pool, client, email, "")},
		{"a wrong password", notAuthorized, "API", byPassword(pool, client, email, "x")},
		{"nobody", notAuthorized, "Developer Guide, Managing user existence error responses",
			byPassword(pool, client, "nobody@example.com", password)},
		{"the flow of InitiateAuth", invalidParameter, "awsdocs/aws-doc-sdk-examples#5289",
			initiate(cognito.AdminInitiateAuthInput{UserPoolId: pool, ClientId: client,
				AuthFlow: types.AuthFlowTypeUserPasswordAuth, AuthParameters: right})},
		{"the earlier name of the flow", "", "Developer Guide, Authentication flows",
			initiate(cognito.AdminInitiateAuthInput{UserPoolId: pool, ClientId: client,
				AuthFlow: types.AuthFlowTypeAdminNoSrpAuth, AuthParameters: right})},
		{"the flow for servers in InitiateAuth", invalidParameter, "getmoto/moto#4836",
			func() error {
				_, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{ClientId: client,
					AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: right})
				return err
			}},
		{"the right password", "", "API", byPassword(pool, client, email, password)},
	})
	tokens := answer.AuthenticationResult
	if tokens == nil || tokens.AccessToken == nil || tokens.IdToken == nil {
		t.Fatalf("tokens: %+v", tokens)
	}
	err := initiate(cognito.AdminInitiateAuthInput{UserPoolId: pool, ClientId: client,
		AuthFlow:       types.AuthFlowTypeRefreshTokenAuth,
		AuthParameters: map[string]string{"REFRESH_TOKEN": *tokens.RefreshToken}})()
	if err != nil || answer.AuthenticationResult.AccessToken == nil {
		t.Errorf("refresh: %+v, %v", answer, err)
	}

	// A temporary password, by SRP.
	user := newSRPUser(*pool)
	err = initiate(cognito.AdminInitiateAuthInput{UserPoolId: pool, ClientId: client,
		AuthFlow:       types.AuthFlowTypeUserSrpAuth,
		AuthParameters: map[string]string{"USERNAME": temporary, "SRP_A": user.A()}})()
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{
		UserPoolId: pool, ClientId: client, ChallengeName: answer.ChallengeName,
		ChallengeResponses: user.claim(t, answer.ChallengeParameters, password)})
	if err != nil || next.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
		t.Fatalf("SRP: %+v, %v", next, err)
	}
	var done *cognito.AdminRespondToAuthChallengeOutput
	respond := func(pool, session *string) func() error {
		return func() (err error) {
			done, err = c.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{
				UserPoolId: pool, ClientId: client, ChallengeName: next.ChallengeName, Session: session,
				ChallengeResponses: map[string]string{
					"USERNAME": temporary, "NEW_PASSWORD": "Fresh-1-password"}})
			return err
		}
	}
	checkAll(t, []behaviour{
		{"a response to another pool", resourceNotFound, "API", respond(other, next.Session)},
		{"a response with another session", notAuthorized, "API", respond(pool, aws.String("x"))},
		{"a new password", "", "API", respond(pool, next.Session)},
	})
	if done.AuthenticationResult == nil {
		t.Errorf("new password: %+v", done)
	}
}

// TestAdminAuthOfConfidentialClient: both operations demand the hash of the client's secret.
func TestAdminAuthOfConfidentialClient(t *testing.T) {
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{
			Secret: "client-secret", AuthFlows: []string{allowAdminPassword}}},
		Users: []sandbox.User{{Email: email, Password: password}},
	}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	_, err := c.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{
		UserPoolId: &out.Auth.PoolID, ClientId: &out.Auth.ClientID,
		AuthFlow:       types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password}})
	refused(t, "sign-in without hash", err, notAuthorized)
	_, err = c.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{
		UserPoolId: &out.Auth.PoolID, ClientId: &out.Auth.ClientID,
		ChallengeName:      types.ChallengeNameTypeNewPasswordRequired,
		ChallengeResponses: map[string]string{"USERNAME": email, "NEW_PASSWORD": password}})
	refused(t, "response without hash", err, notAuthorized)
}

func TestGroupOperations(t *testing.T) {
	s, ctx := start(t, sandbox.Config{}), t.Context()
	c, pool, name := sdk(s), aws.String(outputsOf(t, s).Auth.PoolID), aws.String("editors")
	_, err := c.CreateGroup(ctx, &cognito.CreateGroupInput{UserPoolId: pool, GroupName: name,
		Description: aws.String("They edit."), Precedence: aws.Int32(7)})
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::123456789012:role/editors"
	create := func(name string) func() error {
		return func() error {
			_, err := c.CreateGroup(ctx, &cognito.CreateGroupInput{UserPoolId: pool, GroupName: &name})
			return err
		}
	}
	get := func(pool *string, name string) func() error {
		return func() error {
			_, err := c.GetGroup(ctx, &cognito.GetGroupInput{UserPoolId: pool, GroupName: &name})
			return err
		}
	}
	update := func(in cognito.UpdateGroupInput) func() error {
		if in.UserPoolId = pool; in.GroupName == nil {
			in.GroupName = name
		}
		return func() error {
			_, err := c.UpdateGroup(ctx, &in)
			return err
		}
	}
	checkAll(t, []behaviour{
		{"create one without a name", invalidParameter, "API: GroupName, minimum 1", create("")},
		{"create one with a long name", invalidParameter, "API: GroupName, maximum 128",
			create(strings.Repeat("x", 129))},
		{"get an unknown group", resourceNotFound, "API", get(pool, "x")},
		{"get from another pool", resourceNotFound, "API", get(aws.String("us-east-1_Other"), *name)},
		{"update an unknown group", resourceNotFound, "API",
			update(cognito.UpdateGroupInput{GroupName: aws.String("x")})},
		{"a negative precedence", invalidParameter, "API: Precedence, minimum 0",
			update(cognito.UpdateGroupInput{Precedence: aws.Int32(-1)})},
		{"a role that is no ARN", invalidParameter, "API: RoleArn, pattern",
			update(cognito.UpdateGroupInput{RoleArn: aws.String("administrator-role")})},
		{"a long description", invalidParameter, "API: Description, maximum 2048",
			update(cognito.UpdateGroupInput{Description: aws.String(strings.Repeat("x", 2049))})},
		{"a role", "", "API", update(cognito.UpdateGroupInput{RoleArn: aws.String(role)})},
		{"the highest precedence", "", "API: zero is the highest",
			update(cognito.UpdateGroupInput{Precedence: aws.Int32(0)})},
	})
	got, err := c.GetGroup(ctx, &cognito.GetGroupInput{UserPoolId: pool, GroupName: name})
	if err != nil {
		t.Fatal(err)
	}
	// What an update does not name stays.
	g := got.Group
	if *g.GroupName != *name || *g.UserPoolId != *pool || *g.Description != "They edit." ||
		*g.RoleArn != role || *g.Precedence != 0 || g.LastModifiedDate.Before(*g.CreationDate) {
		t.Errorf("group: %+v", g)
	}
}

func TestAdminDeleteUserAttributes(t *testing.T) {
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{{Email: email, Password: password,
		Attributes: map[string]string{"name": "Alice", "phone_number": "+15550100"}}}}), t.Context()
	c, pool := sdk(s), aws.String(outputsOf(t, s).Auth.PoolID)
	remove := func(user string, names ...string) func() error {
		return func() error {
			_, err := c.AdminDeleteUserAttributes(ctx, &cognito.AdminDeleteUserAttributesInput{
				UserPoolId: pool, Username: &user, UserAttributeNames: names})
			return err
		}
	}
	checkAll(t, []behaviour{
		{"of nobody", userNotFound, "API", remove("nobody@example.com", "name")},
		{"an attribute that no pool has", invalidParameter, "API", remove(email, "nosuch")},
		{"a required attribute", invalidParameter, "Developer Guide, Required attributes",
			remove(email, "email")},
		{"the user's id", notAuthorized, "Developer Guide: sub is immutable", remove(email, "sub")},
		{"name and phone number", "", "API", remove(email, "name", "phone_number")},
		{"again", "", "API", remove(email, "name")},
	})
	u, err := c.AdminGetUser(ctx, &cognito.AdminGetUserInput{
		UserPoolId: pool, Username: aws.String(email)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range u.UserAttributes {
		names = append(names, *a.Name)
	}
	if got := strings.Join(names, " "); got != "email email_verified sub" {
		t.Errorf("attributes left: %s", got)
	}
}

func TestAdminLinkProviderForUser(t *testing.T) {
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{
		{Email: email, Password: password}, {Email: "bob@example.com", Password: password},
	}}), t.Context()
	c, pool := sdk(s), aws.String(outputsOf(t, s).Auth.PoolID)
	get := func(name string) *cognito.AdminGetUserOutput {
		t.Helper()
		u, err := c.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: &name})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	alice, bob := *get(email).Username, *get("bob@example.com").Username
	account := func(provider, attribute, value string) *types.ProviderUserIdentifierType {
		return &types.ProviderUserIdentifierType{
			ProviderName: &provider, ProviderAttributeName: &attribute, ProviderAttributeValue: &value}
	}
	link := func(provider, attribute, id, user string) func() error {
		return func() error {
			_, err := c.AdminLinkProviderForUser(ctx, &cognito.AdminLinkProviderForUserInput{
				UserPoolId: pool, SourceUser: account(provider, attribute, id),
				DestinationUser: account("Cognito", "ignored", user)})
			return err
		}
	}
	const subject = "Cognito_Subject"
	checkAll(t, []behaviour{
		{"to nobody", userNotFound, "API: if the user doesn't exist, there is an exception",
			link("Google", subject, "1", "nobody")},
		{"to an alias", userNotFound, "API: the value should be the username",
			link("Google", subject, "1", email)},
		{"a user of the pool", invalidParameter, "API: no native user; aws-amplify/amplify-js#13334",
			link("Cognito", subject, bob, alice)},
		{"an unknown provider", resourceNotFound, "API", link("Okta", subject, "1", alice)},
		{"by another attribute", invalidParameter, "API: social providers need Cognito_Subject",
			link("Google", "email", "1", alice)},
		{"no id", invalidParameter, "API", link("Google", subject, "", alice)},
		{"an account of Google", "", "API", link("Google", subject, "1", alice)},
		{"again", invalidParameter, "API: a user who doesn't exist yet",
			link("Google", subject, "1", alice)},
		{"to another user", invalidParameter, "aws/aws-sdk-net#1000",
			link("Google", subject, "1", bob)},
		{"2 of 5", "", "API", link("Google", subject, "2", alice)},
		{"3 of 5", "", "API", link("Google", subject, "3", alice)},
		{"4 of 5", "", "API", link("Facebook", subject, "1", alice)},
		{"5 of 5", "", "API", link("Facebook", subject, "2", alice)},
		{"6 of 5", "LimitExceededException", "API: the maximum is five",
			link("Facebook", subject, "3", alice)},
	})
	identities := attribute(get(alice).UserAttributes, "identities")
	if strings.Count(identities, `"primary":"false"`) != 5 ||
		!strings.Contains(identities, `"providerName":"Facebook"`) {
		t.Errorf("identities: %s", identities)
	}
}

// TestSettingsOperations: scripts find the pool and its clients, and read their settings.
func TestSettingsOperations(t *testing.T) {
	const secret = "client-secret"
	s, ctx := start(t, sandbox.Config{
		AppOrigins: []string{"http://localhost:3000"},
		Clients: []sandbox.Client{
			{Secret: secret, AccessTokenValidity: 90 * time.Second},
			{ID: "rotating", RotateRefreshTokens: true, RotationGrace: 10 * time.Second},
		},
		Users: []sandbox.User{{Email: email, Password: password}},
	}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	pool, other := &out.Auth.PoolID, aws.String("us-east-1_Other")
	listPools := func(n int32, token *string) func() error {
		return func() error {
			_, err := c.ListUserPools(ctx, &cognito.ListUserPoolsInput{
				MaxResults: &n, NextToken: token})
			return err
		}
	}
	listClients := func(pool *string, n int32) func() error {
		return func() error {
			_, err := c.ListUserPoolClients(ctx, &cognito.ListUserPoolClientsInput{
				UserPoolId: pool, MaxResults: &n})
			return err
		}
	}
	var client *types.UserPoolClientType
	describeClient := func(pool *string, id string) func() error {
		return func() error {
			described, err := c.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{
				UserPoolId: pool, ClientId: &id})
			if err == nil {
				client = described.UserPoolClient
			}
			return err
		}
	}
	var p *types.UserPoolType
	describePool := func(pool *string) func() error {
		return func() error {
			described, err := c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: pool})
			if err == nil {
				p = described.UserPool
			}
			return err
		}
	}
	checkAll(t, []behaviour{
		{"no pools", invalidParameter, "API: MaxResults, minimum 1", listPools(0, nil)},
		{"61 pools", invalidParameter, "API: MaxResults, maximum 60", listPools(61, nil)},
		{"a bad token", invalidParameter, "API", listPools(1, aws.String("x"))},
		{"no clients", invalidParameter, "API: MaxResults, minimum 1", listClients(pool, 0)},
		{"61 clients", invalidParameter, "API: MaxResults, maximum 60", listClients(pool, 61)},
		{"clients of another pool", resourceNotFound, "API", listClients(other, 1)},
		{"another client", resourceNotFound, "API", describeClient(pool, "other")},
		{"a client of another pool", resourceNotFound, "API", describeClient(other, "rotating")},
		{"another pool", resourceNotFound, "API", describePool(other)},
		{"the pool", "", "API", describePool(pool)},
	})
	const null = "Value null at 'maxResults' failed to satisfy constraint: Member must not be null"
	if status, body := signedCall(t, s, "ListUserPools", "{}"); status != 400 ||
		!strings.Contains(body, null) {
		t.Errorf("ListUserPools without MaxResults: %d %s", status, body)
	}

	pools, err := c.ListUserPools(ctx, &cognito.ListUserPoolsInput{MaxResults: aws.Int32(60)})
	if err != nil || len(pools.UserPools) != 1 || *pools.UserPools[0].Id != *pool ||
		pools.NextToken != nil || time.Since(*pools.UserPools[0].CreationDate) > time.Minute {
		t.Errorf("pools: %+v, %v", pools, err)
	}
	policy := p.Policies.PasswordPolicy
	if *p.Arn != "arn:aws:cognito-idp:us-east-1:000000000000:userpool/"+*pool ||
		*p.Domain+".auth.us-east-1.amazoncognito.com" != out.Auth.OAuth.Domain ||
		p.CustomDomain != nil || p.EstimatedNumberOfUsers != 1 || p.MfaConfiguration != "OFF" ||
		!slices.Equal(p.UsernameAttributes, []types.UsernameAttributeType{"email"}) ||
		*p.UsernameConfiguration.CaseSensitive || *policy.MinimumLength != 8 || !policy.RequireSymbols {
		t.Errorf("pool: %+v", p)
	}
	var required []string
	for _, a := range p.SchemaAttributes {
		if *a.Required {
			required = append(required, *a.Name)
		}
	}
	if got := strings.Join(required, " "); got != "sub email" {
		t.Errorf("required attributes: %s", got)
	}

	pages := cognito.NewListUserPoolClientsPaginator(c, &cognito.ListUserPoolClientsInput{
		UserPoolId: pool, MaxResults: aws.Int32(1)})
	var clients []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil || len(page.UserPoolClients) != 1 {
			t.Fatalf("page of clients: %+v, %v", page, err)
		}
		clients = append(clients, *page.UserPoolClients[0].ClientId)
	}
	if !slices.Equal(clients, []string{out.Auth.ClientID, "rotating"}) {
		t.Errorf("clients: %v", clients)
	}
	const byRefresh = types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth
	refused(t, "description", describeClient(pool, out.Auth.ClientID)(), "")
	if *client.ClientSecret != secret || *client.AccessTokenValidity != 90 ||
		client.TokenValidityUnits.AccessToken != "seconds" || client.RefreshTokenValidity != 30*24*60*60 ||
		client.CallbackURLs[0] != "http://localhost:3000/api/auth/sign-in-callback" ||
		!*client.AllowedOAuthFlowsUserPoolClient || client.AllowedOAuthFlows[0] != "code" ||
		!slices.Contains(client.AllowedOAuthScopes, "openid") ||
		!slices.Contains(client.SupportedIdentityProviders, "Google") ||
		client.PreventUserExistenceErrors != "ENABLED" ||
		!slices.Contains(client.ExplicitAuthFlows, byRefresh) ||
		client.RefreshTokenRotation.Feature != "DISABLED" {
		t.Errorf("client: %+v", client)
	}
	// Rotation excludes the flow (Developer Guide, "Refresh token rotation").
	refused(t, "description", describeClient(pool, "rotating")(), "")
	rotation := client.RefreshTokenRotation
	if client.ClientSecret != nil || slices.Contains(client.ExplicitAuthFlows, byRefresh) ||
		rotation.Feature != "ENABLED" || *rotation.RetryGracePeriodSeconds != 10 {
		t.Errorf("rotating client: %+v", client)
	}

	// Only the description of the client itself has its secret.
	for _, operation := range []string{"ListUserPools", "ListUserPoolClients", "DescribeUserPool"} {
		_, body := signedCall(t, s, operation, `{"UserPoolId": "`+*pool+`", "MaxResults": 60}`)
		if strings.Contains(body, secret) || !strings.Contains(body, *pool) {
			t.Errorf("%s: %s", operation, body)
		}
	}
}

// TestIdentityPoolOperations: scripts look through the identities and clear them away.
func TestIdentityPoolOperations(t *testing.T) {
	b, ctx := startBackend(t, nil), t.Context()
	const other = "us-east-1:00000000-0000-0000-0000-000000000000"
	pool := b.Auth.IdentityPoolID
	signed := func(o *cognitoidentity.Options) { o.Credentials = b.users.Options().Credentials }
	ann := b.logins(b.signIn(t, "ann@example.com").IdToken)
	bob := b.logins(b.signIn(t, "bob@example.com").IdToken)
	provider := slices.Collect(maps.Keys(ann))[0]

	list := func(pool string, n int32, token *string) func() error {
		return func() error {
			_, err := b.identities.ListIdentities(ctx, &cognitoidentity.ListIdentitiesInput{
				IdentityPoolId: &pool, MaxResults: &n, NextToken: token}, signed)
			return err
		}
	}
	remove := func(ids ...string) func() error {
		in := &cognitoidentity.DeleteIdentitiesInput{IdentityIdsToDelete: append([]string{}, ids...)}
		return func() error {
			_, err := b.identities.DeleteIdentities(ctx, in, signed)
			return err
		}
	}
	unlink := func(id string, logins map[string]string) func() error {
		return func() error {
			_, err := b.identities.UnlinkIdentity(ctx, &cognitoidentity.UnlinkIdentityInput{
				IdentityId: &id, Logins: logins, LoginsToRemove: []string{provider}})
			return err
		}
	}
	var described *cognitoidentity.DescribeIdentityPoolOutput
	describe := func(pool string) func() error {
		return func() (err error) {
			in := &cognitoidentity.DescribeIdentityPoolInput{IdentityPoolId: &pool}
			described, err = b.identities.DescribeIdentityPool(ctx, in, signed)
			return err
		}
	}
	var roles *cognitoidentity.GetIdentityPoolRolesOutput
	getRoles := func(pool string) func() error {
		return func() (err error) {
			in := &cognitoidentity.GetIdentityPoolRolesInput{IdentityPoolId: &pool}
			roles, err = b.identities.GetIdentityPoolRoles(ctx, in, signed)
			return err
		}
	}
	annID := *b.mustGetID(t, ann)
	checkAll(t, []behaviour{
		{"identities of another pool", resourceNotFound, "API", list(other, 1, nil)},
		{"no identities", validation, "API: MaxResults, minimum 1", list(pool, 0, nil)},
		{"61 identities", validation, "API: MaxResults, maximum 60", list(pool, 61, nil)},
		{"a bad token", invalidParameter, "API", list(pool, 1, aws.String("x"))},
		{"delete none", validation, "API: IdentityIdsToDelete, minimum 1", remove()},
		{"delete 61", validation, "API: IdentityIdsToDelete, maximum 60",
			remove(slices.Repeat([]string{other}, 61)...)},
		{"delete what is no id", validation, "API: IdentityIdsToDelete, pattern",
			remove("us-east-1_AbCd")},
		{"describe another pool", resourceNotFound, "API", describe(other)},
		{"describe the pool", "", "API", describe(pool)},
		{"roles of another pool", resourceNotFound, "API", getRoles(other)},
		{"roles of the pool", "", "API", getRoles(pool)},
		{"unlink from an unknown identity", resourceNotFound, "API", unlink(other, ann)},
		{"unlink with another user's login", notAuthorized, "API", unlink(annID, bob)},
		{"unlink without a login", notAuthorized, "API", unlink(annID, map[string]string{})},
		{"unlink", "", "API: a public API", unlink(annID, ann)},
		{"a guest takes the identity", notAuthorized, "API: inaccessible without logins",
			func() error {
				_, err := b.credentials(t, &annID, nil)
				return err
			}},
	})
	clients := described.CognitoIdentityProviders
	if *described.IdentityPoolId != pool || !described.AllowUnauthenticatedIdentities ||
		*described.AllowClassicFlow || len(clients) != 1 ||
		*clients[0].ProviderName != provider || *clients[0].ClientId != b.Auth.ClientID {
		t.Errorf("pool: %+v", described)
	}
	mapping := roles.RoleMappings[provider+":"+b.Auth.ClientID]
	if roles.Roles["authenticated"] == "" || roles.Roles["unauthenticated"] == "" ||
		mapping.Type != identitytypes.RoleMappingTypeToken {
		t.Errorf("roles: %+v", roles)
	}

	// All pages, while what they list is deleted.
	for range 4 {
		b.mustGetID(t, nil)
	}
	seen := map[string]bool{}
	in := &cognitoidentity.ListIdentitiesInput{
		IdentityPoolId: &pool, MaxResults: aws.Int32(2), HideDisabled: true}
	for {
		page, err := b.identities.ListIdentities(ctx, in, signed)
		if err != nil || len(page.Identities) > 2 {
			t.Fatalf("page: %+v, %v", page, err)
		}
		for _, i := range page.Identities {
			seen[*i.IdentityId] = true
			refused(t, "deletion", remove(*i.IdentityId)(), "")
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(seen) != 4 || seen[annID] {
		t.Errorf("%d identities, want the four that are not disabled: %v", len(seen), seen)
	}
	left, err := b.identities.ListIdentities(ctx, &cognitoidentity.ListIdentitiesInput{
		IdentityPoolId: &pool, MaxResults: aws.Int32(60)}, signed)
	if err != nil || len(left.Identities) != 1 || *left.Identities[0].IdentityId != annID ||
		len(left.Identities[0].Logins) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
}
