package cognito

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
)

// The values of token_use.
const (
	tokenUseAccess = "access"
	tokenUseID     = "id"
)

const (
	// maxTokenBytes bounds a token. Cookies hold a quarter of that; bearer tokens and other
	// storages may hold more than a cookie.
	maxTokenBytes = 16 << 10
	// maxSignatureChecks bounds how many signatures are checked for one request. The session of a
	// browser takes two.
	maxSignatureChecks = 8
)

// parser takes tokens apart. Signatures are checked apart from it, after everything that costs
// less.
var parser = jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())

// verified is a token whose signature, issuer, client and use are right. Whether it has expired is
// asked whenever it is used.
type verified struct {
	raw     string
	claims  *claims
	key     *key
	lineage sessionID
}

// pair is an access and an ID token of one user.
type pair struct{ access, id *verified }

// verifier verifies the tokens that one request presents: each distinct one once, and at most
// [maxSignatureChecks] signatures. It is not safe for concurrent use.
type verifier struct {
	client   *Client
	maxBytes int // of a token
	checks   int // signature checks so far
	known    []*token
}

// token is a token on its way through a verifier.
type token struct {
	raw    string
	claims *claims
	keyID  string
	err    error // why it is refused, or cannot be judged now

	checked bool // its signature
	key     *key
}

// read takes raw apart and judges what needs no signature: its spelling, algorithm, issuer, client
// and use. Nothing of it is trusted yet.
func (v *verifier) read(raw, use string, clients ...string) *token {
	for _, t := range v.known {
		if t.raw == raw && (t.claims == nil || t.claims.TokenUse == use) {
			return t
		}
	}
	t := &token{raw: raw}
	t.err = v.readToken(t, use, clients)
	v.known = append(v.known, t)
	return t
}

func (v *verifier) readToken(t *token, use string, clients []string) error {
	if len(t.raw) > v.maxBytes {
		return errTokenTooLarge(len(t.raw), v.maxBytes)
	}
	if !isSpelledRight(t.raw) {
		return malformed(nil)
	}
	cl := &claims{}
	parsed, _, err := parser.ParseUnverified(t.raw, cl)
	switch {
	case errors.Is(err, jwt.ErrTokenUnverifiable): // an algorithm that the parser does not know
		return amplify.Unauthenticated(amplify.ReasonBadAlgorithm, nil)
	case err != nil:
		return malformed(nil) // without the parser's text, which may quote the token
	case parsed.Method != jwt.SigningMethodRS256:
		return amplify.Unauthenticated(amplify.ReasonBadAlgorithm, nil)
	}
	if _, ok := parsed.Header["crit"]; ok {
		// RFC 7515 §4.1.11: extensions that must be understood. We understand none.
		return malformed(errors.New("critical header parameters"))
	}
	set := v.client.issuers[cl.Issuer]
	if set == nil {
		return amplify.Unauthenticated(amplify.ReasonWrongIssuer, nil)
	}
	t.keyID, _ = parsed.Header["kid"].(string)
	switch {
	case t.keyID == "":
		return amplify.Unauthenticated(amplify.ReasonUnknownKey, errors.New("the token names no key"))
	case !set.mayHave(t.keyID):
		return amplify.Unauthenticated(amplify.ReasonUnknownKey, nil)
	case cl.TokenUse != use:
		return amplify.Unauthenticated(amplify.ReasonWrongTokenUse, nil)
	case !slices.Contains(clients, cl.ClientID):
		return amplify.Unauthenticated(amplify.ReasonWrongClient, nil)
	case cl.Subject == "":
		return malformed(errors.New("no sub"))
	}
	// Sessions are remembered by the thousands. Texts that all tokens share are kept once.
	cl.Issuer, cl.TokenUse, cl.ClientID = set.issuer, use, clients[slices.Index(clients, cl.ClientID)]
	t.claims = cl
	return nil
}

// verify checks the signature of t, unless that has been done. The key comes from the issuer's key
// set: keys inside the token (jwk, jku, x5c) are never looked at. The error matches
// [amplify.ErrUnauthenticated] if the token is no good.
func (v *verifier) verify(ctx context.Context, t *token) (*verified, error) {
	if t.err == nil && !t.checked {
		t.checked = true
		t.key, t.err = v.check(ctx, t)
	}
	if t.err != nil {
		return nil, t.err
	}
	return &verified{t.raw, t.claims, t.key, lineage(t.claims.Issuer, t.claims.originJTI, t.raw)}, nil
}

func (v *verifier) check(ctx context.Context, t *token) (*key, error) {
	signedBy, err := v.client.issuers[t.claims.Issuer].key(ctx, t.keyID)
	if err != nil {
		return nil, err
	}
	if v.checks == maxSignatureChecks {
		return nil, amplify.Unauthenticated(amplify.ReasonBadSignature, errors.New("too many tokens to check them all"))
	}
	dot := strings.LastIndexByte(t.raw, '.')
	signature, err := base64.RawURLEncoding.Strict().DecodeString(t.raw[dot+1:])
	if err != nil {
		return nil, malformed(nil)
	}
	v.checks++
	if jwt.SigningMethodRS256.Verify(t.raw[:dot], signature, signedBy.public) != nil {
		return nil, amplify.Unauthenticated(amplify.ReasonBadSignature, nil)
	}
	return signedBy, nil
}

// pair verifies an access and an ID token that make one session: they must belong to one user.
func (v *verifier) pair(ctx context.Context, access, id *token) (*pair, error) {
	if access.err == nil && id.err != nil {
		return nil, id.err // without a look at the signature of the other
	}
	a, err := v.verify(ctx, access)
	if err != nil {
		return nil, err
	}
	i, err := v.verify(ctx, id)
	if err != nil {
		return nil, err
	}
	if !sameUser(&a.claims.Claims, &i.claims.Claims) {
		return nil, amplify.Unauthenticated(amplify.ReasonUserMismatch, nil)
	}
	return &pair{a, i}, nil
}

func sameUser(access, id *amplify.Claims) bool {
	return access.Subject == id.Subject && access.Username == id.Username
}

// verifyPair verifies an access and an ID token of this client.
func (c *Client) verifyPair(ctx context.Context, access, id string) (*pair, error) {
	v := verifier{client: c, maxBytes: maxTokenBytes}
	p, err := v.pair(ctx, v.read(access, tokenUseAccess, c.clientID), v.read(id, tokenUseID, c.clientID))
	c.adviseOnKeys(ctx, err)
	return p, err
}

// isSpelledRight reports whether s consists of three parts in base64url (RFC 7515 §7.1). Decoders
// skip line breaks even where they are strict, so that one token would have many spellings, and
// each would be a token of its own to everything that goes by a hash.
func isSpelledRight(s string) bool {
	dots := 0
	for i := range len(s) {
		switch b := s[i]; {
		case b == '.':
			dots++
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_':
		default:
			return false
		}
	}
	return dots == 2
}

func malformed(cause error) error {
	return amplify.Unauthenticated(amplify.ReasonMalformedToken, cause)
}

func errTokenTooLarge(size, most int) error {
	return amplify.Unauthenticated(amplify.ReasonTokenTooLarge, fmt.Errorf("a token has %d bytes, more than the %d that it can have here", size, most))
}
