package amplifytest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifytest"
)

// TestCookies: names, values and attributes are those that a browser would have.
func TestCookies(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	tokens := pool.Tokens(amplifytest.User{Name: "ann+(1)@example.com"})
	got, err := amplifytest.Cookies(pool.Config(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	// As js-cookie spells it: the plus sign as it is, parentheses and @ escaped.
	prefix := "CognitoIdentityServiceProvider." + pool.Config().Auth.UserPoolClientID + "."
	user := prefix + "ann+%281%29%40example.com."
	cookie := func(name, value string) *http.Cookie {
		return &http.Cookie{
			Name: name, Value: value,
			Path: "/", MaxAge: 365 * 24 * 60 * 60, SameSite: http.SameSiteLaxMode,
		}
	}
	want := []*http.Cookie{
		cookie(prefix+"LastAuthUser", "ann+(1)@example.com"),
		cookie(user+"accessToken", tokens.AccessToken.Reveal()),
		cookie(user+"idToken", tokens.IDToken.Reveal()),
		cookie(user+"refreshToken", tokens.RefreshToken.Reveal()),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	refresh := tokens.RefreshToken.Reveal()
	if strings.Count(refresh, ".") != 4 || len(refresh) < 1500 {
		t.Errorf("a refresh token of %d bytes is none of Cognito's", len(refresh))
	}

	tokens.RefreshToken = amplify.Secret{}
	if got, err = amplifytest.Cookies(pool.Config(), tokens); err != nil || len(got) != 3 {
		t.Errorf("without refresh token: %d cookies, %v", len(got), err)
	}
}

// TestCookiesFail: what cannot become a session is an error that names no token.
func TestCookiesFail(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	good := pool.Tokens(ann)
	withAccess, withRefresh := good, good
	withAccess.AccessToken = amplify.NewSecret("eyJ.e30")
	withRefresh.RefreshToken = amplify.NewSecret("eyJ" + strings.Repeat("x", 4096))
	swapped := amplify.IssuedTokens{AccessToken: good.IDToken, IDToken: good.AccessToken}
	tests := map[string]struct {
		cfg    amplify.Config
		tokens amplify.IssuedTokens
		want   string
	}{
		"no app client":       {amplify.Config{}, good, "set Config.Auth.UserPoolClientID"},
		"no tokens":           {pool.Config(), amplify.IssuedTokens{}, "names no user"},
		"no JWT":              {pool.Config(), withAccess, "names no user"},
		"the ID token":        {pool.Config(), swapped, "not the ID token"},
		"no room in a cookie": {pool.Config(), withRefresh, "refreshToken"},
	}
	for name, tt := range tests {
		got, err := amplifytest.Cookies(tt.cfg, tt.tokens)
		if err == nil || got != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d cookies, %v", name, len(got), err)
		} else if strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: a token is quoted: %v", name, err)
		}
	}
}
