package login

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// lookup finds the clients of the test pool, without a pool.
func lookup(id string) (*userpool.Client, error) {
	for _, c := range poolConfig().Clients {
		if c.ID == id {
			return &c, nil
		}
	}
	return nil, &pageError{"invalid_client", "no such client"}
}

// identifiers are those of the identity providers of the test pool.
func identifiers() map[string]string {
	return map[string]string{"example.com": "Google", "amazon.test": "LoginWithAmazon"}
}

func TestRedirectURIsAreComparedAsTheyAre(t *testing.T) {
	if _, err := parseRequest(authorizeQuery(), lookup, identifiers()); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{
		callback + "/", callback + "x", callback + "?", callback + "#", callback + "?x=1", callback + "/../evil",
		callback[:len(callback)-1], "http://localhost:3000", "http://localhost:3000/",
		strings.ToUpper(callback), "HTTP://localhost:3000/api/auth/sign-in-callback", "http://LOCALHOST:3000/api/auth/sign-in-callback",
		"http://localhost/api/auth/sign-in-callback", "http://localhost:3001/api/auth/sign-in-callback", "http://localhost:03000/api/auth/sign-in-callback",
		"https://localhost:3000/api/auth/sign-in-callback", "http://127.0.0.1:3000/api/auth/sign-in-callback",
		"http://localhost:3000@evil.test/api/auth/sign-in-callback", "http://localhost:3000.evil.test/api/auth/sign-in-callback",
		"http://evil.test/" + callback, "//localhost:3000/api/auth/sign-in-callback", "/api/auth/sign-in-callback",
		" " + callback, callback + " ", callback + "\n", callback + "\x00", callback + "%20",
		"http://localhost:3000/api/auth/sign%2Din-callback", "http://localhost:3000//api/auth/sign-in-callback",
		signOutURL, "javascript:alert(1)", "*",
	} {
		_, err := parseRequest(authorizeQuery("redirect_uri", uri), lookup, identifiers())
		var page *pageError
		if !errors.As(err, &page) || page.Code != "redirect_mismatch" {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestRequestsThatNoRedirectURIVouchesFor(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"nothing", "", "invalid_request"},
		{"no client", authorizeQuery("client_id", ""), "invalid_request"},
		{"no redirect URI", authorizeQuery("redirect_uri", ""), "invalid_request"},
		{"unknown client", authorizeQuery("client_id", "nobody"), "invalid_client"},
		{"two clients", authorizeQuery() + "&client_id=" + secretClient, "invalid_request"},
		{"two redirect URIs", authorizeQuery() + "&redirect_uri=" + url.QueryEscape(callbackQuery), "invalid_request"},
		{"malformed", authorizeQuery() + "&x=%zz", "invalid_request"},
		{"semicolons", authorizeQuery() + ";x=1", "invalid_request"},
		{"of another client", authorizeQuery("client_id", secretClient, "redirect_uri", callbackQuery), "redirect_mismatch"},
	} {
		_, err := parseRequest(c.query, lookup, identifiers())
		var page *pageError
		if !errors.As(err, &page) || page.Code != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestRequestErrorsThatTheApplicationIsTold(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"no response type", authorizeQuery("response_type", ""), "invalid_request"},
		{"implicit grant", authorizeQuery("response_type", "token"), "unauthorized_client"},
		{"hybrid flow", authorizeQuery("response_type", "code id_token"), "unsupported_response_type"},
		{"a scope that the client may not have", authorizeQuery("scope", "openid everything"), "invalid_scope"},
		{"challenge without method", authorizeQuery("code_challenge_method", ""), "invalid_request"},
		{"method without challenge", authorizeQuery("code_challenge", ""), "invalid_request"},
		{"plain challenge", authorizeQuery("code_challenge_method", "plain"), "invalid_request"},
		{"challenge of another length", authorizeQuery("code_challenge", "abc"), "invalid_request"},
		{"challenge with padding", authorizeQuery("code_challenge", challenge+"="), "invalid_request"},
		{"challenge with a line break", authorizeQuery("code_challenge", challenge+"\n"), "invalid_request"},
		{"unknown prompt", authorizeQuery("prompt", "sometimes"), "invalid_request"},
		{"prompt none and another", authorizeQuery("prompt", "none login"), "invalid_request"},
		{"a provider that the client does not offer", authorizeQuery("identity_provider", "Myspace"), "invalid_request"},
		{"an identifier that no provider has",
			authorizeQuery("idp_identifier", "Google"), "invalid_request"},
		{"an identifier of another provider", authorizeQuery(
			"idp_identifier", "example.com", "identity_provider", "COGNITO"), "invalid_request"},
		{"an identifier of a provider that the client does not offer", authorizeQuery("client_id",
			socialClient, "scope", "openid", "idp_identifier", "amazon.test"), "invalid_request"},
		{"two identifiers", authorizeQuery("idp_identifier", "example.com") +
			"&idp_identifier=example.com", "invalid_request"},
		{"two scopes", authorizeQuery() + "&scope=openid", "invalid_request"},
		{"two challenges", authorizeQuery() + "&code_challenge=" + challenge, "invalid_request"},
	} {
		_, err := parseRequest(c.query, lookup, identifiers())
		var redirect *redirectError
		if !errors.As(err, &redirect) || redirect.Code != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
			continue
		}
		to, err := url.Parse(redirect.target())
		if err != nil || !strings.HasPrefix(redirect.target(), callback+"?") {
			t.Errorf("%s: redirects to %s", c.name, redirect.target())
		} else if q := to.Query(); q.Get("error") != c.want || q.Get("error_description") == "" || q.Get("state") != "a-state" {
			t.Errorf("%s: %v", c.name, q)
		}
	}
	// Which of two states is the application's cannot be known: none is sent back.
	_, err := parseRequest(authorizeQuery()+"&state=another", lookup, identifiers())
	var redirect *redirectError
	if !errors.As(err, &redirect) || redirect.State != "" {
		t.Errorf("two states: %v", err)
	}
}

func TestGoodRequests(t *testing.T) {
	for _, c := range []struct {
		name, query string
		scopes      []string
	}{
		{"as usual", authorizeQuery(), []string{"openid", "email"}},
		{"all scopes", authorizeQuery("scope", ""), []string{"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}},
		{"without PKCE", authorizeQuery("code_challenge", "", "code_challenge_method", ""), []string{"openid", "email"}},
		{"unknown parameters", authorizeQuery() + "&utm=1&utm=2", []string{"openid", "email"}},
		{"unknown language", authorizeQuery("lang", "tlh"), []string{"openid", "email"}},
	} {
		req, err := parseRequest(c.query, lookup, identifiers())
		if err != nil || !slices.Equal(req.Scopes, c.scopes) {
			t.Errorf("%s: %v %+v", c.name, err, req)
		}
	}
}

// TestIdentifiers: idp_identifier chooses an identity provider as identity_provider
// does, also on the pages that follow (Developer Guide, "Authorize endpoint").
func TestIdentifiers(t *testing.T) {
	for _, query := range []string{
		authorizeQuery("idp_identifier", "example.com"),
		authorizeQuery("idp_identifier", "example.com", "identity_provider", "Google"),
	} {
		req, err := parseRequest(query, lookup, identifiers())
		if err != nil || req.Provider != "Google" {
			t.Fatalf("%+v, %v", req, err)
		}
		_, next, _ := strings.Cut(req.link("/login"), "?")
		again, err := parseRequest(next, lookup, identifiers())
		if err != nil || again.Provider != "Google" {
			t.Errorf("the next page: %+v, %v", again, err)
		}
	}
}

func TestWithQuery(t *testing.T) {
	for uri, want := range map[string]string{
		"http://a/cb":     "http://a/cb?code=1",
		"http://a/cb?":    "http://a/cb?code=1",
		"http://a/cb?x=1": "http://a/cb?x=1&code=1",
		"myapp://cb":      "myapp://cb?code=1",
		"myapp:":          "myapp:?code=1",
	} {
		if got := withQuery(uri, url.Values{"code": {"1"}}); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}

// FuzzParseRequest: whatever the query, the outcome is a request that keeps every rule, a page, or
// a redirect to a URI that is registered.
func FuzzParseRequest(f *testing.F) {
	f.Add(authorizeQuery())
	f.Add(authorizeQuery("prompt", "none login", "nonce", "n", "identity_provider", "Google"))
	f.Add(authorizeQuery("redirect_uri", callback+"\r\nSet-Cookie: x=1"))
	f.Add(authorizeQuery("scope", "openid \"\\é"))
	f.Add("client_id=" + publicClient + "&redirect_uri=" + url.QueryEscape(callback) + "&state=%0d%0a&state=2")
	f.Fuzz(func(t *testing.T, query string) {
		req, err := parseRequest(query, lookup, identifiers())
		var page *pageError
		var redirect *redirectError
		switch {
		case errors.As(err, &redirect):
			base, _, _ := strings.Cut(redirect.target(), "?")
			if base != callback && base != "http://localhost:3000/cb" {
				t.Errorf("redirects to %q", redirect.target())
			}
			for _, r := range redirect.Description {
				if r < ' ' || r > '~' || r == '"' || r == '\\' { // RFC 6749 §4.1.2.1
					t.Errorf("description %q", redirect.Description)
				}
			}
			if strings.ContainsAny(redirect.target(), "\r\n\x00 ") {
				t.Errorf("target %q", redirect.target())
			}
		case errors.As(err, &page):
		case err != nil:
			t.Errorf("an error of another kind: %v", err)
		default:
			if !slices.Contains(req.Client.CallbackURLs, req.RedirectURI) || req.Scopes == nil {
				t.Errorf("%+v", req)
			}
			for _, s := range req.Scopes {
				if !slices.Contains(req.Client.Scopes, s) {
					t.Errorf("scope %q", s)
				}
			}
			if req.Challenge != "" && len(req.Challenge) != 43 {
				t.Errorf("challenge %q", req.Challenge)
			}
			// What pages carry along means the same.
			again, err := parseRequest(req.query.Encode(), lookup, identifiers())
			if err != nil || again.State != req.State || again.RedirectURI != req.RedirectURI || !slices.Equal(again.Scopes, req.Scopes) || again.Challenge != req.Challenge {
				t.Errorf("carried along as %q: %v %+v", req.query.Encode(), err, again)
			}
		}
	})
}
