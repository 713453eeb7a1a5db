package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Strategy says whom a rule lets in.
type Strategy string

// The strategies of rules.
const (
	Public  Strategy = "public"
	Private Strategy = "private"
	Owner   Strategy = "owner"
	Groups  Strategy = "groups"
	Lambda  Strategy = "custom"
)

// Provider says how a caller has shown who they are. It is the mode of a request, too.
type Provider string

// The providers.
const (
	APIKey       Provider = "apiKey"
	UserPool     Provider = "userPools"
	IAM          Provider = "iam"
	IdentityPool Provider = "identityPool" // IAM by the name that Gen 2 gives it in rules
	OIDC         Provider = "oidc"
	Function     Provider = "function"
)

// mode returns p under the one name that requests have.
func (p Provider) mode() Provider {
	if p == IdentityPool {
		return IAM
	}
	return p
}

// A modeDirective is the directive of a mode in the deployed schema.
type modeDirective struct {
	mode Provider
	name string
}

// directives are those of all modes, in Amplify's order.
var directives = []modeDirective{
	{APIKey, "aws_api_key"},
	{IAM, "aws_iam"},
	{OIDC, "aws_oidc"},
	{UserPool, "aws_cognito_user_pools"},
	{Function, "aws_lambda"},
}

// Access is a set of things that rules allow.
type Access uint8

// What rules allow.
const (
	AllowCreate Access = 1 << iota
	AllowUpdate
	AllowDelete
	AllowGet
	AllowList
	AllowSync // of DataStore, which the sandbox does not serve
	AllowListen
	AllowSearch // of @searchable, which the sandbox does not serve

	AllowRead = AllowGet | AllowList | AllowSync | AllowListen | AllowSearch
	AllowAll  = AllowCreate | AllowUpdate | AllowDelete | AllowRead
)

var accesses = map[string]Access{
	"create": AllowCreate, "update": AllowUpdate, "delete": AllowDelete, "read": AllowRead,
	"get": AllowGet, "list": AllowList, "sync": AllowSync, "listen": AllowListen,
	"search": AllowSearch,
}

// A Rule is one rule of @auth. The rules of one @auth are OR-ed.
type Rule struct {
	Allow    Strategy
	Provider Provider
	Access   Access

	OwnerField    string // of Owner
	IdentityClaim string // of Owner: the claim that holds the owner, or several, joined with "::"

	Groups      []string // of static Groups
	GroupsField string   // of dynamic Groups
	GroupClaim  string   // of Groups
}

// The defaults of rules in Gen 2.
const (
	defaultOwnerField  = "owner"
	defaultOwnerClaim  = "sub::username"
	defaultGroupClaim  = "cognito:groups"
	defaultGroupsField = "groups"
	claimDelimiter     = "::"
)

// rules reads @auth. Faults name the line of the rule.
func (r *reader) rules(d *ast.Directive, onField bool) []Rule {
	value := argument(d, "rules")
	list := children(value)
	if len(list) == 0 {
		r.fault(d.Position, "@auth has no rules")
	}
	var rules []Rule
	for _, v := range list {
		if rule, ok := r.rule(v, onField); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

func (r *reader) rule(v *ast.Value, onField bool) (Rule, bool) {
	rule := Rule{Access: AllowAll}
	before := len(r.faults)
	for _, c := range v.Children {
		switch c.Name {
		case "allow":
			rule.Allow = Strategy(c.Value.Raw)
		case "provider":
			rule.Provider = Provider(c.Value.Raw)
		case "ownerField":
			rule.OwnerField = c.Value.Raw
		case "identityClaim":
			rule.IdentityClaim = c.Value.Raw
		case "groups":
			rule.Groups = texts(c.Value)
			if len(rule.Groups) == 0 {
				r.fault(v.Position, "the rule has an empty list of groups")
			}
		case "groupsField":
			rule.GroupsField = c.Value.Raw
		case "groupClaim":
			rule.GroupClaim = c.Value.Raw
		case "operations":
			rule.Access = r.access(v.Position, c.Value, onField)
		default:
			r.fault(v.Position, "the rule has the unknown member %q", c.Name)
		}
	}
	r.complete(v.Position, &rule)
	return rule, len(r.faults) == before
}

// access reads the operations of a rule.
func (r *reader) access(pos *ast.Position, v *ast.Value, onField bool) Access {
	if v.Kind == ast.NullValue {
		return AllowAll
	}
	var all Access
	names := texts(v)
	for _, name := range names {
		a, known := accesses[name]
		switch {
		case !known:
			r.fault(pos, "the rule has the unknown operation %q", name)
		case onField && name != "read" && a&AllowRead != 0:
			r.fault(pos, "the operation %q is not allowed in a rule of a field; use \"read\"", name)
		case name != "read" && a&AllowRead != 0 && slices.Contains(names, "read"):
			r.fault(pos, "the rule has %q beside \"read\", which includes it; remove one", name)
		}
		all |= a
	}
	return all
}

// providersOf says which providers a strategy takes; the first is the default.
var providersOf = map[Strategy][]Provider{
	Public:  {APIKey, IAM, IdentityPool},
	Private: {UserPool, IAM, IdentityPool, OIDC},
	Owner:   {UserPool, OIDC},
	Groups:  {UserPool, OIDC},
	Lambda:  {Function},
}

// complete fills in the defaults of a rule and checks that its members fit together.
func (r *reader) complete(pos *ast.Position, rule *Rule) {
	providers, known := providersOf[rule.Allow]
	if !known {
		r.fault(pos, "the rule has the unknown strategy allow: %q", rule.Allow)
		return
	}
	if rule.Provider == "" {
		rule.Provider = providers[0]
	}
	if !slices.Contains(providers, rule.Provider) {
		r.fault(pos, "a rule with allow: %s does not take provider: %q", rule.Allow, rule.Provider)
		return
	}
	if mode := rule.Provider.mode(); !r.options.has(mode) {
		r.fault(pos,
			"the rule has provider: %s, but the API does not have that mode of authorization",
			rule.Provider)
	}
	switch rule.Allow {
	case Owner:
		if rule.GroupClaim != "" {
			r.fault(pos, "groupClaim belongs to rules with allow: groups")
		}
		if rule.OwnerField == "" {
			rule.OwnerField = defaultOwnerField
		}
		if rule.IdentityClaim == "" {
			rule.IdentityClaim = defaultOwnerClaim
		}
	case Groups:
		if rule.IdentityClaim != "" {
			r.fault(pos, "identityClaim belongs to rules with allow: owner")
		}
		if rule.Groups != nil && rule.GroupsField != "" {
			r.fault(pos, "the rule has groups and groupsField; use one of them")
		}
		if rule.Groups == nil && rule.GroupsField == "" {
			r.fault(pos, "a rule with allow: groups needs groups or groupsField")
		}
		if rule.GroupClaim == "" {
			rule.GroupClaim = defaultGroupClaim
		}
	}
}
