package awsapi

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
)

// userPoolClient is the type under which an App keeps its client of the user pools API.
type userPoolClient struct {
	*cognitoidentityprovider.Client
}

// UserPool returns the client of the Cognito user pools API that app keeps. Its calls are
// authorised by the tokens that they carry, not signed.
func UserPool(app *amplify.App) (*cognitoidentityprovider.Client, error) {
	c, err := amplify.Shared(app, func(app *amplify.App) (userPoolClient, error) {
		o := cognitoidentityprovider.Options{
			HTTPClient:  app.HTTPClient(),
			Credentials: aws.AnonymousCredentials{},
			Retryer:     Retryer(),
		}
		if auth := app.Config().Auth; auth != nil {
			o.Region, _, _ = strings.Cut(auth.UserPoolID, "_")
		}
		if endpoint := app.Endpoints().UserPool; endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		return userPoolClient{cognitoidentityprovider.New(o)}, nil
	})
	return c.Client, err
}

// identityPoolClient is the type under which an App keeps its client of the identity pools API.
type identityPoolClient struct {
	*cognitoidentity.Client
}

// IdentityPool returns the client of the Cognito identity pools API that app keeps. The calls that give out credentials
// are not signed.
func IdentityPool(app *amplify.App) (*cognitoidentity.Client, error) {
	c, err := amplify.Shared(app, func(app *amplify.App) (identityPoolClient, error) {
		o := cognitoidentity.Options{
			HTTPClient:  app.HTTPClient(),
			Credentials: aws.AnonymousCredentials{},
			Retryer:     Retryer(),
		}
		if auth := app.Config().Auth; auth != nil {
			o.Region, _, _ = strings.Cut(auth.IdentityPoolID, ":")
		}
		if endpoint := app.Endpoints().IdentityPool; endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		return identityPoolClient{cognitoidentity.New(o)}, nil
	})
	return c.Client, err
}

// Attempts is how often a call is sent at most. Amplify JS sends three, too.
const Attempts = 3

// Retryer retries what may pass: throttling, also by a proxy that says so by status 429 alone, 5xx and broken connections. It waits 0 to 100 ms, then
// 0 to 200 ms: the full jitter keeps the servers of a fleet from coming back in step, and the context
// of the call ends the wait. Its token bucket stops retries while most calls of a client fail, so that
// a service in trouble is not fed more.
func Retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = Attempts
		o.Retryables = append(slices.Clip(o.Retryables), retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}})
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return rand.N(100 * time.Millisecond << (attempt - 1)), nil // attempt counts from 1
		})
	})
}
