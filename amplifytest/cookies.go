package amplifytest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// Cookies returns the cookies in which a browser keeps tokens as a session, for tests with a real
// browser or a real server. They are named as Amplify JS and the auth routes name them, for the app
// client of cfg and the user of the access token. Nothing is verified. A token that is empty gets
// no cookie.
//
// The cookies have no Domain, the Path "/", and are neither Secure nor HttpOnly, so that they serve
// over plain http and for Amplify JS as well.
//
// It returns an error if cfg has no app client, if the access token is not one of a user pool, and
// if a token is too large for a cookie.
func Cookies(cfg amplify.Config, tokens amplify.IssuedTokens) ([]*http.Cookie, error) {
	if cfg.Auth == nil || cfg.Auth.UserPoolClientID == "" {
		return nil, errors.New("amplifytest: the configuration has no app client: " +
			"set Config.Auth.UserPoolClientID")
	}
	user := payload(tokens.AccessToken.Reveal()).Username
	if user == "" {
		return nil, errors.New("amplifytest: the access token names no user: " +
			"give the access token of a sign-in, not the ID token")
	}
	prefix := sessionPrefix(cfg)
	entries := [][2]string{{prefix + sessionkey.LastAuthUser, user}}
	for _, token := range []struct {
		key   string
		value amplify.Secret
	}{
		{sessionkey.AccessToken, tokens.AccessToken},
		{sessionkey.IDToken, tokens.IDToken},
		{sessionkey.RefreshToken, tokens.RefreshToken},
	} {
		if !token.value.IsZero() {
			key := prefix + user + "." + token.key
			entries = append(entries, [2]string{key, token.value.Reveal()})
		}
	}
	var written cookieList
	kv := cookie.NewKeyValueStorage(&written, cookie.Options{Insecure: true})
	if err := kv.SetAll(entries...); err != nil {
		return nil, fmt.Errorf("amplifytest: %w", err)
	}
	return written, nil
}

// sessionPrefix begins the names of a session's cookies.
func sessionPrefix(cfg amplify.Config) string {
	return sessionkey.Prefix(cfg.Auth.UserPoolClientID)
}

// tokenClaims are the claims of an access token that this package reads.
type tokenClaims struct {
	Username  string `json:"username"`
	OriginJTI string `json:"origin_jti"`
	Expires   int64  `json:"exp"`
}

// payload returns the claims of a token, without a look at its signature. They are zero if it is
// none.
func payload(token string) (claims tokenClaims) {
	if parts := strings.Split(token, "."); len(parts) == 3 {
		if b, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(b, &claims)
		}
	}
	return claims
}

// cookieList is a [cookie.Store] of a browser without cookies.
type cookieList []*http.Cookie

func (l *cookieList) CookieHeader() []string { return nil }
func (l *cookieList) Set(c *http.Cookie)     { *l = append(*l, c) }
