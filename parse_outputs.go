package amplify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// outputs holds the parts of Amplify Gen 2's amplify_outputs.json, version 1.x, that are used.
// Schema:
// https://github.com/aws-amplify/amplify-backend/tree/main/packages/client-config/src/client-config-schema
type outputs struct {
	Auth *struct {
		UserPoolID                       string          `json:"user_pool_id"`
		UserPoolClientID                 string          `json:"user_pool_client_id"`
		IdentityPoolID                   string          `json:"identity_pool_id"`
		UnauthenticatedIdentitiesEnabled flag            `json:"unauthenticated_identities_enabled"`
		UsernameAttributes               loose[[]string] `json:"username_attributes"`
		StandardRequiredAttributes       loose[[]string] `json:"standard_required_attributes"`
		MFAConfiguration                 loose[string]   `json:"mfa_configuration"`
		MFAMethods                       loose[[]string] `json:"mfa_methods"`
		PasswordPolicy                   loose[*struct {
			MinLength        number `json:"min_length"`
			RequireLowercase flag   `json:"require_lowercase"`
			RequireUppercase flag   `json:"require_uppercase"`
			RequireNumbers   flag   `json:"require_numbers"`
			RequireSymbols   flag   `json:"require_symbols"`
		}] `json:"password_policy"`
		OAuth *struct {
			Domain             string          `json:"domain"`
			RedirectSignInURI  []string        `json:"redirect_sign_in_uri"`
			RedirectSignOutURI []string        `json:"redirect_sign_out_uri"`
			ResponseType       string          `json:"response_type"`
			Scopes             []string        `json:"scopes"`
			IdentityProviders  loose[[]string] `json:"identity_providers"`
		} `json:"oauth"`
		Passwordless loose[*struct {
			EmailOTPEnabled flag `json:"email_otp_enabled"`
			SMSOTPEnabled   flag `json:"sms_otp_enabled"`
			WebAuthn        *struct {
				RelyingPartyID   string `json:"relying_party_id"`
				UserVerification string `json:"user_verification"`
			} `json:"web_authn"`
			PreferredChallenge string `json:"preferred_challenge"`
		}] `json:"passwordless"`
		Groups groups `json:"groups"`
	} `json:"auth"`
	Data *struct {
		URL                      string          `json:"url"`
		Region                   string          `json:"aws_region"`
		DefaultAuthorizationType string          `json:"default_authorization_type"`
		APIKey                   string          `json:"api_key"`
		ModelIntrospection       json.RawMessage `json:"model_introspection"`
	} `json:"data"`
	Storage *struct {
		BucketName string `json:"bucket_name"`
		Region     string `json:"aws_region"`
		Buckets    []struct {
			Name       string       `json:"name"`
			BucketName string       `json:"bucket_name"`
			Region     string       `json:"aws_region"`
			Paths      loose[paths] `json:"paths"`
		} `json:"buckets"`
	} `json:"storage"`
	Analytics     loose[map[string]any] `json:"analytics"`
	Geo           loose[map[string]any] `json:"geo"`
	Notifications loose[map[string]any] `json:"notifications"`
	Custom        json.RawMessage       `json:"custom"`
}

// groups is [{"ADMINS": {"precedence": 0}}, …] or ["ADMINS", …]. Nothing depends on it: what has
// another type is left out.
type groups []GroupConfig

func (g *groups) UnmarshalJSON(raw []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, entry := range list {
		var name string
		if json.Unmarshal(entry, &name) == nil && name != "" {
			*g = append(*g, GroupConfig{Name: name})
		}
		group := object(entry)
		for _, name := range slices.Sorted(maps.Keys(group)) {
			var in struct {
				Precedence number `json:"precedence"`
			}
			if json.Unmarshal(group[name], &in) == nil {
				*g = append(*g, GroupConfig{name, int(in.Precedence)})
			}
		}
	}
	return nil
}

// paths is {"photos/*": {"guest": ["get", "list"]}, …}, in the order of the file.
type paths []PathAccess

func (p *paths) UnmarshalJSON(raw []byte) error {
	var actions map[string]map[string][]string
	if err := json.Unmarshal(raw, &actions); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	_, _ = d.Token() // "{", or null
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		pattern, _ := name.(string)
		// Of members with one name, the last one counts, and stands where the first one does.
		if a, ok := actions[pattern]; ok {
			*p = append(*p, PathAccess{pattern, a})
			delete(actions, pattern)
		}
	}
	return nil
}

func parseOutputs(data []byte) (Config, error) {
	var in outputs
	if err := decode(data, "", &in); err != nil {
		return Config{}, err
	}
	var c Config
	if a := in.Auth; a != nil {
		c.Auth = &AuthConfig{
			UserPoolID:         a.UserPoolID,
			UserPoolClientID:   a.UserPoolClientID,
			IdentityPoolID:     a.IdentityPoolID,
			AllowGuestAccess:   bool(a.UnauthenticatedIdentitiesEnabled),
			RequiredAttributes: unique(a.StandardRequiredAttributes.value),
			Groups:             a.Groups,
		}
		for _, s := range [][2]string{{"email", "email"}, {"phone_number", "phone"}, {"username", "username"}} {
			if slices.Contains(a.UsernameAttributes.value, s[0]) {
				c.Auth.SignInWith = append(c.Auth.SignInWith, s[1])
			}
		}
		if p := a.PasswordPolicy.value; p != nil {
			c.Auth.PasswordPolicy = &PasswordPolicy{
				MinLength:        cmp.Or(int(p.MinLength), 6), // the smallest that a user pool can require
				RequireLowercase: bool(p.RequireLowercase),
				RequireUppercase: bool(p.RequireUppercase),
				RequireNumbers:   bool(p.RequireNumbers),
				RequireSymbols:   bool(p.RequireSymbols),
			}
		}
		if mfa := a.MFAConfiguration.value; mfa != "" {
			c.Auth.MFA = &MFAConfig{
				Status:      "off",
				SMSEnabled:  slices.Contains(a.MFAMethods.value, "SMS"),
				TOTPEnabled: slices.Contains(a.MFAMethods.value, "TOTP"),
			}
			switch mfa {
			case "OPTIONAL":
				c.Auth.MFA.Status = "optional"
			case "REQUIRED":
				c.Auth.MFA.Status = "on"
			}
		}
		if o := a.OAuth; o != nil {
			c.Auth.OAuth = &OAuthConfig{
				Domain:          o.Domain,
				RedirectSignIn:  list(o.RedirectSignInURI),
				RedirectSignOut: list(o.RedirectSignOutURI),
				ResponseType:    "code",
				Scopes:          o.Scopes,
			}
			if o.ResponseType == "token" {
				c.Auth.OAuth.ResponseType = "token"
			}
			for _, p := range o.IdentityProviders.value {
				switch p {
				case "GOOGLE":
					c.Auth.OAuth.Providers = append(c.Auth.OAuth.Providers, "Google")
				case "FACEBOOK":
					c.Auth.OAuth.Providers = append(c.Auth.OAuth.Providers, "Facebook")
				case "LOGIN_WITH_AMAZON":
					c.Auth.OAuth.Providers = append(c.Auth.OAuth.Providers, "Amazon")
				case "SIGN_IN_WITH_APPLE":
					c.Auth.OAuth.Providers = append(c.Auth.OAuth.Providers, "Apple")
				}
			}
		}
		if p := a.Passwordless.value; p != nil {
			c.Auth.Passwordless = &PasswordlessConfig{
				EmailOTPEnabled:    bool(p.EmailOTPEnabled),
				SMSOTPEnabled:      bool(p.SMSOTPEnabled),
				PreferredChallenge: p.PreferredChallenge,
			}
			if w := p.WebAuthn; w != nil {
				c.Auth.Passwordless.WebAuthn = &WebAuthnConfig{w.RelyingPartyID, w.UserVerification}
			}
		}
	}
	if d := in.Data; d != nil {
		c.Data = &DataConfig{
			Endpoint:           d.URL,
			Region:             d.Region,
			DefaultAuthMode:    outputsAuthMode(d.DefaultAuthorizationType),
			APIKey:             NewSecret(d.APIKey),
			ModelIntrospection: d.ModelIntrospection,
		}
	}
	if s := in.Storage; s != nil {
		c.Storage = &StorageConfig{Bucket: s.BucketName, Region: s.Region}
		for _, b := range s.Buckets {
			if _, ok := c.Storage.Buckets[b.Name]; ok {
				return Config{}, &Error{
					Name: "Error", Reason: ReasonConfiguration,
					Message:            "Duplicate friendly name found: " + b.Name + ". Name must be unique.",
					RecoverySuggestion: "Give each entry of storage.buckets a name of its own.",
				}
			}
			if c.Storage.Buckets == nil {
				c.Storage.Buckets = map[string]BucketConfig{}
			}
			c.Storage.Buckets[b.Name] = BucketConfig{b.BucketName, b.Region, b.Paths.value}
		}
	}
	c.Custom = in.Custom
	c.otherOutputs(in)
	return c, nil
}

// outputsAuthMode returns Amplify JS's name for an authorization type of AppSync, or "".
func outputsAuthMode(authorizationType string) string {
	switch authorizationType {
	case "AMAZON_COGNITO_USER_POOLS":
		return "userPool"
	case "API_KEY":
		return "apiKey"
	case "AWS_IAM":
		return "iam"
	case "AWS_LAMBDA":
		return "lambda"
	case "OPENID_CONNECT":
		return "oidc"
	}
	return ""
}

// otherOutputs copies the parts of Gen 2 outputs that the library does not use to c.Other.
func (c *Config) otherOutputs(in outputs) {
	if pinpoint, ok := in.Analytics.value["amazon_pinpoint"]; ok && pinpoint != nil {
		c.other(pick(pinpoint, "app_id", "appId", "aws_region", "region"), "Analytics", "Pinpoint")
	}
	if geo := in.Geo.value; geo != nil {
		c.other(pick(geo, "aws_region", "region", "maps", "maps",
			"search_indices", "searchIndices", "geofence_collections", "geofenceCollections"), "Geo", "LocationService")
	}
	if events := c.takeEvents(); events != nil {
		api := pick(events, "url", "endpoint", "aws_region", "region", "api_key", "apiKey")
		mode, _ := events["default_authorization_type"].(string)
		if mode = outputsAuthMode(mode); mode != "" {
			api["defaultAuthMode"] = mode
		}
		c.other(api, "API", "Events")
	}

	n := in.Notifications.value
	channels, _ := n["channels"].([]any)
	pinpoint := pick(n, "amazon_pinpoint_app_id", "appId", "aws_region", "region")
	complete := pinpoint["appId"] != nil && pinpoint["appId"] != "" && pinpoint["region"] != nil && pinpoint["region"] != ""
	inApp := slices.Contains(channels, any("IN_APP_MESSAGING"))
	push := slices.Contains(channels, any("APNS")) || slices.Contains(channels, any("FCM"))
	connect := n["amazon_connect"]
	if inApp || push || connect != nil {
		c.other(map[string]any{}, "Notifications")
	}
	if inApp && complete {
		c.other(pinpoint, "Notifications", "InAppMessaging", "Pinpoint")
	}
	if push && complete {
		c.other(pinpoint, "Notifications", "PushNotification", "Pinpoint")
	}
	if connect != nil {
		c.other(pick(connect, "endpoint", "endpoint", "aws_region", "region"), "Notifications", "PushNotification", "CustomerProfiles")
	}
}

// takeEvents removes custom.events from c.Custom, since it holds an API key, and returns it.
// "custom" belongs to the user and may be any JSON value.
func (c *Config) takeEvents() map[string]any {
	custom := object(c.Custom)
	var events map[string]any
	if json.Unmarshal(custom["events"], &events) != nil || events == nil {
		return nil
	}
	delete(custom, "events")
	if rest, err := json.Marshal(custom); err == nil {
		c.Custom = rest
	}
	return events
}
