package testpool

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
)

// IdentityPool is the id of the identity pool that trusts the user pool.
const IdentityPool = "eu-west-1:0a0b0c0d-1111-4222-8333-444455556666"

// Operations of the identity pool.
const (
	GetID          = "GetId"
	GetCredentials = "GetCredentialsForIdentity"
)

// IdentityConfig returns Config with the identity pool, which allows guests.
func (p *Pool) IdentityConfig() amplify.Config {
	cfg := p.Config()
	cfg.Auth.IdentityPoolID, cfg.Auth.AllowGuestAccess = IdentityPool, true
	return cfg
}

// IdentityCall is a call that the identity pool got.
type IdentityCall struct {
	Operation, Host string
	In              map[string]any
}

// Login returns the ID token that the call was made with, or "".
func (c IdentityCall) Login() string {
	logins, _ := c.In["Logins"].(map[string]any)
	for _, login := range logins { // one, since there is one user pool
		if token, ok := login.(string); ok {
			return token
		}
	}
	return ""
}

// IdentityCalls returns the calls of an operation so far.
func (p *Pool) IdentityCalls(operation string) (calls []IdentityCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.identityCalls {
		if c.Operation == operation {
			calls = append(calls, c)
		}
	}
	return calls
}

// OnIdentity makes f answer the calls of the identity pool; what it answers with status 0 is
// answered as without it.
func (p *Pool) OnIdentity(f func(IdentityCall) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.identity = f
}

// IdentityOf returns the id that the identity of a user of [New]'s pool has.
func IdentityOf(sub string) string { return "eu-west-1:" + sub }

// Granted returns an answer to GetCredentialsForIdentity: credentials that tell whose they are and
// how many were given before them, and last an hour.
func (p *Pool) Granted(id string) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants++
	return Answer{http.StatusOK, map[string]any{"IdentityId": id, "Credentials": map[string]any{
		"AccessKeyId":  fmt.Sprintf("ASIA%016d", p.grants),
		"SecretKey":    "secret of " + id,
		"SessionToken": "session of " + id + " " + strings.Repeat("x", 900),
		"Expiration":   p.now.Add(time.Hour).Unix(),
	}}}
}

// answerIdentity answers a call of the identity pool: a user's identity is named by the sub, guests
// are numbered.
func (p *Pool) answerIdentity(call IdentityCall) Answer {
	p.mu.Lock()
	p.identityCalls = append(p.identityCalls, call)
	answer := p.identity
	p.mu.Unlock()
	if answer != nil {
		if a := answer(call); a.Status != 0 {
			return a
		}
	}
	id, _ := call.In["IdentityId"].(string)
	if login := call.Login(); login != "" {
		id = p.region + ":" + subOf(login)
	}
	switch {
	case call.Operation == GetCredentials:
		return p.Granted(id)
	case id == "":
		p.mu.Lock()
		p.guests++
		id = fmt.Sprintf("%s:guest-%d", p.region, p.guests)
		p.mu.Unlock()
	}
	return Answer{http.StatusOK, map[string]any{"IdentityId": id}}
}

func subOf(token string) string {
	var claims struct {
		Sub string `json:"sub"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims)
	}
	return claims.Sub
}
