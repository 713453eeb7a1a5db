package userpool

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// AccessToken is a verified access token.
type AccessToken struct {
	User     *User
	ClientID string
	Scopes   []string
}

// VerifyAccessToken returns the content of an access token. It refuses
// with [NotAuthorized] if the token is not one of this pool, has
// expired, was revoked, or lacks the scope. An empty scope demands none.
func (p *Pool) VerifyAccessToken(ctx context.Context, raw, scope string) (*AccessToken, error) {
	claims, err := p.parse(raw)
	if use, _ := claims["token_use"].(string); err == nil && use != "access" {
		err = errors.New("not an access token")
	}
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, refuse(NotAuthorized, "Access Token has expired")
	case err != nil:
		return nil, refuse(NotAuthorized, "Invalid Access Token")
	}
	// All tokens that the pool signed have these claims.
	sub, _ := claims["sub"].(string)
	originJTI, _ := claims["origin_jti"].(string)
	scopes, _ := claims["scope"].(string)
	at := &AccessToken{Scopes: strings.Fields(scopes)}
	at.ClientID, _ = claims["client_id"].(string)
	err = p.store.View(ctx, func(tx *store.Tx) error {
		s, err := tx.Session(originJTI)
		switch {
		case errors.Is(err, store.ErrNotFound) && p.isFromBefore(claims):
		case errors.Is(err, store.ErrNotFound), err == nil && s.Revoked:
			return refuse(NotAuthorized, "Access Token has been revoked")
		case err != nil:
			return err
		}
		at.User, err = mustBeActive(tx, sub)
		return err
	})
	if err != nil {
		return nil, err
	}
	if scope != "" && !slices.Contains(at.Scopes, scope) {
		return nil, refuse(NotAuthorized, "Access Token does not have required scopes")
	}
	return at, nil
}

// isFromBefore reports whether a token was issued before the pool was made. That is possible if the
// key file outlived a pool in memory, whose sessions are gone. Such tokens are valid until they
// expire, as they are to everybody who verifies them by the key set.
func (p *Pool) isFromBefore(claims jwt.MapClaims) bool {
	issued, err := claims.GetIssuedAt()
	return p.cfg.KeyFile != "" && err == nil && issued != nil && issued.Unix() <= p.created.Unix()
}

// ErrTokenExpired is the error of [Pool.VerifyToken] for a token that was good.
var ErrTokenExpired = jwt.ErrTokenExpired

// VerifyToken returns the claims of an access token or an ID token, as services find them that
// know the pool's keys alone: whether the session was revoked is not asked.
func (p *Pool) VerifyToken(raw string) (map[string]any, error) {
	claims, err := p.parse(raw)
	if err != nil {
		return nil, err
	}
	if use, _ := claims["token_use"].(string); use != "access" && use != "id" {
		return nil, errors.New("neither an access token nor an ID token")
	}
	return claims, nil
}

// UserInfo returns the claims that the scopes of an access token give access to: the body
// of /oauth2/userInfo. All values are text (Developer Guide, "The userInfo endpoint").
func (p *Pool) UserInfo(ctx context.Context, accessToken string) (map[string]string, error) {
	at, err := p.VerifyAccessToken(ctx, accessToken, "openid")
	if err != nil {
		return nil, err
	}
	info := map[string]string{}
	for name := range attributeClaims(at.User, at.Scopes) {
		info[name] = at.User.Attributes[name]
	}
	info["sub"], info["username"] = at.User.Sub, at.User.Username
	return info, nil
}
