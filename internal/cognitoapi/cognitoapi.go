// Package cognitoapi makes the clients of Cognito's two APIs. Their calls are authorised by the
// tokens that they carry, or need no authorisation. None is signed.
package cognitoapi

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// UserPool returns the client of the Cognito user pools API that app keeps.
func UserPool(app *amplify.App) (*cognitoidentityprovider.Client, error) {
	var region string
	if c := app.Config().Auth; c != nil {
		region, _, _ = strings.Cut(c.UserPoolID, "_")
	}
	return awsapi.Client(app, region, func(s awsapi.Settings) *cognitoidentityprovider.Client {
		return cognitoidentityprovider.New(cognitoidentityprovider.Options{
			Region:       s.Region,
			HTTPClient:   s.HTTPClient,
			Retryer:      s.Retryer,
			Credentials:  aws.AnonymousCredentials{},
			BaseEndpoint: endpoint(app.Endpoints().UserPool),
		})
	})
}

// IdentityPool returns the client of the Cognito identity pools API that app keeps.
func IdentityPool(app *amplify.App) (*cognitoidentity.Client, error) {
	var region string
	if c := app.Config().Auth; c != nil {
		region, _, _ = strings.Cut(c.IdentityPoolID, ":")
	}
	return awsapi.Client(app, region, func(s awsapi.Settings) *cognitoidentity.Client {
		return cognitoidentity.New(cognitoidentity.Options{
			Region:       s.Region,
			HTTPClient:   s.HTTPClient,
			Retryer:      s.Retryer,
			Credentials:  aws.AnonymousCredentials{},
			BaseEndpoint: endpoint(app.Endpoints().IdentityPool),
		})
	})
}

// endpoint returns nil for "", which leaves the choice to the SDK.
func endpoint(url string) *string {
	if url == "" {
		return nil
	}
	return &url
}
