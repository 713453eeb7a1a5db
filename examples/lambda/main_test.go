package main

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifylambda"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/internal/frameworktest"
	"github.com/aws/aws-lambda-go/lambda"
)

// TestApplication: behind each integration the application is what it is on net/http, but that its
// events arrive together.
func TestApplication(t *testing.T) {
	for name, i := range integrations {
		t.Run(name, func(t *testing.T) {
			frameworktest.RunBuffered(t, serve(func(t testing.TB, app http.Handler) http.Handler {
				return i.serve(t, amplifylambda.Handler(app))
			}))
		})
	}
}

// TestStreamingApplication: where the integration streams, nothing differs.
func TestStreamingApplication(t *testing.T) {
	frameworktest.Run(t, serve(func(t testing.TB, app http.Handler) http.Handler {
		return integrations["function URL"].stream(t, amplifylambda.StreamingHandler(app))
	}))
}

// TestStage: on the default endpoint of a REST API, users are sent to addresses with the stage.
func TestStage(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	pool := amplifytest.New(t, amplifytest.Options{})
	cfg := pool.Config()
	cfg.Auth.OAuth.RedirectSignIn = []string{pool.Origin() + "/dev/api/auth/sign-in-callback"}
	cfg.Auth.OAuth.RedirectSignOut = []string{pool.Origin() + "/dev/api/auth/sign-out-callback"}
	runner, err := amplifyhttp.NewServerRunner(cfg, pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	app, err := newApp(runner, true)
	if err != nil {
		t.Fatal(err)
	}
	const event = `{"httpMethod": "GET", "path": "/home",
		"multiValueHeaders": {"Accept": ["text/html"]}, "requestContext": {
			"path": "/dev/home", "stage": "dev", "identity": {"sourceIp": "192.0.2.1"}}}`
	text, err := lambda.NewHandler(amplifylambda.Handler(app)).Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	var got answer
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	const want = "/dev/api/auth/sign-in?return_to=%2Fdev%2Fhome"
	if to := got.MultiValueHeaders["Location"]; got.StatusCode != 303 || len(to) != 1 ||
		to[0] != want {
		t.Errorf("%s", text)
	}
}
