package flow

import (
	"crypto/rand"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Lengths of the proofs of a sign-in, as adapter-nextjs has them. 128 is the most that
// RFC 7636 §4.1 allows.
const (
	stateLength    = 32
	verifierLength = 128
	maxCustomState = 256
)

// challengeMethod is how a code verifier becomes a code challenge (RFC 7636 §4.2).
const challengeMethod = "S256"

// randomText returns n characters of [A-Za-z0-9], each as likely as any other.
func randomText(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, 0, n)
	for b := make([]byte, n); len(text) < n; {
		_, _ = rand.Read(b) // never fails
		for _, c := range b {
			// Bytes beyond the last full round would favour the first letters.
			if int(c) < 256/len(alphabet)*len(alphabet) && len(text) < n {
				text = append(text, alphabet[int(c)%len(alphabet)])
			}
		}
	}
	return string(text)
}

// newState returns an unguessable state (RFC 6749 §10.12) with the custom state behind
// it, if there is one.
func newState(custom string) string {
	state := randomText(stateLength)
	if custom != "" {
		state += "-" + urlSafe(custom)
	}
	return state
}

// urlSafe encodes custom state as Amplify JS does: the UTF-16 code units in hexadecimal, in two
// digits or as many as they need. Amplify JS decodes it by pairs of digits.
func urlSafe(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%02x", unit)
	}
	return b.String()
}

// isState reports whether s has the form of a state.
func isState(s string) bool {
	random, custom, _ := strings.Cut(s, "-")
	return len(random) == stateLength && isAlphanumeric(random) && isAlphanumeric(custom)
}

func isAlphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r)
	})
}
