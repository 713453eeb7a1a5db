package porting

import (
	"context"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
)

// frameworkRequest stands for the request of a web framework. Its two methods make it a
// cookie.Store.
type frameworkRequest struct {
	cookies  []*http.Cookie
	response http.Header
}

func (r frameworkRequest) CookieHeader() []string {
	var pairs []string
	for _, c := range r.cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return []string{strings.Join(pairs, "; ")}
}

func (r frameworkRequest) Set(c *http.Cookie) { cookie.Add(r.response, c) }

// welcome gets app and client from the start of the program, by amplify.New and cognito.New.
func welcome(ctx context.Context, app *amplify.App, client *cognito.Client,
	request frameworkRequest) (string, error) {
	// Step 1: the key-value storage
	keyValueStorage := cookie.NewKeyValueStorage(request, cookie.Options{})
	// Step 2: the token provider
	tokenProvider := client.TokenProvider(keyValueStorage)
	// Step 3: the credentials provider
	credentialsProvider := client.CredentialsProvider(keyValueStorage)

	return amplify.RunWithServerContext(ctx, app,
		amplify.Providers{Tokens: tokenProvider, Credentials: credentialsProvider},
		func(ctx context.Context) (string, error) {
			user, err := auth.GetCurrentUser(ctx)
			if err != nil {
				return "", err
			}
			return "Welcome " + user.Username + "!", nil
		})
}
