package flow

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

func TestGuardAnswers(t *testing.T) {
	f := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Bearer = true })
	alice := f.backend.Session("alice", time.Hour, map[string]any{"cognito:groups": []string{"editors"}})
	access, idToken := f.backend.Tokens("alice", time.Hour, nil)
	signIn := GuardOptions{SignIn: "/sign-in?from=guard"}
	tests := []struct {
		name      string
		handler   http.Handler
		method    string
		target    string
		cookies   string
		headers   []string
		status    int
		location  string
		reason    amplify.Reason
		challenge string
	}{
		{name: "signed in", handler: f.guarded(f.RequireUser(signIn)), cookies: alice, status: 204},
		{name: "navigation", handler: f.guarded(f.RequireUser(signIn)), target: "/notes?page=2", headers: navigation,
			status: 303, location: "/sign-in?from=guard&return_to=%2Fnotes%3Fpage%3D2"},
		{name: "navigation of an old browser", handler: f.guarded(f.RequireUser(signIn)), target: "/notes", headers: []string{"Accept", "text/html,*/*"},
			status: 303, location: "/sign-in?from=guard&return_to=%2Fnotes"},
		{name: "a form that was sent", handler: f.guarded(f.RequireUser(signIn)), method: "POST", target: "/notes", headers: navigation,
			status: 303, location: "/sign-in?from=guard"},
		{name: "an address that browsers misread", handler: f.guarded(f.RequireUser(signIn)), target: "//evil.test/x", headers: navigation,
			status: 303, location: "/sign-in?from=guard"},
		{name: "navigation without a sign-in page", handler: f.guarded(f.RequireUser(GuardOptions{})), headers: navigation, status: 401},
		{name: "fetch", handler: f.guarded(f.RequireUser(signIn)), headers: fetched, status: 401, reason: amplify.ReasonNoSession, challenge: "Bearer"},
		{name: "curl", handler: f.guarded(f.RequireUser(signIn)), headers: []string{"Accept", "*/*"}, status: 401, reason: amplify.ReasonNoSession, challenge: "Bearer"},
		{name: "half a session", handler: f.guarded(f.RequireUser(signIn)), cookies: testPrefix + "alice.idToken=x", headers: fetched,
			status: 401, reason: amplify.ReasonIncompleteSession, challenge: "Bearer"},
		{name: "in the group", handler: f.guarded(f.RequireGroup(signIn, "admins", "editors")), cookies: alice, status: 204},
		{name: "not in the group", handler: f.guarded(f.RequireGroup(signIn, "admins")), cookies: alice, headers: fetched, status: 403, reason: amplify.ReasonMissingGroup},
		{name: "in no group at all", handler: f.guarded(f.RequireGroup(signIn)), cookies: alice, headers: fetched, status: 403, reason: amplify.ReasonMissingGroup},
		{name: "not in the group, navigation", handler: f.guarded(f.RequireGroup(signIn, "admins")), cookies: alice, headers: navigation, status: 403},
		{name: "with the scopes", handler: f.guarded(f.RequireScope(signIn, "openid", "email")), cookies: alice, status: 204},
		{name: "without a scope", handler: f.guarded(f.RequireScope(signIn, "openid", "notes/write")), cookies: alice, headers: fetched,
			status: 403, reason: amplify.ReasonMissingScope, challenge: `Bearer error="insufficient_scope"`},
		{name: "bearer", handler: f.guarded(f.RequireUser(signIn)), headers: []string{"Authorization", "bearer " + access}, status: 204},
		{name: "bearer, ID token", handler: f.guarded(f.RequireUser(signIn)), headers: []string{"Authorization", "Bearer " + idToken},
			status: 401, reason: amplify.ReasonWrongTokenUse, challenge: `Bearer error="invalid_token"`},
		{name: "bearer beats cookies", handler: f.guarded(f.RequireUser(signIn)), cookies: alice, headers: []string{"Authorization", "Bearer x"},
			status: 401, reason: amplify.ReasonMalformedToken, challenge: `Bearer error="invalid_token"`},
		{name: "basic authentication is none of ours", handler: f.guarded(f.RequireUser(signIn)), cookies: alice, headers: []string{"Authorization", "Basic eDp5"}, status: 204},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(max(tt.target, "/"), tt.cookies, tt.headers...)
			if tt.method != "" {
				r.Method = tt.method
			}
			w := serve(tt.handler, r)
			if w.StatusCode != tt.status || w.Header.Get("Location") != tt.location {
				t.Fatalf("status %d, location %q", w.StatusCode, w.Header.Get("Location"))
			}
			if got := w.Header.Get("WWW-Authenticate"); got != tt.challenge && !isNavigation(r) {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if w.Header.Get("Cache-Control") != private {
				t.Errorf("Cache-Control %q", w.Header.Get("Cache-Control"))
			}
			if tt.reason == "" {
				return
			}
			// The name of the error and no more: its text may name what the caller need not know.
			name := amplify.ErrUnauthenticated.Name
			if tt.status == 403 {
				name = "AccessDeniedException"
			}
			var body map[string]string
			if err := json.NewDecoder(w.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(map[string]string{"error": name, "reason": string(tt.reason)}, body); d != "" {
				t.Errorf("body (-want +got)\n%s", d)
			}
		})
	}
}

// TestGuardPageLeadsToSignIn: a guard without a sign-in page leads to sign-in all the same, and the
// user comes back. What programs get does not change.
func TestGuardPageLeadsToSignIn(t *testing.T) {
	for name, tt := range map[string]struct {
		change       func(*amplify.Config, *Options)
		method, want string
	}{
		"auth routes":    {nil, "GET", "/api/auth/sign-in?return_to=%2Fnotes%3Fpage%3D2"},
		"a form":         {nil, "POST", "/api/auth/sign-in"},
		"no auth routes": {func(cfg *amplify.Config, _ *Options) { cfg.Auth.OAuth = nil }, "GET", "/"},
		"no origin":      {func(_ *amplify.Config, o *Options) { o.Origin = "" }, "GET", "/"},
	} {
		f := newFixture(t, nil, tt.change)
		h := f.guarded(f.RequireUser(GuardOptions{}))
		r := request("/notes?page=2", "", navigation...)
		r.Method = tt.method
		w := serve(h, r)
		if _, body := read(t, w); w.StatusCode != 401 || bodyTargets(body)["link"] != tt.want {
			t.Errorf("%s: %d %s", name, w.StatusCode, body)
		}
		w = serve(h, request("/notes?page=2", "", fetched...))
		if _, body := read(t, w); w.StatusCode != 401 || body != `{"error":"UserUnAuthenticatedException","reason":"no_session"}`+"\n" {
			t.Errorf("%s: %d %s", name, w.StatusCode, body)
		}
	}
}

// TestBearerIsOptIn: without the option an Authorization header means nothing.
func TestBearerIsOptIn(t *testing.T) {
	f := newFixture(t, nil, nil)
	access, _ := f.backend.Tokens("alice", time.Hour, nil)
	w := serve(f.guarded(f.RequireUser(GuardOptions{})), request("/", "", "Authorization", "Bearer "+access))
	if w.StatusCode != 401 || w.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("status %d", w.StatusCode)
	}
}

// TestMachines: tokens of an app client (client credentials) belong to no user.
func TestMachines(t *testing.T) {
	f := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Bearer = true })
	access, _ := f.backend.Tokens("machine", time.Hour, map[string]any{"username": nil, "cognito:groups": []string{"admins"}})
	for name, tt := range map[string]struct {
		handler http.Handler
		status  int
	}{
		"user":        {f.guarded(f.RequireUser(GuardOptions{})), 401},
		"group":       {f.guarded(f.RequireGroup(GuardOptions{}, "admins")), 401},
		"scope":       {f.guarded(f.RequireScope(GuardOptions{}, "email")), 204},
		"lacking one": {f.guarded(f.RequireScope(GuardOptions{}, "write")), 403},
	} {
		w := serve(tt.handler, request("/", "", "Authorization", "Bearer "+access))
		body, _ := io.ReadAll(w.Body)
		if w.StatusCode != tt.status || tt.status == 401 && !strings.Contains(string(body), string(amplify.ReasonNoUser)) {
			t.Errorf("%s: %d %s", name, w.StatusCode, body)
		}
	}
}

// TestGuardWhenItCannotBeTold: while keys or the user pool cannot be reached no user is sent to
// sign in, and no cookie is cleared.
func TestGuardWhenItCannotBeTold(t *testing.T) {
	f := newFixture(t, map[string][]conformance.Answer{"GetTokensFromRefreshToken": {{Status: 400, JSON: []byte(`{"__type":"TooManyRequestsException"}`)}}}, nil)
	h := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	for _, headers := range [][]string{navigation, fetched} {
		w := serve(h, request("/notes", f.backend.Session("alice", -time.Minute, nil), headers...))
		if w.StatusCode != 503 || w.Header.Get("Retry-After") == "" || w.Header["Set-Cookie"] != nil {
			t.Errorf("status %d, header %v", w.StatusCode, w.Header)
		}
	}
}

// TestGuardExceptions is the seed's middleware with its matcher: a guard around a whole mux.
func TestGuardExceptions(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in", Except: []string{"/static/", "/favicon.ico", "GET /news/{id}", "GET /{$}"}}))
	for target, passes := range map[string]bool{
		"/":                              true,
		"/sign-in":                       true,
		"/sign-in?return_to=%2F":         true,
		"/static/a.css":                  true,
		"/favicon.ico":                   true,
		"/news/1":                        true,
		"/api/auth/sign-in":              true, // the auth routes, where the configuration says they are
		"/api/auth/sign-out-callback":    true,
		"/home":                          false,
		"/sign-in/x":                     false,
		"/news/1/edit":                   false,
		"/staticx":                       false,
		"/api/auth/other":                false,
		"/other/sign-in":                 false,
		"/static/../home":                false,
		"/static/%2e%2e/home":            false,
		"/static/..%2fhome":              false,
		"/static//../home":               false,
		"/static/./a.css":                false, // not clean: someone behind may see another page in it
		"//static/a.css":                 false,
		"/home/..%2fapi/auth/sign-in":    false,
		"/favicon.ico%00":                false,
		"/favicon.ico/":                  false,
		"/home;/static/":                 false,
		"/home?/static/":                 false,
		"http://other.test/static/a.css": true,
		"/static/a%2fb.css":              true, // below /static/ in either reading
		"/static/%28a%29.css":            true,
		"/news/a%20b":                    true,
		"/news/1%2fedit":                 false, // another page to handlers that decode first
		"/news/1%2Fedit":                 false,
		"/news%2f1":                      false,
		"/static":                        false, // another page than /static/
		"/static%2fa.css":                false,
		"/static/..\\home":               false,
		"/static/%5c..%5chome":           false,
		"/static/..;/home":               false,
		"/static/..;x=y/home":            false,
		"/static/%2e%2e%3b/home":         false,
		"/static/.;/..;":                 false,
		"/static/%2e%2e%2fhome":          false,
		"/Static/a.css":                  false,
		"/%73ign-in":                     false,
		"/sign%2din":                     false,
		"/Sign-in":                       false,
		"/sign-in/":                      false,
		"//sign-in":                      false,
		"/./sign-in":                     false,
		"/x/../sign-in":                  false,
		"/sign-in%3freturn_to=x":         false,
		"/api/auth/%73ign-in":            false,
		"/api%2fauth%2fsign-in":          false,
		"/API/auth/sign-in":              false,
		"/api/auth//sign-in":             false,
	} {
		w := serve(h, request(target, "", fetched...))
		if got := w.StatusCode == 204; got != passes {
			t.Errorf("%s: status %d", target, w.StatusCode)
		}
	}
	r := request("/static/../home", "", fetched...)
	r.Method = http.MethodConnect // for which a mux does not clean paths
	if w := serve(h, r); w.StatusCode != 401 {
		t.Errorf("CONNECT passes: %d", w.StatusCode)
	}
	r = request("/news/1", "", fetched...)
	r.Method = http.MethodDelete
	if w := serve(h, r); w.StatusCode != 401 {
		t.Errorf("DELETE passes where only GET is excepted: %d", w.StatusCode)
	}
}

// TestGuardFaults: every fault is reported when the guard is made.
func TestGuardFaults(t *testing.T) {
	f := newFixture(t, nil, nil)
	for _, signIn := range []string{"sign-in", "//evil.test", "https://evil.test/", "/\\evil.test/"} {
		for _, require := range []func(GuardOptions) (*Guard, error){
			f.RequireUser,
			func(o GuardOptions) (*Guard, error) { return f.RequireGroup(o, "admins") },
			func(o GuardOptions) (*Guard, error) { return f.RequireScope(o, "openid") },
		} {
			g, err := require(GuardOptions{SignIn: signIn, Except: []string{"/{", "/static/", "/static/"}})
			var fields []string
			for _, fault := range amplify.ConfigErrors(err) {
				fields = append(fields, fault.Field)
			}
			if d := cmp.Diff([]string{"Guard.SignIn", "Guard.Except[0]", "Guard.Except[2]"}, fields); d != "" || g != nil {
				t.Errorf("%q (-want +got)\n%s", signIn, d)
			}
		}
	}
}

// TestArrival: browsers withhold SameSite=Strict cookies from the first request of a user who
// follows a link on another site.
func TestArrival(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))

	w := serve(h, request("/notes?id=1", "", fromAfar...))
	body, _ := io.ReadAll(w.Body)
	if targets := bodyTargets(string(body)); w.StatusCode != 200 || targets["link"] != "/notes?id=1" || targets["metaRefresh"] != "/notes?id=1" || targets["script"] == "" {
		t.Fatalf("%d %s", w.StatusCode, body)
	}
	if w.Header.Get("Cache-Control") != private {
		t.Errorf("Cache-Control %q", w.Header.Get("Cache-Control"))
	}
	mark := w.Cookies()[0]
	if mark.SameSite != http.SameSiteLaxMode || !mark.HttpOnly || !mark.Secure || mark.MaxAge > 60 {
		t.Errorf("cookie %v", mark)
	}

	// The page opens the same address from our own site: the cookies come along, or there are none.
	if w := serve(h, request("/notes?id=1", f.backend.Session("alice", time.Hour, nil), navigation...)); w.StatusCode != 204 {
		t.Errorf("status %d", w.StatusCode)
	}
	if w := serve(h, request("/notes?id=1", "", navigation...)); w.StatusCode != 303 {
		t.Errorf("status %d", w.StatusCode)
	}
	// A browser that goes on saying cross-site does not get the page again and again.
	if w := serve(h, request("/notes?id=1", mark.Name+"="+mark.Value, fromAfar...)); w.StatusCode != 303 {
		t.Errorf("status %d", w.StatusCode)
	}
	// But the next link does.
	if w := serve(h, request("/notes?id=2", mark.Name+"="+mark.Value, fromAfar...)); w.StatusCode != 200 {
		t.Errorf("status %d", w.StatusCode)
	}

	without := func(name, value string) []string {
		headers := append([]string{}, fromAfar...)
		for i := 0; i < len(headers); i += 2 {
			if headers[i] == name {
				headers[i+1] = value
			}
		}
		return headers
	}
	for name, r := range map[string]*http.Request{
		"same site": request("/", "", without("Sec-Fetch-Site", "same-origin")...),
		"frame":     request("/", "", without("Sec-Fetch-Dest", "iframe")...),
		"bad token": request("/", testPrefix+"alice.idToken=x", fromAfar...),
		"misread":   request("//evil.test", "", fromAfar...),
	} {
		if w := serve(h, r); w.StatusCode != 303 {
			t.Errorf("%s: status %d", name, w.StatusCode)
		}
	}
	post := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(""))
	post.Header = request("/", "", fromAfar...).Header
	if w := serve(h, post); w.StatusCode != 303 {
		t.Errorf("POST: status %d", w.StatusCode)
	}
	lax := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Cookies.SameSite = http.SameSiteLaxMode })
	if w := serve(lax.guarded(lax.RequireUser(GuardOptions{SignIn: "/sign-in"})), request("/", "", fromAfar...)); w.StatusCode != 303 {
		t.Errorf("SameSite=Lax: status %d", w.StatusCode)
	}
}

// TestReturnBehindStripPrefix: the address to return to is what the browser asked for,
// not what handlers see.
func TestReturnBehindStripPrefix(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := http.StripPrefix("/app", f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"})))
	w := serve(h, request("/app/notes", "", navigation...))
	u, _ := url.Parse(w.Header.Get("Location"))
	if got := u.Query().Get("return_to"); got != "/app/notes" {
		t.Errorf("return_to %q", got)
	}
}

// protected returns a page of 204 for requests that Protect lets pass.
func (f *fixture) protected() http.Handler {
	return f.adapter(func(_ *Exchange, r *http.Request) *Response {
		if refused := f.Protect(r); refused != nil {
			return refused
		}
		return &Response{Status: http.StatusNoContent}
	})
}

func TestProtect(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := f.protected()
	for name, tt := range map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"own form":           {"POST", []string{"Sec-Fetch-Site", "same-origin"}, 204},
		"own, by origin":     {"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://myapp.com"}, 204},
		"other site":         {"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test"}, 403},
		"other page":         {"POST", append([]string{"Origin", "https://evil.test"}, fromAfar...), 403},
		"sibling":            {"DELETE", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.myapp.com"}, 403},
		"old browser, other": {"POST", []string{"Origin", "https://evil.test"}, 403},
		"program":            {"POST", nil, 204},
		"reading":            {"GET", []string{"Sec-Fetch-Site", "cross-site"}, 204},
	} {
		r := request("/", "", tt.headers...)
		r.Method = tt.method
		if w := serve(h, r); w.StatusCode != tt.status {
			t.Errorf("%s: status %d", name, w.StatusCode)
		}
	}
}
