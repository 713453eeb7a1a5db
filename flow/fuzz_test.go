package flow

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
)

// FuzzReturnTo: what is accepted leads, by the rules of browsers, to the application's own origin,
// and not to an auth route.
func FuzzReturnTo(f *testing.F) {
	for _, s := range []string{"/", "/a?b=c#d", "//evil.test", "/\\evil.test", "/\t/evil.test", "/%2f/evil.test", "https://myapp.com/x", "/.//evil.test", "/a/..//evil.test", "/api/auth/sign-out", "/%2e%2e//x", "///evil.test", "javascript:alert(1)", "evil.test", "/\x01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		to, ok := origin("https://myapp.com").returnTo(s)
		if !ok {
			return
		}
		// Browsers drop tabs and line ends, take "\" for "/", and then resolve (WHATWG
		// URL, "basic URL parser").
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(to)
		if seen != to || !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") {
			t.Fatalf("%q leads to %q", s, to)
		}
		base, _ := url.Parse("https://myapp.com/api/auth/sign-in-callback")
		u, err := base.Parse(to)
		if err != nil || u.Scheme != "https" || u.Host != "myapp.com" {
			t.Fatalf("%q leads to %v: %v", s, u, err)
		}
		if route := u.Path[strings.LastIndexByte(u.Path, '/')+1:]; isAuthRoute(route) {
			t.Fatalf("%q leads to the route %s", s, route)
		}
		if again, ok := origin("https://myapp.com").returnTo(to); !ok || again != to {
			t.Fatalf("%q is accepted as %q, and that as %q", s, to, again)
		}
	})
}

// FuzzPrefix: whatever a request is sent with, and whatever handlers in front make of its path, a
// guard leads to a page of the application's own origin, by the rules of browsers.
func FuzzPrefix(f *testing.F) {
	for _, s := range [][2]string{
		{"/app/notes?a=b", "/notes"}, {"//evil.test/notes", "/notes"}, {"/\\evil.test/notes", "/notes"}, {"/%2fevil.test/x", "/x"}, {"/a/../x", "/x"},
		{"http://evil.test/app/x", "/x"}, {"/app/x", "x"}, {"/app/sign-in", "/sign-in"}, {"@evil.test/x", "/x"}, {"/\tevil.test/x", "/x"}, {"", "/x"},
	} {
		f.Add(s[0], s[1])
	}
	fix := newFixture(f, nil, nil)
	h := fix.guarded(fix.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	base, _ := url.Parse("https://myapp.com/x")
	f.Fuzz(func(t *testing.T, asked, served string) {
		r := request("/", "", navigation...)
		r.RequestURI, r.URL.Path = asked, served
		w := serve(h, r)
		if w.StatusCode == http.StatusNoContent {
			if !isAuthRoute(lastSegment(served)) { // "sign-in" is both
				t.Fatalf("%q, seen as %q, passes", asked, served)
			}
			return
		}
		location := w.Header.Get("Location")
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(location)
		u, err := base.Parse(seen)
		if err != nil || seen != location || u.Scheme != "https" || u.Host != "myapp.com" || !strings.HasSuffix(u.Path, "/sign-in") {
			t.Fatalf("%q, seen as %q, leads to %q: %v", asked, served, location, err)
		}
	})
}

// FuzzOrigin: what is accepted is exactly what browsers send in Origin headers.
func FuzzOrigin(f *testing.F) {
	for _, s := range []string{"https://myapp.com", "http://localhost:3000", "http://localhost:3000/", "https://a..b", "https://a:99999", "https://a\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, fault := parseOrigin(s)
		if fault != nil {
			if strings.Contains(fault.Error(), "@") {
				t.Fatalf("the error may hold a password: %v", fault)
			}
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme+"://"+u.Host != s || u.User != nil || !o.owns(u) {
			t.Fatalf("%q is accepted: %v %v", s, u, err)
		}
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(s); err != nil {
			t.Fatalf("%q is accepted, but not by net/http: %v", s, err)
		}
	})
}

// FuzzCallback: no query and no cookie makes a callback fail in any other way than it should.
func FuzzCallback(f *testing.F) {
	f.Add("code=c&state=s", "com.amplify.server_auth.state=s; com.amplify.server_auth.pkce=v")
	f.Add("error=access_denied&error_description=%0d%0aSet-Cookie:x=y", "")
	f.Add("code=c&state=s", attemptCookie+"AbCdEf0123456789AbCdEf0123456789=AbCdEf0123456789AbCdEf0123456789.v.Lw")
	f.Add("return_to=//evil.test&provider=%00", "a=b=c; ; noeq")
	fix := newFixture(f, nil, nil)
	routes := fix.routes(f, RoutesOptions{RedirectOnSignOutComplete: "/bye"})
	f.Fuzz(func(t *testing.T, query, cookies string) {
		for _, route := range []string{routeSignIn, routeSignInCallback, routeSignOut, routeSignOutCallback} {
			r := request("/api/auth/"+route, "")
			r.URL.RawQuery = query
			r.Header["Cookie"] = []string{cookies}
			w := serve(routes, r)
			switch w.StatusCode {
			case 200, 302, 400, 503:
			case 500:
				t.Fatalf("%s?%s with %q: status 500", route, query, cookies)
			default:
				t.Fatalf("%s: status %d", route, w.StatusCode)
			}
			checkHeader(t, w.Header)
			if to := w.Header.Get("Location"); to != "" && !strings.HasPrefix(to, "https://auth.corpus.test/") && to != "/" && to != "/bye" && !strings.HasPrefix(to, "/bye?") {
				u, err := url.Parse(to)
				if err != nil || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
					t.Fatalf("%s?%s leads to %q", route, query, to)
				}
			}
			for _, c := range w.Header["Set-Cookie"] {
				if strings.HasPrefix(c, testPrefix) && !strings.Contains(c, "Max-Age=0") {
					t.Fatalf("%s?%s sets %s", route, query, c)
				}
			}
		}
	})
}

// FuzzCookieHeader: no Cookie header makes anybody signed in, or breaks the response.
func FuzzCookieHeader(f *testing.F) {
	fix := newFixture(f, nil, nil)
	valid := fix.backend.Session("alice", time.Hour, nil)
	f.Add("")
	f.Add(testPrefix + "LastAuthUser=alice")
	f.Add("a=b; " + testPrefix + "LastAuthUser=\"x\"; " + testPrefix + "x.accessToken=%zz; =; ;;")
	f.Add(strings.Replace(valid, "accessToken", "idToken", 1))
	f.Add(testPrefix + "%0d%0aSet-Cookie:x.accessToken=1")
	h := fix.adapter(func(x *Exchange, r *http.Request) *Response {
		answer := &Response{Status: http.StatusOK, Header: http.Header{}}
		if tokens, err := x.Tokens(r.Context(), amplify.TokensInput{}); err == nil {
			answer.Header.Set("X-User", tokens.AccessToken.Claims().Username)
		}
		_ = x.storage().Set(testPrefix+"new.accessToken", "t") // as a sign-in does
		_ = x.End(r.Context(), amplify.EndInput{})
		return answer
	})
	f.Fuzz(func(t *testing.T, cookies string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{cookies}
		w := serve(h, r)
		if w.Header.Get("X-User") != "" && !strings.Contains(cookies, "eyJ") {
			t.Fatalf("%q signs %s in", cookies, w.Header.Get("X-User"))
		}
		checkHeader(t, w.Header)
	})
}

// checkHeader fails where a header could be read as more than one.
func checkHeader(t *testing.T, h http.Header) {
	t.Helper()
	for key, values := range h {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Fatalf("%s: %q", key, v)
			}
		}
	}
}
