package amplify_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/amplify-go/amplify"
)

func ExampleParseConfig() {
	cfg, err := amplify.ParseConfig([]byte(`{
		"version": "1.4",
		"auth": {
			"user_pool_id": "eu-west-1_Abc123456",
			"user_pool_client_id": "4example23456789",
			"username_attributes": ["email"]
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.Auth.UserPoolID, cfg.Auth.SignInWith)
	// Output: eu-west-1_Abc123456 [email]
}

// All faults are reported at once.
func ExampleConfigErrors() {
	_, err := amplify.New(amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "Abc123456",
		OAuth:      &amplify.OAuthConfig{Domain: "https://auth.myapp.com"},
	}}, amplify.Options{})
	for _, fault := range amplify.ConfigErrors(err) {
		fmt.Println(fault.Field)
	}
	// Output:
	// Config.Auth.UserPoolID
	// Config.Auth.UserPoolClientID
	// Config.Auth.OAuth.Domain
}

// alice is a source of tokens that knows one user.
type alice struct{}

func (alice) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	return &amplify.Tokens{AccessToken: amplify.NewToken("secret", &amplify.Claims{Username: "alice"})}, nil
}

// greet is an API as those of packages auth, storage and data: it finds the server context in ctx.
func greet(ctx context.Context) (string, error) {
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		return "", err
	}
	tokens, err := sc.Tokens(ctx, amplify.TokensInput{})
	if err != nil {
		return "", err
	}
	return "Hello, " + tokens.AccessToken.Claims().Username, nil
}

func ExampleRunWithServerContext() {
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(amplify.RunWithServerContext(context.Background(), app, amplify.Providers{Tokens: alice{}}, greet))
	// Output: Hello, alice <nil>
}

// This is the wrong way: a context that is kept belongs to nobody any more.
func ExampleRunWithServerContext_kept() {
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var kept context.Context
	_, _ = amplify.RunWithServerContext(context.Background(), app, amplify.Providers{Tokens: alice{}},
		func(ctx context.Context) (any, error) {
			kept = ctx
			return nil, nil
		})
	_, err = greet(kept)
	fmt.Println(errors.Is(err, amplify.ErrServerContextClosed))
	// Output: true
}

func ExampleError() {
	err := fmt.Errorf("page: %w", amplify.Unauthenticated(amplify.ReasonExpiredNoRefreshToken, nil))
	fmt.Println(errors.Is(err, amplify.ErrUnauthenticated), amplify.ReasonOf(err))
	// Output: true expired_no_refresh_token
}

func ExampleSecret() {
	key := amplify.NewSecret("da2-example")
	fmt.Printf("%v %#v %d\n", key, key, len(key.Reveal()))
	// Output: [redacted] [redacted] 11
}
