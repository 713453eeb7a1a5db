package userpool

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// AdminScope is the scope of access tokens that can call the user pools API for their user.
const AdminScope = "aws.cognito.signin.user.admin"

// commonClaims returns the claims that both tokens of a session have (Developer
// Guide, "Understanding the access token", "Understanding the identity (ID) token").
func (p *Pool) commonClaims(s *store.Session, u *User, names []string, use string, now time.Time, life time.Duration) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub": u.Sub, "iss": p.Issuer(), "origin_jti": s.OriginJTI, "event_id": s.EventID, "token_use": use,
		"auth_time": s.AuthTime.Unix(), "iat": now.Unix(), "exp": now.Add(life).Unix(), "jti": uuid.NewString(),
	}
	if len(names) > 0 {
		claims["cognito:groups"] = names
	}
	return claims
}

// accessClaims returns the claims of the access token. Of groups, it has the names.
func (p *Pool) accessClaims(c *Client, s *store.Session, u *User, groups pretoken.Groups, now time.Time) jwt.MapClaims {
	claims := p.commonClaims(s, u, groups.Names, "access", now, c.AccessTokenValidity)
	claims["client_id"], claims["username"] = c.ID, u.Username
	claims["scope"] = strings.Join(accessScopes(s), " ")
	if s.Scopes != nil {
		claims["version"] = 2 // seen in tokens of managed login only
	}
	return claims
}

// accessScopes returns the scopes of a session's access tokens.
func accessScopes(s *store.Session) []string {
	if s.Scopes == nil {
		return []string{AdminScope}
	}
	return s.Scopes
}

func (p *Pool) idClaims(c *Client, s *store.Session, u *User, groups pretoken.Groups, now time.Time) jwt.MapClaims {
	claims := p.commonClaims(s, u, groups.Names, "id", now, c.IDTokenValidity)
	claims["aud"], claims["cognito:username"] = c.ID, u.Username
	if len(groups.Roles) > 0 {
		claims["cognito:roles"] = groups.Roles
	}
	if groups.PreferredRole != "" {
		claims["cognito:preferred_role"] = groups.PreferredRole
	}
	for name, value := range attributeClaims(u, s.Scopes) {
		claims[name] = value
	}
	return claims
}

// groupClaims returns what tokens say of groups.
func groupClaims(groups []Group) pretoken.Groups {
	g := pretoken.Groups{PreferredRole: preferredRole(groups)}
	for _, group := range groups {
		g.Names = append(g.Names, group.Name)
		if group.RoleARN != "" {
			g.Roles = append(g.Roles, group.RoleARN)
		}
	}
	return g
}

// preferredRole returns the role of the group with the lowest precedence, or "" if groups with
// different roles share that precedence (Developer Guide, "Assigning precedence values to groups").
func preferredRole(groups []Group) string {
	if len(groups) == 0 || groups[0].Precedence == nil {
		return ""
	}
	role := groups[0].RoleARN
	for _, g := range groups[1:] {
		if g.Precedence != nil && *g.Precedence == *groups[0].Precedence && g.RoleARN != role {
			return ""
		}
	}
	return role
}

// attributeClaims returns the user's attributes that the scopes
// give access to, as claims (Developer Guide, "OAuth 2.0 scopes").
// With openid alone, or without scopes, these are all attributes.
func attributeClaims(u *User, scopes []string) map[string]any {
	has := func(scope string) bool { return slices.Contains(scopes, scope) }
	every := !has("profile") && !has("email") && !has("phone")
	claims := map[string]any{}
	for name, text := range u.Attributes {
		switch name {
		case "email", "email_verified":
			if !every && !has("email") {
				continue
			}
		case "phone_number", "phone_number_verified":
			if !every && !has("phone") {
				continue
			}
		default:
			if !every && !has("profile") {
				continue
			}
		}
		claims[name] = claimValue(name, text)
	}
	if claims["identities"] != nil {
		claims["identities"] = u.Identities
	}
	return claims
}

// claimValue converts an attribute to the type of its claim in OpenID Connect Core §5.1.
func claimValue(name, text string) any {
	switch name {
	case "email_verified", "phone_number_verified":
		return text == "true"
	case "updated_at":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case "address":
		return map[string]string{"formatted": text}
	}
	return text
}
