package amplify

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// exports holds the parts of Amplify Gen 1's amplifyconfiguration.json that are used.
type exports struct {
	UserPoolID               string          `json:"aws_user_pools_id"`
	UserPoolClientID         string          `json:"aws_user_pools_web_client_id"`
	IdentityPoolID           string          `json:"aws_cognito_identity_pool_id"`
	MandatorySignIn          loose[string]   `json:"aws_mandatory_sign_in"`
	UsernameAttributes       loose[[]string] `json:"aws_cognito_username_attributes"`
	SignUpAttributes         loose[[]string] `json:"aws_cognito_signup_attributes"`
	VerificationMechanisms   loose[[]string] `json:"aws_cognito_verification_mechanisms"`
	SignUpVerificationMethod loose[string]   `json:"aws_cognito_sign_up_verification_method"`
	MFAConfiguration         loose[string]   `json:"aws_cognito_mfa_configuration"`
	MFATypes                 loose[[]string] `json:"aws_cognito_mfa_types"`
	PasswordSettings         loose[*struct {
		MinLength  number   `json:"passwordPolicyMinLength"`
		Characters []string `json:"passwordPolicyCharacters"`
	}] `json:"aws_cognito_password_protection_settings"`
	SocialProviders loose[[]string] `json:"aws_cognito_social_providers"`
	OAuth           json.RawMessage `json:"oauth"`

	GraphQLEndpoint    string          `json:"aws_appsync_graphqlEndpoint"`
	GraphQLRegion      string          `json:"aws_appsync_region"`
	AuthenticationType string          `json:"aws_appsync_authenticationType"`
	APIKey             string          `json:"aws_appsync_apiKey"`
	ModelIntrospection json.RawMessage `json:"modelIntrospection"`

	Bucket       string `json:"aws_user_files_s3_bucket"`
	BucketRegion string `json:"aws_user_files_s3_bucket_region"`
	BucketLocal  flag   `json:"aws_user_files_s3_dangerously_connect_to_http_endpoint_for_testing"`

	AnalyticsAppID  any                     `json:"aws_mobile_analytics_app_id"`
	AnalyticsRegion any                     `json:"aws_mobile_analytics_app_region"`
	REST            loose[[]map[string]any] `json:"aws_cloud_logic_custom"`
	Bots            loose[[]any]            `json:"aws_bots_config"`
	Geo             loose[map[string]any]   `json:"geo"`
	Predictions     loose[map[string]any]   `json:"predictions"`
	Notifications   loose[struct {
		InAppMessaging map[string]any `json:"InAppMessaging"`
		Push           map[string]any `json:"Push"`
	}] `json:"Notifications"`
}

func parseExports(data []byte, members map[string]json.RawMessage) (Config, error) {
	if _, ok := members["aws_project_region"]; !ok {
		return Config{}, &Error{
			Name: invalidParameter, Reason: ReasonConfiguration,
			Message:            "Invalid config parameter.",
			RecoverySuggestion: "Ensure passing the config object imported from  `amplifyconfiguration.json`.",
			Err:                errors.New("aws_project_region is missing"),
		}
	}
	var in exports
	if err := decode(data, "", &in); err != nil {
		return Config{}, err
	}
	var c Config
	if in.UserPoolID != "" || in.IdentityPoolID != "" {
		if err := c.exportsAuth(in); err != nil {
			return Config{}, err
		}
	}
	if in.GraphQLEndpoint != "" {
		c.Data = &DataConfig{
			Endpoint:           in.GraphQLEndpoint,
			Region:             in.GraphQLRegion,
			DefaultAuthMode:    outputsAuthMode(in.AuthenticationType),
			APIKey:             NewSecret(in.APIKey),
			ModelIntrospection: in.ModelIntrospection,
		}
		if c.Data.DefaultAuthMode == "" {
			switch in.AuthenticationType {
			case "NONE":
				c.Data.DefaultAuthMode = "none"
			case "LAMBDA": // Amplify JS 6.0 misspelled AWS_LAMBDA; such files exist
				c.Data.DefaultAuthMode = "lambda"
			default:
				c.Data.DefaultAuthMode = "iam"
			}
		}
	}
	if in.Bucket != "" {
		c.Storage = &StorageConfig{
			Bucket: in.Bucket,
			Region: in.BucketRegion,
			DangerouslyConnectToHTTPEndpointForTesting: bool(in.BucketLocal),
		}
	}
	c.exportsREST(in.REST.value)
	c.otherExports(in)
	return c, nil
}

func (c *Config) exportsAuth(in exports) error {
	c.Auth = &AuthConfig{
		UserPoolID:               in.UserPoolID,
		UserPoolClientID:         in.UserPoolClientID,
		IdentityPoolID:           in.IdentityPoolID,
		AllowGuestAccess:         in.MandatorySignIn.value != "enable",
		SignUpVerificationMethod: in.SignUpVerificationMethod.value,
	}
	for _, attribute := range slices.Concat(in.VerificationMechanisms.value, in.SignUpAttributes.value) {
		c.Auth.RequiredAttributes = append(c.Auth.RequiredAttributes, strings.ToLower(attribute))
	}
	c.Auth.RequiredAttributes = unique(c.Auth.RequiredAttributes)
	if slices.Contains(in.UsernameAttributes.value, "EMAIL") {
		c.Auth.SignInWith = append(c.Auth.SignInWith, "email")
	}
	if slices.Contains(in.UsernameAttributes.value, "PHONE_NUMBER") {
		c.Auth.SignInWith = append(c.Auth.SignInWith, "phone")
	}
	if c.Auth.SignInWith == nil {
		c.Auth.SignInWith = []string{"username"}
	}
	if mfa := in.MFAConfiguration.value; mfa != "" {
		c.Auth.MFA = &MFAConfig{
			Status:      strings.ToLower(mfa),
			TOTPEnabled: slices.Contains(in.MFATypes.value, "TOTP"),
			SMSEnabled:  slices.Contains(in.MFATypes.value, "SMS"),
		}
	}
	if p := in.PasswordSettings.value; p != nil {
		c.Auth.PasswordPolicy = &PasswordPolicy{
			MinLength:        int(p.MinLength),
			RequireLowercase: slices.Contains(p.Characters, "REQUIRES_LOWERCASE"),
			RequireUppercase: slices.Contains(p.Characters, "REQUIRES_UPPERCASE"),
			RequireNumbers:   slices.Contains(p.Characters, "REQUIRES_NUMBERS"),
			RequireSymbols:   slices.Contains(p.Characters, "REQUIRES_SYMBOLS"),
		}
	}
	return c.exportsOAuth(in)
}

func (c *Config) exportsOAuth(in exports) error {
	var given map[string]json.RawMessage
	var oauth struct {
		Domain          string   `json:"domain"`
		Scope           []string `json:"scope"`
		RedirectSignIn  string   `json:"redirectSignIn"` // separated by commas
		RedirectSignOut string   `json:"redirectSignOut"`
		ResponseType    string   `json:"responseType"`
	}
	if !truthy(in.OAuth) {
		return nil
	}
	if err := decode(in.OAuth, "oauth", &given); err != nil || len(given) == 0 {
		return err // Amplify's command line writes {} for backends without managed login
	}
	if err := decode(in.OAuth, "oauth", &oauth); err != nil {
		return err
	}
	c.Auth.OAuth = &OAuthConfig{
		Domain:          oauth.Domain,
		RedirectSignIn:  list(strings.Split(oauth.RedirectSignIn, ",")),
		RedirectSignOut: list(strings.Split(oauth.RedirectSignOut, ",")),
		ResponseType:    oauth.ResponseType,
		Scopes:          oauth.Scope,
	}
	for _, p := range in.SocialProviders.value {
		p = strings.ToLower(p)
		if p != "" {
			p = strings.ToUpper(p[:1]) + p[1:]
		}
		c.Auth.OAuth.Providers = append(c.Auth.OAuth.Providers, p)
	}
	return nil
}

// exportsREST copies the REST APIs of Gen 1 files to c.Other.
func (c *Config) exportsREST(apis []map[string]any) {
	if apis == nil {
		return
	}
	c.other(map[string]any{}, "API", "REST")
	for _, api := range apis {
		rest := pick(api, "endpoint", "endpoint")
		for _, optional := range []string{"service", "region"} {
			if v := api[optional]; v != nil && v != "" {
				rest[optional] = v
			}
		}
		name, _ := api["name"].(string)
		c.other(rest, "API", "REST", name)
	}
}

// otherExports copies the parts of Gen 1 files that the library does not use to c.Other.
func (c *Config) otherExports(in exports) {
	if id := in.AnalyticsAppID; id != nil && id != "" {
		pinpoint := map[string]any{"appId": id}
		if region := in.AnalyticsRegion; region != nil {
			pinpoint["region"] = region
		}
		c.other(pinpoint, "Analytics", "Pinpoint")
	}
	if pinpoint := in.Notifications.value.InAppMessaging["AWSPinpoint"]; pinpoint != nil {
		c.other(pick(pinpoint, "appId", "appId", "region", "region"), "Notifications", "InAppMessaging", "Pinpoint")
	}
	if pinpoint := in.Notifications.value.Push["AWSPinpoint"]; pinpoint != nil {
		c.other(pick(pinpoint, "appId", "appId", "region", "region"), "Notifications", "PushNotification", "Pinpoint")
	}
	if bots := in.Bots.value; bots != nil {
		c.other(map[string]any{}, "Interactions", "LexV1")
		for _, bot := range bots {
			name, _ := pick(bot, "name", "name")["name"].(string)
			c.other(bot, "Interactions", "LexV1", name)
		}
	}
	if geo := in.Geo.value; geo != nil {
		c.other(pick(geo["amazon_location_service"], "maps", "maps", "geofenceCollections", "geofenceCollections",
			"search_indices", "searchIndices", "region", "region"), "Geo", "LocationService")
	}
	if predictions := in.Predictions.value; predictions != nil {
		// Gen 1 writes VoiceId where Amplify JS reads voiceId.
		convert, _ := predictions["convert"].(map[string]any)
		generator, _ := convert["speechGenerator"].(map[string]any)
		if voice := pick(generator["defaults"], "VoiceId", "voiceId"); voice["voiceId"] != nil && voice["voiceId"] != "" {
			generator["defaults"] = voice
		}
		c.other(maps.Clone(predictions), "Predictions")
	}
}
