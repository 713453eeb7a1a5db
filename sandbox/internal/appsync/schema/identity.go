package schema

import (
	"encoding/json"
	"slices"
	"strings"
)

// An Identity is a caller, as AppSync knows them once their credentials are verified. The zero
// value is nobody.
type Identity struct {
	Provider Provider       // how the request was authorized
	Claims   map[string]any // of UserPool and OIDC: those of the token
	IAM      Principal      // of IAM
	// Denied are the fields that a Lambda authorizer denies, as "Type.field".
	Denied []string
}

// Principal says what an IAM principal is to the backend.
type Principal string

// The IAM principals.
const (
	// Guest has the role of identities that are not signed in.
	Guest Principal = "guest"
	// SignedIn has the role of identities that are.
	SignedIn Principal = "signedIn"
	// SignedInOtherRole is a signed-in identity of the pool with another role, such as a group's.
	SignedInOtherRole Principal = "signedInOtherRole"
	// OtherIdentity is an identity of another pool, or a guest with another role.
	OtherIdentity Principal = ""
	// Admin is a principal that is no identity of an identity pool.
	Admin Principal = "admin"
)

// has reports whether a static role is the caller's.
func (id Identity) has(one *role) bool {
	if one.provider != id.Provider {
		return false
	}
	switch {
	case one.provider == IAM && one.allow == Public:
		return id.IAM == Guest
	case one.provider == IAM:
		return id.IAM == SignedIn || id.IAM == SignedInOtherRole
	case one.allow == Groups:
		// A claim that is a text is searched for the group's name, as Java's String.contains does.
		if text, ok := id.Claims[one.claim].(string); ok {
			return strings.Contains(text, one.entity)
		}
		return slices.Contains(claimList(id.Claims[one.claim]), one.entity)
	}
	return true
}

// owner returns the values that stand for the caller as an owner: the one that is stored last. It
// returns none if the token lacks a claim. Users can choose their names, and must not pass for
// others by one that looks like a whole owner: unlike AWS, the sandbox takes a claim that holds the
// delimiter for no owner by itself, and in front of other claims for none at all.
func (id Identity) owner(one *role) []string {
	if one.provider != id.Provider {
		return nil
	}
	var parts, mine []string
	names := strings.Split(one.claim, claimDelimiter)
	for i, name := range names {
		value, ok := id.Claims[name].(string)
		if name == "username" && !ok {
			value, ok = id.Claims["cognito:username"].(string)
		}
		delimited := len(names) > 1 && strings.Contains(value, claimDelimiter)
		if !ok || delimited && i < len(names)-1 {
			return nil
		}
		if parts = append(parts, value); !delimited {
			mine = append(mine, value)
		}
	}
	if len(parts) == 1 {
		return mine
	}
	return append(mine, strings.Join(parts, claimDelimiter))
}

// groups returns the caller's groups for a dynamic role: a list, a list in JSON, or one name.
func (id Identity) groups(one *role) []string {
	if one.provider != id.Provider {
		return nil
	}
	text, ok := id.Claims[one.claim].(string)
	if !ok {
		return claimList(id.Claims[one.claim])
	}
	var list []any
	if json.Unmarshal([]byte(text), &list) == nil {
		return claimList(list)
	}
	return []string{text}
}

// values returns what makes the caller match a dynamic role: owners or groups.
func (id Identity) values(one *role) []string {
	if one.allow == Owner {
		return id.owner(one)
	}
	return id.groups(one)
}

// owns reports whether a value of the field that a dynamic role names is the caller's.
func (id Identity) owns(one *role, value any) bool {
	mine := id.values(one)
	if one.list {
		return slices.ContainsFunc(claimList(value), func(v string) bool {
			return slices.Contains(mine, v)
		})
	}
	text, ok := value.(string)
	return ok && slices.Contains(mine, text)
}

// claimList returns the texts of a list.
func claimList(v any) []string {
	var out []string
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		for _, e := range list {
			if text, ok := e.(string); ok {
				out = append(out, text)
			}
		}
	}
	return out
}
