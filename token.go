package amplify

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Token is a verified JSON Web Token of a user pool. It prints as "[redacted]"; Reveal
// gives the text to send on. A Token is immutable and safe for concurrent use. A nil Token is a
// token that the session does not have: it has no text and no claims.
type Token struct {
	raw    hidden
	claims *Claims // shared by all requests of a session
}

// Claims are the claims that the library itself looks at. [Token.Decode] reads others.
type Claims struct {
	Subject   string // sub
	Username  string // username of an access token, cognito:username of an ID token
	Issuer    string // iss
	ClientID  string // client_id of an access token, aud of an ID token
	TokenUse  string // "access" or "id"
	IssuedAt  time.Time
	ExpiresAt time.Time
	AuthTime  time.Time
	Scopes    []string // scope, split at spaces
	Groups    []string // cognito:groups

	// Name and Email greet users; "" in access tokens, and where the app client may not read the
	// attribute. They are what users say of themselves. Whether an address is verified stands in
	// email_verified: see [Token.Decode].
	Name, Email string
}

// NewToken returns a Token of raw whose claims are claims. It verifies nothing: it is
// for token providers, once they have. The token keeps claims, which must not change any more.
func NewToken(raw string, claims *Claims) *Token {
	return &Token{hide(raw), claims}
}

// Reveal returns the token as it is sent to AWS services. It returns "" if t is nil.
func (t *Token) Reveal() string {
	if t == nil {
		return ""
	}
	return t.raw.reveal()
}

// Claims returns the claims that the library looks at. Their slices are shared by all requests of
// the session; the caller must not change them. It returns no claims if t is nil.
func (t *Token) Claims() Claims {
	if t == nil || t.claims == nil {
		return Claims{}
	}
	return *t.claims
}

// Decode unmarshals the token's payload, a JSON object with all claims, into v. It returns an error
// if t is nil. The payload is decoded from the token each time: keeping it would nearly double what
// a known session costs.
func (t *Token) Decode(v any) error {
	if t == nil {
		return errors.New("amplify: decoding the claims of a token: there is no token. " +
			"Sessions of bearer tokens, for instance, have no ID token")
	}
	_, rest, _ := strings.Cut(t.Reveal(), ".")
	payload, _, ok := strings.Cut(rest, ".")
	if !ok {
		return errors.New("amplify: decoding the claims of a token: not a JWT")
	}
	b, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return fmt.Errorf("amplify: decoding the claims of a token: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("amplify: decoding the claims of a token: %w", err)
	}
	return nil
}

// String returns "[redacted]".
func (*Token) String() string { return redacted }

// GoString returns "[redacted]".
func (*Token) GoString() string { return redacted }

// Format writes "[redacted]", whatever the verb.
func (*Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]".
func (*Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string.
func (*Token) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns "[redacted]".
func (*Token) LogValue() slog.Value { return slog.StringValue(redacted) }
