package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// isGen1 reports whether members are those of an amplifyconfiguration.json of Amplify Gen 1, which
// is also the object in aws-exports.js.
func isGen1(members map[string]json.RawMessage) bool {
	for name := range members {
		if strings.HasPrefix(name, "aws_") {
			return true
		}
	}
	return false
}

// gen1Auth is what the sandbox reads of a file of Gen 1. Only ids and the settings of managed login
// must have their types. Gen 1's command line writes some numbers as texts, and people leave other
// things behind.
type gen1Auth struct {
	ProjectRegion    string `json:"aws_project_region"`
	Region           string `json:"aws_cognito_region"`
	UserPoolID       string `json:"aws_user_pools_id"`
	UserPoolClientID string `json:"aws_user_pools_web_client_id"`
	IdentityPoolID   string `json:"aws_cognito_identity_pool_id"`

	MandatorySignIn        lenient[string]   `json:"aws_mandatory_sign_in"`
	UsernameAttributes     lenient[[]string] `json:"aws_cognito_username_attributes"`
	SignUpAttributes       lenient[[]string] `json:"aws_cognito_signup_attributes"`
	VerificationMechanisms lenient[[]string] `json:"aws_cognito_verification_mechanisms"`
	MFAConfiguration       lenient[string]   `json:"aws_cognito_mfa_configuration"`
	MFATypes               lenient[[]string] `json:"aws_cognito_mfa_types"`
	SocialProviders        lenient[[]string] `json:"aws_cognito_social_providers"`
	PasswordPolicy         lenient[*struct {
		MinLength  any      `json:"passwordPolicyMinLength"` // a number, or a text with one
		Characters []string `json:"passwordPolicyCharacters"`
	}] `json:"aws_cognito_password_protection_settings"`

	OAuth struct {
		Domain          string   `json:"domain"`
		Scope           []string `json:"scope"`
		RedirectSignIn  string   `json:"redirectSignIn"` // separated by commas
		RedirectSignOut string   `json:"redirectSignOut"`
		ResponseType    string   `json:"responseType"`
	} `json:"oauth"`
}

// lenient is a member that counts as absent if it has another type.
type lenient[T any] struct{ value T }

func (l *lenient[T]) UnmarshalJSON(raw []byte) error {
	var v T
	if json.Unmarshal(raw, &v) == nil {
		l.value = v
	}
	return nil
}

// fromGen1 makes an amplify_outputs.json of Gen 2 of a file of Gen 1, with the sections auth, data
// and storage. leftOut names the members that belong to none of them.
func fromGen1(
	text []byte, members map[string]json.RawMessage,
) (outputs []byte, leftOut []string, err error) {
	var in gen1Auth
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, nil, fmt.Errorf("sandbox: the outputs of Gen 1: %w", err)
	}
	if in.UserPoolID == "" {
		return nil, nil, errors.New("sandbox: the outputs of Gen 1 have no user pool " +
			"(aws_user_pools_id): add one to the backend (amplify add auth), or give no outputs")
	}
	out := map[string]any{"version": "1", "auth": in.section()}
	rest := maps.Clone(members)
	maps.DeleteFunc(rest, func(name string, _ json.RawMessage) bool {
		switch name {
		case "aws_project_region", "aws_mandatory_sign_in", "oauth", "federationTarget":
			return true
		}
		return strings.HasPrefix(name, "aws_cognito_") || strings.HasPrefix(name, "aws_user_pools_")
	})
	// move returns members under the names that they have in Gen 2. names holds pairs of the new
	// name and the old one.
	move := func(names ...string) map[string]json.RawMessage {
		section := map[string]json.RawMessage{}
		for i := 0; i < len(names); i += 2 {
			if v, ok := rest[names[i+1]]; ok {
				section[names[i]] = v
				delete(rest, names[i+1])
			}
		}
		return section
	}
	data := move("url", "aws_appsync_graphqlEndpoint", "aws_region", "aws_appsync_region",
		"default_authorization_type", "aws_appsync_authenticationType",
		"api_key", "aws_appsync_apiKey", "model_introspection", "modelIntrospection")
	if data["url"] != nil {
		data["authorization_types"] = json.RawMessage("[]") // Gen 1 tells the default alone
		out["data"] = data
	}
	storage := move("bucket_name", "aws_user_files_s3_bucket",
		"aws_region", "aws_user_files_s3_bucket_region")
	if storage["bucket_name"] != nil {
		out["storage"] = storage
	}
	outputs, err = json.Marshal(out)
	return outputs, slices.Sorted(maps.Keys(rest)), err
}

// section returns the section auth of an amplify_outputs.json.
func (in *gen1Auth) section() map[string]any {
	region := in.Region
	if region == "" {
		region = in.ProjectRegion
	}
	signInWith := addressAttributes(in.UsernameAttributes.value)
	if len(signInWith) == 0 {
		signInWith = []string{"username"}
	}
	auth := map[string]any{
		"aws_region":                   region,
		"user_pool_id":                 in.UserPoolID,
		"user_pool_client_id":          in.UserPoolClientID,
		"username_attributes":          signInWith,
		"standard_required_attributes": lower(in.SignUpAttributes.value),
		"user_verification_types":      addressAttributes(in.VerificationMechanisms.value),
	}
	if in.IdentityPoolID != "" {
		auth["identity_pool_id"] = in.IdentityPoolID
		auth["unauthenticated_identities_enabled"] = in.MandatorySignIn.value != "enable"
	}
	mfa := map[string]string{"ON": "REQUIRED", "OPTIONAL": "OPTIONAL", "OFF": "NONE"}
	if c := mfa[in.MFAConfiguration.value]; c != "" {
		auth["mfa_configuration"] = c
		auth["mfa_methods"] = append([]string{}, in.MFATypes.value...) // also with OFF
	}
	if p := in.PasswordPolicy.value; p != nil {
		length, err := strconv.Atoi(fmt.Sprint(p.MinLength))
		if err != nil {
			length = 8 // Cognito's default
		}
		needs := func(kind string) bool { return slices.Contains(p.Characters, "REQUIRES_"+kind) }
		auth["password_policy"] = map[string]any{
			"min_length":        length,
			"require_lowercase": needs("LOWERCASE"), "require_uppercase": needs("UPPERCASE"),
			"require_numbers": needs("NUMBERS"), "require_symbols": needs("SYMBOLS"),
		}
	}
	// The command line of Gen 1 writes {} for a backend without managed login.
	if o := in.OAuth; o.Domain != "" {
		providers := []string{}
		for _, p := range in.SocialProviders.value {
			providers = append(providers, gen2Provider(p))
		}
		auth["oauth"] = oauthOutputs{
			IdentityProviders: providers, Domain: o.Domain,
			Scopes: append([]string{}, o.Scope...), ResponseType: o.ResponseType,
			RedirectSignInURI:  splitList(o.RedirectSignIn),
			RedirectSignOutURI: splitList(o.RedirectSignOut),
		}
	}
	return auth
}

// gen2Provider returns the name that an identity provider of a file of Gen 1 has in Gen 2.
func gen2Provider(name string) string {
	switch name {
	case "AMAZON":
		return "LOGIN_WITH_AMAZON"
	case "APPLE":
		return "SIGN_IN_WITH_APPLE"
	}
	return name
}

// addressAttributes returns the attributes of a list of Gen 1 that hold addresses.
func addressAttributes(list []string) []string {
	return slices.DeleteFunc(lower(list), func(a string) bool {
		return a != "email" && a != "phone_number"
	})
}

func lower(list []string) []string {
	l := []string{}
	for _, s := range list {
		l = append(l, strings.ToLower(s))
	}
	return l
}

// splitList returns the parts of a list that is separated by commas. The command line of Gen 1 may
// leave blanks and a comma at its end.
func splitList(s string) []string {
	list := []string{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
