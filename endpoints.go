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

	for _, field := range []struct {
		name    string
		value   *string
		choices []string
	}{
		{"UserPool", &e.UserPool, []string{
			e.UserPool, outputs.UserPool, auth.UserPoolEndpoint, getenv(all + "_COGNITO_IDENTITY_PROVIDER"), getenv(all),
			awsEndpoint("cognito-idp", auth.UserPoolID, "_"),
		}},
		{"UserPoolKeys", &e.UserPoolKeys, []string{e.UserPoolKeys, outputs.UserPoolKeys}},
		{"IdentityPool", &e.IdentityPool, []string{
			e.IdentityPool, outputs.IdentityPool, auth.IdentityPoolEndpoint, getenv(all + "_COGNITO_IDENTITY"), getenv(all),
			awsEndpoint("cognito-identity", auth.IdentityPoolID, ":"),
		}},
		{"OAuth", &e.OAuth, []string{e.OAuth, outputs.OAuth, oauth}},
	} {
		for _, choice := range field.choices {
			if choice == "" {
				continue
			}
			if problem := urlProblem(choice); problem != "" {
				f.add("Options.Endpoints."+field.name, choice, "%s", problem)
			}
			*field.value = strings.TrimRight(choice, "/")
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
