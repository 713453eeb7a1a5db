package userpool

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Uses of a signing key: Cognito signs access tokens with one key and ID tokens with another.
const (
	useAccess = "access"
	useID     = "id"
)

// keySet is the keys of a pool at one time.
type keySet struct {
	generation int
	signers    map[string]signer         // by use
	public     map[string]*rsa.PublicKey // by key id
	jwks       []byte
}

type signer struct {
	kid string
	key *rsa.PrivateKey
}

// RotateKeys makes new signing keys, which sign all tokens from now on. The previous keys
// stay in the key set until the next rotation, and the tokens that they signed stay valid.
func (p *Pool) RotateKeys(ctx context.Context) error {
	generation := p.keys.Load().generation + 1
	fresh, err := newKeys(generation)
	if err != nil {
		return err
	}
	err = p.update(ctx, func(tx *store.Tx) error {
		for _, k := range fresh {
			if err := tx.AddSigningKey(k); err != nil {
				return err
			}
		}
		return tx.DropSigningKeys(generation - 2)
	})
	if err != nil {
		return err
	}
	return p.loadKeys(ctx)
}

// JWKS returns the key set. It has two keys, and four after a rotation.
func (p *Pool) JWKS() []byte { return p.keys.Load().jwks }

// loadKeys reads the keys, and makes them if there are none yet. It keeps them in the key file.
func (p *Pool) loadKeys(ctx context.Context) error {
	var rows []store.SigningKey
	err := p.update(ctx, func(tx *store.Tx) (err error) {
		if rows, err = tx.SigningKeys(); err != nil || len(rows) > 0 {
			return err
		}
		if rows, err = p.firstKeys(); err != nil {
			return err
		}
		for _, k := range rows {
			if err := tx.AddSigningKey(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	set := &keySet{signers: map[string]signer{}, public: map[string]*rsa.PublicKey{}}
	var list struct {
		Keys []jwk `json:"keys"`
	}
	for _, row := range rows { // the newest generation first
		parsed, err := x509.ParsePKCS8PrivateKey(row.PKCS8)
		if err != nil {
			return err
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return fmt.Errorf("key %s is no RSA key", row.KeyID)
		}
		if _, ok := set.signers[row.Use]; !ok {
			set.signers[row.Use] = signer{row.KeyID, key}
		}
		set.generation = max(set.generation, row.Generation)
		set.public[row.KeyID] = &key.PublicKey
		list.Keys = append(list.Keys, jwk{
			Alg: "RS256", E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()), KeyID: row.KeyID,
			Type: "RSA", N: base64.RawURLEncoding.EncodeToString(key.N.Bytes()), Use: "sig",
		})
	}
	if set.jwks, err = json.Marshal(list); err != nil {
		return err
	}
	p.keys.Store(set)
	if p.cfg.KeyFile == "" {
		return nil
	}
	return writeKeyFile(p.cfg.KeyFile, p.cfg.ID, rows)
}

// jwk is a public key in the format of RFC 7517 §4 and RFC 7518 §6.3.1.
type jwk struct {
	Alg   string `json:"alg"`
	E     string `json:"e"`
	KeyID string `json:"kid"`
	Type  string `json:"kty"`
	N     string `json:"n"`
	Use   string `json:"use"`
}

// newKeys makes both keys of a generation at the same
// time, because that takes most of the time of a start.
func newKeys(generation int) ([]store.SigningKey, error) {
	type made struct {
		key store.SigningKey
		err error
	}
	results := make(chan made, 2)
	for _, use := range []string{useAccess, useID} {
		go func() {
			var m made
			var key *rsa.PrivateKey
			if key, m.err = rsa.GenerateKey(rand.Reader, 2048); m.err == nil {
				m.key, m.err = newKey(generation, use, key)
			}
			results <- m
		}()
	}
	a, b := <-results, <-results
	if err := errors.Join(a.err, b.err); err != nil {
		return nil, fmt.Errorf("making RSA keys: %w", err)
	}
	return []store.SigningKey{a.key, b.key}, nil
}

func newKey(generation int, use string, key *rsa.PrivateKey) (store.SigningKey, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	// Cognito's key ids are 32 random bytes in standard base64.
	kid := make([]byte, 32)
	_, _ = rand.Read(kid) // never fails (crypto/rand)
	return store.SigningKey{KeyID: base64.StdEncoding.EncodeToString(kid), Use: use, Generation: generation, PKCS8: der}, err
}

// firstKeys returns the keys of the key file or of the configuration, or new ones.
func (p *Pool) firstKeys() ([]store.SigningKey, error) {
	if p.cfg.KeyFile != "" {
		if kept, err := p.keptKeys(); err != nil || kept != nil {
			return kept, err
		}
	}
	if p.cfg.AccessTokenKey == nil && p.cfg.IDTokenKey == nil {
		return newKeys(1)
	}
	access, err := newKey(1, useAccess, p.cfg.AccessTokenKey)
	if err != nil {
		return nil, err
	}
	id, err := newKey(1, useID, p.cfg.IDTokenKey)
	return []store.SigningKey{access, id}, err
}

// sign returns a token with these claims.
func (p *Pool) sign(use string, claims jwt.MapClaims) (string, error) {
	s := p.keys.Load().signers[use]
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	delete(t.Header, "typ") // Cognito's header is kid and alg
	t.Header["kid"] = s.kid
	return t.SignedString(s.key)
}

// parse returns the claims of a token that the pool signed and that is valid now. For a token
// that has expired, it returns the claims and an error that matches [jwt.ErrTokenExpired].
func (p *Pool) parse(raw string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key := p.keys.Load().public[kid]
		if key == nil {
			return nil, fmt.Errorf("no such key")
		}
		return key, nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(p.Issuer()), jwt.WithTimeFunc(p.Now), jwt.WithExpirationRequired())
	return claims, err
}
