package sandbox_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// TestPreToken: which event each operation of the API causes, and what the caller gets.
func TestPreToken(t *testing.T) {
	var events []pretoken.Event
	var fails error
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{AuthFlows: []string{
			allowPassword, allowAdminPassword, allowSRP, allowRefresh}}},
		Users: []sandbox.User{
			{Email: email, Password: password, Groups: []string{"Admins"}},
			{Email: "new@example.com", Password: password, NewPasswordRequired: true},
			{Email: "newer@example.com", Password: password, NewPasswordRequired: true},
		},
		PreToken: func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
			events = append(events, e)
			source := pretoken.Claims{Add: map[string]any{"source": e.TriggerSource}}
			return pretoken.Response{IDToken: source}, fails
		},
	}), t.Context()
	c, client := sdk(s), outputsOf(t, s).Auth.ClientID
	metadata := map[string]string{"device": "phone"}
	check := func(what, idToken string, want pretoken.TriggerSource, metadata map[string]string) {
		t.Helper()
		var claims jwt.MapClaims
		if _, _, err := jwt.NewParser().ParseUnverified(idToken, &claims); err != nil {
			t.Fatal(err)
		}
		if claims["source"] != string(want) {
			t.Errorf("%s: the ID token is of %v, want %s", what, claims["source"], want)
		}
		if len(events) != 1 || events[0].ClientID != client ||
			!maps.Equal(events[0].ClientMetadata, metadata) {
			t.Errorf("%s: the events are %+v, want one with %v", what, events, metadata)
		}
		events = nil
	}

	in, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{
		ClientId: &client, AuthFlow: types.AuthFlowTypeUserPasswordAuth, ClientMetadata: metadata,
		AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password}})
	if err != nil {
		t.Fatal(err)
	}
	check("InitiateAuth", *in.AuthenticationResult.IdToken, pretoken.Authentication, nil)

	refreshToken := in.AuthenticationResult.RefreshToken
	old, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{
		ClientId: &client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth, ClientMetadata: metadata,
		AuthParameters: map[string]string{"REFRESH_TOKEN": *refreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	check("InitiateAuth for a refresh", *old.AuthenticationResult.IdToken,
		pretoken.RefreshTokens, nil)
	fresh, err := c.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{
		ClientId: &client, RefreshToken: refreshToken, ClientMetadata: metadata})
	if err != nil {
		t.Fatal(err)
	}
	check("GetTokensFromRefreshToken", *fresh.AuthenticationResult.IdToken,
		pretoken.RefreshTokens, metadata)

	challenge, err := signIn(t, c, client, "new@example.com", password)
	if err != nil || challenge.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
		t.Fatalf("%+v, %v", challenge, err)
	}
	if events != nil {
		t.Errorf("a challenge has the events %+v", events)
	}
	answer, err := c.RespondToAuthChallenge(ctx, &cognito.RespondToAuthChallengeInput{
		ClientId: &client, ChallengeName: challenge.ChallengeName, Session: challenge.Session,
		ClientMetadata: metadata, ChallengeResponses: map[string]string{
			"USERNAME": "new@example.com", "NEW_PASSWORD": "Other-1-password"}})
	if err != nil {
		t.Fatal(err)
	}
	check("a new password", *answer.AuthenticationResult.IdToken,
		pretoken.NewPasswordChallenge, metadata)

	pool := outputsOf(t, s).Auth.PoolID
	begun, err := c.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{
		UserPoolId: &pool, ClientId: &client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": "newer@example.com", "PASSWORD": password}})
	if err != nil {
		t.Fatal(err)
	}
	byAdmin, err := c.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{
		UserPoolId: &pool, ClientId: &client, ChallengeName: begun.ChallengeName,
		Session: begun.Session, ClientMetadata: metadata, ChallengeResponses: map[string]string{
			"USERNAME": "newer@example.com", "NEW_PASSWORD": "Other-1-password"}})
	if err != nil {
		t.Fatal(err)
	}
	check("a new password, by an administrator", *byAdmin.AuthenticationResult.IdToken,
		pretoken.NewPasswordChallenge, metadata)

	tokens, err := s.Tokens(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	check("Sandbox.Tokens", tokens.IDToken, pretoken.Authentication, nil)

	fails = errors.New("no tenant")
	_, err = signIn(t, c, client, email, password)
	refused(t, "a sign-in while the hook fails", err, "UserLambdaValidationException")
	const message = "PreTokenGeneration failed with error no tenant."
	e, ok := errors.AsType[*types.UserLambdaValidationException](err)
	if !ok || aws.ToString(e.Message) != message {
		t.Errorf("error = %v", err)
	}
	tokens, err = s.Tokens(ctx, email)
	if err == nil || !strings.Contains(err.Error(), message) || tokens != (sandbox.Tokens{}) {
		t.Errorf("Sandbox.Tokens returns %v, %v", tokens, err)
	}
}
