package frameworktest

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

func anonymous(a *app) {
	for _, test := range []struct {
		question
		status int
		text   string
		to     string // Location
	}{
		{question{path: "/"}, 200, "Welcome!", ""},
		{question{path: "/", header: navigation}, 200, "Welcome!", ""},
		{
			question{path: "/home", header: navigation}, 303, "",
			"/api/auth/sign-in?return_to=%2Fhome",
		},
		{question{path: "/home"}, 401, `"reason":"no_session"`, ""},
		{question{path: "/me"}, 401, `"reason":"no_session"`, ""},
		{question{path: "/me", header: navigation}, 401, "Please sign in", ""},
		{question{path: "/admin"}, 401, `"reason":"no_session"`, ""},
		{question{path: "/events"}, 401, `"reason":"no_session"`, ""},
		{question{method: "POST", path: "/note", form: "note=x"}, 401, `"reason":"no_session"`, ""},
		{question{path: "/nothing"}, 404, "", ""},
	} {
		got := a.ask(test.question)
		a.wants(test.question, got, test.status, test.text)
		if to := got.header.Get("Location"); to != test.to {
			a.Errorf("%s leads to %q, not %q", test.path, to, test.to)
		}
		kind := got.header.Get("Content-Type")
		if strings.Contains(test.text, "reason") && kind != "application/json" {
			a.Errorf("%s: Content-Type %q", test.path, kind)
		}
	}
}

func signedIn(a *app) {
	for _, test := range []struct {
		path   string
		user   amplifytest.User
		status int
		text   string
	}{
		{"/", alice, 200, "Hello, &lt;b&gt;Alice&lt;/b&gt; &amp; &#34;co&#34;!"},
		{"/home", alice, 200, "Hello, &lt;b&gt;Alice&lt;/b&gt; &amp; &#34;co&#34;!"},
		{"/home", bob, 200, "Hello, bob@example.com!"},
		{"/home", root, 200, "Hello, root!"},
		{"/admin", root, 200, "admins only"},
		{"/admin", bob, 403, `"reason":"missing_group"`},
	} {
		q := question{path: test.path, cookies: a.session(test.user)}
		got := a.ask(q)
		a.wants(q, got, test.status, test.text)
		kind := strings.ToLower(got.header.Get("Content-Type"))
		if strings.HasPrefix(test.text, "Hello") && kind != "text/html; charset=utf-8" {
			a.Errorf("%s: Content-Type %q", test.path, kind)
		}
		// Nobody's page is kept for somebody else.
		caching := strings.Join(got.header["Cache-Control"], "; ")
		if test.path != "/admin" && caching != "private, no-store" {
			a.Errorf("%s: Cache-Control %q", test.path, caching)
		}
	}
	a.isMe(a.session(alice), alice)
	if n := a.refreshes(); n != 0 {
		a.Errorf("%d refreshes", n)
	}
}

// identity is what /me answers.
type identity struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

// isMe asks /me, and expects a user, and a session that needs no refresh.
func (a *app) isMe(cookies string, u amplifytest.User) {
	a.Helper()
	q := question{path: "/me", cookies: cookies}
	got := a.ask(q)
	a.wants(q, got, 200, "")
	a.identifies(got, u)
}

func (a *app) identifies(got answer, u amplifytest.User) {
	a.Helper()
	var who identity
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&who); err != nil || who != (identity{u.Name, u.ID()}) {
		a.Errorf("/me answers status %d, %s, and not %s (%v)", got.status, got.body, u.Name, err)
	}
	if kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); kind != "application/json" {
		a.Errorf("/me: Content-Type %q", kind)
	}
}

func refusedSessions(a *app) {
	for reason, flaws := range map[string][]amplifytest.Flaw{
		"bad_signature":    {amplifytest.Forged},
		"wrong_client":     {amplifytest.OtherClient},
		"wrong_issuer":     {amplifytest.OtherPool},
		"refresh_rejected": {amplifytest.Expired, amplifytest.Revoked},
	} {
		cookies := a.session(root, flaws...)
		for _, path := range []string{"/home", "/me", "/admin", "/events"} {
			got := a.ask(question{path: path, cookies: cookies})
			if got.status != 401 || !strings.Contains(got.body, `"reason":"`+reason+`"`) {
				a.Errorf("%s with a session that has %s: status %d: %s",
					path, reason, got.status, got.body)
			}
		}
		got := a.ask(question{path: "/", cookies: cookies})
		if got.status != 200 || !strings.Contains(got.body, "Welcome!") {
			a.Errorf("/ with a session that has %s: status %d: %s", reason, got.status, got.body)
		}
	}
}

// refresh: whichever way a handler begins its answer, the cookies of a session that has just been
// refreshed are in it, once each, beside the handler's own.
func refresh(a *app) {
	for _, test := range []struct {
		question
		status int
		own    string // a cookie of the handler
	}{
		{question{path: "/"}, 200, ""},
		{question{path: "/home"}, 200, ""},
		{question{path: "/me"}, 200, ""},
		{question{path: "/admin"}, 200, ""},
		{question{path: "/events"}, 200, ""},
		{question{path: "/nothing"}, 404, ""},
		{question{method: "POST", path: "/note", form: "note=x"}, 303, "note"},
	} {
		before := a.refreshes()
		q := test.question
		q.cookies = a.session(root, amplifytest.Expired)
		got := a.ask(q)
		if got.status != test.status {
			a.Errorf("%s: status %d: %s", q.path, got.status, got.body)
		}
		if q.path == "/nothing" { // which nobody asks for a user
			a.wants(q, got, test.status, "")
			continue
		}
		cookies := a.refreshed(q, got, root, test.own)
		a.isMe(cookies, root)
		if n := a.refreshes() - before; n != 1 {
			a.Errorf("%s: %d refreshes", q.path, n)
		}
	}
}

// refreshed expects an answer to set the cookies of a user's new session, each once, and no others
// but the handler's own. It returns the Cookie header that the browser sends from then on.
func (a *app) refreshed(q question, got answer, u amplifytest.User, own ...string) string {
	a.Helper()
	prefix := sessionkey.Prefix(a.pool.Config().Auth.UserPoolClientID)
	jar := map[string]string{}
	for name, value := range cookie.Parse([]string{q.cookies}) {
		jar[name] = value
	}
	missing := map[string]bool{}
	for _, name := range own {
		missing[name] = name != ""
	}
	for _, key := range []string{sessionkey.AccessToken, sessionkey.IDToken} {
		missing[prefix+u.Name+"."+key] = true
	}
	seen := map[string]bool{}
	for _, line := range got.header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			a.Errorf("%s sets %q: %v", q.path, line, err)
			continue
		}
		if seen[c.Name] {
			a.Errorf("%s sets %s twice", q.path, c.Name)
		}
		seen[c.Name] = true
		if missing[c.Name] && c.Value == jar[c.Name] {
			a.Errorf("%s sets %s to what it was", q.path, c.Name)
		}
		if !slices.Contains(own, c.Name) {
			a.isSessionCookie(c, u)
		}
		delete(missing, c.Name)
		jar[c.Name] = c.Value
	}
	for name, still := range missing {
		if still {
			a.Errorf("%s does not set %s: %q", q.path, name, got.header["Set-Cookie"])
		}
	}
	if caching := strings.Join(got.header["Cache-Control"], "; "); caching != "private, no-store" {
		a.Errorf("%s sets cookies with Cache-Control %q", q.path, caching)
	}
	var pairs []string
	for name, value := range jar {
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "; ")
}

// isSessionCookie expects a cookie of a user's session, with the attributes of the runner.
func (a *app) isSessionCookie(c *http.Cookie, u amplifytest.User) {
	a.Helper()
	prefix := sessionkey.Prefix(a.pool.Config().Auth.UserPoolClientID)
	if c.Name != prefix+sessionkey.LastAuthUser && !strings.HasPrefix(c.Name, prefix+u.Name+".") {
		a.Errorf("cookie %s is not one of %s", c.Name, u.Name)
	}
	want := "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Strict"
	if !a.managedLogin { // scripts read it
		want = "Path=/; Max-Age=31536000; Secure; SameSite=Lax"
	}
	scope := http.Cookie{
		Name: "x", Domain: c.Domain, Path: c.Path, MaxAge: c.MaxAge,
		Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
	}
	if got := strings.TrimPrefix(scope.String(), "x=; "); got != want {
		a.Errorf("cookie %s has %s, want %s", c.Name, got, want)
	}
}

// outage: while Cognito is down nobody is signed out, and nobody is let in.
func outage(a *app) {
	valid, expired := a.session(root), a.session(root, amplifytest.Expired)
	a.isMe(valid, root)
	a.pool.SetOutage(amplifytest.Down)
	a.isMe(valid, root)
	for _, path := range []string{"/home", "/me", "/admin", "/events"} {
		q := question{path: path, cookies: expired}
		got := a.ask(q)
		a.wants(q, got, 503, `"error"`)
		if got.header.Get("Retry-After") == "" {
			a.Errorf("%s: no Retry-After", path)
		}
	}
	a.pool.SetOutage(amplifytest.NoOutage)
	a.pool.Advance(time.Minute)
	q := question{path: "/me", cookies: expired}
	a.refreshed(q, a.ask(q), root)
}

// managedLogin: a user signs in by way of a guard, stays signed in, and signs out.
func managedLogin(a *app) {
	browser := a.pool.Browser(&httputil.ReverseProxy{
		Transport: a.client.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", a.address
			r.Out.Host = r.In.Host
		},
	}, alice)
	for _, step := range []struct {
		path  string
		later time.Duration
		at    string
		text  string
	}{
		{"/", 0, "/", "Welcome!"},
		{"/home", 0, "/home", "Hello, &lt;b&gt;Alice"},
		{"/", 0, "/", "Hello, &lt;b&gt;Alice"},
		{"/me", 2 * time.Hour, "/me", `"username":"alice"`},
		{"/me", 0, "/me", `"username":"alice"`},
		{"/api/auth/sign-out", 0, "/api/auth/signed-out", "signed out"},
		{"/", 0, "/", "Welcome!"},
		{"/api/auth/sign-in", 0, "/home", "Hello, &lt;b&gt;Alice"},
	} {
		a.pool.Advance(step.later)
		response, err := browser.Get(a.pool.Origin() + step.path)
		if err != nil {
			a.Fatal(err)
		}
		got := a.read(response)
		at := response.Request.URL.Path
		if at != step.at || got.status != 200 || !strings.Contains(got.body, step.text) {
			a.Errorf("%s leads to %s, status %d, want %s with %q:\n%s",
				step.path, at, got.status, step.at, step.text, got.body)
		}
	}
	calls := a.pool.Calls()
	if calls["/oauth2/token"] != 2 || a.refreshes() != 1 || calls["/oauth2/revoke"] != 1 {
		a.Errorf("calls %v", calls)
	}
}

// amplifyJS: in an application without an origin, scripts start the session and read its cookies.
func amplifyJS(a *app) {
	a.isMe(a.session(alice), alice)
	for _, path := range []string{"/home", "/events"} {
		q := question{path: path, cookies: a.session(alice, amplifytest.Expired)}
		a.isMe(a.refreshed(q, a.ask(q), alice), alice)
	}
	for _, path := range []string{"/api/auth/sign-in", "/api/auth/sign-out"} {
		q := question{path: path}
		a.wants(q, a.ask(q), 404, "")
	}
}
