package identity

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// login is the content of a verified ID token.
type login struct {
	provider, sub, username string
	groups                  []string
	// roles are the roles that the user may assume, and
	// preferred is the one that the user pool chose.
	roles     []string
	preferred string
}

// idClaims are the claims of an ID token that the pool uses.
type idClaims struct {
	jwt.RegisteredClaims
	TokenUse  string   `json:"token_use"`
	OriginJTI string   `json:"origin_jti"`
	Username  string   `json:"cognito:username"`
	Groups    []string `json:"cognito:groups"`
	Roles     []string `json:"cognito:roles"`
	Preferred string   `json:"cognito:preferred_role"`
}

// maxLogins is the largest number of logins in a call (API Reference, GetId).
const maxLogins = 10

// verify verifies the ID tokens in logins, which are keyed by the
// name of the provider. It refuses all of them if one is not valid.
func (p *Pool) verify(ctx context.Context, logins map[string]string) ([]login, error) {
	if len(logins) > maxLogins {
		return nil, refuse(Validation, "1 validation error detected: Value at 'logins' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxLogins)
	}
	var verified []login
	for _, name := range slices.Sorted(maps.Keys(logins)) {
		l, err := p.verifyToken(ctx, name, logins[name])
		if err != nil {
			return nil, err
		}
		verified = append(verified, l)
	}
	return verified, nil
}

// verifyToken verifies one ID token.
func (p *Pool) verifyToken(ctx context.Context, name, token string) (login, error) {
	if len(p.cfg.Providers) == 0 {
		return login{}, loginsDoNotMatch()
	}
	// Cognito checks the token's claimed origin before it looks for the key.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	var claimed idClaims
	_, _, err := parser.ParseUnverified(token, &claimed)
	switch {
	case err != nil && !strings.HasPrefix(name, "cognito-idp."):
		return login{}, refuse(InvalidParameter, "Please provide a valid public provider")
	case err != nil:
		return login{}, invalidToken("Not a valid OpenId Connect identity token.")
	case strings.TrimPrefix(claimed.Issuer, "https://") != name:
		return login{}, invalidToken("Issuer doesn't match providerName")
	case len(claimed.Audience) == 0: // an access token
		return login{}, invalidToken("Missing a required claim: aud")
	}
	at := slices.IndexFunc(p.cfg.Providers, func(p Provider) bool {
		return p.UserPool.Issuer() == claimed.Issuer && slices.Contains(p.ClientIDs, claimed.Audience[0])
	})
	if at < 0 {
		return login{}, refuse(NotAuthorized, "Token is not from a supported provider of this identity pool.")
	}
	from := p.cfg.Providers[at]

	var c idClaims
	_, err = parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if key := from.UserPool.PublicKey(kid); key != nil {
			return key, nil
		}
		return nil, errors.New("no such key")
	})
	now := p.cfg.Clock()
	switch {
	case err != nil:
		return login{}, invalidToken("Couldn't verify signed token.")
	case c.TokenUse != "id" || c.Subject == "" || c.ExpiresAt == nil:
		return login{}, invalidToken("Not a valid OpenId Connect identity token.")
	case !now.Before(c.ExpiresAt.Time):
		return login{}, invalidToken("Token expired: %d >= %d", now.Unix(), c.ExpiresAt.Unix())
	}
	if from.ServerSideTokenCheck {
		signedIn, err := from.UserPool.SignedIn(ctx, c.OriginJTI)
		if err != nil {
			return login{}, err
		}
		if !signedIn {
			// The code is from the API Reference (CognitoIdentityProvider),
			// and the message is the sandbox's own.
			return login{}, invalidToken("Token has been revoked.")
		}
	}
	return login{
		provider: name, sub: c.Subject, username: c.Username,
		groups: c.Groups, roles: c.Roles, preferred: c.Preferred,
	}, nil
}
