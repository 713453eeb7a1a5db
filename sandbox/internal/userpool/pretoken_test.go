package userpool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// hooked is a pool with a hook that a test can change, a user in two groups, and its log.
type hooked struct {
	*fixture
	user   *User
	hook   pretoken.Hook
	events []pretoken.Event
	log    bytes.Buffer
}

func newHooked(t *testing.T, change func(*Config)) *hooked {
	t.Helper()
	one, two := 1, 2
	h := &hooked{}
	h.fixture = newFixture(t, func(c *Config) {
		c.Groups = []Group{
			{Name: "Admins", Precedence: &one, RoleARN: "arn:admins"},
			{Name: "Editors", Precedence: &two, RoleARN: "arn:editors"},
		}
		c.Logger = slog.New(slog.NewTextHandler(&h.log, nil))
		c.PreToken = func(ctx context.Context, e pretoken.Event) (pretoken.Response, error) {
			h.events = append(h.events, e)
			return h.hook(ctx, e)
		}
		if change != nil {
			change(c)
		}
	})
	h.user = h.fixture.user("a@b.com")
	h.hook = pretoken.Response{}.Hook()
	for _, g := range []string{"Admins", "Editors"} {
		want(t, "group "+g, h.AddToGroup(t.Context(), "a@b.com", g), "")
	}
	return h
}

// tokensBy returns tokens of each way to get them.
func (h *hooked) tokensBy(t *testing.T) map[string]*Tokens {
	t.Helper()
	all := map[string]*Tokens{
		"API":           h.signIn(h.user),
		"managed login": h.signIn(h.user, "openid", "email"),
	}
	for _, way := range []string{"API", "managed login"} {
		fresh, err := h.Refresh(t.Context(), clientID, all[way].RefreshToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		all["refresh after "+way] = fresh
	}
	return all
}

// sessionless returns the claims without those that differ from token to token.
func sessionless(claims jwt.MapClaims) map[string]any {
	m := maps.Clone(map[string]any(claims))
	for _, name := range []string{"jti", "origin_jti", "event_id", "at_hash"} {
		delete(m, name)
	}
	return m
}

// TestPreToken: what a response changes, in both tokens of every way to get them.
func TestPreToken(t *testing.T) {
	type claims = map[string]any
	// A claim of nil must be absent. What is not named must not change.
	noGroups := claims{
		"cognito:groups": nil, "cognito:roles": nil, "cognito:preferred_role": nil,
	}
	nested := claims{"plan": "gold", "limits": []any{1.0, "two", true}}
	for name, c := range map[string]struct {
		response   pretoken.Response
		id, access claims
		scopes     map[string]string // by the sign-in: "API" or "managed login"
		warns      string            // the names in the log
	}{
		"nothing": {},
		"claims are added": {
			response: pretoken.Response{
				IDToken:     pretoken.Claims{Add: claims{"tenant": "acme"}},
				AccessToken: pretoken.Claims{Add: claims{"level": 3}}},
			id: claims{"tenant": "acme"}, access: claims{"level": 3.0},
		},
		"claims are overridden": {
			response: pretoken.Response{IDToken: pretoken.Claims{
				Add: claims{"email": "c@d.com", "email_verified": "false"}}},
			id: claims{"email": "c@d.com", "email_verified": false},
		},
		"claims are suppressed": {
			response: pretoken.Response{IDToken: pretoken.Claims{
				Suppress: []string{"email", "absent"}}},
			id: claims{"email": nil},
		},
		"suppressing wins": {
			response: pretoken.Response{
				IDToken: pretoken.Claims{
					Add: claims{"email": "c@d.com"}, Suppress: []string{"email"}},
				AccessToken: pretoken.Claims{
					Add: claims{"level": 3}, Suppress: []string{"level"}}},
			id: claims{"email": nil},
		},
		"nested claims": {
			response: pretoken.Response{
				IDToken:     pretoken.Claims{Add: claims{"account": nested}},
				AccessToken: pretoken.Claims{Add: claims{"account": nested}}},
			id: claims{"account": nested}, access: claims{"account": nested},
		},
		"names count to the letter": {
			response: pretoken.Response{IDToken: pretoken.Claims{
				Add: claims{"Sub": "x", "EMAIL": "y"}, Suppress: []string{"Email"}}},
			id: claims{"Sub": "x", "EMAIL": "y"},
		},
		"groups": {
			response: pretoken.Response{Groups: &pretoken.Groups{
				Names: []string{"X", "Y"}, Roles: []string{"arn:x"}, PreferredRole: "arn:x"}},
			id: claims{"cognito:groups": []any{"X", "Y"}, "cognito:roles": []any{"arn:x"},
				"cognito:preferred_role": "arn:x"},
			access: claims{"cognito:groups": []any{"X", "Y"}},
		},
		"groups without roles": {
			response: pretoken.Response{Groups: &pretoken.Groups{Names: []string{"X"}}},
			id: claims{"cognito:groups": []any{"X"}, "cognito:roles": nil,
				"cognito:preferred_role": nil},
			access: claims{"cognito:groups": []any{"X"}},
		},
		"no groups": {
			response: pretoken.Response{Groups: &pretoken.Groups{}},
			id:       noGroups, access: claims{"cognito:groups": nil},
		},
		"groups are suppressed in one token": {
			response: pretoken.Response{IDToken: pretoken.Claims{
				Suppress: []string{"cognito:groups"}}},
			id: noGroups,
		},
		"scopes": {
			response: pretoken.Response{
				AddScopes:      []string{"photos/read", "openid", "gone"},
				SuppressScopes: []string{"email", "gone", AdminScope}},
			scopes: map[string]string{
				"API": "photos/read openid", "managed login": "openid photos/read"},
		},
		"no scopes": {
			response: pretoken.Response{SuppressScopes: []string{"openid", "email", AdminScope}},
			access:   claims{"scope": nil},
		},
		"scopes that cannot be added": {
			response: pretoken.Response{AddScopes: []string{
				"", "a b", "a\tb", "aws.cognito.signin.user.admin", "aws.cognito.x"}},
			warns: `"[ a\tb a b aws.cognito.signin.user.admin aws.cognito.x]"`,
		},
		"the audience of the access token": {
			response: pretoken.Response{AccessToken: pretoken.Claims{Add: claims{"aud": clientID}}},
			access:   claims{"aud": clientID},
		},
		"another audience": {
			response: pretoken.Response{
				AccessToken: pretoken.Claims{Add: claims{"aud": otherClient}},
				IDToken:     pretoken.Claims{Add: claims{"aud": otherClient}}},
			warns: "[aud]",
		},
		"simple claims": {
			response: pretoken.Response{IDToken: pretoken.Claims{Add: claims{
				"address": claims{"country": "DE"}, "email_verified": []any{true},
				"updated_at": claims{}, "phone_number_verified": []string{"x"}}}},
			warns: "[address email_verified phone_number_verified updated_at]",
		},
		"claims of developers": {
			response: pretoken.Response{
				IDToken:     pretoken.Claims{Add: claims{"dev:x": "y"}},
				AccessToken: pretoken.Claims{Add: claims{"dev:x": "y"}}},
			warns: "[dev:x]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t, nil)
			before := h.tokensBy(t)
			h.hook = c.response.Hook()
			for way, tokens := range h.tokensBy(t) {
				check := func(use, old, fresh string, changes claims) {
					t.Helper()
					want := sessionless(h.claimsOf(old))
					maps.Copy(want, changes)
					maps.DeleteFunc(want, func(_ string, v any) bool { return v == nil })
					if diff := cmp.Diff(want, sessionless(h.claimsOf(fresh))); diff != "" {
						t.Errorf("%s token, %s (-want +got):\n%s", use, way, diff)
					}
				}
				access := c.access
				if c.scopes != nil {
					access = claims{"scope": c.scopes[strings.TrimPrefix(way, "refresh after ")]}
				}
				check("access", before[way].AccessToken, tokens.AccessToken, access)
				check("id", before[way].IDToken, tokens.IDToken, c.id)
				scope, _ := h.claimsOf(tokens.AccessToken)["scope"].(string)
				if strings.Join(tokens.Scopes, " ") != scope {
					t.Errorf("%s: scopes = %v, the token has %q", way, tokens.Scopes, scope)
				}
			}
			if c.warns == "" && h.log.Len() > 0 || !strings.Contains(h.log.String(), c.warns) {
				t.Errorf("the log is %q, want one about %q", &h.log, c.warns)
			}
		})
	}
}

// TestPreTokenProtects: neither adding nor suppressing changes the claims that Cognito protects.
func TestPreTokenProtects(t *testing.T) {
	names := []string{
		"acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "cognito:groups",
		"cognito:preferred_role", "cognito:roles", "cognito:username", "cognito:x", "device_key",
		"event_id", "exp", "iat", "identities", "iss", "jti", "nbf", "nonce", "origin_jti", "scope",
		"sub", "token_use", "username", "version",
	}
	add := pretoken.Claims{Add: map[string]any{}}
	for _, name := range names {
		add.Add[name] = "forged"
	}
	// This one can be suppressed.
	suppressible := func(name string) bool { return name == "cognito:groups" }
	suppress := pretoken.Claims{Suppress: slices.DeleteFunc(slices.Clone(names), suppressible)}

	for what, c := range map[string]pretoken.Claims{"adding": add, "suppressing": suppress} {
		t.Run(what, func(t *testing.T) {
			h := newHooked(t, nil)
			before := h.tokensBy(t)
			h.hook = pretoken.Response{IDToken: c, AccessToken: c}.Hook()
			for way, tokens := range h.tokensBy(t) {
				for use, pair := range map[string][2]string{
					"access": {before[way].AccessToken, tokens.AccessToken},
					"id":     {before[way].IDToken, tokens.IDToken},
				} {
					old, fresh := h.claimsOf(pair[0]), h.claimsOf(pair[1])
					if diff := cmp.Diff(sessionless(old), sessionless(fresh)); diff != "" {
						t.Errorf("%s token, %s (-want +got):\n%s", use, way, diff)
					}
					for _, name := range names { // also those that differ from token to token
						was, is := old[name], fresh[name]
						if (was != nil) != (is != nil) || is == "forged" {
							t.Errorf("%s token, %s: %s: %v became %v", use, way, name, was, is)
						}
					}
				}
			}
			log := h.log.String()
			for _, name := range append(c.Suppress, slices.Collect(maps.Keys(c.Add))...) {
				if !strings.Contains(log, name) || strings.Contains(log, "forged") {
					t.Errorf("the log is %q, want %s and no value", log, name)
				}
			}
		})
	}
}

// TestPreTokenEvents: the hook is called once whenever tokens are issued, and knows why.
func TestPreTokenEvents(t *testing.T) {
	h, ctx := newHooked(t, nil), t.Context()
	metadata := map[string]string{"device": "phone"}
	issue := func(g Grant) *Tokens {
		t.Helper()
		g.ClientID, g.Sub = clientID, h.user.Sub
		tokens, err := h.IssueTokens(ctx, g)
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	refresh := func(token string, metadata map[string]string) {
		t.Helper()
		if _, err := h.Refresh(ctx, clientID, token, metadata); err != nil {
			t.Fatal(err)
		}
	}
	api := issue(Grant{})
	issue(Grant{Trigger: pretoken.NewPasswordChallenge, ClientMetadata: metadata})
	hosted := issue(Grant{Scopes: []string{"email"}}) // no ID token
	refresh(api.RefreshToken, metadata)
	refresh(hosted.RefreshToken, nil)

	type source = pretoken.TriggerSource
	event := func(s source, metadata map[string]string, scopes ...string) pretoken.Event {
		return pretoken.Event{
			TriggerSource: s, Region: "eu-west-1", UserPoolID: "eu-west-1_AbCdEfGhI",
			ClientID: clientID, UserName: h.user.Username,
			UserAttributes: map[string]string{"sub": h.user.Sub, "cognito:user_status": "CONFIRMED",
				"email": "a@b.com", "email_verified": "true"},
			Groups: pretoken.Groups{Names: []string{"Admins", "Editors"},
				Roles: []string{"arn:admins", "arn:editors"}, PreferredRole: "arn:admins"},
			Scopes: scopes, ClientMetadata: metadata,
		}
	}
	if diff := cmp.Diff([]pretoken.Event{
		event(pretoken.Authentication, nil, AdminScope),
		event(pretoken.NewPasswordChallenge, metadata, AdminScope),
		event(pretoken.HostedAuth, nil, "email"),
		event(pretoken.RefreshTokens, metadata, AdminScope),
		event(pretoken.RefreshTokens, nil, "email"),
	}, h.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}

	// Who gets no tokens is not asked about.
	h.events = nil
	_, err := h.Refresh(ctx, otherClient, api.RefreshToken, nil)
	want(t, "another client's token", err, NotAuthorized)
	want(t, "disable", h.SetEnabled(ctx, "a@b.com", false), "")
	_, err = h.IssueTokens(ctx, Grant{ClientID: clientID, Sub: h.user.Sub})
	want(t, "a disabled user", err, NotAuthorized)
	if h.events != nil {
		t.Errorf("the hook was called with %v", h.events)
	}
}

// TestPreTokenOwns: the hook can change its event without effect.
func TestPreTokenOwns(t *testing.T) {
	h := newHooked(t, nil)
	h.hook = func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
		e.UserAttributes["email"], e.Groups.Names[0], e.Scopes[0] = "x@y.com", "X", "x"
		return pretoken.Response{}, nil
	}
	tokens := h.signIn(h.user, "openid", "email")
	id, access := h.claimsOf(tokens.IDToken), h.claimsOf(tokens.AccessToken)
	if id["email"] != "a@b.com" || id["cognito:groups"].([]any)[0] != "Admins" ||
		access["scope"] != "openid email" || tokens.User.Attributes["email"] != "a@b.com" {
		t.Errorf("claims = %v, %v", id, access)
	}
	if u, err := h.User(t.Context(), h.user.Sub); err != nil || u.Attributes["sub"] != "" {
		t.Errorf("user = %+v, %v", u, err)
	}
}

// TestPreTokenFails: a hook that fails lets no tokens out, and changes nothing.
func TestPreTokenFails(t *testing.T) {
	fails := func(err error) pretoken.Hook {
		return func(context.Context, pretoken.Event) (pretoken.Response, error) {
			return pretoken.Response{}, err
		}
	}
	panics := func(context.Context, pretoken.Event) (pretoken.Response, error) { panic("hush") }
	adds := func(name string, v any) pretoken.Hook {
		return pretoken.Response{IDToken: pretoken.Claims{Add: map[string]any{name: v}}}.Hook()
	}
	for name, c := range map[string]struct {
		hook          pretoken.Hook
		code, message string
	}{
		"an error": {fails(errors.New("no tenant")), UserLambdaValidation,
			"PreTokenGeneration failed with error no tenant."},
		"a panic": {panics, UserLambdaValidation,
			"PreTokenGeneration failed with error the hook panicked, see the log of the sandbox."},
		"no JSON":            {adds("x", math.Inf(1)), InvalidLambdaResponse, `"x"`},
		"a number too large": {adds("x", json.Number("1e999")), InvalidLambdaResponse, `"x"`},
		"null":               {adds("y", nil), InvalidLambdaResponse, `"y"`},
		"null in the access token": {pretoken.Response{AccessToken: pretoken.Claims{
			Add: map[string]any{"z": nil}}}.Hook(), InvalidLambdaResponse, `"z"`},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t, func(c *Config) { c.Clients[0].RotateRefreshTokens = true })
			ctx, good := t.Context(), h.hook
			first := h.signIn(h.user)
			check := func(what string, tokens *Tokens, err error) {
				t.Helper()
				want(t, what, err, c.code)
				if tokens != nil || err == nil || !strings.Contains(err.Error(), c.message) {
					t.Errorf("%s: %v, %v, want no tokens and %q", what, tokens, err, c.message)
				}
			}
			h.hook = c.hook
			tokens, err := h.IssueTokens(ctx, Grant{ClientID: clientID, Sub: h.user.Sub})
			check("a sign-in", tokens, err)
			tokens, err = h.Refresh(ctx, clientID, first.RefreshToken, nil)
			check("a refresh", tokens, err)
			// The refresh token has not been used up.
			h.hook = good
			_, err = h.Refresh(ctx, clientID, first.RefreshToken, nil)
			want(t, "a refresh that works", err, "")
		})
	}
}

// TestPreTokenMeanwhile: a session that ends while the hook runs gets no new refresh
// token, and of two refreshes during it, one gets tokens.
func TestPreTokenMeanwhile(t *testing.T) {
	h := newHooked(t, func(c *Config) { c.Clients[0].RotateRefreshTokens = true })
	ctx, good := t.Context(), h.hook
	during := func(f func()) {
		h.hook = func(context.Context, pretoken.Event) (pretoken.Response, error) {
			h.hook = good
			f()
			return pretoken.Response{}, nil
		}
	}
	first := h.signIn(h.user)
	during(func() { want(t, "signing out", h.GlobalSignOut(ctx, h.user.Sub), "") })
	_, err := h.Refresh(ctx, clientID, first.RefreshToken, nil)
	want(t, "a refresh of a session that ended", err, NotAuthorized)

	second := h.signIn(h.user)
	during(func() {
		h.clock.move(time.Second)
		_, err := h.Refresh(ctx, clientID, second.RefreshToken, nil)
		want(t, "the inner refresh", err, "")
	})
	_, err = h.Refresh(ctx, clientID, second.RefreshToken, nil)
	want(t, "the outer refresh", err, RefreshTokenReuse)

	during(func() { want(t, "disabling", h.SetEnabled(ctx, "a@b.com", false), "") })
	_, err = h.IssueTokens(ctx, Grant{ClientID: clientID, Sub: h.user.Sub})
	want(t, "a sign-in of a user who was disabled", err, NotAuthorized)
}
