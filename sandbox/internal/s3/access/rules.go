package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Action is what a rule allows, as the outputs name it.
type Action string

// Actions. They stand for s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket.
const (
	Get    Action = "get"
	Write  Action = "write"
	Delete Action = "delete"
	List   Action = "list"
)

// Role is one of the roles that an Amplify backend gives to callers. A caller has one at a time.
type Role string

// Roles of callers without a group. That of a group is [GroupRole].
const (
	Guest         Role = "guest"
	Authenticated Role = "authenticated"
)

// GroupRole returns the role of a group of the user pool. A
// member has it instead of [Authenticated], not besides it.
func GroupRole(group string) Role { return Role("groups" + group) }

// Caller is who asks.
type Caller struct {
	Role Role
	// IdentityID is the value of ${cognito-identity.amazonaws.com:sub}. Guests have one, too.
	IdentityID string
}

// Verdict is the outcome of an evaluation (IAM User Guide, "Policy evaluation logic").
type Verdict int

// Verdicts.
const (
	// NotAllowed means that no statement allows it.
	NotAllowed Verdict = iota
	// Denied means that a statement denies it, whatever others allow.
	Denied
	Allowed
)

// Rules are the rules of a bucket. The zero value allows nothing.
type Rules struct {
	paths      []path
	statements map[Role][]statement
}

// Path is a path of the outputs, with its rules.
type Path struct {
	Pattern string
	Rules   []Rule
}

// Rule says what somebody may do. Who is as in the outputs, such as "groupsadmins".
type Rule struct {
	Who     string
	Actions []Action
}

// path is a path, with the actions of each role.
type path struct {
	Path
	actions map[Role][]Action
}

// statement allows or denies an action.
type statement struct {
	deny    bool
	action  Action
	pattern pattern
}

// Parse reads the member paths of a bucket: an object with an object for each path, which has the
// actions by who may do them. The order of the paths counts. Nothing and null mean no paths.
func Parse(text []byte) (*Rules, error) {
	r := &Rules{statements: map[Role][]statement{}}
	if len(text) == 0 || string(bytes.TrimSpace(text)) == "null" {
		return r, nil
	}
	// A map would lose the order.
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("paths must be an object: %w", orElse(err, t))
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("paths: %w", err)
		}
		p := path{actions: map[Role][]Action{}}
		p.Pattern = name.(string) // keys are texts
		var rules map[string][]Action
		if err := dec.Decode(&rules); err != nil {
			return nil, fmt.Errorf("path %q: %w", p.Pattern, err)
		}
		for _, who := range slices.Sorted(maps.Keys(rules)) {
			actions := rules[who]
			p.Rules = append(p.Rules, Rule{who, actions})
			role, err := parseRole(who)
			if err != nil {
				return nil, fmt.Errorf("path %q: %w", p.Pattern, err)
			}
			for _, a := range actions {
				if !slices.Contains([]Action{Get, Write, Delete, List}, a) {
					return nil, fmt.Errorf("path %q: there is no action %q", p.Pattern, a)
				}
				p.actions[role] = append(p.actions[role], a)
			}
		}
		r.paths = append(r.paths, p)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("paths: %w", err)
	}
	r.deploy()
	return r, nil
}

// Paths returns the paths in their order. The caller must not change them.
func (r *Rules) Paths() []Path {
	var list []Path
	for _, p := range r.paths {
		list = append(list, p.Path)
	}
	return list
}

func orElse(err error, got any) error {
	if err == nil {
		return fmt.Errorf("it is %v", got)
	}
	return err
}

func parseRole(who string) (Role, error) {
	switch {
	case who == "entityidentity": // owners are signed in, and have the role of all who are
		return Authenticated, nil
	case who == string(Guest), who == string(Authenticated), strings.HasPrefix(who, "groups") &&
		who != "groups":
		return Role(who), nil
	}
	return "", fmt.Errorf("there is no %q: rules are for guest, authenticated, entityidentity or "+
		"groups<name>", who)
}

// deploy makes the statements, as backend-storage/src/storage_access_orchestrator.ts and
// storage_access_policy_factory.ts of aws-amplify/amplify-backend do.
func (r *Rules) deploy() {
	for _, q := range r.paths {
		for role, actions := range q.actions {
			for _, a := range actions {
				r.add(role, statement{action: a}, q.Pattern)
			}
		}
		// Where there are no rules, the outputs leave out those for functions, and the path denies
		// others all the same. Where there are rules without actions, it denies nothing.
		if len(q.Rules) > 0 && len(q.actions) == 0 {
			continue
		}
		p := r.above(q)
		if p == nil || q.Pattern == strings.Replace(p.Pattern, "*", identityVariable+"/*", 1) {
			continue
		}
		for role, actions := range p.actions {
			for _, a := range actions {
				if !slices.Contains(q.actions[role], a) {
					r.add(role, statement{deny: true, action: a}, q.Pattern)
				}
			}
		}
	}
}

// above returns the first path that q lies below, or nil.
func (r *Rules) above(q path) *path {
	for i, p := range r.paths {
		if p.Pattern != q.Pattern && strings.HasPrefix(q.Pattern,
			strings.ReplaceAll(p.Pattern, "*", "")) {
			return &r.paths[i]
		}
	}
	return nil
}

// add adds a statement. That about lists is about the prefix that is asked for: "p/*" and "p/".
func (r *Rules) add(role Role, s statement, text string) {
	s.pattern = parsePattern(text)
	r.statements[role] = append(r.statements[role], s)
	if s.action == List {
		s.pattern = parsePattern(strings.TrimSuffix(text, "*"))
		r.statements[role] = append(r.statements[role], s)
	}
}

// Evaluate tells whether the caller may do a to the object key, or, if a
// is [List], list the bucket with the prefix key. Keys are compared as they are.
func (r *Rules) Evaluate(c Caller, a Action, key string) Verdict {
	verdict := NotAllowed
	for _, s := range r.statements[c.Role] {
		if s.action != a || !s.pattern.matches(key, c) {
			continue
		}
		if s.deny {
			return Denied
		}
		verdict = Allowed
	}
	return verdict
}
