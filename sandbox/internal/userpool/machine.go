package userpool

import (
	"context"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// MachineGrant describes an access token for a client itself.
type MachineGrant struct {
	ClientID string
	// Scopes are some of the client's. Nil means all of them.
	Scopes []string
	// ClientMetadata is for the pre-token hook.
	ClientMetadata map[string]string
}

// IssueMachineToken returns an access token for a client with client credentials. It belongs to no
// user and no session, so that it is valid until it expires. The caller has authenticated the
// client and checked the scopes.
func (p *Pool) IssueMachineToken(ctx context.Context, g MachineGrant) (*Tokens, error) {
	client, err := p.Client(g.ClientID)
	if err != nil {
		return nil, err
	}
	if g.Scopes == nil {
		g.Scopes = client.Scopes
	}
	changes, err := p.preToken(ctx, pretoken.Event{
		TriggerSource: pretoken.ClientCredentials, ClientID: client.ID,
		UserAttributes: map[string]string{}, Scopes: g.Scopes, ClientMetadata: g.ClientMetadata,
	})
	if err != nil {
		return nil, err
	}
	now := p.Now()
	claims := jwt.MapClaims{ // Developer Guide, "Understanding the access token"
		"sub": client.ID, "client_id": client.ID, "token_use": useAccess, "version": 2,
		"iss": p.Issuer(), "auth_time": now.Unix(), "iat": now.Unix(),
		"exp": now.Add(client.AccessTokenValidity).Unix(), "jti": uuid.NewString(),
		"scope": strings.Join(g.Scopes, " "),
	}
	t := &Tokens{ExpiresIn: client.AccessTokenValidity}
	t.Scopes = p.changeAccess(claims, g.Scopes, changes)
	t.AccessToken, err = p.sign(useAccess, claims)
	return t, err
}
