package amplify

import (
	"encoding/json"
	"testing"
)

func TestEndpoints(t *testing.T) {
	auth := &AuthConfig{
		UserPoolID: "eu-west-1_A", UserPoolClientID: "c", IdentityPoolID: "us-east-2:1", OAuth: &OAuthConfig{Domain: "x.test"},
	}
	aws := Endpoints{
		UserPool:     "https://cognito-idp.eu-west-1.amazonaws.com",
		IdentityPool: "https://cognito-identity.us-east-2.amazonaws.com",
		OAuth:        "https://x.test",
	}
	with := func(e Endpoints, change func(*Endpoints)) Endpoints { change(&e); return e }
	local := *auth
	local.UserPoolEndpoint, local.IdentityPoolEndpoint = "http://localhost:1", "http://localhost:2/"
	custom := json.RawMessage(`{"mine":1,"amplify_go":{"new":2,"endpoints":{
		"user_pool":"http://127.0.0.1:9000/idp/","user_pool_keys":"http://127.0.0.1:9000","identity_pool":"http://127.0.0.1:9001",
		"oauth":"http://localhost:9002","storage":"http://127.0.0.1:9003/s3/",
		"data":"http://127.0.0.1:9004","realtime":"http://127.0.0.1:9005/socket"}}}`)
	outputs := Endpoints{
		"http://127.0.0.1:9000/idp", "http://127.0.0.1:9000", "http://127.0.0.1:9001", "http://localhost:9002", "http://127.0.0.1:9003/s3",
		"http://127.0.0.1:9004/graphql", "http://127.0.0.1:9005/socket",
	}
	region := func(pool, identity string) Config {
		return Config{Auth: &AuthConfig{UserPoolID: pool, IdentityPoolID: identity}}
	}
	environment := map[string]string{
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://env:1", "AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://env:2",
		"AWS_ENDPOINT_URL_S3": "http://env:4", "AWS_ENDPOINT_URL": "http://env:3",
	}
	const id = "abcdefghijklmnopqrstuvwxyz"
	api := func(custom string) Config {
		endpoint := "https://" + id + ".appsync-api.eu-west-1.amazonaws.com/graphql"
		return Config{Data: &DataConfig{Endpoint: endpoint, CustomEndpoint: custom}}
	}
	appsync := func(address string) map[string]string {
		return map[string]string{"AWS_ENDPOINT_URL_APPSYNC": address}
	}
	testing := Config{Storage: &StorageConfig{DangerouslyConnectToHTTPEndpointForTesting: true}}

	for _, tt := range []struct {
		name    string
		options Endpoints
		config  Config
		env     map[string]string
		want    Endpoints
	}{
		{"nothing", Endpoints{}, Config{}, nil, Endpoints{}},
		{"AWS", Endpoints{}, Config{Auth: auth}, nil, aws},
		{
			"GovCloud", Endpoints{}, region("us-gov-west-1_A", "us-gov-west-1:1"), nil,
			Endpoints{UserPool: "https://cognito-idp.us-gov-west-1.amazonaws.com", IdentityPool: "https://cognito-identity.us-gov-west-1.amazonaws.com"},
		},
		{
			"China", Endpoints{}, region("cn-north-1_A", "cn-north-1:1"), nil,
			Endpoints{UserPool: "https://cognito-idp.cn-north-1.amazonaws.com.cn", IdentityPool: "https://cognito-identity.cn-north-1.amazonaws.com.cn"},
		},
		{
			"European sovereign cloud", Endpoints{}, region("eusc-de-east-1_A", ""), nil,
			Endpoints{UserPool: "https://cognito-idp.eusc-de-east-1.amazonaws.eu"},
		},
		{"environment", Endpoints{}, Config{Auth: auth}, environment, with(aws, func(e *Endpoints) {
			e.UserPool, e.IdentityPool, e.Storage = "http://env:1", "http://env:2", "http://env:4"
		})},
		{"environment for all services", Endpoints{}, Config{Auth: auth}, map[string]string{"AWS_ENDPOINT_URL": "http://env:3"}, with(aws, func(e *Endpoints) {
			e.UserPool, e.IdentityPool, e.Storage = "http://env:3", "http://env:3", "http://env:3"
		})},
		{
			"environment ignored", Endpoints{}, Config{Auth: auth},
			map[string]string{"AWS_ENDPOINT_URL": "http://env:3", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, aws,
		},
		{"ResourcesConfig before environment", Endpoints{}, Config{Auth: &local}, environment, with(aws, func(e *Endpoints) {
			e.UserPool, e.IdentityPool, e.Storage = "http://localhost:1", "http://localhost:2", "http://env:4"
		})},
		{"outputs before ResourcesConfig", Endpoints{}, Config{Auth: &local, Custom: custom}, environment, outputs},
		{"options before outputs", Endpoints{UserPool: "http://o:1"}, Config{Auth: &local, Custom: custom}, environment, with(outputs, func(e *Endpoints) {
			e.UserPool = "http://o:1"
		})},
		{"options alone", Endpoints{OAuth: "http://o:1/"}, Config{Auth: auth}, nil, with(aws, func(e *Endpoints) { e.OAuth = "http://o:1" })},
		{
			"S3 of tests", Endpoints{}, testing, map[string]string{"AWS_ENDPOINT_URL_S3": "http://env:4"},
			Endpoints{Storage: "http://localhost:20005"},
		},
		{"API of AppSync", Endpoints{}, api(""), nil, Endpoints{
			Data:     "https://" + id + ".appsync-api.eu-west-1.amazonaws.com/graphql",
			Realtime: "https://" + id + ".appsync-realtime-api.eu-west-1.amazonaws.com/graphql",
		}},
		{"another API in the configuration", Endpoints{}, api("https://api.test/a"), appsync("http://env:5"), Endpoints{
			Data: "https://api.test/a", Realtime: "https://api.test/a/realtime",
		}},
		{"API of the environment", Endpoints{}, api(""), appsync("http://env:5"), Endpoints{
			Data: "http://env:5/graphql", Realtime: "http://env:5/graphql/realtime",
		}},
		{"API of the environment, with a path", Endpoints{}, api(""), appsync("http://env:5/a/b"), Endpoints{
			Data: "http://env:5/a/b", Realtime: "http://env:5/a/b/realtime",
		}},
		{"not the API", Endpoints{}, Config{Data: &DataConfig{}}, map[string]string{"AWS_ENDPOINT_URL": "http://env:3"}, Endpoints{
			Storage: "http://env:3", UserPool: "http://env:3", IdentityPool: "http://env:3",
		}},
		{"API of the options", Endpoints{Data: "http://o:1/"}, api("https://api.test/a"), appsync("http://env:5"), Endpoints{
			Data: "http://o:1/graphql", Realtime: "http://o:1/graphql/realtime",
		}},
		{"realtime apart", Endpoints{Realtime: "https://o.test"}, api("https://api.test/a"), nil, Endpoints{
			Data: "https://api.test/a", Realtime: "https://o.test",
		}},
		{"an id of another length", Endpoints{Data: "https://short.appsync-api.eu-west-1.amazonaws.com/graphql"}, Config{}, nil, Endpoints{
			Data:     "https://short.appsync-api.eu-west-1.amazonaws.com/graphql",
			Realtime: "https://short.appsync-api.eu-west-1.amazonaws.com/graphql/realtime",
		}},
		{"custom that is no object", Endpoints{}, Config{Auth: auth, Custom: json.RawMessage(`["mine"]`)}, nil, aws},
		{"custom of others", Endpoints{}, Config{Auth: auth, Custom: json.RawMessage(`{"endpoints":{"oauth":"x"}}`)}, nil, aws},
	} {
		got, f := tt.options.resolve(tt.config, func(name string) string { return tt.env[name] })
		if got != tt.want || f != nil {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", tt.name, got, f, tt.want)
		}
	}
	inOutputs := Config{Custom: json.RawMessage(`{"amplify_go":{"endpoints":{"oauth":"x"}}}`), file: "outputs.json"}
	for _, tt := range []struct {
		options       Endpoints
		config        Config
		env           map[string]string
		field, source string
	}{
		{Endpoints{OAuth: "x"}, Config{}, nil, "Options.Endpoints.OAuth", ""},
		{Endpoints{}, inOutputs, nil, "Config.Custom: amplify_go.endpoints.oauth", "outputs.json"},
		{Endpoints{}, Config{}, map[string]string{"AWS_ENDPOINT_URL": "x"}, "Options.Endpoints.UserPool", "AWS_ENDPOINT_URL"},
		{Endpoints{}, Config{}, appsync("x"), "Options.Endpoints.Data", "AWS_ENDPOINT_URL_APPSYNC"},
	} {
		_, f := tt.options.resolve(tt.config, func(name string) string { return tt.env[name] })
		if len(f) == 0 || f[0].Field != tt.field || f[0].Source != tt.source {
			t.Errorf("%s: the fault is said to be in %v", tt.field, f)
		}
	}
	for name, custom := range map[string]string{
		"no text":   `{"amplify_go":{"endpoints":{"oauth":1}}}`,
		"no object": `{"amplify_go":{"endpoints":["x"]}}`,
		"no URL":    `{"amplify_go":{"endpoints":{"oauth":"x"}}}`,
		"no host":   `{"amplify_go":{"endpoints":{"oauth":"https://"}}}`,
		"ftp":       `{"amplify_go":{"endpoints":{"oauth":"ftp://x"}}}`,
		"password":  `{"amplify_go":{"endpoints":{"oauth":"https://u:p@x"}}}`,
	} {
		if _, f := (Endpoints{}).resolve(Config{Custom: json.RawMessage(custom)}, func(string) string { return "" }); len(f) != 1 {
			t.Errorf("%s: %v", name, f)
		}
	}
}

// TestEndpointsFromEnvironment shows that New reads the environment of the process.
func TestEndpointsFromEnvironment(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
	app, err := New(Config{Auth: &AuthConfig{UserPoolID: "eu-west-1_A", UserPoolClientID: "c"}}, Options{})
	if err != nil || app.Endpoints().UserPool != "http://localhost:4566" {
		t.Errorf("got %+v, %v", app.Endpoints(), err)
	}
}
