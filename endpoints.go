package amplify

import (
	"encoding/json"
	"strings"
)

// Endpoints are the addresses of AWS services, each an absolute URL. Plain http is allowed:
// that is how local backends are reached.
//
// A field that is empty is taken, in this order, from
//   - the configuration: custom.amplify_go.endpoints of the outputs, an object with the JSON names
//     below; then userPoolEndpoint and identityPoolEndpoint of a ResourcesConfig;
//   - the environment: the variables named below, which the AWS SDKs and the AWS CLI read too, then
//     AWS_ENDPOINT_URL for both APIs; none of them if AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is "true";
//   - AWS: the service's address in the region that the pool's id begins with, in the partitions
//     aws, aws-us-gov, aws-cn and aws-eusc.
type Endpoints struct {
	// UserPool answers the calls of the Cognito user pools API.
	// Environment: AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER.
	UserPool string `json:"user_pool,omitempty"`
	// UserPoolKeys serves <address>/<user pool id>/.well-known/jwks.json. It says where keys
	// are fetched from, and nothing about what tokens must say in iss. If it is empty everywhere, it stays empty:
	// then keys are fetched from <iss>/.well-known/jwks.json, for each of the
	// issuers that the pool has.
	UserPoolKeys string `json:"user_pool_keys,omitempty"`
	// IdentityPool answers the calls of the Cognito identity pools API.
	// Environment: AWS_ENDPOINT_URL_COGNITO_IDENTITY.
	IdentityPool string `json:"identity_pool,omitempty"`
	// OAuth serves managed login: /oauth2/authorize, /oauth2/token, /logout … The default is https and the
	// domain of the configuration.
	OAuth string `json:"oauth,omitempty"`
}

// resolve fills the fields that are empty and drops slashes at the end. getenv is [os.Getenv].
func (e Endpoints) resolve(c Config, getenv func(string) string) (Endpoints, faults) {
	var custom struct {
		AmplifyGo struct {
			Endpoints Endpoints `json:"endpoints"`
		} `json:"amplify_go"`
	}
	var f faults
	if len(c.Custom) > 0 {
		// What else is in "custom" is the user's own business, also that it is no object.
		var object map[string]json.RawMessage
		if json.Unmarshal(c.Custom, &object) == nil && json.Unmarshal(c.Custom, &custom) != nil {
			f.add("Config.Custom", "", "amplify_go.endpoints is not an object of texts")
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
	outputs := custom.AmplifyGo.Endpoints
	const all = "AWS_ENDPOINT_URL" // https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html

	type choice struct{ from, value string }
	environment := func(service string) choice { return choice{all + service, getenv(all + service)} }
	for _, field := range []struct {
		value   *string
		choices []choice
	}{
		{&e.UserPool, []choice{
			{"Options.Endpoints.UserPool", e.UserPool},
			{"Config.Custom: amplify_go.endpoints.user_pool", outputs.UserPool},
			{"Config.Auth.UserPoolEndpoint", auth.UserPoolEndpoint},
			environment("_COGNITO_IDENTITY_PROVIDER"), environment(""),
			{"AWS", awsEndpoint("cognito-idp", auth.UserPoolID, "_")},
		}},
		{&e.UserPoolKeys, []choice{
			{"Options.Endpoints.UserPoolKeys", e.UserPoolKeys},
			{"Config.Custom: amplify_go.endpoints.user_pool_keys", outputs.UserPoolKeys},
		}},
		{&e.IdentityPool, []choice{
			{"Options.Endpoints.IdentityPool", e.IdentityPool},
			{"Config.Custom: amplify_go.endpoints.identity_pool", outputs.IdentityPool},
			{"Config.Auth.IdentityPoolEndpoint", auth.IdentityPoolEndpoint},
			environment("_COGNITO_IDENTITY"), environment(""),
			{"AWS", awsEndpoint("cognito-identity", auth.IdentityPoolID, ":")},
		}},
		{&e.OAuth, []choice{
			{"Options.Endpoints.OAuth", e.OAuth},
			{"Config.Custom: amplify_go.endpoints.oauth", outputs.OAuth},
			{"Config.Auth.OAuth.Domain", oauth},
		}},
	} {
		for _, c := range field.choices {
			if c.value == "" {
				continue
			}
			// What Config.Auth and AWS say has been judged with the rest of the configuration.
			if judged := strings.HasPrefix(c.from, "Config.Auth.") || c.from == "AWS"; !judged {
				f.url(c.from, c.value)
			}
			*field.value = strings.TrimRight(c.value, "/")
			break
		}
	}
	return e, f
}

// awsEndpoint returns AWS's own address of a service in the region that id begins with, or "" if
// id names none.
func awsEndpoint(service, id, separator string) string {
	region, _, ok := strings.Cut(id, separator)
	if !ok || region == "" {
		return ""
	}
	suffix := ".amazonaws.com"
	switch {
	case strings.HasPrefix(region, "cn-"):
		suffix = ".amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		suffix = ".amazonaws.eu"
	}
	return "https://" + service + "." + region + suffix
}
