package userpool

import (
	"regexp"
	"slices"
)

// ResourceServer is an API whose access tokens have scopes of its own.
type ResourceServer struct {
	// Identifier is the first part of its scopes: "photos" in "photos/read".
	Identifier string
	// Scopes are their second parts, such as "read".
	Scopes []string
}

// standardScopes are the scopes that every user pool has (Developer Guide, "OAuth 2.0 scopes").
func standardScopes() []string {
	return []string{"openid", "email", "phone", "profile", AdminScope}
}

// Names in the API Reference: CreateResourceServer, Identifier; ResourceServerScopeType, ScopeName.
var (
	serverIdentifier = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,256}$`)
	scopeName        = regexp.MustCompile(`^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$`)
)

// checkScopes reports the faults of resource servers and of the scopes of clients.
func (c *Config) checkScopes(fault func(format string, args ...any)) {
	var custom []string
	for _, rs := range c.ResourceServers {
		if !serverIdentifier.MatchString(rs.Identifier) {
			fault("%q cannot be the identifier of a resource server: use 1 to 256 ASCII "+
				"characters without blanks, quotes and backslashes", rs.Identifier)
		}
		for _, name := range rs.Scopes {
			if !scopeName.MatchString(name) {
				fault("%q cannot be a scope of resource server %q: use 1 to 256 ASCII characters "+
					"without blanks, quotes, slashes and backslashes", name, rs.Identifier)
			}
			custom = append(custom, rs.Identifier+"/"+name)
		}
	}
	for _, cl := range c.Clients {
		if cl.ClientCredentials {
			cl.checkMachine(fault)
		}
		for _, scope := range cl.Scopes {
			switch standard := slices.Contains(standardScopes(), scope); {
			case standard && cl.ClientCredentials:
				fault("app client %s has client credentials and the scope %q: "+
					"machines have scopes of resource servers only", cl.ID, scope)
			case !standard && !slices.Contains(custom, scope):
				fault("app client %s has the scope %q, which no resource server has", cl.ID, scope)
			}
		}
	}
}

// checkMachine reports the faults of a client with ClientCredentials, which
// are those that CreateUserPoolClient refuses.
func (c *Client) checkMachine(fault func(format string, args ...any)) {
	if c.Secret == "" {
		fault("app client %s has client credentials, but no secret", c.ID)
	}
	if len(c.Scopes) == 0 {
		fault("app client %s has client credentials, but no scope", c.ID)
	}
	if len(c.CallbackURLs) > 0 || len(c.Providers) > 0 {
		fault("app client %s has client credentials, which exclude managed login: "+
			"use an app client of its own for them", c.ID)
	}
}
