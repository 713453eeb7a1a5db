package amplifytest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifytest"
)

// fakeTB is a test that notes why it fails, and can be ended.
type fakeTB struct {
	testing.TB
	failure  string
	cleanups []func()
}

func (f *fakeTB) Helper()          {}
func (f *fakeTB) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *fakeTB) Errorf(format string, args ...any) {
	f.failure += fmt.Sprintf(format, args...)
}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}
func (f *fakeTB) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

// try returns why a test that does what f does fails.
func try(t *testing.T, f func(tb *fakeTB)) (failure string) {
	t.Helper()
	tb := &fakeTB{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(tb) {
			panic(r)
		}
		failure = tb.failure
	}()
	f(tb)
	return tb.failure
}

// TestMisuse: what cannot work fails the test, and says what to do.
func TestMisuse(t *testing.T) {
	t.Parallel()
	newPool := func(tb *fakeTB) *amplifytest.Pool {
		return amplifytest.New(tb, amplifytest.Options{})
	}
	withAuth := func(auth amplify.AuthConfig) func(*fakeTB) {
		return func(tb *fakeTB) {
			amplifytest.New(tb, amplifytest.Options{Config: amplify.Config{Auth: &auth}})
		}
	}
	call := func(address, target string) func(*fakeTB) {
		return func(tb *fakeTB) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("X-Amz-Target", target)
			response, err := newPool(tb).Options().App.HTTPClient.Do(r)
			if err == nil {
				response.Body.Close()
				t.Errorf("%s answers %d", address, response.StatusCode)
			}
		}
	}
	login := func(path, parameter, value string) func(*fakeTB) {
		return func(tb *fakeTB) {
			pool := newPool(tb)
			auth := pool.Config().Auth
			q := url.Values{
				"client_id":             {auth.UserPoolClientID},
				"redirect_uri":          {auth.OAuth.RedirectSignIn[0]},
				"response_type":         {"code"},
				"code_challenge":        {"x"},
				"code_challenge_method": {"S256"},
				"logout_uri":            {auth.OAuth.RedirectSignOut[0]},
			}
			q.Set(parameter, value)
			browser := pool.Browser(http.NotFoundHandler(), ann)
			response, err := browser.Get("https://auth.example.com" + path + "?" + q.Encode())
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		}
	}
	const authorize, unknown = "/oauth2/authorize", ", which the pool does not know"
	tests := map[string]struct {
		do   func(tb *fakeTB)
		want string // "" is no misuse
	}{
		"no user pool": {
			withAuth(amplify.AuthConfig{IdentityPoolID: "x:y"}), "set both, or leave Auth nil"},
		"a wrong configuration": {
			withAuth(amplify.AuthConfig{UserPoolID: "x", UserPoolClientID: "y"}),
			`Config.Auth.UserPoolID "x"`},
		"a user without a name": {func(tb *fakeTB) {
			newPool(tb).SignIn(get("/"), amplifytest.User{Groups: []string{"editors"}})
		}, "needs a Name or an Email"},
		"a session that no cookies hold": {func(tb *fakeTB) {
			u := ann
			u.Claims = map[string]any{"much": strings.Repeat("x", 5000)}
			newPool(tb).SignIn(get("/"), u)
		}, "accessToken"},
		"a call of another host": {
			call("https://s3.eu-west-1.amazonaws.com/bucket/key?X-Amz-Signature=secret", ""),
			"GET https://s3.eu-west-1.amazonaws.com/bucket/key " + unknown},
		"an operation of the user pool": {
			call("https://user-pool.test/", "AWSCognitoIdentityProviderService.AdminGetUser"),
			"AWSCognitoIdentityProviderService.AdminGetUser" + unknown},
		"an operation of the identity pool": {
			call("https://identity-pool.test/", "AWSCognitoIdentityService.DeleteIdentities"),
			"AWSCognitoIdentityService.DeleteIdentities" + unknown},
		"an endpoint of managed login": {
			call("https://auth.example.com/oauth2/userInfo", ""), "/oauth2/userInfo " + unknown},
		"a browser elsewhere": {func(tb *fakeTB) {
			browser := newPool(tb).Browser(http.NotFoundHandler(), ann)
			if _, err := browser.Get("https://elsewhere.test/?token=secret"); err == nil {
				t.Error("there is an answer")
			}
		}, "opens https://elsewhere.test/, which is neither"},
		"sign-in":  {login(authorize, "", ""), ""},
		"sign-up":  {login("/signup", "", ""), ""},
		"sign-out": {login("/logout", "", ""), ""},
		"a page of managed login": {
			login("/oauth2/idpresponse", "", ""), "no such page: /oauth2/idpresponse"},
		"another client": {
			login(authorize, "client_id", "other"), "client_id is other"},
		"another callback": {
			login(authorize, "redirect_uri", "https://example.com/cb"),
			"by Options.Config. It is https://example.com/cb"},
		"another way out": {
			login("/logout", "logout_uri", "https://example.com/out"),
			"by Options.Config. It is https://example.com/out"},
		"no PKCE": {
			login(authorize, "code_challenge_method", "plain"), "with PKCE (S256)"},
		"the implicit grant": {
			login(authorize, "response_type", "token"), "the authorization code grant"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := try(t, tt.do)
			if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("the test fails with %q, want %q", got, tt.want)
			}
			if strings.Contains(got, "secret") {
				t.Errorf("a secret is quoted: %s", got)
			}
		})
	}
}

// TestAfterTheTest: what an application does when the test has ended is not the test's.
func TestAfterTheTest(t *testing.T) {
	t.Parallel()
	got := try(t, func(tb *fakeTB) {
		pool := amplifytest.New(tb, amplifytest.Options{})
		o := pool.Options().App
		for _, c := range tb.cleanups {
			c()
		}
		tb.TB = nil // panics if it is used
		o.Logger.Warn("too late")
		if _, err := o.HTTPClient.Get("https://elsewhere.test/"); err == nil {
			t.Error("there is an answer")
		}
	})
	if got != "" {
		t.Errorf("the test fails with %q", got)
	}
}
