package amplifytest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
	login := func(path string, change url.Values) func(*fakeTB) {
		return func(tb *fakeTB) {
			pool := amplifytest.New(tb, amplifytest.Options{})
			auth := pool.Config().Auth
			q := url.Values{
				"client_id": {auth.UserPoolClientID}, "redirect_uri": {auth.OAuth.RedirectSignIn[0]}, "response_type": {"code"},
				"code_challenge": {"x"}, "code_challenge_method": {"S256"}, "logout_uri": {auth.OAuth.RedirectSignOut[0]},
			}
			for k, v := range change {
				q[k] = v
			}
			response, err := pool.Browser(http.NotFoundHandler(), ann).Get("https://auth.example.com" + path + "?" + q.Encode())
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		}
	}
	tests := map[string]struct {
		do   func(tb *fakeTB)
		want string // "" is no misuse
	}{
		"no user pool": {func(tb *fakeTB) {
			amplifytest.New(tb, amplifytest.Options{Config: amplify.Config{Auth: &amplify.AuthConfig{IdentityPoolID: "x:y"}}})
		}, "set both, or leave Auth nil"},
		"a wrong configuration": {func(tb *fakeTB) {
			amplifytest.New(tb, amplifytest.Options{Config: amplify.Config{Auth: &amplify.AuthConfig{UserPoolID: "x", UserPoolClientID: "y"}}})
		}, `Config.Auth.UserPoolID "x"`},
		"a user without a name": {func(tb *fakeTB) {
			amplifytest.New(tb, amplifytest.Options{}).SignIn(get("/"), amplifytest.User{Groups: []string{"editors"}})
		}, "needs a Name or an Email"},
		"a session that no cookies hold": {func(tb *fakeTB) {
			u := ann
			u.Claims = map[string]any{"much": strings.Repeat("x", 5000)}
			amplifytest.New(tb, amplifytest.Options{}).SignIn(get("/"), u)
		}, "accessToken"},
		"a call of another host": {func(tb *fakeTB) {
			call(t, tb, "https://s3.eu-west-1.amazonaws.com/bucket/key?X-Amz-Signature=secret", "")
		}, "GET https://s3.eu-west-1.amazonaws.com/bucket/key , which the pool does not know"},
		"an unknown operation": {func(tb *fakeTB) {
			call(t, tb, "https://user-pool.test/", "AWSCognitoIdentityProviderService.AdminDeleteUser")
		}, "AWSCognitoIdentityProviderService.AdminDeleteUser, which the pool does not know"},
		"an unknown operation of the identity pool": {func(tb *fakeTB) {
			call(t, tb, "https://identity-pool.test/", "AWSCognitoIdentityService.DeleteIdentities")
		}, "AWSCognitoIdentityService.DeleteIdentities, which the pool does not know"},
		"an unknown path of managed login": {func(tb *fakeTB) {
			call(t, tb, "https://auth.example.com/oauth2/userInfo", "")
		}, "/oauth2/userInfo , which the pool does not know"},
		"a browser elsewhere": {func(tb *fakeTB) {
			pool := amplifytest.New(tb, amplifytest.Options{})
			if _, err := pool.Browser(http.NotFoundHandler(), ann).Get("https://elsewhere.test/?token=secret"); err == nil {
				t.Error("there is an answer")
			}
		}, "opens https://elsewhere.test/, which is neither"},
		"sign-in":                         {login("/oauth2/authorize", nil), ""},
		"sign-up":                         {login("/signup", nil), ""},
		"sign-out":                        {login("/logout", nil), ""},
		"a page that managed login lacks": {login("/oauth2/idpresponse", nil), "no such page: /oauth2/idpresponse"},
		"another client":                  {login("/oauth2/authorize", url.Values{"client_id": {"other"}}), "client_id is other"},
		"another callback":                {login("/oauth2/authorize", url.Values{"redirect_uri": {"https://example.com/cb"}}), "by Options.Config. It is https://example.com/cb"},
		"another sign-out":                {login("/logout", url.Values{"logout_uri": {"https://example.com/out"}}), "by Options.Config. It is https://example.com/out"},
		"no PKCE":                         {login("/oauth2/authorize", url.Values{"code_challenge_method": nil}), "with PKCE (S256)"},
		"the implicit grant":              {login("/oauth2/authorize", url.Values{"response_type": {"token"}}), "the authorization code grant"},
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

// call sends a call as an application on a pool of tb, which must get no answer.
func call(t *testing.T, tb *fakeTB, address, target string) {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.RequestURI = ""
	r.Header.Set("X-Amz-Target", target)
	response, err := amplifytest.New(tb, amplifytest.Options{}).Options().App.HTTPClient.Do(r)
	if err == nil {
		response.Body.Close()
		t.Errorf("%s answers %d", address, response.StatusCode)
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
