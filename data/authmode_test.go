package data_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// unavailable is a session that cannot be read.
type unavailable struct{}

func (unavailable) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	return nil, errors.New("the keys cannot be had")
}

func TestChooseAuthMode(t *testing.T) {
	session := func(groups []string, idClaims string) amplify.TokenProvider {
		id := "e30." + base64.RawURLEncoding.EncodeToString([]byte(idClaims)) + ".s"
		return signedIn{&amplify.Tokens{
			AccessToken: amplify.NewToken("e30.e30.s", &amplify.Claims{Groups: groups}),
			IDToken:     amplify.NewToken(id, &amplify.Claims{Groups: groups}),
		}}
	}
	user, admin := session(nil, "{}"), session([]string{"Admins"}, `{"custom:orgs": "acme", "email": "a@b", "teams": ["red", 1]}`)
	lambda := data.Options{AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret("t")}
	idToken := data.Options{AuthMode: data.AuthUserPool, IDToken: true}
	for name, c := range map[string]struct {
		rules   string
		mode    string // the default of the configuration
		session amplify.TokenProvider
		options data.Options
		action  data.Action
		want    data.AuthMode
		why     string // why, or an error
	}{
		"a key":             {`{"allow":"public"}`, "apiKey", nil, data.Options{}, "list", data.AuthAPIKey, `a guest may list items of Note by "apiKey": its rule for everybody with the API key`},
		"a key, for a user": {`{"allow":"public","provider":"apiKey"}`, "userPool", user, data.Options{}, "list", data.AuthAPIKey, "the user who is signed in may list"},
		"a guest":           {`{"allow":"public","provider":"iam"}`, "apiKey", nil, data.Options{}, "get", data.AuthIdentityPool, "its rule for guests"},
		// amplify-js#13655
		"a user is no guest":            {`{"allow":"public","provider":"identityPool"}`, "apiKey", user, data.Options{}, "get", "", "its rule for guests wants a guest, and not a user who is signed in"},
		"a user":                        {`{"allow":"private"}`, "apiKey", user, data.Options{}, "create", data.AuthUserPool, "its rule for everybody who is signed in"},
		"a guest is no user":            {`{"allow":"private"}`, "apiKey", nil, data.Options{}, "create", "", "wants a user who is signed in"},
		"a user of the pool":            {`{"allow":"private","provider":"identityPool"}`, "apiKey", user, data.Options{}, "create", data.AuthIdentityPool, "signed in"},
		"the preferred of two":          {`{"allow":"private"},{"allow":"private","provider":"iam"}`, "iam", user, data.Options{}, "get", data.AuthIdentityPool, "signed in"},
		"the widest of two":             {`{"allow":"owner"},{"allow":"public"}`, "lambda", user, data.Options{}, "get", data.AuthAPIKey, "API key"},
		"the owner":                     {`{"allow":"owner"},{"allow":"public","operations":["read"]}`, "apiKey", user, data.Options{}, "update", data.AuthUserPool, "its rule for the owner"},
		"the owner before the key":      {`{"allow":"owner"},{"allow":"public"}`, "userPool", user, data.Options{}, "get", data.AuthUserPool, "its rule for the owner"},
		"an owner by a claim":           {`{"allow":"owner","identityClaim":"sub::email"}`, "apiKey", admin, idToken, "get", data.AuthUserPool, "its rule for the owner"},
		"an owner without the claim":    {`{"allow":"owner","identityClaim":"sub::email"}`, "apiKey", admin, data.Options{}, "get", "", `wants the claim "email" in the token`},
		"an owner elsewhere":            {`{"allow":"owner","provider":"oidc","identityClaim":"email"}`, "apiKey", nil, data.Options{AuthMode: data.AuthOIDC, AuthToken: amplify.NewSecret("t")}, "get", data.AuthOIDC, "its rule for the owner"},
		"a group":                       {`{"allow":"groups","groups":["Admins"]}`, "apiKey", admin, data.Options{}, "delete", data.AuthUserPool, `the groups ["Admins"]`},
		"another group":                 {`{"allow":"groups","groups":["Editors"]}`, "apiKey", admin, data.Options{}, "delete", "", "wants a user who is in one of them"},
		"no group":                      {`{"allow":"groups","groups":["Admins"]}`, "apiKey", user, data.Options{}, "delete", "", "wants a user who is in a group"},
		"a group of an item":            {`{"allow":"groups","groupsField":"team"}`, "apiKey", admin, data.Options{}, "delete", data.AuthUserPool, `that an item names in "team"`},
		"a claim of the ID token":       {`{"allow":"groups","groups":["acme"],"groupClaim":"custom:orgs"}`, "apiKey", admin, idToken, "get", data.AuthUserPool, "acme"},
		"a list of the ID token":        {`{"allow":"groups","groups":["red"],"groupClaim":"teams"}`, "apiKey", admin, idToken, "get", data.AuthUserPool, "red"},
		"not in the access token":       {`{"allow":"groups","groups":["acme"],"groupClaim":"custom:orgs"}`, "apiKey", admin, data.Options{}, "get", "", "wants a user who is in a group"},
		"a function":                    {`{"allow":"custom"}`, "apiKey", nil, lambda, "get", data.AuthLambda, "authorizer function"},
		"a function, no token":          {`{"allow":"custom"}`, "apiKey", user, data.Options{}, "get", "", "wants Options with AuthLambda and an AuthToken"},
		"another provider":              {`{"allow":"private","provider":"oidc"}`, "apiKey", nil, data.Options{AuthMode: data.AuthOIDC, AuthToken: amplify.NewSecret("t")}, "get", data.AuthOIDC, "signed in"},
		"another operation":             {`{"allow":"public","operations":["get"]}`, "apiKey", nil, data.Options{}, "list", "", "none of its rules is about that"},
		"no rules":                      {``, "apiKey", nil, data.Options{}, "list", "", "none of its rules is about that"},
		"an unknown rule":               {`{"allow":"everybody"}`, "apiKey", user, data.Options{}, "list", "", "what this library does not know"},
		"a session that cannot be read": {`{"allow":"public"}`, "apiKey", unavailable{}, data.Options{}, "list", "", "the keys cannot be had"},
	} {
		t.Run(name, func(t *testing.T) {
			var rules []map[string]any
			if err := json.Unmarshal([]byte("["+c.rules+"]"), &rules); err != nil {
				t.Fatal(err)
			}
			for _, r := range rules {
				if r["operations"] == nil {
					r["operations"] = []string{"create", "update", "delete", "read"}
				}
			}
			list, err := json.Marshal(rules)
			if err != nil {
				t.Fatal(err)
			}
			app, err := amplify.New(amplify.Config{
				Auth: &amplify.AuthConfig{IdentityPoolID: "eu-west-1:1", AllowGuestAccess: true},
				Data: &amplify.DataConfig{
					DefaultAuthMode: c.mode, APIKey: amplify.NewSecret("key"),
					ModelIntrospection: json.RawMessage(fmt.Sprintf(`{"models": {"Note": {
						"fields": {"id": {"type": "ID", "isRequired": true}}, "attributes": [{"type": "auth", "properties": {"rules": %s}}]}}}`, list)),
				},
			}, amplify.Options{})
			if err != nil {
				t.Fatal(err)
			}
			notes, err := data.DynamicModelOf(app, "Note")
			if err != nil {
				t.Fatal(err)
			}
			ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Tokens: c.session})
			defer done()
			choice, err := notes.With(c.options).ChooseAuthMode(ctx, c.action)
			text := choice.Why
			if c.want == "" {
				text = fmt.Sprint(err)
			}
			if choice.AuthMode != c.want || (err == nil) != (c.want != "") || !strings.Contains(text, c.why) {
				t.Errorf("%q, %q, %v", choice.AuthMode, choice.Why, err)
			}
			if c.want == "" && c.session != (unavailable{}) && amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
				t.Errorf("the reason is %q", amplify.ReasonOf(err))
			}
		})
	}
}

// What a rule wants of the configuration.
func TestChooseAuthModeWithoutPoolOrKey(t *testing.T) {
	app, err := amplify.New(amplify.Config{Data: &amplify.DataConfig{ModelIntrospection: json.RawMessage(`{"models": {"Note": {
		"fields": {"id": {"type": "ID"}}, "attributes": [{"type": "auth", "properties": {"rules": [
			{"allow": "public", "operations": ["read"]}, {"allow": "public", "provider": "iam", "operations": ["read"]},
			{"allow": "private", "provider": "iam", "operations": ["create"]}]}}]}}}`)}}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := data.DynamicModelOf(app, "Note")
	if err != nil {
		t.Fatal(err)
	}
	guest, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{})
	defer done()
	user, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Tokens: signedIn{&amplify.Tokens{}}})
	defer done()
	_, get := notes.ChooseAuthMode(guest, data.ActionGet)
	_, create := notes.ChooseAuthMode(user, data.ActionCreate)
	if get == nil || !strings.Contains(get.Error(), "an API key in the configuration; its rule for guests wants an identity pool that allows guests") {
		t.Error(get)
	}
	if create == nil || !strings.Contains(create.Error(), "wants an identity pool") {
		t.Error(create)
	}
	// An API key of the options will do.
	choice, err := notes.With(data.Options{APIKey: amplify.NewSecret("k")}).ChooseAuthMode(guest, data.ActionList)
	if err != nil || choice.AuthMode != data.AuthAPIKey {
		t.Error(choice, err)
	}
}
