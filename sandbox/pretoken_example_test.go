package sandbox_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// The hook does what the pre token generation Lambda trigger of the deployed user pool does.
func ExampleConfig_preToken() {
	ctx := context.Background()
	sb, err := sandbox.Start(ctx, sandbox.Config{
		Logger: slog.New(slog.DiscardHandler),
		Users: []sandbox.User{{Email: "ann@example.com", Password: "Only-4-tests",
			Attributes: map[string]string{"custom:tenant": "acme"}}},
		PreToken: func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
			tenant := map[string]any{"tenant": e.UserAttributes["custom:tenant"]}
			return pretoken.Response{
				IDToken:     pretoken.Claims{Suppress: []string{"email"}},
				AccessToken: pretoken.Claims{Add: tenant},
				AddScopes:   []string{"photos/read"},
				Groups:      &pretoken.Groups{Names: []string{"Curators"}},
			}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close(ctx)

	tokens, err := sb.Tokens(ctx, "ann@example.com")
	if err != nil {
		log.Fatal(err)
	}
	var claims jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(tokens.AccessToken, &claims); err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims["tenant"], claims["cognito:groups"], claims["scope"])
	// Output: acme [Curators] aws.cognito.signin.user.admin photos/read
}
