package userpool

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// Grant describes the tokens to issue.
type Grant struct {
	ClientID string
	// Sub identifies the user.
	Sub string
	// Scopes are the scopes of an OAuth client. Nil means that the user signed in through the
	// API: then the scope is aws.cognito.signin.user.admin, and there is always an ID token.
	Scopes []string
	// AuthTime is the time of the sign-in. Zero means now.
	AuthTime time.Time
	// Nonce is copied to the ID token.
	Nonce string
	// Trigger tells the pre-token hook how the user signed in. The default
	// is [pretoken.HostedAuth] with Scopes, and else [pretoken.Authentication].
	Trigger pretoken.TriggerSource
	// ClientMetadata is for the pre-token hook.
	ClientMetadata map[string]string
}

// Tokens are the tokens of a new or refreshed session.
type Tokens struct {
	// User is the user of the tokens. It is nil for machine tokens.
	User *User
	// AccessToken is never empty. IDToken is empty without the scope openid.
	AccessToken, IDToken string
	// RefreshToken is empty after a refresh without rotation, and for machine tokens.
	RefreshToken string
	// ExpiresIn is the validity of the access token.
	ExpiresIn time.Duration
	Scopes    []string
}

// IssueTokens starts a session of a user.
func (p *Pool) IssueTokens(ctx context.Context, g Grant) (*Tokens, error) {
	client, err := p.Client(g.ClientID)
	if err != nil {
		return nil, err
	}
	now := p.Now()
	if g.AuthTime.IsZero() {
		g.AuthTime = now
	}
	s := &store.Session{
		OriginJTI: uuid.NewString(), Sub: g.Sub, ClientID: client.ID, EventID: uuid.NewString(),
		Scopes: g.Scopes, AuthTime: g.AuthTime, Expires: now.Add(client.RefreshTokenValidity),
	}
	if g.Trigger == "" && g.Scopes == nil {
		g.Trigger = pretoken.Authentication
	} else if g.Trigger == "" {
		g.Trigger = pretoken.HostedAuth
	}
	user, err := p.activeUser(ctx, g.Sub)
	if err != nil {
		return nil, err
	}
	changes, err := p.preToken(ctx, sessionEvent(g.Trigger, s, user, g.ClientMetadata))
	if err != nil {
		return nil, err
	}
	refreshToken := newRefreshToken()
	err = p.update(ctx, func(tx *store.Tx) error {
		if _, err := mustBeActive(tx, g.Sub); err != nil {
			return err
		}
		if err := tx.AddSession(s, now); err != nil {
			return err
		}
		return tx.AddRefreshToken(hashToken(refreshToken), s.OriginJTI)
	})
	if err != nil {
		return nil, err
	}
	return p.mint(client, s, user, changes, refreshToken, g.Nonce)
}

// AccessClaims returns what the access token would say that the user would get by signing in now.
// It starts no session.
func (p *Pool) AccessClaims(ctx context.Context, clientID, sub string) (map[string]any, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	user, err := p.activeUser(ctx, sub)
	if err != nil {
		return nil, err
	}
	s := &store.Session{OriginJTI: uuid.NewString(), Sub: sub, ClientID: client.ID,
		EventID: uuid.NewString(), AuthTime: p.Now()}
	changes, err := p.preToken(ctx, sessionEvent(pretoken.Authentication, s, user, nil))
	if err != nil {
		return nil, err
	}
	tokens, err := p.mint(client, s, user, changes, "", "")
	if err != nil {
		return nil, err
	}
	return p.VerifyToken(tokens.AccessToken)
}

// activeUser returns the user with that sub, or refuses if the user was deleted or disabled.
func (p *Pool) activeUser(ctx context.Context, sub string) (user *User, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		user, err = mustBeActive(tx, sub)
		return err
	})
	return user, err
}

// mustBeActive returns the user with that sub, or refuses if the user was deleted or disabled.
func mustBeActive(tx *store.Tx, sub string) (*User, error) {
	u, err := mustGet(tx, sub)
	if err != nil {
		return nil, err
	}
	if !u.Enabled {
		return nil, userDisabled()
	}
	return readUser(tx, u)
}

// mint signs the tokens of a session with these changes. It runs outside of
// transactions, because signing takes most of the time of a sign-in.
func (p *Pool) mint(client *Client, s *store.Session, user *User, changes pretoken.Response,
	refreshToken, nonce string) (*Tokens, error) {
	now, groups := p.Now(), groupClaims(user.Groups)
	if changes.Groups != nil {
		groups = *changes.Groups
	}
	t := &Tokens{User: user, RefreshToken: refreshToken, ExpiresIn: client.AccessTokenValidity}
	claims := p.accessClaims(client, s, user, groups, now)
	t.Scopes = p.changeAccess(claims, accessScopes(s), changes)
	var err error
	if t.AccessToken, err = p.sign(useAccess, claims); err != nil {
		return nil, err
	}
	if s.Scopes != nil && !slices.Contains(s.Scopes, "openid") {
		return t, nil
	}
	claims = p.idClaims(client, s, user, groups, now)
	p.changeID(claims, changes)
	if s.Scopes != nil { // OpenID Connect Core §3.1.3.6
		sum := sha256.Sum256([]byte(t.AccessToken))
		claims["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	t.IDToken, err = p.sign(useID, claims)
	return t, err
}

// Refresh returns new tokens for a refresh token of the client. If the
// client rotates refresh tokens, and a token is used again after its
// grace period, it was stolen or lost. Refresh then revokes its session.
// The metadata is for the pre-token hook. If the hook fails, the refresh token stays as it is.
func (p *Pool) Refresh(ctx context.Context, clientID, refreshToken string,
	metadata map[string]string) (*Tokens, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	hash := hashToken(refreshToken)
	s, user, err := p.refreshable(ctx, client, hash)
	if err != nil {
		return nil, err
	}
	changes, err := p.preToken(ctx, sessionEvent(pretoken.RefreshTokens, s, user, metadata))
	if err != nil {
		return nil, err
	}
	successor := ""
	if client.RotateRefreshTokens {
		// The new token belongs to the same session, and expires
		// with it (Developer Guide, "Refresh token rotation").
		successor = newRefreshToken()
		err = p.update(ctx, func(tx *store.Tx) error {
			// While the hook ran, another refresh may have used the token, or the session ended.
			now := p.Now()
			if _, _, err := refreshable(tx, client, hash, now); err != nil {
				return err
			}
			if err := tx.UseRefreshToken(hash, now); err != nil {
				return err
			}
			return tx.AddRefreshToken(hashToken(successor), s.OriginJTI)
		})
		if err != nil {
			return nil, err
		}
	}
	return p.mint(client, s, user, changes, successor, "")
}

// RefreshUser returns the user whom [Pool.Refresh] would return tokens of. It refuses like Refresh.
func (p *Pool) RefreshUser(ctx context.Context, clientID, refreshToken string) (*User, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	_, user, err := p.refreshable(ctx, client, hashToken(refreshToken))
	return user, err
}

// refreshable is the function of that name in a transaction of its own.
func (p *Pool) refreshable(ctx context.Context, client *Client, hash []byte) (
	s *store.Session, user *User, err error) {
	err = p.update(ctx, func(tx *store.Tx) (err error) {
		s, user, err = refreshable(tx, client, hash, p.Now())
		return err
	})
	return s, user, err
}

// refreshable returns the session and the user of a refresh token, or refuses.
func refreshable(tx *store.Tx, client *Client, hash []byte, now time.Time) (*store.Session, *User,
	error) {
	token, err := tx.RefreshToken(hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, refuse(NotAuthorized, "Invalid Refresh Token")
	} else if err != nil {
		return nil, nil, err
	}
	s, err := tx.Session(token.OriginJTI)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case s.ClientID != client.ID:
		return nil, nil, refuse(NotAuthorized, "Invalid Refresh Token")
	case s.Revoked:
		return nil, nil, refuse(NotAuthorized, "Refresh Token has been revoked")
	case !now.Before(s.Expires):
		return nil, nil, refuse(NotAuthorized, "Refresh Token has expired")
	case !token.Used.IsZero() && !now.Before(token.Used.Add(client.RotationGrace)):
		if err := tx.RevokeSession(s.OriginJTI); err != nil {
			return nil, nil, err
		}
		return nil, nil, committed{refuse(RefreshTokenReuse, "Refresh token reuse detected")}
	}
	user, err := mustBeActive(tx, s.Sub)
	return s, user, err
}

// Revoke ends the session of a refresh token. None of its tokens is
// valid afterwards. Unknown tokens are no error (RFC 7009 §2.2).
// Access and ID tokens are refused with [UnsupportedTokenType].
func (p *Pool) Revoke(ctx context.Context, clientID, refreshToken string) error {
	client, err := p.Client(clientID)
	if err != nil {
		return err
	}
	if strings.Count(refreshToken, ".") == 2 {
		return refuse(UnsupportedTokenType, "Unsupported token type.")
	}
	return p.update(ctx, func(tx *store.Tx) error {
		token, err := tx.RefreshToken(hashToken(refreshToken))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		s, err := tx.Session(token.OriginJTI)
		if err != nil {
			return err
		}
		if s.ClientID != client.ID {
			return refuse(NotAuthorized, "Invalid Refresh Token")
		}
		return tx.RevokeSession(s.OriginJTI)
	})
}

// GlobalSignOut ends all sessions of a user.
func (p *Pool) GlobalSignOut(ctx context.Context, sub string) error {
	return p.update(ctx, func(tx *store.Tx) error { return tx.RevokeSessionsOf(sub) })
}

// newRefreshToken returns a random text that looks like Cognito's refresh tokens, which
// are encrypted JWTs. It has the same length, because applications keep tokens in cookies.
func newRefreshToken() string {
	const header = `{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`
	parts := []string{base64.RawURLEncoding.EncodeToString([]byte(header))}
	for _, n := range []int{256, 12, 946, 16} { // encrypted key, nonce, text, tag: RFC 7516 §7.1
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails (crypto/rand)
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	return strings.Join(parts, ".")
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
