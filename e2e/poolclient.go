package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/internal/srptest"
)

// poolClient is the AWS SDK for Go, pointed at a user pool by its outputs alone, as any program
// beside the application would.
type poolClient struct {
	api                        *cognitoidentityprovider.Client
	endpoint, poolID, clientID string
}

func newPoolClient(t testing.TB, outputs []byte) *poolClient {
	t.Helper()
	o := parseOutputs(t, outputs)
	endpoint := o.Custom.AmplifyGo.Endpoints.UserPool
	return &poolClient{
		api: cognitoidentityprovider.New(cognitoidentityprovider.Options{
			Region:       o.Auth.Region,
			BaseEndpoint: aws.String(endpoint),
			// An administrator's calls are signed; whose key it is does not matter to the sandbox.
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "admin", SecretAccessKey: "admin"}, nil
			}),
			HTTPClient: wholeAnswers{http.DefaultClient},
			Retryer:    aws.NopRetryer{},
		}),
		endpoint: endpoint, poolID: o.Auth.UserPoolID, clientID: o.Auth.ClientID,
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// signUp signs up a user with [password].
func (p *poolClient) signUp(ctx context.Context, email string) error {
	_, err := p.api.SignUp(ctx, &cognitoidentityprovider.SignUpInput{
		ClientId: &p.clientID, Username: &email, Password: aws.String(password),
		UserAttributes: []types.AttributeType{{Name: aws.String("email"), Value: &email}},
	})
	return err
}

// confirm confirms a user as an administrator does.
func (p *poolClient) confirm(ctx context.Context, username string) error {
	_, err := p.api.AdminConfirmSignUp(ctx, &cognitoidentityprovider.AdminConfirmSignUpInput{UserPoolId: &p.poolID, Username: &username})
	return err
}

// signIn signs a user in by SRP.
func (p *poolClient) signIn(ctx context.Context, username, password string) (*types.AuthenticationResultType, error) {
	user, err := srptest.New(p.poolID, password)
	if err != nil {
		return nil, err
	}
	begun, err := p.api.InitiateAuth(ctx, &cognitoidentityprovider.InitiateAuthInput{
		ClientId: &p.clientID, AuthFlow: types.AuthFlowTypeUserSrpAuth,
		AuthParameters: map[string]string{"USERNAME": username, "SRP_A": user.A()},
	})
	if err != nil {
		return nil, err
	}
	responses, err := user.Answer(begun.ChallengeParameters)
	if err != nil {
		return nil, err
	}
	out, err := p.api.RespondToAuthChallenge(ctx, &cognitoidentityprovider.RespondToAuthChallengeInput{
		ClientId: &p.clientID, ChallengeName: begun.ChallengeName, ChallengeResponses: responses,
	})
	if err != nil {
		return nil, err
	}
	return out.AuthenticationResult, nil
}

func (p *poolClient) refresh(ctx context.Context, refreshToken string) (*types.AuthenticationResultType, error) {
	out, err := p.api.GetTokensFromRefreshToken(ctx, &cognitoidentityprovider.GetTokensFromRefreshTokenInput{ClientId: &p.clientID, RefreshToken: &refreshToken})
	if err != nil {
		return nil, err
	}
	return out.AuthenticationResult, nil
}

func (p *poolClient) revoke(ctx context.Context, refreshToken string) error {
	_, err := p.api.RevokeToken(ctx, &cognitoidentityprovider.RevokeTokenInput{ClientId: &p.clientID, Token: &refreshToken})
	return err
}

// user returns the attributes of the user whose access token it is.
func (p *poolClient) user(ctx context.Context, accessToken string) (map[string]string, error) {
	out, err := p.api.GetUser(ctx, &cognitoidentityprovider.GetUserInput{AccessToken: &accessToken})
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{}
	for _, a := range out.UserAttributes {
		attributes[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	return attributes, nil
}

// wholeAnswers is an HTTP client for the AWS SDK that reads answers to their end before it returns
// them. The SDK closes the body of a request once the header of the answer has come. If net/http is
// then still looking whether the request has more, it takes that for an error and breaks the
// connection off, and the rest of the answer is lost: in one of some ten thousand calls here.
type wholeAnswers struct{ client *http.Client }

func (c wholeAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := c.client.Do(r)
	if err != nil {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}
