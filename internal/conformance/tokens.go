package conformance

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// Keys are the keys that tokens of the recorded cases are signed with: pool and pool2 are in the
// user pool's key set, rogue is not.
type Keys struct {
	private map[string]*rsa.PrivateKey
}

// keyIDs are the names and the kid of the keys, as README-auth.md tells.
var keyIDs = map[string]string{"pool": "corpus-key-1", "pool2": "corpus-key-2", "rogue": "corpus-rogue-key"}

// NewKeys makes keys.
func NewKeys(t testing.TB) *Keys {
	t.Helper()
	k := &Keys{map[string]*rsa.PrivateKey{}}
	for name := range keyIDs {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		k.private[name] = private
	}
	return k
}

// Set returns the key set of the user pool: a JSON document {"keys": [...]}.
func (k *Keys) Set() []byte {
	type jwk struct {
		KeyType string `json:"kty"`
		N       string `json:"n"`
		E       string `json:"e"`
		ID      string `json:"kid"`
		Alg     string `json:"alg"`
		Use     string `json:"use"`
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	for _, name := range []string{"pool", "pool2"} {
		public := k.private[name].PublicKey
		set.Keys = append(set.Keys, jwk{
			KeyType: "RSA",
			N:       base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			E:       base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
			ID:      keyIDs[name], Alg: "RS256", Use: "sig",
		})
	}
	b, err := json.Marshal(set)
	if err != nil {
		panic(err) // strings alone
	}
	return b
}

// TokenSpec describes a token of a case.
type TokenSpec struct {
	// Raw is the token itself where it is no JWT; then the other fields are empty.
	Raw string `json:"raw"`

	Key    string         `json:"key"`
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
	// Times are claims in seconds from now.
	Times        map[string]int64 `json:"times"`
	Tamper       string           `json:"tamper"`
	TamperClaims map[string]any   `json:"tamperClaims"`
}

// Sign makes the token that spec describes, as README-auth.md tells.
func (k *Keys) Sign(spec TokenSpec, now time.Time) (string, error) {
	if spec.Key == "" {
		return spec.Raw, nil
	}
	private := k.private[spec.Key]
	if private == nil {
		return "", fmt.Errorf("conformance: no key %q", spec.Key)
	}
	header := map[string]any{"kid": keyIDs[spec.Key], "alg": "RS256"}
	for name, value := range spec.Header {
		if header[name] = value; value == nil {
			delete(header, name)
		}
	}
	claims := map[string]any{}
	maps.Copy(claims, spec.Claims)
	for name, seconds := range spec.Times {
		claims[name] = now.Unix() + seconds
	}
	signed := part(header) + "." + part(claims)
	if header["alg"] == "none" {
		return signed + ".", nil
	}
	hash := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, hash[:])
	if err != nil {
		return "", err
	}
	switch spec.Tamper {
	case "signature":
		signature[10] ^= 0xff
	case "payload":
		maps.Copy(claims, spec.TamperClaims)
		signed = part(header) + "." + part(claims)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// part returns a part of a JWT.
func part(v map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // decoded from JSON
	}
	return base64.RawURLEncoding.EncodeToString(bytes.TrimSpace(b.Bytes()))
}

// Tokens are the minted tokens of one case, by name.
type Tokens struct {
	Now    time.Time
	ByName map[string]string
}

// Mint makes the tokens of input.tokens.
func (k *Keys) Mint(c Case, now time.Time) (*Tokens, error) {
	var in struct {
		Tokens map[string]TokenSpec `json:"tokens"`
	}
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return nil, err
	}
	tokens := &Tokens{now, map[string]string{}}
	for name, spec := range in.Tokens {
		token, err := k.Sign(spec, now)
		if err != nil {
			return nil, err
		}
		tokens.ByName[name] = token
	}
	return tokens, nil
}

// Fill decodes raw, JSON in which {{token:NAME}} stands for tokens, into v.
func (t *Tokens) Fill(raw json.RawMessage, v any) error {
	return json.Unmarshal([]byte(t.FillText(string(raw))), v)
}

// FillText puts the tokens in place of {{token:NAME}}.
func (t *Tokens) FillText(s string) string {
	for name, token := range t.ByName {
		s = strings.ReplaceAll(s, "{{token:"+name+"}}", token)
	}
	return s
}

// Blank puts {{token:NAME}} back in place of the tokens. Of two names with the same token
// the first in the alphabet is taken.
func (t *Tokens) Blank(s string) string {
	for _, name := range slices.Sorted(maps.Keys(t.ByName)) {
		if token := t.ByName[name]; strings.Contains(token, ".") || len(token) > 16 {
			s = strings.ReplaceAll(s, token, "{{token:"+name+"}}")
		}
	}
	return s
}
