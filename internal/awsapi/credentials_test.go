package awsapi_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// credentials gives what it holds.
type credentials struct {
	c   *amplify.Credentials
	err error
}

func (c *credentials) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	return c.c, c.err
}

func TestCredentials(t *testing.T) {
	source := &credentials{c: &amplify.Credentials{
		AccessKeyID: "id", SecretAccessKey: amplify.NewSecret("key"),
		SessionToken: amplify.NewSecret("token"), Expires: time.Unix(1, 0), IdentityID: "identity",
	}}
	ctx, done := amplify.WithServerContext(t.Context(), newApp(t), amplify.Providers{Credentials: source})
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := awsapi.Credentials(sc)
	got, err := p.Retrieve(ctx)
	if err != nil || got.AccessKeyID != "id" || got.SecretAccessKey != "key" ||
		got.SessionToken != "token" || !got.CanExpire || !got.Expires.Equal(time.Unix(1, 0)) {
		t.Errorf("got %v, %v", got.AccessKeyID, err)
	}
	failed := errors.New("failed")
	source.err = failed
	if got, err := p.Retrieve(ctx); err != failed || got.HasKeys() {
		t.Errorf("got %v, %v", got.AccessKeyID, err)
	}
	source.c, source.err = nil, nil
	for _, p := range []aws.CredentialsProvider{p, awsapi.Credentials(nil)} {
		var e *amplify.Error
		if _, err := p.Retrieve(ctx); !errors.As(err, &e) || e.Name != "NoCredentials" {
			t.Errorf("got %v", err)
		}
	}
	done()
	if _, err := p.Retrieve(ctx); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Errorf("after the server context closed: %v", err)
	}
}
