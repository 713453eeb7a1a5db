package flow_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/flow"
)

// adapter is all that an adapter for another framework consists of: it turns the framework's
// request into an [http.Request], and what it gets into the framework's response.
type adapter struct {
	runner *flow.Runner
	routes *flow.Routes
	guard  *flow.Guard
}

// answer answers a request: an auth route, or a page for signed-in users.
func (a *adapter) answer(r *http.Request, page func(context.Context) *flow.Response) *flow.Response {
	var x flow.Exchange
	a.runner.Begin(&x, r)
	answer := func() *flow.Response {
		if strings.HasPrefix(r.URL.Path, "/api/auth/") {
			return a.routes.Answer(&x, r)
		}
		if !a.guard.Excepts(r) {
			if err := a.guard.Check(&x, r); err != nil {
				return a.guard.Deny(&x, r, err)
			}
		}
		ctx, done := amplify.WithServerContext(r.Context(), a.runner.App(), x.Providers())
		defer done()
		return page(ctx)
	}()
	x.Commit(answer.Header)
	return answer
}

// An adapter for another framework.
func Example() {
	runner, err := flow.New(amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "eu-west-1_Example01", UserPoolClientID: "exampleclient",
		OAuth: &amplify.OAuthConfig{
			Domain: "auth.myapp.com", Scopes: []string{"openid", "email"},
			RedirectSignIn:  []string{"https://myapp.com/api/auth/sign-in-callback"},
			RedirectSignOut: []string{"https://myapp.com/api/auth/sign-out-callback"},
		},
	}}, flow.Options{Origin: "https://myapp.com"})
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close(context.Background())
	routes, err := runner.Routes(flow.RoutesOptions{RedirectOnSignInComplete: "/home"})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := runner.RequireUser(flow.GuardOptions{SignIn: "/api/auth/sign-in"})
	if err != nil {
		log.Fatal(err)
	}

	a := &adapter{runner, routes, guard}
	home := func(ctx context.Context) *flow.Response {
		user, err := auth.GetCurrentUser(ctx)
		if err != nil {
			return &flow.Response{Status: http.StatusInternalServerError, Header: http.Header{}}
		}
		return &flow.Response{Status: http.StatusOK, Header: http.Header{}, Body: []byte("Hello, " + user.Username)}
	}
	for _, target := range []string{"/home", "/api/auth/sign-out", "/api/auth/unknown"} {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		answer := a.answer(r, home)
		fmt.Println(answer.Status, answer.Header.Get("Location"), len(answer.Header["Set-Cookie"]))
	}
	// Output:
	// 303 /api/auth/sign-in?return_to=%2Fhome 0
	// 302 https://auth.myapp.com/logout?client_id=exampleclient&logout_uri=https%3A%2F%2Fmyapp.com%2Fapi%2Fauth%2Fsign-out-callback 2
	// 404  0
}
