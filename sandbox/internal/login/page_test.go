package login

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// checkHTML reads a page as a browser without script would, and reports what is wrong with it:
// elements that are not closed, anything that runs code or brings style along, inputs without a
// label, forms that lack the token.
func checkHTML(t *testing.T, body, lang string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var ids, labels, inputs, described, headings []string
	post, tokens := 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		name, attr := el.Name.Local, map[string]string{}
		for _, a := range el.Attr {
			if _, twice := attr[a.Name.Local]; twice {
				t.Errorf("<%s> has %s twice", name, a.Name.Local)
			}
			attr[a.Name.Local] = a.Value
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Value)), "javascript:") {
				t.Errorf("<%s> has %s=%q", name, a.Name.Local, a.Value)
			}
		}
		if id := attr["id"]; id != "" {
			ids = append(ids, id)
		}
		switch name {
		case "script", "style", "iframe", "object", "embed", "base":
			t.Errorf("the page has a <%s>", name)
		case "html":
			if attr["lang"] != lang {
				t.Errorf("lang=%q, want %q", attr["lang"], lang)
			}
		case "h1":
			headings = append(headings, name)
		case "label":
			labels = append(labels, attr["for"])
		case "form":
			if strings.EqualFold(attr["method"], "post") {
				post++
			}
			if !strings.HasPrefix(attr["action"], "/") {
				t.Errorf("a form goes to %q", attr["action"])
			}
		case "input":
			if attr["name"] == "csrf" && len(attr["value"]) == 43 {
				tokens++
			}
			if attr["type"] != "hidden" {
				inputs = append(inputs, attr["id"])
			}
			if attr["type"] == "password" && attr["value"] != "" {
				t.Error("a password in the page")
			}
			if by := attr["aria-describedby"]; by != "" {
				described = append(described, by)
			}
		}
	}
	if len(headings) != 1 {
		t.Errorf("%d headings of the first rank", len(headings))
	}
	if post != tokens {
		t.Errorf("%d forms, %d with the token", post, tokens)
	}
	for _, id := range inputs {
		if !slices.Contains(labels, id) {
			t.Errorf("input %q has no label", id)
		}
	}
	for _, id := range described {
		if !slices.Contains(ids, id) {
			t.Errorf("no element %q describes the input", id)
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("an id occurs twice: %v", ids)
	}
	if !strings.HasPrefix(body, "<!doctype html>") {
		t.Error("no doctype")
	}
}

var titlePattern = regexp.MustCompile(`<title>([^<]+)</title>`)

func TestEveryPageInEveryLanguage(t *testing.T) {
	s := newSandbox(t)
	for _, lang := range languages {
		b := s.browser()
		user := lang + "@example.com"
		titles := map[string]bool{}
		see := func(name string, p *page) *page {
			t.Helper()
			t.Run(lang+"/"+name, func(t *testing.T) {
				checkHTML(t, p.Body, lang)
				if h := p.Header; h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("headers: %v", h)
				}
				m := titlePattern.FindStringSubmatch(p.Body)
				if m == nil || strings.Contains(p.Body, "%!") {
					t.Errorf("no title, or a text with an argument that is missing:\n%s", p.Body)
				} else {
					titles[m[1]] = true
				}
			})
			return p
		}
		q := authorizeQuery("lang", lang)
		see("sign in", b.get("/login?"+q))
		q = authorizeQuery() // from here on the cookie keeps the language
		p := see("sign up", b.get("/signup?"+q))
		see("sign up refused", b.submit(p, "/signup", map[string]string{"username": user, "password": "weak", "password2": "weak"}))
		p = see("confirm", b.submit(p, "/signup", map[string]string{"username": user, "password": goodPassword, "password2": goodPassword}))
		see("confirm refused", b.submit(p, "/confirm", map[string]string{"code": "1"}))
		see("code sent again", b.submit(p, "/resendcode", nil))
		see("confirm by itself", s.browser().get("/confirm?"+authorizeQuery("lang", lang)))
		b.submit(p, "/confirm", map[string]string{"code": s.message(user)}).code(t)

		p = see("forgot", b.get("/forgotPassword?"+q))
		see("reset", b.submit(p, "/forgotPassword", map[string]string{"username": user}))
		see("reset by itself", s.browser().get("/confirmForgotPassword?"+authorizeQuery("lang", lang)))
		p = see("pretend", b.get("/pretend/Google?"+q))
		see("pretend refused", b.submit(p, "/pretend/", map[string]string{"name": "x", "email": "no address"}))

		if _, err := s.pool.CreateUser(t.Context(), userpool.CreateUserInput{Username: "new-" + user, TemporaryPassword: "Temporary-1", Attributes: map[string]string{"email": "new-" + user}}); err != nil {
			t.Fatal(err)
		}
		p = b.get("/login?" + authorizeQuery("prompt", "login"))
		p = see("new password", b.submit(p, "/login", map[string]string{"username": "new-" + user, "password": "Temporary-1"}))
		see("new password refused", b.submit(p, "/newPassword", map[string]string{"password": "weak", "password2": "weak"}))
		b.submit(p, "/newPassword", map[string]string{"password": goodPassword, "password2": goodPassword}).code(t)

		see("problem", b.get("/login?client_id=x&redirect_uri=y"))
		see("no page", b.get("/nothing"))
		see("no page of a sign-in", b.get("/resendcode?"+q))
		see("refused form", b.postForm(s.URL+"/login?"+q, url.Values{"username": {user}, "password": {goodPassword}}))
		if len(titles) < 7 {
			t.Errorf("%s: titles %v", lang, titles)
		}
	}
	if s.log.Len() > 0 {
		t.Errorf("logged: %s", s.log)
	}
}

func TestLanguage(t *testing.T) {
	s := newSandbox(t)
	b := s.browser()
	accept := func(path string) string {
		req, _ := http.NewRequest("GET", s.URL+path, nil)
		req.Header.Set("Accept-Language", "de")
		m := regexp.MustCompile(`<html lang="([^"]*)">`).FindStringSubmatch(b.do(req).Body)
		if m == nil {
			t.Fatal("no language")
		}
		return m[1]
	}
	for _, c := range []struct{ name, lang, want string }{
		{"nothing asked for", "", "en"},
		{"unknown", "tlh", "en"},
		{"French", "fr", "fr"},
		{"kept", "", "fr"},
		{"another", "ja", "ja"},
		{"unknown after that", "xx", "ja"},
	} {
		if got := accept("/login?" + authorizeQuery("lang", c.lang)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	p := b.get("/login?" + authorizeQuery("login_hint", "x&y"))
	for _, tag := range languages {
		want := `href="/login?` + authorizeQuery("lang", tag, "login_hint", "x&y") + `"`
		if !strings.Contains(unescape(p.Body), want) {
			t.Errorf("no link %s", want)
		}
	}
}

// Unknown addresses have a way back: into the sign-in that they belong to, and to the console.
func TestNotFound(t *testing.T) {
	s := newSandbox(t)
	for path, again := range map[string]string{
		"/nothing": "", "/login/x": "",
		"/resendcode?" + authorizeQuery():                                          "/login?" + authorizeQuery(),
		"/nothing?" + authorizeQuery("redirect_uri", "https://elsewhere.example/"): "",
	} {
		p := s.browser().get(path)
		var links []string
		_, main, _ := strings.Cut(p.Body, "<main>")
		main, _, _ = strings.Cut(main, "</main>")
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(main, -1) {
			links = append(links, unescape(m[1]))
		}
		want := []string{"/console"}
		if again != "" {
			want = []string{again, "/console"}
		}
		if p.StatusCode != http.StatusNotFound || !slices.Equal(links, want) {
			t.Errorf("%s: %s, links %q, want %q", path, p.Status, links, want)
		}
	}
}

// A page that says where a code went, with the address mostly hidden, does not show
// the address beside it. A username that is no address is shown.
func TestHiddenAddressesStayHidden(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*userpool.Config)
		fields map[string]string
		shown  bool
	}{
		{"e-mail", func(*userpool.Config) {}, map[string]string{"username": ada}, false},
		{"username", func(c *userpool.Config) { c.UsernameAttributes = nil },
			map[string]string{"username": "countess", "attribute.email": ada}, true},
		{"phone number", func(c *userpool.Config) {
			c.UsernameAttributes, c.RequiredAttributes = []string{"phone_number"}, nil
			c.VerifiedAttributes = []string{"phone_number"}
		}, map[string]string{"username": "+33612345678"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t, c.change)
			b := s.browser()
			see := func(what string, p *page) {
				t.Helper()
				text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(p.Body, " ")
				if !strings.Contains(text, "We sent a code to") {
					t.Errorf("%s does not say where the code went:\n%s", what, text)
				}
				for name, value := range c.fields {
					want := c.shown && name == "username"
					if strings.Contains(text, value) != want {
						t.Errorf("%s: %s is shown: %v\n%s", what, value, !want, text)
					}
				}
			}
			fields := map[string]string{"password": goodPassword, "password2": goodPassword}
			maps.Copy(fields, c.fields)
			form := b.get("/signup?" + authorizeQuery())
			see("confirm", b.submit(form, "/signup", fields))
			username := c.fields["username"]
			if err := s.pool.Confirm(t.Context(), username); err != nil {
				t.Fatal(err)
			}
			verified := map[string]string{"email_verified": "true"}
			if c.fields["attribute.email"] == "" && strings.HasPrefix(username, "+") {
				verified = map[string]string{"phone_number_verified": "true"}
			}
			if err := s.pool.SetAttributes(t.Context(), username, verified); err != nil {
				t.Fatal(err)
			}
			form = b.get("/forgotPassword?" + authorizeQuery())
			fields = map[string]string{"username": username}
			see("reset", b.submit(form, "/forgotPassword", fields))
		})
	}
}

// Whatever a request or a user brings along stays text.
func TestHostileText(t *testing.T) {
	s := newSandbox(t)
	const hostile = `"><script>alert(1)</script><a href='javascript:x'>&lt;`
	b := s.browser()
	p := b.get("/login?" + authorizeQuery("state", hostile, "login_hint", hostile, "nonce", hostile))
	checkHTML(t, p.Body, "en")
	if !strings.Contains(p.Body, `value="&#34;&gt;&lt;script&gt;`) {
		t.Errorf("the hint is not in the form:\n%s", p.Body)
	}
	p = b.submit(p, "/login", map[string]string{"username": hostile, "password": "x"})
	checkHTML(t, p.Body, "en")
	for _, query := range []string{
		authorizeQuery("client_id", hostile), authorizeQuery("redirect_uri", hostile), "lang=" + url.QueryEscape(hostile), authorizeQuery("lang", hostile),
	} {
		checkHTML(t, b.get("/login?"+query).Body, "en")
		checkHTML(t, b.get("/logout?"+query+"&logout_uri="+url.QueryEscape(hostile)).Body, "en")
	}
	// The state goes back to the application as it came.
	p = b.get("/pretend/Google?" + authorizeQuery("state", hostile))
	p = b.submit(p, "/pretend/", map[string]string{"name": hostile, "email": ada})
	if got := p.Left.Query().Get("state"); got != hostile {
		t.Errorf("state %q", got)
	}
	p.code(t)
}

func TestFormsOfOtherSitesDoNothing(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	values := url.Values{"username": {ada}, "password": {goodPassword}, "password2": {goodPassword}, "email": {ada}, "name": {"Ada"}, "code": {"123456"}}
	for _, path := range []string{"/login", "/signup", "/confirm", "/resendcode", "/forgotPassword", "/confirmForgotPassword", "/newPassword", "/pretend/Google"} {
		b := s.browser()
		b.get("/login?" + authorizeQuery())
		refused := func(name string, p *page) {
			t.Helper()
			if p.StatusCode != http.StatusForbidden || p.Left != nil {
				t.Errorf("%s, %s: %s %v", path, name, p.Status, p.Left)
			}
			for _, c := range p.Cookies() {
				if c.Name == sessionCookie || c.Name == flowCookie {
					t.Errorf("%s, %s: got the cookie %s", path, name, c.Name)
				}
			}
		}
		refused("no token", b.postForm(s.URL+path+"?"+authorizeQuery(), values))
		with := url.Values{"csrf": {b.cookie("sandbox_csrf")}}
		for k, v := range values {
			with[k] = v
		}
		req, _ := http.NewRequest("POST", s.URL+path+"?"+authorizeQuery(), strings.NewReader(with.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		refused("another site", b.do(req))
	}
}

// A client that offers other providers only has no users of the pool itself, also not for those who
// know the addresses of the pages.
func TestOwnUsersNeedTheClientsConsent(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	b := s.browser()
	p := b.get("/login?" + authorizeQuery())
	social := authorizeQuery("client_id", socialClient, "scope", "openid")
	form := url.Values{"csrf": {b.cookie("sandbox_csrf")}, "username": {ada}, "password": {goodPassword}, "password2": {goodPassword}}
	for _, path := range []string{"/login", "/signup", "/confirm", "/resendcode", "/forgotPassword", "/confirmForgotPassword", "/newPassword"} {
		p = b.postForm(s.URL+path+"?"+social, form)
		if p.Left == nil || p.Left.Query().Get("error") != "unauthorized_client" {
			t.Errorf("%s: %s %v", path, p.Status, p.Left)
		}
	}
	if p = b.get("/login?" + social); strings.Contains(p.Body, "password") || !strings.Contains(p.Body, `data-provider="Google"`) {
		t.Errorf("the sign-in page:\n%s", p.Body)
	}
}

// HEAD must not do what GET does.
func TestHead(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	b := s.browser()
	b.signIn(authorizeQuery(), ada, goodPassword).code(t)
	for _, path := range []string{"/oauth2/authorize?" + authorizeQuery(), "/login?" + authorizeQuery(),
		"/logout?" + url.Values{"client_id": {publicClient}, "logout_uri": {signOutURL}}.Encode()} {
		req, _ := http.NewRequest("HEAD", s.URL+path, nil)
		if p := b.do(req); p.StatusCode != http.StatusMethodNotAllowed || p.Left != nil || len(p.Cookies()) > 0 {
			t.Errorf("HEAD %s: %s %v %v", path, p.Status, p.Left, p.Cookies())
		}
	}
	b.get("/oauth2/authorize?" + authorizeQuery()).code(t)
}

func TestCookies(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	b := s.browser()
	p := b.get("/login?" + authorizeQuery("lang", "en"))
	p = b.submit(p, "/login", map[string]string{"username": ada, "password": goodPassword})
	first := b.cookie(sessionCookie)
	for _, c := range p.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s", c)
		}
		if c.Name == sessionCookie && c.MaxAge != 3600 {
			t.Errorf("the session lasts %d s", c.MaxAge)
		}
	}
	if strings.Contains(first, ada) || len(first) != 43 {
		t.Errorf("the session's key is %d characters", len(first))
	}
	// A planted key never becomes a session.
	b.signIn(authorizeQuery("prompt", "login"), ada, goodPassword).code(t)
	if b.cookie(sessionCookie) == first {
		t.Error("a sign-in kept the session's key")
	}
	req, _ := http.NewRequest("GET", s.URL+"/oauth2/authorize?"+authorizeQuery("prompt", "none"), nil)
	req.AddCookie(&http.Cookie{Name: sessionCookie, Value: first})
	if p := s.browser().do(req); p.Left.Query().Get("error") != "login_required" {
		t.Error("a sign-in left the previous session behind")
	}
}

// A sign-in in progress belongs to the client for which it was begun.
func TestFlowBelongsToItsClient(t *testing.T) {
	s := newSandbox(t)
	b := s.browser()
	p := b.get("/signup?" + authorizeQuery())
	b.submit(p, "/signup", map[string]string{"username": ada, "password": goodPassword, "password2": goodPassword})
	other := b.get("/confirm?" + authorizeQuery("client_id", secretClient))
	if strings.Contains(other.Body, ada) {
		t.Error("another client's page shows the user")
	}
	p = b.submit(other, "/confirm", map[string]string{"username": ada, "code": s.message(ada)})
	if p.Left != nil || p.Request.URL.Path != "/login" || !strings.Contains(p.Body, "Your account is confirmed") {
		t.Errorf("confirmed at another client: %s at %s, %v", p.Status, p.Request.URL.Path, p.Left)
	}
}

func TestPasswordResetRequired(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	if err := s.pool.ResetPassword(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	p := b.signIn(authorizeQuery(), ada, goodPassword)
	if p.Request.URL.Path == "/login" {
		// The pool may have forgotten the password altogether, and says no more than that.
		if p.alert() == "" {
			t.Fatalf("nothing was said:\n%s", p.Body)
		}
		p = b.submit(b.get("/forgotPassword?"+authorizeQuery()), "/forgotPassword", map[string]string{"username": ada})
	}
	p = b.submit(p, "/confirmForgotPassword", map[string]string{"code": s.message(ada), "password": "Another-one-9", "password2": "Another-one-9"})
	if p.Request.URL.Path != "/login" || p.alert() != "" {
		t.Fatalf("at %s: %q", p.Request.URL.Path, p.alert())
	}
	b.submit(p, "/login", map[string]string{"username": ada, "password": "Another-one-9"}).code(t)
}

// Pools differ in what users sign in with and what sign-up asks for.
func TestFieldsFollowThePool(t *testing.T) {
	for _, c := range []struct {
		name       string
		change     func(*userpool.Config)
		label      string
		attributes []string
	}{
		{"username", func(c *userpool.Config) { c.UsernameAttributes = nil }, "Username", []string{"email"}},
		{"e-mail", func(*userpool.Config) {}, "Email address", nil},
		{"phone", func(c *userpool.Config) {
			c.UsernameAttributes, c.RequiredAttributes, c.VerifiedAttributes = []string{"phone_number"}, []string{"phone_number", "birthdate", "name"}, []string{"phone_number"}
		}, "Phone number", []string{"birthdate", "name"}},
		{"both", func(c *userpool.Config) { c.UsernameAttributes = []string{"email", "phone_number"} }, "Email address or phone number", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t, c.change)
			p := s.browser().get("/signup?" + authorizeQuery())
			checkHTML(t, p.Body, "en")
			if !strings.Contains(p.Body, `<label for="username">`+c.label+`</label>`) {
				t.Errorf("no field %q", c.label)
			}
			for _, a := range []string{"email", "phone_number", "birthdate", "name"} {
				if got := strings.Contains(p.Body, `name="attribute.`+a+`"`); got != slices.Contains(c.attributes, a) {
					t.Errorf("asks for %s: %v", a, got)
				}
			}
		})
	}
}

// What breaks is logged without secrets, and neither page nor answer says more than that it broke.
func TestFailure(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	b := s.browser()
	p := b.get("/login?" + authorizeQuery())
	code := b.submit(p, "/login", map[string]string{"username": ada, "password": goodPassword}).code(t)
	secrets := []string{goodPassword, code, verifier, clientSecret, b.cookie(sessionCookie), b.cookie("sandbox_csrf")}
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, p := range []*page{
		b.get("/oauth2/authorize?" + authorizeQuery()),
		b.submit(p, "/login", map[string]string{"username": ada, "password": goodPassword}),
	} {
		if p.StatusCode != http.StatusInternalServerError || p.Left != nil {
			t.Errorf("%s %v", p.Status, p.Left)
		}
		checkHTML(t, p.Body, "en")
		said += p.Body
	}
	a := s.call("/oauth2/token", exchangeForm(code, "client_id", secretClient, "client_secret", clientSecret))
	if a.Status != http.StatusInternalServerError || a.Error != "server_error" || a.AccessToken != "" {
		t.Errorf("token endpoint: %d %s", a.Status, a.Error)
	}
	if strings.Count(s.log.String(), "managed login failed") != 3 {
		t.Errorf("logged %q", s.log)
	}
	if strings.Contains(said, "sql") {
		t.Errorf("a page tells of the database:\n%s", said)
	}
	for _, secret := range secrets {
		if strings.Contains(s.log.String(), secret) {
			t.Error("a secret in the log")
		}
	}
}
