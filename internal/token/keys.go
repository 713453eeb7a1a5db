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
// RSA keys of at least 2,048 bits for signatures by RS256, and ignores everything else. A set
// without such a key is an error.
//
// Of a key nothing but modulus and exponent is read: no certificate, and no address.
func ParseKeys(document []byte) (map[string]*rsa.PublicKey, error) {
	var set struct {
		Keys []struct{ KID, KTY, Use, Alg, N, E string }
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set: %w", err)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		if k.KID == "" || k.KTY != "RSA" || k.Use != "sig" || k.Alg != "RS256" {
			continue
		}
		n, err1 := base64.RawURLEncoding.DecodeString(k.N)
		e, err2 := base64.RawURLEncoding.DecodeString(k.E)
		if err1 != nil || err2 != nil {
			continue
		}
		modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
		if modulus.BitLen() < 2048 || !isExponent(exponent) {
			continue
		}
		keys[k.KID] = &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set holds no RS256 key")
	}
	return keys, nil
}

// isExponent reports whether e can be a public exponent: crypto/rsa takes odd ones of up to 31 bits.
// With 1 anybody could sign.
func isExponent(e *big.Int) bool {
	return e.BitLen() >= 2 && e.BitLen() <= 31 && e.Bit(0) == 1
}
