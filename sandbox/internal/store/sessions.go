package store

import (
	"database/sql"
	"strings"
	"time"
)

// Session is a session of a user, which begins with a
// sign-in. Its tokens name it in the claim origin_jti.
type Session struct {
	OriginJTI, Sub, ClientID, EventID string
	// Scopes is nil for sign-ins through the API.
	Scopes            []string
	AuthTime, Expires time.Time
	Revoked           bool
}

// RefreshToken is a refresh token. The store has only its hash.
type RefreshToken struct {
	OriginJTI string
	// Used is the time at which the token was replaced. It is zero if the token was not replaced.
	Used time.Time
}

// Session returns a session.
func (tx *Tx) Session(originJTI string) (*Session, error) {
	return one(tx, func(r scanner) (*Session, error) {
		s := &Session{}
		var scopes sql.NullString
		err := r.Scan(&s.OriginJTI, &s.Sub, &s.ClientID, &s.EventID, &scopes, asTime(&s.AuthTime), asTime(&s.Expires), &s.Revoked)
		if scopes.Valid {
			s.Scopes = strings.Fields(scopes.String)
		}
		return s, err
	}, "SELECT origin_jti, sub, client_id, event_id, scopes, auth_time, expires, revoked FROM sessions WHERE origin_jti = ?", originJTI)
}

// AddSession adds a session, and deletes sessions that expired more than
// a day ago. Until then their tokens can be told from invented ones.
func (tx *Tx) AddSession(s *Session, now time.Time) error {
	if err := tx.exec("DELETE FROM sessions WHERE expires <= ?", now.AddDate(0, 0, -1).UnixMilli()); err != nil {
		return err
	}
	var scopes any
	if s.Scopes != nil {
		scopes = strings.Join(s.Scopes, " ")
	}
	return tx.exec("INSERT INTO sessions (origin_jti, sub, client_id, event_id, scopes, auth_time, expires, revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		s.OriginJTI, s.Sub, s.ClientID, s.EventID, scopes, s.AuthTime.UnixMilli(), s.Expires.UnixMilli(), s.Revoked)
}

// RevokeSession revokes a session. It does nothing if there is no such session.
func (tx *Tx) RevokeSession(originJTI string) error {
	return tx.exec("UPDATE sessions SET revoked = 1 WHERE origin_jti = ?", originJTI)
}

// RevokeSessionsOf revokes all sessions of a user.
func (tx *Tx) RevokeSessionsOf(sub string) error {
	return tx.exec("UPDATE sessions SET revoked = 1 WHERE sub = ?", sub)
}

// RefreshToken returns the refresh token with that hash.
func (tx *Tx) RefreshToken(hash []byte) (RefreshToken, error) {
	return one(tx, func(r scanner) (RefreshToken, error) {
		var t RefreshToken
		err := r.Scan(&t.OriginJTI, asTime(&t.Used))
		return t, err
	}, "SELECT origin_jti, used FROM refresh_tokens WHERE hash = ?", hash)
}

// AddRefreshToken adds a refresh token to a session.
func (tx *Tx) AddRefreshToken(hash []byte, originJTI string) error {
	return tx.exec("INSERT INTO refresh_tokens (hash, origin_jti) VALUES (?, ?)", hash, originJTI)
}

// UseRefreshToken records the time at which a refresh
// token was replaced. Only the first time counts.
func (tx *Tx) UseRefreshToken(hash []byte, now time.Time) error {
	return tx.exec("UPDATE refresh_tokens SET used = ? WHERE hash = ? AND used IS NULL", now.UnixMilli(), hash)
}
