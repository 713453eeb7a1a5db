package srp

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Identity is the user whose password a verifier is made from.
type Identity struct {
	// PoolName is the part of the user pool's id behind the underscore.
	PoolName string
	// UserID is the name in USER_ID_FOR_SRP.
	UserID string
}

// Verifier is what a server stores instead of a password.
type Verifier struct {
	// Salt is the number that clients get as SALT, big-endian.
	Salt []byte
	// V is g^x mod N, big-endian.
	V []byte
}

// NewVerifier returns a verifier for a password, with a random salt of 16 bytes.
func NewVerifier(id Identity, password string) Verifier {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return verifierOf(id, password, salt)
}

func verifierOf(id Identity, password string, salt []byte) Verifier {
	v := new(big.Int).Exp(generator(), privateKey(id, password, salt), prime())
	return Verifier{Salt: salt, V: v.FillBytes(make([]byte, groupBytes))}
}

// Matches reports whether the verifier was made from password.
func (v Verifier) Matches(id Identity, password string) bool {
	got := verifierOf(id, password, v.Salt)
	return subtle.ConstantTimeCompare(got.V, v.V) == 1
}

// privateKey returns x = H(pad(salt), H(poolName userID ":" password)).
func privateKey(id Identity, password string, salt []byte) *big.Int {
	inner := sha256.Sum256([]byte(id.PoolName + id.UserID + ":" + password))
	return hash(pad(new(big.Int).SetBytes(salt)), inner[:])
}

// Challenge is a sign-in in progress. It can be stored as JSON between
// the two calls of a sign-in. It contains the server's secret.
type Challenge struct {
	// A and B are the public values of client and server, Secret is the server's b; all big-endian.
	A, B, Secret []byte
}

// ErrPublicValue reports that the client's public value is not a number, or would reveal the key.
var ErrPublicValue = errors.New("srp: the public value of the client is out of range")

// NewChallenge answers the client's public value SRP_A, in hexadecimal, for the user of verifier v.
func NewChallenge(v Verifier, srpA string) (*Challenge, error) {
	secret := make([]byte, 32) // RFC 5054 §2.5.3: at least 256 bits
	_, _ = rand.Read(secret)
	return newChallenge(v, srpA, secret)
}

func newChallenge(v Verifier, srpA string, secret []byte) (*Challenge, error) {
	if len(srpA) > 2*(groupBytes+1) {
		return nil, ErrPublicValue
	}
	a, ok := new(big.Int).SetString(srpA, 16)
	n := prime()
	// RFC 5054 §2.5.4: with A ≡ 0 (mod N) the key would not depend on the password.
	if !ok || a.Sign() <= 0 || new(big.Int).Mod(a, n).Sign() == 0 {
		return nil, ErrPublicValue
	}
	// B = k*v + g^b mod N
	b := new(big.Int).Mul(multiplier(), new(big.Int).SetBytes(v.V))
	b.Add(b, new(big.Int).Exp(generator(), new(big.Int).SetBytes(secret), n))
	b.Mod(b, n)
	return &Challenge{A: a.Bytes(), B: b.Bytes(), Secret: secret}, nil
}

// SRPB returns the server's public value for the client, in hexadecimal.
func (c *Challenge) SRPB() string { return Hex(c.B) }

// Hex encodes a number as challenges do: in hexadecimal without leading zeros.
func Hex(number []byte) string { return new(big.Int).SetBytes(number).Text(16) }

// Claim is a client's answer to a challenge.
type Claim struct {
	// SecretBlock is PASSWORD_CLAIM_SECRET_BLOCK, decoded.
	SecretBlock []byte
	// Timestamp is TIMESTAMP as it was sent; see [ParseTimestamp].
	Timestamp string
	// Signature is PASSWORD_CLAIM_SIGNATURE, decoded.
	Signature []byte
}

// Verify reports whether the author of the claim knows the password of v.
func (c *Challenge) Verify(id Identity, v Verifier, claim Claim) bool {
	return hmac.Equal(sign(c.key(v), id, claim), claim.Signature)
}

// key returns the key that client and server share if both have the same password.
func (c *Challenge) key(v Verifier) []byte {
	n := prime()
	a, b := new(big.Int).SetBytes(c.A), new(big.Int).SetBytes(c.B)
	u := hash(pad(a), pad(b))
	// S = (A * v^u)^b mod N
	s := new(big.Int).Exp(new(big.Int).SetBytes(v.V), u, n)
	s.Mul(s, a)
	s.Exp(s, new(big.Int).SetBytes(c.Secret), n)
	return deriveKey(s, u)
}

// deriveKey returns HKDF (RFC 5869) of the shared number, with u as the salt.
func deriveKey(s, u *big.Int) []byte {
	key, err := hkdf.Key(sha256.New, pad(s), pad(u), "Caldera Derived Key", 16)
	if err != nil { // 16 bytes are never too many
		panic(err)
	}
	return key
}

// sign returns the signature of a claim.
func sign(key []byte, id Identity, claim Claim) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id.PoolName))
	mac.Write([]byte(id.UserID))
	mac.Write(claim.SecretBlock)
	mac.Write([]byte(claim.Timestamp))
	return mac.Sum(nil)
}

// ParseTimestamp reads a TIMESTAMP: "EEE MMM d HH:mm:ss 'UTC' yyyy" in Java's notation, in English.
func ParseTimestamp(s string) (time.Time, error) {
	t, err := time.Parse("Mon Jan 2 15:04:05 UTC 2006", s)
	if err != nil {
		return t, fmt.Errorf("srp: timestamp: %w", err)
	}
	return t, nil
}
