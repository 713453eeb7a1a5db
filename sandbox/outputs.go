package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
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
	// gen1 says that they were made of a file of Gen 1.
	gen1 bool
}

// authOutputs is the section auth of the schema of amplify_outputs.json, version 1.5.
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
	OAuth            *oauthOutputs        `json:"oauth"`
	MFAConfiguration string               `json:"mfa_configuration"`
	Passwordless     *passwordlessOutputs `json:"passwordless"`
}

type oauthOutputs struct {
	IdentityProviders  []string `json:"identity_providers"`
	Domain             string   `json:"domain"`
	Scopes             []string `json:"scopes"`
	RedirectSignInURI  []string `json:"redirect_sign_in_uri"`
	RedirectSignOutURI []string `json:"redirect_sign_out_uri"`
	ResponseType       string   `json:"response_type"`
}

// readOutputs reads outputs that a user gives: an amplify_outputs.json, or a file of Gen 1, of
// which it makes one. It says so in the log.
func readOutputs(text []byte, logger *slog.Logger) (*outputs, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // which editors on Windows write
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || !isGen1(members) {
		return parseOutputs(text)
	}
	made, leftOut, err := fromGen1(text, members)
	if err != nil {
		return nil, err
	}
	logger.Info("sandbox: the outputs are a file of Gen 1; the sandbox gives an "+
		"amplify_outputs.json of Gen 2, which the library and Amplify JS 6 load", "left_out", leftOut)
	o, err := parseOutputs(made)
	if err != nil {
		return nil, err
	}
	o.gen1 = true
	return o, nil
}

// parseOutputs reads an amplify_outputs.json.
func parseOutputs(text []byte) (*outputs, error) {
	o := &outputs{}
	if err := json.Unmarshal(text, &o.whole); err != nil || o.whole == nil {
		if source.Match(text) {
			return nil, errors.New("sandbox: the outputs are source code, such as aws-exports.js: " +
				"give amplifyconfiguration.json, which Amplify's command line writes beside it " +
				"(amplify pull)")
		}
		return nil, fmt.Errorf("sandbox: the outputs are not a JSON object: %w", orElse(err, "null"))
	}
	if err := checkVersion(o.whole["version"]); err != nil {
		return nil, err
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
	return o, errors.Join(append(missing, a.checkServed())...)
}

// source matches source code of JavaScript or TypeScript.
var source = regexp.MustCompile(`(?m)^\s*(const|let|var|export|import|module\.exports)\b`)

// checkVersion accepts the versions 1 and 1.x of amplify_outputs.json. Minor versions only add
// members, which the sandbox gives back as they are.
func checkVersion(raw json.RawMessage) error {
	var version string
	if err := json.Unmarshal(raw, &version); err != nil || version == "" {
		return errors.New(`sandbox: the outputs have no version, such as "1.4": ` +
			"generate them again (npx ampx generate outputs)")
	}
	if major, _, _ := strings.Cut(version, "."); major != "1" {
		return fmt.Errorf("sandbox: the outputs have version %q, and this sandbox knows 1 and 1.x: "+
			"use a newer sandbox, or generate outputs of version 1 "+
			"(npx ampx generate outputs --outputs-version 1.4)", version)
	}
	return nil
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
		if o, err = readOutputs(given, s.logger); err != nil {
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
// If there is no managed login, it adds that, and says what to deploy.
func (o *outputs) addOrigins(origins []string, logger *slog.Logger) error {
	if len(origins) == 0 {
		return nil
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
	if o.auth.OAuth == nil {
		if err := o.addManagedLogin(); err != nil {
			return err
		}
		logger.Warn("sandbox: the outputs have no managed login, and the sandbox adds it; "+
			"with AWS, it has to be deployed", "domain", o.domain(), "deploy", o.deployment(in, out))
	}
	oauth := o.auth.OAuth
	oauth.RedirectSignInURI = unique(append(in, oauth.RedirectSignInURI...))
	oauth.RedirectSignOutURI = unique(append(out, oauth.RedirectSignOutURI...))
	whole := map[string]json.RawMessage{}
	if err := json.Unmarshal(o.authWhole["oauth"], &whole); err != nil {
		return fmt.Errorf("sandbox: the section auth.oauth of the outputs: %w", err)
	}
	return errors.Join(
		setMember(whole, "redirect_sign_in_uri", oauth.RedirectSignInURI),
		setMember(whole, "redirect_sign_out_uri", oauth.RedirectSignOutURI),
		setMember(o.authWhole, "oauth", whole))
}

// setMember sets a member of a JSON object.
func setMember(object map[string]json.RawMessage, name string, v any) (err error) {
	object[name], err = json.Marshal(v)
	return err
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
		KeyFile:            cfg.KeyFile,
		UsernameAttributes: a.UsernameAttributes, RequiredAttributes: a.StandardRequiredAttributes, VerifiedAttributes: a.UserVerificationTypes,
		PasswordPolicy: userpool.PasswordPolicy{MinLength: 8},
		PreToken:       cfg.PreToken, Logger: cfg.Logger,
		AliasAttributes: cfg.AliasAttributes, ProviderIdentifiers: cfg.ProviderIdentifiers,
	}
	for _, rs := range cfg.ResourceServers {
		c.ResourceServers = append(c.ResourceServers, userpool.ResourceServer(rs))
	}
	// "username" among the username attributes means that users choose a username.
	c.UsernameAttributes = slices.DeleteFunc(slices.Clone(c.UsernameAttributes), func(a string) bool { return a == "username" })
	if len(c.VerifiedAttributes) == 0 {
		c.VerifiedAttributes = []string{"email"}
	}
	for _, address := range c.UsernameAttributes {
		if slices.Contains(c.VerifiedAttributes, address) {
			c.KeepOriginal = append(c.KeepOriginal, address)
		}
	}
	if slices.Contains(c.UsernameAttributes, "email") {
		c.RecoveryAttributes = []string{"email"} // alone, as Amplify's construct has it
	} else {
		c.RecoveryAttributes = c.UsernameAttributes
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
		// Outputs do not list resource servers. Those of their own scopes must exist.
		for _, scope := range own.Scopes {
			if i := strings.LastIndex(scope, "/"); i >= 0 {
				c.ResourceServers = append(c.ResourceServers,
					userpool.ResourceServer{Identifier: scope[:i], Scopes: []string{scope[i+1:]}})
			}
		}
	}
	c.Clients = []userpool.Client{own}
	for _, given := range cfg.Clients {
		client := own
		if given.ID != "" {
			client.ID = given.ID
		}
		client.Secret, client.AuthFlows = given.Secret, given.AuthFlows
		client.RevealUserExistence = given.RevealUserExistence
		if client.ClientCredentials = given.ClientCredentials; client.ClientCredentials {
			client.Scopes = nil // those of the outputs are for users
			if client.ID != own.ID {
				client.CallbackURLs, client.LogoutURLs, client.Providers = nil, nil, nil
			}
		}
		if given.Scopes != nil {
			client.Scopes = given.Scopes
		}
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
func (o *outputs) identityPool(
	ctx context.Context, st *store.Store, users *userpool.Pool, serverSideTokenCheck bool,
) (*identity.Pool, error) {
	if o.auth.IdentityPoolID == "" {
		return nil, nil
	}
	clients := []string{}
	for _, c := range users.Config().Clients {
		clients = append(clients, c.ID)
	}
	return identity.New(ctx, st, identity.Config{
		ID: o.auth.IdentityPoolID, AllowGuests: o.auth.AllowGuests, Clock: users.Now,
		Providers: []identity.Provider{{
			UserPool: users, ClientIDs: clients, ServerSideTokenCheck: serverSideTokenCheck}},
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

// marshal returns the outputs with the sandbox's address. data tells whether it has a GraphQL API.
func (o *outputs) marshal(address string, data bool) ([]byte, error) {
	var custom map[string]json.RawMessage
	if text := o.whole["custom"]; text != nil {
		if err := json.Unmarshal(text, &custom); err != nil {
			return nil, fmt.Errorf("sandbox: the section custom of the outputs: %w", err)
		}
	}
	if custom == nil { // absent or null
		custom = map[string]json.RawMessage{}
	}
	endpoints := map[string]string{
		"user_pool": address, "user_pool_keys": address,
		"identity_pool": address, "oauth": address, "storage": address,
	}
	if data {
		endpoints["data"] = address + graphQLPath
		endpoints["realtime"] = address + realtimePath
	}
	errs := []error{
		setMember(custom, "amplify_go", map[string]any{"endpoints": endpoints}),
		setMember(o.whole, "custom", custom),
		setMember(o.whole, "auth", o.authWhole),
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return json.MarshalIndent(o.whole, "", "  ")
}
