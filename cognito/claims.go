package cognito

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
)

// claims are what the library reads from a token's payload. It implements [jwt.Claims] for the
// parser's sake. Times are judged whenever a token is used, not when it is parsed.
type claims struct {
	amplify.Claims
	jwt.MapClaims // always nil: it only lends its methods

	notBefore time.Time
	originJTI string
}

// UnmarshalJSON reads a payload. Claims are matched by their exact names: encoding/json ignores
// case when it fills a struct, and a Lambda trigger may have added a claim called "Sub".
//
// Of the claims that decide about a session each must have its type. The others may be anything,
// since triggers can set them: one of another type counts as absent, and stays in
// [amplify.Token.Decode].
func (c *claims) UnmarshalJSON(payload []byte) error {
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
	need("iss", &c.Issuer)
	need("sub", &c.Subject)
	need("token_use", &c.TokenUse)
	if c.TokenUse == tokenUseID {
		need("aud", &c.ClientID)
		need("cognito:username", &c.Username)
	} else {
		need("client_id", &c.ClientID)
		need("username", &c.Username)
	}
	need("iat", (*numericDate)(&c.IssuedAt))
	need("exp", (*numericDate)(&c.ExpiresAt))
	need("nbf", (*numericDate)(&c.notBefore))

	c.AuthTime = time.Time(optional[numericDate](all["auth_time"]))
	c.Name = optional[string](all["name"])
	c.Email = optional[string](all["email"])
	c.Groups = optional[[]string](all["cognito:groups"])
	c.Scopes = strings.Fields(optional[string](all["scope"]))
	c.originJTI = optional[string](all["origin_jti"])
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
