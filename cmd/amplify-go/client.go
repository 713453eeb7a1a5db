package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// clientFlags are the settings of the app client that outputs do not tell.
type clientFlags struct {
	AuthFlows            []string      `placeholder:"FLOW" help:"All flows in which the user pools API signs users in, by the names of ExplicitAuthFlows, such as ALLOW_USER_PASSWORD_AUTH. The default is ALLOW_USER_SRP_AUTH,ALLOW_CUSTOM_AUTH and, unless refresh tokens rotate, ALLOW_REFRESH_TOKEN_AUTH."`
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
		return errors.New("--rotation-grace is for refresh tokens that rotate: give --rotate-refresh-tokens as well")
	}
	return nil
}

// client returns the settings of the outputs' app client.
func (c *clientFlags) client(stdin io.Reader) (sandbox.Client, error) {
	client := sandbox.Client{
		AuthFlows:            c.AuthFlows,
		RotateRefreshTokens:  c.RotateRefreshTokens,
		RotationGrace:        c.RotationGrace,
		AccessTokenValidity:  c.AccessTokenValidity,
		IDTokenValidity:      c.IDTokenValidity,
		RefreshTokenValidity: c.RefreshTokenValidity,
	}
	if c.ClientSecretFile == "" {
		return client, nil
	}
	secret, err := readFile(c.ClientSecretFile, stdin, maxSecretFile)
	if err == nil {
		if client.Secret = strings.TrimSpace(secret); client.Secret == "" {
			err = fmt.Errorf("%s is empty", c.ClientSecretFile)
		}
	}
	if err != nil {
		return client, fmt.Errorf("--client-secret-file: %w", err)
	}
	return client, nil
}
