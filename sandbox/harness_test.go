package sandbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify/sandbox"
)

const (
	email    = "alice@example.com"
	password = "Right-1-password"
)

// testKeys are what all sandboxes of the tests sign with: making keys takes longer than most tests.
var testKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// start starts a sandbox that ends with the test.
func start(t testing.TB, cfg sandbox.Config) *sandbox.Sandbox {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.AccessTokenKey == nil && cfg.KeyFile == "" {
		cfg.AccessTokenKey, cfg.IDTokenKey = testKeys()[0], testKeys()[1]
	}
	s, err := sandbox.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	return s
}

// outputs is what tests read of an amplify_outputs.json.
type outputs struct {
	Version string
	Auth    struct {
		Region         string `json:"aws_region"`
		PoolID         string `json:"user_pool_id"`
		ClientID       string `json:"user_pool_client_id"`
		IdentityPoolID string `json:"identity_pool_id"`
		OAuth          struct {
			Domain  string
			SignIn  []string `json:"redirect_sign_in_uri"`
			SignOut []string `json:"redirect_sign_out_uri"`
		}
	}
	Data   dataOutputs
	Custom struct {
		AmplifyGo struct {
			Endpoints map[string]string
		} `json:"amplify_go"`
	}
}

func outputsOf(t testing.TB, s *sandbox.Sandbox) outputs {
	t.Helper()
	var o outputs
	if err := json.Unmarshal(s.Outputs(), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// sdk returns the AWS SDK's client, pointed at the sandbox as any user of it would do.
func sdk(s *sandbox.Sandbox) *cognito.Client {
	return cognito.New(cognito.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(s.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
		HTTPClient: wholeAnswers{http.DefaultClient},
		Retryer:    aws.NopRetryer{},
	})
}

// refused fails the test unless the API refused with that exception; "" wants success.
func refused(t *testing.T, what string, err error, exception string) {
	t.Helper()
	got := ""
	var api smithy.APIError
	if errors.As(err, &api) {
		got = api.ErrorCode()
	} else if err != nil {
		got = err.Error()
	}
	if got != exception {
		t.Errorf("%s: %v, want %q", what, err, exception)
	}
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
