package amplifytest

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// User is a user of a [Pool]. It needs a Name or an Email.
type User struct {
	// Name is the user's name in the user pool (the claims username and cognito:username). If it is
	// empty it is the user's id, as in user pools where people sign in with an e-mail address.
	Name string
	// Email is the user's verified e-mail address.
	Email string
	// Groups are the groups that the user is in.
	Groups []string
	// Scopes are the scopes of access tokens. The default is those of the configuration's managed
	// login or, without it, "aws.cognito.signin.user.admin".
	Scopes []string
	// Attributes are further attributes, such as "name" or "custom:plan". They are claims of ID
	// tokens as well.
	Attributes map[string]string
	// Claims are further claims of access and ID tokens, as a pre token generation trigger adds
	// them. A value is what encoding/json can encode.
	Claims map[string]any
	// Sub is the user's id, a UUID. The default follows from Name or, if that is empty, Email: see
	// [User.ID].
	Sub string
}

// ID returns the user's id, the claim sub: the UserID of auth.GetCurrentUser.
func (u User) ID() string {
	if u.Sub != "" {
		return u.Sub
	}
	name := u.Name
	if name == "" {
		name = u.Email
	}
	sum := sha256.Sum256([]byte(name))
	return uuid([16]byte(sum[:16]))
}

func (u User) name() string {
	if u.Name == "" {
		return u.ID()
	}
	return u.Name
}

// attributes returns all attributes of u, as GetUser has them.
func (u User) attributes() map[string]string {
	all := map[string]string{"sub": u.ID()}
	if u.Email != "" {
		all["email"], all["email_verified"] = u.Email, "true"
	}
	maps.Copy(all, u.Attributes)
	return all
}

// SetUser changes what the pool knows about a user. Sessions that the user has keep their tokens;
// refreshes and auth.FetchUserAttributes go by the new user.
//
// The methods that give the user a session do the same.
func (p *Pool) SetUser(u User) {
	p.t.Helper()
	if u.Name == "" && u.Email == "" {
		p.t.Fatal("amplifytest: a User needs a Name or an Email")
	}
	// The caller may change its own.
	u.Groups, u.Scopes = slices.Clone(u.Groups), slices.Clone(u.Scopes)
	u.Attributes, u.Claims = maps.Clone(u.Attributes), maps.Clone(u.Claims)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[u.ID()] = u
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return uuid(b)
}

// uuid returns b as a UUID of version 4 (RFC 9562 §5.4).
func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
