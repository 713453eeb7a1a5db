package amplify

import (
	"encoding/json"
	"maps"
	"slices"
)

// authResources holds the members of Auth.Cognito of Amplify JS's ResourcesConfig that are used.
type authResources struct {
	UserPoolID           string `json:"userPoolId"`
	UserPoolClientID     string `json:"userPoolClientId"`
	UserPoolEndpoint     string `json:"userPoolEndpoint"`
	IdentityPoolID       string `json:"identityPoolId"`
	IdentityPoolEndpoint string `json:"identityPoolEndpoint"`
	AllowGuestAccess     flag   `json:"allowGuestAccess"`
	LoginWith            struct {
		Email    flag `json:"email"`
		Phone    flag `json:"phone"`
		Username flag `json:"username"`
		OAuth    *struct {
			Domain          string            `json:"domain"`
			RedirectSignIn  []string          `json:"redirectSignIn"`
			RedirectSignOut []string          `json:"redirectSignOut"`
			ResponseType    string            `json:"responseType"`
			Scopes          []string          `json:"scopes"`
			Providers       loose[[]provider] `json:"providers"`
		} `json:"oauth"`
	} `json:"loginWith"`
	SignUpVerificationMethod loose[string] `json:"signUpVerificationMethod"`
	UserAttributes           loose[map[string]struct {
		Required flag `json:"required"`
	}] `json:"userAttributes"`
	PasswordFormat loose[*struct {
		MinLength                number `json:"minLength"`
		RequireLowercase         flag   `json:"requireLowercase"`
		RequireUppercase         flag   `json:"requireUppercase"`
		RequireNumbers           flag   `json:"requireNumbers"`
		RequireSpecialCharacters flag   `json:"requireSpecialCharacters"`
	}] `json:"passwordFormat"`
	MFA loose[*struct {
		Status      string `json:"status"`
		TOTPEnabled flag   `json:"totpEnabled"`
		SMSEnabled  flag   `json:"smsEnabled"`
	}] `json:"mfa"`
	Passwordless loose[*struct {
		EmailOTPEnabled flag `json:"emailOtpEnabled"`
		SMSOTPEnabled   flag `json:"smsOtpEnabled"`
		WebAuthn        *struct {
			RelyingPartyID   string `json:"relyingPartyId"`
			UserVerification string `json:"userVerification"`
		} `json:"webAuthn"`
		PreferredChallenge string `json:"preferredChallenge"`
	}] `json:"passwordless"`
	Groups groups `json:"groups"`
}

// provider is "Google" or {"custom": "Okta"}.
type provider string

func (p *provider) UnmarshalJSON(raw []byte) error {
	var custom struct {
		Custom string `json:"custom"`
	}
	if json.Unmarshal(raw, &custom) == nil {
		*p = provider(custom.Custom)
		return nil
	}
	return json.Unmarshal(raw, (*string)(p))
}

// dataResources is API.GraphQL of ResourcesConfig.
type dataResources struct {
	Endpoint             string          `json:"endpoint"`
	Region               string          `json:"region"`
	CustomEndpoint       string          `json:"customEndpoint"`
	CustomEndpointRegion string          `json:"customEndpointRegion"`
	DefaultAuthMode      string          `json:"defaultAuthMode"`
	APIKey               string          `json:"apiKey"`
	ModelIntrospection   json.RawMessage `json:"modelIntrospection"`
}

// storageResources is Storage.S3 of ResourcesConfig.
type storageResources struct {
	Bucket  string `json:"bucket"`
	Region  string `json:"region"`
	Buckets map[string]struct {
		BucketName string       `json:"bucketName"`
		Region     string       `json:"region"`
		Paths      loose[paths] `json:"paths"`
	} `json:"buckets"`
	Local flag `json:"dangerouslyConnectToHttpEndpointForTesting"`
}

func parseResources(members map[string]json.RawMessage) (Config, error) {
	var c Config
	for _, name := range slices.Sorted(maps.Keys(members)) {
		// The library uses one member of each of three parts. Their other members, such as
		// API.REST, go to c.Other.
		used := map[string]string{"Auth": "Cognito", "API": "GraphQL", "Storage": "S3"}[name]
		if used == "" {
			var part any
			if json.Unmarshal(members[name], &part) == nil {
				c.other(part, name)
			}
			continue
		}
		var part map[string]any
		if err := decode(members[name], name, &part); err != nil {
			return Config{}, err
		}
		if part[used] != nil {
			if err := c.resource(name+"."+used, object(members[name])[used]); err != nil {
				return Config{}, err
			}
			if delete(part, used); len(part) == 0 {
				continue
			}
		}
		c.other(part, name)
	}
	return c, nil
}

// resource reads one of the parts that are used.
func (c *Config) resource(name string, raw json.RawMessage) error {
	switch name {
	case "Auth.Cognito":
		var in authResources
		if err := decode(raw, name, &in); err != nil {
			return err
		}
		c.Auth = in.config()
	case "API.GraphQL":
		var in dataResources
		if err := decode(raw, name, &in); err != nil {
			return err
		}
		c.Data = &DataConfig{
			Endpoint:             in.Endpoint,
			Region:               in.Region,
			CustomEndpoint:       in.CustomEndpoint,
			CustomEndpointRegion: in.CustomEndpointRegion,
			DefaultAuthMode:      in.DefaultAuthMode,
			APIKey:               NewSecret(in.APIKey),
			ModelIntrospection:   in.ModelIntrospection,
		}
	case "Storage.S3":
		var in storageResources
		if err := decode(raw, name, &in); err != nil {
			return err
		}
		c.Storage = &StorageConfig{Bucket: in.Bucket, Region: in.Region, DangerouslyConnectToHTTPEndpointForTesting: bool(in.Local)}
		for friendly, b := range in.Buckets {
			if c.Storage.Buckets == nil {
				c.Storage.Buckets = map[string]BucketConfig{}
			}
			c.Storage.Buckets[friendly] = BucketConfig{b.BucketName, b.Region, b.Paths.value}
		}
	}
	return nil
}

func (in authResources) config() *AuthConfig {
	a := &AuthConfig{
		UserPoolID:               in.UserPoolID,
		UserPoolClientID:         in.UserPoolClientID,
		UserPoolEndpoint:         in.UserPoolEndpoint,
		IdentityPoolID:           in.IdentityPoolID,
		IdentityPoolEndpoint:     in.IdentityPoolEndpoint,
		AllowGuestAccess:         bool(in.AllowGuestAccess),
		SignUpVerificationMethod: in.SignUpVerificationMethod.value,
		Groups:                   in.Groups,
	}
	if in.LoginWith.Email {
		a.SignInWith = append(a.SignInWith, "email")
	}
	if in.LoginWith.Phone {
		a.SignInWith = append(a.SignInWith, "phone")
	}
	if in.LoginWith.Username {
		a.SignInWith = append(a.SignInWith, "username")
	}
	if o := in.LoginWith.OAuth; o != nil {
		a.OAuth = &OAuthConfig{
			Domain:          o.Domain,
			RedirectSignIn:  list(o.RedirectSignIn),
			RedirectSignOut: list(o.RedirectSignOut),
			ResponseType:    o.ResponseType,
			Scopes:          o.Scopes,
		}
		for _, p := range o.Providers.value {
			a.OAuth.Providers = append(a.OAuth.Providers, string(p))
		}
	}
	attributes := in.UserAttributes.value
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if attributes[name].Required {
			a.RequiredAttributes = append(a.RequiredAttributes, name)
		}
	}
	if p := in.PasswordFormat.value; p != nil {
		a.PasswordPolicy = &PasswordPolicy{
			MinLength:        int(p.MinLength),
			RequireLowercase: bool(p.RequireLowercase),
			RequireUppercase: bool(p.RequireUppercase),
			RequireNumbers:   bool(p.RequireNumbers),
			RequireSymbols:   bool(p.RequireSpecialCharacters),
		}
	}
	if m := in.MFA.value; m != nil {
		a.MFA = &MFAConfig{m.Status, bool(m.TOTPEnabled), bool(m.SMSEnabled)}
	}
	if p := in.Passwordless.value; p != nil {
		a.Passwordless = &PasswordlessConfig{
			EmailOTPEnabled:    bool(p.EmailOTPEnabled),
			SMSOTPEnabled:      bool(p.SMSOTPEnabled),
			PreferredChallenge: p.PreferredChallenge,
		}
		if w := p.WebAuthn; w != nil {
			a.Passwordless.WebAuthn = &WebAuthnConfig{w.RelyingPartyID, w.UserVerification}
		}
	}
	return a
}

// unique returns list without repetitions, in the order of first occurrence.
func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
