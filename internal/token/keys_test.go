package token

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"testing"
)

// TestParseKeys: of a set only what can be a key of Cognito's counts, whatever stands beside it.
func TestParseKeys(t *testing.T) {
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	power := func(bits uint, add int64) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1) // of so many bits
		return n.Add(n, big.NewInt(add))
	}
	good := map[string]any{
		"kid": "good", "kty": "RSA", "use": "sig", "alg": "RS256",
		"n": number(power(2048, 1)), "e": "AQAB",
	}
	for name, tt := range map[string]struct {
		member string
		value  any
		want   bool
	}{
		"the same":               {"use", "sig", true},
		"another member":         {"x5u", "https://evil.test/", true},
		"8,192 bits":             {"n", number(power(8192, 1)), true},
		"zeros before":           {"n", "AAAA" + number(power(2048, 1)), true},
		"2,047 bits":             {"n", number(power(2047, 1)), false},
		"8,193 bits":             {"n", number(power(8193, 1)), false},
		"an even modulus":        {"n", number(power(2048, 0)), false},
		"no modulus":             {"n", nil, false},
		"a modulus in base64":    {"n", "+/" + number(power(2048, 1)), false},
		"a padded modulus":       {"n", number(power(2048, 1)) + "=", false},
		"exponent 3":             {"e", "Aw", true},
		"exponent 0":             {"e", "AA", false},
		"exponent 1":             {"e", "AQ", false},
		"an even exponent":       {"e", "Ag", false},
		"an exponent of 32 bits": {"e", number(power(32, 1)), false},
		"1 modulo 2^64":          {"e", number(power(65, 1)), false},
		"no exponent":            {"e", nil, false},
		"a number as exponent":   {"e", 65537, false},
		"an elliptic curve":      {"kty", "EC", false},
		"a secret":               {"kty", "oct", false},
		"for encryption":         {"use", "enc", false},
		"for HS256":              {"alg", "HS256", false},
		"for any algorithm":      {"alg", nil, false},
		"no id":                  {"kid", "", false},
		"a number as id":         {"kid", 7, false},
	} {
		key := maps.Clone(good)
		key["kid"] = "key"
		key[tt.member] = tt.value
		document, err := json.Marshal(map[string]any{"keys": []any{nil, 1, good, key}})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := ParseKeys(document)
		if err != nil || keys["good"] == nil || (keys["key"] != nil) != tt.want || len(keys) > 2 {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
}
