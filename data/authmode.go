package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/introspection"
)

// Action is what one does with items of a model.
type Action string

// Actions. Listing by an index is ActionList.
const (
	ActionGet    = Action(introspection.Get)
	ActionList   = Action(introspection.List)
	ActionCreate = Action(introspection.Create)
	ActionUpdate = Action(introspection.Update)
	ActionDelete = Action(introspection.Delete)
)

// Choice is an auth mode, and why it was chosen.
type Choice struct {
	AuthMode AuthMode
	// Why is a sentence for logs and people.
	Why string
}

// ChooseAuthMode returns an auth mode by which the rules of the model allow the request's user, or
// a guest, an action. It prefers the mode that a call without it would use. If no rule allows the
// action, the reason of the error is [amplify.ReasonNotAuthorized], and the error says what each
// rule wants.
//
//	choice, err := notes.ChooseAuthMode(ctx, data.ActionList)
//	page, err := notes.With(data.Options{AuthMode: choice.AuthMode}).List(ctx, data.ListInput{})
//
// A rule for guests is not satisfied by a user who is signed in. The configuration lacks rules of
// fields, which may refuse more. A rule for owners, and one for the groups that an item names,
// allows only some items.
func (m Model[T]) ChooseAuthMode(ctx context.Context, action Action) (Choice, error) {
	if m.m == nil {
		return Choice{}, errZero("Model", "ModelOf")
	}
	server, err := m.m.server(ctx)
	if err != nil {
		return Choice{}, err
	}
	c, err := m.m.caller(ctx, server, m.options)
	if err != nil {
		return Choice{}, err
	}
	return c.choose(m.m.of, action)
}

// caller is who calls, as far as rules ask.
type caller struct {
	preferred AuthMode
	tokens    *amplify.Tokens // nil if nobody is signed in
	options   Options         // with those of the App and the configuration
	pool      *amplify.AuthConfig
}

func (m *model) caller(
	ctx context.Context, server *amplify.ServerContext, o Options,
) (*caller, error) {
	s, err := serviceOf(m.app)
	if err != nil {
		return nil, err
	}
	c := &caller{options: o.over(s.options), pool: m.app.Config().Auth}
	if config := m.app.Config().Data; config != nil && c.options.Endpoint == "" {
		c.preferred = AuthMode(config.DefaultAuthMode)
		if c.options.APIKey.IsZero() {
			c.options.APIKey = config.APIKey
		}
	}
	c.preferred = cmp.Or(c.options.AuthMode, c.preferred, AuthIdentityPool)
	c.tokens, err = server.Tokens(ctx, amplify.TokensInput{})
	if err != nil && !errors.Is(err, amplify.ErrUnauthenticated) {
		return nil, err
	}
	if err != nil {
		c.tokens = nil
	}
	return c, nil
}

// choose returns the mode of a rule that allows an action: the preferred mode or, of others, that
// of the rule which allows it for the most items.
func (c *caller) choose(m *introspection.Model, action Action) (Choice, error) {
	var wants []string
	var best Choice
	rank := -1
	for _, r := range m.Rules {
		if !r.Allows(introspection.Action(action)) {
			continue
		}
		v := c.judge(r)
		if v.wants != "" {
			wants = append(wants, v.rule+" wants "+v.wants)
			continue
		}
		if v.mode == c.preferred || v.mode.signs() && c.preferred.signs() {
			v.rank += 10
		}
		if v.rank > rank {
			rank = v.rank
			best = Choice{v.mode, fmt.Sprintf("%s may %s items of %s by %q: %s",
				c, action, m.Name, v.mode, v.rule)}
		}
	}
	if rank >= 0 {
		return best, nil
	}
	why := "none of its rules is about that"
	if len(wants) > 0 {
		why = strings.Join(wants, "; ")
	}
	return Choice{}, &amplify.Error{
		Name: "Unauthorized", Reason: amplify.ReasonNotAuthorized,
		Message: fmt.Sprintf("No rule of the model %s allows %s to %s items: %s.",
			m.Name, c, action, why),
		RecoverySuggestion: "Do what one of the rules wants" + orRegenerate,
	}
}

// String tells who is calling.
func (c *caller) String() string {
	if c.tokens == nil {
		return "a guest"
	}
	return "the user who is signed in"
}

// judgement is what a rule says about a caller.
type judgement struct {
	rule  string // in words
	mode  AuthMode
	rank  int    // how many items the rule is about, and how sure that is
	wants string // what the caller lacks; empty if the rule allows
}

// judge tells what a rule wants of the caller.
func (c *caller) judge(r introspection.Rule) (v judgement) {
	v.mode = modeOf(r)
	v.rank = 4
	signedIn := c.tokens != nil
	given := c.options.AuthMode == v.mode && !c.options.AuthToken.IsZero()
	token := signedIn || v.mode == AuthOIDC && given
	switch r.Allow {
	case "public":
		v.rule = "its rule for everybody with the API key"
		if v.mode == AuthIdentityPool {
			v.rule = "its rule for guests"
			switch {
			case signedIn:
				v.wants = "a guest, and not a user who is signed in"
			case c.pool == nil || c.pool.IdentityPoolID == "" || !c.pool.AllowGuestAccess:
				v.wants = "an identity pool that allows guests"
			}
		} else if c.options.APIKey.IsZero() {
			v.wants = "an API key in the configuration"
		}
	case "private":
		v.rule = "its rule for everybody who is signed in"
		switch {
		case !token:
			v.wants = "a user who is signed in"
		case v.mode == AuthIdentityPool && (c.pool == nil || c.pool.IdentityPoolID == ""):
			v.wants = "an identity pool"
		}
	case "groups":
		v.rule, v.rank = fmt.Sprintf("its rule for the groups %q", r.Groups), 3
		ofItem := r.GroupsField != ""
		if ofItem {
			v.rule = fmt.Sprintf("its rule for the groups that an item names in %q", r.GroupsField)
			v.rank = 2
		}
		switch mine := c.groups(r); {
		case !token:
			v.wants = "a user who is signed in"
		case len(mine) == 0:
			v.wants = "a user who is in a group"
		case !ofItem && !slices.ContainsFunc(r.Groups, isIn(mine)):
			v.wants = "a user who is in one of them"
		}
	case "owner":
		v.rule, v.rank = "its rule for the owner of an item", 1
		if !token {
			v.wants = "a user who is signed in"
		} else if claim := c.lacks(r); claim != "" && !given {
			v.wants = fmt.Sprintf("the claim %q in the token, which the ID token may have: "+
				"see Options.IDToken", claim)
		}
	case "custom":
		v.rule = "its rule for an authorizer function"
		if !given {
			v.wants = "Options with AuthLambda and an AuthToken"
		}
	default:
		v.rule, v.wants = fmt.Sprintf("its rule for %q", r.Allow), "what this library does not know"
	}
	return v
}

func isIn(list []string) func(string) bool {
	return func(s string) bool { return slices.Contains(list, s) }
}

// modeOf returns the auth mode of a rule.
func modeOf(r introspection.Rule) AuthMode {
	switch r.Provider {
	case "apiKey":
		return AuthAPIKey
	case "iam", "identityPool":
		return AuthIdentityPool
	case "oidc":
		return AuthOIDC
	case "function":
		return AuthLambda
	}
	switch r.Allow {
	case "public":
		return AuthAPIKey
	case "custom":
		return AuthLambda
	}
	return AuthUserPool
}

// token returns the token of the session that is sent, or nil.
func (c *caller) token() *amplify.Token {
	switch {
	case c.tokens == nil:
		return nil
	case c.options.IDToken:
		return c.tokens.IDToken
	}
	return c.tokens.AccessToken
}

// lacks returns a claim that makes an owner by the rule and that the token does not have, or "".
func (c *caller) lacks(r introspection.Rule) string {
	var claims map[string]any
	if c.token().Decode(&claims) != nil {
		claims = nil
	}
	for claim := range strings.SplitSeq(r.IdentityClaim, "::") {
		switch claim {
		case "", "sub", "username", "cognito:username": // which all tokens of a user have
			continue
		}
		if _, is := claims[claim].(string); !is {
			return claim
		}
	}
	return ""
}

// groups returns the groups that the token which is sent says, in the claim of the rule.
func (c *caller) groups(r introspection.Rule) []string {
	token := c.token()
	if r.GroupClaim == "" || r.GroupClaim == "cognito:groups" {
		return token.Claims().Groups
	}
	var claims map[string]any
	if token.Decode(&claims) != nil {
		return nil
	}
	var groups []string
	switch claim := claims[r.GroupClaim].(type) {
	case string:
		groups = []string{claim}
	case []any:
		for _, g := range claim {
			if name, ok := g.(string); ok {
				groups = append(groups, name)
			}
		}
	}
	return groups
}
