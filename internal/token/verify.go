package token

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// The values of token_use.
const (
	UseAccess = "access"
	UseID     = "id"
)

const (
	// MaxBytes bounds a token. Cookies hold a quarter of that; bearer tokens and other storages may
	// hold more than a cookie.
	MaxBytes = 16 << 10
	// maxSignatureChecks bounds how many signatures are checked for one request. The session of a
	// browser takes two.
	maxSignatureChecks = 8
)

// parser takes tokens apart. Signatures are checked apart from it, after everything that costs
// less.
var parser = jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())

// Key is a public key of an issuer.
type Key interface{ Public() *rsa.PublicKey }

// Keys are the keys of one issuer.
type Keys interface {
	// Issuer returns the issuer as its tokens name it.
	Issuer() string
	// MayHave reports whether there is a key of that id, or could be one if the keys were fetched.
	MayHave(id string) bool
	// Key returns the key of that id. It returns an error if there is none, or if that cannot be
	// found out now.
	Key(ctx context.Context, id string) (Key, error)
}

// Verifier verifies the tokens that one request presents: each distinct one once, and at most
// [maxSignatureChecks] signatures. It is not safe for concurrent use.
type Verifier[K Keys] struct {
	Issuers  map[string]K // by iss
	MaxBytes int          // of a token
	// Refuse makes the error of a token that is refused. The cause may be nil.
	Refuse func(reason string, cause error) error
	Checks int // signature checks so far

	known []*Token
}

// Token is a token on its way through a Verifier. Nothing of it is trusted yet.
type Token struct {
	Raw     string
	Payload *Payload // nil if the token is refused without regard to its key
	Err     error    // why it is refused, or cannot be judged now

	keyID   string
	checked bool // its signature
	key     Key
}

// Verified is a token whose signature, issuer, client and use are right. Whether it has expired is
// asked whenever it is used.
type Verified struct {
	Raw     string
	Payload *Payload
	Key     Key
}

// Pair is an access and an ID token of one user.
type Pair struct{ Access, ID *Verified }

// Read takes raw apart and judges what needs no signature: its spelling, algorithm, issuer, client
// and use. Nothing of it is trusted yet.
func (v *Verifier[K]) Read(raw, use string, clients ...string) *Token {
	for _, t := range v.known {
		if t.Raw == raw && (t.Payload == nil || t.Payload.TokenUse == use) {
			return t
		}
	}
	t := &Token{Raw: raw}
	t.Err = v.readToken(t, use, clients)
	v.known = append(v.known, t)
	return t
}

func (v *Verifier[K]) readToken(t *Token, use string, clients []string) error {
	if len(t.Raw) > v.MaxBytes {
		return v.TooLarge(len(t.Raw))
	}
	if !isSpelledRight(t.Raw) {
		return v.malformed(nil)
	}
	cl := &Payload{}
	parsed, _, err := parser.ParseUnverified(t.Raw, cl)
	switch {
	case errors.Is(err, jwt.ErrTokenUnverifiable): // an algorithm that the parser does not know
		return v.Refuse(BadAlgorithm, nil)
	case err != nil:
		return v.malformed(nil) // without the parser's text, which may quote the token
	case parsed.Method != jwt.SigningMethodRS256:
		return v.Refuse(BadAlgorithm, nil)
	}
	if _, ok := parsed.Header["crit"]; ok {
		// RFC 7515 §4.1.11: extensions that must be understood. We understand none.
		return v.malformed(errors.New("critical header parameters"))
	}
	set, ok := v.Issuers[cl.Issuer]
	if !ok {
		return v.Refuse(WrongIssuer, nil)
	}
	t.keyID, _ = parsed.Header["kid"].(string)
	switch {
	case t.keyID == "":
		return v.Refuse(UnknownKey, errors.New("the token names no key"))
	case !set.MayHave(t.keyID):
		return v.Refuse(UnknownKey, nil)
	case cl.TokenUse != use:
		return v.Refuse(WrongTokenUse, nil)
	case !slices.Contains(clients, cl.ClientID):
		return v.Refuse(WrongClient, nil)
	case cl.Subject == "":
		return v.malformed(errors.New("no sub"))
	}
	// Sessions are remembered by the thousands. Texts that all tokens share are kept once.
	cl.Issuer, cl.TokenUse = set.Issuer(), use
	cl.ClientID = clients[slices.Index(clients, cl.ClientID)]
	t.Payload = cl
	return nil
}

// Verify checks the signature of t, unless that has been done. The key comes from the issuer's key
// set: keys inside the token (jwk, jku, x5c) are never looked at.
func (v *Verifier[K]) Verify(ctx context.Context, t *Token) (*Verified, error) {
	if t.Err == nil && !t.checked {
		t.checked = true
		t.key, t.Err = v.check(ctx, t)
	}
	if t.Err != nil {
		return nil, t.Err
	}
	return &Verified{t.Raw, t.Payload, t.key}, nil
}

func (v *Verifier[K]) check(ctx context.Context, t *Token) (Key, error) {
	signedBy, err := v.Issuers[t.Payload.Issuer].Key(ctx, t.keyID)
	if err != nil {
		return nil, err
	}
	if v.Checks == maxSignatureChecks {
		return nil, v.Refuse(BadSignature, errors.New("too many tokens to check them all"))
	}
	dot := strings.LastIndexByte(t.Raw, '.')
	signature, err := base64.RawURLEncoding.Strict().DecodeString(t.Raw[dot+1:])
	if err != nil {
		return nil, v.malformed(nil)
	}
	v.Checks++
	if jwt.SigningMethodRS256.Verify(t.Raw[:dot], signature, signedBy.Public()) != nil {
		return nil, v.Refuse(BadSignature, nil)
	}
	return signedBy, nil
}

// Pair verifies an access and an ID token that make one session: they must belong to one user.
func (v *Verifier[K]) Pair(ctx context.Context, access, id *Token) (*Pair, error) {
	if access.Err == nil && id.Err != nil {
		return nil, id.Err // without a look at the signature of the other
	}
	a, err := v.Verify(ctx, access)
	if err != nil {
		return nil, err
	}
	i, err := v.Verify(ctx, id)
	if err != nil {
		return nil, err
	}
	if !sameUser(&a.Payload.Claims, &i.Payload.Claims) {
		return nil, v.Refuse(UserMismatch, nil)
	}
	return &Pair{a, i}, nil
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

// TooLarge refuses a token of that size.
func (v *Verifier[K]) TooLarge(size int) error {
	return v.Refuse(TokenTooLarge, fmt.Errorf(
		"a token has %d bytes, more than the %d that it can have here", size, v.MaxBytes))
}

func (v *Verifier[K]) malformed(cause error) error { return v.Refuse(MalformedToken, cause) }
