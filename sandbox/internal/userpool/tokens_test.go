package userpool

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// opaque replaces the claims that are random by their form.
func opaque(claims jwt.MapClaims) map[string]any {
	m := maps.Clone(map[string]any(claims))
	for _, name := range []string{"sub", "username", "cognito:username", "jti", "origin_jti", "event_id"} {
		if s, ok := m[name].(string); ok && len(s) == 36 {
			m[name] = "UUID"
		}
	}
	if s, ok := m["at_hash"].(string); ok && len(s) == 22 {
		m["at_hash"] = "HASH"
	}
	return m
}

func TestClaims(t *testing.T) {
	one, two := 1, 2
	f, ctx := newFixture(t, func(c *Config) {
		c.Groups = []Group{{Name: "Editors", Precedence: &two, RoleARN: "arn:editors"}, {Name: "Admins", Precedence: &one, RoleARN: "arn:admins"}, {Name: "Plain"}}
		c.Clients[0].IDTokenValidity = 30 * time.Minute
	}), t.Context()
	u := f.user("a@b.com")
	want(t, "attributes", f.SetAttributes(ctx, u.Username, map[string]string{
		"name": "A", "phone_number": "+4912345", "address": "here", "updated_at": "17", "custom:shoe": "42"}), "")
	for _, g := range []string{"Plain", "Editors", "Admins"} {
		want(t, "group "+g, f.AddToGroup(ctx, "a@b.com", g), "")
	}
	now := float64(f.Now().Unix())
	const iss = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
	groups := []any{"Admins", "Editors", "Plain"}
	access := map[string]any{
		"sub": "UUID", "iss": iss, "client_id": clientID, "origin_jti": "UUID", "event_id": "UUID", "token_use": "access",
		"scope": AdminScope, "auth_time": now, "exp": now + 3600, "iat": now, "jti": "UUID", "username": "UUID", "cognito:groups": groups,
	}
	id := map[string]any{
		"sub": "UUID", "iss": iss, "aud": clientID, "origin_jti": "UUID", "event_id": "UUID", "token_use": "id",
		"auth_time": now, "exp": now + 1800, "iat": now, "jti": "UUID", "cognito:username": "UUID", "cognito:groups": groups,
		"cognito:roles": []any{"arn:admins", "arn:editors"}, "cognito:preferred_role": "arn:admins",
		"email": "a@b.com", "email_verified": true, "name": "A", "phone_number": "+4912345", "phone_number_verified": false,
		"address": map[string]any{"formatted": "here"}, "updated_at": 17.0, "custom:shoe": "42",
	}
	check := func(what, raw string, want map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, opaque(f.claimsOf(raw))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	tokens := f.signIn(u)
	check("access token", tokens.AccessToken, access)
	check("ID token", tokens.IDToken, id)
	kid := func(raw string) any {
		token, _, err := jwt.NewParser().ParseUnverified(raw, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		if len(token.Header) != 2 || token.Header["alg"] != "RS256" {
			t.Errorf("header = %v, want kid and alg", token.Header)
		}
		return token.Header["kid"]
	}
	if kid(tokens.AccessToken) == kid(tokens.IDToken) {
		t.Error("access and ID token are signed by one key")
	}
	a, i := f.claimsOf(tokens.AccessToken), f.claimsOf(tokens.IDToken)
	if a["origin_jti"] != i["origin_jti"] || a["event_id"] != i["event_id"] || a["jti"] == i["jti"] {
		t.Errorf("the tokens of one session: %v, %v", a, i)
	}

	// Managed login: scopes say what the ID token shows.
	access["version"] = 2.0
	id["at_hash"] = "HASH"
	access["scope"] = "openid"
	tokens = f.signIn(u, "openid")
	check("access token, openid", tokens.AccessToken, access)
	check("ID token, openid alone", tokens.IDToken, id)
	for _, c := range []struct {
		scopes []string
		hidden []string
	}{
		{[]string{"openid", "email"}, []string{"name", "phone_number", "phone_number_verified", "address", "updated_at", "custom:shoe"}},
		{[]string{"openid", "phone"}, []string{"name", "email", "email_verified", "address", "updated_at", "custom:shoe"}},
		{[]string{"openid", "profile"}, []string{"email", "email_verified", "phone_number", "phone_number_verified"}},
		{[]string{"openid", "profile", "email", "phone", AdminScope}, nil},
	} {
		want := maps.Clone(id)
		for _, name := range c.hidden {
			delete(want, name)
		}
		check("ID token, "+strings.Join(c.scopes, " "), f.signIn(u, c.scopes...).IDToken, want)
	}
	if tokens := f.signIn(u, "email"); tokens.IDToken != "" {
		t.Error("an ID token without the scope openid")
	}

	tokens, err := f.IssueTokens(ctx, Grant{ClientID: clientID, Sub: u.Sub, Scopes: []string{"openid"}, Nonce: "n", AuthTime: f.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if c := f.claimsOf(tokens.IDToken); c["nonce"] != "n" || c["auth_time"] != now-3600 {
		t.Errorf("claims = %v, want nonce and auth_time as granted", c)
	}
}

func TestUserInfo(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	got, err := f.UserInfo(ctx, f.signIn(u, "openid", "email").AccessToken)
	if diff := cmp.Diff(map[string]string{"sub": u.Sub, "username": u.Sub, "email": "a@b.com", "email_verified": "true"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = f.UserInfo(ctx, f.signIn(u).AccessToken)
	want(t, "without openid", err, NotAuthorized)
}

func TestFederatedUser(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	f.user("a@b.com")
	profile := Profile{ID: "1234", Attributes: map[string]string{"email": "a@b.com", "name": "A"}}
	u, err := f.FederatedUser(ctx, "Google", profile)
	if err != nil {
		t.Fatal(err)
	}
	if u.Username != "google_1234" || u.Status != ExternalProvider || u.Sub == u.Username {
		t.Errorf("user = %+v", u)
	}
	profile.Attributes["name"] = "B"
	again, err := f.FederatedUser(ctx, "Google", profile)
	if err != nil || again.Sub != u.Sub || again.Attributes["name"] != "B" {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	claims := f.claimsOf(f.signIn(u).IDToken)
	date := u.Identities[0].DateCreated
	if diff := cmp.Diff([]any{map[string]any{"dateCreated": date, "userId": "1234", "providerName": "Google", "providerType": "Google", "issuer": nil, "primary": "true"}},
		claims["identities"]); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"eu-west-1_AbCdEfGhI_Google"}, claims["cognito:groups"]); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	_, err = f.ForgotPassword(ctx, clientID, "google_1234")
	want(t, "forgotten password", err, NotAuthorized)
	want(t, "a password", f.SetPassword(ctx, "google_1234", password, true), UnsupportedUserState)
	native, err := f.VerifyPassword(ctx, clientID, "a@b.com", password)
	if err != nil || native.Username == u.Username {
		t.Errorf("the pool's own user of that address: %+v, %v", native, err)
	}
}

func TestRefresh(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	tokens := f.signIn(u)
	f.clock.move(2 * time.Hour)
	fresh, err := f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fresh.RefreshToken != "" {
		t.Error("a refresh token was handed out without rotation")
	}
	was, is := jwt.MapClaims{}, f.claimsOf(fresh.AccessToken)
	if _, _, err := jwt.NewParser().ParseUnverified(tokens.AccessToken, was); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sub", "origin_jti", "event_id", "auth_time", "scope"} {
		if was[name] != is[name] {
			t.Errorf("%s changed from %v to %v", name, was[name], is[name])
		}
	}
	if was["jti"] == is["jti"] || was["iat"] == is["iat"] {
		t.Error("the token is the old one")
	}

	for _, c := range []struct{ what, client, token, message string }{
		{"made up", clientID, "x", "Invalid Refresh Token"},
		{"empty", clientID, "", "Invalid Refresh Token"},
		{"of another client", otherClient, tokens.RefreshToken, "Invalid Refresh Token"},
	} {
		_, err := f.Refresh(ctx, c.client, c.token, nil)
		if err == nil || err.Error() != NotAuthorized+": "+c.message {
			t.Errorf("%s: %v, want %s", c.what, err, c.message)
		}
	}
	want(t, "disabling", f.SetEnabled(ctx, "a@b.com", false), "")
	_, err = f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
	want(t, "a disabled user", err, NotAuthorized)
	want(t, "enabling", f.SetEnabled(ctx, "a@b.com", true), "")
	_, err = f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
	want(t, "an enabled user", err, "")

	f.clock.move(30*24*time.Hour - 2*time.Hour)
	_, err = f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
	if err == nil || err.Error() != "NotAuthorizedException: Refresh Token has expired" {
		t.Errorf("after 30 days: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	tokens, other := f.signIn(u), f.signIn(u)
	want(t, "an access token", f.Revoke(ctx, clientID, tokens.AccessToken), UnsupportedTokenType)
	want(t, "an unknown token", f.Revoke(ctx, clientID, "x"), "")
	want(t, "a token of another client", f.Revoke(ctx, otherClient, tokens.RefreshToken), NotAuthorized)
	_, err := f.VerifyAccessToken(ctx, tokens.AccessToken, "")
	want(t, "before", err, "")
	want(t, "revocation", f.Revoke(ctx, clientID, tokens.RefreshToken), "")
	_, err = f.VerifyAccessToken(ctx, tokens.AccessToken, "")
	want(t, "access token of the session", err, NotAuthorized)
	_, err = f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
	if err == nil || err.Error() != "NotAuthorizedException: Refresh Token has been revoked" {
		t.Errorf("refresh token: %v", err)
	}
	_, err = f.Refresh(ctx, clientID, other.RefreshToken, nil)
	want(t, "another session of the user", err, "")
	want(t, "global sign-out", f.GlobalSignOut(ctx, u.Sub), "")
	_, err = f.Refresh(ctx, clientID, other.RefreshToken, nil)
	want(t, "the other session after it", err, NotAuthorized)
}

func TestRotation(t *testing.T) {
	for _, grace := range []time.Duration{0, 10 * time.Second} {
		t.Run(grace.String(), func(t *testing.T) {
			f, ctx := newFixture(t, func(c *Config) {
				c.Clients[0].RotateRefreshTokens, c.Clients[0].RotationGrace = true, grace
				c.Clients[0].RefreshTokenValidity = 24 * time.Hour
			}), t.Context()
			u := f.user("a@b.com")
			first := f.signIn(u)
			f.clock.move(23 * time.Hour)
			second, err := f.Refresh(ctx, clientID, first.RefreshToken, nil)
			if err != nil {
				t.Fatal(err)
			}
			if second.RefreshToken == "" || second.RefreshToken == first.RefreshToken {
				t.Fatal("the refresh token was not rotated")
			}
			latest := second
			if grace > 0 {
				f.clock.move(grace - time.Millisecond)
				if latest, err = f.Refresh(ctx, clientID, first.RefreshToken, nil); err != nil {
					t.Fatalf("within the grace period: %v", err)
				}
				f.clock.move(time.Millisecond)
			}
			_, err = f.Refresh(ctx, clientID, first.RefreshToken, nil)
			want(t, "after the grace period", err, RefreshTokenReuse)
			for what, token := range map[string]string{"the stolen token": first.RefreshToken, "its successor": second.RefreshToken, "the latest": latest.RefreshToken} {
				_, err = f.Refresh(ctx, clientID, token, nil)
				want(t, what+" after reuse", err, NotAuthorized)
			}
			_, err = f.VerifyAccessToken(ctx, latest.AccessToken, "")
			want(t, "the access token after reuse", err, NotAuthorized)
		})
	}
	t.Run("life", func(t *testing.T) {
		f, ctx := newFixture(t, func(c *Config) {
			c.Clients[0].RotateRefreshTokens, c.Clients[0].RefreshTokenValidity = true, 24*time.Hour
		}), t.Context()
		tokens := f.signIn(f.user("a@b.com"))
		f.clock.move(23 * time.Hour)
		tokens, err := f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		f.clock.move(time.Hour)
		_, err = f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
		want(t, "a successor does not live longer", err, NotAuthorized)
	})
}

// TestRotationRace: of many who present one token at once, with no grace period, one is served.
func TestRotationRace(t *testing.T) {
	f, ctx := newFixture(t, func(c *Config) { c.Clients[0].RotateRefreshTokens = true }), t.Context()
	tokens := f.signIn(f.user("a@b.com"))
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = f.Refresh(ctx, clientID, tokens.RefreshToken, nil) })
	}
	wg.Wait()
	counts := map[string]int{}
	for _, err := range errs {
		counts[CodeOf(err)]++
	}
	if diff := cmp.Diff(map[string]int{"": 1, RefreshTokenReuse: 1, NotAuthorized: 18}, counts); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestVerifyAccessToken(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	foreign := newFixture(t, func(c *Config) { c.ID = "eu-west-1_Other" })
	u := f.user("a@b.com")
	tokens := f.signIn(u)
	at, err := f.VerifyAccessToken(ctx, tokens.AccessToken, AdminScope)
	if err != nil || at.User.Sub != u.Sub || at.ClientID != clientID || !slices.Equal(at.Scopes, []string{AdminScope}) {
		t.Fatalf("= %+v, %v", at, err)
	}
	parts := strings.Split(tokens.AccessToken, ".")
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, f.claimsOf(tokens.AccessToken)).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for what, raw := range map[string]string{
		"nothing": "", "an ID token": tokens.IDToken, "a refresh token": tokens.RefreshToken, "no signature": parts[0] + "." + parts[1] + ".",
		"another payload": parts[0] + "." + strings.Split(tokens.IDToken, ".")[1] + "." + parts[2], "alg none": none,
		"another pool's": foreign.signIn(foreign.user("a@b.com")).AccessToken,
	} {
		_, err := f.VerifyAccessToken(ctx, raw, "")
		if err == nil || err.Error() != "NotAuthorizedException: Invalid Access Token" {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = f.VerifyAccessToken(ctx, f.signIn(u, "openid").AccessToken, AdminScope)
	want(t, "without the scope", err, NotAuthorized)
	want(t, "deleting", f.DeleteUser(ctx, u.Sub), "")
	_, err = f.VerifyAccessToken(ctx, tokens.AccessToken, "")
	want(t, "of a deleted user", err, UserNotFound)
	_, err = f.Refresh(ctx, clientID, tokens.RefreshToken, nil)
	want(t, "refresh of a deleted user", err, UserNotFound)
	f.user("a@b.com")
	_, err = f.VerifyAccessToken(ctx, tokens.AccessToken, "")
	want(t, "when another user has the name", err, UserNotFound)
	f.clock.move(time.Hour)
	_, err = f.VerifyAccessToken(ctx, tokens.AccessToken, "")
	if err == nil || err.Error() != "NotAuthorizedException: Access Token has expired" {
		t.Errorf("expired: %v", err)
	}
}

func TestRotateKeys(t *testing.T) {
	f, ctx := newFixture(t, nil), t.Context()
	u := f.user("a@b.com")
	keys := func() int {
		t.Helper()
		var set struct{ Keys []map[string]string }
		if err := json.Unmarshal(f.JWKS(), &set); err != nil {
			t.Fatal(err)
		}
		for _, k := range set.Keys {
			if k["kty"] != "RSA" || k["alg"] != "RS256" || k["use"] != "sig" || k["e"] != "AQAB" || k["kid"] == "" || len(k["n"]) != 342 || len(k) != 6 {
				t.Errorf("key = %v", k)
			}
		}
		return len(set.Keys)
	}
	if n := keys(); n != 2 {
		t.Errorf("%d keys at first, want 2", n)
	}
	token := f.signIn(u).AccessToken
	for i, c := range []struct {
		keys int
		code string
	}{{4, ""}, {4, NotAuthorized}} {
		if err := f.RotateKeys(ctx); err != nil {
			t.Fatal(err)
		}
		if n := keys(); n != c.keys {
			t.Errorf("%d keys after rotation %d, want %d", n, i+1, c.keys)
		}
		_, err := f.VerifyAccessToken(ctx, token, "")
		want(t, "a token from before", err, c.code)
		_, err = f.VerifyAccessToken(ctx, f.signIn(u).AccessToken, "")
		want(t, "a new token", err, "")
	}
}

// TestRestart: a new pool over the same store continues the old one.
func TestRestart(t *testing.T) {
	st, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	f := newFixtureIn(t, st, nil)
	tokens := f.signIn(f.user("a@b.com"))
	simulated := f.simulated("nobody")
	f = newFixtureIn(t, st, nil)
	_, err = f.VerifyAccessToken(t.Context(), tokens.AccessToken, "")
	want(t, "access token", err, "")
	_, err = f.Refresh(t.Context(), clientID, tokens.RefreshToken, nil)
	want(t, "refresh token", err, "")
	if diff := cmp.Diff(simulated.verifier, f.simulated("nobody").verifier); diff != "" {
		t.Errorf("simulated users changed:\n%s", diff)
	}
}
