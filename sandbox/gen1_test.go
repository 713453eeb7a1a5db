package sandbox_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// gen1 is an amplifyconfiguration.json as the command line of Gen 1 writes it.
const gen1 = `{
	"aws_project_region": "eu-west-1", "aws_cognito_region": "eu-central-1",
	"aws_cognito_identity_pool_id": "eu-central-1:01234567-89ab-cdef-0123-456789abcdef",
	"aws_user_pools_id": "eu-central-1_AbCdEfGhI", "aws_user_pools_web_client_id": "2example23456789",
	"oauth": {
		"domain": "shop.auth.eu-central-1.amazoncognito.com", "scope": ["email", "openid"],
		"redirectSignIn": "http://localhost:3000/,https://shop.example/", "redirectSignOut": "http://localhost:3000/, https://shop.example/,",
		"responseType": "code"
	},
	"federationTarget": "COGNITO_USER_POOLS",
	"aws_cognito_username_attributes": ["EMAIL", "PHONE_NUMBER"],
	"aws_cognito_social_providers": ["GOOGLE", "AMAZON", "APPLE", "FACEBOOK"],
	"aws_cognito_signup_attributes": ["EMAIL", "GIVEN_NAME"],
	"aws_cognito_mfa_configuration": "OFF", "aws_cognito_mfa_types": ["SMS"],
	"aws_cognito_password_protection_settings": {
		"passwordPolicyMinLength": "12", "passwordPolicyCharacters": ["REQUIRES_LOWERCASE", "REQUIRES_NUMBERS"]
	},
	"aws_cognito_verification_mechanisms": ["EMAIL"],
	"aws_appsync_graphqlEndpoint": "https://x.appsync-api.eu-west-1.amazonaws.com/graphql", "aws_appsync_region": "eu-west-1",
	"aws_appsync_authenticationType": "API_KEY", "aws_appsync_apiKey": "da2-example",
	"aws_user_files_s3_bucket": "shop-files", "aws_user_files_s3_bucket_region": "eu-west-1",
	"aws_mobile_analytics_app_id": "a1", "Analytics": {}
}`

// TestGen1: of a file of Gen 1 the sandbox makes outputs of Gen 2.
func TestGen1(t *testing.T) {
	var log bytes.Buffer
	s := start(t, sandbox.Config{Outputs: []byte("\ufeff" + gen1), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	want := `{
		"version": "1",
		"auth": {
			"aws_region": "eu-central-1", "user_pool_id": "eu-central-1_AbCdEfGhI", "user_pool_client_id": "2example23456789",
			"identity_pool_id": "eu-central-1:01234567-89ab-cdef-0123-456789abcdef", "unauthenticated_identities_enabled": true,
			"username_attributes": ["email", "phone_number"], "standard_required_attributes": ["email", "given_name"],
			"user_verification_types": ["email"], "mfa_configuration": "NONE", "mfa_methods": ["SMS"],
			"password_policy": {"min_length": 12, "require_lowercase": true, "require_uppercase": false, "require_numbers": true, "require_symbols": false},
			"oauth": {
				"identity_providers": ["GOOGLE", "LOGIN_WITH_AMAZON", "SIGN_IN_WITH_APPLE", "FACEBOOK"],
				"domain": "shop.auth.eu-central-1.amazoncognito.com", "scopes": ["email", "openid"],
				"redirect_sign_in_uri": ["http://localhost:3000/", "https://shop.example/"],
				"redirect_sign_out_uri": ["http://localhost:3000/", "https://shop.example/"], "response_type": "code"
			}
		},
		"data": {"url": "https://x.appsync-api.eu-west-1.amazonaws.com/graphql", "aws_region": "eu-west-1", "api_key": "da2-example",
			"default_authorization_type": "API_KEY", "authorization_types": []},
		"storage": {"bucket_name": "shop-files", "aws_region": "eu-west-1"}
	}`
	if diff := cmp.Diff(exactly(t, []byte(want)), exactly(t, s.Outputs())); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if got := log.String(); strings.Count(got, "Gen 1") != 1 || !strings.Contains(got, `left_out="[Analytics aws_mobile_analytics_app_id]"`) {
		t.Errorf("the log does not say what was made of the file:\n%s", got)
	}

	// The settings count.
	for what, u := range map[string]sandbox.User{
		"a password that the policy refuses": {Email: "eve@example.com", Password: "1234567890a",
			Attributes: map[string]string{"given_name": "Eve"}},
		"a username": {Username: "eve", Email: "eve@example.com", Password: "12345678901a",
			Attributes: map[string]string{"given_name": "Eve"}},
		"no given name": {Email: "bob@example.com", Password: "12345678901a"},
	} {
		if s.AddUser(t.Context(), u) == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	if err := s.AddUser(t.Context(), sandbox.User{Email: "eve@example.com", Password: "12345678901a",
		Attributes: map[string]string{"given_name": "Eve"}}); err != nil {
		t.Error(err)
	}
}

// TestGen1Shapes: files of Gen 1 differ in what they say, and people leave odd things in them.
func TestGen1Shapes(t *testing.T) {
	const ids = `"aws_project_region": "eu-west-1", "aws_user_pools_id": "eu-west-1_A", "aws_user_pools_web_client_id": "c"`
	for what, test := range map[string]struct {
		members string
		want    map[string]any
	}{
		"ids alone": {``, map[string]any{"aws_region": "eu-west-1", "oauth": nil, "password_policy": nil, "identity_pool_id": nil,
			"username_attributes": []any{"username"}, "mfa_configuration": nil}},
		"MFA": {`, "aws_cognito_mfa_configuration": "OPTIONAL", "aws_cognito_mfa_types": ["TOTP"]`,
			map[string]any{"mfa_configuration": "OPTIONAL", "mfa_methods": []any{"TOTP"}}},
		"no managed login": {`, "oauth": {}`, map[string]any{"oauth": nil}},
		"no guests": {`, "aws_cognito_identity_pool_id": "eu-west-1:01234567-89ab-cdef-0123-456789abcdef", "aws_mandatory_sign_in": "enable"`,
			map[string]any{"unauthenticated_identities_enabled": false}},
		"a length as a number": {`, "aws_cognito_password_protection_settings": {"passwordPolicyMinLength": 9, "passwordPolicyCharacters": []}`,
			map[string]any{"password_policy": map[string]any{"min_length": json.Number("9"), "require_lowercase": false,
				"require_uppercase": false, "require_numbers": false, "require_symbols": false}}},
		"other types": {`, "aws_cognito_username_attributes": "EMAIL", "aws_cognito_signup_attributes": {}, "aws_cognito_social_providers": "GOOGLE",
			"aws_cognito_verification_mechanisms": false, "aws_cognito_mfa_configuration": false, "aws_cognito_password_protection_settings": []`,
			map[string]any{"username_attributes": []any{"username"}, "mfa_configuration": nil, "standard_required_attributes": []any{}, "password_policy": nil}},
	} {
		t.Run(what, func(t *testing.T) {
			s := start(t, sandbox.Config{Outputs: []byte("{" + ids + test.members + "}")})
			auth := exactly(t, s.Outputs())["auth"].(map[string]any)
			for name, want := range test.want {
				if diff := cmp.Diff(want, auth[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}
