// Package srptest is the other side of package srp, for tests: a client written from
// the description of the protocol alone (RFC 5054 §2.6 with Cognito's changes), which
// shares no code with the server. It pads in hexadecimal, as the published clients do.
package srptest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
)

// group is the prime of RFC 3526 §4.
const group = `
	ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74
	020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437
	4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed
	ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05
	98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb
	9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b
	e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718
	3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33
	a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7
	abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864
	d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e2
	08e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff
`

// Client is one sign-in of a client.
type Client struct {
	pool       string
	n, a, bigA *big.Int
}

// NewClient returns a client for the user pool of that name: what follows the underscore of its id.
func NewClient(pool string) *Client {
	n := number(group)
	a, err := rand.Int(rand.Reader, n)
	if err != nil {
		panic(err)
	}
	return &Client{pool, n, a, new(big.Int).Exp(big.NewInt(2), a, n)}
}

// A is SRP_A.
func (c *Client) A() string { return c.bigA.Text(16) }

// Sign returns PASSWORD_CLAIM_SIGNATURE, decoded, for the parameters of a challenge.
func (c *Client) Sign(userID, password, salt, srpB string, secretBlock []byte, timestamp string) []byte {
	k := hash(pad(c.n), pad(big.NewInt(2)))
	u := hash(pad(c.bigA), pad(number(srpB)))
	inner := sha256.Sum256([]byte(c.pool + userID + ":" + password))
	x := hash(pad(number(salt)), inner[:])
	// S = (B - k * g^x) ^ (a + u * x) mod N
	s := new(big.Int).Exp(big.NewInt(2), x, c.n)
	s.Sub(number(srpB), s.Mul(s, k))
	s.Exp(s.Mod(s, c.n), new(big.Int).Add(c.a, new(big.Int).Mul(u, x)), c.n)
	// HKDF (RFC 5869) by hand: extract, then the first block of expand.
	prk := mac(pad(u), pad(s))
	key := mac(prk, []byte("Caldera Derived Key\x01"))[:16]
	return mac(key, []byte(c.pool+userID), secretBlock, []byte(timestamp))
}

func number(h string) *big.Int {
	n, ok := new(big.Int).SetString(strings.Join(strings.Fields(h), ""), 16)
	if !ok {
		panic("srptest: not hexadecimal: " + h)
	}
	return n
}

func pad(n *big.Int) []byte {
	h := n.Text(16)
	if len(h)%2 == 1 {
		h = "0" + h
	} else if strings.ContainsRune("89abcdef", rune(h[0])) {
		h = "00" + h
	}
	b, err := hex.DecodeString(h)
	if err != nil {
		panic(err)
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

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}
