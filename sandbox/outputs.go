package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/identity"
	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// outputs is an amplify_outputs.json. It keeps the whole file beside the parts that
// the sandbox reads, because the sandbox must not drop sections that it does not know.
type outputs struct {
	whole map[string]json.RawMessage
	auth  authOutputs
	// authWhole is the section auth of whole.
	authWhole map[string]json.RawMessage
}

// authOutputs is the section auth of the schema of amplify_outputs.json, version 1.4.
type authOutputs struct {
	Region                     string   `json:"aws_region"`
	UserPoolID                 string   `json:"user_pool_id"`
	UserPoolClientID           string   `json:"user_pool_client_id"`
	IdentityPoolID             string   `json:"identity_pool_id"`
	AllowGuests                bool     `json:"unauthenticated_identities_enabled"`
	UsernameAttributes         []string `json:"username_attributes"`
	StandardRequiredAttributes []string `json:"standard_required_attributes"`
	UserVerificationTypes      []string `json:"user_verification_types"`
	Groups                     []map[string]struct {
		Precedence *int `json:"precedence"`
	} `json:"groups"`
	PasswordPolicy *struct {
		MinLength        int  `json:"min_length"`
		RequireLowercase bool `json:"require_lowercase"`
		RequireNumbers   bool `json:"require_numbers"`
		RequireSymbols   bool `json:"require_symbols"`
		RequireUppercase bool `json:"require_uppercase"`
	} `json:"password_policy"`
	OAuth *oauthOutputs `json:"oauth"`
}

type oauthOutputs struct {
	IdentityProviders  []string `json:"identity_providers"`
	Domain             string   `json:"domain"`
	Scopes             []string `json:"scopes"`
	RedirectSignInURI  []string `json:"redirect_sign_in_uri"`
	RedirectSignOutURI []string `json:"redirect_sign_out_uri"`
	ResponseType       string   `json:"response_type"`
}

// parseOutputs reads an amplify_outputs.json.
func parseOutputs(text []byte) (*outputs, error) {
	o := &outputs{}
	if err := json.Unmarshal(text, &o.whole); err != nil || o.whole == nil {
		return nil, fmt.Errorf("sandbox: the outputs are not a JSON object: %w", orElse(err, "null"))
	}
	for key := range o.whole {
		if strings.HasPrefix(key, "aws_") {
			return nil, errors.New("sandbox: the outputs are an amplifyconfiguration.json of Gen 1: give an amplify_outputs.json of Gen 2")
		}
	}
	if err := json.Unmarshal(o.whole["auth"], &o.authWhole); err != nil || o.authWhole == nil {
		return nil, fmt.Errorf("sandbox: the outputs have no section auth: %w", orElse(err, "null"))
	}
	if err := json.Unmarshal(o.whole["auth"], &o.auth); err != nil {
		return nil, fmt.Errorf("sandbox: the section auth of the outputs: %w", err)
	}
	a := &o.auth
	var missing []error
	for name, value := range map[string]string{"aws_region": a.Region, "user_pool_id": a.UserPoolID, "user_pool_client_id": a.UserPoolClientID} {
		if value == "" {
			missing = append(missing, fmt.Errorf("sandbox: the outputs lack auth.%s", name))
		}
	}
	return o, errors.Join(missing...)
}

func orElse(err error, text string) error {
	if err == nil {
		return errors.New(text)
	}
	return err
}

// newOutputs makes the outputs of a new pool: those of defineAuth({loginWith: {email: true}}) of
// Amplify Gen 2, with managed login and all of its providers, and of defineStorage.
func newOutputs() (*outputs, error) {
	const region = "us-east-1"
	text, err := json.Marshal(map[string]any{
		"version": "1.4",
		"auth": map[string]any{
			"aws_region":                   region,
			"user_pool_id":                 region + "_" + rand.Text()[:9],
			"user_pool_client_id":          strings.ToLower(rand.Text()),
			"mfa_methods":                  []string{},
			"mfa_configuration":            "NONE",
			"standard_required_attributes": []string{"email"},
			"username_attributes":          []string{"email"},
			"user_verification_types":      []string{"email"},
			"groups":                       []any{},
			"password_policy": map[string]any{"min_length": 8, "require_lowercase": true, "require_numbers": true,
				"require_symbols": true, "require_uppercase": true},
			"identity_pool_id":                   region + ":" + uuid.NewString(),
			"unauthenticated_identities_enabled": true,
			"oauth": oauthOutputs{
				IdentityProviders: []string{"GOOGLE", "FACEBOOK", "LOGIN_WITH_AMAZON", "SIGN_IN_WITH_APPLE"},
				Domain:            strings.ToLower(rand.Text()[:20]) + ".auth." + region + ".amazoncognito.com",
				Scopes:            []string{"phone", "email", "openid", "profile", userpool.AdminScope},
				RedirectSignInURI: []string{}, RedirectSignOutURI: []string{}, ResponseType: "code",
			},
		},
		"storage": newStorageOutputs(region),
	})
	if err != nil {
		return nil, err
	}
	return parseOutputs(text)
}

// loadOutputs reads given. If given is empty, it reads the outputs of the data
// directory, or makes new ones. A data directory belongs to one user pool.
func (s *Sandbox) loadOutputs(ctx context.Context, given []byte) (o *outputs, err error) {
	if len(bytes.TrimSpace(given)) > 0 {
		if o, err = parseOutputs(given); err != nil {
			return nil, err
		}
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		kept, err := tx.Meta("outputs")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			was, err := parseOutputs(kept)
			if err != nil {
				return err
			}
			if o == nil {
				o = was
				return nil
			}
			if o.auth.UserPoolID != was.auth.UserPoolID {
				return fmt.Errorf("sandbox: the data directory belongs to user pool %s, the outputs describe %s: use another directory",
					was.auth.UserPoolID, o.auth.UserPoolID)
			}
		}
		if o == nil {
			if o, err = newOutputs(); err != nil {
				return err
			}
		}
		text, err := json.Marshal(o.whole)
		if err != nil {
			return err
		}
		return tx.SetMeta("outputs", text)
	})
	return o, err
}

// domain returns the host of managed login, or "".
func (o *outputs) domain() string {
	if o.auth.OAuth == nil {
		return ""
	}
	return o.auth.OAuth.Domain
}

// addOrigins adds the auth routes of applications to the redirect URIs. They
// come first, because an application takes the first redirect URI of its origin.
func (o *outputs) addOrigins(origins []string) error {
	if len(origins) == 0 {
		return nil
	}
	if o.auth.OAuth == nil {
		return errors.New("sandbox: there are application origins, but the outputs have no section auth.oauth")
	}
	var in, out []string
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return fmt.Errorf("sandbox: %q is not an origin such as http://localhost:3000", origin)
		}
		in = append(in, origin+"/api/auth/sign-in-callback")
		out = append(out, origin+"/api/auth/sign-out-callback")
	}
	oauth := o.auth.OAuth
	oauth.RedirectSignInURI = unique(append(in, oauth.RedirectSignInURI...))
	oauth.RedirectSignOutURI = unique(append(out, oauth.RedirectSignOutURI...))
	return nil
}

// unique returns the list without duplicates.
func unique(list []string) []string {
	var u []string
	for _, s := range list {
		if !slices.Contains(u, s) {
			u = append(u, s)
		}
	}
	return u
}

// poolConfig returns the configuration of the user pool that the outputs and cfg describe.
func (o *outputs) poolConfig(cfg Config) userpool.Config {
	a := o.auth
	c := userpool.Config{
		ID: a.UserPoolID, Region: a.Region, Clock: cfg.Clock, AccessTokenKey: cfg.AccessTokenKey, IDTokenKey: cfg.IDTokenKey,
		UsernameAttributes: a.UsernameAttributes, RequiredAttributes: a.StandardRequiredAttributes, VerifiedAttributes: a.UserVerificationTypes,
		PasswordPolicy: userpool.PasswordPolicy{MinLength: 8},
		PreToken:       cfg.PreToken, Logger: cfg.Logger,
	}
	// "username" among the username attributes means that users choose a username.
	c.UsernameAttributes = slices.DeleteFunc(slices.Clone(c.UsernameAttributes), func(a string) bool { return a == "username" })
	if len(c.VerifiedAttributes) == 0 {
		c.VerifiedAttributes = []string{"email"}
	}
	if p := a.PasswordPolicy; p != nil {
		c.PasswordPolicy = userpool.PasswordPolicy{MinLength: p.MinLength, RequireLowercase: p.RequireLowercase,
			RequireUppercase: p.RequireUppercase, RequireNumbers: p.RequireNumbers, RequireSymbols: p.RequireSymbols}
	}
	for _, groups := range a.Groups {
		for name, g := range groups {
			c.Groups = append(c.Groups, userpool.Group{Name: name, Precedence: g.Precedence, RoleARN: groupRole(a.Region, name)})
		}
	}
	own := userpool.Client{ID: a.UserPoolClientID, Providers: []string{"COGNITO"}}
	if a.OAuth != nil {
		own.CallbackURLs, own.LogoutURLs, own.Scopes = a.OAuth.RedirectSignInURI, a.OAuth.RedirectSignOutURI, a.OAuth.Scopes
		for _, p := range a.OAuth.IdentityProviders {
			own.Providers = append(own.Providers, providerName(p))
		}
	}
	c.Clients = []userpool.Client{own}
	for _, given := range cfg.Clients {
		client := own
		if given.ID != "" {
			client.ID = given.ID
		}
		client.Secret = given.Secret
		client.RotateRefreshTokens, client.RotationGrace = given.RotateRefreshTokens, given.RotationGrace
		client.AccessTokenValidity, client.IDTokenValidity, client.RefreshTokenValidity =
			given.AccessTokenValidity, given.IDTokenValidity, given.RefreshTokenValidity
		if client.ID == own.ID {
			c.Clients[0] = client
		} else {
			c.Clients = append(c.Clients, client)
		}
	}
	return c
}

// identityPool returns the identity pool that the outputs describe, or nil.
func (o *outputs) identityPool(ctx context.Context, st *store.Store, users *userpool.Pool) (*identity.Pool, error) {
	if o.auth.IdentityPoolID == "" {
		return nil, nil
	}
	clients := []string{}
	for _, c := range users.Config().Clients {
		clients = append(clients, c.ID)
	}
	return identity.New(ctx, st, identity.Config{
		ID: o.auth.IdentityPoolID, AllowGuests: o.auth.AllowGuests, Clock: users.Now,
		Providers: []identity.Provider{{UserPool: users, ClientIDs: clients}},
	})
}

// providerName returns Cognito's name for an identity provider of the outputs.
func providerName(s string) string {
	switch s {
	case "GOOGLE":
		return "Google"
	case "FACEBOOK":
		return "Facebook"
	case "LOGIN_WITH_AMAZON":
		return "LoginWithAmazon"
	case "SIGN_IN_WITH_APPLE":
		return "SignInWithApple"
	}
	return s
}

// groupRole returns the ARN of the role of a group's members. Amplify Gen 2 makes one role for each
// group.
func groupRole(region, group string) string {
	return "arn:" + partition.Of(region).ID + ":iam::000000000000:role/sandbox-" + group + "GroupRole"
}

// marshal returns the outputs with the sandbox's address.
func (o *outputs) marshal(address string) ([]byte, error) {
	var custom map[string]json.RawMessage
	if text := o.whole["custom"]; text != nil {
		if err := json.Unmarshal(text, &custom); err != nil {
			return nil, fmt.Errorf("sandbox: the section custom of the outputs: %w", err)
		}
	}
	if custom == nil { // absent or null
		custom = map[string]json.RawMessage{}
	}
	set := func(into map[string]json.RawMessage, key string, v any) (err error) {
		into[key], err = json.Marshal(v)
		return err
	}
	var errs []error
	errs = append(errs, set(custom, "amplify_go", map[string]any{"endpoints": map[string]string{
		"user_pool": address, "user_pool_keys": address, "identity_pool": address, "oauth": address, "storage": address,
	}}))
	errs = append(errs, set(o.whole, "custom", custom))
	if o.auth.OAuth != nil {
		oauth := map[string]json.RawMessage{}
		errs = append(errs, json.Unmarshal(o.authWhole["oauth"], &oauth),
			set(oauth, "redirect_sign_in_uri", o.auth.OAuth.RedirectSignInURI),
			set(oauth, "redirect_sign_out_uri", o.auth.OAuth.RedirectSignOutURI),
			set(o.authWhole, "oauth", oauth))
	}
	errs = append(errs, set(o.whole, "auth", o.authWhole), set(o.whole, "version", "1.4"))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return json.MarshalIndent(o.whole, "", "  ")
}
