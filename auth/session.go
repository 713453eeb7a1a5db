package auth

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// FetchAuthSessionInput says how the session is wanted. The zero value takes what is valid and
// refreshes what has expired.
type FetchAuthSessionInput struct {
	// ForceRefresh refreshes tokens and credentials that have not expired, too: after a change of the user's
	// groups or attributes, for instance.
	ForceRefresh bool
	// ClientMetadata is passed to the user pool's Lambda triggers if the tokens are refreshed.
	ClientMetadata map[string]string
}

// Session is what a request may do, and as whom.
type Session struct {
	// Tokens are nil where nobody is signed in.
	Tokens *amplify.Tokens
	// Credentials are AWS credentials of the user or, where the identity pool allows them, of
	// a guest. They are nil where there are none to be had. AWSCredentials and AWSCredentialsProvider have them
	// as the AWS SDK takes them.
	Credentials *amplify.Credentials
	// IdentityID is the id in the identity pool that Credentials belong to.
	IdentityID string
	// UserSub is the sub of the user, or empty where nobody is signed in.
	UserSub string
	// Unauthenticated says why nobody is signed in: it matches [amplify.ErrUnauthenticated] and has a Reason. It is
	// nil where Tokens are there.
	Unauthenticated error

	server *amplify.ServerContext
}

// FetchAuthSession returns the session of the request. That nobody is signed in is
// no error: then Session.Unauthenticated says why. It is an error if that cannot be found out at the moment,
// if a forced refresh fails, and, as in Amplify JS, if the user pool ended the session with anything
// more particular than NotAuthorizedException; the latter matches [amplify.ErrUnauthenticated].
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

// AWSCredentials returns the session's credentials as the AWS SDK for Go has them: without keys where there are none to
// be had. They are plain text: what prints them prints the secret.
func (s *Session) AWSCredentials() aws.Credentials {
	if s.Credentials == nil {
		return aws.Credentials{}
	}
	return awsapi.AWSCredentials(s.Credentials)
}

// AWSCredentialsProvider returns a source of the request's credentials for the clients of the AWS SDK for Go:
//
//	client := s3.New(s3.Options{Region: region, Credentials: session.AWSCredentialsProvider()})
//
// It renews credentials that are about to expire, and ends with the server context: then it returns
// [amplify.ErrServerContextClosed]. It is safe for concurrent use.
func (s *Session) AWSCredentialsProvider() aws.CredentialsProvider {
	return awsapi.Credentials(s.server)
}
