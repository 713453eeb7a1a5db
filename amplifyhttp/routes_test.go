package amplifyhttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/conformance"
)

// browser keeps cookies as far as the auth routes need: by name, all sent everywhere.
type browser struct {
	t       *testing.T
	handler http.Handler
	names   []string
	values  map[string]string
}

func (f *fixture) browser(t *testing.T, o AuthRoutesOptions) *browser {
	t.Helper()
	routes, err := f.AuthRoutes(o)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, f.Middleware(routes), nil, map[string]string{}}
}

// get answers a request, keeps its cookies and returns status, body and Location.
func (b *browser) get(target string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	w := serve(b.handler, request(target, b.cookies(), headers...))
	b.keep(w)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if got := w.Header.Get("Cache-Control"); got != private {
		b.t.Errorf("%s: Cache-Control %q", target, got)
	}
	return w, string(body)
}

func (b *browser) cookies() string {
	var pairs []string
	for _, name := range b.names {
		pairs = append(pairs, name+"="+b.values[name])
	}
	return strings.Join(pairs, "; ")
}

func (b *browser) keep(w *http.Response) {
	for _, line := range w.Header["Set-Cookie"] {
		pair, attributes, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		b.names = slices.DeleteFunc(b.names, func(n string) bool { return n == name })
		delete(b.values, name)
		if !strings.Contains(attributes, "Max-Age=0") {
			b.names = append(b.names, name)
			b.values[name] = value
		}
	}
}

// add puts a Cookie header into the browser.
func (b *browser) add(header string) {
	for pair := range strings.SplitSeq(header, "; ") {
		name, value, _ := strings.Cut(pair, "=")
		b.names = append(b.names, name)
		b.values[name] = value
	}
}

// begin opens sign-in and returns the address that Cognito would send the browser back to.
func (b *browser) begin(query string) (callback string) {
	b.t.Helper()
	w, body := b.get("/api/auth/sign-in" + query)
	u, err := url.Parse(w.Header.Get("Location"))
	if err != nil || u.Host != "auth.corpus.test" {
		b.t.Fatalf("%d %s %s", w.StatusCode, w.Header.Get("Location"), body)
	}
	return "/api/auth/sign-in-callback?code=the-code&state=" + url.QueryEscape(u.Query().Get("state"))
}

// signedIn returns what the token endpoint answers for a user.
func (f *fixture) signedIn(user string) map[string][]conformance.Answer {
	access, id := f.tokens(user, time.Hour, nil)
	return map[string][]conformance.Answer{"POST /oauth2/token": {{
		Status: 200, JSON: []byte(fmt.Sprintf(`{"access_token":%q,"id_token":%q,"refresh_token":"refresh-of-%s","token_type":"Bearer"}`, access, id, user)),
	}}}
}

// TestRoutesWithoutEffect: only a person who wants to may begin or end anything.
func TestRoutesWithoutEffect(t *testing.T) {
	f := newFixture(t, nil, nil)
	routes, err := f.AuthRoutes(AuthRoutesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	signingOut := signingOutCookie + "=true; " + f.session("alice", time.Hour, nil)
	for name, tt := range map[string]struct {
		method, target string
		headers        []string
		status         int
	}{
		"HEAD":                            {"HEAD", "/api/auth/sign-out", nil, 405},
		"HEAD of the callback":            {"HEAD", "/api/auth/sign-out-callback", nil, 405},
		"POST":                            {"POST", "/api/auth/sign-in", nil, 405},
		"OPTIONS":                         {"OPTIONS", "/api/auth/sign-in", nil, 405},
		"unknown":                         {"GET", "/api/auth/login", nil, 404},
		"no route":                        {"GET", "/api/auth/", nil, 404},
		"below a route":                   {"GET", "/api/auth/sign-in/x", nil, 404},
		"prefetch":                        {"GET", "/api/auth/sign-out", []string{"Sec-Purpose", "prefetch"}, 503},
		"prerender":                       {"GET", "/api/auth/sign-out-callback", []string{"Sec-Purpose", "prefetch;prerender"}, 503},
		"prefetch of an old Safari":       {"GET", "/api/auth/sign-out-callback", []string{"Purpose", "prefetch"}, 503},
		"prefetch of an old Firefox":      {"GET", "/api/auth/sign-out-callback", []string{"X-Moz", "prefetch"}, 503},
		"image elsewhere":                 {"GET", "/api/auth/sign-out", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"frame elsewhere":                 {"GET", "/api/auth/sign-out", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		"image of a sibling":              {"GET", "/api/auth/sign-out", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"second step, fetched elsewhere":  {"GET", "/api/auth/sign-out-callback", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 403},
		"sign-in, image elsewhere":        {"GET", "/api/auth/sign-in", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"sign-out nobody has begun":       {"GET", "/api/auth/sign-out-callback?x", nil, 0},
		"sign-in nobody has begun":        {"GET", "/api/auth/sign-in-callback?code=c&state=s", nil, 302},
		"sign-in with a made-up state":    {"GET", "/api/auth/sign-in-callback?code=c&state=made-up", nil, 302},
		"sign-in callback without a code": {"GET", "/api/auth/sign-in-callback", nil, 400},
	} {
		cookies := signingOut
		if strings.HasPrefix(name, "sign-out nobody") {
			cookies, tt.status = f.session("alice", time.Hour, nil), 400
		}
		r := request(tt.target, cookies, tt.headers...)
		r.Method = tt.method
		w := serve(routes, r)
		if w.StatusCode != tt.status || w.Header["Set-Cookie"] != nil || len(f.upstream.Calls()) != 0 {
			t.Errorf("%s: status %d, cookies %v, calls %v", name, w.StatusCode, w.Header["Set-Cookie"], f.upstream.Calls())
		}
		if w.Header.Get("Cache-Control") != private {
			t.Errorf("%s: Cache-Control %q", name, w.Header.Get("Cache-Control"))
		}
		if tt.status == 405 && w.Header.Get("Allow") != "GET" {
			t.Errorf("%s: Allow %q", name, w.Header.Get("Allow"))
		}
	}
	// Coming from Cognito or from a link elsewhere is what they are for.
	if w := serve(routes, request("/api/auth/sign-out", "", fromAfar...)); w.StatusCode != 302 {
		t.Errorf("status %d", w.StatusCode)
	}
}

func TestSignInReturnsToWhereItBegan(t *testing.T) {
	f := newFixture(t, nil, nil)
	for _, tt := range []struct{ returnTo, leadsTo string }{
		{"/notes?id=1#x", "/notes?id=1#x"},
		{"/", "/"},
		{"/a b/é", "/a%20b/%C3%A9"},
		{"https://myapp.com/notes", "/notes"},
		{"", "/home"},
		{"//evil.test", "/home"},
		{"///evil.test", "/home"},
		{"/\\evil.test", "/home"},
		{"\\/evil.test", "/home"},
		{"/\t/evil.test", "/home"},
		{"/\n/evil.test", "/home"},
		{"/a\x00", "/home"},
		{"/a\x7f", "/home"},
		{"/%5cevil.test", "/home"},
		{"/%2fevil.test", "/home"},
		{"/%09/evil.test", "/home"},
		{"https://evil.test/", "/home"},
		{"https://myapp.com.evil.test/", "/home"},
		{"https://myapp.com@evil.test/", "/home"},
		{"https://myapp.com//evil.test/", "/home"},
		{"http://myapp.com/", "/home"},
		{"javascript:alert(1)", "/home"},
		{"notes", "/home"},
		{"?x", "/home"},
		{"/api/auth/sign-out", "/home"},
		{"/api/auth/sign-out?global=true", "/home"},
		{"/api/auth/sign-out/", "/home"},
		{"/api/auth/x/../sign-out", "/home"},
		{"/api/auth/%73ign-out", "/home"},
		{"/elsewhere/sign-in-callback", "/home"},
		{"/" + strings.Repeat("a", maxReturnTo), "/home"},
		{"/\xff", "/home"},
		{"/%zz", "/home"},
	} {
		f := newFixture(t, f.signedIn("alice"), nil)
		b := f.browser(t, AuthRoutesOptions{RedirectOnSignInComplete: "/home"})
		callback := b.begin("?return_to=" + url.QueryEscape(tt.returnTo))
		w, body := b.get(callback, fromAfar...)
		if got := bodyTargets(body); w.StatusCode != 200 || got["link"] != tt.leadsTo || got["metaRefresh"] != tt.leadsTo {
			t.Errorf("%q: status %d, leads to %v", tt.returnTo, w.StatusCode, got)
		}
		want := []string{"LastAuthUser", "alice.accessToken", "alice.idToken", "alice.refreshToken"}
		var got []string
		for _, name := range b.names {
			got = append(got, strings.TrimPrefix(name, testPrefix))
		}
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: cookies left (-want +got)\n%s", tt.returnTo, d)
		}
		// Signed in already: sign-in leads there at once.
		if w, _ := b.get("/api/auth/sign-in?return_to=" + url.QueryEscape(tt.returnTo)); w.StatusCode != 302 || w.Header.Get("Location") != tt.leadsTo {
			t.Errorf("%q: signed in, status %d, location %q", tt.returnTo, w.StatusCode, w.Header.Get("Location"))
		}
	}
}

// TestReturnToIsCheckedAgain: a neighbour on the domain may have set the cookie.
func TestReturnToIsCheckedAgain(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.signedIn("alice"), nil)
	b := f.browser(t, AuthRoutesOptions{RedirectOnSignInComplete: "/home"})
	forged := attempt{newState(""), randomText(verifierLength), "//evil.test"}
	b.add(forged.cookie() + "=" + forged.marshal())
	w, body := b.get("/api/auth/sign-in-callback?code=the-code&state=" + forged.state)
	if got := bodyTargets(body)["link"]; w.StatusCode != 200 || got != "/home" {
		t.Errorf("status %d, leads to %q", w.StatusCode, got)
	}
}

// TestTabs: whoever signs in in several tabs at once gets signed in in all of them, or is told.
func TestTabs(t *testing.T) {
	f := newFixture(t, nil, nil)
	finish := func(b *browser, callback, leadsTo string) {
		t.Helper()
		w, body := b.get(callback, fromAfar...)
		if got := bodyTargets(body)["link"]; w.StatusCode != 200 || got != leadsTo {
			t.Errorf("status %d, leads to %q", w.StatusCode, got)
		}
	}
	t.Run("one after the other", func(t *testing.T) {
		b := newFixture(t, f.signedIn("alice"), nil).browser(t, AuthRoutesOptions{})
		first, second := b.begin(""), b.begin("")
		finish(b, first, "/")
		finish(b, second, "/")
	})
	t.Run("the last one first", func(t *testing.T) {
		b := newFixture(t, f.signedIn("alice"), nil).browser(t, AuthRoutesOptions{})
		first, second := b.begin(""), b.begin("?return_to=/b")
		finish(b, second, "/b")
		finish(b, first, "/")
	})
	t.Run("side by side", func(t *testing.T) {
		// A browser that restores its tabs: none of the requests has a cookie of another one.
		b := newFixture(t, f.signedIn("alice"), nil).browser(t, AuthRoutesOptions{})
		var callbacks []string
		var answers []*http.Response
		for _, tab := range []string{"/a", "/b", "/c"} {
			w := serve(b.handler, request("/api/auth/sign-in?return_to="+tab, ""))
			u, _ := url.Parse(w.Header.Get("Location"))
			callbacks = append(callbacks, "/api/auth/sign-in-callback?code=the-code&state="+u.Query().Get("state"))
			answers = append(answers, w)
		}
		for _, w := range answers {
			b.keep(w)
		}
		for i, tab := range []string{"/a", "/b", "/c"} {
			finish(b, callbacks[i], tab)
		}
	})
	t.Run("told", func(t *testing.T) {
		b := newFixture(t, nil, nil).browser(t, AuthRoutesOptions{})
		w := serve(b.handler, request("/api/auth/sign-in", ""))
		u, _ := url.Parse(w.Header.Get("Location"))
		b.begin("")
		w, body := b.get("/api/auth/sign-in-callback?code=the-code&state=" + u.Query().Get("state"))
		if w.StatusCode != 400 || !strings.Contains(body, "another one has taken its place") || bodyTargets(body)["link"] != "/api/auth/sign-in" {
			t.Errorf("%d %s", w.StatusCode, body)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		b := newFixture(t, f.signedIn("alice"), nil).browser(t, AuthRoutesOptions{})
		var callback string
		for range 20 {
			callback = b.begin("?return_to=/" + strings.Repeat("x", 500))
		}
		if n := len(b.cookies()); n > maxAttemptBytes+512 {
			t.Errorf("%d bytes of cookies", n)
		}
		finish(b, callback, "/"+strings.Repeat("x", 500))
	})
}

// TestForeignState: a code that the browser did not ask for signs nobody in (RFC 9700 §4.7).
func TestForeignState(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.signedIn("mallory"), nil)
	b := f.browser(t, AuthRoutesOptions{CustomState: "x"})
	callback := b.begin("?return_to=/x")
	state := strings.TrimPrefix(callback, "/api/auth/sign-in-callback?code=the-code&state=")
	for _, state := range []string{newState("x"), state[:stateLength], state + "0", "undefined", ""} {
		w, _ := b.get("/api/auth/sign-in-callback?code=the-code&state=" + state)
		if w.StatusCode != 400 || w.Header["Set-Cookie"] != nil || len(f.upstream.Calls()) != 0 {
			t.Errorf("%q: status %d, calls %v", state, w.StatusCode, f.upstream.Calls())
		}
	}
	if w, _ := b.get(callback); w.StatusCode != 200 {
		t.Errorf("the right state: status %d", w.StatusCode)
	}
	if w, _ := b.get(callback); w.StatusCode != 302 || !strings.Contains(w.Header.Get("Location"), "error=timeout") {
		t.Errorf("the same state again: status %d", w.StatusCode)
	}
}

// TestCallbackVerifies: what the token endpoint answers becomes a session only if it is one, of one user of this client.
func TestCallbackVerifies(t *testing.T) {
	f := newFixture(t, nil, nil)
	access, id := f.tokens("alice", time.Hour, nil)
	_, foreign := f.tokens("bob", time.Hour, nil)
	other, _ := f.tokens("alice", time.Hour, map[string]any{"client_id": "another"})
	pool, _ := f.tokens("alice", time.Hour, map[string]any{"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another01"})
	large, largeID := f.tokens("alice", time.Hour, map[string]any{"custom:x": strings.Repeat("x", 2850)})
	for name, tt := range map[string]struct {
		access, id string
		status     int
	}{
		"another user's ID token": {access, foreign, 500},
		"another client":          {other, id, 500},
		"another pool":            {pool, id, 500},
		"no ID token":             {access, "", 500},
		"the access token twice":  {access, access, 500},
		"too large":               {large, largeID, 500},
		"right":                   {access, id, 200},
	} {
		f := newFixture(t, map[string][]conformance.Answer{"POST /oauth2/token": {{
			Status: 200, JSON: []byte(fmt.Sprintf(`{"access_token":%q,"id_token":%q,"token_type":"Bearer"}`, tt.access, tt.id)),
		}}}, nil)
		b := f.browser(t, AuthRoutesOptions{})
		w, body := b.get(b.begin(""))
		if w.StatusCode != tt.status || strings.Contains(body, "eyJ") {
			t.Errorf("%s: status %d %s", name, w.StatusCode, body)
		}
		if tt.status != 200 && strings.Contains(b.cookies(), testPrefix) {
			t.Errorf("%s: cookies %s", name, b.cookies())
		}
	}
}

// TestClientSecret: a confidential client authenticates itself at the token and revocation endpoints.
func TestClientSecret(t *testing.T) {
	f := newFixture(t, nil, nil)
	answers := f.signedIn("alice")
	answers["POST /oauth2/revoke"] = []conformance.Answer{{Status: 200}}
	upstream := conformance.NewUpstream(testKeys(), answers)
	var authorized []string
	watch := roundTripper(func(r *http.Request) (*http.Response, error) {
		if id, secret, ok := r.BasicAuth(); ok {
			authorized = append(authorized, r.URL.Path+" "+id+" "+secret)
		}
		return upstream.RoundTrip(r)
	})
	f = newFixture(t, nil, func(_ *amplify.Config, o *Options) {
		o.Cognito.ClientSecret = amplify.NewSecret("client-secret")
		o.App.HTTPClient = &http.Client{Transport: watch}
	})
	b := f.browser(t, AuthRoutesOptions{})
	if w, body := b.get(b.begin("")); w.StatusCode != 200 {
		t.Fatal(w.StatusCode, body)
	}
	b.add(signingOutCookie + "=true")
	b.get("/api/auth/sign-out-callback")
	want := []string{"/oauth2/token " + testClient + " client-secret", "/oauth2/revoke " + testClient + " client-secret"}
	if d := cmp.Diff(want, authorized); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, call := range upstream.Calls() {
		if strings.Contains(call.RawBody, "client-secret") {
			t.Errorf("the secret is in the body: %s", call.RawBody)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestExchangeFailures: users are told something that helps, operators what is wrong.
func TestExchangeFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		answer conformance.Answer
		status int
		body   string
		log    string
	}{
		"code used":    {conformance.Answer{Status: 400, JSON: []byte(`{"error":"invalid_grant","error_description":"the-code eyJ"}`)}, 500, "invalid_grant", "redirect URL"},
		"wrong secret": {conformance.Answer{Status: 401, JSON: []byte(`{"error":"invalid_client"}`)}, 500, "invalid_client", "ClientSecret"},
		"out of order": {conformance.Answer{Status: 503, Text: "<html>eyJ"}, 503, "try again", "503"},
		"throttled":    {conformance.Answer{Status: 429, Text: "slow down"}, 503, "try again", "429"},
		"unreachable":  {conformance.Answer{Network: "reset"}, 503, "try again", "reset"},
		"no tokens":    {conformance.Answer{Status: 200, JSON: []byte(`{}`)}, 503, "try again", "access_token"},
	} {
		f := newFixture(t, map[string][]conformance.Answer{"POST /oauth2/token": {tt.answer}}, nil)
		b := f.browser(t, AuthRoutesOptions{})
		w, body := b.get(b.begin("?return_to=/notes"))
		if w.StatusCode != tt.status || !strings.Contains(body, tt.body) || strings.Contains(body, "eyJ") {
			t.Errorf("%s: %d %s", name, w.StatusCode, body)
		}
		if got := bodyTargets(body)["link"]; got != "/api/auth/sign-in?return_to=%2Fnotes" {
			t.Errorf("%s: leads to %s", name, got)
		}
		if !strings.Contains(f.log.String(), tt.log) {
			t.Errorf("%s: log %s", name, f.log)
		}
		if (w.Header.Get("Retry-After") != "") != (tt.status == 503) {
			t.Errorf("%s: header %v", name, w.Header)
		}
	}
}

func TestSignOut(t *testing.T) {
	f := newFixture(t, nil, nil)
	revoked := map[string][]conformance.Answer{
		"POST /oauth2/revoke": {{Status: 200}}, "GlobalSignOut": {{Status: 200, JSON: []byte(`{}`)}},
		"GetTokensFromRefreshToken": {{Status: 400, JSON: []byte(`{"__type":"NotAuthorizedException","message":"Refresh Token has been revoked"}`)}},
	}
	session := f.session("alice", time.Hour, nil) + "; " +
		testPrefix + "alice.clockDrift=-3; " + testPrefix + "alice.signInDetails={}; " + testPrefix + "alice.deviceKey=d; " +
		testPrefix + "bob%28x%29.refreshToken=refresh-of-bob; com.amplify.Cognito.eu-west-1:1.identityId=guest; other=1"
	withPool := func(cfg *amplify.Config, _ *Options) { cfg.Auth.IdentityPoolID = "eu-west-1:1" }
	operations := func(f *fixture) (list []string) {
		for _, call := range f.upstream.Calls() {
			_, operation, _ := strings.Cut(call.Target, ".")
			list = append(list, operation+call.Path+" "+call.Form["token"])
		}
		return list
	}

	t.Run("all steps", func(t *testing.T) {
		f := newFixture(t, revoked, withPool)
		b := f.browser(t, AuthRoutesOptions{RedirectOnSignOutComplete: "/bye"})
		b.add(session)
		w, _ := b.get("/api/auth/sign-out", fromAfar...)
		if w.StatusCode != 302 || !strings.HasPrefix(w.Header.Get("Location"), "https://auth.corpus.test/logout?") {
			t.Fatal(w.StatusCode, w.Header)
		}
		w, body := b.get("/api/auth/sign-out-callback", fromAfar...)
		if w.StatusCode != 200 || bodyTargets(body)["link"] != "https://myapp.com/api/auth/sign-out-callback" || len(f.upstream.Calls()) != 0 {
			t.Fatal(w.StatusCode, body)
		}
		w, _ = b.get("/api/auth/sign-out-callback", navigation...)
		if w.StatusCode != 302 || w.Header.Get("Location") != "/bye" {
			t.Fatal(w.StatusCode, w.Header)
		}
		if b.cookies() != "other=1" {
			t.Errorf("cookies left: %s", b.cookies())
		}
		want := []string{"/oauth2/revoke refresh-of-alice", "/oauth2/revoke refresh-of-bob"}
		if d := cmp.Diff(want, operations(f)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if w, _ := b.get("/api/auth/sign-out-callback"); w.StatusCode != 400 {
			t.Errorf("once more: status %d", w.StatusCode)
		}
	})
	t.Run("interrupted after Cognito's logout", func(t *testing.T) {
		f := newFixture(t, revoked, withPool)
		b := f.browser(t, AuthRoutesOptions{})
		b.add(session)
		b.get("/api/auth/sign-out")
		b.get("/api/auth/sign-out-callback", fromAfar...) // and the page it answers is never followed
		if w := serve(f.RequireUser(Guard{})(http.HandlerFunc(ok)), request("/", b.cookies())); w.StatusCode != 204 {
			t.Errorf("not signed in any more: %d", w.StatusCode)
		}
		// Signing out again goes through.
		b.get("/api/auth/sign-out")
		b.get("/api/auth/sign-out-callback", fromAfar...)
		b.get("/api/auth/sign-out-callback", navigation...)
		if b.cookies() != "other=1" {
			t.Errorf("cookies left: %s", b.cookies())
		}
	})
	t.Run("interrupted after revocation", func(t *testing.T) {
		f := newFixture(t, revoked, withPool)
		guarded := f.RequireUser(Guard{})(http.HandlerFunc(ok))
		b := f.browser(t, AuthRoutesOptions{})
		b.add(session)
		if w := serve(guarded, request("/", b.cookies())); w.StatusCode != 204 {
			t.Fatal(w.StatusCode)
		}
		serve(b.handler, request("/api/auth/sign-out-callback", b.cookies()+"; "+signingOutCookie+"=true")) // the answer is lost
		// The cookies are still there. The next visit removes them.
		w := serve(guarded, request("/", b.cookies()))
		b.keep(w)
		if w.StatusCode != 401 || strings.Contains(b.cookies(), "alice.accessToken") || strings.Contains(b.cookies(), "LastAuthUser") {
			t.Errorf("status %d, cookies %s", w.StatusCode, b.cookies())
		}
	})
	t.Run("on all devices", func(t *testing.T) {
		for query, o := range map[string]AuthRoutesOptions{"?global=true": {}, "": {GlobalSignOut: true}} {
			f := newFixture(t, revoked, nil)
			b := f.browser(t, o)
			b.add(f.session("alice", time.Hour, nil))
			b.get("/api/auth/sign-out" + query)
			b.get("/api/auth/sign-out-callback", fromAfar...)
			b.get("/api/auth/sign-out-callback", navigation...)
			want := []string{"GlobalSignOut/ ", "/oauth2/revoke refresh-of-alice"}
			if d := cmp.Diff(want, operations(f)); d != "" || b.cookies() != "" {
				t.Errorf("%q: cookies %s, calls (-want +got)\n%s", query, b.cookies(), d)
			}
		}
	})
	t.Run("Cognito cannot be told", func(t *testing.T) {
		for name, answer := range map[string]conformance.Answer{"refused": {Status: 400}, "down": {Status: 500}, "unreachable": {Network: "reset"}} {
			f := newFixture(t, map[string][]conformance.Answer{"POST /oauth2/revoke": {answer}}, nil)
			b := f.browser(t, AuthRoutesOptions{RedirectOnSignOutComplete: "/bye?x=1"})
			b.add(f.session("alice", time.Hour, nil) + "; " + signingOutCookie + "=true")
			w, _ := b.get("/api/auth/sign-out-callback")
			if w.StatusCode != 302 || !strings.HasPrefix(w.Header.Get("Location"), "/bye?x=1&error=revocation_failed&") || b.cookies() != "" {
				t.Errorf("%s: %d %s %s", name, w.StatusCode, w.Header.Get("Location"), b.cookies())
			}
			if !strings.Contains(f.log.String(), "Cognito could not be told") {
				t.Errorf("%s: log %s", name, f.log)
			}
		}
	})
	t.Run("many refresh tokens", func(t *testing.T) {
		f := newFixture(t, revoked, nil)
		b := f.browser(t, AuthRoutesOptions{})
		for i := range 50 {
			b.add(fmt.Sprintf("%suser-%d.refreshToken=r%d", testPrefix, i, i))
		}
		b.add(signingOutCookie + "=true")
		b.get("/api/auth/sign-out-callback")
		if n := len(f.upstream.Calls()); n > 1 || b.cookies() != "" {
			t.Errorf("%d calls, cookies %s", n, b.cookies())
		}
	})
}

func TestAuthRoutesFaults(t *testing.T) {
	f := newFixture(t, nil, func(cfg *amplify.Config, _ *Options) {
		cfg.Auth.OAuth.RedirectSignIn = []string{"https://other.test/a"}
		cfg.Auth.OAuth.RedirectSignOut = nil
	})
	_, err := f.AuthRoutes(AuthRoutesOptions{RedirectOnSignInComplete: "home", RedirectOnSignOutComplete: "javascript:alert(1)", CustomState: strings.Repeat("x", 300)})
	var messages []string
	for _, e := range flatten(err) {
		messages = append(messages, e.Message)
		if e.RecoverySuggestion == "" || e.Reason != amplify.ReasonConfiguration {
			t.Errorf("%+v", e)
		}
	}
	want := []string{
		"No valid redirectSignIn url found in the OAuth config.",
		"No valid redirectSignOut url found in the OAuth config.",
		"RedirectOnSignInComplete is neither a path nor an http or https URL.",
		"RedirectOnSignOutComplete is neither a path nor an http or https URL.",
		"CustomState is too long to travel in addresses and cookies.",
	}
	if d := cmp.Diff(want, messages); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestSignInURL(t *testing.T) {
	f := newFixture(t, nil, nil)
	for _, tt := range []struct {
		target string
		link   SignInLink
		want   string
	}{
		{"/news?page=2", SignInLink{}, "/api/auth/sign-in?return_to=%2Fnews%3Fpage%3D2"},
		{"/sign-in?return_to=%2Fhome", SignInLink{}, "/api/auth/sign-in?return_to=%2Fhome"},
		{"/sign-in?return_to=//evil.test", SignInLink{}, "/api/auth/sign-in"},
		{"//evil.test", SignInLink{}, "/api/auth/sign-in"},
		{"/sign-in", SignInLink{ReturnTo: "/home"}, "/api/auth/sign-in?return_to=%2Fhome"},
		{"/sign-in?return_to=%2Fnews", SignInLink{ReturnTo: "/home"}, "/api/auth/sign-in?return_to=%2Fnews"},
		{"/news", SignInLink{ReturnTo: "//evil.test"}, "/api/auth/sign-in?return_to=%2Fnews"},
		{"/", SignInLink{SignUp: true, Provider: "Google", Lang: "fr", LoginHint: "a@b.com"},
			"/api/auth/sign-up?lang=fr&login_hint=a%40b.com&provider=Google&return_to=%2F"},
	} {
		if got := f.SignInURL(request(tt.target, ""), tt.link); got != tt.want {
			t.Errorf("%s: %s", tt.target, got)
		}
	}
	none := newFixture(t, nil, func(cfg *amplify.Config, _ *Options) { cfg.Auth.OAuth = nil })
	if got := none.SignInURL(request("/", ""), SignInLink{}); got != "" {
		t.Error(got)
	}
}

// TestRoutesBelowAnyMount: the last segment decides, whatever a mux has taken off.
func TestRoutesBelowAnyMount(t *testing.T) {
	f := newFixture(t, nil, nil)
	routes, err := f.AuthRoutes(AuthRoutesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []http.Handler{routes, http.StripPrefix("/x/y", routes), http.StripPrefix("/x/y/", routes)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("/x/y/sign-in", ""))
		if w.Code != 302 {
			t.Errorf("status %d", w.Code)
		}
	}
}

func TestOptionsFaults(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	cfg := newFixture(t, nil, nil).app.Config()
	for name, tt := range map[string]struct {
		o    Options
		want []string
	}{
		"all at once": {Options{Origin: "myapp.com", Cognito: cognito.Options{ForgetClients: []string{""}}, Cookies: CookieOptions{MaxAge: -1}},
			[]string{"invalid origin", "ForgetClients", "MaxAge"}},
		"of cognito too":   {Options{Origin: "myapp.com", Cognito: cognito.Options{Leeway: -1}}, []string{"invalid origin", "Leeway"}},
		"foreign domain":   {Options{Origin: "https://myapp.com", Cookies: CookieOptions{Domain: ".other.com"}}, []string{"does not cover"}},
		"part of a label":  {Options{Origin: "https://myapp.com", Cookies: CookieOptions{Domain: "app.com"}}, []string{"does not cover"}},
		"below the origin": {Options{Origin: "https://myapp.com", Cookies: CookieOptions{Domain: "www.myapp.com"}}, []string{"does not cover"}},
		"insecure None":    {Options{Origin: "http://localhost:3000", Cookies: CookieOptions{SameSite: http.SameSiteNoneMode}}, []string{"SameSite=None"}},
		"own client":       {Options{Cognito: cognito.Options{ForgetClients: []string{testClient}}}, []string{"configured app client"}},
		"right":            {Options{Origin: "https://www.myapp.com", Cookies: CookieOptions{Domain: ".myapp.com"}}, nil},
	} {
		runner, err := NewServerRunner(cfg, tt.o)
		if err == nil {
			err = errors.Join(runner.Close(t.Context()))
		}
		if tt.want == nil && err != nil || tt.want != nil && err == nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v lacks %q", name, err, want)
			}
		}
	}
}
