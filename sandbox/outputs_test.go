package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// given is an outputs file with sections and keys that the sandbox does not know.
const given = `{
	"version": "1.3",
	"auth": {
		"user_pool_id": "eu-central-1_AbCdEfGhI", "user_pool_client_id": "2example23456789", "aws_region": "eu-central-1",
		"identity_pool_id": "eu-central-1:01234567-89ab-cdef-0123-456789abcdef", "unauthenticated_identities_enabled": false,
		"username_attributes": [], "standard_required_attributes": ["email"], "user_verification_types": ["email"],
		"groups": [{"Admins": {"precedence": 0}}, {"Editors": {"precedence": 1}}],
		"password_policy": {"min_length": 12, "require_lowercase": false, "require_numbers": true, "require_symbols": false, "require_uppercase": false},
		"oauth": {
			"identity_providers": ["GOOGLE"], "domain": "auth.my-app.example", "scopes": ["openid", "email"],
			"redirect_sign_in_uri": ["http://localhost:3000/", "https://my-app.example/"], "redirect_sign_out_uri": ["http://localhost:3000/bye"],
			"response_type": "code", "future": true
		},
		"mfa_configuration": "NONE"
	},
	"storage": {"bucket_name": "b", "aws_region": "eu-central-1"},
	"custom": {"mine": [1, 2], "amplify_go": {"endpoints": {"user_pool": "http://old"}}}
}`

func TestOutputs(t *testing.T) {
	s := start(t, sandbox.Config{Outputs: []byte(given), AppOrigins: []string{"http://localhost:3000"}})
	var before, after map[string]any
	for text, v := range map[string]*map[string]any{given: &before, string(s.Outputs()): &after} {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			t.Fatal(err)
		}
	}
	before["custom"].(map[string]any)["amplify_go"] = map[string]any{"endpoints": map[string]any{
		"user_pool": s.URL(), "user_pool_keys": s.URL(), "identity_pool": s.URL(), "oauth": s.URL(), "storage": s.URL()}}
	oauth := before["auth"].(map[string]any)["oauth"].(map[string]any)
	// The application's own routes come first: an application takes the first that belongs to its
	// origin.
	oauth["redirect_sign_in_uri"] = []any{"http://localhost:3000/api/auth/sign-in-callback", "http://localhost:3000/", "https://my-app.example/"}
	oauth["redirect_sign_out_uri"] = []any{"http://localhost:3000/api/auth/sign-out-callback", "http://localhost:3000/bye"}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if err := s.AddUser(t.Context(), sandbox.User{Username: "bob", Email: "bob@example.com", Password: "12345678901a", Groups: []string{"Editors"}}); err != nil {
		t.Error(err)
	}
	for what, u := range map[string]sandbox.User{
		"a password that the policy refuses": {Username: "eve", Email: "eve@example.com", Password: "1234567890a"},
		"no password":                        {Username: "eve", Email: "eve@example.com"},
		"no name":                            {Password: "12345678901a"},
	} {
		if s.AddUser(t.Context(), u) == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

// TestOutputsMade: without outputs there is a pool where one signs in by e-mail, and a kept
// directory keeps it.
func TestOutputsMade(t *testing.T) {
	dir := t.TempDir()
	s := start(t, sandbox.Config{DataDir: dir})
	first := outputsOf(t, s)
	a := first.Auth
	if first.Version != "1.4" || a.Region != "us-east-1" || !strings.HasPrefix(a.PoolID, "us-east-1_") || len(a.ClientID) != 26 || !strings.HasSuffix(a.OAuth.Domain, ".auth.us-east-1.amazoncognito.com") {
		t.Errorf("outputs = %s", s.Outputs())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = start(t, sandbox.Config{DataDir: dir})
	second := outputsOf(t, s)
	first.Custom, second.Custom = outputs{}.Custom, outputs{}.Custom // the port is another
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("a restart changed the outputs (-first +second):\n%s", diff)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.Start(t.Context(), sandbox.Config{DataDir: dir, Outputs: []byte(given)}); err == nil || !strings.Contains(err.Error(), "belongs to user pool "+first.Auth.PoolID) {
		t.Errorf("another pool in the directory: %v", err)
	}
}

// TestOutputsAreGivenBack: whatever the sandbox does not set has the value that it had, of any minor
// version.
func TestOutputsAreGivenBack(t *testing.T) {
	for _, version := range []string{"1", "1.0", "1.4", "1.27"} {
		text := `{"$schema": "https://amplify.example/schema", "version": "` + version + `", "later": {"big": 12345678901234567890,
			"exponent": 1e2, "zero": 1.10, "text": "<a&b>\u00e9"}, "auth": {"aws_region": "eu-west-1", "user_pool_id": "eu-west-1_A",
			"user_pool_client_id": "c", "risk": {"level": 1E2}, "oauth": {"domain": "login.example.com"}}}`
		s := start(t, sandbox.Config{Outputs: []byte(text)})
		if diff := cmp.Diff(exactly(t, []byte(text)), exactly(t, s.Outputs())); diff != "" {
			t.Errorf("version %s (-given +got):\n%s", version, diff)
		}
	}
}

// exactly decodes outputs, with numbers as they are written, and without what the sandbox adds.
func exactly(t *testing.T, outputs []byte) map[string]any {
	t.Helper()
	var v map[string]any
	decoder := json.NewDecoder(bytes.NewReader(outputs))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	delete(v, "custom")
	return v
}

// TestOriginsWithoutManagedLogin: outputs without managed login get it, and the log says once what
// the project would have to deploy.
func TestOriginsWithoutManagedLogin(t *testing.T) {
	const gen2 = `{"version": "1.2", "auth": {"aws_region": "eu-west-1", "user_pool_id": "eu-west-1_Real00001",
		"user_pool_client_id": "c", "username_attributes": ["email", "phone_number"], "oauth": null}}`
	const gen1 = `{"aws_project_region": "eu-west-1", "aws_user_pools_id": "eu-west-1_Real00001",
		"aws_user_pools_web_client_id": "c", "oauth": {}}`
	const in, out = "http://localhost:3000/api/auth/sign-in-callback", "http://localhost:3000/api/auth/sign-out-callback"
	for what, test := range map[string]struct{ outputs, deploy string }{
		"Gen 2": {gen2, "defineAuth({ loginWith: { email: true, phone: true, externalProviders: { callbackUrls: ['" + in +
			"'], logoutUrls: ['" + out + "'] } } })"},
		"Gen 1": {gen1, "amplify update auth, with the redirect sign-in URIs " + in + " and the redirect sign-out URIs " + out},
	} {
		t.Run(what, func(t *testing.T) {
			var log bytes.Buffer
			s := start(t, sandbox.Config{Outputs: []byte(test.outputs), AppOrigins: []string{"http://localhost:3000"},
				Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
			oauth := exactly(t, s.Outputs())["auth"].(map[string]any)["oauth"]
			want := map[string]any{
				"domain": "sandbox-real00001.auth.eu-west-1.amazoncognito.com", "identity_providers": []any{},
				"scopes":               []any{"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"},
				"redirect_sign_in_uri": []any{in}, "redirect_sign_out_uri": []any{out}, "response_type": "code",
			}
			if diff := cmp.Diff(want, oauth); diff != "" {
				t.Errorf("managed login (-want +got):\n%s", diff)
			}
			if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), `deploy="`+test.deploy+`"`) {
				t.Errorf("the log does not say %q once:\n%s", test.deploy, &log)
			}
			// Managed login works, under the domain that the outputs name.
			address := s.URL() + "/login?" + url.Values{"client_id": {"c"}, "response_type": {"code"}, "redirect_uri": {in}}.Encode()
			if res, body := call(t, "GET", address, "", map[string]string{"Host": want["domain"].(string)}); res.StatusCode != http.StatusOK {
				t.Errorf("managed login answers %s: %s", res.Status, body)
			}
		})
	}
	var log bytes.Buffer
	start(t, sandbox.Config{Outputs: []byte(gen2), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	start(t, sandbox.Config{Outputs: []byte(given), AppOrigins: []string{"http://localhost:3000"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if strings.Contains(log.String(), "deploy") {
		t.Errorf("something to deploy where nothing is missing:\n%s", &log)
	}
}

// replaced returns the given outputs with another text in place of old.
func replaced(old, text string) []byte { return []byte(strings.ReplaceAll(given, old, text)) }

// TestStartRefusals: what cannot be is said at the start, with what to do.
func TestStartRefusals(t *testing.T) {
	for what, c := range map[string]struct {
		cfg  sandbox.Config
		want string
	}{
		"not JSON":             {sandbox.Config{Outputs: []byte("{")}, "not a JSON object"},
		"null":                 {sandbox.Config{Outputs: []byte("null")}, "not a JSON object"},
		"no auth":              {sandbox.Config{Outputs: []byte(`{"version": "1"}`)}, "no section auth"},
		"no version":           {sandbox.Config{Outputs: []byte(`{"auth": {}}`)}, "npx ampx generate outputs"},
		"version 2":            {sandbox.Config{Outputs: []byte(`{"version": "2", "auth": {}}`)}, `version "2"`},
		"version 10":           {sandbox.Config{Outputs: []byte(`{"version": "10.1"}`)}, "--outputs-version 1.4"},
		"a number as version":  {sandbox.Config{Outputs: []byte(`{"version": 1.4}`)}, "no version"},
		"source code":          {sandbox.Config{Outputs: []byte("/* eslint-disable */\nconst awsmobile = {};\n")}, "give amplifyconfiguration.json"},
		"Gen 1, no user pool":  {sandbox.Config{Outputs: []byte(`{"aws_project_region": "eu-west-1"}`)}, "amplify add auth"},
		"Gen 1, no client":     {sandbox.Config{Outputs: []byte(`{"aws_user_pools_id": "a_b", "aws_project_region": "a"}`)}, "lack auth.user_pool_client_id"},
		"Gen 1, a list of ids": {sandbox.Config{Outputs: []byte(`{"aws_user_pools_id": ["a_b"]}`)}, "aws_user_pools_id"},
		"empty auth":           {sandbox.Config{Outputs: []byte(`{"version": "1", "auth": {}}`)}, "lack auth.user_pool_id"},
		"bad pool id":          {sandbox.Config{Outputs: []byte(strings.ReplaceAll(given, "eu-central-1_AbCdEfGhI", "x"))}, `the id "x"`},
		"other machines":       {sandbox.Config{Addr: ":0"}, "not a loopback address"},
		"other machines, TLS":  {sandbox.Config{TLSAddr: "0.0.0.0:0"}, "not a loopback address"},
		"no port":              {sandbox.Config{Addr: "127.0.0.1"}, "missing port"},
		"origin with a path":   {sandbox.Config{AppOrigins: []string{"http://localhost:3000/"}}, "is not an origin"},
		"long grace":           {sandbox.Config{Clients: []sandbox.Client{{RotationGrace: 61e9}}}, "0 to 60 s"},
		"keys twice":           {sandbox.Config{KeyFile: "keys.json"}, "KeyFile"}, // the test gives keys
		"keys and data":        {sandbox.Config{KeyFile: "keys.json", DataDir: t.TempDir()}, "KeyFile"},
		"long access token":    {sandbox.Config{Clients: []sandbox.Client{{AccessTokenValidity: 25 * time.Hour}}}, "access tokens of app client"},
		"long ID token":        {sandbox.Config{Clients: []sandbox.Client{{IDTokenValidity: 25 * time.Hour}}}, "longer than 24h"},
		"long refresh token":   {sandbox.Config{Clients: []sandbox.Client{{RefreshTokenValidity: 87601 * time.Hour}}}, "longer than 87600h"},
		"negative validity":    {sandbox.Config{Clients: []sandbox.Client{{IDTokenValidity: -1}}}, "ID tokens"},
		"a second factor": {sandbox.Config{Outputs: replaced(`"NONE"`, `"REQUIRED"`)},
			`auth.mfa_configuration is "REQUIRED"`},
		"a second factor, in the words of Gen 1": {
			sandbox.Config{Outputs: replaced(`"NONE"`, `"ON"`)}, "multi-factor authentication"},
		"an unknown required attribute": {sandbox.Config{Outputs: replaced(
			`"standard_required_attributes": ["email"]`,
			`"standard_required_attributes": ["shoe"]`)}, `"shoe" is required`},
		"no flow": {sandbox.Config{Clients: []sandbox.Client{{
			AuthFlows: []string{"USER_PASSWORD_AUTH"}}}}, `"USER_PASSWORD_AUTH" is no flow`},
		"rotation and its flow": {sandbox.Config{Clients: []sandbox.Client{{
			RotateRefreshTokens: true, AuthFlows: []string{allowRefresh}}}},
			"does not go together"},
		"weak password": {sandbox.Config{Users: []sandbox.User{{Email: email, Password: "weak"}}}, "Password not long enough"},
	} {
		c.cfg.Logger = slog.New(slog.DiscardHandler)
		c.cfg.AccessTokenKey, c.cfg.IDTokenKey = testKeys()[0], testKeys()[1]
		s, err := sandbox.Start(t.Context(), c.cfg)
		if err == nil {
			err = errors.Join(errors.New("it started"), s.Close(t.Context()))
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// TestWarnings: what outputs ask for and the sandbox lacks is told, where sign-in works without it.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		what, old, new string
		want           []string // no warning if it is nil
	}{
		{"all that the sandbox has", `"NONE"`, `"NONE"`, nil},
		{"MFA", `"NONE"`, `"OPTIONAL"`,
			[]string{"second factor", "auth.mfa_configuration=OPTIONAL"}},
		{"passwordless", `"mfa_configuration"`,
			`"passwordless": {"email_otp_enabled": true, "sms_otp_enabled": true, "web_authn":
				{"relying_party_id": "localhost", "user_verification": "preferred"}},
			"mfa_configuration"`,
			[]string{"without a password", "EMAIL_OTP SMS_OTP WEB_AUTHN"}},
		{"passwordless, switched off", `"mfa_configuration"`,
			`"passwordless": {"email_otp_enabled": false, "preferred_challenge": "PASSWORD"},
			"mfa_configuration"`, nil},
		{"implicit grant", `"code"`, `"token"`, []string{"implicit grant"}},
	} {
		var log bytes.Buffer
		warnings := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})
		start(t, sandbox.Config{Outputs: replaced(c.old, c.new), Logger: slog.New(warnings)})
		if c.want == nil && log.Len() > 0 {
			t.Errorf("%s: the log says %s", c.what, &log)
		}
		for _, want := range c.want {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: the log says %q, want %q", c.what, &log, want)
			}
		}
	}
}

// TestSeeds: users of a kept directory are not made twice, nor set back.
func TestSeeds(t *testing.T) {
	cfg := sandbox.Config{DataDir: t.TempDir(), Users: []sandbox.User{{Email: email, Password: password, Groups: []string{"Admins"}}}}
	s := start(t, cfg)
	o := outputsOf(t, s)
	in, err := signIn(t, sdk(s), o.Auth.ClientID, email, password)
	if err != nil {
		t.Fatal(err)
	}
	res, body := call(t, "POST", s.URL(), `{"AccessToken": "`+*in.AuthenticationResult.AccessToken+`", "PreviousPassword": "`+password+`", "ProposedPassword": "Fresh-1-password"}`,
		map[string]string{"X-Amz-Target": target + "ChangePassword"})
	if res.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	_, err = signIn(t, sdk(s), o.Auth.ClientID, email, "Fresh-1-password")
	refused(t, "the changed password", err, "")
}
