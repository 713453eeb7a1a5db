// Package srptest signs users in by SRP, for tests that speak with a user pool as
// Amplify JS does: by default, Amplify's user pools accept no password in clear.
//
// The package is written from the description of the protocol (RFC 5054 with
// Cognito's changes) and shares no code with the sandbox, which plays the other side.
package srptest

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// prime is N of the group of 3072 bits (RFC 5054 appendix A), whose generator here is 2.
const prime = `
	FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08
	8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD EF9519B3 CD3A431B
	302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9
	A637ED6B 0BFF5CB6 F406B7ED EE386BFB 5A899FA5 AE9F2411 7C4B1FE6
	49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8
	FD24CF5F 83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D
	670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B E39E772C
	180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718
	3995497C EA956AE5 15D22618 98FA0510 15728E5A 8AAAC42D AD33170D
	04507A33 A85521AB DF1CBA64 ECFB8504 58DBEF0A 8AEA7157 5D060C7D
	B3970F85 A6E1E4C7 ABF5AE8C DB0933D7 1E8C94E0 4A25619D CEE3D226
	1AD2EE6B F12FFA06 D98A0864 D8760273 3EC86A64 521F2B18 177B200C
	BBE11757 7A615D6C 770988C0 BAD946E2 08E24FA0 74E5AB31 43DB5BFC
	E0FD108E 4B82D120 A93AD2CA FFFFFFFF FFFFFFFF`

// SignIn is one sign-in.
type SignIn struct {
	poolName, password string
	n, a, bigA         *big.Int
}

// New begins a sign-in to the user pool with that id.
func New(poolID, password string) (*SignIn, error) {
	n, err := number(strings.Join(strings.Fields(prime), ""))
	if err != nil {
		return nil, err
	}
	a, err := rand.Int(rand.Reader, n)
	if err != nil {
		return nil, err
	}
	_, name, _ := strings.Cut(poolID, "_")
	return &SignIn{name, password, n, a, new(big.Int).Exp(big.NewInt(2), a, n)}, nil
}

// A is the parameter SRP_A of the flow USER_SRP_AUTH.
func (s *SignIn) A() string { return s.bigA.Text(16) }

// Answer returns the ChallengeResponses to the challenge PASSWORD_VERIFIER with
// these ChallengeParameters.
func (s *SignIn) Answer(challenge map[string]string) (map[string]string, error) {
	salt, err := number(challenge["SALT"])
	if err != nil {
		return nil, fmt.Errorf("SALT: %w", err)
	}
	bigB, err := number(challenge["SRP_B"])
	if err != nil {
		return nil, fmt.Errorf("SRP_B: %w", err)
	}
	block, err := base64.StdEncoding.DecodeString(challenge["SECRET_BLOCK"])
	if err != nil {
		return nil, fmt.Errorf("SECRET_BLOCK: %w", err)
	}
	user := s.poolName + challenge["USER_ID_FOR_SRP"]
	inner := sha256.Sum256([]byte(user + ":" + s.password))
	x := hash(padded(salt), inner[:])
	k := hash(padded(s.n), padded(big.NewInt(2)))
	u := hash(padded(s.bigA), padded(bigB))
	// S = (B - k * 2^x) ^ (a + u * x) mod N
	base := new(big.Int).Exp(big.NewInt(2), x, s.n)
	base.Sub(bigB, base.Mul(base, k)).Mod(base, s.n)
	exponent := new(big.Int).Mul(u, x)
	secret := base.Exp(base, exponent.Add(exponent, s.a), s.n)
	key, err := hkdf.Key(sha256.New, padded(secret), padded(u), "Caldera Derived Key", 16)
	if err != nil {
		return nil, err
	}
	timestamp := time.Now().UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(user))
	mac.Write(block)
	mac.Write([]byte(timestamp))
	return map[string]string{
		"USERNAME":                    challenge["USERNAME"],
		"PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
		"PASSWORD_CLAIM_SIGNATURE":    base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		"TIMESTAMP":                   timestamp,
	}, nil
}

// number parses a number in hexadecimal.
func number(text string) (*big.Int, error) {
	n, ok := new(big.Int).SetString(text, 16)
	if !ok {
		return nil, fmt.Errorf("%q is not hexadecimal", text)
	}
	return n, nil
}

// padded returns the bytes of n as a positive number in two's complement, as Cognito hashes them.
func padded(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] > 0x7f {
		b = append([]byte{0}, b...)
	}
	return b
}

func hash(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}
