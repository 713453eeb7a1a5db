package auth

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// userPool is this package's client of the Cognito user pools API. Its calls are authorised by the
// access tokens that they carry, and are not signed.
type userPool struct {
	*cognitoidentityprovider.Client
}

// userPoolOf returns the client that app keeps.
func userPoolOf(app *amplify.App) (userPool, error) {
	var region string
	if c := app.Config().Auth; c != nil {
		region, _, _ = strings.Cut(c.UserPoolID, "_")
	}
	return awsapi.Client(app, region, func(s awsapi.Settings) userPool {
		o := cognitoidentityprovider.Options{
			Region:      s.Region,
			HTTPClient:  s.HTTPClient,
			Retryer:     s.Retryer,
			Credentials: aws.AnonymousCredentials{},
		}
		if endpoint := app.Endpoints().UserPool; endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		return userPool{cognitoidentityprovider.New(o)}
	})
}
