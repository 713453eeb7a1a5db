package e2e

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
)

func TestAWSSDK(t *testing.T) {
	const email = "ada@example.com"
	backend := startBackend(t, sandbox.Config{})
	pool := newPoolClient(t, backend.Outputs())
	ctx := t.Context()

	if err := pool.signUp(ctx, email); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.signIn(ctx, email, password); !isA[*types.UserNotConfirmedException](err) {
		t.Errorf("signing in before the address is confirmed: %v", err)
	}
	if _, err := pool.api.ConfirmSignUp(ctx, &cognitoidentityprovider.ConfirmSignUpInput{
		ClientId: &pool.clientID, Username: aws.String(email), ConfirmationCode: aws.String(backend.code(t, email)),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.signIn(ctx, email, newPassword); !isA[*types.NotAuthorizedException](err) {
		t.Errorf("signing in with a wrong password: %v", err)
	}
	session, err := pool.signIn(ctx, email, password)
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := pool.user(ctx, aws.ToString(session.AccessToken))
	if err != nil {
		t.Fatal(err)
	}
	if attributes["email"] != email || attributes["sub"] == "" || attributes["email_verified"] != "true" {
		t.Errorf("GetUser: %v", attributes)
	}
	refreshed, err := pool.refresh(ctx, aws.ToString(session.RefreshToken))
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(refreshed.AccessToken) == aws.ToString(session.AccessToken) {
		t.Error("the refresh gave the same access token")
	}
	if _, err := pool.api.GlobalSignOut(ctx, &cognitoidentityprovider.GlobalSignOutInput{AccessToken: refreshed.AccessToken}); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.refresh(ctx, aws.ToString(session.RefreshToken)); !isA[*types.NotAuthorizedException](err) {
		t.Errorf("refreshing after the sign-out everywhere: %v", err)
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
