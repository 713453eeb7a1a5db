package sandbox_test

import (
	"errors"
	"slices"
	"testing"

	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify/sandbox"
)

const (
	allowAdminPassword = "ALLOW_ADMIN_USER_PASSWORD_AUTH"
	allowCustom        = "ALLOW_CUSTOM_AUTH"
	allowPassword      = "ALLOW_USER_PASSWORD_AUTH"
	allowRefresh       = "ALLOW_REFRESH_TOKEN_AUTH"
	allowSRP           = "ALLOW_USER_SRP_AUTH"
)

// TestAuthFlows: an app client signs users in by the flows that it allows, and by no other (API
// Reference, ExplicitAuthFlows). The messages are those that people report
// from Cognito: floci-io/floci#3974, aws-samples/aws-serverless-workshops, getmoto/moto#4836,
// aws-amplify/amplify-js#7401.
func TestAuthFlows(t *testing.T) {
	const (
		notEnabled    = " flow not enabled for this client" // floci-io/floci#3974
		isNotEnabled  = " is not enabled for the client."
		notByAdmins   = "Auth flow not enabled for this client"
		notSupported  = "Initiate Auth method not supported."
		noTrigger     = "Custom auth lambda trigger is not configured for the user pool."
		wrongPassword = "Incorrect username or password."
		noToken       = "Invalid Refresh Token"
	)
	s, ctx := start(t, sandbox.Config{Clients: []sandbox.Client{
		{}, // what Amplify deploys
		{ID: "all", AuthFlows: []string{
			allowSRP, allowCustom, allowRefresh, allowPassword, allowAdminPassword}},
		{ID: "password", AuthFlows: []string{allowPassword}},
		{ID: "rotating", RotateRefreshTokens: true},
	}}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	parameters := map[string]string{"USERNAME": "nobody@example.com", "PASSWORD": password,
		"SRP_A": newSRPUser(out.Auth.PoolID).A(), "REFRESH_TOKEN": "x"}
	for _, row := range []struct {
		flow types.AuthFlowType
		// What InitiateAuth answers to each client; "" is success.
		byDefault, all, password, rotating string
		// What AdminInitiateAuth answers where it is not the same.
		admin, adminOfAll string
	}{
		{flow: types.AuthFlowTypeUserSrpAuth, password: "USER_SRP_AUTH" + isNotEnabled},
		{flow: types.AuthFlowTypeCustomAuth, byDefault: noTrigger, all: noTrigger,
			password: "CUSTOM_AUTH" + isNotEnabled, rotating: noTrigger},
		{flow: types.AuthFlowTypeUserPasswordAuth, byDefault: "USER_PASSWORD_AUTH" + notEnabled,
			all: wrongPassword, password: wrongPassword,
			rotating: "USER_PASSWORD_AUTH" + notEnabled,
			admin:    notSupported, adminOfAll: notSupported},
		{flow: types.AuthFlowTypeAdminUserPasswordAuth, byDefault: notSupported, all: notSupported,
			password: notSupported, rotating: notSupported,
			admin: notByAdmins, adminOfAll: wrongPassword},
		{flow: types.AuthFlowTypeAdminNoSrpAuth, byDefault: notSupported, all: notSupported,
			password: notSupported, rotating: notSupported,
			admin: notByAdmins, adminOfAll: wrongPassword},
		{flow: types.AuthFlowTypeRefreshTokenAuth, byDefault: noToken, all: noToken,
			password: "REFRESH_TOKEN_AUTH" + notEnabled,
			rotating: "REFRESH_TOKEN_AUTH" + notEnabled},
		{flow: types.AuthFlowTypeUserAuth, byDefault: "USER_AUTH" + notEnabled,
			all: "USER_AUTH" + notEnabled, password: "USER_AUTH" + notEnabled,
			rotating: "USER_AUTH" + notEnabled},
	} {
		initiate := func(client string) error {
			_, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{
				ClientId: &client, AuthFlow: row.flow, AuthParameters: parameters})
			return err
		}
		initiateAsAdmin := func(client string) error {
			_, err := c.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{
				UserPoolId: &out.Auth.PoolID, ClientId: &client, AuthFlow: row.flow,
				AuthParameters: parameters})
			return err
		}
		said := func(what string, err error, want string) {
			t.Helper()
			got := ""
			if e, ok := errors.AsType[smithy.APIError](err); ok {
				got = e.ErrorMessage()
			}
			if got != want {
				t.Errorf("%s, %s: %v, want %q", row.flow, what, err, want)
			}
		}
		said("default", initiate(out.Auth.ClientID), row.byDefault)
		said("all flows", initiate("all"), row.all)
		said("password alone", initiate("password"), row.password)
		said("rotating", initiate("rotating"), row.rotating)
		if row.admin == "" {
			row.admin, row.adminOfAll = row.byDefault, row.all
		}
		said("default, by an administrator", initiateAsAdmin(out.Auth.ClientID), row.admin)
		said("all flows, by an administrator", initiateAsAdmin("all"), row.adminOfAll)
	}
	refused(t, "an unknown flow", func() error {
		_, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{
			ClientId: &out.Auth.ClientID, AuthFlow: "MAGIC", AuthParameters: parameters})
		return err
	}(), invalidParameter)

	for client, want := range map[string][]types.ExplicitAuthFlowsType{
		out.Auth.ClientID: {allowSRP, allowCustom, allowRefresh},
		"rotating":        {allowSRP, allowCustom},
		"password":        {allowPassword},
	} {
		described, err := c.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{
			UserPoolId: &out.Auth.PoolID, ClientId: &client})
		if err != nil {
			t.Fatal(err)
		}
		if got := described.UserPoolClient.ExplicitAuthFlows; !slices.Equal(got, want) {
			t.Errorf("the flows of %s are %v, want %v", client, got, want)
		}
	}
}
