package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/realtime"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/identity"
	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Data configures the GraphQL API of a data schema.
type Data struct {
	// Schema is the annotated schema (@model, @auth, …) in GraphQL's schema language: the file
	// model-schema.graphql of Gen 2's synthesised backend, or schema.graphql of Gen 1. Without it
	// the API is that of the model introspection in the outputs, which does not tell all: rules of
	// fields and default values are unknown, and custom operations are refused.
	Schema string
	// SchemaFiles are the texts of the schema's files by their names, which errors tell. They are
	// for a schema that is in several files, as Gen 1 allows. They are used instead of Schema.
	SchemaFiles map[string]string
	// Functions answer the custom queries and mutations, by name such as "Query.echo". One
	// without a function answers with an error that says so, and Start logs a warning. A function
	// for an operation that the schema lacks is an error of Start. That of a custom subscription
	// is asked when someone subscribes, and refuses by an error; a subscription needs none.
	Functions map[string]function.Handler
	// Authorizer decides about callers of the mode AWS_LAMBDA.
	Authorizer function.Authorizer
	// AuthorizerTTL is for how long an answer of Authorizer is kept, by token. Zero means five
	// minutes, as in AWS, and a negative value means not at all. See function.AuthorizerResponse.
	AuthorizerTTL time.Duration
	// OIDC is the provider of the mode OPENID_CONNECT.
	OIDC OIDCProvider
}

// OIDCProvider is a provider of OpenID Connect, whose tokens an API takes.
type OIDCProvider struct {
	// Issuer is the provider's URL. The sandbox reads its keys from there.
	Issuer string
	// ClientID is the audience that tokens must have. Empty means any.
	ClientID string
}

// dataOutputs is the section data of the outputs.
type dataOutputs struct {
	URL         string   `json:"url"`
	Region      string   `json:"aws_region"`
	APIKey      string   `json:"api_key,omitempty"`
	DefaultMode string   `json:"default_authorization_type"`
	OtherModes  []string `json:"authorization_types"`
	// Introspection is the model introspection.
	Introspection json.RawMessage `json:"model_introspection,omitempty"`
}

// authModes are the modes of authorization by their names in outputs.
var authModes = map[string]schema.Provider{
	"API_KEY": schema.APIKey, "AMAZON_COGNITO_USER_POOLS": schema.UserPool, "AWS_IAM": schema.IAM,
	"AWS_LAMBDA": schema.Function, "OPENID_CONNECT": schema.OIDC,
}

// graphQLPath is where AppSync answers. realtimePath is where it takes subscriptions at hosts that
// are not AWS's own for that.
const (
	graphQLPath  = "/graphql"
	realtimePath = graphQLPath + "/realtime"
)

// newDataOutputs makes the section data of an API of the sandbox's own, with all modes that have
// what they need, and the API key as default.
func newDataOutputs(region string, d Data) dataOutputs {
	// Amplify JS takes the host for AWS's only if the id has 26 characters.
	o := dataOutputs{Region: region, APIKey: "da2-" + strings.ToLower(rand.Text()[:26]),
		URL: "https://" + strings.ToLower(rand.Text()[:26]) + "." +
			partition.Host("appsync-api", region) + graphQLPath,
		DefaultMode: "API_KEY", OtherModes: []string{"AMAZON_COGNITO_USER_POOLS", "AWS_IAM"}}
	if d.Authorizer != nil {
		o.OtherModes = append(o.OtherModes, "AWS_LAMBDA")
	}
	if d.OIDC.Issuer != "" {
		o.OtherModes = append(o.OtherModes, "OPENID_CONNECT")
	}
	return o
}

// loadData returns the section data of the outputs. If they have none, and there
// is a schema, it makes one, which a data directory keeps.
func (s *Sandbox) loadData(ctx context.Context, d Data, o *outputs) (data dataOutputs, err error) {
	if text := o.whole["data"]; text != nil {
		if err := json.Unmarshal(text, &data); err != nil {
			return data, fmt.Errorf("sandbox: the section data of the outputs: %w", err)
		}
		if data.Region == "" {
			data.Region = o.auth.Region
		}
		if o.gen1 && data.OtherModes == nil { // which files of Gen 1 do not tell
			data.OtherModes = []string{"API_KEY", "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"}
		}
		return data, nil
	}
	if d.Schema == "" && len(d.SchemaFiles) == 0 {
		return data, nil
	}
	const name = "data_outputs"
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.Meta(name)
		if err == nil {
			return json.Unmarshal(text, &data)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		data = newDataOutputs(o.auth.Region, d)
		if text, err = json.Marshal(data); err != nil {
			return err
		}
		return tx.SetMeta(name, text)
	})
	if err != nil {
		return data, err
	}
	return data, setMember(o.whole, "data", data)
}

// describeModels adds a model introspection to the section data of outputs.
func describeModels(whole map[string]json.RawMessage, introspection json.RawMessage) error {
	var data map[string]json.RawMessage
	if err := json.Unmarshal(whole["data"], &data); err != nil {
		return fmt.Errorf("sandbox: the section data of the outputs: %w", err)
	}
	data["model_introspection"] = introspection
	return setMember(whole, "data", data)
}

// modes returns the modes of authorization, the default one first.
func (o dataOutputs) modes() ([]schema.Provider, error) {
	var modes []schema.Provider
	var errs []error
	for _, name := range append([]string{o.DefaultMode}, o.OtherModes...) {
		mode, known := authModes[name]
		if !known {
			errs = append(errs, fmt.Errorf("sandbox: the section data of the outputs has the "+
				"unknown authorization type %q", name))
		} else if !slices.Contains(modes, mode) {
			modes = append(modes, mode)
		}
	}
	return modes, errors.Join(errs...)
}

// newData returns the GraphQL API, or nil if there is none.
func (s *Sandbox) newData(ctx context.Context, cfg Config, o *outputs,
	identities *identity.Pool) (*appsync.API, error) {
	d := cfg.Data
	data, err := s.loadData(ctx, d, o)
	if err != nil {
		return nil, err
	}
	if data.URL == "" {
		return nil, nil
	}
	modes, err := data.modes()
	if err != nil {
		return nil, err
	}
	parsed, err := d.read(data.Introspection,
		schema.Options{Default: modes[0], Additional: modes[1:], Gen1: o.gen1})
	if err != nil {
		return nil, fmt.Errorf("sandbox: the data schema: %w", err)
	}
	if parsed != nil && data.Introspection == nil {
		if err := describeModels(o.whole, parsed.Introspection); err != nil {
			return nil, err
		}
	}
	if parsed == nil {
		s.logger.Warn("sandbox: the outputs have a GraphQL API, but the sandbox has neither a " +
			"data schema nor a model introspection: it does not serve the API")
		return nil, nil
	}
	for name, missing := range map[schema.Provider]bool{
		schema.Function: d.Authorizer == nil, schema.OIDC: d.OIDC.Issuer == ""} {
		if missing && slices.Contains(modes, name) {
			s.logger.Warn("sandbox: the GraphQL API has a mode of authorization whose authorizer "+
				"or provider is not given: it refuses such callers", "mode", name)
		}
	}
	without, err := d.checkFunctions(parsed)
	if err != nil {
		return nil, err
	}
	if without != nil {
		s.logger.Warn("sandbox: the data schema has custom operations without a function",
			"operations", without)
	}
	for _, w := range parsed.Warnings {
		s.logger.Warn("sandbox: the data schema", "warning", w)
	}
	if u, err := url.Parse(data.URL); err == nil {
		if host := strings.ToLower(u.Hostname()); dnsName.MatchString(host) {
			s.dataHost = host
		}
	}
	return appsync.New(ctx, appsync.Config{
		Region: data.Region, Schema: parsed, Modes: modes, APIKey: data.APIKey,
		UserPool:    s.verifyUser,
		OIDC:        verifyOIDC(d.OIDC, http.DefaultTransport, s.clock.Now, s.logger),
		Credentials: s.dataCredentials(identities),
		Authorizer:  d.Authorizer, AuthorizerTTL: d.AuthorizerTTL, Functions: d.Functions,
		Store: s.store, Clock: s.clock.Now, Logger: s.logger,
	})
}

// read returns the data schema: as it is given, or what the introspection tells of it. It
// returns nil if there is neither.
func (d Data) read(introspection json.RawMessage, o schema.Options) (*schema.Schema, error) {
	switch {
	case len(d.SchemaFiles) > 0:
		return schema.ReadFiles(d.SchemaFiles, o)
	case d.Schema != "":
		return schema.Read("schema.graphql", d.Schema, o)
	case introspection != nil:
		return schema.ReadIntrospection("amplify_outputs.json", introspection, o)
	}
	return nil, nil
}

// checkFunctions returns the custom queries and mutations that have no function. Subscriptions need
// none. A function without an operation is an error.
func (d Data) checkFunctions(s *schema.Schema) (without []string, err error) {
	unknown := maps.Clone(d.Functions)
	var known []string
	for kind, root := range map[ast.Operation]*ast.Definition{
		ast.Query: s.API.Query, ast.Mutation: s.API.Mutation,
		ast.Subscription: s.API.Subscription} {
		if root == nil {
			continue
		}
		for _, f := range root.Fields {
			op := s.Operation(kind, f.Name)
			if op == nil || op.Kind != schema.Custom {
				continue
			}
			name := root.Name + "." + f.Name
			known = append(known, name)
			if d.Functions[name] == nil && kind != ast.Subscription {
				without = append(without, name)
			}
			delete(unknown, name)
		}
	}
	slices.Sort(known)
	has := "has no custom operations"
	if known != nil {
		has = "has the custom operations " + strings.Join(known, ", ")
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		errs = append(errs, fmt.Errorf(
			"sandbox: there is a function for %q, but the data schema %s", name, has))
	}
	slices.Sort(without)
	return without, errors.Join(errs...)
}

// verifyUser returns the claims of a token of the user pool: an access token or an ID token.
// AppSync verifies them by the pool's keys alone, so that those of a session that was revoked are
// good until they expire.
func (s *Sandbox) verifyUser(token string) (map[string]any, error) {
	claims, err := s.pool.VerifyToken(token)
	switch {
	case errors.Is(err, userpool.ErrTokenExpired):
		return nil, appsync.ErrTokenExpired
	case err != nil:
		return nil, appsync.ErrToken
	}
	return claims, nil
}

// dataCredentials returns the function that tells whose credentials are used.
func (s *Sandbox) dataCredentials(identities *identity.Pool) func(accessKeyID, token string) (
	*appsync.Caller, string, error) {
	return func(accessKeyID, token string) (*appsync.Caller, string, error) {
		if identities == nil {
			return nil, "", appsync.ErrCredentials
		}
		who, secret, err := identities.Lookup(accessKeyID, token)
		switch {
		case errors.Is(err, identity.ErrExpiredCredentials):
			return nil, "", appsync.ErrCredentialsExpired
		case err != nil:
			return nil, "", appsync.ErrCredentials
		}
		cfg := identities.Config()
		known := &function.Identity{AccountID: "000000000000", UserARN: assumedRole(who.Role),
			Username:              who.IdentityID + ":CognitoIdentityCredentials",
			CognitoIdentityPoolID: cfg.ID, CognitoIdentityID: who.IdentityID,
			CognitoIdentityAuthType: "authenticated"}
		principal := schema.SignedInOtherRole
		switch {
		case who.Guest && who.Role == cfg.GuestRole:
			principal = schema.Guest
		case who.Guest:
			principal = schema.OtherIdentity
		case who.Role == cfg.UserRole:
			principal = schema.SignedIn
		}
		if who.Guest {
			known.CognitoIdentityAuthType = "unauthenticated"
		} else {
			provider := strings.TrimPrefix(s.pool.Issuer(), "https://")
			known.CognitoIdentityAuthProvider = fmt.Sprintf("%q,%q", provider,
				provider+":CognitoSignIn:"+who.Sub)
		}
		return &appsync.Caller{Identity: schema.Identity{IAM: principal}, Known: known}, secret, nil
	}
}

// newRealtime returns the realtime endpoint of the GraphQL API, or nil if there is none.
func (s *Sandbox) newRealtime() *realtime.Handler {
	if s.data == nil {
		return nil
	}
	return realtime.New(realtime.Config{API: s.data, Path: graphQLPath, Logger: s.logger,
		Serves: func(host string) bool {
			host = hostOf(host)
			return host != "" && host == s.dataHost || isLoopback(host)
		}})
}

// realtimeHost returns AWS's name for the realtime endpoint of the API at a host, or "" if that is
// no name of AppSync's: then the endpoint is below the API's own path (Amplify JS, appsyncUrl.ts).
func realtimeHost(host string) string {
	const api = ".appsync-api."
	id, rest, found := strings.Cut(host, api)
	if !found || len(id) != 26 {
		return ""
	}
	return id + ".appsync-realtime-api." + rest
}

// isRealtime reports whether a request is for the realtime endpoint.
func (s *Sandbox) isRealtime(r *http.Request) bool {
	if s.data == nil {
		return false
	}
	host := hostname(r)
	if aws := realtimeHost(s.dataHost); aws != "" && host == aws {
		return r.URL.Path == graphQLPath
	}
	return r.URL.Path == realtimePath &&
		(host == s.dataHost || isLoopback(host) && !signedForOther(r))
}

// isGraphQL reports whether a request is for the GraphQL API.
func (s *Sandbox) isGraphQL(r *http.Request) bool {
	return s.data != nil && r.URL.Path == graphQLPath &&
		(hostname(r) == s.dataHost || isLoopback(hostname(r)) && !signedForOther(r))
}

// signedForOther reports whether a request is signed for another service than AppSync.
func signedForOther(r *http.Request) bool {
	authorization := r.Header.Get("Authorization")
	return r.URL.Query().Has("X-Amz-Signature") ||
		strings.HasPrefix(authorization, "AWS") &&
			!strings.Contains(authorization, "/appsync/aws4_request")
}

// refuseGraphQL answers a call of the GraphQL API with an error of AppSync.
func refuseGraphQL(w http.ResponseWriter, o faults.Outcome) bool {
	switch o {
	case faults.Throttle:
		appsync.Fail(w, http.StatusTooManyRequests, "ThrottlingException", "Rate exceeded")
	case faults.JSON500:
		appsync.Fail(w, http.StatusInternalServerError, "InternalFailure",
			"An internal failure occurred.")
	default:
		return false
	}
	return true
}
