package auth

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// FetchAuthSessionInput are the options of [FetchAuthSession]. With the zero value tokens and
// credentials are refreshed only if they have expired.
type FetchAuthSessionInput struct {
	// ForceRefresh refreshes tokens and credentials even if they have not expired, for instance
	// after a change of the user's groups or attributes.
	ForceRefresh bool
	// ClientMetadata is passed to the user pool's Lambda triggers if the tokens are refreshed.
	ClientMetadata map[string]string
}

// Session holds the identity and the credentials of a request.
type Session struct {
	// Tokens are nil if the request is not signed in.
	Tokens *amplify.Tokens
	// Credentials are AWS credentials of the user or, if the identity pool allows guests, of a
	// guest. They are nil if the identity pool gives none, or there is no identity pool.
	// AWSCredentials and AWSCredentialsProvider return them in the form of the AWS SDK.
	Credentials *amplify.Credentials
	// IdentityID is the id in the identity pool that Credentials belong to.
	IdentityID string
	// UserSub is the sub of the user. It is empty if the request is not signed in.
	UserSub string
	// Unauthenticated says why the request is not signed in. It matches
	// [amplify.ErrUnauthenticated] and has a Reason. It is nil if there are Tokens.
	Unauthenticated error

	server *amplify.ServerContext
}

// FetchAuthSession returns the session of the request. It returns no error if the request is not
// signed in: then Session.Unauthenticated says why. It returns an error if
//   - it cannot tell at the moment whether the request is signed in;
//   - a forced refresh fails;
//   - the user pool ended the session with another error than NotAuthorizedException, as in Amplify
//     JS. This error matches [amplify.ErrUnauthenticated].
func FetchAuthSession(ctx context.Context, in FetchAuthSessionInput) (*Session, error) {
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	s := &Session{server: sc}
	t, err := sc.Tokens(ctx, amplify.TokensInput{ForceRefresh: in.ForceRefresh, ClientMetadata: in.ClientMetadata})
	var e *amplify.Error
	switch {
	case err == nil:
		s.Tokens, s.UserSub = t, t.AccessToken.Claims().Subject
	case errors.As(err, &e) && e.Name == amplify.ErrUnauthenticated.Name:
		s.Unauthenticated = err
	default:
		return nil, err
	}
	s.Credentials, err = sc.Credentials(ctx, amplify.CredentialsInput{ForceRefresh: in.ForceRefresh})
	if err != nil {
		return nil, err
	}
	if s.Credentials != nil {
		s.IdentityID = s.Credentials.IdentityID
	}
	return s, nil
}

// AWSCredentials returns the session's credentials in the form of the AWS SDK for Go. They have no
// keys if the session has no credentials. They hold the secrets as plain text, and print them.
func (s *Session) AWSCredentials() aws.Credentials {
	if s.Credentials == nil {
		return aws.Credentials{}
	}
	return awsapi.AWSCredentials(s.Credentials)
}

// AWSCredentialsProvider returns a source of the request's credentials for clients of the AWS SDK
// for Go:
//
//	client := s3.New(s3.Options{Region: region, Credentials: session.AWSCredentialsProvider()})
//
// It renews credentials that are about to expire. After the server context has closed, it returns
// [amplify.ErrServerContextClosed]. It is safe for concurrent use.
func (s *Session) AWSCredentialsProvider() aws.CredentialsProvider {
	return awsapi.Credentials(s.server)
}
