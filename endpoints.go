package amplify

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/amplify-go/amplify/internal/partition"
)

// Endpoints are the addresses of AWS services, each an absolute URL. Plain http is allowed, for
// local backends.
//
// An empty field is filled from the first of these sources that has a value:
//   - the configuration: custom.amplify_go.endpoints of the outputs, an object with the JSON names
//     below; then userPoolEndpoint, identityPoolEndpoint and customEndpoint of a ResourcesConfig;
//   - the environment: the variables named below, which the AWS SDKs and the AWS CLI read too, then
//     AWS_ENDPOINT_URL for the APIs of Cognito and S3. The environment is ignored if
//     AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is "true";
//   - AWS: the address of the service in the region that the pool's id begins with, in the domain
//     of the region's partition. That of S3 depends on the bucket, so that Storage stays empty.
//     That of the GraphQL API is in the configuration.
type Endpoints struct {
	// UserPool answers the calls of the Cognito user pools API.
	// Environment: AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER.
	UserPool string `json:"user_pool,omitempty"`
	// UserPoolKeys serves <address>/<user pool id>/.well-known/jwks.json. It changes where keys are
	// fetched from, and does not change which issuers tokens may name. It may stay empty: then the
	// keys of each issuer of the pool are fetched from <issuer>/.well-known/jwks.json.
	UserPoolKeys string `json:"user_pool_keys,omitempty"`
	// IdentityPool answers the calls of the Cognito identity pools API.
	// Environment: AWS_ENDPOINT_URL_COGNITO_IDENTITY.
	IdentityPool string `json:"identity_pool,omitempty"`
	// OAuth serves managed login: /oauth2/authorize, /oauth2/token, /logout and so on. The default
	// is https and the domain of the configuration.
	OAuth string `json:"oauth,omitempty"`
	// Storage answers the calls of the S3 API, with the bucket as the first segment of the path.
	// The default is the address of each bucket at AWS; http://localhost:20005, as in Amplify JS,
	// if the configuration has DangerouslyConnectToHTTPEndpointForTesting. Environment:
	// AWS_ENDPOINT_URL_S3.
	Storage string `json:"storage,omitempty"`
	// Data answers the calls of the GraphQL API. An address without a path gets AppSync's,
	// "/graphql". Environment: AWS_ENDPOINT_URL_APPSYNC.
	Data string `json:"data,omitempty"`
	// Realtime takes the subscriptions of the GraphQL API, by WebSocket. Its scheme is that of
	// Data: "https" stands for "wss". The default follows from Data, as in Amplify JS: at AppSync's
	// own hosts "appsync-api" becomes "appsync-realtime-api", at others "/realtime" is appended.
	Realtime string `json:"realtime,omitempty"`
}

// resolve returns e with its empty fields filled and without slashes at the ends. getenv is
// [os.Getenv].
func (e Endpoints) resolve(c Config, getenv func(string) string) (Endpoints, faults) {
	var custom struct {
		AmplifyGo struct {
			Endpoints Endpoints `json:"endpoints"`
		} `json:"amplify_go"`
	}
	var f faults
	if len(c.Custom) > 0 {
		// "custom" belongs to the user and may be any JSON value. Only objects have endpoints.
		var object map[string]json.RawMessage
		if json.Unmarshal(c.Custom, &object) == nil && json.Unmarshal(c.Custom, &custom) != nil {
			f.add("Config.Custom", "", "amplify_go.endpoints is not an object of URLs").Source = c.file
		}
	}
	if getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true" {
		getenv = func(string) string { return "" }
	}
	auth := c.Auth
	if auth == nil {
		auth = &AuthConfig{}
	}
	oauth := ""
	if auth.OAuth != nil && auth.OAuth.Domain != "" {
		oauth = "https://" + auth.OAuth.Domain
	}
	data := c.Data
	if data == nil {
		data = &DataConfig{}
	}
	testing := ""
	if c.Storage != nil && c.Storage.DangerouslyConnectToHTTPEndpointForTesting {
		testing = "http://localhost:20005"
	}
	outputs := custom.AmplifyGo.Endpoints
	// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
	const all = "AWS_ENDPOINT_URL"

	type choice struct{ field, source, value string }
	option := func(name, value string) choice { return choice{"Options.Endpoints." + name, "", value} }
	output := func(name, value string) choice {
		return choice{"Config.Custom: amplify_go.endpoints." + name, c.file, value}
	}
	environment := func(name, service string) choice {
		return choice{"Options.Endpoints." + name, all + service, getenv(all + service)}
	}
	for _, endpoint := range []struct {
		value   *string
		choices []choice
	}{
		{&e.UserPool, []choice{
			option("UserPool", e.UserPool),
			output("user_pool", outputs.UserPool),
			{"Config.Auth.UserPoolEndpoint", c.file, auth.UserPoolEndpoint},
			environment("UserPool", "_COGNITO_IDENTITY_PROVIDER"), environment("UserPool", ""),
			{"AWS", "", awsEndpoint("cognito-idp", auth.UserPoolID, "_")},
		}},
		{&e.UserPoolKeys, []choice{
			option("UserPoolKeys", e.UserPoolKeys),
			output("user_pool_keys", outputs.UserPoolKeys),
		}},
		{&e.IdentityPool, []choice{
			option("IdentityPool", e.IdentityPool),
			output("identity_pool", outputs.IdentityPool),
			{"Config.Auth.IdentityPoolEndpoint", c.file, auth.IdentityPoolEndpoint},
			environment("IdentityPool", "_COGNITO_IDENTITY"), environment("IdentityPool", ""),
			{"AWS", "", awsEndpoint("cognito-identity", auth.IdentityPoolID, ":")},
		}},
		{&e.OAuth, []choice{
			option("OAuth", e.OAuth),
			output("oauth", outputs.OAuth),
			{"Config.Auth.OAuth.Domain", c.file, oauth},
		}},
		{&e.Storage, []choice{
			option("Storage", e.Storage),
			output("storage", outputs.Storage),
			{"Config.Storage.DangerouslyConnectToHTTPEndpointForTesting", c.file, testing},
			environment("Storage", "_S3"), environment("Storage", ""),
		}},
		{&e.Data, []choice{
			option("Data", withGraphQL(e.Data)),
			output("data", withGraphQL(outputs.Data)),
			{"Config.Data.CustomEndpoint", c.file, data.CustomEndpoint},
			{"Options.Endpoints.Data", all + "_APPSYNC", withGraphQL(getenv(all + "_APPSYNC"))},
			{"Config.Data.Endpoint", c.file, data.Endpoint},
		}},
		{&e.Realtime, []choice{
			option("Realtime", e.Realtime),
			output("realtime", outputs.Realtime),
		}},
	} {
		for _, c := range endpoint.choices {
			if c.value == "" {
				continue
			}
			// Values from Config.Auth, Config.Data and AWS have been checked with the rest of the
			// configuration.
			if !strings.HasPrefix(c.field, "Config.Auth.") &&
				!strings.HasPrefix(c.field, "Config.Data.") && c.field != "AWS" {
				if fault := f.url(c.field, c.value); fault != nil {
					fault.Source = c.source
				}
			}
			*endpoint.value = strings.TrimRight(c.value, "/")
			break
		}
	}
	if e.Realtime == "" {
		e.Realtime = realtimeOf(e.Data)
	}
	return e, f
}

// withGraphQL returns address with AppSync's path if it has none.
func withGraphQL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return address
	}
	u.Path = "/graphql"
	return u.String()
}

// appSync is the address of an API at a host of AppSync's own.
var appSync = regexp.MustCompile(
	`^https://[a-z0-9]{26}\.(appsync-api)\.[a-z0-9-]+\.amazonaws\.[a-z.]+/graphql$`)

// realtimeOf returns where the subscriptions of an API go.
//
// Source: appsyncUrl.ts of Amplify JS.
func realtimeOf(data string) string {
	if data == "" {
		return ""
	}
	if at := appSync.FindStringSubmatchIndex(data); at != nil {
		return data[:at[2]] + "appsync-realtime-api" + data[at[3]:]
	}
	return data + "/realtime"
}

// awsEndpoint returns AWS's own address of a service in the region that id begins with, or "" if
// id does not begin with a region.
func awsEndpoint(service, id, separator string) string {
	region, _, ok := strings.Cut(id, separator)
	if !ok || region == "" {
		return ""
	}
	return "https://" + service + "." + region + "." + partition.DNSSuffix(region)
}
