package sandbox_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// deployed is what the sandbox says of the backend that it serves.
type deployed struct {
	pool     *types.UserPoolType
	client   *types.UserPoolClientType
	groups   []types.GroupType
	identity *cognitoidentity.DescribeIdentityPoolOutput
	roles    *cognitoidentity.GetIdentityPoolRolesOutput
}

func describe(t *testing.T, s *sandbox.Sandbox) deployed {
	t.Helper()
	c, out, ctx := sdk(s), outputsOf(t, s), t.Context()
	identities := cognitoidentity.New(cognitoidentity.Options{
		Region: out.Auth.Region, BaseEndpoint: aws.String(s.URL()), Retryer: aws.NopRetryer{},
		Credentials: c.Options().Credentials, HTTPClient: c.Options().HTTPClient})
	pool, err := c.DescribeUserPool(ctx,
		&cognito.DescribeUserPoolInput{UserPoolId: &out.Auth.PoolID})
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{
		UserPoolId: &out.Auth.PoolID, ClientId: &out.Auth.ClientID})
	if err != nil {
		t.Fatal(err)
	}
	groups, err := c.ListGroups(ctx, &cognito.ListGroupsInput{UserPoolId: &out.Auth.PoolID})
	if err != nil {
		t.Fatal(err)
	}
	d := deployed{pool: pool.UserPool, client: client.UserPoolClient, groups: groups.Groups}
	d.identity, err = identities.DescribeIdentityPool(ctx,
		&cognitoidentity.DescribeIdentityPoolInput{IdentityPoolId: &out.Auth.IdentityPoolID})
	if err != nil {
		t.Fatal(err)
	}
	d.roles, err = identities.GetIdentityPoolRoles(ctx,
		&cognitoidentity.GetIdentityPoolRolesInput{IdentityPoolId: &out.Auth.IdentityPoolID})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// constructRow compares one field with what Amplify's construct deploys.
type constructRow struct {
	field  string
	got    any
	want   any
	source string
}

// checkConstruct reports all differences.
func checkConstruct(t *testing.T, rows []constructRow) {
	t.Helper()
	for _, row := range rows {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got), %s:\n%s", row.field, row.source, diff)
		}
	}
}

// TestConstructDefaults compares what a new sandbox says of itself, field by field, with
// what defineAuth({loginWith: {email: true}, groups: ["Admins", "Editors"]}) deploys.
//
// The sources are files of amplify-backend's package auth-construct, and their members. "CDK" is
// what aws-cdk-lib adds. It stands in the record of a deployment that amplify-backend keeps for its
// tests (packages/cli-core/src/loggers/test-assets/destroy_cdk_structured_events.ts). "Cognito" is
// the default of the service for what neither sets (API Reference).
func TestConstructDefaults(t *testing.T) {
	made := start(t, sandbox.Config{})
	out := outputsOf(t, made)
	s := start(t, sandbox.Config{
		Outputs: edited(t, made.Outputs(), func(auth map[string]any) {
			auth["groups"] = []map[string]any{
				{"Admins": map[string]int{"precedence": 0}},
				{"Editors": map[string]int{"precedence": 1}},
			}
		}),
	})
	d := describe(t, s)
	pool, client := d.pool, d.client
	policy, units := pool.Policies.PasswordPolicy, client.TokenValidityUnits
	provider := "cognito-idp.us-east-1.amazonaws.com/" + out.Auth.PoolID
	providers := d.identity.CognitoIdentityProviders
	mapping := d.roles.RoleMappings[provider+":"+out.Auth.ClientID]
	const defaults, construct = "defaults.ts ", "construct.ts "
	const role = "arn:aws:iam::000000000000:role/"
	checkConstruct(t, []constructRow{
		// The user pool
		{"UsernameAttributes", pool.UsernameAttributes, []types.UsernameAttributeType{"email"},
			construct + "signInAliases; CDK: the attributes alone, without usernames"},
		{"AliasAttributes", len(pool.AliasAttributes), 0, construct + "signInAliases"},
		{"CaseSensitive", *pool.UsernameConfiguration.CaseSensitive, false,
			defaults + "SIGN_IN_CASE_SENSITIVE"},
		{"AutoVerifiedAttributes", pool.AutoVerifiedAttributes,
			[]types.VerifiedAttributeType{"email"}, construct + "autoVerify"},
		{"AttributesRequireVerificationBeforeUpdate",
			pool.UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate,
			[]types.VerifiedAttributeType{"email"}, construct + "keepOriginal"},
		{"RecoveryMechanisms", recoveryOf(pool), []string{"verified_email"},
			construct + "getAccountRecoverySetting"},
		{"AllowAdminCreateUserOnly", pool.AdminCreateUserConfig.AllowAdminCreateUserOnly, false,
			defaults + "ALLOW_SELF_SIGN_UP"},
		{"MfaConfiguration", pool.MfaConfiguration, types.UserPoolMfaTypeOff,
			construct + "getMFAMode; Cognito"},
		{"required attributes", requiredOf(pool), []string{"sub", "email"},
			defaults + "IS_REQUIRED_ATTRIBUTE.email"},
		{"MinimumLength", *policy.MinimumLength, int32(8), defaults + "PASSWORD_POLICY.minLength"},
		{"RequireLowercase", policy.RequireLowercase, true,
			defaults + "PASSWORD_POLICY.requireLowercase"},
		{"RequireUppercase", policy.RequireUppercase, true,
			defaults + "PASSWORD_POLICY.requireUppercase"},
		{"RequireNumbers", policy.RequireNumbers, true,
			defaults + "PASSWORD_POLICY.requireDigits"},
		{"RequireSymbols", policy.RequireSymbols, true,
			defaults + "PASSWORD_POLICY.requireSymbols"},
		{"TemporaryPasswordValidityDays", policy.TemporaryPasswordValidityDays, int32(7),
			"Cognito"},

		// The app client
		{"ExplicitAuthFlows", client.ExplicitAuthFlows,
			[]types.ExplicitAuthFlowsType{allowSRP, allowCustom, allowRefresh},
			defaults + "AUTH_FLOWS; CDK: ALLOW_REFRESH_TOKEN_AUTH"},
		{"PreventUserExistenceErrors", string(client.PreventUserExistenceErrors), "ENABLED",
			defaults + "PREVENT_USER_EXISTENCE_ERRORS"},
		{"ClientSecret", client.ClientSecret, (*string)(nil), construct + "userPoolClient; CDK"},
		{"AllowedOAuthFlows", client.AllowedOAuthFlows, []types.OAuthFlowType{"code"},
			defaults + "OAUTH_FLOWS"},
		{"AllowedOAuthFlowsUserPoolClient", *client.AllowedOAuthFlowsUserPoolClient, true, "CDK"},
		{"AllowedOAuthScopes", client.AllowedOAuthScopes,
			[]string{"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"},
			construct + "DEFAULT_OAUTH_SCOPES"},
		{"the provider of the pool", client.SupportedIdentityProviders[0], "COGNITO", "CDK"},
		{"AccessTokenValidity", *client.AccessTokenValidity, int32(60 * 60), "Cognito"},
		{"IdTokenValidity", *client.IdTokenValidity, int32(60 * 60), "Cognito"},
		{"RefreshTokenValidity", client.RefreshTokenValidity, int32(30 * 24 * 60 * 60), "Cognito"},
		{"TokenValidityUnits",
			[]types.TimeUnitsType{units.AccessToken, units.IdToken, units.RefreshToken},
			[]types.TimeUnitsType{"seconds", "seconds", "seconds"}, "the rows above"},
		{"EnableTokenRevocation", *client.EnableTokenRevocation, true, "Cognito"},
		{"RefreshTokenRotation", string(client.RefreshTokenRotation.Feature), "DISABLED",
			"Cognito"},
		{"AuthSessionValidity", *client.AuthSessionValidity, int32(3), "Cognito"},

		// Groups
		{"the first group", *d.groups[0].GroupName, "Admins", construct + "setupUserPoolGroups"},
		{"its precedence", *d.groups[0].Precedence, int32(0),
			construct + "setupUserPoolGroups: the index"},
		{"its role", *d.groups[0].RoleArn, role + "sandbox-AdminsGroupRole",
			construct + "setupUserPoolGroups: a role for each group"},
		{"the second group", *d.groups[1].GroupName, "Editors", construct + "setupUserPoolGroups"},
		{"its precedence", *d.groups[1].Precedence, int32(1),
			construct + "setupUserPoolGroups: the index"},
		{"its role", *d.groups[1].RoleArn, role + "sandbox-EditorsGroupRole",
			construct + "setupUserPoolGroups: a role for each group"},

		// The identity pool
		{"AllowUnauthenticatedIdentities", d.identity.AllowUnauthenticatedIdentities, true,
			defaults + "ALLOW_UNAUTHENTICATED_IDENTITIES"},
		{"AllowClassicFlow", aws.ToBool(d.identity.AllowClassicFlow), false, "Cognito"},
		{"CognitoIdentityProviders", len(providers), 1,
			construct + "identityPool.cognitoIdentityProviders"},
		{"ProviderName", *providers[0].ProviderName, provider,
			construct + "identityPool.cognitoIdentityProviders"},
		{"ClientId", *providers[0].ClientId, out.Auth.ClientID,
			construct + "identityPool.cognitoIdentityProviders"},
		{"ServerSideTokenCheck", aws.ToBool(providers[0].ServerSideTokenCheck), false, "Cognito"},
		{"RoleMappings", len(d.roles.RoleMappings), 1, construct + "roleMappings"},
		{"the mapping's Type", string(mapping.Type), "Token", construct + "roleMappings"},
		{"AmbiguousRoleResolution", string(mapping.AmbiguousRoleResolution), "AuthenticatedRole",
			construct + "roleMappings"},
		{"Roles", d.roles.Roles, map[string]string{
			"authenticated":   role + "sandbox-authenticated",
			"unauthenticated": role + "sandbox-unauthenticated"},
			construct + "setupAuthAndUnAuthRoles"},
	})
}

// TestConstructLogins: what depends on the property loginWith of defineAuth. Outputs
// tell the attributes that users sign in with, and the sandbox concludes the rest.
func TestConstructLogins(t *testing.T) {
	made := start(t, sandbox.Config{}).Outputs()
	email, phone := []string{"email"}, []string{"phone_number"}
	both := []string{"email", "phone_number"}
	for _, c := range []struct {
		what                               string
		usernameAttributes, verified       []string
		keepOriginal, recovery             []string
		keepOriginalSource, recoverySource string
	}{
		{"email", email, email, email, []string{"verified_email"},
			"keepOriginal", "EMAIL_ONLY"},
		{"phone", phone, phone, phone, []string{"verified_phone_number"},
			"keepOriginal", "PHONE_ONLY_WITHOUT_MFA"},
		{"email and phone", both, both, both, []string{"verified_email"},
			"keepOriginal", "EMAIL_ONLY"},
		// The construct deploys no such pools: they are referenced, or altered by hand.
		{"usernames", []string{}, email, nil, []string{"verified_email", "verified_phone_number"},
			"Cognito", "API Reference, ForgotPassword"},
		{"phone, which is not verified", phone, email, nil, []string{"verified_phone_number"},
			"Cognito: what is not verified cannot wait for it", "PHONE_ONLY_WITHOUT_MFA"},
	} {
		outputs := edited(t, made, func(auth map[string]any) {
			auth["username_attributes"] = c.usernameAttributes
			auth["user_verification_types"] = c.verified
		})
		d := describe(t, start(t, sandbox.Config{Outputs: outputs}))
		var keepOriginal []string
		if settings := d.pool.UserAttributeUpdateSettings; settings != nil {
			for _, a := range settings.AttributesRequireVerificationBeforeUpdate {
				keepOriginal = append(keepOriginal, string(a))
			}
		}
		checkConstruct(t, []constructRow{
			{c.what + ": kept until verified", keepOriginal, c.keepOriginal, c.keepOriginalSource},
			{c.what + ": recovery", recoveryOf(d.pool), c.recovery, c.recoverySource},
		})
	}
}

func recoveryOf(pool *types.UserPoolType) []string {
	var names []string
	for i, m := range pool.AccountRecoverySetting.RecoveryMechanisms {
		if *m.Priority == int32(i+1) {
			names = append(names, string(m.Name))
		}
	}
	return names
}

func requiredOf(pool *types.UserPoolType) []string {
	var names []string
	for _, a := range pool.SchemaAttributes {
		if *a.Required {
			names = append(names, *a.Name)
		}
	}
	return names
}

// edited returns outputs with another section auth.
func edited(t *testing.T, text []byte, edit func(auth map[string]any)) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	edit(whole["auth"].(map[string]any))
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
