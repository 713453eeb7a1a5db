package login

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

const ada = "ada@example.com"

// message returns the code of the newest message to an address.
func (s *sandbox) message(to string) string {
	s.t.Helper()
	messages, err := s.pool.Messages(s.t.Context(), 50)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range messages {
		if m.To == to {
			return m.Code
		}
	}
	s.t.Fatalf("no message to %s", to)
	return ""
}

// register makes a confirmed user.
func (s *sandbox) register(email string) *userpool.User {
	s.t.Helper()
	u, _, err := s.pool.SignUp(s.t.Context(), userpool.SignUpInput{
		ClientID: publicClient, Username: email, Password: goodPassword, Attributes: map[string]string{"email": email}})
	if err == nil {
		err = s.pool.ConfirmSignUp(s.t.Context(), publicClient, email, s.message(email))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// signIn signs in on the sign-in page and returns where it leads.
func (b *browser) signIn(query, username, password string) *page {
	b.t.Helper()
	p := b.get("/oauth2/authorize?" + query)
	return b.submit(p, "/login", map[string]string{"username": username, "password": password})
}

// code is the authorization code that a page hands to the application.
func (p *page) code(t testing.TB) string {
	t.Helper()
	if p.Left == nil || p.Left.Query().Get("code") == "" {
		t.Fatalf("no code: %s %v\n%s", p.Status, p.Left, p.alert())
	}
	return p.Left.Query().Get("code")
}

type tokenAnswer struct {
	Status       int
	Header       http.Header
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

// call posts a form to an endpoint as an application does, without cookies.
func (s *sandbox) call(path string, form url.Values, change ...func(*http.Request)) tokenAnswer {
	s.t.Helper()
	req, err := http.NewRequest("POST", s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(req)
	}
	res, err := s.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	a := tokenAnswer{Status: res.StatusCode, Header: res.Header}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil && res.ContentLength != 0 {
		s.t.Fatal(err)
	}
	return a
}

// exchange is the form that exchanges a code, with pairs of changes.
func exchangeForm(code string, changes ...string) url.Values {
	f := url.Values{"grant_type": {"authorization_code"}, "client_id": {publicClient}, "code": {code},
		"redirect_uri": {callback}, "code_verifier": {verifier}}
	for i := 0; i < len(changes); i += 2 {
		if f.Del(changes[i]); changes[i+1] != "" {
			f.Set(changes[i], changes[i+1])
		}
	}
	return f
}

// claims decodes the payload of a token without looking at its signature.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSignUpConfirmAndExchange(t *testing.T) {
	s := newSandbox(t)
	b := s.browser()
	p := b.get("/signup?" + authorizeQuery("nonce", "a-nonce"))
	p = b.submit(p, "/signup", map[string]string{"username": ada, "password": goodPassword, "password2": goodPassword})
	if !strings.HasPrefix(p.Request.URL.Path, "/confirm") {
		t.Fatalf("after sign-up at %s: %s", p.Request.URL, p.alert())
	}
	if strings.Contains(p.Request.URL.RawQuery, ada) {
		t.Error("the address of the page names the user")
	}
	if got := b.submit(p, "/confirm", map[string]string{"code": "000000"}); !strings.Contains(got.alert(), "not right") {
		t.Errorf("a wrong code says %q", got.alert())
	}
	code := s.message(ada)
	p = b.submit(p, "/confirm", map[string]string{"code": " " + code[:3] + " " + code[3:]})
	if got := p.Left.String(); !strings.HasPrefix(got, callback+"?") || p.Left.Query().Get("state") != "a-state" {
		t.Fatalf("left for %s", got)
	}

	a := s.call("/oauth2/token", exchangeForm(p.code(t)))
	if a.Status != 200 || a.TokenType != "Bearer" || a.ExpiresIn != 3600 || a.RefreshToken == "" {
		t.Fatalf("token endpoint: %+v", a)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %q", got)
	}
	id := claims(t, a.IDToken)
	if id["nonce"] != "a-nonce" || id["email"] != ada || id["aud"] != publicClient {
		t.Errorf("ID token: %v", id)
	}
	if got := claims(t, a.AccessToken)["scope"]; got != "openid email" {
		t.Errorf("scope of the access token: %v", got)
	}
}

func TestSignInErrors(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	for _, c := range []struct{ name, username, password, lang, want string }{
		{"wrong password", ada, "Wrong-password-1", "en", "Incorrect username or password."},
		{"unknown user", "nobody@example.com", goodPassword, "en", "Incorrect username or password."},
		{"in French", ada, "Wrong-password-1", "fr", "Nom d’utilisateur ou mot de passe incorrect."},
		{"nothing entered", "", "", "en", "Fill in every field."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := s.browser().signIn(authorizeQuery("lang", c.lang), c.username, c.password)
			if p.StatusCode != http.StatusUnprocessableEntity || p.alert() != c.want {
				t.Errorf("%s: %q, want %q", p.Status, p.alert(), c.want)
			}
			if c.password != "" && strings.Contains(p.Body, c.password) {
				t.Error("the page contains the password")
			}
			if c.username != "" && !strings.Contains(p.Body, `value="`+c.username+`"`) {
				t.Error("the page forgot the username")
			}
		})
	}
}

// TestLockout: the page says that a sign-in was refused for wrong passwords
// before it, for users and unknown names alike.
func TestLockout(t *testing.T) {
	now := time.Now()
	s := newSandbox(t, func(c *userpool.Config) { c.Clock = func() time.Time { return now } })
	s.register(ada)
	for _, username := range []string{ada, "nobody@example.com"} {
		for range 5 {
			s.browser().signIn(authorizeQuery(), username, "Wrong-password-1")
		}
		for lang, want := range map[string]string{
			"en": "Too many wrong passwords. Wait a moment and try again.",
			"fr": "Trop de mots de passe incorrects. Attendez un moment et réessayez.",
			"de": "Zu viele falsche Passwörter. " +
				"Warten Sie einen Moment und versuchen Sie es noch einmal.",
			"es": "Demasiadas contraseñas incorrectas. Espera un momento e inténtalo de nuevo.",
			"ja": "パスワードの誤りが多すぎます。しばらく待ってからもう一度お試しください。",
		} {
			p := s.browser().signIn(authorizeQuery("lang", lang), username, goodPassword)
			if p.StatusCode != http.StatusUnprocessableEntity || p.alert() != want {
				t.Errorf("%s in %s: %s %q", username, lang, p.Status, p.alert())
			}
		}
	}
}

func TestUnconfirmedUserIsAskedForTheCode(t *testing.T) {
	s := newSandbox(t)
	if _, _, err := s.pool.SignUp(t.Context(), userpool.SignUpInput{ClientID: publicClient, Username: ada, Password: goodPassword, Attributes: map[string]string{"email": ada}}); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	p := b.signIn(authorizeQuery(), ada, goodPassword)
	if p.Request.URL.Path != "/confirm" || !strings.Contains(p.alert(), "not been confirmed") {
		t.Fatalf("at %s: %q", p.Request.URL.Path, p.alert())
	}
	before := s.message(ada)
	p = b.submit(p, "/resendcode", nil)
	if !strings.Contains(p.Body, "We sent a new code.") {
		t.Errorf("no notice of the new code: %s", p.Body)
	}
	if s.message(ada) == before {
		t.Error("no new code")
	}
	b.submit(p, "/confirm", map[string]string{"code": s.message(ada)}).code(t)
}

func TestForgottenPassword(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	b := s.browser()
	p := b.get("/forgotPassword?" + authorizeQuery())
	p = b.submit(p, "/forgotPassword", map[string]string{"username": ada})
	if p.Request.URL.Path != "/confirmForgotPassword" || !strings.Contains(p.Body, "We sent a code to a***@e***") {
		t.Fatalf("at %s\n%s", p.Request.URL.Path, p.Body)
	}
	code := s.message(ada)
	for _, c := range []struct {
		name   string
		values map[string]string
		want   string
	}{
		{"wrong code", map[string]string{"code": "000000", "password": "Another-one-9", "password2": "Another-one-9"}, "This code is not right."},
		{"weak password", map[string]string{"code": code, "password": "weak", "password2": "weak"}, "does not follow the rules"},
		{"passwords differ", map[string]string{"code": code, "password": "Another-one-9", "password2": "Another-one-8"}, "not the same"},
	} {
		if got := b.submit(p, "/confirmForgotPassword", c.values); !strings.Contains(got.alert(), c.want) {
			t.Errorf("%s: %q", c.name, got.alert())
		}
	}
	p = b.submit(p, "/confirmForgotPassword", map[string]string{"code": s.message(ada), "password": "Another-one-9", "password2": "Another-one-9"})
	if p.Request.URL.Path != "/login" || !strings.Contains(p.Body, "Your password has been changed") {
		t.Fatalf("at %s: %q", p.Request.URL.Path, p.alert())
	}
	if !strings.Contains(p.Body, `value="`+ada+`"`) {
		t.Error("the sign-in page forgot who it was")
	}
	b.submit(p, "/login", map[string]string{"username": ada, "password": "Another-one-9"}).code(t)
	if p := b.get("/login?" + authorizeQuery("prompt", "login")); strings.Contains(p.Body, "Your password has been changed") {
		t.Error("the notice outlives the sign-in")
	}
}

func TestLoginSession(t *testing.T) {
	s := newSandbox(t)
	user := s.register(ada)
	b := s.browser()
	b.signIn(authorizeQuery(), ada, goodPassword).code(t)

	b.get("/oauth2/authorize?" + authorizeQuery("state", "another")).code(t)
	b.get("/login?" + authorizeQuery()).code(t)
	b.get("/oauth2/authorize?" + authorizeQuery("prompt", "none")).code(t)
	b.get("/oauth2/authorize?" + authorizeQuery("client_id", secretClient)).code(t)

	if p := b.get("/oauth2/authorize?" + authorizeQuery("prompt", "login")); p.StatusCode != 200 {
		t.Errorf("prompt=login: %s", p.Status)
	}
	if p := b.get("/oauth2/authorize?" + authorizeQuery("identity_provider", "Google")); p.StatusCode != 200 || p.Request.URL.Path != "/pretend/Google" {
		t.Errorf("another provider: %s at %s", p.Status, p.Request.URL.Path)
	}
	if p := b.get("/oauth2/authorize?" + authorizeQuery("client_id", socialClient, "scope", "openid")); p.StatusCode != 200 {
		t.Errorf("a client without users of the pool: %s", p.Status)
	}
	if p := s.browser().get("/oauth2/authorize?" + authorizeQuery("prompt", "none")); p.Left.Query().Get("error") != "login_required" || p.Left.Query().Get("state") != "a-state" {
		t.Errorf("prompt=none without a session: %v", p.Left)
	}

	s.clock.Advance(59 * time.Minute)
	b.get("/oauth2/authorize?" + authorizeQuery()).code(t)
	s.clock.Advance(2 * time.Minute)
	if p := b.get("/oauth2/authorize?" + authorizeQuery()); p.StatusCode != 200 {
		t.Errorf("after an hour: %s", p.Status)
	}

	b.signIn(authorizeQuery(), ada, goodPassword).code(t)
	if err := s.pool.SetEnabled(t.Context(), ada, false); err != nil {
		t.Fatal(err)
	}
	if p := b.get("/oauth2/authorize?" + authorizeQuery()); p.StatusCode != 200 {
		t.Errorf("a disabled user: %s", p.Status)
	}
	if err := s.pool.SetEnabled(t.Context(), ada, true); err != nil {
		t.Fatal(err)
	}
	b.get("/oauth2/authorize?" + authorizeQuery()).code(t)
	if err := s.pool.DeleteUser(t.Context(), user.Sub); err != nil {
		t.Fatal(err)
	}
	if p := b.get("/oauth2/authorize?" + authorizeQuery()); p.StatusCode != 200 {
		t.Errorf("a deleted user: %s", p.Status)
	}
}

func TestPretendProvider(t *testing.T) {
	s := newSandbox(t)
	b := s.browser()
	p := b.get("/oauth2/authorize?" + authorizeQuery("identity_provider", "Google", "nonce", "n"))
	if p.Request.URL.Path != "/pretend/Google" || !strings.Contains(p.Body, "This is not Google") {
		t.Fatalf("at %s", p.Request.URL)
	}
	if got := b.submit(p, "/pretend/", map[string]string{"name": "", "email": ""}).alert(); got != "Fill in every field." {
		t.Errorf("nobody: %q", got)
	}
	if got := b.submit(p, "/pretend/", map[string]string{"cancel": "1"}).Left.Query(); got.Get("error") != "access_denied" || got.Get("state") != "a-state" {
		t.Errorf("cancel: %v", got)
	}
	p = b.submit(p, "/pretend/", map[string]string{"name": "Ada Lovelace", "email": ada})
	id := claims(t, s.call("/oauth2/token", exchangeForm(p.code(t))).IDToken)
	if !strings.HasPrefix(id["cognito:username"].(string), "google_") && !strings.HasPrefix(id["cognito:username"].(string), "Google_") || id["email"] != ada {
		t.Errorf("ID token: %v", id)
	}
	// The session came from Google, and is resumed where that is asked for or nothing is.
	b.get("/oauth2/authorize?" + authorizeQuery("identity_provider", "Google")).code(t)
	b.get("/oauth2/authorize?" + authorizeQuery()).code(t)
	if p := b.get("/oauth2/authorize?" + authorizeQuery("identity_provider", "Facebook")); p.Request.URL.Path != "/pretend/Facebook" {
		t.Errorf("at %s", p.Request.URL.Path)
	}
	for name, client := range map[string]string{"COGNITO": publicClient, "Facebook": socialClient, "Nobody": publicClient} {
		p := b.get("/pretend/" + name + "?" + authorizeQuery("client_id", client, "scope", "openid"))
		if p.Left == nil || p.Left.Query().Get("error") != "invalid_request" {
			t.Errorf("%s, which the client does not offer: %s", name, p.Status)
		}
	}
}

// TestErrorPage: requests that no redirect URI vouches for end on a page, which is where Cognito
// sends the browser and which names the reason in its address.
func TestErrorPage(t *testing.T) {
	s := newSandbox(t)
	for _, c := range []struct{ query, code, hint string }{
		{authorizeQuery("client_id", "nobody"), "invalid_client", `no app client "nobody"`},
		{authorizeQuery("redirect_uri", "https://evil.test/cb"), "redirect_mismatch", callback},
		{authorizeQuery() + "&x=%zz", "invalid_request", "malformed"},
		{authorizeQuery("redirect_uri", "") + "&error=other", "invalid_request", "redirect_uri exactly once"},
	} {
		for _, path := range []string{"/oauth2/authorize?", "/login?"} {
			b := s.browser()
			p := b.get(path + c.query)
			// Not Query, which needs all of it to be well-formed.
			at := p.Request.URL.Path + "?" + p.Request.URL.RawQuery
			if p.StatusCode != 400 || p.Left != nil || !strings.HasPrefix(at, "/error?error="+c.code+"&") || !strings.Contains(p.alert(), c.hint) {
				t.Errorf("%s%s: %s at %s: %s", path, c.query, p.Status, at, p.alert())
			}
		}
	}
	if p := s.browser().get("/error?" + authorizeQuery()); p.StatusCode != 400 || !strings.Contains(p.alert(), "Begin again") {
		t.Errorf("without an error: %s: %s", p.Status, p.alert())
	}
}

func TestLogout(t *testing.T) {
	s := newSandbox(t)
	s.register(ada)
	b := s.browser()
	b.signIn(authorizeQuery(), ada, goodPassword).code(t)
	stolen := b.cookie(sessionCookie)

	good := url.Values{"client_id": {publicClient}, "logout_uri": {signOutURL}}
	for _, c := range []struct{ name, query string }{
		{"another URI", url.Values{"client_id": {publicClient}, "logout_uri": {"https://evil.test/"}}.Encode()},
		{"a longer URI", url.Values{"client_id": {publicClient}, "logout_uri": {signOutURL + "/x"}}.Encode()},
		{"a callback URL", url.Values{"client_id": {publicClient}, "logout_uri": {callback}}.Encode()},
		{"unknown client", url.Values{"client_id": {"x"}, "logout_uri": {signOutURL}}.Encode()},
		{"twice", good.Encode() + "&logout_uri=https://evil.test/"},
		{"nothing", ""},
	} {
		if p := b.get("/logout?" + c.query); p.StatusCode != 400 || p.Left != nil {
			t.Errorf("%s: %s %v", c.name, p.Status, p.Left)
		}
	}
	b.get("/oauth2/authorize?" + authorizeQuery()).code(t) // still signed in

	if p := b.get("/logout?" + good.Encode()); p.Left == nil || p.Left.String() != signOutURL {
		t.Fatalf("%s %v", p.Status, p.Left)
	}
	if p := b.get("/oauth2/authorize?" + authorizeQuery()); p.StatusCode != 200 {
		t.Errorf("still signed in after logout: %s", p.Status)
	}
	// A copy of the cookie is worth nothing either.
	req, _ := http.NewRequest("GET", s.URL+"/oauth2/authorize?"+authorizeQuery("prompt", "none"), nil)
	req.AddCookie(&http.Cookie{Name: sessionCookie, Value: stolen})
	if p := s.browser().do(req); p.Left.Query().Get("error") != "login_required" {
		t.Errorf("a copied cookie: %v", p.Left)
	}

	b.signIn(authorizeQuery(), ada, goodPassword).code(t)
	if p := b.get("/logout?" + authorizeQuery()); p.Request.URL.Path != "/login" || p.StatusCode != 200 {
		t.Errorf("logout with an authorization request: %s at %s", p.Status, p.Request.URL.Path)
	}
}

func (b *browser) cookie(name string) string {
	u, _ := url.Parse(b.s.URL)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	b.t.Fatalf("no cookie %s", name)
	return ""
}
