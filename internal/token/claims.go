package token

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are the claims that callers see. The types of that name in packages amplify and verify
// have the same fields, so that one converts to the other.
type Claims struct {
	Subject     string // sub
	Username    string // username of an access token, cognito:username of an ID token
	Issuer      string // iss
	ClientID    string // client_id of an access token, aud of an ID token
	TokenUse    string // "access" or "id"
	IssuedAt    time.Time
	ExpiresAt   time.Time
	AuthTime    time.Time
	Scopes      []string
	Groups      []string
	Name, Email string
}

// Payload is what the library reads from a token's payload. It implements [jwt.Claims] for the
// parser's sake. Times are judged whenever a token is used, not when it is parsed.
type Payload struct {
	Claims
	jwt.MapClaims // always nil: it only lends its methods

	NotBefore time.Time
	OriginJTI string
}

// sameUser reports whether an access and an ID token belong to one user.
func sameUser(access, id *Claims) bool {
	return access.Subject == id.Subject && access.Username == id.Username
}

// Span returns from when to when tokens count together: from the latest nbf, which is zero if there
// is none, to the earliest exp.
func Span(tokens ...*Payload) (notBefore, expires time.Time) {
	for i, t := range tokens {
		if t.NotBefore.After(notBefore) {
			notBefore = t.NotBefore
		}
		if i == 0 || t.ExpiresAt.Before(expires) {
			expires = t.ExpiresAt
		}
	}
	return notBefore, expires
}

// UnmarshalJSON reads a payload. Claims are matched by their exact names: encoding/json ignores
// case when it fills a struct, and a Lambda trigger may have added a claim called "Sub".
//
// Of the claims that decide about a session each must have its type. The others may be anything,
// since triggers can set them: one of another type counts as absent, and stays in the payload.
func (p *Payload) UnmarshalJSON(payload []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return err
	}
	var errs []error
	need := func(name string, v any) {
		if raw, ok := all[name]; ok {
			errs = append(errs, json.Unmarshal(raw, v))
		}
	}
	need("iss", &p.Issuer)
	need("sub", &p.Subject)
	need("token_use", &p.TokenUse)
	if p.TokenUse == UseID {
		need("aud", &p.ClientID)
		need("cognito:username", &p.Username)
	} else {
		need("client_id", &p.ClientID)
		need("username", &p.Username)
	}
	need("iat", (*numericDate)(&p.IssuedAt))
	need("exp", (*numericDate)(&p.ExpiresAt))
	need("nbf", (*numericDate)(&p.NotBefore))

	p.AuthTime = time.Time(optional[numericDate](all["auth_time"]))
	p.Name = optional[string](all["name"])
	p.Email = optional[string](all["email"])
	p.Groups = optional[[]string](all["cognito:groups"])
	p.Scopes = strings.Fields(optional[string](all["scope"]))
	p.OriginJTI = optional[string](all["origin_jti"])
	return errors.Join(errs...)
}

// optional returns the value of a claim, or the zero value if it is absent or not a T as a whole.
func optional[T any](raw json.RawMessage) (value T) {
	var v T
	if raw != nil && json.Unmarshal(raw, &v) == nil {
		return v
	}
	return value
}

// numericDate is a time as RFC 7519 §2 writes it: seconds since 1970, possibly with a fraction.
type numericDate time.Time

func (d *numericDate) UnmarshalJSON(b []byte) error {
	if string(b) == "null" { // counts as absent, as encoding/json has it for a text
		return nil
	}
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil {
		return err
	}
	const year10000 = 253402300800
	if seconds < 0 || seconds >= year10000 {
		return errors.New("a time out of range")
	}
	*d = numericDate(time.Unix(int64(seconds), 0))
	return nil
}
