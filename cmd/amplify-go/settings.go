package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// poolFlags are the settings of the user pool that outputs do not tell.
type poolFlags struct {
	PreToken            string            `type:"path" placeholder:"FILE" help:"A JSON file with what the pre token generation Lambda trigger returns. It changes the tokens of every user."`
	AliasAttributes     []string          `placeholder:"NAME" help:"What users can sign in with beside the username that they chose: email, phone_number, preferred_username."`
	CustomScopes        []string          `placeholder:"SCOPE" help:"The scopes of resource servers, such as photos/read. App clients may ask for them if they are among their scopes."`
	ProviderIdentifiers map[string]string `placeholder:"ID=NAME" help:"Identifiers of identity providers, for the parameter idp_identifier, such as example.com=Google."`
}

// set adds the settings to config.
func (p *poolFlags) set(config *sandbox.Config) error {
	config.AliasAttributes, config.ProviderIdentifiers = p.AliasAttributes, p.ProviderIdentifiers
	var errs []error
	for _, scope := range p.CustomScopes {
		slash := strings.LastIndexByte(scope, '/') // identifiers may be URLs
		if slash < 1 || slash == len(scope)-1 {
			errs = append(errs,
				fmt.Errorf("--custom-scopes: %q is not of the form photos/read", scope))
			continue
		}
		identifier, name := scope[:slash], scope[slash+1:]
		servers := config.ResourceServers
		i := slices.IndexFunc(servers, func(s sandbox.ResourceServer) bool {
			return s.Identifier == identifier
		})
		if i < 0 {
			i = len(servers)
			servers = append(servers, sandbox.ResourceServer{Identifier: identifier})
		}
		servers[i].Scopes = append(servers[i].Scopes, name)
		config.ResourceServers = servers
	}
	var err error
	if p.PreToken != "" {
		config.PreToken, err = readPreToken(p.PreToken)
	}
	return errors.Join(append(errs, err)...)
}

// clientFlags are the settings of the app client that outputs do not tell.
type clientFlags struct {
	AuthFlows            []string      `placeholder:"FLOW" help:"All flows in which the user pools API signs users in, by the names of ExplicitAuthFlows, such as ALLOW_USER_PASSWORD_AUTH. The default is ALLOW_USER_SRP_AUTH,ALLOW_CUSTOM_AUTH and, unless refresh tokens rotate, ALLOW_REFRESH_TOKEN_AUTH."`
	Scopes               []string      `placeholder:"SCOPE" help:"All scopes that applications may ask managed login for. The default is what the outputs say."`
	RevealUserExistence  bool          `help:"Tell an unknown user from a wrong password. Cognito calls it LEGACY."`
	ClientSecretFile     string        `placeholder:"FILE" help:"A file with a secret, which makes it a confidential client. Give the application the same one (cognito.Options.ClientSecret). - reads standard input."`
	RotateRefreshTokens  bool          `help:"Answer a refresh with a new refresh token, and take each one once."`
	RotationGrace        time.Duration `placeholder:"DURATION" help:"How long a refresh token still works after its use, from 0s to 60s (0s)."`
	AccessTokenValidity  time.Duration `placeholder:"DURATION" help:"How long access tokens are valid (1h). Cognito takes 5m to 24h. Here it may be shorter, for tests."`
	IDTokenValidity      time.Duration `name:"id-token-validity" placeholder:"DURATION" help:"The same of ID tokens."`
	RefreshTokenValidity time.Duration `placeholder:"DURATION" help:"The same of refresh tokens (720h). Cognito takes 1h to 87600h, which is ten years."`
}

// Validate is called by kong.
func (c *clientFlags) Validate() error {
	if c.RotationGrace != 0 && !c.RotateRefreshTokens {
		return errors.New("--rotation-grace is for refresh tokens that rotate: " +
			"give --rotate-refresh-tokens as well")
	}
	return nil
}

// set adds the settings of the outputs' app client to config.
func (c *clientFlags) set(config *sandbox.Config, stdin io.Reader) error {
	secret, err := readSecret("--client-secret-file", c.ClientSecretFile, stdin)
	config.Clients = append(config.Clients, sandbox.Client{
		Secret:               secret,
		AuthFlows:            c.AuthFlows,
		Scopes:               c.Scopes,
		RevealUserExistence:  c.RevealUserExistence,
		RotateRefreshTokens:  c.RotateRefreshTokens,
		RotationGrace:        c.RotationGrace,
		AccessTokenValidity:  c.AccessTokenValidity,
		IDTokenValidity:      c.IDTokenValidity,
		RefreshTokenValidity: c.RefreshTokenValidity,
	})
	return err
}

// machineFlags describe an app client for programs without a user, which gets access tokens for
// itself (the flow client_credentials).
type machineFlags struct {
	Client     string   `placeholder:"ID" help:"The id of an app client for programs without a user: the flow client_credentials."`
	SecretFile string   `placeholder:"FILE" help:"A file with its secret. - reads standard input."`
	Scopes     []string `placeholder:"SCOPE" help:"Its scopes. They must be among --custom-scopes, and are all of them by default."`
}

// Validate is called by kong.
func (m *machineFlags) Validate() error {
	switch {
	case m.Client != "" && m.SecretFile == "":
		return errors.New("--machine-client needs a secret: give --machine-secret-file as well")
	case m.Client == "" && (m.SecretFile != "" || m.Scopes != nil):
		return errors.New("--machine-client is missing: " +
			"it names the client that the other --machine flags are about")
	}
	return nil
}

// set adds the app client to config, if there is one.
func (m *machineFlags) set(config *sandbox.Config, customScopes []string, stdin io.Reader) error {
	if m.Client == "" {
		return nil
	}
	scopes := m.Scopes
	if scopes == nil {
		scopes = customScopes
	}
	secret, err := readSecret("--machine-secret-file", m.SecretFile, stdin)
	config.Clients = append(config.Clients, sandbox.Client{
		ID: m.Client, Secret: secret, Scopes: scopes, ClientCredentials: true,
	})
	return err
}

// readSecret reads the secret of an app client from the file that a flag names. It returns no
// secret if the flag is not given. Errors do not quote the file.
func readSecret(flag, path string, stdin io.Reader) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := readFile(path, stdin, maxSecretFile)
	secret := strings.TrimSpace(text)
	if err == nil && secret == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	return secret, nil
}
