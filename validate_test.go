package amplify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

func sprintf(format string, v any) string { return fmt.Sprintf(format, v) }

func TestValidate(t *testing.T) {
	auth := func(change func(*amplify.AuthConfig)) amplify.Config {
		a := &amplify.AuthConfig{UserPoolID: "eu-west-1_Abc123456", UserPoolClientID: "4client"}
		change(a)
		return amplify.Config{Auth: a}
	}
	oauth := func(change func(*amplify.OAuthConfig)) amplify.Config {
		return auth(func(a *amplify.AuthConfig) {
			a.OAuth = &amplify.OAuthConfig{
				Domain:         "x.auth.eu-west-1.amazoncognito.com",
				RedirectSignIn: []string{"http://localhost:3000/", "myapp://"},
			}
			change(a.OAuth)
		})
	}
	for _, tt := range []struct {
		name   string
		config amplify.Config
		want   string // the name of the error; empty: none
		fields []string
	}{
		{"empty", amplify.Config{}, "", nil},
		{"identity pool alone", amplify.Config{Auth: &amplify.AuthConfig{IdentityPoolID: "eu-west-1:1-2"}}, "", nil},
		{"user pool", auth(func(*amplify.AuthConfig) {}), "", nil},
		{"a pool of a local backend", auth(func(a *amplify.AuthConfig) { a.UserPoolID = "local_1" }), "", nil},
		{"oauth", oauth(func(*amplify.OAuthConfig) {}), "", nil},
		{"no domain", oauth(func(o *amplify.OAuthConfig) { o.Domain = "" }), "", nil}, // auth routes report it
		{"a domain with a port", oauth(func(o *amplify.OAuthConfig) { o.Domain = "localhost:9000" }), "", nil},
		{"data", amplify.Config{Data: &amplify.DataConfig{Endpoint: "https://x/graphql"}}, "", nil},

		{"no pool", auth(func(a *amplify.AuthConfig) { a.UserPoolID = "eu-west-1" }), "InvalidUserPoolId", []string{"Config.Auth.UserPoolID"}},
		{"no region", auth(func(a *amplify.AuthConfig) { a.UserPoolID = "_x" }), "InvalidUserPoolId", []string{"Config.Auth.UserPoolID"}},
		{"a pool that is an address", auth(func(a *amplify.AuthConfig) { a.UserPoolID = "evil.test/_x" }), "InvalidUserPoolId", []string{"Config.Auth.UserPoolID"}},
		{"no client", auth(func(a *amplify.AuthConfig) { a.UserPoolClientID = "" }), "AuthUserPoolException", []string{"Config.Auth.UserPoolClientID"}},
		{"client without pool", auth(func(a *amplify.AuthConfig) { a.UserPoolID = "" }), "AuthUserPoolException", []string{"Config.Auth.UserPoolID"}},
		{"a client that ends the name of a cookie", auth(func(a *amplify.AuthConfig) { a.UserPoolClientID = "a;b" }), "InvalidParameterException", []string{"Config.Auth.UserPoolClientID"}},
		{"no identity pool", auth(func(a *amplify.AuthConfig) { a.IdentityPoolID = "x" }), "InvalidIdentityPoolIdException", []string{"Config.Auth.IdentityPoolID"}},
		{"an endpoint without scheme", auth(func(a *amplify.AuthConfig) { a.UserPoolEndpoint = "localhost:9229" }), "InvalidParameterException", []string{"Config.Auth.UserPoolEndpoint"}},
		{"a domain with scheme", oauth(func(o *amplify.OAuthConfig) { o.Domain = "https://x.test" }), "InvalidParameterException", []string{"Config.Auth.OAuth.Domain"}},
		{"a domain with path", oauth(func(o *amplify.OAuthConfig) { o.Domain = "x.test/y" }), "InvalidParameterException", []string{"Config.Auth.OAuth.Domain"}},
		{"a domain with a user", oauth(func(o *amplify.OAuthConfig) { o.Domain = "u@x.test" }), "InvalidParameterException", []string{"Config.Auth.OAuth.Domain"}},
		{"a redirect with a fragment", oauth(func(o *amplify.OAuthConfig) { o.RedirectSignOut = []string{"https://a", "https://b#c"} }), "InvalidParameterException", []string{"Config.Auth.OAuth.RedirectSignOut[1]"}},
		{"an unknown mode", amplify.Config{Data: &amplify.DataConfig{DefaultAuthMode: "API_KEY"}}, "InvalidParameterException", []string{"Config.Data.DefaultAuthMode"}},
		{
			"everything at once",
			amplify.Config{
				Auth: &amplify.AuthConfig{UserPoolID: "x", IdentityPoolID: "y", OAuth: &amplify.OAuthConfig{Domain: "/", RedirectSignIn: []string{""}}},
				Data: &amplify.DataConfig{Endpoint: "x"},
			},
			"InvalidUserPoolId",
			[]string{
				"Config.Auth.UserPoolID", "Config.Auth.UserPoolClientID", "Config.Auth.IdentityPoolID",
				"Config.Auth.OAuth.Domain", "Config.Auth.OAuth.RedirectSignIn[0]", "Config.Data.Endpoint",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.config.Validate()
			_, made := amplify.New(tt.config, amplify.Options{})
			if (err == nil) != (made == nil) {
				t.Errorf("Validate says %v, New %v", err, made)
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *amplify.Error
			if !errors.As(err, &e) || e.Name != tt.want || e.Reason != amplify.ReasonConfiguration {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if text := err.Error(); strings.Contains(text, "\n") {
				t.Errorf("more than a line: %q", text)
			}
			var fields []string
			for _, fault := range amplify.ConfigErrors(err) {
				if fields = append(fields, fault.Field); fault.Problem == "" {
					t.Errorf("%s says nothing", fault.Field)
				}
				if !strings.Contains(err.Error(), fault.Error()) {
					t.Errorf("%v is missing in %v", fault, err)
				}
			}
			if !slices.Equal(fields, tt.fields) {
				t.Errorf("got %q, want %q", fields, tt.fields)
			}
			var first *amplify.ConfigError
			if !errors.As(err, &first) || first.Field != tt.fields[0] {
				t.Errorf("errors.As finds %v", first)
			}
		})
	}
	if got := amplify.ConfigErrors(errors.New("x")); got != nil {
		t.Errorf("faults of another error: %v", got)
	}
}

// TestFaultsHoldNoPassword: an address with a password is refused without being quoted.
func TestFaultsHoldNoPassword(t *testing.T) {
	_, err := amplify.New(amplify.Config{
		Auth: &amplify.AuthConfig{
			UserPoolID: "eu-west-1_A", UserPoolClientID: "c", UserPoolEndpoint: "https://u:" + classified + "@x",
			OAuth: &amplify.OAuthConfig{Domain: "u:" + classified + "@x"},
		},
	}, amplify.Options{Endpoints: amplify.Endpoints{UserPoolKeys: "https://u:" + classified + "@x"}})
	if len(amplify.ConfigErrors(err)) != 3 {
		t.Errorf("got %v", err)
	}
	noLeak(t, "the error", fmt.Sprintf("%v %+v %#v", err, err, amplify.ConfigErrors(err)))
}

// TestFaultsSayWhereTheyComeFrom: from a file, the environment, or the program.
func TestFaultsSayWhereTheyComeFrom(t *testing.T) {
	file := filepath.Join(configFiles, "wrong-pool.json")
	cfg, err := amplify.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "localhost:4566")
	_, err = amplify.New(cfg, amplify.Options{Endpoints: amplify.Endpoints{OAuth: "localhost:1"}})
	var got [][3]string
	for _, fault := range amplify.ConfigErrors(err) {
		got = append(got, [3]string{fault.Field, fault.Value, fault.Source})
	}
	want := [][3]string{
		{"Config.Auth.UserPoolID", "${ShopUserPool}", file},
		{"Options.Endpoints.IdentityPool", "localhost:4566", "AWS_ENDPOINT_URL_COGNITO_IDENTITY"},
		{"Options.Endpoints.OAuth", "localhost:1", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := cfg.Validate(); !strings.Contains(err.Error(), file) {
		t.Errorf("Validate does not name the file: %v", err)
	}

	// Only what comes from a configuration can be generated again.
	for field, want := range map[string]bool{"Config.Auth.UserPoolID": true, "Options.Origin": false} {
		err := amplify.NewConfigError(&amplify.ConfigError{Field: field, Problem: "is wrong"})
		if got := strings.Contains(err.Error(), "generate the outputs again"); got != want {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestNewReportsEverything: faults of the options are reported along with those of the
// configuration.
func TestNewReportsEverything(t *testing.T) {
	_, err := amplify.New(
		amplify.Config{Auth: &amplify.AuthConfig{IdentityPoolID: "x"}},
		amplify.Options{Endpoints: amplify.Endpoints{UserPool: "localhost:1", OAuth: "https://a?b"}},
	)
	var fields []string
	for _, fault := range amplify.ConfigErrors(err) {
		fields = append(fields, fault.Field)
	}
	want := []string{"Config.Auth.IdentityPoolID", "Options.Endpoints.UserPool", "Options.Endpoints.OAuth"}
	if !slices.Equal(fields, want) {
		t.Errorf("got %q, want %q", fields, want)
	}
}

// TestRecordedConfigsAreValid: what the original was recorded to work with is not refused.
func TestRecordedConfigsAreValid(t *testing.T) {
	for _, file := range []string{"session.json", "auth-routes.json"} {
		for _, c := range conformance.Load(t, file) {
			var in struct {
				Config json.RawMessage `json:"config"`
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			if in.Config == nil {
				continue
			}
			cfg, err := amplify.ParseConfig(in.Config)
			if err == nil {
				err = cfg.Validate()
			}
			if err != nil {
				t.Errorf("%s %s: %v", file, c.ID, err)
			}
		}
	}
}
