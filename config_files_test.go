package amplify_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
)

const configFiles = "testdata/configs"

// TestConfigFiles reads configuration files in the shapes that people have. Those called wrong-…
// fail, in LoadConfig or in New; the others start a server.
func TestConfigFiles(t *testing.T) {
	const (
		pool     = "pool eu-west-1_Example01 client 1example23456789"
		identity = "identity eu-west-1:11111111-2222-3333-4444-555555555555"
		domain   = "shop.auth.eu-west-1.amazoncognito.com"
		local    = "http://localhost:3000/api/auth/"
		usual    = "with email; requires email; mfa off; password 8 lower upper numbers symbols"
		graphql  = "data https://abc123.appsync-api.eu-west-1.amazonaws.com/graphql"
		shop     = "https://shop.example.com/"
		login    = "oauth " + domain + " in [" + local + "sign-in-callback " + shop + "api/auth/sign-in-callback]" +
			" out [" + local + "sign-out-callback " + shop + "api/auth/sign-out-callback]" +
			" code [openid email profile aws.cognito.signin.user.admin] [Google Apple]"
		inOut = " in [" + shop + "in] out [" + shop + "out] code "

		outputs = "(Gen 2: npx ampx generate outputs)"
		exports = "(Gen 1: amplify pull)"
		anyFile = "Pass amplify_outputs.json " + outputs + ", amplifyconfiguration.json " + exports +
			", or a ResourcesConfig as JSON."
		written = `, or {"Auth":{"Cognito":{"userPoolId":"...","userPoolClientId":"..."}}}.`
		js      = "beside aws-exports.js " + exports + ", or amplify_outputs.json " + outputs + "."
		correct = "Correct it, or generate the configuration again."
		again   = "or generate the outputs again (npx ampx generate outputs)."
	)
	all := func(parts ...string) string { return strings.Join(parts, "; ") }
	good := map[string]string{
		"gen2-1.json":           pool,
		"gen2-1.0-backend.json": all(pool, identity, "guests", usual, graphql+" apiKey key"),
		"gen2-1.1-groups.json":  all(pool, identity, "guests", usual, "groups [{ADMINS 0} {EDITORS 1}]"),
		"gen2-1.2-buckets.json": all(pool, "storage shop-drive eu-west-1 drive=shop-drive:1"),
		"gen2-1.3-full.json": all(pool, identity, "guests", login, usual, graphql+" apiKey key",
			"storage shop-drive eu-west-1 drive=shop-drive:1", "custom"),
		"gen2-1.4-passwordless.json": all(pool, "passwordless {true false WEB_AUTHN} {shop.example.com preferred}"),
		"gen2-1.7-newer.json":        pool,
		"gen2-no-resources.json":     "",
		"gen2-data-only.json":        graphql + " apiKey key",
		"gen2-storage-only.json":     "storage shop-drive eu-west-1",
		"gen2-guests-only.json":      all(identity, "guests"),
		"gen2-no-identity-pool.json": all(pool, usual),
		"gen2-oauth.json":            all(pool, login),
		"gen2-oauth-custom-domain.json": all(pool, "oauth login.shop.example.com in ["+shop+" myshop://in]"+
			" out ["+shop+" myshop://out] code [openid] []"),
		"gen2-mfa.json": all(pool, "with email phone", "mfa optional totp sms"),
		"gen2-china.json": all("pool cn-north-1_Example01 client 1example23456789",
			"identity cn-north-1:11111111-2222-3333-4444-555555555555"),
		"gen2-govcloud.json": all("pool us-gov-west-1_Example01 client 1example23456789",
			"oauth shop.auth-fips.us-gov-west-1.amazoncognito.com"+inOut+"[openid] []"),
		"gen2-sovereign-cloud.json": "pool eusc-de-east-1_Example01 client 1example23456789",
		"gen2-custom.json":          all(pool, "custom"),
		"gen2-custom-events.json":   all(pool, "custom", "other [API]"),
		"gen2-local-backend.json":   "pool local_Example01 client 1example23456789; custom",
		"gen2-geo-analytics.json":   all(pool, "other [Analytics Geo Notifications]"),
		"gen2-null-sections.json":   all(pool, "custom"),
		"gen2-one-line.json":        pool,
		"gen2-windows.json":         pool, // a byte order mark, and CR before LF
		"gen2-terraform.json":       all(pool, "guests", "oauth "+domain+inOut+"[email openid] []", "password 10"),

		"gen2-sections-of-other-types.json": all(pool, "custom"),
		"gen2-members-of-other-types.json":  all(pool, "oauth "+domain+inOut+"[openid] []"),
		"gen2-texts.json": all(pool, identity, "password 12 lower numbers", "passwordless {true false }",
			"groups [{ADMINS 3}]"),
		"gen2-group-names.json":   all(pool, "groups [{ADMINS 0} {EDITORS 0}]"),
		"gen2-groups-mixed.json":  all(pool, "groups [{ADMINS 0} {EDITORS 0} {READERS 0} {WRITERS 0} {GUESTS 0}]"),
		"gen2-paths-as-list.json": all(pool, "storage shop-drive eu-west-1 drive=shop-drive:0"),

		"gen1-auth.json":              all(pool, identity, "guests", "with email", "requires email", "mfa off sms", "password 8"),
		"gen1-mandatory-sign-in.json": all(pool, identity, "with email", "requires email", "mfa off sms", "password 8"),
		"gen1-oauth.json": all(pool, identity, "guests",
			"oauth "+domain+" in [http://localhost:3000/ "+shop+"] out [http://localhost:3000/ "+shop+"]"+
				" code [phone email openid] [Google Facebook]",
			"with email", "requires email", "mfa off sms", "password 8"),
		"gen1-imported-pool.json": all(pool, identity, "guests", "with email", "requires email", "mfa off sms",
			"password 8 lower numbers"),
		"gen1-user-pool-only.json": all(pool, "guests", "with username"),
		"gen1-data-only.json":      graphql + " apiKey key",
		"gen1-full.json": all(pool, identity, "guests", "with email", "requires email", "mfa off sms", "password 8",
			graphql+" userPool", "storage shop-files eu-west-1", "other [API Analytics]"),
		"gen1-no-resources.json":           "",
		"gen1-members-of-other-types.json": all(pool, "guests", "with username"),

		"literal-auth.json":               pool,
		"literal-guests.json":             all(pool, identity, "guests", "with email", "verifies by code", "requires email"),
		"literal-identity-pool-only.json": identity,
		"literal-oauth.json": all(pool, "oauth "+domain+" in [http://localhost:3000/]"+
			" out [http://localhost:3000/] code [openid email] [Google Okta]"),
		"literal-full.json": all(pool, "mfa on totp", "password 9 lower", "groups [{ADMINS 1}]", graphql+" userPool",
			"storage shop-files eu-west-1 drive=shop-drive:0", "other [API Analytics ssr]"),
		"literal-members-of-other-types.json": all(pool, "oauth "+domain+inOut+"[openid] []", "with email",
			"groups [{ADMINS 0}]", "other [Analytics Geo]"),
	}
	// What the error says of the file, and how it ends: what to do.
	wrong := map[string][2]string{
		"wrong-empty-object.json":       {"configuration is an empty object. ", anyFile},
		"wrong-empty.json":              {"configuration is empty. ", anyFile},
		"wrong-blank.json":              {"configuration is empty. ", anyFile},
		"wrong-npm-package.json":        {"seems to be a package.json", anyFile},
		"wrong-v5-top.json":             {"where Amplify JS v5 has them", written},
		"wrong-v5-auth.json":            {"where Amplify JS v5 has them", written},
		"wrong-v6-without-cognito.json": {"not in Auth.Cognito", written},
		"wrong-awsconfiguration.json":   {"the format of mobile applications", written},
		"wrong-mobile.json":             {"the format of mobile applications", written},
		"wrong-aws-exports.js":          {"is source code, such as aws-exports.js", js},
		"wrong-es-module.js":            {"is source code, such as aws-exports.js", js},
		"wrong-common-js.js":            {"is source code, such as aws-exports.js", js},
		"wrong-flutter.dart":            {"is source code, such as aws-exports.js", js},
		"wrong-not-found.html":          {"is HTML or XML, not JSON", anyFile},
		"wrong-outputs.yaml":            {"is YAML, not JSON", anyFile},
		"wrong-utf-16.json":             {"may be UTF-16, which PowerShell writes", "Save it as UTF-8."},
		"wrong-version-2.json":          {`version "2.0" of amplify_outputs.json`, again},
		"wrong-version-number.json":     {"a JSON number at version, where a string belongs", correct},
		"wrong-no-version.json":         {"looks like amplify_outputs.json without its version", again},
		"wrong-cut-off.json":            {"is not JSON, as its line 5 shows", anyFile},
		"wrong-trailing-comma.json":     {"is not JSON, as its line 6 shows at column 3", anyFile},
		"wrong-comments.jsonc":          {"is not JSON, as its line 2 shows at column 3", anyFile},
		"wrong-json-in-a-string.json":   {"is a JSON string, not an object", anyFile},
		"wrong-list.json":               {"is a JSON array, not an object", anyFile},
		"wrong-cdk-outputs.json":        {"has no part that Amplify knows", anyFile},

		"wrong-gen1-no-region.json": {"parameter: aws_project_region is missing", "`amplifyconfiguration.json`."},
		"wrong-gen1-scope.json":     {"a JSON string at oauth.scope, where an array belongs", correct},
		"wrong-redirects.json":      {"string at auth.oauth.redirect_sign_in_uri, where an array", correct},
		"wrong-scopes.json":         {"number at auth.oauth.scopes, where a string belongs", correct},
		"wrong-auth-list.json":      {"a JSON array at auth, where an object belongs", correct},
		"wrong-literal-auth.json":   {"a JSON string at Auth, where an object belongs", correct},
		"wrong-client-number.json":  {"number at auth.user_pool_client_id, where a string", correct},
		"wrong-buckets.json":        {"Duplicate friendly name found: drive", "a name of its own."},

		"wrong-pool.json":            {`Config.Auth.UserPoolID "${ShopUserPool}" (FILE): is not`, again},
		"wrong-no-client.json":       {"Config.Auth.UserPoolClientID (FILE): is empty", again},
		"wrong-identity-pool.json":   {`IdentityPoolID "11111111" (FILE): is not`, "given in the config."},
		"wrong-domain.json":          {`Domain "https://` + domain + `" (FILE): is not a host`, again},
		"wrong-domain-password.json": {"Config.Auth.OAuth.Domain (FILE): is not a host", again},
		"wrong-endpoints.json":       {`.oauth "localhost:9500" (FILE): is not a URL`, again},
	}
	files, err := os.ReadDir(configFiles)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(good)+len(wrong) {
		t.Errorf("%d files, but %d rows", len(files), len(good)+len(wrong))
	}
	start := func(path string) (amplify.Config, error) {
		cfg, err := amplify.LoadConfig(path)
		if err == nil {
			_, err = amplify.New(cfg, amplify.Options{Logger: slog.New(slog.DiscardHandler)})
		}
		return cfg, err
	}
	for name, want := range good {
		cfg, err := start(filepath.Join(configFiles, name))
		if got := essence(cfg); got != want || err != nil {
			t.Errorf("%s:\n got %s, %v\nwant %s", name, got, err, want)
		}
	}
	for name, want := range wrong {
		path := filepath.Join(configFiles, name)
		_, err := start(path)
		var e *amplify.Error
		if !errors.As(err, &e) || e.Reason != amplify.ReasonConfiguration {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		text := err.Error()
		problem := strings.ReplaceAll(want[0], "FILE", path)
		if !strings.Contains(text, problem) || !strings.Contains(text, path) {
			t.Errorf("%s: %q does not say %q of the file", name, text, problem)
		}
		if !strings.HasSuffix(text, want[1]) || strings.ContainsAny(text, "\r\n") {
			t.Errorf("%s: %q does not end with %q", name, text, want[1])
		}
		if strings.Contains(text, "da2-") || strings.Contains(text, "pa55word") {
			t.Errorf("%s: %q holds a secret", name, text)
		}
	}
}

// essence describes cfg in a line.
func essence(cfg amplify.Config) string {
	var parts []string
	add := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	flags := func(names string, values ...bool) (s string) {
		for i, name := range strings.Fields(names) {
			if values[i] {
				s += " " + name
			}
		}
		return s
	}
	if a := cfg.Auth; a != nil {
		if a.UserPoolID != "" {
			add("pool %s client %s", a.UserPoolID, a.UserPoolClientID)
		}
		if a.IdentityPoolID != "" {
			add("identity %s", a.IdentityPoolID)
		}
		if a.AllowGuestAccess {
			add("guests")
		}
		if o := a.OAuth; o != nil {
			add("oauth %s in %v out %v %s %v %v",
				o.Domain, o.RedirectSignIn, o.RedirectSignOut, o.ResponseType, o.Scopes, o.Providers)
		}
		if len(a.SignInWith) > 0 {
			add("with %s", strings.Join(a.SignInWith, " "))
		}
		if a.SignUpVerificationMethod != "" {
			add("verifies by %s", a.SignUpVerificationMethod)
		}
		if len(a.RequiredAttributes) > 0 {
			add("requires %s", strings.Join(a.RequiredAttributes, " "))
		}
		if m := a.MFA; m != nil {
			add("mfa %s%s", m.Status, flags("totp sms", m.TOTPEnabled, m.SMSEnabled))
		}
		if p := a.PasswordPolicy; p != nil {
			add("password %d%s", p.MinLength, flags("lower upper numbers symbols",
				p.RequireLowercase, p.RequireUppercase, p.RequireNumbers, p.RequireSymbols))
		}
		if p := a.Passwordless; p != nil {
			s := fmt.Sprintf("passwordless {%v %v %s}", p.EmailOTPEnabled, p.SMSOTPEnabled, p.PreferredChallenge)
			if p.WebAuthn != nil {
				s += fmt.Sprintf(" %v", *p.WebAuthn)
			}
			add("%s", s)
		}
		if len(a.Groups) > 0 {
			add("groups %v", a.Groups)
		}
	}
	if d := cfg.Data; d != nil {
		add("data %s %s%s", d.Endpoint, d.DefaultAuthMode, flags("key", !d.APIKey.IsZero()))
	}
	if s := cfg.Storage; s != nil {
		text := fmt.Sprintf("storage %s %s", s.Bucket, s.Region)
		for _, name := range slices.Sorted(maps.Keys(s.Buckets)) {
			text += fmt.Sprintf(" %s=%s:%d", name, s.Buckets[name].Name, len(s.Buckets[name].Paths))
		}
		add("%s", text)
	}
	if cfg.Custom != nil {
		add("custom")
	}
	if len(cfg.Other) > 0 {
		add("other %v", slices.Sorted(maps.Keys(cfg.Other)))
	}
	return strings.Join(parts, "; ")
}
