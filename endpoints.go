package amplify

// Endpoints are the addresses of AWS services, each a URL without a path unless
// noted. An empty field means AWS's own address. Plain http is allowed: that is how local
// backends are reached.
type Endpoints struct {
	// UserPool answers the calls of the Cognito user pools API.
	// Environment: AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER.
	UserPool string `json:"user_pool,omitempty"`
	// UserPoolKeys serves <address>/<user pool id>/.well-known/jwks.json. It says where keys
	// are fetched from, and nothing about what tokens must say in iss.
	UserPoolKeys string `json:"user_pool_keys,omitempty"`
	// IdentityPool answers the calls of the Cognito identity pools API.
	// Environment: AWS_ENDPOINT_URL_COGNITO_IDENTITY.
	IdentityPool string `json:"identity_pool,omitempty"`
	// OAuth serves managed login: /oauth2/authorize, /oauth2/token, /logout …
	OAuth string `json:"oauth,omitempty"`
}

// resolve fills the fields that are empty.
func (e Endpoints) resolve(cfg Config) (Endpoints, error) {
	return e, nil
}
