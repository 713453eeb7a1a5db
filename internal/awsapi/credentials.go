package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
)

// Credentials returns a source of the credentials of sc for clients of the AWS SDK. It renews
// credentials that are about to expire. It ends with the session that sc has at the time of the
// call: afterwards it returns [amplify.ErrServerContextClosed], or an error that matches
// [amplify.ErrUnauthenticated]. It is safe for concurrent use. sc may be nil, which has no
// credentials.
func Credentials(sc *amplify.ServerContext) aws.CredentialsProvider {
	if sc == nil {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, ErrNoCredentials
		})
	}
	life := sc.Lifetime()
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c, err := sc.Credentials(ctx, amplify.CredentialsInput{})
		switch {
		case life.Err() != nil: // after the call: the session may have ended meanwhile
			return aws.Credentials{}, context.Cause(life)
		case err != nil:
			return aws.Credentials{}, err
		case c == nil:
			return aws.Credentials{}, ErrNoCredentials
		}
		return AWSCredentials(c), nil
	})
}

// AWSCredentials returns c as the AWS SDK has credentials. The result holds the secrets as plain
// text.
func AWSCredentials(c *amplify.Credentials) aws.Credentials {
	return aws.Credentials{
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey.Reveal(),
		SessionToken:    c.SessionToken.Reveal(),
		Source:          "Amplify",
		CanExpire:       !c.Expires.IsZero(),
		Expires:         c.Expires,
	}
}

// ErrNoCredentials is the error of calls that need credentials where there are none.
var ErrNoCredentials = &amplify.Error{
	Name:    "NoCredentials",
	Reason:  amplify.ReasonConfiguration,
	Message: "Credentials should not be empty.",
	RecoverySuggestion: "Make sure that the configuration has an identity pool, and that the " +
		"request is signed in with cookies or the identity pool allows guests.",
}

// Live binds ctx to life, the lifetime of a request's session ([amplify.ServerContext.Lifetime]).
// [context.Cause] of the returned context tells why it has ended. end must be called.
func Live(ctx, life context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}
