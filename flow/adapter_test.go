package flow_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/cookie/cookietest"
	"github.com/amplify-go/amplify/internal/testpool"
)

// This file has the code of docs/guides/adapter.md.

// call stands for what a web framework of its own kind hands to its handlers.
type call struct {
	method, uri string
	request     http.Header
	response    http.Header
	sent        bool // the header of the response has gone
}

// callStore gives the library the cookies of a call.
type callStore struct{ *call }

func (s callStore) CookieHeader() []string { return s.request["Cookie"] }
func (s callStore) Set(c *http.Cookie)     { cookie.Add(s.response, c) }
func (s callStore) Writable() bool         { return !s.sent }

func TestCallStore(t *testing.T) {
	cookietest.Run(t, func(t *testing.T, lines []string) cookietest.Exchange {
		c := &call{request: http.Header{"Cookie": lines}, response: http.Header{}}
		var sent []string
		return cookietest.Exchange{
			Store:     callStore{c},
			End:       func() { c.sent, sent = true, c.response.Clone()["Set-Cookie"] },
			SetCookie: func() []string { return sent },
		}
	})
}

// backend is made once, and shared by all requests.
type backend struct {
	app    *amplify.App
	client *cognito.Client
}

func newBackend(cfg amplify.Config, o amplify.Options) (*backend, error) {
	app, err := amplify.New(cfg, o)
	if err != nil {
		return nil, err
	}
	client, err := cognito.New(app, cognito.Options{})
	if err != nil {
		return nil, err
	}
	return &backend{app, client}, nil
}

// run runs operation as the user who has sent a call.
func (b *backend) run(ctx context.Context, c *call, operation func(context.Context) error) error {
	storage := cookie.NewKeyValueStorage(callStore{c}, cookie.Options{})
	providers := b.client.Providers(storage)
	_, err := amplify.RunWithServerContext(ctx, b.app, providers, func(ctx context.Context) (any, error) {
		return nil, operation(ctx)
	})
	return err
}

// The three steps of an adapter: a storage on the request's cookies, providers on the storage, and a
// server context with the providers.
func Example_adapter() {
	pool := testpool.New(new(testing.T))
	b, err := newBackend(pool.Config(), pool.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer b.client.Close(context.Background())

	session := testpool.Cookies(testpool.Alice, pool.Access(testpool.Alice), pool.ID(testpool.Alice), "r")
	for _, cookies := range []string{session, ""} {
		c := &call{method: "GET", uri: "/", request: http.Header{"Cookie": {cookies}}, response: http.Header{}}
		err := b.run(context.Background(), c, func(ctx context.Context) error {
			user, err := auth.GetCurrentUser(ctx)
			if err != nil {
				return err
			}
			fmt.Println("Hello,", user.Username)
			return nil
		})
		if err != nil {
			fmt.Println("Welcome,", amplify.ReasonOf(err))
		}
	}
	// Output:
	// Hello, alice
	// Welcome, no_session
}
