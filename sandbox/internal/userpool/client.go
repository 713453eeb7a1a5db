package userpool

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// Client returns an app client, or an error with [ResourceNotFound].
func (p *Pool) Client(id string) (*Client, error) {
	for i := range p.cfg.Clients {
		if p.cfg.Clients[i].ID == id {
			return &p.cfg.Clients[i], nil
		}
	}
	return nil, refuse(ResourceNotFound, "User pool client %s does not exist.", id)
}

// CheckSecret reports in constant time whether secret is
// the client's. The secret of a public client is empty.
func (c *Client) CheckSecret(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 1
}

// CheckSecretHash reports in constant time whether hash is the SECRET_HASH of username (Cognito
// Developer Guide, "Computing secret hash values"). For a public client it is always true.
func (c *Client) CheckSecretHash(username, hash string) bool {
	if c.Secret == "" {
		return true
	}
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(username + c.ID))
	return hmac.Equal([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(hash))
}
