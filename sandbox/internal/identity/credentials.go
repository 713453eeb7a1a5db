package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Principal is the user or guest that temporary credentials stand for.
type Principal struct {
	IdentityID string
	// Role is the ARN of the credentials' role.
	Role string
	// Guest means that there was no login. The fields below are then empty.
	Guest bool
	// Sub, Username and Groups are from the ID token.
	Sub, Username string
	Groups        []string
}

// Credentials are temporary AWS credentials.
type Credentials struct {
	IdentityID                           string
	AccessKeyID, SecretKey, SessionToken string
	Expires                              time.Time
}

// Errors of [Pool.Lookup].
var (
	// ErrUnknownCredentials means that the identity pool did not issue this pair.
	ErrUnknownCredentials = errors.New("identity: unknown credentials")
	// ErrExpiredCredentials means that the credentials have expired.
	ErrExpiredCredentials = errors.New("identity: expired credentials")
)

// Lookup returns the principal and the secret key of the credentials with this
// access key id and session token. The caller must verify a signature made with
// that secret before it acts for the principal, because session tokens are sent
// unencrypted. The error is [ErrUnknownCredentials] or [ErrExpiredCredentials].
func (p *Pool) Lookup(accessKeyID, sessionToken string) (who Principal, secretKey string, err error) {
	return p.seal.open(accessKeyID, sessionToken, p.cfg.Clock())
}

// sealer issues credentials without storing them, like AWS STS. The session token
// contains the encrypted principal. Access key id and secret key are derived from
// the token. With the sealer's secret, credentials survive a restart.
type sealer struct {
	aead cipher.AEAD
	mac  []byte
}

// loadSealer returns the sealer with the secret in the store, and makes a secret if there is none.
func loadSealer(tx *store.Tx) (*sealer, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails (crypto/rand)
	secret, err := tx.MetaOr("credentials_secret", fresh)
	if err != nil {
		return nil, err
	}
	return newSealer(secret)
}

func newSealer(secret []byte) (*sealer, error) {
	keys, err := hkdf.Key(sha256.New, secret, nil, "credentials of the identity pool", 64)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead, keys[32:]}, err
}

// sealed is the content of a session token.
type sealed struct {
	Principal Principal
	Expires   int64 // Unix seconds
}

func (s *sealer) issue(who Principal, expires time.Time) (*Credentials, error) {
	text, err := json.Marshal(sealed{who, expires.Unix()})
	if err != nil {
		return nil, err
	}
	token := base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil))
	accessKeyID, secretKey := s.derive(token)
	return &Credentials{
		IdentityID: who.IdentityID, AccessKeyID: accessKeyID, SecretKey: secretKey,
		SessionToken: token, Expires: time.Unix(expires.Unix(), 0),
	}, nil
}

func (s *sealer) open(accessKeyID, token string, now time.Time) (Principal, string, error) {
	box, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return Principal{}, "", ErrUnknownCredentials
	}
	text, err := s.aead.Open(nil, nil, box, nil)
	if err != nil {
		return Principal{}, "", ErrUnknownCredentials
	}
	var v sealed
	if err := json.Unmarshal(text, &v); err != nil {
		return Principal{}, "", ErrUnknownCredentials
	}
	id, secretKey := s.derive(token)
	switch {
	case !hmac.Equal([]byte(id), []byte(accessKeyID)):
		return Principal{}, "", ErrUnknownCredentials
	case now.Unix() >= v.Expires:
		return Principal{}, "", ErrExpiredCredentials
	}
	return v.Principal, secretKey, nil
}

// derive returns the access key id and the secret key of a session token, in AWS's form: ASIA
// with 16 characters (IAM User Guide, "Unique ID prefixes"), and 40 characters of base64.
func (s *sealer) derive(token string) (accessKeyID, secretKey string) {
	mac := hmac.New(sha256.New, s.mac)
	mac.Write([]byte("id " + token))
	accessKeyID = "ASIA" + base32.StdEncoding.EncodeToString(mac.Sum(nil)[:10])
	mac.Reset()
	mac.Write([]byte("secret " + token))
	return accessKeyID, base64.StdEncoding.EncodeToString(mac.Sum(nil)[:30])
}
