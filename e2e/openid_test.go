package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// oidcTokens are what openid-client returns of the token endpoint's answer.
type oidcTokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string
	ExpiresIn    int `json:"expires_in"`
	Claims       struct {
		Sub, Email, Iss string
		IssuedAt        int64 `json:"iat"`
	}
}

// openid-client, a certified relying party, takes managed login for any other OpenID provider. It
// knows no more than the issuer.
func TestOpenIDClient(t *testing.T) {
	site := newSite(t, "localhost")
	site.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		show(w, "home", nil)
	}))
	callback := site.origin + "/api/auth/sign-in-callback"
	backend := startBackend(t, sandbox.Config{
		TLSAddr: "127.0.0.1:0", AppOrigins: []string{site.origin},
	})
	backend.addUser(t, sandbox.User{Email: ada})
	o := backend.outputs(t)
	issuer := "https://cognito-idp." + o.Auth.Region + ".amazonaws.com/" + o.Auth.UserPoolID
	b := backend.browser(t).profile(t)

	js := startModule(t, npmProject(t, "js/amplify"), "openid.js", backend.nodeEnvironment(t)...)
	var metadata struct {
		Issuer        string
		Authorization string `json:"authorization_endpoint"`
	}
	js.do(&metadata, "configure", map[string]any{"issuer": issuer, "clientId": o.Auth.ClientID})
	if metadata.Issuer != issuer ||
		metadata.Authorization != "https://"+o.Auth.OAuth.Domain+"/oauth2/authorize" {
		t.Errorf("discovery: %+v", metadata)
	}

	// authorize sends the browser to managed login, with parameters of an authorization request.
	authorize := func(parameters map[string]string) {
		t.Helper()
		parameters["redirect_uri"] = callback
		var address string
		js.do(&address, "authorize", parameters)
		b.open(address)
	}
	authorize(map[string]string{"scope": "openid email"})
	b.managedLogin(ada, password)
	back := b.arrives(callback).String()
	var session oidcTokens
	js.do(&session, "callback", back)
	if session.AccessToken == "" || session.RefreshToken == "" || session.ExpiresIn != 3600 ||
		session.Claims.Iss != issuer || session.Claims.Email != ada || session.Claims.Sub == "" {
		t.Fatalf("the code gave %+v", session.Claims)
	}

	var user struct {
		Sub, Email, Username string
		Verified             string `json:"email_verified"` // a text, as Cognito gives it
	}
	js.do(&user, "userInfo", session.AccessToken, session.Claims.Sub)
	if user.Email != ada || user.Verified != "true" || user.Username == "" {
		t.Errorf("userInfo: %+v", user)
	}

	var refreshed oidcTokens
	js.do(&refreshed, "refresh", session.RefreshToken)
	if refreshed.AccessToken == session.AccessToken || refreshed.Claims.Sub != session.Claims.Sub {
		t.Errorf("the refresh token gave %+v", refreshed.Claims)
	}

	js.do(nil, "revoke", session.RefreshToken)
	js.fails("invalid_grant", "refresh", session.RefreshToken)
	refused := js.fails("invalid_token", "userInfo", refreshed.AccessToken, session.Claims.Sub)
	if refused.Class != "WWWAuthenticateChallengeError" ||
		refused.Status != http.StatusUnauthorized {
		t.Errorf("a revoked token: class %s, status %d", refused.Class, refused.Status)
	}

	// The login session goes on, without a form.
	authorize(map[string]string{"scope": "openid", "prompt": "none"})
	back = b.arrives(callback).String()
	js.do(&session, "callback", back)
	refused = js.fails("invalid_grant", "callback", back)
	if refused.Class != "ResponseBodyError" || refused.Status != http.StatusBadRequest {
		t.Errorf("a code for the second time: class %s, status %d", refused.Class, refused.Status)
	}

	// Cognito's name for where a sign-out leads to is its own.
	signedOut := site.origin + "/api/auth/sign-out-callback"
	var address string
	js.do(&address, "endSession", map[string]string{"logout_uri": signedOut})
	b.open(address)
	b.arrives(signedOut)
	authorize(map[string]string{"scope": "openid", "prompt": "none"})
	back = b.arrives(callback).String()
	refused = js.fails("login_required", "callback", back)
	if refused.Class != "AuthorizationResponseError" {
		t.Errorf("after the sign-out: class %s", refused.Class)
	}
}

// A program gets access tokens for itself, with the scopes of a resource server.
func TestOpenIDClientCredentials(t *testing.T) {
	const id, secret = "machine", "the secret of the machine"
	backend := startBackend(t, sandbox.Config{
		TLSAddr: "127.0.0.1:0",
		ResourceServers: []sandbox.ResourceServer{
			{Identifier: "photos", Scopes: []string{"read", "write", "delete"}},
		},
		Clients: []sandbox.Client{{
			ID: id, Secret: secret, ClientCredentials: true,
			Scopes: []string{"photos/read", "photos/write"},
		}},
	})
	o := backend.outputs(t)
	issuer := "https://cognito-idp." + o.Auth.Region + ".amazonaws.com/" + o.Auth.UserPoolID
	js := startModule(t, npmProject(t, "js/amplify"), "openid.js", backend.nodeEnvironment(t)...)
	configure := func(secret string) {
		t.Helper()
		js.do(nil, "configure",
			map[string]any{"issuer": issuer, "clientId": id, "clientSecret": secret})
	}
	ask := func(scope string) map[string]string { return map[string]string{"scope": scope} }

	configure(secret)
	var tokens oidcTokens
	js.do(&tokens, "clientCredentials", ask("photos/read"))
	if tokens.RefreshToken != "" || tokens.ExpiresIn != 3600 {
		t.Errorf("a refresh token of %d characters, and an access token for %d s",
			len(tokens.RefreshToken), tokens.ExpiresIn)
	}
	var claims struct {
		Iss, Sub, Scope, Username string
		ClientID                  string `json:"client_id"`
		Use                       string `json:"token_use"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.AccessToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Iss != issuer || claims.Sub != id || claims.ClientID != id ||
		claims.Use != "access" || claims.Scope != "photos/read" || claims.Username != "" {
		t.Errorf("the access token says %+v", claims)
	}

	for _, scope := range []string{"photos/delete", "openid", "photos/read photos/delete"} {
		refused := js.fails("invalid_scope", "clientCredentials", ask(scope))
		if refused.Class != "ResponseBodyError" || refused.Status != http.StatusBadRequest {
			t.Errorf("%s: class %s, status %d", scope, refused.Class, refused.Status)
		}
	}
	configure("another secret")
	js.fails("invalid_client", "clientCredentials", ask("photos/read"))
	refused := js.fails("WWWAuthenticateChallengeError", "revoke", tokens.AccessToken)
	if refused.Status != http.StatusUnauthorized {
		t.Errorf("revoking with another secret: status %d", refused.Status)
	}
}
