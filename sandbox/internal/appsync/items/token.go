package items

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// sealer encrypts page tokens. A token tells the key of the item that was read last, which may be
// one that the caller must not see.
type sealer struct{ aead cipher.AEAD }

// tokenVersion is that of AppSync's tokens: they begin alike.
const tokenVersion = 3

// token is the form of a page token, in base64.
type token struct {
	Version int    `json:"version"`
	Token   []byte `json:"token"`
}

// loadSealer returns the sealer with the secret in the store, and makes a secret if there is none.
func loadSealer(tx *store.Tx) (*sealer, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails (crypto/rand)
	secret, err := tx.MetaOr("page_token_secret", fresh)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead}, err
}

// seal returns the token of a place, which is good in one scope.
func (s *sealer) seal(place store.ItemPlace, scope string) (string, error) {
	text, err := json.Marshal([]any{place.Key.Partition, place.Key.Sort, place.IndexSort})
	if err != nil {
		return "", err
	}
	sealed, err := json.Marshal(token{tokenVersion, s.aead.Seal(nil, nil, text, []byte(scope))})
	return base64.StdEncoding.EncodeToString(sealed), err
}

// open returns the place of a token, or [ErrToken].
func (s *sealer) open(text, scope string) (*store.ItemPlace, error) {
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrToken
	}
	var t token
	if err := json.Unmarshal(sealed, &t); err != nil || t.Version != tokenVersion {
		return nil, ErrToken
	}
	place, err := s.aead.Open(nil, nil, t.Token, []byte(scope))
	if err != nil {
		return nil, ErrToken
	}
	v, err := scalars.ParseJSON(string(place))
	parts, ok := v.([]any)
	if err != nil || !ok || len(parts) != 3 {
		return nil, ErrToken
	}
	return &store.ItemPlace{
		Key: store.ItemKey{Partition: parts[0], Sort: parts[1]}, IndexSort: parts[2]}, nil
}
