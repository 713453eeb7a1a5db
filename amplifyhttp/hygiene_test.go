package amplifyhttp

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// TestPurge: what would add up to status 431 in a browser that several people use goes when a session is written.
func TestPurge(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.refreshed("al.ice"), func(_ *amplify.Config, o *Options) { o.Cognito.ForgetClients = []string{"oldclient"} })
	others := strings.Join([]string{
		testPrefix + "al.accessToken=1", // a user whose name another one's begins with
		testPrefix + "al.ice.bob.idToken=1",
		testPrefix + "bob%28x%29.refreshToken=1",
		testPrefix + "al.ice.clockDrift=0",
		"CognitoIdentityServiceProvider.oldclient.LastAuthUser=zoe",
		"CognitoIdentityServiceProvider.oldclient.zoe.idToken=1",
		"CognitoIdentityServiceProvider.otherclient.zoe.idToken=1",
		"other=" + strings.Repeat("x", 7<<10),
	}, "; ")
	h := f.Middleware(http.HandlerFunc(me))

	w := serve(h, request("/", f.session("al.ice", time.Hour, nil)+"; "+others))
	if w.StatusCode != 200 || w.Header["Set-Cookie"] != nil {
		t.Fatalf("reading changes cookies: %d %v", w.StatusCode, w.Header["Set-Cookie"])
	}
	w = serve(h, request("/", f.session("al.ice", -time.Minute, nil)+"; "+others))
	var deleted, set []string
	for name, attributes := range setCookies(w.Header["Set-Cookie"]) {
		if attributes["deleted"] != "" {
			deleted = append(deleted, name)
		} else {
			set = append(set, strings.TrimPrefix(name, testPrefix))
		}
	}
	slices.Sort(deleted)
	slices.Sort(set)
	want := []string{
		testPrefix + "al.accessToken",
		testPrefix + "al.ice.bob.idToken",
		testPrefix + "bob(x).refreshToken",
		"CognitoIdentityServiceProvider.oldclient.LastAuthUser",
		"CognitoIdentityServiceProvider.oldclient.zoe.idToken",
	}
	slices.Sort(want)
	if d := cmp.Diff(want, deleted); d != "" {
		t.Errorf("deleted (-want +got)\n%s", d)
	}
	if d := cmp.Diff([]string{"LastAuthUser", "al.ice.accessToken", "al.ice.idToken", "al.ice.refreshToken"}, set); d != "" {
		t.Errorf("set (-want +got)\n%s", d)
	}
	if !strings.Contains(f.log.String(), "431") {
		t.Errorf("no warning: %s", f.log)
	}
}

// TestSessionAttributes: the cookies of a session by origin.
func TestSessionAttributes(t *testing.T) {
	for name, tt := range map[string]struct {
		origin  string
		cookies CookieOptions
		want    map[string]string
	}{
		"https origin": {"https://myapp.com", CookieOptions{},
			map[string]string{"path": "/", "httponly": "", "secure": "", "samesite": "strict", "max-age": "31536000"}},
		"http origin": {"http://localhost:3000", CookieOptions{},
			map[string]string{"path": "/", "httponly": "", "samesite": "strict", "max-age": "31536000"}},
		"options": {"https://www.myapp.com", CookieOptions{Domain: ".myapp.com", SameSite: http.SameSiteLaxMode, MaxAge: 7 * 24 * time.Hour},
			map[string]string{"path": "/", "httponly": "", "secure": "", "samesite": "lax", "max-age": "604800", "domain": "myapp.com"}},
		"no origin": {"", CookieOptions{},
			map[string]string{"path": "/", "secure": "", "samesite": "lax", "max-age": "31536000"}},
	} {
		f := newFixture(t, nil, nil)
		f = newFixture(t, f.refreshed("alice"), func(_ *amplify.Config, o *Options) { o.Origin, o.Cookies = tt.origin, tt.cookies })
		w := serve(f.Middleware(http.HandlerFunc(me)), request("/", f.session("alice", -time.Minute, nil)+"; "+testPrefix+"alice.signInDetails={}"))
		all := setCookies(w.Header["Set-Cookie"])
		got := maps.Clone(all[testPrefix+"alice.refreshToken"])
		if got["deleted"] != "" { // the host's own cookie, beside that of the domain
			got = maps.Clone(all[testPrefix+"alice.refreshToken of myapp.com"])
		}
		delete(got, "value")
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		// With an origin only the four cookies of a session are ever written.
		if _, ok := all[testPrefix+"alice.signInDetails"]; ok != (tt.origin == "") {
			t.Errorf("%s: signInDetails written: %v", name, ok)
		}
	}
}

// TestForgettingIsBounded: a large Cookie header causes neither a large response nor much work.
func TestForgettingIsBounded(t *testing.T) {
	f := newFixture(t, nil, nil)
	b := f.browser(t, AuthRoutesOptions{})
	for _, users := range []int{500, 10_000} { // the second header is too large to be read
		var cookies strings.Builder
		cookies.WriteString(signingOutCookie + "=true")
		for i := range users {
			fmt.Fprintf(&cookies, "; %suser-%d.idToken=x", testPrefix, i)
		}
		w := serve(b.handler, request("/api/auth/sign-out-callback", cookies.String()))
		if n := len(w.Header["Set-Cookie"]); w.StatusCode != 302 || n > cookie.MaxSetCookies+1 {
			t.Errorf("%d users: status %d, %d cookies", users, w.StatusCode, n)
		}
	}
}

// TestSessionIsForgottenFirst: cookies that are in the way do not keep a session alive.
func TestSessionIsForgottenFirst(t *testing.T) {
	f := newFixture(t, nil, nil)
	b := f.browser(t, AuthRoutesOptions{})
	var cookies strings.Builder
	cookies.WriteString(signingOutCookie + "=true")
	for i := range 2 * cookie.MaxSetCookies {
		fmt.Fprintf(&cookies, "; %sx.%d=x", testPrefix, i)
	}
	cookies.WriteString("; " + testPrefix + "LastAuthUser=alice; " + testPrefix + "alice.idToken=x")
	all := setCookies(serve(b.handler, request("/api/auth/sign-out-callback", cookies.String())).Header["Set-Cookie"])
	for _, key := range []string{"LastAuthUser", "alice.idToken"} {
		if all[testPrefix+key]["deleted"] == "" {
			t.Errorf("%s is not deleted", key)
		}
	}
}
