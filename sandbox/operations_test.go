package sandbox_test

import (
	"encoding/base64"
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
	"github.com/amplify-go/amplify/sandbox/internal/srp/srptest"
)

// behaviour is a documented behaviour of an operation. "" as the exception means success.
type behaviour struct {
	what      string
	call      func() error
	exception string
	source    string // API means the operation's page in the API Reference
}

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

const identityTarget = "AWSCognitoIdentityService."

// TestOperationsOfAdministrators: what only a server may call demands a signature (API Reference:
// "you must use IAM credentials"), and is closed to pages.
func TestOperationsOfAdministrators(t *testing.T) {
	s := start(t, sandbox.Config{})
	for _, operation := range []string{
		target + "AdminInitiateAuth", target + "AdminRespondToAuthChallenge", target + "GetGroup", target + "UpdateGroup",
		target + "AdminDeleteUserAttributes", target + "AdminLinkProviderForUser",
		target + "DescribeUserPool", target + "DescribeUserPoolClient", target + "ListUserPools",
		target + "ListUserPoolClients",
		identityTarget + "ListIdentities", identityTarget + "DeleteIdentities",
		identityTarget + "DescribeIdentityPool", identityTarget + "GetIdentityPoolRoles",
	} {
		for what, header := range map[string]map[string]string{
			"MissingAuthenticationTokenException": {},
			"AccessDeniedException":               {"Authorization": "AWS4-HMAC-SHA256 any", "Origin": s.URL()},
		} {
			header["X-Amz-Target"] = operation
			if res, _ := call(t, "POST", s.URL(), "{}", header); res.Header.Get("X-Amzn-Errortype") != what+":" {
				t.Errorf("%s: %s, want %s", operation, res.Header.Get("X-Amzn-Errortype"), what)
			}
		}
	}
}

// TestAdminAuth: servers sign users in with their own flows.
func TestAdminAuth(t *testing.T) {
	const temporary = "temporary@example.com"
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{
		{Email: email, Password: password},
		{Email: temporary, Password: password, NewPasswordRequired: true},
	}}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	pool, client := &out.Auth.PoolID, &out.Auth.ClientID

	var answer *cognito.AdminInitiateAuthOutput
	initiate := func(pool, client *string, flow types.AuthFlowType, parameters ...string) func() error {
		m := map[string]string{}
		for i := 0; i < len(parameters); i += 2 {
			m[parameters[i]] = parameters[i+1]
		}
		return func() (err error) {
			answer, err = c.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{
				UserPoolId: pool, ClientId: client, AuthFlow: flow, AuthParameters: m})
			return err
		}
	}
	other := aws.String("us-east-1_Other")
	const flow = types.AuthFlowTypeAdminUserPasswordAuth
	checkAll(t, []behaviour{
		{"another pool", initiate(other, client, flow, "USERNAME", email, "PASSWORD", password), "ResourceNotFoundException", "API"},
		{"another client", initiate(pool, other, flow, "USERNAME", email, "PASSWORD", password), "ResourceNotFoundException", "API"},
		{"no password", initiate(pool, client, flow, "USERNAME", email), "InvalidParameterException", "API: AuthParameters"},
		{"a wrong password", initiate(pool, client, flow, "USERNAME", email, "PASSWORD", "x"), "NotAuthorizedException", "API"},
		{"nobody", initiate(pool, client, flow, "USERNAME", "x@example.com", "PASSWORD", "x"), "NotAuthorizedException",
			"Developer Guide, Managing user existence error responses"},
		{"the flow of InitiateAuth", initiate(pool, client, types.AuthFlowTypeUserPasswordAuth, "USERNAME", email, "PASSWORD", password),
			"InvalidParameterException", "awsdocs/aws-doc-sdk-examples#5289"},
		{"the earlier name of the flow", initiate(pool, client, types.AuthFlowTypeAdminNoSrpAuth, "USERNAME", email, "PASSWORD", password), "",
			"Developer Guide, Authentication flows: ALLOW_ADMIN_USER_PASSWORD_AUTH replaces ADMIN_NO_SRP_AUTH"},
		{"a flow for servers in InitiateAuth", func() error {
			_, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{ClientId: client, AuthFlow: flow,
				AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password}})
			return err
		}, "InvalidParameterException", "getmoto/moto#4836"},
		{"the right password", initiate(pool, client, flow, "USERNAME", email, "PASSWORD", password), "", "API"},
	})
	tokens := answer.AuthenticationResult
	if tokens == nil || tokens.AccessToken == nil || tokens.IdToken == nil || tokens.ExpiresIn != 3600 {
		t.Fatalf("tokens: %+v", tokens)
	}
	if err := initiate(pool, client, types.AuthFlowTypeRefreshTokenAuth, "REFRESH_TOKEN", *tokens.RefreshToken)(); err != nil || answer.AuthenticationResult.AccessToken == nil {
		t.Errorf("refresh: %+v, %v", answer, err)
	}

	// A temporary password, by SRP.
	_, poolName, _ := strings.Cut(*pool, "_")
	user := srptest.NewClient(poolName)
	if err := initiate(pool, client, types.AuthFlowTypeUserSrpAuth, "USERNAME", temporary, "SRP_A", user.A())(); err != nil {
		t.Fatal(err)
	}
	p := answer.ChallengeParameters
	block, err := base64.StdEncoding.DecodeString(p["SECRET_BLOCK"])
	if err != nil {
		t.Fatal(err)
	}
	timestamp := time.Now().UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	respond := func(pool *string, challenge types.ChallengeNameType, session *string, responses map[string]string) (*cognito.AdminRespondToAuthChallengeOutput, error) {
		return c.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{
			UserPoolId: pool, ClientId: client, ChallengeName: challenge, Session: session, ChallengeResponses: responses})
	}
	next, err := respond(pool, answer.ChallengeName, nil, map[string]string{
		"USERNAME": p["USERNAME"], "PASSWORD_CLAIM_SECRET_BLOCK": p["SECRET_BLOCK"], "TIMESTAMP": timestamp,
		"PASSWORD_CLAIM_SIGNATURE": base64.StdEncoding.EncodeToString(user.Sign(p["USER_ID_FOR_SRP"], password, p["SALT"], p["SRP_B"], block, timestamp))})
	if err != nil || next.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
		t.Fatalf("SRP: %+v, %v", next, err)
	}
	responses := map[string]string{"USERNAME": temporary, "NEW_PASSWORD": "Fresh-1-password"}
	_, err = respond(other, next.ChallengeName, next.Session, responses)
	refused(t, "a response to another pool", err, "ResourceNotFoundException")
	_, err = respond(pool, next.ChallengeName, aws.String("x"), responses)
	refused(t, "a response with another session", err, "NotAuthorizedException")
	done, err := respond(pool, next.ChallengeName, next.Session, responses)
	if err != nil || done.AuthenticationResult == nil {
		t.Errorf("new password: %+v, %v", done, err)
	}
}

// TestAdminAuthOfConfidentialClient: the hash of the client's secret is due in both operations.
func TestAdminAuthOfConfidentialClient(t *testing.T) {
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{Secret: "client-secret"}},
		Users:   []sandbox.User{{Email: email, Password: password}},
	}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	_, err := c.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{UserPoolId: &out.Auth.PoolID, ClientId: &out.Auth.ClientID,
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password}})
	refused(t, "sign-in without hash", err, "NotAuthorizedException")
	_, err = c.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{UserPoolId: &out.Auth.PoolID, ClientId: &out.Auth.ClientID,
		ChallengeName: types.ChallengeNameTypeNewPasswordRequired, ChallengeResponses: map[string]string{"USERNAME": email, "NEW_PASSWORD": password}})
	refused(t, "response without hash", err, "NotAuthorizedException")
}

func TestGroupOperations(t *testing.T) {
	s, ctx := start(t, sandbox.Config{}), t.Context()
	c, pool := sdk(s), aws.String(outputsOf(t, s).Auth.PoolID)
	const role = "arn:aws:iam::123456789012:role/editors"
	name := aws.String("editors")
	if _, err := c.CreateGroup(ctx, &cognito.CreateGroupInput{UserPoolId: pool, GroupName: name,
		Description: aws.String("They edit."), Precedence: aws.Int32(7)}); err != nil {
		t.Fatal(err)
	}
	get := func(in cognito.GetGroupInput) func() error {
		return func() error {
			_, err := c.GetGroup(ctx, &in)
			return err
		}
	}
	update := func(in cognito.UpdateGroupInput) func() error {
		in.UserPoolId = pool
		if in.GroupName == nil {
			in.GroupName = name
		}
		return func() error {
			_, err := c.UpdateGroup(ctx, &in)
			return err
		}
	}
	checkAll(t, []behaviour{
		{"get an unknown group", get(cognito.GetGroupInput{UserPoolId: pool, GroupName: aws.String("x")}), "ResourceNotFoundException", "API"},
		{"get from another pool", get(cognito.GetGroupInput{UserPoolId: aws.String("us-east-1_Other"), GroupName: name}), "ResourceNotFoundException", "API"},
		{"update an unknown group", update(cognito.UpdateGroupInput{GroupName: aws.String("x")}), "ResourceNotFoundException", "API"},
		{"a negative precedence", update(cognito.UpdateGroupInput{Precedence: aws.Int32(-1)}), "InvalidParameterException", "API: Precedence, minimum 0"},
		{"a role that is no ARN", update(cognito.UpdateGroupInput{RoleArn: aws.String("administrator-role")}), "InvalidParameterException", "API: RoleArn, pattern"},
		{"a long description", update(cognito.UpdateGroupInput{Description: aws.String(strings.Repeat("x", 2049))}), "InvalidParameterException",
			"API: Description, maximum 2048"},
		{"no name", func() error {
			_, err := c.CreateGroup(ctx, &cognito.CreateGroupInput{UserPoolId: pool, GroupName: aws.String("")})
			return err
		}, "InvalidParameterException", "API: GroupName, minimum 1"},
		{"a role", update(cognito.UpdateGroupInput{RoleArn: aws.String(role)}), "", "API"},
		{"the highest precedence", update(cognito.UpdateGroupInput{Precedence: aws.Int32(0)}), "", "API: zero is the highest"},
	})
	got, err := c.GetGroup(ctx, &cognito.GetGroupInput{UserPoolId: pool, GroupName: name})
	if err != nil {
		t.Fatal(err)
	}
	// What an update does not name stays.
	if g := got.Group; *g.GroupName != "editors" || *g.UserPoolId != *pool || *g.Description != "They edit." || *g.RoleArn != role ||
		*g.Precedence != 0 || g.LastModifiedDate.Before(*g.CreationDate) {
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
		{"of nobody", remove("x@example.com", "name"), "UserNotFoundException", "API"},
		{"an attribute that no pool has", remove(email, "nosuch"), "InvalidParameterException", "API"},
		{"a required attribute", remove(email, "email"), "InvalidParameterException", "Developer Guide, Required attributes"},
		{"the user's id", remove(email, "sub"), "NotAuthorizedException", "Developer Guide, sub is immutable"},
		{"name and phone number", remove(email, "name", "phone_number"), "", "API"},
		{"again", remove(email, "name"), "", "API"},
	})
	u, err := c.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: aws.String(email)})
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
	username := func(alias string) string {
		u, err := c.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: &alias})
		if err != nil {
			t.Fatal(err)
		}
		return *u.Username
	}
	alice, bob := username(email), username("bob@example.com")
	link := func(provider, attribute, id, destination string) func() error {
		return func() error {
			_, err := c.AdminLinkProviderForUser(ctx, &cognito.AdminLinkProviderForUserInput{UserPoolId: pool,
				SourceUser:      &types.ProviderUserIdentifierType{ProviderName: &provider, ProviderAttributeName: &attribute, ProviderAttributeValue: &id},
				DestinationUser: &types.ProviderUserIdentifierType{ProviderName: aws.String("Cognito"), ProviderAttributeValue: &destination}})
			return err
		}
	}
	const subject = "Cognito_Subject"
	checkAll(t, []behaviour{
		{"to nobody", link("Google", subject, "1", "x"), "UserNotFoundException", "API: if the user doesn't exist, Cognito generates an exception"},
		{"to an alias", link("Google", subject, "1", email), "UserNotFoundException", "API: the value should be the username"},
		{"a user of the pool", link("Cognito", subject, bob, alice), "InvalidParameterException", "API: not another native user; aws-amplify/amplify-js#13334"},
		{"an unknown provider", link("Okta", subject, "1", alice), "ResourceNotFoundException", "API"},
		{"by another attribute", link("Google", "email", "1", alice), "InvalidParameterException", "API: social IdPs must have Cognito_Subject"},
		{"no id", link("Google", subject, "", alice), "InvalidParameterException", "API"},
		{"an account of Google", link("Google", subject, "1", alice), "", "API"},
		{"again", link("Google", subject, "1", alice), "InvalidParameterException", "API: an account that has not signed in yet"},
		{"to another user", link("Google", subject, "1", bob), "InvalidParameterException", "aws/aws-sdk-net#1000"},
		{"2 of 5", link("Google", subject, "2", alice), "", "API"},
		{"3 of 5", link("Google", subject, "3", alice), "", "API"},
		{"4 of 5", link("Facebook", subject, "1", alice), "", "API"},
		{"5 of 5", link("Facebook", subject, "2", alice), "", "API"},
		{"6 of 5", link("Facebook", subject, "3", alice), "LimitExceededException", "API: the maximum is five"},
	})
	u, err := c.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: &alice})
	if err != nil {
		t.Fatal(err)
	}
	if text := attribute(u.UserAttributes, "identities"); strings.Count(text, `"primary":"false"`) != 5 || !strings.Contains(text, `"providerName":"Facebook"`) {
		t.Errorf("identities: %s", text)
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
	listPools := func(in cognito.ListUserPoolsInput) func() error {
		return func() error {
			_, err := c.ListUserPools(ctx, &in)
			return err
		}
	}
	listClients := func(in cognito.ListUserPoolClientsInput) func() error {
		return func() error {
			_, err := c.ListUserPoolClients(ctx, &in)
			return err
		}
	}
	describeClient := func(pool *string, client string) func() error {
		return func() error {
			_, err := c.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: &client})
			return err
		}
	}
	const invalid, notFound = "InvalidParameterException", "ResourceNotFoundException"
	checkAll(t, []behaviour{
		{"no pools", listPools(cognito.ListUserPoolsInput{MaxResults: aws.Int32(0)}), invalid, "API: MaxResults, minimum 1"},
		{"61 pools", listPools(cognito.ListUserPoolsInput{MaxResults: aws.Int32(61)}), invalid, "API: MaxResults, maximum 60"},
		{"a bad token", listPools(cognito.ListUserPoolsInput{MaxResults: aws.Int32(1), NextToken: aws.String("x")}), invalid, "API"},
		{"61 clients", listClients(cognito.ListUserPoolClientsInput{UserPoolId: pool, MaxResults: aws.Int32(61)}), invalid, "API"},
		{"clients of another pool", listClients(cognito.ListUserPoolClientsInput{UserPoolId: other}), notFound, "API"},
		{"another client", describeClient(pool, "other"), notFound, "API"},
		{"a client of another pool", describeClient(other, out.Auth.ClientID), notFound, "API"},
		{"another pool", func() error {
			_, err := c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: other})
			return err
		}, notFound, "API"},
	})
	// The SDK does not send a call without MaxResults.
	res, body := call(t, "POST", s.URL(), "{}", map[string]string{"X-Amz-Target": target + "ListUserPools", "Authorization": "AWS4-HMAC-SHA256 any"})
	if res.StatusCode != 400 || !strings.Contains(body, "Value null at 'maxResults' failed to satisfy constraint") {
		t.Errorf("ListUserPools without MaxResults: %d %s", res.StatusCode, body)
	}

	pools, err := c.ListUserPools(ctx, &cognito.ListUserPoolsInput{MaxResults: aws.Int32(60)})
	if err != nil || len(pools.UserPools) != 1 || *pools.UserPools[0].Id != *pool || pools.NextToken != nil {
		t.Fatalf("pools: %+v, %v", pools, err)
	}
	described, err := c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: pool})
	if err != nil {
		t.Fatal(err)
	}
	p := described.UserPool
	if *p.Arn != "arn:aws:cognito-idp:us-east-1:000000000000:userpool/"+*pool || p.EstimatedNumberOfUsers != 1 ||
		*p.Domain+".auth.us-east-1.amazoncognito.com" != out.Auth.OAuth.Domain || p.CustomDomain != nil ||
		p.UsernameAttributes[0] != "email" || p.MfaConfiguration != "OFF" || *p.UsernameConfiguration.CaseSensitive ||
		*p.Policies.PasswordPolicy.MinimumLength != 8 || !p.Policies.PasswordPolicy.RequireSymbols ||
		!p.CreationDate.Equal(*pools.UserPools[0].CreationDate) || time.Since(*p.CreationDate) > time.Minute {
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

	pages := cognito.NewListUserPoolClientsPaginator(c, &cognito.ListUserPoolClientsInput{UserPoolId: pool, MaxResults: aws.Int32(1)})
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
	of := func(id string) *types.UserPoolClientType {
		t.Helper()
		described, err := c.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: &id})
		if err != nil {
			t.Fatal(err)
		}
		return described.UserPoolClient
	}
	own := of(out.Auth.ClientID)
	if *own.ClientSecret != secret || *own.AccessTokenValidity != 90 || own.TokenValidityUnits.AccessToken != "seconds" ||
		own.RefreshTokenValidity != 30*24*60*60 || !*own.AllowedOAuthFlowsUserPoolClient || own.AllowedOAuthFlows[0] != "code" ||
		!slices.Contains(own.AllowedOAuthScopes, "openid") || !slices.Contains(own.SupportedIdentityProviders, "Google") ||
		own.CallbackURLs[0] != "http://localhost:3000/api/auth/sign-in-callback" || own.PreventUserExistenceErrors != "ENABLED" ||
		!slices.Contains(own.ExplicitAuthFlows, "ALLOW_REFRESH_TOKEN_AUTH") || own.RefreshTokenRotation.Feature != "DISABLED" {
		t.Errorf("client: %+v", own)
	}
	// A client that rotates its tokens cannot allow the flow (Developer Guide, "Refresh token rotation").
	rotating := of("rotating")
	if rotating.ClientSecret != nil || rotating.RefreshTokenRotation.Feature != "ENABLED" ||
		*rotating.RefreshTokenRotation.RetryGracePeriodSeconds != 10 || slices.Contains(rotating.ExplicitAuthFlows, "ALLOW_REFRESH_TOKEN_AUTH") {
		t.Errorf("rotating client: %+v", rotating)
	}

	// Only the description of the client itself has its secret.
	for _, operation := range []string{"ListUserPools", "ListUserPoolClients", "DescribeUserPool"} {
		_, body := call(t, "POST", s.URL(), `{"UserPoolId": "`+*pool+`", "MaxResults": 60}`,
			map[string]string{"X-Amz-Target": target + operation, "Authorization": "AWS4-HMAC-SHA256 any"})
		if strings.Contains(body, secret) || !strings.Contains(body, *pool) {
			t.Errorf("%s: %s", operation, body)
		}
	}
}

// TestIdentityPoolOperations: scripts look through the identities and clear them away.
func TestIdentityPoolOperations(t *testing.T) {
	b, ctx := startBackend(t, nil), t.Context()
	pool, other := &b.Auth.IdentityPoolID, aws.String("us-east-1:00000000-0000-0000-0000-000000000000")
	signed := func(o *cognitoidentity.Options) { o.Credentials = b.users.Options().Credentials }
	ann := b.logins(b.signIn(t, "ann@example.com").IdToken)
	provider := slices.Collect(maps.Keys(ann))[0]

	list := func(in cognitoidentity.ListIdentitiesInput) func() error {
		return func() error {
			_, err := b.identities.ListIdentities(ctx, &in, signed)
			return err
		}
	}
	remove := func(ids ...string) func() error {
		return func() error {
			_, err := b.identities.DeleteIdentities(ctx, &cognitoidentity.DeleteIdentitiesInput{IdentityIdsToDelete: ids}, signed)
			return err
		}
	}
	const invalid, notFound = "ValidationException", "ResourceNotFoundException"
	checkAll(t, []behaviour{
		{"identities of another pool", list(cognitoidentity.ListIdentitiesInput{IdentityPoolId: other, MaxResults: aws.Int32(1)}), notFound, "API"},
		{"no identities", list(cognitoidentity.ListIdentitiesInput{IdentityPoolId: pool, MaxResults: aws.Int32(0)}), invalid, "API: MaxResults, minimum 1"},
		{"61 identities", list(cognitoidentity.ListIdentitiesInput{IdentityPoolId: pool, MaxResults: aws.Int32(61)}), invalid, "API: MaxResults, maximum 60"},
		{"a bad token", list(cognitoidentity.ListIdentitiesInput{IdentityPoolId: pool, MaxResults: aws.Int32(1), NextToken: aws.String("x")}),
			"InvalidParameterException", "API"},
		{"delete none", remove([]string{}...), invalid, "API: IdentityIdsToDelete, minimum 1"},
		{"delete 61", remove(slices.Repeat([]string{*other}, 61)...), invalid, "API: IdentityIdsToDelete, maximum 60"},
		{"delete what is no id", remove("us-east-1_AbCd"), invalid, "API: IdentityIdsToDelete, pattern"},
		{"describe another pool", func() error {
			_, err := b.identities.DescribeIdentityPool(ctx, &cognitoidentity.DescribeIdentityPoolInput{IdentityPoolId: other}, signed)
			return err
		}, notFound, "API"},
		{"roles of another pool", func() error {
			_, err := b.identities.GetIdentityPoolRoles(ctx, &cognitoidentity.GetIdentityPoolRolesInput{IdentityPoolId: other}, signed)
			return err
		}, notFound, "API"},
		{"unlink from an unknown identity", func() error {
			_, err := b.identities.UnlinkIdentity(ctx, &cognitoidentity.UnlinkIdentityInput{IdentityId: other, Logins: ann, LoginsToRemove: []string{provider}})
			return err
		}, notFound, "API"},
	})

	described, err := b.identities.DescribeIdentityPool(ctx, &cognitoidentity.DescribeIdentityPoolInput{IdentityPoolId: pool}, signed)
	if err != nil || *described.IdentityPoolId != *pool || !described.AllowUnauthenticatedIdentities || *described.AllowClassicFlow ||
		len(described.CognitoIdentityProviders) != 1 || *described.CognitoIdentityProviders[0].ProviderName != provider ||
		*described.CognitoIdentityProviders[0].ClientId != b.Auth.ClientID {
		t.Errorf("pool: %+v, %v", described, err)
	}
	roles, err := b.identities.GetIdentityPoolRoles(ctx, &cognitoidentity.GetIdentityPoolRolesInput{IdentityPoolId: pool}, signed)
	if err != nil || roles.Roles["authenticated"] == "" || roles.Roles["unauthenticated"] == "" ||
		roles.RoleMappings[provider+":"+b.Auth.ClientID].Type != identitytypes.RoleMappingTypeToken {
		t.Errorf("roles: %+v, %v", roles, err)
	}

	// A public operation: it needs no signature, but a login of the identity.
	annID := b.mustGetID(t, ann)
	unlink := func(logins map[string]string) error {
		_, err := b.identities.UnlinkIdentity(ctx, &cognitoidentity.UnlinkIdentityInput{IdentityId: annID, Logins: logins, LoginsToRemove: []string{provider}})
		return err
	}
	refused(t, "unlink with another user's login", unlink(b.logins(b.signIn(t, "bob@example.com").IdToken)), "NotAuthorizedException")
	refused(t, "unlink", unlink(ann), "")
	_, err = b.credentials(t, annID, nil)
	refused(t, "credentials of the identity without logins", err, "NotAuthorizedException")

	// All pages, while what they list is deleted.
	for range 4 {
		b.mustGetID(t, nil)
	}
	seen := map[string]bool{}
	in := &cognitoidentity.ListIdentitiesInput{IdentityPoolId: pool, MaxResults: aws.Int32(2), HideDisabled: true}
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
	if len(seen) != 4 || seen[*annID] {
		t.Errorf("%d identities, want the four that are not disabled: %v", len(seen), seen)
	}
	left, err := b.identities.ListIdentities(ctx, &cognitoidentity.ListIdentitiesInput{IdentityPoolId: pool, MaxResults: aws.Int32(60)}, signed)
	if err != nil || len(left.Identities) != 1 || *left.Identities[0].IdentityId != *annID || len(left.Identities[0].Logins) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
}
