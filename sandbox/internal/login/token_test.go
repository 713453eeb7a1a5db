package login

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// newCode signs a new user in and returns a code for the request.
func (s *sandbox) newCode(changes ...string) string {
	s.t.Helper()
	if _, err := s.pool.UserByName(s.t.Context(), ada); err != nil {
		s.register(ada)
	}
	return s.browser().signIn(authorizeQuery(changes...), ada, goodPassword).code(s.t)
}

func basic(id, secret string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestCodesAreBound(t *testing.T) {
	s := newSandbox(t)
	for _, c := range []struct {
		name    string
		request []string // changes of the authorization request
		form    []string // changes of the token request
		want    string
	}{
		{"another verifier", nil, []string{"code_verifier", strings.Repeat("a", 43)}, "invalid_grant"},
		{"no verifier", nil, []string{"code_verifier", ""}, "invalid_grant"},
		{"a verifier that is the challenge", nil, []string{"code_verifier", challenge}, "invalid_grant"},
		{"a verifier without a challenge", []string{"code_challenge", "", "code_challenge_method", ""}, nil, "invalid_grant"},
		{"another redirect URI of the client", nil, []string{"redirect_uri", callbackQuery}, "invalid_grant"},
		{"no redirect URI", nil, []string{"redirect_uri", ""}, "invalid_request"},
		{"another client", nil, []string{"client_id", socialClient}, "invalid_grant"},
		{"no code", nil, []string{"code", ""}, "invalid_request"},
		{"another code", nil, []string{"code", "nonsense"}, "invalid_grant"},
		{"no grant type", nil, []string{"grant_type", ""}, "invalid_request"},
		{"another grant type", nil, []string{"grant_type", "password"}, "unsupported_grant_type"},
		{"no client", nil, []string{"client_id", ""}, "invalid_request"},
		{"an unknown client", nil, []string{"client_id", "nobody"}, "invalid_client"},
		{"as it should be", nil, nil, ""},
		{"without PKCE", []string{"code_challenge", "", "code_challenge_method", ""}, []string{"code_verifier", ""}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.call("/oauth2/token", exchangeForm(s.newCode(c.request...), c.form...))
			if a.Error != c.want || (c.want == "") != (a.Status == 200 && a.AccessToken != "") || c.want != "" && (a.Status != 400 || a.AccessToken != "") {
				t.Errorf("%d %q, want %q", a.Status, a.Error, c.want)
			}
		})
	}
}

// TestCustomScopes: users get a scope of a resource server if their client has it
// (Developer Guide, "Scopes, M2M, and resource servers").
func TestCustomScopes(t *testing.T) {
	const scope = "https://api.example.com/photos.read"
	s := newSandbox(t, func(c *userpool.Config) {
		c.ResourceServers = []userpool.ResourceServer{
			{Identifier: "https://api.example.com", Scopes: []string{"photos.read"}}}
		c.Clients[0].Scopes = append(c.Clients[0].Scopes, scope)
	})
	a := s.call("/oauth2/token", exchangeForm(s.newCode("scope", "openid "+scope)))
	if got := claims(t, a.AccessToken)["scope"]; got != "openid "+scope {
		t.Errorf("scope: %v", got)
	}
	q := authorizeQuery("client_id", socialClient, "scope", "openid "+scope)
	p := s.browser().get("/oauth2/authorize?" + q)
	if p.Left == nil || p.Left.Query().Get("error") != "invalid_scope" {
		t.Errorf("a client without the scope: %v", p.Left)
	}
}

// TestMachineRequests: how a client asks for a token for itself, and what the pre-token hook hears.
func TestMachineRequests(t *testing.T) {
	const id = "4machine000000000000000001"
	var events []pretoken.Event
	var fails error
	s := newSandbox(t, func(c *userpool.Config) {
		c.ResourceServers = []userpool.ResourceServer{
			{Identifier: "photos", Scopes: []string{"read"}}}
		c.Clients = append(c.Clients, userpool.Client{ID: id, Secret: clientSecret,
			ClientCredentials: true, Scopes: []string{"photos/read"}})
		c.PreToken = func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
			events = append(events, e)
			return pretoken.Response{}, fails
		}
	})
	form := func(metadata string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "aws_client_metadata": {metadata}}
	}
	machine := basic(id, clientSecret)
	inForm := form("")
	inForm.Set("client_id", id)
	inForm.Set("client_secret", clientSecret)
	for _, c := range []struct {
		name string
		form url.Values
		auth func(*http.Request)
		want string
	}{
		{"by the header", form(`{"job":"nightly"}`), machine, ""},
		{"by the form", inForm, func(*http.Request) {}, ""},
		{"metadata that is no JSON", form("job"), machine, "invalid_request"},
		{"metadata with a number", form(`{"job":1}`), machine, "invalid_request"},
		{"by a client that signs users in", form(""), basic(secretClient, clientSecret),
			"unauthorized_client"},
	} {
		a := s.call("/oauth2/token", c.form, c.auth)
		if a.Error != c.want || (a.AccessToken != "") != (c.want == "") {
			t.Errorf("%s: %d %q, want %q", c.name, a.Status, a.Error, c.want)
		}
	}
	if len(events) != 2 || events[0].TriggerSource != pretoken.ClientCredentials ||
		events[0].ClientMetadata["job"] != "nightly" {
		t.Errorf("events: %+v", events)
	}
	fails = errors.New("no tenant")
	a := s.call("/oauth2/token", form(""), machine)
	if a.Error != "invalid_request" || a.AccessToken != "" ||
		a.Description != "PreTokenGeneration failed with error no tenant." {
		t.Errorf("the hook fails: %d %s %q", a.Status, a.Error, a.Description)
	}
}

func TestVerify(t *testing.T) {
	challengeOf := func(v string) string {
		sum := sha256.Sum256([]byte(v))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	for n, want := range map[int]bool{42: false, 43: true, 128: true, 129: false} { // RFC 7636 §4.1
		if v := strings.Repeat("v", n); verify(challengeOf(v), v) != want {
			t.Errorf("a verifier of %d characters: %v", n, !want)
		}
	}
	if !verify(challenge, verifier) {
		t.Error("the example of RFC 7636 is refused")
	}
	// Neither of the two comes without the other: RFC 9700 §4.8.2.
	if verify("", verifier) || verify(challenge, "") || !verify("", "") {
		t.Error("a verifier without a challenge, a challenge without a verifier, or neither")
	}
}

func TestCodesExpire(t *testing.T) {
	s := newSandbox(t)
	code := s.newCode()
	s.clock.Advance(codeLife)
	if a := s.call("/oauth2/token", exchangeForm(code)); a.Error != "invalid_grant" {
		t.Errorf("an expired code: %d %s", a.Status, a.Error)
	}
}

// A failed attempt uses the code up: a thief has one guess at the verifier.
func TestCodesAreGoodForOneAttempt(t *testing.T) {
	s := newSandbox(t)
	code := s.newCode()
	s.call("/oauth2/token", exchangeForm(code, "code_verifier", strings.Repeat("a", 43)))
	if a := s.call("/oauth2/token", exchangeForm(code)); a.Error != "invalid_grant" {
		t.Errorf("second attempt: %d %s", a.Status, a.Error)
	}
}

func TestReplayRevokesTheTokens(t *testing.T) {
	s := newSandbox(t)
	code := s.newCode()
	a := s.call("/oauth2/token", exchangeForm(code))
	if _, err := s.pool.VerifyAccessToken(t.Context(), a.AccessToken, ""); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(30 * time.Minute) // also long after the code has expired
	if b := s.call("/oauth2/token", exchangeForm(code)); b.Error != "invalid_grant" {
		t.Fatalf("replay: %d %s", b.Status, b.Error)
	}
	if _, err := s.pool.VerifyAccessToken(t.Context(), a.AccessToken, ""); err == nil {
		t.Error("the access token survived the replay of its code")
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {publicClient}, "refresh_token": {a.RefreshToken}}
	if b := s.call("/oauth2/token", refresh); b.Error != "invalid_grant" {
		t.Errorf("the refresh token survived the replay: %d %s", b.Status, b.Error)
	}
}

func TestConcurrentReplay(t *testing.T) {
	s := newSandbox(t)
	code := s.newCode()
	answers := make([]tokenAnswer, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = s.call("/oauth2/token", exchangeForm(code)) })
	}
	wg.Wait()
	for _, a := range answers {
		if a.AccessToken == "" {
			continue
		}
		if _, err := s.pool.VerifyAccessToken(t.Context(), a.AccessToken, ""); err == nil {
			t.Error("a token of a code that was used eight times is still good")
		}
	}
}

// Between redeem and bind the tokens of the first attempt are not known yet: a replay at that
// moment must still cost them.
func TestReplayWhileTokensAreIssued(t *testing.T) {
	s := newSandbox(t)
	h := New(Config{Pool: s.pool, Store: s.store})
	key := keyOf(s.newCode())
	r := httptest.NewRequest("POST", "/oauth2/token", nil)
	c, first, err := h.redeem(r, key)
	if err != nil || !first {
		t.Fatal(first, err)
	}
	tokens, err := s.pool.IssueTokens(t.Context(), userpool.Grant{ClientID: c.ClientID, Sub: c.Sub, Scopes: c.Scopes})
	if err != nil {
		t.Fatal(err)
	}
	if _, first, err := h.redeem(r, key); err != nil || first {
		t.Fatal(first, err)
	}
	if _, err := h.bind(r, key, tokens); err != errBadCode {
		t.Errorf("bind: %v", err)
	}
	if _, err := s.pool.VerifyAccessToken(t.Context(), tokens.AccessToken, ""); err == nil {
		t.Error("the tokens are still good")
	}
}

func TestClientAuthentication(t *testing.T) {
	s := newSandbox(t)
	form := func(changes ...string) url.Values {
		return exchangeForm(s.newCode("client_id", secretClient), append([]string{"client_id", secretClient}, changes...)...)
	}
	for _, c := range []struct {
		name   string
		form   url.Values
		auth   func(*http.Request)
		status int
		want   string
	}{
		{"header", form("client_id", ""), basic(secretClient, clientSecret), 200, ""},
		{"header and id in the form", form(), basic(secretClient, clientSecret), 200, ""},
		{"form", form("client_secret", clientSecret), nil, 200, ""},
		{"no secret", form(), nil, 400, "invalid_client"},
		{"wrong secret", form("client_secret", clientSecret+"x"), nil, 400, "invalid_client"},
		{"wrong secret in the header", form("client_id", ""), basic(secretClient, "x"), 400, "invalid_client"},
		{"unknown client in the header", form("client_id", ""), basic("nobody", clientSecret), 400, "invalid_client"},
		{"no Basic header", form(), header("Authorization", "Bearer x"), 400, "invalid_client"},
		{"bad escapes", form("client_id", ""), func(r *http.Request) { r.SetBasicAuth(secretClient, "%zz") }, 400, "invalid_client"},
		{"both ways", form("client_secret", clientSecret), basic(secretClient, clientSecret), 400, "invalid_request"},
		{"two ids", form("client_id", publicClient), basic(secretClient, clientSecret), 400, "invalid_request"},
		{"a secret for a public client", exchangeForm(s.newCode(), "client_secret", "x"), nil, 400, "invalid_client"},
		{"the secret client's code for a public client", form("client_id", publicClient), nil, 400, "invalid_grant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			change := func(*http.Request) {}
			if c.auth != nil {
				change = c.auth
			}
			a := s.call("/oauth2/token", c.form, change)
			if a.Status != c.status || a.Error != c.want {
				t.Errorf("%d %q, want %d %q", a.Status, a.Error, c.status, c.want)
			}
		})
	}
}

func TestTokenRequestForm(t *testing.T) {
	s := newSandbox(t)
	code := s.newCode()
	twice := exchangeForm(code)
	twice.Add("code", "another")
	for _, c := range []struct {
		name   string
		path   string
		form   url.Values
		change func(*http.Request)
	}{
		{"JSON", "/oauth2/token", exchangeForm(code), header("Content-Type", "application/json")},
		{"no type", "/oauth2/token", exchangeForm(code), header("Content-Type", "")},
		{"twice", "/oauth2/token", twice, nil},
		{"in the query", "/oauth2/token?" + exchangeForm(code).Encode(), url.Values{}, nil},
		{"too large", "/oauth2/token", exchangeForm(code, "x", strings.Repeat("x", 70<<10)), nil},
	} {
		change := func(*http.Request) {}
		if c.change != nil {
			change = c.change
		}
		if a := s.call(c.path, c.form, change); a.Status != 400 || a.Error != "invalid_request" {
			t.Errorf("%s: %d %q", c.name, a.Status, a.Error)
		}
	}
	if a := s.call("/oauth2/token", exchangeForm(code), header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")); a.Status != 200 {
		t.Errorf("with a charset: %d %q", a.Status, a.Error)
	}
}

func TestRefreshRevokeAndUserInfo(t *testing.T) {
	s := newSandbox(t)
	a := s.call("/oauth2/token", exchangeForm(s.newCode()))
	refresh := func(token string) tokenAnswer {
		return s.call("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {publicClient}, "refresh_token": {token}})
	}
	b := refresh(a.RefreshToken)
	if b.Status != 200 || b.AccessToken == "" || b.IDToken == "" || b.RefreshToken != "" {
		t.Fatalf("refresh: %d %s", b.Status, b.Error)
	}
	for name, token := range map[string]string{"nonsense": "x", "an access token": a.AccessToken, "none": ""} {
		if c := refresh(token); c.Status != 400 || (c.Error != "invalid_grant" && token != "") {
			t.Errorf("refresh with %s: %d %s", name, c.Status, c.Error)
		}
	}

	get := func(authorization string) (*http.Response, string) {
		req, _ := http.NewRequest("GET", s.URL+"/oauth2/userInfo", nil)
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		p := s.browser().do(req)
		return p.Response, p.Body
	}
	if res, body := get("Bearer " + b.AccessToken); res.StatusCode != 200 || !strings.Contains(body, `"email":"`+ada+`"`) || !strings.Contains(body, `"email_verified":"true"`) {
		t.Errorf("userInfo: %s %s", res.Status, body)
	}
	noOpenID := s.call("/oauth2/token", exchangeForm(s.newCode("scope", "email")))
	if noOpenID.IDToken != "" {
		t.Error("an ID token without the scope openid")
	}
	for _, c := range []struct {
		name, authorization string
		status              int
		want                string
	}{
		{"no token", "", 400, "invalid_request"},
		{"Basic", "Basic eDp5", 400, "invalid_request"},
		{"nonsense", "Bearer x", 401, "invalid_token"},
		{"ID token", "Bearer " + a.IDToken, 401, "invalid_token"},
		{"without openid", "Bearer " + noOpenID.AccessToken, 401, "invalid_token"},
	} {
		res, body := get(c.authorization)
		if got := res.Header.Get("WWW-Authenticate"); res.StatusCode != c.status || !strings.HasPrefix(got, `Bearer error="`+c.want+`"`) {
			t.Errorf("userInfo with %s: %s %q %s", c.name, res.Status, got, body)
		}
	}

	revoke := func(form url.Values, change ...func(*http.Request)) tokenAnswer {
		return s.call("/oauth2/revoke", form, change...)
	}
	revocation := func(client string) url.Values {
		return url.Values{"token": {a.RefreshToken}, "client_id": {client}}
	}
	unchanged := func(*http.Request) {}
	for _, c := range []struct { // Developer Guide, "Revoke endpoint"
		name   string
		form   url.Values
		auth   func(*http.Request)
		status int
		want   string
	}{
		{"no token", url.Values{"client_id": {publicClient}}, unchanged, 400, "invalid_request"},
		{"no client", url.Values{"token": {a.RefreshToken}}, unchanged, 400, "invalid_request"},
		{"an unknown client", revocation("nobody"), unchanged, 401, "invalid_client"},
		{"without the secret", revocation(secretClient), unchanged, 401, "invalid_client"},
		{"with a wrong secret", revocation(secretClient), basic(secretClient, "x"),
			401, "invalid_client"},
		{"an access token", url.Values{"token": {a.AccessToken}, "client_id": {publicClient}},
			unchanged, 400, "unsupported_token_type"},
		{"an unknown token", url.Values{"token": {"unknown"}, "client_id": {publicClient}},
			unchanged, 200, ""},
	} {
		got := revoke(c.form, c.auth)
		if got.Status != c.status || got.Error != c.want {
			t.Errorf("revoke %s: %d %q", c.name, got.Status, got.Error)
		}
		if (got.Status == 401) != (got.Header.Get("WWW-Authenticate") != "") { // RFC 9110 §15.5.2
			t.Errorf("revoke %s: WWW-Authenticate: %q", c.name, got.Header.Get("WWW-Authenticate"))
		}
	}
	if got := revoke(url.Values{"token": {a.RefreshToken}}, basic(secretClient, clientSecret)); got.Status == 200 && refresh(a.RefreshToken).Status != 200 {
		t.Error("one client revoked the token of another")
	}
	if got := revoke(url.Values{"token": {a.RefreshToken}, "client_id": {publicClient}}); got.Status != 200 {
		t.Errorf("revoke: %d %s", got.Status, got.Error)
	}
	if res, _ := get("Bearer " + b.AccessToken); res.StatusCode != 401 {
		t.Errorf("userInfo after revocation: %s", res.Status)
	}
	if got := refresh(a.RefreshToken); got.Error != "invalid_grant" {
		t.Errorf("refresh after revocation: %d %s", got.Status, got.Error)
	}
}

// Pages of any origin may call these endpoints: no cookie counts there.
func TestCORS(t *testing.T) {
	s := newSandbox(t)
	for path, methods := range map[string]string{"/oauth2/token": "POST", "/oauth2/revoke": "POST", "/oauth2/userInfo": "GET, POST"} {
		req, _ := http.NewRequest("OPTIONS", s.URL+path, nil)
		req.Header.Set("Origin", "http://localhost:3000")
		req.Header.Set("Access-Control-Request-Method", "POST")
		h := s.browser().do(req).Header
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Methods") != methods || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "X-Amz-User-Agent") {
			t.Errorf("preflight of %s: %v", path, h)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s allows credentials", path)
		}
		if a := s.call(path, url.Values{}); a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	for _, path := range []string{"/login", "/oauth2/authorize", "/logout"} {
		if p := s.browser().get(path + "?" + authorizeQuery()); p.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by other origins", path)
		}
	}
}

// FuzzToken: whatever the form, there are no tokens without a code or refresh token, and no failure
// of the sandbox.
func FuzzToken(f *testing.F) {
	s := newSandbox(f)
	f.Add(exchangeForm("x").Encode(), "")
	f.Add(exchangeForm("x", "client_id", "", "code_verifier", "").Encode(), "Basic eDp5")
	f.Add("grant_type=refresh_token&refresh_token=x&client_id="+publicClient, "")
	f.Add("grant_type=refresh_token&refresh_token=a.b.c.d.e&client_id="+secretClient+"&client_secret="+clientSecret, "")
	credentials := base64.StdEncoding.EncodeToString([]byte(secretClient + ":" + clientSecret))
	f.Add("grant_type=client_credentials&scope=openid", "Basic "+credentials)
	f.Add("a=%zz;b", "Basic %%%")
	f.Fuzz(func(t *testing.T, form, authorization string) {
		r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header["Authorization"] = []string{authorization}
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		if w.Code != 400 && w.Code != 401 || !strings.HasPrefix(w.Body.String(), `{"error":`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// TestPreToken: the token endpoint asks the pre-token hook, once each time. If
// the hook fails, there are no tokens, and the grant is not to blame.
func TestPreToken(t *testing.T) {
	var sources []pretoken.TriggerSource
	var fails error
	s := newSandbox(t, func(c *userpool.Config) {
		c.PreToken = func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
			sources = append(sources, e.TriggerSource)
			return pretoken.Response{IDToken: pretoken.Claims{Add: map[string]any{"tenant": "acme"}}, AddScopes: []string{"photos/read"}}, fails
		}
	})
	refreshForm := func(token string) url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "client_id": {publicClient}, "refresh_token": {token}}
	}
	code := s.newCode()
	if sources != nil {
		t.Errorf("the hook was called for %v before the code was exchanged", sources)
	}
	first := s.call("/oauth2/token", exchangeForm(code))
	for what, a := range map[string]tokenAnswer{"a code": first, "a refresh": s.call("/oauth2/token", refreshForm(first.RefreshToken))} {
		if a.Status != 200 || claims(t, a.IDToken)["tenant"] != "acme" || claims(t, a.AccessToken)["scope"] != "openid email photos/read" {
			t.Errorf("%s: %d %s", what, a.Status, a.Error)
		}
	}
	if !slices.Equal(sources, []pretoken.TriggerSource{pretoken.HostedAuth, pretoken.RefreshTokens}) {
		t.Errorf("the hook was called for %v", sources)
	}

	fails = errors.New("no tenant")
	for what, form := range map[string]url.Values{"a code": exchangeForm(s.newCode()), "a refresh": refreshForm(first.RefreshToken)} {
		a := s.call("/oauth2/token", form)
		if a.Status != 400 || a.Error != "invalid_request" || a.Description != "PreTokenGeneration failed with error no tenant." || a.AccessToken != "" {
			t.Errorf("%s: %d %s %q", what, a.Status, a.Error, a.Description)
		}
	}
}
