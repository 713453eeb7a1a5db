package srp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/srp/srptest"
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

func TestIndependentClient(t *testing.T) {
	id := Identity{PoolName: "AbCdEfGhI", UserID: "6b1f0a52-0c7e-4a8f-8a0a-3c1d9b2e4f60"}
	const timestamp = "Mon Mar 9 01:02:03 UTC 2026"
	block := []byte("a block that the server chose")
	// Several rounds, since padding depends on the highest bits of random numbers.
	for range 8 {
		v := NewVerifier(id, "Right-1-password")
		c := srptest.NewClient(id.PoolName)
		ch, err := NewChallenge(v, c.A())
		if err != nil {
			t.Fatal(err)
		}
		for password, want := range map[string]bool{"Right-1-password": true, "right-1-password": false, "": false} {
			claim := Claim{block, timestamp, c.Sign(id.UserID, password, Hex(v.Salt), ch.SRPB(), block, timestamp)}
			if got := ch.Verify(id, v, claim); got != want {
				t.Errorf("a claim made with password %q: accepted = %v, want %v", password, got, want)
			}
		}
	}
}

// TestGroup: the prime is the one of RFC 3526 §4, a safe prime. A digit mistyped here and in the
// other client would not show in their agreement.
func TestGroup(t *testing.T) {
	n := prime()
	if n.BitLen() != 3072 || !n.ProbablyPrime(1) || !new(big.Int).Rsh(n, 1).ProbablyPrime(1) {
		t.Error("the prime is not a safe prime of 3,072 bits")
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
