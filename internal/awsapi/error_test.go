package awsapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// service answers every call with one status and body, or not at all.
type service struct {
	status int
	body   string
	calls  int
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls++
	if s.status == 0 {
		return nil, syscall.ECONNRESET
	}
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"X-Amzn-Requestid": {"request-1"}},
		Body: io.NopCloser(strings.NewReader(s.body)), Request: r,
	}, nil
}

// userPool returns the client that app keeps for calls of the user pools API.
func userPool(t *testing.T, app *amplify.App) *cognitoidentityprovider.Client {
	t.Helper()
	c, err := awsapi.Client(app, "eu-west-1", newUserPool)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newUserPool(s awsapi.Settings) *cognitoidentityprovider.Client {
	return cognitoidentityprovider.New(cognitoidentityprovider.Options{
		Region: s.Region, HTTPClient: s.HTTPClient, Retryer: s.Retryer,
		Credentials: aws.AnonymousCredentials{},
	})
}

var getUser = &cognitoidentityprovider.GetUserInput{AccessToken: aws.String("secret")}

func TestError(t *testing.T) {
	for _, c := range []struct {
		name    string
		service service
		want    amplify.Error
		calls   int
	}{
		{"refused", service{status: 400, body: `{"__type":"com.amazonaws.cognito#NotAuthorizedException","message":"Access Token has been revoked"}`},
			amplify.Error{Name: "NotAuthorizedException", Message: "Access Token has been revoked", RequestID: "request-1"}, 1},
		{"without a name", service{status: 400, body: `{"message":"x"}`},
			amplify.Error{Name: "UnknownError", Message: "x", RequestID: "request-1"}, 1},
		{"throttled", service{status: 400, body: `{"__type":"TooManyRequestsException","message":"Rate exceeded"}`},
			amplify.Error{Name: "TooManyRequestsException", Message: "Rate exceeded", RequestID: "request-1", Reason: amplify.ReasonServiceUnavailable}, 3},
		{"throttled by a proxy", service{status: 429, body: `Too Many Requests`},
			amplify.Error{Name: "Unknown", Message: "An unknown error has occurred.", RequestID: "request-1", Reason: amplify.ReasonServiceUnavailable}, 3},
		{"unavailable", service{status: 503, body: ``},
			amplify.Error{Name: "UnknownError", Message: "UnknownError", RequestID: "request-1", Reason: amplify.ReasonServiceUnavailable}, 3},
		{"unavailable, as a page", service{status: 502, body: `<html>`},
			amplify.Error{Name: "Unknown", Message: "An unknown error has occurred.", RequestID: "request-1", Reason: amplify.ReasonServiceUnavailable}, 3},
		{"garbled", service{status: 200, body: `{"Username":"alice","UserAttributes":[{"Name":"secret`},
			amplify.Error{Name: "Unknown", Message: "An unknown error has occurred.", RequestID: "request-1"}, 1},
		{"no answer", service{}, amplify.Error{Name: "NetworkError", Message: "A network error has occurred.", Reason: amplify.ReasonServiceUnavailable}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, err := amplify.New(amplify.Config{Auth: &amplify.AuthConfig{UserPoolID: "eu-west-1_Pool", UserPoolClientID: "client"}},
				amplify.Options{HTTPClient: &http.Client{Transport: &c.service}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = userPool(t, app).GetUser(t.Context(), getUser)
			if err == nil {
				t.Fatal("no error")
			}
			got := *awsapi.Error(err)
			if text := fmt.Sprintf("%v %+v %#v", got.Err, got.Err, got); strings.Contains(text, "secret") {
				t.Errorf("the error tells a secret: %s", text)
			}
			var garbled *smithy.DeserializationError // which holds a part of the body
			if errors.As(got.Err, &garbled) && strings.Contains(string(garbled.Snapshot), "secret") {
				t.Errorf("the error holds the body: %s", garbled.Snapshot)
			}
			if got.Err == nil {
				t.Error("the cause is lost")
			}
			if got.Err = nil; got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
			if c.service.calls != c.calls {
				t.Errorf("%d calls, want %d", c.service.calls, c.calls)
			}
		})
	}
}
