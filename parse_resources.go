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
		Email    bool `json:"email"`
		Phone    bool `json:"phone"`
		Username bool `json:"username"`
		OAuth    *struct {
			Domain          string     `json:"domain"`
			RedirectSignIn  []string   `json:"redirectSignIn"`
			RedirectSignOut []string   `json:"redirectSignOut"`
			ResponseType    string     `json:"responseType"`
			Scopes          []string   `json:"scopes"`
			Providers       []provider `json:"providers"`
		} `json:"oauth"`
	} `json:"loginWith"`
	SignUpVerificationMethod string `json:"signUpVerificationMethod"`
	UserAttributes           map[string]struct {
		Required bool `json:"required"`
	} `json:"userAttributes"`
	PasswordFormat *struct {
		MinLength                int  `json:"minLength"`
		RequireLowercase         bool `json:"requireLowercase"`
		RequireUppercase         bool `json:"requireUppercase"`
		RequireNumbers           bool `json:"requireNumbers"`
		RequireSpecialCharacters bool `json:"requireSpecialCharacters"`
	} `json:"passwordFormat"`
	MFA *struct {
		Status      string `json:"status"`
		TOTPEnabled bool   `json:"totpEnabled"`
		SMSEnabled  bool   `json:"smsEnabled"`
	} `json:"mfa"`
	Passwordless *struct {
		EmailOTPEnabled bool `json:"emailOtpEnabled"`
		SMSOTPEnabled   bool `json:"smsOtpEnabled"`
		WebAuthn        *struct {
			RelyingPartyID   string `json:"relyingPartyId"`
			UserVerification string `json:"userVerification"`
		} `json:"webAuthn"`
		PreferredChallenge string `json:"preferredChallenge"`
	} `json:"passwordless"`
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
		BucketName string                         `json:"bucketName"`
		Region     string                         `json:"region"`
		Paths      map[string]map[string][]string `json:"paths"`
	} `json:"buckets"`
	Local flag `json:"dangerouslyConnectToHttpEndpointForTesting"`
}

func parseResources(members map[string]json.RawMessage) (Config, error) {
	var c Config
	for _, name := range slices.Sorted(maps.Keys(members)) {
		// The library uses one member of each of three parts. Their other members, such as
		// API.REST, go to c.Other.
		var part any
		if err := decode(members[name], name, &part); err != nil {
			return Config{}, err
		}
		used := map[string]string{"Auth": "Cognito", "API": "GraphQL", "Storage": "S3"}[name]
		object, _ := part.(map[string]any)
		if v, ok := object[used]; ok && v != nil {
			var inner map[string]json.RawMessage
			if err := decode(members[name], name, &inner); err != nil {
				return Config{}, err
			}
			if err := c.resource(name+"."+used, inner[used]); err != nil {
				return Config{}, err
			}
			if delete(object, used); len(object) == 0 {
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
			c.Storage.Buckets[friendly] = BucketConfig{b.BucketName, b.Region, b.Paths}
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
		SignUpVerificationMethod: in.SignUpVerificationMethod,
		Groups:                   in.Groups.config(),
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
		for _, p := range o.Providers {
			a.OAuth.Providers = append(a.OAuth.Providers, string(p))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.UserAttributes)) {
		if in.UserAttributes[name].Required {
			a.RequiredAttributes = append(a.RequiredAttributes, name)
		}
	}
	if p := in.PasswordFormat; p != nil {
		a.PasswordPolicy = &PasswordPolicy{
			p.MinLength, p.RequireLowercase, p.RequireUppercase, p.RequireNumbers, p.RequireSpecialCharacters,
		}
	}
	if m := in.MFA; m != nil {
		a.MFA = &MFAConfig{m.Status, m.TOTPEnabled, m.SMSEnabled}
	}
	if p := in.Passwordless; p != nil {
		a.Passwordless = &PasswordlessConfig{
			EmailOTPEnabled:    p.EmailOTPEnabled,
			SMSOTPEnabled:      p.SMSOTPEnabled,
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
