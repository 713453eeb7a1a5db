package sandbox_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox"
)

// TestTokens: the tokens of a seeded user are those of a session like any other.
func TestTokens(t *testing.T) {
	ctx := t.Context()
	s := start(t, sandbox.Config{Users: []sandbox.User{
		{Email: email, Password: password},
		{Email: "new@example.com", Password: password, NewPasswordRequired: true},
		{Email: "gone@example.com", Password: password},
	}})
	pool, client := outputsOf(t, s).Auth.PoolID, outputsOf(t, s).Auth.ClientID
	api := sdk(s)
	if _, err := api.SignUp(ctx, &cognito.SignUpInput{
		ClientId: &client, Username: aws.String("unconfirmed@example.com"),
		Password: aws.String(password),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.AdminDisableUser(ctx, &cognito.AdminDisableUserInput{
		UserPoolId: &pool, Username: aws.String("gone@example.com"),
	}); err != nil {
		t.Fatal(err)
	}

	tokens, err := s.Tokens(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	user, err := api.GetUser(ctx, &cognito.GetUserInput{AccessToken: &tokens.AccessToken})
	if err != nil {
		t.Fatal(err)
	}
	attributes := map[string]string{}
	for _, a := range user.UserAttributes {
		attributes[*a.Name] = *a.Value
	}
	if attributes["email"] != email {
		t.Errorf("the access token is that of %v", attributes)
	}
	for use, token := range map[string]string{"access": tokens.AccessToken, "id": tokens.IDToken} {
		var claims jwt.MapClaims
		if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
			t.Fatal(err)
		}
		if claims["token_use"] != use || claims["sub"] != attributes["sub"] {
			t.Errorf("the %s token has the claims %v", use, claims)
		}
	}
	refresh := func(token string) error {
		_, err := api.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{
			ClientId: &client, RefreshToken: &token,
		})
		return err
	}
	refused(t, "a refresh", refresh(tokens.RefreshToken), "")
	again, err := s.Tokens(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.RevokeToken(ctx, &cognito.RevokeTokenInput{
		ClientId: &client, Token: &again.RefreshToken,
	}); err != nil {
		t.Fatal(err)
	}
	refused(t, "a refresh that was revoked", refresh(again.RefreshToken), "NotAuthorizedException")
	refused(t, "a refresh of the user's other session", refresh(tokens.RefreshToken), "")

	for name, want := range map[string]string{
		"nobody@example.com":      "UserNotFoundException",
		"new@example.com":         "FORCE_CHANGE_PASSWORD",
		"unconfirmed@example.com": "UNCONFIRMED",
		"gone@example.com":        "NotAuthorizedException",
	} {
		got, err := s.Tokens(ctx, name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if got != (sandbox.Tokens{}) {
			t.Errorf("%s gets tokens", name)
		}
	}
}
