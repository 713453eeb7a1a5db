package cognito

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// The calls that this package makes are authorised by the tokens that they carry, or need no
// authorisation. None is signed.

// userPoolAPI is this package's client of the Cognito user pools API.
type userPoolAPI struct {
	*cognitoidentityprovider.Client
}

// userPoolClient returns the client of the user pools API that app keeps.
func userPoolClient(app *amplify.App) (userPoolAPI, error) {
	var region string
	if c := app.Config().Auth; c != nil {
		region, _, _ = strings.Cut(c.UserPoolID, "_")
	}
	return awsapi.Client(app, region, func(s awsapi.Settings) userPoolAPI {
		o := cognitoidentityprovider.Options{
			Region:      s.Region,
			HTTPClient:  s.HTTPClient,
			Retryer:     s.Retryer,
			Credentials: aws.AnonymousCredentials{},
		}
		if endpoint := app.Endpoints().UserPool; endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		return userPoolAPI{cognitoidentityprovider.New(o)}
	})
}

// identityPoolAPI is this package's client of the Cognito identity pools API.
type identityPoolAPI struct{ *cognitoidentity.Client }

// identityPoolClient returns the client of the identity pools API that app keeps.
func identityPoolClient(app *amplify.App) (identityPoolAPI, error) {
	var region string
	if c := app.Config().Auth; c != nil {
		region, _, _ = strings.Cut(c.IdentityPoolID, ":")
	}
	return awsapi.Client(app, region, func(s awsapi.Settings) identityPoolAPI {
		o := cognitoidentity.Options{
			Region:      s.Region,
			HTTPClient:  s.HTTPClient,
			Retryer:     s.Retryer,
			Credentials: aws.AnonymousCredentials{},
		}
		if endpoint := app.Endpoints().IdentityPool; endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		return identityPoolAPI{cognitoidentity.New(o)}
	})
}
