package amplify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

func TestConformanceConfig(t *testing.T) {
	conformance.Run(t, "config.json", configExceptions, func(t *testing.T, c conformance.Case) error {
		var in struct {
			Config json.RawMessage `json:"config"`
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		cfg, err := amplify.ParseConfig(in.Config)
		if c.Want("error") != nil {
			return sameError(err, c)
		}
		if err != nil {
			return err
		}
		want, err := json.Marshal(meaning(c.Want("value")))
		if err != nil {
			return err
		}
		return conformance.Diff(want, meaning(resourcesConfig(t, cfg)))
	})
}

// sameError compares an error with the recorded one: name and, where they were recorded, message
// and recovery suggestion. Ours always has both. Errors of the JavaScript engine are no behaviour
// of the packages: they mean that it fails (README.md, "Conventions of all files").
func sameError(err error, c conformance.Case) error {
	var e *amplify.Error
	switch {
	case !errors.As(err, &e):
		return fmt.Errorf("got %v, want the error %v", err, c.Want("error"))
	case e.Reason != amplify.ReasonConfiguration || e.Message == "" || e.RecoverySuggestion == "":
		return fmt.Errorf("got reason %q, message %q, suggestion %q", e.Reason, e.Message, e.RecoverySuggestion)
	case c.Want("error", "name") == "TypeError":
		return nil
	}
	got := map[string]any{"name": e.Name}
	if c.Want("error", "message") != nil {
		got["message"] = e.Message
	}
	if c.Want("error", "recoverySuggestion") != nil {
		got["recoverySuggestion"] = e.RecoverySuggestion
	}
	want, err := json.Marshal(c.Want("error"))
	if err != nil {
		return err
	}
	return conformance.Diff(want, got)
}

// resourcesConfig renders cfg in the shape of Amplify JS's ResourcesConfig.
func resourcesConfig(t *testing.T, cfg amplify.Config) map[string]any {
	t.Helper()
	all := reveal(cfg.Other).(map[string]any)
	part := func(name, inner string, v map[string]any) {
		outer, _ := all[name].(map[string]any)
		if outer == nil {
			outer = map[string]any{}
		}
		outer[inner] = v
		all[name] = outer
	}
	if a := cfg.Auth; a != nil {
		loginWith := map[string]any{}
		for _, with := range a.SignInWith {
			loginWith[with] = true
		}
		cognito := map[string]any{
			"userPoolId": a.UserPoolID, "userPoolClientId": a.UserPoolClientID, "userPoolEndpoint": a.UserPoolEndpoint,
			"identityPoolId": a.IdentityPoolID, "identityPoolEndpoint": a.IdentityPoolEndpoint,
			"allowGuestAccess": a.AllowGuestAccess, "signUpVerificationMethod": a.SignUpVerificationMethod,
			"loginWith": loginWith,
		}
		if o := a.OAuth; o != nil {
			loginWith["oauth"] = map[string]any{
				"domain": o.Domain, "redirectSignIn": o.RedirectSignIn, "redirectSignOut": o.RedirectSignOut,
				"responseType": o.ResponseType, "scopes": o.Scopes, "providers": o.Providers,
			}
		}
		attributes := map[string]any{}
		for _, name := range a.RequiredAttributes {
			attributes[name] = map[string]any{"required": true}
		}
		cognito["userAttributes"] = attributes
		if p := a.PasswordPolicy; p != nil {
			cognito["passwordFormat"] = map[string]any{
				"minLength": p.MinLength, "requireLowercase": p.RequireLowercase, "requireUppercase": p.RequireUppercase,
				"requireNumbers": p.RequireNumbers, "requireSpecialCharacters": p.RequireSymbols,
			}
		}
		if m := a.MFA; m != nil {
			cognito["mfa"] = map[string]any{"status": m.Status, "totpEnabled": m.TOTPEnabled, "smsEnabled": m.SMSEnabled}
		}
		if p := a.Passwordless; p != nil {
			passwordless := map[string]any{
				"emailOtpEnabled": p.EmailOTPEnabled, "smsOtpEnabled": p.SMSOTPEnabled, "preferredChallenge": p.PreferredChallenge,
			}
			if w := p.WebAuthn; w != nil {
				passwordless["webAuthn"] = map[string]any{"relyingPartyId": w.RelyingPartyID, "userVerification": w.UserVerification}
			}
			cognito["passwordless"] = passwordless
		}
		groups := []any{}
		for _, g := range a.Groups {
			groups = append(groups, map[string]any{g.Name: map[string]any{"precedence": g.Precedence}})
		}
		cognito["groups"] = groups
		part("Auth", "Cognito", cognito)
	}
	if d := cfg.Data; d != nil {
		part("API", "GraphQL", map[string]any{
			"endpoint": d.Endpoint, "region": d.Region, "customEndpoint": d.CustomEndpoint, "customEndpointRegion": d.CustomEndpointRegion,
			"defaultAuthMode": d.DefaultAuthMode, "apiKey": d.APIKey.Reveal(), "modelIntrospection": d.ModelIntrospection,
		})
	}
	if s := cfg.Storage; s != nil {
		buckets := map[string]any{}
		for name, b := range s.Buckets {
			paths := map[string]any{}
			for _, p := range b.Paths {
				paths[p.Pattern] = p.Actions
			}
			buckets[name] = map[string]any{"bucketName": b.Name, "region": b.Region, "paths": paths}
		}
		part("Storage", "S3", map[string]any{
			"bucket": s.Bucket, "region": s.Region, "buckets": buckets,
			"dangerouslyConnectToHttpEndpointForTesting": s.DangerouslyConnectToHTTPEndpointForTesting,
		})
	}
	return all
}

// reveal returns v, of Config.Other, with the secrets in it as texts.
func reveal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = reveal(member)
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = reveal(out[i])
		}
		return out
	case amplify.Secret:
		return v.Reveal()
	}
	return v
}

// meaning returns v, a ResourcesConfig, with what means the same written the same: of the three
// parts that the library reads, members that are false, empty or unset are left out (in Go they are
// zero values), flags are booleans, and a provider of one's own is its name.
func meaning(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var config any
	if err := json.Unmarshal(b, &config); err != nil {
		return err
	}
	parts, ok := config.(map[string]any)
	if !ok {
		return config
	}
	for _, path := range [][2]string{{"Auth", "Cognito"}, {"API", "GraphQL"}, {"Storage", "S3"}} {
		if outer, ok := parts[path[0]].(map[string]any); ok && outer[path[1]] != nil {
			if outer[path[1]] = compact(outer[path[1]]); outer[path[1]] == nil {
				outer[path[1]] = map[string]any{}
			}
		}
	}
	return parts
}

func compact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if custom, ok := v["custom"]; ok {
			return custom
		}
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member := compact(v[name])
			if text, ok := member.(string); ok && (name == "allowGuestAccess" || strings.HasPrefix(name, "dangerously")) {
				member = text != ""
			}
			if name == "minLength" && member == 0.0 {
				member = nil
			}
			if name == "modelIntrospection" {
				member = v[name] // handed on as it is
			}
			if member != nil {
				out[name] = member
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		out := slices.Clone(v)
		for i := range out {
			if _, ok := out[i].(map[string]any); ok {
				out[i] = compact(out[i])
			}
		}
		return out
	case bool:
		if !v {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}
