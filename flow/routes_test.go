package flow

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/flowtest"
)

// browser keeps cookies as far as the auth routes need: by name, all sent everywhere.
type browser struct {
	t          *testing.T
	handler    http.Handler
	upstream   *conformance.Upstream
	names      []string
	values     map[string]string
	challenges map[string]string // of sign-ins that have begun, by their callback
}

func (f *fixture) browser(t *testing.T, o RoutesOptions) *browser {
	t.Helper()
	return &browser{
		t: t, handler: f.routes(t, o), upstream: f.upstream, values: map[string]string{}, challenges: map[string]string{},
	}
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
	w, _ := b.get("/api/auth/sign-in" + query)
	return b.callback(w)
}

// callback returns the address that Cognito would send the browser back to which got w.
func (b *browser) callback(w *http.Response) string {
	b.t.Helper()
	u, err := url.Parse(w.Header.Get("Location"))
	if err != nil || u.Host != "auth.corpus.test" {
		b.t.Fatalf("%d %s", w.StatusCode, w.Header.Get("Location"))
	}
	callback := "/api/auth/sign-in-callback?code=the-code&state=" + url.QueryEscape(u.Query().Get("state"))
	b.challenges[callback] = u.Query().Get("code_challenge")
	return callback
}

// TestRoutesWithoutEffect: only a person who wants to may begin or end anything.
func TestRoutesWithoutEffect(t *testing.T) {
	f := newFixture(t, nil, nil)
	routes := f.routes(t, RoutesOptions{})
	signingOut := signingOutCookie + "=true; " + f.backend.Session("alice", time.Hour, nil)
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
		"preview of an old Safari":        {"GET", "/api/auth/sign-out-callback", []string{"X-Purpose", "preview"}, 503},
		"prefetch by a script":            {"GET", "/api/auth/sign-out", []string{"X-Purpose", "Prefetch"}, 503},
		"prefetch by Turbo":               {"GET", "/api/auth/sign-out", []string{"X-Sec-Purpose", "prefetch"}, 503},
		"prefetch by Next.js":             {"GET", "/api/auth/sign-out", []string{"Next-Router-Prefetch", "1"}, 503},
		"prefetch of a segment":           {"GET", "/api/auth/sign-in", []string{"Next-Router-Prefetch", "2"}, 503},
		"prefetch by htmx":                {"GET", "/api/auth/sign-out-callback", []string{"HX-Preloaded", "true"}, 503},
		"image elsewhere":                 {"GET", "/api/auth/sign-out", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"frame elsewhere":                 {"GET", "/api/auth/sign-out", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		"image of a sibling":              {"GET", "/api/auth/sign-out", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"second step, fetched elsewhere":  {"GET", "/api/auth/sign-out-callback", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 403},
		"sign-in, image elsewhere":        {"GET", "/api/auth/sign-in", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		"sign-out not begun":              {"GET", "/api/auth/sign-out-callback?x", nil, 0},
		"sign-in not begun":               {"GET", "/api/auth/sign-in-callback?code=c&state=s", nil, 302},
		"sign-in with a made-up state":    {"GET", "/api/auth/sign-in-callback?code=c&state=made-up", nil, 302},
		"sign-in callback without a code": {"GET", "/api/auth/sign-in-callback", nil, 400},
	} {
		cookies := signingOut
		if strings.HasPrefix(name, "sign-out not") {
			cookies, tt.status = f.backend.Session("alice", time.Hour, nil), 400
		}
		if strings.HasPrefix(name, "sign-in ") {
			cookies = ""
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
	// A frame of Turbo, and a request of htmx, are what a user has clicked on.
	for _, headers := range [][]string{{"Turbo-Frame", "menu"}, {"HX-Request", "true"}, {"RSC", "1"}} {
		if w := serve(routes, request("/api/auth/sign-in", "", headers...)); w.StatusCode != 302 {
			t.Errorf("%v: status %d", headers, w.StatusCode)
		}
	}
	// A link elsewhere may lead to sign-in.
	if w := serve(routes, request("/api/auth/sign-in", "", fromAfar...)); w.StatusCode != 302 {
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
		f := newFixture(t, f.backend.SignedIn("alice"), nil)
		b := f.browser(t, RoutesOptions{RedirectOnSignInComplete: "/home"})
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
		if d := gocmp.Diff(want, got); d != "" {
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
	f = newFixture(t, f.backend.SignedIn("alice"), nil)
	b := f.browser(t, RoutesOptions{RedirectOnSignInComplete: "/home"})
	forged := attempt{newState(""), randomText(verifierLength), "//evil.test"}
	b.add(forged.cookie() + "=" + forged.marshal())
	w, body := b.get("/api/auth/sign-in-callback?code=the-code&state=" + forged.state)
	if got := bodyTargets(body)["link"]; w.StatusCode != 200 || got != "/home" {
		t.Errorf("status %d, leads to %q", w.StatusCode, got)
	}
}

// TestTabs: a user who signs in in several tabs at once is signed in in all of them, or is told.
func TestTabs(t *testing.T) {
	f := newFixture(t, nil, nil)
	finish := func(b *browser, callback, leadsTo string) {
		t.Helper()
		w, body := b.get(callback, fromAfar...)
		if got := bodyTargets(body)["link"]; w.StatusCode != 200 || got != leadsTo {
			t.Errorf("status %d, leads to %q", w.StatusCode, got)
		}
		// A code comes with the verifier of the attempt that it was issued for.
		calls := b.upstream.Calls()
		verifier := calls[len(calls)-1].Form["code_verifier"]
		if got := oauth2.S256ChallengeFromVerifier(verifier); got != b.challenges[callback] {
			t.Errorf("the verifier %q is that of another attempt", verifier)
		}
	}
	t.Run("one after the other", func(t *testing.T) {
		b := newFixture(t, f.backend.SignedIn("alice"), nil).browser(t, RoutesOptions{})
		first, second := b.begin(""), b.begin("")
		finish(b, first, "/")
		finish(b, second, "/")
	})
	t.Run("the last one first", func(t *testing.T) {
		b := newFixture(t, f.backend.SignedIn("alice"), nil).browser(t, RoutesOptions{})
		first, second := b.begin(""), b.begin("?return_to=/b")
		finish(b, second, "/b")
		finish(b, first, "/")
	})
	t.Run("side by side", func(t *testing.T) {
		// A browser that restores its tabs: none of the requests has a cookie of another one.
		b := newFixture(t, f.backend.SignedIn("alice"), nil).browser(t, RoutesOptions{})
		var callbacks []string
		var answers []*http.Response
		for _, tab := range []string{"/a", "/b", "/c"} {
			w := serve(b.handler, request("/api/auth/sign-in?return_to="+tab, ""))
			callbacks = append(callbacks, b.callback(w))
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
		b := newFixture(t, nil, nil).browser(t, RoutesOptions{})
		w := serve(b.handler, request("/api/auth/sign-in", ""))
		u, _ := url.Parse(w.Header.Get("Location"))
		b.begin("")
		w, body := b.get("/api/auth/sign-in-callback?code=the-code&state=" + u.Query().Get("state"))
		if w.StatusCode != 400 || !strings.Contains(body, "another one has taken its place") || bodyTargets(body)["link"] != "/api/auth/sign-in" {
			t.Errorf("%d %s", w.StatusCode, body)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		b := newFixture(t, f.backend.SignedIn("alice"), nil).browser(t, RoutesOptions{})
		var callback string
		for range 20 {
			callback = b.begin("?return_to=/" + strings.Repeat("x", 500))
		}
		if n := len(b.cookies()); n > 3<<10+512 {
			t.Errorf("%d bytes of cookies", n)
		}
		finish(b, callback, "/"+strings.Repeat("x", 500))
	})
}

// TestForeignState: a code that the browser did not ask for signs no user in (RFC 9700 §4.7).
func TestForeignState(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.SignedIn("mallory"), nil)
	b := f.browser(t, RoutesOptions{CustomState: "x"})
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
	// Back to it: the user is signed in, and goes on.
	if w, body := b.get(callback); w.StatusCode != 200 || bodyTargets(body)["link"] != "/" || len(f.upstream.Calls()) != 1 {
		t.Errorf("the same state again: status %d, calls %v", w.StatusCode, f.upstream.Calls())
	}
	b.names = nil
	if w, _ := b.get(callback); w.StatusCode != 302 || !strings.Contains(w.Header.Get("Location"), "error=timeout") {
		t.Errorf("the same state again, without a session: status %d", w.StatusCode)
	}
}

// TestErrorsOfOthers: another site's link cannot put texts into the application. Those of a sign-in
// that the browser has begun are passed on.
func TestErrorsOfOthers(t *testing.T) {
	f := newFixture(t, nil, nil)
	b := f.browser(t, RoutesOptions{RedirectOnSignOutComplete: "/bye"})
	const failed = "/api/auth/sign-in-callback?error=access_denied&error_description=call+555-0100"
	const timeout = "/bye?error=timeout&error_description=Sign+in+has+to+be+completed+within+5+minutes."
	if w, _ := b.get(failed, fromAfar...); w.StatusCode != 302 || w.Header.Get("Location") != timeout {
		t.Errorf("%d %s", w.StatusCode, w.Header.Get("Location"))
	}
	callback := b.begin("")
	_, state, _ := strings.Cut(callback, "&state=")
	for query, want := range map[string]string{
		"&state=" + newState(""): timeout,
		"&state=" + state:        "/bye?error=access_denied&error_description=call+555-0100",
		"":                       "/bye?error=access_denied&error_description=call+555-0100",
	} {
		if w, _ := b.get(failed+query, fromAfar...); w.StatusCode != 302 || w.Header.Get("Location") != want {
			t.Errorf("%q: %d %s", query, w.StatusCode, w.Header.Get("Location"))
		}
	}
}

// TestCancelledSignIn: users who do not sign in after all come back, when they try again, to where
// they wanted to go.
func TestCancelledSignIn(t *testing.T) {
	f := newFixture(t, nil, nil)
	for name, tt := range map[string]struct {
		landing, returnTo, want string
	}{
		"page":                 {"/sign-in", "/notes?id=1", "/sign-in?error=access_denied&return_to=%2Fnotes%3Fid%3D1"},
		"page with a query":    {"/sign-in?a=b", "/notes", "/sign-in?a=b&error=access_denied&return_to=%2Fnotes"},
		"default":              {"", "/notes", "/?error=access_denied&return_to=%2Fnotes"},
		"URL of the origin":    {"https://myapp.com/bye", "/notes", "https://myapp.com/bye?error=access_denied&return_to=%2Fnotes"},
		"another application":  {"https://other.test/bye", "/notes", "https://other.test/bye?error=access_denied"},
		"nowhere":              {"/sign-in", "", "/sign-in?error=access_denied"},
		"set by a neighbour":   {"/sign-in", "//evil.test", "/sign-in?error=access_denied"},
		"set to sign out":      {"/sign-in", "/api/auth/sign-out", "/sign-in?error=access_denied"},
		"set to the last page": {"/sign-in", "/api/auth/signed-out", "/sign-in?error=access_denied"},
	} {
		b := f.browser(t, RoutesOptions{RedirectOnSignOutComplete: tt.landing})
		a := attempt{newState(""), randomText(verifierLength), tt.returnTo}
		b.add(a.cookie() + "=" + a.marshal())
		w, _ := b.get("/api/auth/sign-in-callback?error=access_denied&state="+a.state, fromAfar...)
		if w.StatusCode != 302 || w.Header.Get("Location") != tt.want {
			t.Errorf("%s: %d %s", name, w.StatusCode, w.Header.Get("Location"))
		}
	}
	// All the way: the link of the page that the user lands on leads on to there.
	b := f.browser(t, RoutesOptions{RedirectOnSignOutComplete: "/api/auth/signed-out"})
	_, state, _ := strings.Cut(b.begin("?return_to=/notes"), "&state=")
	w, _ := b.get("/api/auth/sign-in-callback?error=access_denied&state="+state, fromAfar...)
	_, body := b.get(w.Header.Get("Location"), fromAfar...)
	if got := bodyTargets(body)["link"]; got != "/api/auth/sign-in?return_to=%2Fnotes" {
		t.Errorf("leads to %q: %s", got, body)
	}
	if got := f.signInURL(request(w.Header.Get("Location"), ""), SignInLink{}); got != "/api/auth/sign-in?return_to=%2Fnotes" {
		t.Errorf("SignInURL %q", got)
	}
}

// TestSignedOutPage: the page says what has happened, and nothing that a link elsewhere makes up.
func TestSignedOutPage(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := f.routes(t, RoutesOptions{RedirectOnSignInComplete: "/home"})
	for query, tt := range map[string]struct{ title, text, link string }{
		"":                         {"You are signed out", "", "/api/auth/sign-in"},
		"?error=revocation_failed": {"You are signed out", "You are signed out here.", "/api/auth/sign-in"},
		"?error=timeout":           {"You are not signed in", "within 5 minutes", "/api/auth/sign-in"},
		"?error=access_denied&return_to=%2Fnotes":       {"You are not signed in", "The sign-in was cancelled.", "/api/auth/sign-in?return_to=%2Fnotes"},
		"?error=sign_in_failed":                         {"You are not signed in", "You could not be signed in.", "/api/auth/sign-in"},
		"?error=call-0900&error_description=call+0900":  {"You are not signed in", "You could not be signed in.", "/api/auth/sign-in"},
		"?error_description=call+0900&return_to=//evil": {"You are signed out", "", "/api/auth/sign-in"},
	} {
		w := serve(h, request("/api/auth/signed-out"+query, "", navigation...))
		_, body := read(t, w)
		if w.StatusCode != 200 || !strings.Contains(body, "<h1>"+tt.title+"</h1>") || !strings.Contains(body, tt.text) || bodyTargets(body)["link"] != tt.link {
			t.Errorf("%s: %d %s", query, w.StatusCode, body)
		}
		if strings.Contains(body, "0900") || w.Header["Set-Cookie"] != nil {
			t.Errorf("%s: %v %s", query, w.Header, body)
		}
	}
	// It is not shown to users who are signed in.
	w := serve(h, request("/api/auth/signed-out", f.backend.Session("alice", time.Hour, nil), navigation...))
	if w.StatusCode != 302 || w.Header.Get("Location") != "/home" {
		t.Errorf("signed in: %d %v", w.StatusCode, w.Header)
	}
}

// TestCallbackTwice: a browser that asks for the callback again, before it has the
// first answer, gets the same one.
func TestCallbackTwice(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.SignedIn("alice"), nil)
	b := f.browser(t, RoutesOptions{})
	callback := b.begin("?return_to=/notes")
	b.add("other=" + strings.Repeat("x", 7<<10))
	cookies := b.cookies()
	for range 2 {
		w := serve(b.handler, request(callback, cookies, fromAfar...))
		body, _ := io.ReadAll(w.Body)
		set := setCookies(w.Header["Set-Cookie"])
		if w.StatusCode != 200 || bodyTargets(string(body))["link"] != "/notes" || set[testPrefix+"alice.idToken"]["value"] == "" || set[stateCookie]["deleted"] == "" {
			t.Errorf("%d %v %s", w.StatusCode, w.Header, body)
		}
	}
	if !strings.Contains(f.backend.Log.String(), "431") {
		t.Errorf("no warning of so many cookies: %s", f.backend.Log)
	}
}

// TestSignOutAsks: neither a link of another site nor, on all devices, one that does not come from
// the application itself signs a user out. They get a page that asks, and its link does it.
func TestSignOutAsks(t *testing.T) {
	f := newFixture(t, nil, nil)
	site := func(site string) []string { return append([]string{"Sec-Fetch-Site", site}, navigation[2:]...) }
	old := []string{"Accept", "text/html"} // a browser that sends no Sec-Fetch-Site
	for name, tt := range map[string]struct {
		query   string
		headers []string
		asks    bool
	}{
		"own link":            {"", site("same-origin"), false},
		"typed":               {"", site("none"), false},
		"neighbour":           {"", site("same-site"), false},
		"old browser":         {"", old, false},
		"other site":          {"", fromAfar, true},
		"global, own link":    {"?global=true", site("same-origin"), false},
		"global, typed":       {"?global=true", site("none"), true},
		"global, neighbour":   {"?global=true", site("same-site"), true},
		"global, old browser": {"?global=true", old, true},
		"global, other site":  {"?global=true", fromAfar, true},
		"global=false":        {"?global=false", old, false},
		"made-up value":       {"?global=true&confirm=x", old, true},
		"empty value":         {"?global=true&confirm=", old, true},
	} {
		b := f.browser(t, RoutesOptions{})
		begun := func(w *http.Response) bool {
			return w.StatusCode == 302 && strings.HasPrefix(w.Header.Get("Location"), "https://auth.corpus.test/logout?")
		}
		w, body := b.get("/api/auth/sign-out"+tt.query, tt.headers...)
		if !tt.asks {
			if !begun(w) {
				t.Errorf("%s: %d %s", name, w.StatusCode, body)
			}
			continue
		}
		page := bodyTargets(body)
		c := setCookies(w.Header["Set-Cookie"])[confirmCookie]
		if w.StatusCode != 200 || page["link"] == "" || page["metaRefresh"] != "" || strings.Contains(b.cookies(), signingOutCookie) {
			t.Fatalf("%s: %d %s", name, w.StatusCode, body)
		}
		if _, httpOnly := c["httponly"]; c["samesite"] != "strict" || !httpOnly || c["max-age"] != "300" {
			t.Errorf("%s: %v", name, c)
		}
		// The same link without the cookie, which other sites cannot send, asks again.
		if w := serve(b.handler, request(page["link"], "", old...)); strings.Contains(tt.query, "global") && begun(w) {
			t.Errorf("%s: the link does without the cookie", name)
		}
		for _, headers := range [][]string{old, site("same-origin")} {
			if w := serve(b.handler, request(page["link"], b.cookies(), headers...)); !begun(w) {
				t.Errorf("%s: the link does not sign out: %d", name, w.StatusCode)
			} else if setCookies(w.Header["Set-Cookie"])[confirmCookie]["deleted"] == "" {
				t.Errorf("%s: the link can be used again: %v", name, w.Header["Set-Cookie"])
			} else if got := setCookies(w.Header["Set-Cookie"])[signingOutCookie]["value"]; (got == signingOutGlobal) != strings.Contains(tt.query, "global=true") {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// TestCallbackVerifies: what the token endpoint answers becomes a session only if it is one, of one
// user of this client.
func TestCallbackVerifies(t *testing.T) {
	f := newFixture(t, nil, nil)
	access, id := f.backend.Tokens("alice", time.Hour, nil)
	_, foreign := f.backend.Tokens("bob", time.Hour, nil)
	other, _ := f.backend.Tokens("alice", time.Hour, map[string]any{"client_id": "another"})
	pool, _ := f.backend.Tokens("alice", time.Hour, map[string]any{"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another01"})
	forged := func(token string) string { // with the signature of another one
		return token[:strings.LastIndexByte(token, '.')] + foreign[strings.LastIndexByte(foreign, '.'):]
	}
	large, largeID := f.backend.Tokens("alice", time.Hour, map[string]any{"custom:x": strings.Repeat("x", 2850)})
	huge, hugeID := f.backend.Tokens("alice", time.Hour, map[string]any{"custom:x": strings.Repeat("x", 20_000)})
	for name, tt := range map[string]struct {
		access, id string
		status     int
		text       string
	}{
		"another user's ID token": {access, foreign, 500, "could not be verified"},
		"a forged access token":   {forged(access), id, 500, "could not be verified"},
		"a forged ID token":       {access, forged(id), 500, "could not be verified"},
		"another client":          {other, id, 500, "could not be verified"},
		"another pool":            {pool, id, 500, "could not be verified"},
		"no ID token":             {access, "", 500, "not set up right"},
		"the access token twice":  {access, access, 500, "could not be verified"},
		"too large":               {large, largeID, 500, "more attributes or groups"},
		"far too large":           {huge, hugeID, 500, "more attributes or groups"},
		"right":                   {access, id, 200, "You are signed in"},
	} {
		f := newFixture(t, map[string][]conformance.Answer{"POST /oauth2/token": {{
			Status: 200, JSON: []byte(fmt.Sprintf(`{"access_token":%q,"id_token":%q,"token_type":"Bearer"}`, tt.access, tt.id)),
		}}}, nil)
		b := f.browser(t, RoutesOptions{})
		w, body := b.get(b.begin(""))
		if w.StatusCode != tt.status || strings.Contains(body, "eyJ") || !strings.Contains(body, tt.text) {
			t.Errorf("%s: status %d %s", name, w.StatusCode, body)
		}
		if tt.status != 200 && strings.Contains(b.cookies(), testPrefix) {
			t.Errorf("%s: cookies %s", name, b.cookies())
		}
	}
}

// TestClientSecret: a confidential client authenticates itself at the token and
// revocation endpoints.
func TestClientSecret(t *testing.T) {
	f := newFixture(t, nil, nil)
	answers := f.backend.SignedIn("alice")
	answers["POST /oauth2/revoke"] = []conformance.Answer{{Status: 200}}
	upstream := conformance.NewUpstream(flowtest.Keys(), answers)
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
	b := f.browser(t, RoutesOptions{})
	if w, body := b.get(b.begin("")); w.StatusCode != 200 {
		t.Fatal(w.StatusCode, body)
	}
	b.add(signingOutCookie + "=true")
	b.get("/api/auth/sign-out-callback")
	want := []string{"/oauth2/token " + testClient + " client-secret", "/oauth2/revoke " + testClient + " client-secret"}
	if d := gocmp.Diff(want, authorized); d != "" {
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
		b := f.browser(t, RoutesOptions{})
		w, body := b.get(b.begin("?return_to=/notes"))
		if w.StatusCode != tt.status || !strings.Contains(body, tt.body) || strings.Contains(body, "eyJ") {
			t.Errorf("%s: %d %s", name, w.StatusCode, body)
		}
		if got := bodyTargets(body)["link"]; got != "/api/auth/sign-in?return_to=%2Fnotes" {
			t.Errorf("%s: leads to %s", name, got)
		}
		if !strings.Contains(f.backend.Log.String(), tt.log) {
			t.Errorf("%s: log %s", name, f.backend.Log)
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
	session := f.backend.Session("alice", time.Hour, nil) + "; " +
		testPrefix + "alice.clockDrift=-3; " + testPrefix + "alice.signInDetails={}; " + testPrefix + "alice.deviceKey=d; " +
		// Whose refresh token this is nothing proves.
		testPrefix + "bob%28x%29.refreshToken=refresh-of-bob; com.amplify.Cognito.eu-west-1:1.identityId=guest; other=1"
	const left = testPrefix + "alice.deviceKey=d; other=1" // MFA goes by the device
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
		b := f.browser(t, RoutesOptions{RedirectOnSignOutComplete: "/bye"})
		b.add(session)
		w, _ := b.get("/api/auth/sign-out", navigation...)
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
		if b.cookies() != left {
			t.Errorf("cookies left: %s", b.cookies())
		}
		want := []string{"/oauth2/revoke refresh-of-alice"}
		if d := gocmp.Diff(want, operations(f)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if w, _ := b.get("/api/auth/sign-out-callback"); w.StatusCode != 400 {
			t.Errorf("once more: status %d", w.StatusCode)
		}
	})
	t.Run("interrupted after Cognito's logout", func(t *testing.T) {
		f := newFixture(t, revoked, withPool)
		b := f.browser(t, RoutesOptions{})
		b.add(session)
		b.get("/api/auth/sign-out")
		b.get("/api/auth/sign-out-callback", fromAfar...) // and the page it answers is never followed
		if w := serve(f.guarded(f.RequireUser(GuardOptions{})), request("/", b.cookies())); w.StatusCode != 204 {
			t.Errorf("not signed in any more: %d", w.StatusCode)
		}
		// Signing out again goes through.
		b.get("/api/auth/sign-out")
		b.get("/api/auth/sign-out-callback", fromAfar...)
		b.get("/api/auth/sign-out-callback", navigation...)
		if b.cookies() != left {
			t.Errorf("cookies left: %s", b.cookies())
		}
	})
	t.Run("interrupted after revocation", func(t *testing.T) {
		f := newFixture(t, revoked, withPool)
		guarded := f.guarded(f.RequireUser(GuardOptions{}))
		b := f.browser(t, RoutesOptions{})
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
		for query, o := range map[string]RoutesOptions{"?global=true": {}, "": {GlobalSignOut: true}} {
			f := newFixture(t, revoked, nil)
			b := f.browser(t, o)
			b.add(f.backend.Session("alice", time.Hour, nil))
			b.get("/api/auth/sign-out"+query, navigation...)
			b.get("/api/auth/sign-out-callback", fromAfar...)
			b.get("/api/auth/sign-out-callback", navigation...)
			want := []string{"GlobalSignOut/ ", "/oauth2/revoke refresh-of-alice"}
			if d := gocmp.Diff(want, operations(f)); d != "" || b.cookies() != "" {
				t.Errorf("%q: cookies %s, calls (-want +got)\n%s", query, b.cookies(), d)
			}
		}
	})
	t.Run("Cognito cannot be told", func(t *testing.T) {
		for name, answer := range map[string]conformance.Answer{"refused": {Status: 400}, "down": {Status: 500}, "unreachable": {Network: "reset"}} {
			f := newFixture(t, map[string][]conformance.Answer{"POST /oauth2/revoke": {answer}}, nil)
			b := f.browser(t, RoutesOptions{RedirectOnSignOutComplete: "/bye?x=1"})
			b.add(f.backend.Session("alice", time.Hour, nil) + "; " + signingOutCookie + "=true")
			w, _ := b.get("/api/auth/sign-out-callback")
			if w.StatusCode != 302 || !strings.HasPrefix(w.Header.Get("Location"), "/bye?x=1&error=revocation_failed&") || b.cookies() != "" {
				t.Errorf("%s: %d %s %s", name, w.StatusCode, w.Header.Get("Location"), b.cookies())
			}
			if !strings.Contains(f.backend.Log.String(), "without telling Cognito") {
				t.Errorf("%s: log %s", name, f.backend.Log)
			}
		}
	})
}

// TestRoutesFaults: every fault is reported when the routes are made.
func TestRoutesFaults(t *testing.T) {
	bad := RoutesOptions{RedirectOnSignInComplete: "home", RedirectOnSignOutComplete: "javascript:alert(1)", CustomState: strings.Repeat("x", 300)}
	ofOptions := []string{"AuthRoutesOptions.RedirectOnSignInComplete", "AuthRoutesOptions.RedirectOnSignOutComplete", "AuthRoutesOptions.CustomState"}
	for name, tt := range map[string]struct {
		change  func(*amplify.Config, *Options)
		options RoutesOptions
		want    []string
		js      string
	}{
		"all at once": {func(cfg *amplify.Config, _ *Options) {
			cfg.Auth.OAuth.RedirectSignIn = []string{"https://other.test/a"}
			cfg.Auth.OAuth.RedirectSignOut = nil
			cfg.Auth.OAuth.Scopes = []string{"email"}
		}, bad, append([]string{"Config.Auth.OAuth.Scopes", "Config.Auth.OAuth.RedirectSignIn", "Config.Auth.OAuth.RedirectSignOut"}, ofOptions...),
			"No valid redirectSignIn url found in the OAuth config."},
		"nothing configured": {func(cfg *amplify.Config, o *Options) { cfg.Auth, o.Origin = nil, "" }, bad,
			append([]string{"Options.Origin", "Config.Auth.UserPoolID", "Config.Auth.OAuth"}, ofOptions...),
			"Could not find the AMPLIFY_APP_ORIGIN environment variable."},
		"no route": {func(cfg *amplify.Config, _ *Options) {
			cfg.Auth.OAuth.RedirectSignIn = []string{"https://myapp.com/profile", "https://other.test/sign-in-callback"}
			cfg.Auth.OAuth.RedirectSignOut = []string{"https://myapp.com/", "https://myapp.com/auth/sign-out-callback"}
		}, RoutesOptions{}, []string{"Config.Auth.OAuth.RedirectSignIn"}, ""},
		"no openid": {func(cfg *amplify.Config, _ *Options) { cfg.Auth.OAuth.Scopes = []string{"email", "phone"} }, RoutesOptions{},
			[]string{"Config.Auth.OAuth.Scopes"}, ""},
		"no scopes: Cognito takes all": {func(cfg *amplify.Config, _ *Options) { cfg.Auth.OAuth.Scopes = nil }, RoutesOptions{}, nil, ""},
	} {
		_, err := newFixture(t, nil, tt.change).Routes(tt.options)
		var got []string
		js := ""
		for _, fault := range amplify.ConfigErrors(err) {
			got = append(got, fault.Field)
			if fault.Err != nil && js == "" {
				js = fault.Err.Message
			}
		}
		if d := gocmp.Diff(tt.want, got); d != "" || js != tt.js {
			t.Errorf("%s: %q (-want +got)\n%s", name, js, d)
		}
		if err != nil && amplify.ReasonOf(err) != amplify.ReasonConfiguration {
			t.Errorf("%s: %v", name, err)
		}
		if name == "no openid" && !strings.Contains(err.Error(), `"openid"`) {
			t.Errorf("%s: %v", name, err)
		}
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
		if got := f.signInURL(request(tt.target, ""), tt.link); got != tt.want {
			t.Errorf("%s: %s", tt.target, got)
		}
	}
	none := newFixture(t, nil, func(cfg *amplify.Config, _ *Options) { cfg.Auth.OAuth = nil })
	if got := none.signInURL(request("/", ""), SignInLink{}); got != "" {
		t.Error(got)
	}
}

// TestWhichRedirectURL: the redirect URL is the one of the application whose last segment is the
// route, whatever stands before it. Where there is none, the error says what to register.
func TestWhichRedirectURL(t *testing.T) {
	for name, tt := range map[string]struct {
		base, origin string
		urls         []string // {} stands for the route
		want         string
		fault        string // after the name of the setting
	}{
		"beside a client-side application": {"", "http://localhost:3000", []string{"http://localhost:3000/", "http://localhost:3000/api/auth/{}"},
			"http://localhost:3000/api/auth/{}", ""},
		"beside look-alikes": {"", "https://myapp.com", []string{
			"https://other.test/api/auth/{}", "https://myapp.com.evil.test/api/auth/{}", "http://myapp.com/api/auth/{}",
			"https://myapp.com/x{}", "https://myapp.com/{}x", "https://myapp.com/{}/", "https://myapp.com/{}/x",
			"https://myapp.com/x?/{}", "https://myapp.com/a/{}", "https://myapp.com/b/{}",
		}, "https://myapp.com/a/{}", ""},
		"none": {"", "http://localhost:3000", []string{"http://localhost:3000/", "http://localhost:3000/profile"}, "",
			` "http://localhost:3000/": leads to none of the auth routes: register http://localhost:3000/api/auth/{}, `},
		"a slash too many": {"", "https://myapp.com", []string{"https://myapp.com/api/auth/{}/"}, "",
			` "https://myapp.com/api/auth/{}/": leads to none of the auth routes: register https://myapp.com/api/auth/{}, `},
		"of another origin": {"", "https://myapp.com", []string{"http://localhost:3000/api/auth/{}"}, "",
			`: has no URL of the application's origin https://myapp.com: register https://myapp.com/api/auth/{}, `},
		"below a base path": {"/app", "https://myapp.com", []string{
			"https://myapp.com/api/auth/{}", "https://myapp.com/apple/{}", "https://myapp.com/app/auth/{}",
		}, "https://myapp.com/app/auth/{}", ""},
		"none below a base path": {"/app", "https://myapp.com", []string{"https://myapp.com/api/auth/{}"}, "",
			` "https://myapp.com/api/auth/{}": leads to none of the auth routes: register https://myapp.com/app/api/auth/{}, `},
	} {
		fill := func(s, route string) string { return strings.ReplaceAll(s, "{}", route+"-callback") }
		f := newFixture(t, nil, func(cfg *amplify.Config, o *Options) {
			o.Origin, o.BasePath = tt.origin, tt.base
			cfg.Auth.OAuth.RedirectSignIn, cfg.Auth.OAuth.RedirectSignOut = nil, nil
			for _, s := range tt.urls {
				cfg.Auth.OAuth.RedirectSignIn = append(cfg.Auth.OAuth.RedirectSignIn, fill(s, "sign-in"))
				cfg.Auth.OAuth.RedirectSignOut = append(cfg.Auth.OAuth.RedirectSignOut, fill(s, "sign-out"))
			}
		})
		if tt.fault != "" {
			_, err := f.Routes(RoutesOptions{})
			var got []string
			for _, fault := range amplify.ConfigErrors(err) {
				got = append(got, fault.Error())
			}
			const elsewhere = "or where else the auth routes are mounted, as "
			want := []string{
				"Config.Auth.OAuth.RedirectSignIn" + fill(tt.fault, "sign-in") + elsewhere + "a callback URL of the app client (callbackUrls in defineAuth)",
				"Config.Auth.OAuth.RedirectSignOut" + fill(tt.fault, "sign-out") + elsewhere + "a sign-out URL of the app client (logoutUrls in defineAuth)",
			}
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got)\n%s", name, d)
			}
			if link := f.signInURL(request("/", ""), SignInLink{}); link != "" {
				t.Errorf("%s: a link to no route: %s", name, link)
			}
			continue
		}
		h := f.routes(t, RoutesOptions{})
		for route, parameter := range map[string]string{"sign-in": "redirect_uri", "sign-out": "logout_uri"} {
			u, _ := url.Parse(serve(h, request("/api/auth/"+route, "", navigation...)).Header.Get("Location"))
			if got := u.Query().Get(parameter); got != fill(tt.want, route) {
				t.Errorf("%s: %s %s", name, parameter, got)
			}
		}
	}
}

// TestRedirectURLs: of several redirect URLs of the origin the one that a route answers is used.
func TestRedirectURLs(t *testing.T) {
	f := newFixture(t, nil, func(cfg *amplify.Config, _ *Options) {
		cfg.Auth.OAuth.RedirectSignIn = []string{"https://myapp.com/profile", "https://myapp.com/auth/sign-in-callback"}
	})
	w := serve(f.routes(t, RoutesOptions{}), request("/auth/sign-in", ""))
	u, _ := url.Parse(w.Header.Get("Location"))
	if got := u.Query().Get("redirect_uri"); got != "https://myapp.com/auth/sign-in-callback" {
		t.Errorf("redirect_uri %q", got)
	}
	if got := f.signInURL(request("/", ""), SignInLink{}); got != "/auth/sign-in?return_to=%2F" {
		t.Errorf("link %q", got)
	}
}

// TestForeignRedirectURLs: what only looks like a URL of the origin is none.
func TestForeignRedirectURLs(t *testing.T) {
	own := origin("https://myapp.com")
	for _, s := range []string{
		"https://alice@myapp.com/a", "https://alice:secret@myapp.com/a", "https://@myapp.com/a", "https://myapp.com@evil.test/a",
		"https://myapp.com.evil.test/a", "https://myapp.com:443/a", "http://myapp.com/a", "https:myapp.com/a", "//myapp.com/a", "/a",
	} {
		if u, fault := own.callback("", "RedirectSignIn", "a", []string{s}); fault == nil {
			t.Errorf("%s is the origin's: %s", s, u)
		}
	}
	if u, fault := own.callback("", "RedirectSignIn", "a", []string{"https://alice@myapp.com/a", "https://myapp.com/a"}); fault != nil || u.String() != "https://myapp.com/a" {
		t.Errorf("%s, %v", u, fault)
	}
}

// TestRoutesBelowAnyMount: the last segment decides, also if a mux has taken off a prefix.
func TestRoutesBelowAnyMount(t *testing.T) {
	f := newFixture(t, nil, nil)
	routes := f.routes(t, RoutesOptions{})
	for _, h := range []http.Handler{routes, http.StripPrefix("/x/y", routes), http.StripPrefix("/x/y/", routes)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("/x/y/sign-in", ""))
		if w.Code != 302 {
			t.Errorf("status %d", w.Code)
		}
	}
}

// TestOriginOfTheEnvironment: a fault says that the value comes from there.
func TestOriginOfTheEnvironment(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "myapp.com")
	for origin, want := range map[string]string{
		"":        `Options.Origin "myapp.com" (AMPLIFY_APP_ORIGIN): must be`,
		"own.com": `Options.Origin "own.com": must be`,
	} {
		_, err := New(amplify.Config{}, Options{Origin: origin})
		if faults := amplify.ConfigErrors(err); len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestOptionsFaults: every fault of the configuration and of all options is reported at once.
func TestOptionsFaults(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	for name, tt := range map[string]struct {
		pool string
		o    Options
		want []string
	}{
		"all at once": {"bad pool", Options{
			Origin: "myapp.com", BasePath: "app", Cookies: CookieOptions{MaxAge: -1, Domain: "a b"},
			App: amplify.Options{Endpoints: amplify.Endpoints{OAuth: "x"}}, Cognito: cognito.Options{Leeway: -1, RefreshEarly: -1},
		}, []string{"Options.Origin", "Options.BasePath", "Config.Auth.UserPoolID", "Endpoints.OAuth", "Domain", "MaxAge", "Leeway", "RefreshEarly"}},
		"foreign domain":        {"", Options{Origin: "https://myapp.com", Cookies: CookieOptions{Domain: ".other.com"}}, []string{"does not cover"}},
		"part of a label":       {"", Options{Origin: "https://myapp.com", Cookies: CookieOptions{Domain: "app.com"}}, []string{"does not cover"}},
		"below the origin":      {"", Options{Origin: "https://myapp.com", Cookies: CookieOptions{Domain: "www.myapp.com"}}, []string{"does not cover"}},
		"insecure":              {"", Options{Origin: "https://myapp.com", Cookies: CookieOptions{Insecure: true}}, []string{`Options.Cookies.Insecure "true": is for localhost and 127.0.0.1 alone, and the origin is https://myapp.com`}},
		"insecure, http":        {"", Options{Origin: "http://myapp.com", Cookies: CookieOptions{Insecure: true}}, []string{"Cookies.Insecure"}},
		"insecure, look-alike":  {"", Options{Origin: "http://localhost.myapp.com", Cookies: CookieOptions{Insecure: true}}, []string{"Cookies.Insecure"}},
		"insecure, subdomain":   {"", Options{Origin: "http://app.localhost", Cookies: CookieOptions{Insecure: true}}, []string{"Cookies.Insecure"}},
		"insecure, network":     {"", Options{Origin: "http://192.168.1.2:3000", Cookies: CookieOptions{Insecure: true}}, []string{"Cookies.Insecure"}},
		"insecure, local":       {"", Options{Origin: "https://localhost:3000", Cookies: CookieOptions{Insecure: true}}, nil},
		"insecure, None":        {"", Options{Cookies: CookieOptions{Insecure: true, SameSite: http.SameSiteNoneMode}}, []string{"SameSite=None"}},
		"insecure, local, None": {"", Options{Origin: "https://localhost", Cookies: CookieOptions{Insecure: true, SameSite: http.SameSiteNoneMode}}, []string{"SameSite=None"}},
		"insecure None":         {"", Options{Origin: "http://localhost:3000", Cookies: CookieOptions{SameSite: http.SameSiteNoneMode}}, []string{"SameSite=None"}},
		"right":                 {"", Options{Origin: "https://www.myapp.com", Cookies: CookieOptions{Domain: ".myapp.com"}}, nil},
	} {
		cfg := amplify.Config{Auth: &amplify.AuthConfig{UserPoolID: cmp.Or(tt.pool, flowtest.Pool), UserPoolClientID: testClient}}
		runner, err := New(cfg, tt.o)
		if err == nil {
			err = runner.Close(t.Context())
		}
		faults := amplify.ConfigErrors(err)
		if len(faults) != len(tt.want) || tt.want != nil && amplify.ReasonOf(err) != amplify.ReasonConfiguration {
			t.Errorf("%s: %d faults: %v", name, len(faults), err)
		}
		for _, want := range tt.want {
			if !slices.ContainsFunc(faults, func(f *amplify.ConfigError) bool { return strings.Contains(f.Error(), want) }) {
				t.Errorf("%s: %v lacks %q", name, err, want)
			}
		}
	}
}

// TestClearTextIsWarnedOf: an http origin is, unless its traffic stays on the machine.
func TestClearTextIsWarnedOf(t *testing.T) {
	for origin, want := range map[string]bool{
		"http://myapp.com": true, "https://myapp.com": false, "http://localhost:3000": false, "": false,
	} {
		f := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Origin = origin })
		if got := strings.Contains(f.backend.Log.String(), "HTTP origin detected"); got != want {
			t.Errorf("%q: warned %v", origin, got)
		}
	}
}
