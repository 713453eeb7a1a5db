package userpool

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// TestMachineToken: what the pre-token hook is asked and may change.
func TestMachineToken(t *testing.T) {
	const id = "machine"
	var event pretoken.Event
	var fails error
	f, ctx := newFixture(t, func(c *Config) {
		c.ResourceServers = []ResourceServer{{"photos", []string{"read", "write"}}}
		c.Clients = append(c.Clients, Client{ID: id, Secret: "s", ClientCredentials: true,
			Scopes: []string{"photos/read", "photos/write"}})
		c.PreToken = func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
			event = e
			return pretoken.Response{
				AccessToken: pretoken.Claims{
					Add: map[string]any{"tenant": "acme", "sub": "x", "username": "y"}},
				IDToken:   pretoken.Claims{Add: map[string]any{"of": "users"}},
				AddScopes: []string{"photos/list"}, SuppressScopes: []string{"photos/write"},
				Groups: &pretoken.Groups{Names: []string{"Admins"}},
			}, fails
		}
	}), t.Context()
	metadata := map[string]string{"for": "nightly job"}
	got, err := f.IssueMachineToken(ctx, MachineGrant{ClientID: id, ClientMetadata: metadata})
	if err != nil {
		t.Fatal(err)
	}
	wantEvent := pretoken.Event{TriggerSource: pretoken.ClientCredentials, Region: "eu-west-1",
		UserPoolID: f.Config().ID, ClientID: id, UserAttributes: map[string]string{},
		Scopes: []string{"photos/read", "photos/write"}, ClientMetadata: metadata}
	if diff := cmp.Diff(wantEvent, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	now := float64(f.Now().Unix())
	claims := map[string]any(f.claimsOf(got.AccessToken))
	if claims["jti"] == "" || got.IDToken != "" || got.RefreshToken != "" || got.User != nil {
		t.Errorf("tokens: %+v", got)
	}
	delete(claims, "jti")
	if diff := cmp.Diff(map[string]any{
		"sub": id, "client_id": id, "token_use": "access", "version": 2.0, "iss": f.Issuer(),
		"auth_time": now, "iat": now, "exp": now + 3600,
		"scope": "photos/read photos/list", "tenant": "acme",
	}, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if _, err := f.VerifyAccessToken(ctx, got.AccessToken, ""); CodeOf(err) != NotAuthorized {
		t.Errorf("the token of a machine passes for that of a user: %v", err)
	}
	fails = errors.New("no tenant")
	_, err = f.IssueMachineToken(ctx, MachineGrant{ClientID: id})
	want(t, "a hook that fails", err, UserLambdaValidation)
}
