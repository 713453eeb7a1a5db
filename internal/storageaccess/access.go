package storageaccess

import (
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
)

// Action is a right of the outputs.
type Action string

// The actions.
const (
	Get    Action = "get"    // read an object and its properties
	List   Action = "list"   // list keys that begin with a prefix
	Write  Action = "write"  // make or replace an object
	Delete Action = "delete" // delete an object
)

var actions = []Action{Get, List, Write, Delete}

// Caller is who calls S3. The zero value is a guest without an identity.
type Caller struct {
	// IdentityID is the caller's id in the identity pool.
	IdentityID string
	SignedIn   bool
	// Group is the group whose role the caller has, instead of the role of signed-in users. It is
	// empty if the caller has that of no group.
	Group string
}

// names returns the names under which outputs list the rights of the caller's role. A role is one
// of guests, of signed-in users (owners of entity paths among them), or of a group.
func (c Caller) names() []string {
	switch {
	case !c.SignedIn:
		return []string{"guest"}
	case c.Group != "":
		return []string{"groups" + c.Group}
	}
	return []string{"authenticated", "entityidentity"}
}

func (c Caller) String() string {
	switch {
	case !c.SignedIn:
		return "guests"
	case c.Group != "":
		return `the group "` + c.Group + `"`
	}
	return "signed-in users"
}

// Verdict is what the rules say about one action at one key.
type Verdict struct {
	Allowed bool
	// Pattern is the pattern of the rule that decides: the one that allows the action, or the one
	// that takes away what another allows. It is empty if no rule allows the action.
	Pattern string
}

// Check tells whether the caller may do action at key. For [List], key is the prefix of the
// request, since S3 looks at nothing else. Keys are compared as they are.
func Check(paths []amplify.PathAccess, c Caller, action Action, key string) Verdict {
	names := c.names()
	for q, path := range paths {
		if denies(paths, q, names, action) && matches(path.Pattern, c.IdentityID, action, key) {
			return Verdict{Pattern: path.Pattern}
		}
	}
	for _, path := range paths {
		if has(path, names, action) && matches(path.Pattern, c.IdentityID, action, key) {
			return Verdict{Allowed: true, Pattern: path.Pattern}
		}
	}
	return Verdict{}
}

// Location is a pattern and what the caller may do with keys that it matches.
type Location struct {
	// Pattern has the caller's identity id in place of the variable.
	Pattern string
	// Actions are empty if the pattern takes away what a shorter one allows.
	Actions []Action
}

// Locations returns where the caller has rights, in the order of paths. Where a longer pattern
// takes rights away that a shorter one gives, the longer one is listed with what is left.
func Locations(paths []amplify.PathAccess, c Caller) (locations []Location) {
	names := c.names()
	for q, path := range paths {
		var left []Action
		denied := false
		for _, action := range actions {
			denied = denied || denies(paths, q, names, action)
			if has(path, names, action) && !covered(paths, q, names, action) {
				left = append(left, action)
			}
		}
		if len(left) > 0 || denied {
			pattern := strings.ReplaceAll(path.Pattern, identityVariable, c.IdentityID)
			locations = append(locations, Location{pattern, left})
		}
	}
	return locations
}

// covered reports whether another pattern takes action away from all that paths[q] matches.
func covered(paths []amplify.PathAccess, q int, names []string, action Action) bool {
	for other := range paths {
		if denies(paths, other, names, action) && isBelow(paths[q].Pattern, paths[other].Pattern) {
			return true
		}
	}
	return false
}

// Others returns who may do action at key by path, as the outputs name them. Of an entity path the
// key must be the caller's.
func Others(path amplify.PathAccess, c Caller, action Action, key string) []string {
	if !matches(path.Pattern, c.IdentityID, action, key) {
		return nil
	}
	return allowed(path, action)
}

// allowed returns who may do action by path.
func allowed(path amplify.PathAccess, action Action) (who []string) {
	for name, list := range path.Actions {
		if slices.Contains(list, string(action)) {
			who = append(who, name)
		}
	}
	slices.Sort(who)
	return who
}

// has reports whether path allows action to a role.
func has(path amplify.PathAccess, names []string, action Action) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.Contains(path.Actions[name], string(action))
	})
}

// denies reports whether paths[q] takes action away from a role. It does if the first path above it
// allows the action and it does not itself. A path with nothing but empty lists of actions is none
// to the construct. A path without any names has rules for functions.
func denies(paths []amplify.PathAccess, q int, names []string, action Action) bool {
	path := paths[q]
	if len(path.Actions) > 0 && !slices.ContainsFunc(actions, func(a Action) bool {
		return len(allowed(path, a)) > 0
	}) {
		return false
	}
	above := slices.IndexFunc(paths, func(p amplify.PathAccess) bool {
		return isBelow(path.Pattern, p.Pattern)
	})
	return above >= 0 && has(paths[above], names, action) && !has(path, names, action) &&
		paths[above].Pattern != strings.Replace(path.Pattern, identityVariable+"/", "", 1)
}

// isBelow reports whether pattern lies below another one, as the construct sees it: by their texts.
func isBelow(pattern, above string) bool {
	return pattern != above && strings.HasPrefix(pattern, strings.ReplaceAll(above, "*", ""))
}

// identityVariable stands for the caller's identity id in patterns.
const identityVariable = "${cognito-identity.amazonaws.com:sub}"
