package srp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

// TestKnownAnswers holds the server against what the client of amazon-cognito-identity-js 6
// computed for the same numbers.
func TestKnownAnswers(t *testing.T) {
	text, err := os.ReadFile("testdata/known-answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Pool, User, Password, Salt, Key   string
		A, B                              string
		Secret                            string `json:"b"`
		SecretBlock, Timestamp, Signature string
	}
	// encoding/json prefers the exact name: "b" and "B" are two fields.
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no known answers")
	}
	for _, c := range cases {
		id := Identity{PoolName: c.Pool, UserID: c.User}
		v := verifierOf(id, c.Password, unhex(t, c.Salt))
		ch, err := newChallenge(v, c.A, unhex(t, c.Secret))
		if err != nil {
			t.Fatal(err)
		}
		if got := ch.SRPB(); got != c.B {
			t.Errorf("%s: SRP_B = %s, want %s", c.User, got, c.B)
		}
		if got := hex.EncodeToString(ch.key(v)); got != c.Key {
			t.Errorf("%s: key = %s, want %s", c.User, got, c.Key)
		}
		claim := Claim{unbase64(t, c.SecretBlock), c.Timestamp, unbase64(t, c.Signature)}
		if !ch.Verify(id, v, claim) {
			t.Errorf("%s: a good claim was refused", c.User)
		}
		claim.Timestamp = strings.Replace(claim.Timestamp, "04:", "05:", 1)
		if ch.Verify(id, v, claim) {
			t.Errorf("%s: a claim with another timestamp was accepted", c.User)
		}
	}
}

// client is the other side, written from the description of the protocol alone (RFC 5054 §2.6 with Cognito's
// changes) and sharing no code with this package. It pads in hexadecimal, as the published clients do.
type client struct {
	n, a, bigA *big.Int
}

func newClient(t *testing.T) *client {
	t.Helper()
	// 2^3072 - 2^3008 - 1 + 2^64 * ([2^2942 pi] + 1690314), RFC 3526 §4, from its digits.
	n, ok := new(big.Int).SetString(primeHex, 16)
	if !ok || n.BitLen() != 3072 || !n.ProbablyPrime(1) || !new(big.Int).Rsh(n, 1).ProbablyPrime(1) {
		t.Fatal("the prime is not the safe prime of the 3,072-bit group")
	}
	a, err := rand.Int(rand.Reader, n)
	if err != nil {
		t.Fatal(err)
	}
	return &client{n, a, new(big.Int).Exp(big.NewInt(2), a, n)}
}

func (c *client) sign(t *testing.T, pool, user, password, salt, srpB string, block []byte, timestamp string) []byte {
	t.Helper()
	padHex := func(h string) []byte {
		if len(h)%2 == 1 {
			h = "0" + h
		} else if strings.ContainsRune("89abcdefABCDEF", rune(h[0])) {
			h = "00" + h
		}
		return unhex(t, h)
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	h := func(parts ...[]byte) []byte {
		s := sha256.New()
		for _, p := range parts {
			s.Write(p)
		}
		return s.Sum(nil)
	}
	k := number(h(append([]byte{0}, c.n.Bytes()...), []byte{2}))
	u := number(h(padHex(c.bigA.Text(16)), padHex(srpB)))
	x := number(h(padHex(salt), h([]byte(pool+user+":"+password))))
	// S = (B - k * g^x) ^ (a + u * x) mod N
	base := new(big.Int).Exp(big.NewInt(2), x, c.n)
	base.Sub(number(padHex(srpB)), base.Mul(base, k))
	base.Mod(base, c.n)
	s := new(big.Int).Exp(base, new(big.Int).Add(c.a, new(big.Int).Mul(u, x)), c.n)
	// HKDF by hand: extract, then the first block of expand.
	prk := hmac.New(sha256.New, padHex(u.Text(16)))
	prk.Write(padHex(s.Text(16)))
	okm := hmac.New(sha256.New, prk.Sum(nil))
	okm.Write([]byte("Caldera Derived Key\x01"))
	mac := hmac.New(sha256.New, okm.Sum(nil)[:16])
	mac.Write([]byte(pool + user))
	mac.Write(block)
	mac.Write([]byte(timestamp))
	return mac.Sum(nil)
}

func TestIndependentClient(t *testing.T) {
	id := Identity{PoolName: "AbCdEfGhI", UserID: "6b1f0a52-0c7e-4a8f-8a0a-3c1d9b2e4f60"}
	const timestamp = "Mon Mar 9 01:02:03 UTC 2026"
	block := []byte("a block that the server chose")
	// Several rounds, since padding depends on the highest bits of random numbers.
	for range 8 {
		v := NewVerifier(id, "Right-1-password")
		c := newClient(t)
		ch, err := NewChallenge(v, c.bigA.Text(16))
		if err != nil {
			t.Fatal(err)
		}
		for password, want := range map[string]bool{"Right-1-password": true, "right-1-password": false, "": false} {
			claim := Claim{block, timestamp, c.sign(t, id.PoolName, id.UserID, password, Hex(v.Salt), ch.SRPB(), block, timestamp)}
			if got := ch.Verify(id, v, claim); got != want {
				t.Errorf("a claim made with password %q: accepted = %v, want %v", password, got, want)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	id := Identity{PoolName: "AbCdEfGhI", UserID: "u"}
	v := NewVerifier(id, "Right-1-password")
	if !v.Matches(id, "Right-1-password") {
		t.Error("the right password was refused")
	}
	if v.Matches(id, "Wrong-1-password") {
		t.Error("a wrong password was accepted")
	}
	if v.Matches(Identity{PoolName: id.PoolName, UserID: "other"}, "Right-1-password") {
		t.Error("the verifier of another user was accepted")
	}
	if w := NewVerifier(id, "Right-1-password"); string(w.Salt) == string(v.Salt) || string(w.V) == string(v.V) {
		t.Error("two verifiers of one password are alike")
	}
}

// TestPublicValue: with A = 0 (mod N) anybody would know the key, RFC 5054 §2.5.4.
func TestPublicValue(t *testing.T) {
	n := prime()
	for _, a := range []string{"", "0", "00", "-1", "xyz", "+", " 2", n.Text(16), new(big.Int).Mul(n, big.NewInt(16)).Text(16),
		strings.Repeat("f", 100_000)} {
		if _, err := NewChallenge(Verifier{V: []byte{2}}, a); err != ErrPublicValue {
			t.Errorf("A = %.20q…: error = %v, want ErrPublicValue", a, err)
		}
	}
}

func FuzzNewChallenge(f *testing.F) {
	f.Add("2")
	f.Add(primeHex)
	f.Add("0x_1")
	v := Verifier{V: []byte{2}}
	f.Fuzz(func(t *testing.T, a string) {
		c, err := NewChallenge(v, a)
		if err == nil && new(big.Int).Mod(new(big.Int).SetBytes(c.A), prime()).Sign() == 0 {
			t.Errorf("A = %q was accepted", a)
		}
	})
}

func TestParseTimestamp(t *testing.T) {
	got, err := ParseTimestamp("Tue Feb 3 04:05:06 UTC 2026")
	if want := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("= %v, %v, want %v", got, err, want)
	}
	for _, s := range []string{"", "2026-02-03T04:05:06Z", "Tue Feb 3 04:05:06 CET 2026", "Di Feb 3 04:05:06 UTC 2026"} {
		if _, err := ParseTimestamp(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	id := Identity{PoolName: "AbCdEfGhI", UserID: "u"}
	v := NewVerifier(id, "Right-1-password")
	for b.Loop() {
		v.Matches(id, "Right-1-password")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
