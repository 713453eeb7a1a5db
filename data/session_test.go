package data_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
)

var sessionToken = strings.Repeat("token/of+session", 80) // as long as Cognito's

// caller is the session of the user of a name.
type caller string

func (c caller) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	return &amplify.Tokens{
		AccessToken: amplify.NewToken("access token of "+string(c), &amplify.Claims{}),
		IDToken:     amplify.NewToken("ID token of "+string(c), &amplify.Claims{}),
	}, nil
}

func (c caller) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	return &amplify.Credentials{
		AccessKeyID: "ASIA" + string(c), SecretAccessKey: amplify.NewSecret("secret of " + string(c)),
		SessionToken: amplify.NewSecret(sessionToken),
		Expires:      time.Now().Add(time.Hour), IdentityID: "eu-west-1:" + string(c),
	}, nil
}

func sdkCredentials(user int) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: fmt.Sprint("ASIA", user), SecretAccessKey: fmt.Sprint("secret", user),
		SessionToken: "token", CanExpire: true, Expires: time.Now().Add(time.Hour),
	}
}
