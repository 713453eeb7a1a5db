package token

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// ParseKeys reads a JSON Web Key Set (RFC 7517). It takes what can have signed a token of Cognito,
// RSA keys of 2,048 to 8,192 bits for signatures by RS256, and ignores all other keys, as §5 asks
// for. A set without such a key is an error.
//
// Of a key nothing but modulus and exponent is read: no certificate, and no address.
func ParseKeys(document []byte) (map[string]*rsa.PublicKey, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set: %w", err)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, raw := range set.Keys {
		var k struct{ KID, KTY, Use, Alg, N, E string }
		if json.Unmarshal(raw, &k) != nil || k.KID == "" ||
			k.KTY != "RSA" || k.Use != "sig" || k.Alg != "RS256" {
			continue
		}
		n, err1 := base64.RawURLEncoding.DecodeString(k.N)
		e, err2 := base64.RawURLEncoding.DecodeString(k.E)
		if err1 != nil || err2 != nil {
			continue
		}
		modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
		if isModulus(modulus) && isExponent(exponent) {
			keys[k.KID] = &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set holds no RS256 key")
	}
	return keys, nil
}

// isModulus reports whether n can be a modulus. crypto/rsa checks signatures by a key of any size.
// 8,192 bits are what crypto/tls takes, too.
func isModulus(n *big.Int) bool {
	return n.BitLen() >= 2048 && n.BitLen() <= 8192 && n.Bit(0) == 1
}

// isExponent reports whether e can be a public exponent: crypto/rsa takes odd ones of up to 31
// bits. With 1 anybody could sign.
func isExponent(e *big.Int) bool {
	return e.BitLen() >= 2 && e.BitLen() <= 31 && e.Bit(0) == 1
}
