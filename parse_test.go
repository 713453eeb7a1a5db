package amplify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

func TestParseConfigRefuses(t *testing.T) {
	for in, want := range map[string]string{
		``:                          "is empty",
		`{`:                         "not JSON",
		`{"version":"1"} x`:         "line 1 shows at column 17",
		"{\n\"é\":\"é\",\n}":        "line 3 shows at column 1",
		"\"ééé\", é":                "line 1 shows at column 6",
		`null`:                      "is null, not an object",
		`[]`:                        "JSON array, not an object",
		`"amplify"`:                 "JSON string, not an object",
		`true`:                      "JSON boolean, not an object",
		`7`:                         "JSON number, not an object",
		"\ufeff":                    "is empty",
		"\ufeff\ufeff{}":            "not JSON",
		"\xfe\xff\x00{\x00}":        "UTF-16",
		"{\x00}\x00":                "UTF-16",
		"key: s3cr3t":               "YAML",
		"let x = 's3cr3t'":          "source code",
		"<s3cr3t/>":                 "HTML or XML",
		"s3cr3t":                    "not JSON",
		`{"version":"","a":1}`:      "no part that Amplify knows",
		`{"version":1}`:             "version",
		`{"version":"2"}`:           `version "2"`,
		`{"version":"10.1"}`:        `version "10.1"`,
		`{"version":"0.9"}`:         `version "0.9"`,
		`{"version":"s3cr3t"}`:      `version ""`,
		`{"version":"1","auth":[]}`: "array at auth,",
		`{"version":"1","auth":{"user_pool_id":7}}`:                                         "number at auth.user_pool_id,",
		`{"version":"1","storage":{"buckets":{}}}`:                                          "object at storage.buckets,",
		`{"version":"1","data":{"api_key":{"s3cr3t-key":1}}}`:                               "object at data.api_key,",
		`{"aws_user_pools_id":"x"}`:                                                         "Invalid config parameter",
		`{"aws_user_pools_id":"x","aws_project_region":"x","oauth":{"scope":"s3cr3t-key"}}`: "string at oauth.scope,",
		`{"Auth":{"Cognito":"s3cr3t-key"}}`:                                                 "string at Auth.Cognito,",
		`{"Auth":"s3cr3t-key"}`:                                                             "string at Auth,",
		`{"API":{"GraphQL":{"apiKey":["s3cr3t-key"]}}}`:                                     "array at API.GraphQL.apiKey,",
	} {
		_, err := amplify.ParseConfig([]byte(in))
		var e *amplify.Error
		if !errors.As(err, &e) || e.Name != "InvalidParameterException" || e.Reason != amplify.ReasonConfiguration || e.RecoverySuggestion == "" {
			t.Errorf("%s: got %v", in, err)
			continue
		}
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %q does not say %q", in, e, want)
		}
		if strings.Contains(e.Error(), "s3cr3t") {
			t.Errorf("%s: %q holds what may be a key", in, e)
		}
	}
}

// TestParseLenient: what Amplify JS puts up with in Gen 1 files.
func TestParseLenient(t *testing.T) {
	const exports = `{"aws_project_region":"x","aws_user_pools_id":"x_1",`
	guests := func(in string) bool {
		t.Helper()
		cfg, err := amplify.ParseConfig([]byte(exports + in + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Auth.AllowGuestAccess
	}
	for in, want := range map[string]bool{
		`"a":1`: true, `"aws_mandatory_sign_in":true`: true, `"aws_mandatory_sign_in":null`: true, `"aws_mandatory_sign_in":"Enable"`: true,
		`"aws_mandatory_sign_in":"enable"`: false,
	} {
		if got := guests(in); got != want {
			t.Errorf("%s: guests %v", in, got)
		}
	}
	for in, want := range map[string]string{
		`"aws_bots_config":"enable"`:                  `null`,
		`"aws_bots_config":{"name":"b"}`:              `null`,
		`"aws_bots_config":[]`:                        `{"Interactions":{"LexV1":{}}}`,
		`"aws_bots_config":[{"name":"b"}]`:            `{"Interactions":{"LexV1":{"b":{"name":"b"}}}}`,
		`"aws_cloud_logic_custom":[]`:                 `{"API":{"REST":{}}}`,
		`"aws_cloud_logic_custom":""`:                 `null`,
		`"aws_cloud_logic_custom":{}`:                 `null`,
		`"aws_cloud_logic_custom":[{"name":"a"}]`:     `{"API":{"REST":{"a":{}}}}`,
		`"oauth":{"scope":[]},"aws_bots_config":null`: `null`,
	} {
		cfg, err := amplify.ParseConfig([]byte(exports + in + `}`))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, err := json.Marshal(cfg.Other); err != nil || string(got) != want {
			t.Errorf("%s: other %s, %v", in, got, err)
		}
	}
}

// TestKindOfFile: what another kind of file has does no harm in a configuration.
func TestKindOfFile(t *testing.T) {
	for in, pool := range map[string]string{
		`{"version":"1","name":"shop","scripts":{},"auth":{"user_pool_id":"x_1"}}`:            "x_1",
		`{"version":"1","userPoolId":"x_2","auth":{"user_pool_id":"x_1"}}`:                    "x_1",
		`{"userPoolId":"x_2","Auth":{"userPoolId":"x_2","Cognito":{"userPoolId":"x_1"}}}`:     "x_1",
		`{"name":"shop","dependencies":{},"Auth":{"Cognito":{"userPoolId":"x_1"}}}`:           "x_1",
		`{"aws_project_region":"x","aws_user_pools_id":"x_1","userPoolId":"x_2","version":2}`: "x_1",
		`{"Auth":{},"Analytics":7}`: "",
	} {
		cfg, err := amplify.ParseConfig([]byte(in))
		if err != nil || (cfg.Auth == nil) != (pool == "") || pool != "" && cfg.Auth.UserPoolID != pool {
			t.Errorf("%s: got %+v, %v", in, cfg.Auth, err)
		}
	}
}

// TestParseIncomplete: what Amplify JS leaves out since a part of it is empty.
func TestParseIncomplete(t *testing.T) {
	for in, want := range map[string]string{
		`{"amazon_pinpoint_app_id":"a","aws_region":"r","channels":["IN_APP_MESSAGING"]}`: `{"Notifications":{"InAppMessaging":{"Pinpoint":{"appId":"a","region":"r"}}}}`,
		`{"amazon_pinpoint_app_id":"a","aws_region":"","channels":["IN_APP_MESSAGING"]}`:  `{"Notifications":{}}`,
		`{"amazon_pinpoint_app_id":null,"aws_region":"r","channels":["APNS"]}`:            `{"Notifications":{}}`,
	} {
		cfg, err := amplify.ParseConfig([]byte(`{"version":"1","notifications":` + in + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(cfg.Other); err != nil || string(got) != want {
			t.Errorf("%s: other %s, %v", in, got, err)
		}
	}
}

// TestNewerOutputs: a minor version that is not known works, and operators are told.
func TestNewerOutputs(t *testing.T) {
	for version, warns := range map[string]bool{"1": false, "1.0": false, "1.4": false, "1.5": true, "1.10": true} {
		cfg, err := amplify.ParseConfig([]byte(`{"version":"` + version + `","auth":{"user_pool_id":"eu-west-1_A","user_pool_client_id":"c"}}`))
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		if _, err := amplify.New(cfg, amplify.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "newer version"); got != warns {
			t.Errorf("version %s: log %q", version, log.String())
		}
	}
}

func TestParsedKeysAreSecret(t *testing.T) {
	for _, in := range []string{
		`{"version":"1.4","data":{"api_key":"` + classified + `"},"custom":{"a":1,"events":{"url":"https://x","api_key":"` + classified + `"}}}`,
		`{"aws_project_region":"x","aws_appsync_graphqlEndpoint":"https://x","aws_appsync_apiKey":"` + classified + `"}`,
		`{"API":{"GraphQL":{"apiKey":"` + classified + `"},"Events":{"apiKey":"` + classified + `"},"x":[{"apiKey":"` + classified + `"}]}}`,
	} {
		cfg, err := amplify.ParseConfig([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Data.APIKey.Reveal(); got != classified {
			t.Errorf("the key is %q", got)
		}
		b, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		noLeak(t, "json", string(b))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			noLeak(t, verb, sprintf(verb, cfg))
			noLeak(t, verb+" of a pointer", sprintf(verb, &cfg))
		}
	}
	cfg, err := amplify.ParseConfig([]byte(`{"version":"1.4","custom":{"b":[1, 2],"events":null}}`))
	if err != nil || string(cfg.Custom) != `{"b":[1, 2],"events":null}` {
		t.Errorf("custom is %s, %v", cfg.Custom, err)
	}
}

func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "amplify_outputs.json")
	_, err := amplify.LoadConfig(path)
	if !errors.Is(err, os.ErrNotExist) || amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Errorf("a missing file: %v", err)
	}
	if text := err.Error(); !strings.Contains(text, path) || !strings.HasSuffix(text, "or correct the path.") {
		t.Errorf("%q names no file, or does not say what to do", text)
	}
	if err := os.WriteFile(path, []byte(`{"version":"1","auth":{"user_pool_id":"eu-west-1_A","user_pool_client_id":"c"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if cfg, err := amplify.LoadConfig(path); err != nil || cfg.Auth.UserPoolID != "eu-west-1_A" {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, c := range conformance.Load(f, "config.json") {
		var in struct {
			Config json.RawMessage `json:"config"`
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(in.Config))
	}
	f.Add([]byte(`{"version":"1","custom":{"amplify_go":{"endpoints":{"oauth":"://"}}}}`))
	files, err := filepath.Glob(filepath.Join(configFiles, "*"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no files in %s: %v", configFiles, err)
	}
	for _, file := range files {
		in, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		cfg, err := amplify.ParseConfig(in)
		var e *amplify.Error
		if err != nil && (!errors.As(err, &e) || e.Name == "" || strings.Contains(err.Error(), "\n") && !strings.Contains(string(in), `\n`)) {
			t.Errorf("got %v", err)
		}
		if err != nil {
			return
		}
		if _, err := json.Marshal(cfg); err != nil {
			t.Error(err)
		}
		if _, err := amplify.New(cfg, amplify.Options{}); err != nil && len(amplify.ConfigErrors(err)) == 0 {
			t.Errorf("got %v", err)
		}
	})
}

// TestOrderOfPaths: the order of the paths of a bucket counts, so that it is that of the file.
func TestOrderOfPaths(t *testing.T) {
	const paths = `{
		"b/*": {"guest": ["get", "list"]},
		"a/*": {"authenticated": ["write"], "groupsADMINS": ["delete"]},
		"b/c/*": {},
		"a/*": {"entityidentity": ["get"]}
	}`
	want := []amplify.PathAccess{
		{Pattern: "b/*", Actions: map[string][]string{"guest": {"get", "list"}}},
		{Pattern: "a/*", Actions: map[string][]string{"entityidentity": {"get"}}},
		{Pattern: "b/c/*", Actions: map[string][]string{}},
	}
	for kind, text := range map[string]string{
		"outputs": `{"version":"1.4","storage":{"aws_region":"r","bucket_name":"n","buckets":[
			{"name":"b","bucket_name":"n","aws_region":"r","paths":%s}]}}`,
		"ResourcesConfig": `{"Storage":{"S3":{"buckets":{"b":{"bucketName":"n","region":"r","paths":%s}}}}}`,
	} {
		for value, want := range map[string][]amplify.PathAccess{
			paths: want, `{}`: nil, `null`: nil, `["a/*"]`: nil, `{"a/*":["get"]}`: nil,
		} {
			cfg, err := amplify.ParseConfig(fmt.Appendf(nil, text, value))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, cfg.Storage.Buckets["b"].Paths); d != "" {
				t.Errorf("%s %s (-want +got)\n%s", kind, value, d)
			}
		}
	}
}
