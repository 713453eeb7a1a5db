package cognito

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
)

// The values of token_use.
const (
	tokenUseAccess = "access"
	tokenUseID     = "id"
)

// maxTokenBytes bounds a token. A cookie, its name and attributes included, is not larger (RFC 6265 §6.1).
const maxTokenBytes = 4096

// parser only takes tokens apart and checks signatures. Algorithms are checked in keyFor, where each kind of
// refusal can have its reason.
var parser = jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())

// verified is a token whose signature, issuer, client and use are right. Whether its time has come or gone
// is asked whenever it is used.
type verified struct {
	raw    string
	claims *claims
	key    *key
}

// verify verifies raw, whose token_use must be use and whose client must be one of clients.
// The error matches [amplify.ErrUnauthenticated] if the token is no good.
func (c *Client) verify(ctx context.Context, raw, use string, clients ...string) (*verified, error) {
	if len(raw) > maxTokenBytes {
		return nil, malformed(fmt.Errorf("%d bytes are more than the %d of a cookie", len(raw), maxTokenBytes))
	}
	var signedBy *key
	cl := &claims{}
	_, err := parser.ParseWithClaims(raw, cl, func(t *jwt.Token) (any, error) {
		var err error
		if signedBy, err = c.keyFor(ctx, t, cl.Issuer); err != nil {
			return nil, err
		}
		return signedBy.public, nil
	})
	if err != nil {
		return nil, refusal(err)
	}
	switch {
	case cl.TokenUse != use:
		return nil, amplify.Unauthenticated(amplify.ReasonWrongTokenUse, nil)
	case !slices.Contains(clients, cl.ClientID):
		return nil, amplify.Unauthenticated(amplify.ReasonWrongClient, nil)
	case cl.Subject == "":
		return nil, malformed(errors.New("no sub"))
	}
	cl.TokenUse, cl.ClientID = use, clients[slices.Index(clients, cl.ClientID)]
	return newVerified(raw, cl, signedBy), nil
}

// newVerified returns a token that has been verified. Sessions are remembered by the thousands: texts that all tokens
// have in common are kept once.
func newVerified(raw string, cl *claims, signedBy *key) *verified {
	cl.Issuer = signedBy.set.issuer
	return &verified{raw, cl, signedBy}
}

// keyFor returns the key that t must be signed by. What t says is not yet trusted: it may only select among
// the issuers and keys that are known to be right. Keys inside the token (jwk, jku, x5c) are never looked at.
func (c *Client) keyFor(ctx context.Context, t *jwt.Token, issuer string) (*key, error) {
	if t.Method != jwt.SigningMethodRS256 {
		return nil, amplify.Unauthenticated(amplify.ReasonBadAlgorithm, nil)
	}
	if _, ok := t.Header["crit"]; ok { // RFC 7515 §4.1.11: extensions that one must understand, and we do not
		return nil, malformed(errors.New("critical header parameters"))
	}
	set := c.issuers[issuer]
	if set == nil {
		return nil, amplify.Unauthenticated(amplify.ReasonWrongIssuer, nil)
	}
	id, _ := t.Header["kid"].(string)
	if id == "" {
		return nil, amplify.Unauthenticated(amplify.ReasonUnknownKey, errors.New("the token names no key"))
	}
	return set.key(ctx, id)
}

// refusal translates an error of the parser. Its text is dropped: some of it quotes the token.
func refusal(err error) error {
	var e *amplify.Error
	switch {
	case errors.As(err, &e): // from keyFor
		return e
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return amplify.Unauthenticated(amplify.ReasonBadSignature, nil)
	case errors.Is(err, jwt.ErrTokenUnverifiable): // an algorithm that the parser does not know
		return amplify.Unauthenticated(amplify.ReasonBadAlgorithm, nil)
	default:
		return malformed(nil)
	}
}

func malformed(cause error) error {
	return amplify.Unauthenticated(amplify.ReasonMalformedToken, cause)
}
