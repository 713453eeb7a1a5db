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
)

// Grant says which tokens to issue.
type Grant struct {
	ClientID string
	// Sub is the user's.
	Sub string
	// Scopes are those that an OAuth client was granted. Nil: the user signed in through the
	// API, which gives the scope aws.cognito.signin.user.admin and always an ID token.
	Scopes []string
	// AuthTime is when the user proved who they are. Zero: now.
	AuthTime time.Time
	// Nonce is copied to the ID token.
	Nonce string
}

// Tokens are the tokens of a new or refreshed session.
type Tokens struct {
	// User is whose tokens they are.
	User *User
	// AccessToken is always there; IDToken is empty without the scope openid.
	AccessToken, IDToken string
	// RefreshToken is empty after a refresh that did not rotate it.
	RefreshToken string
	// ExpiresIn is the access token's.
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
	refreshToken := newRefreshToken()
	var user *User
	err = p.update(ctx, func(tx *store.Tx) error {
		if user, err = mustBeActive(tx, g.Sub); err != nil {
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
	return p.mint(client, s, user, refreshToken, g.Nonce)
}

// mustBeActive returns the user with that sub unless it is gone or disabled.
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

// mint signs the tokens of a session. It is called outside of transactions, since it takes the
// better part of the time of a sign-in.
func (p *Pool) mint(client *Client, s *store.Session, user *User, refreshToken, nonce string) (*Tokens, error) {
	now := p.Now()
	t := &Tokens{User: user, RefreshToken: refreshToken, ExpiresIn: client.AccessTokenValidity, Scopes: s.Scopes}
	if s.Scopes == nil {
		t.Scopes = []string{AdminScope}
	}
	var err error
	if t.AccessToken, err = p.sign(useAccess, p.accessClaims(client, s, user, now)); err != nil {
		return nil, err
	}
	if s.Scopes != nil && !slices.Contains(s.Scopes, "openid") {
		return t, nil
	}
	claims := p.idClaims(client, s, user, now)
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

// Refresh returns new tokens for a refresh token of the client. Where the client rotates refresh tokens, a token
// that is used again after its grace period has been stolen or lost: its session is revoked.
func (p *Pool) Refresh(ctx context.Context, clientID, refreshToken string) (*Tokens, error) {
	client, err := p.Client(clientID)
	if err != nil {
		return nil, err
	}
	var s *store.Session
	var user *User
	successor, now, hash := "", p.Now(), hashToken(refreshToken)
	err = p.update(ctx, func(tx *store.Tx) error {
		token, err := tx.RefreshToken(hash)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(NotAuthorized, "Invalid Refresh Token")
		} else if err != nil {
			return err
		}
		if s, err = tx.Session(token.OriginJTI); err != nil {
			return err
		}
		switch {
		case s.ClientID != client.ID:
			return refuse(NotAuthorized, "Invalid Refresh Token")
		case s.Revoked:
			return refuse(NotAuthorized, "Refresh Token has been revoked")
		case !now.Before(s.Expires):
			return refuse(NotAuthorized, "Refresh Token has expired")
		case !token.Used.IsZero() && !now.Before(token.Used.Add(client.RotationGrace)):
			if err := tx.RevokeSession(s.OriginJTI); err != nil {
				return err
			}
			return keeping{refuse(RefreshTokenReuse, "Refresh token reuse detected")}
		}
		if user, err = mustBeActive(tx, s.Sub); err != nil {
			return err
		}
		if !client.RotateRefreshTokens {
			return nil
		}
		// The successor shares the session and thereby the moment at which it ends
		// (Developer Guide, "Refresh token rotation").
		successor = newRefreshToken()
		if err := tx.UseRefreshToken(hash, now); err != nil {
			return err
		}
		return tx.AddRefreshToken(hashToken(successor), s.OriginJTI)
	})
	if err != nil {
		return nil, err
	}
	return p.mint(client, s, user, successor, "")
}

// Revoke ends the session that a refresh token belongs to: no token of it is good any more. Unknown
// tokens are no error (RFC 7009 §2.2); access and ID tokens are, with [UnsupportedTokenType].
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

// newRefreshToken returns a random text that looks like Cognito's refresh tokens, which are encrypted JWTs, and is
// as long, since the size of cookies matters to those who keep them there.
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
