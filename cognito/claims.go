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
// parser's sake; the times are judged whenever a token is used, not when it is parsed.
type claims struct {
	amplify.Claims
	jwt.MapClaims // always nil: it only lends its methods

	notBefore time.Time
	// aliases are the names other than the username that the user may have signed in with.
	aliases [3]string // email, phone_number, preferred_username
}

// UnmarshalJSON reads a payload. Claims are matched by their exact names: encoding/json ignores case when it
// fills a struct, and a Lambda trigger may have added a claim called "Sub".
func (c *claims) UnmarshalJSON(payload []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return err
	}
	var errs []error
	read := func(name string, v any) {
		if raw, ok := all[name]; ok {
			errs = append(errs, json.Unmarshal(raw, v))
		}
	}
	read("iss", &c.Issuer)
	read("sub", &c.Subject)
	read("token_use", &c.TokenUse)
	if c.TokenUse == tokenUseID {
		read("aud", &c.ClientID)
		read("cognito:username", &c.Username)
		read("email", &c.aliases[0])
		read("phone_number", &c.aliases[1])
		read("preferred_username", &c.aliases[2])
	} else {
		read("client_id", &c.ClientID)
		read("username", &c.Username)
	}
	read("cognito:groups", &c.Groups)
	var scope string
	read("scope", &scope)
	c.Scopes = strings.Fields(scope)
	read("iat", (*numericDate)(&c.IssuedAt))
	read("exp", (*numericDate)(&c.ExpiresAt))
	read("auth_time", (*numericDate)(&c.AuthTime))
	read("nbf", (*numericDate)(&c.notBefore))
	return errors.Join(errs...)
}

// numericDate is a time as RFC 7519 §2 writes it: seconds since 1970, possibly with a fraction.
type numericDate time.Time

func (d *numericDate) UnmarshalJSON(b []byte) error {
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
