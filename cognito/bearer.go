package cognito

import (
	"context"

	"github.com/amplify-go/amplify"
)

// BearerTokenProvider returns the source of tokens for a request that carries an access token in its
// Authorization header: from a service, a mobile app, a single-page application. accessToken is that token, without
// "Bearer ".
//
// Such a session has an access token only, and cannot be refreshed: that is the caller's business.
func (c *Client) BearerTokenProvider(accessToken string) amplify.TokenProvider {
	return bearerTokenProvider{c, accessToken}
}

type bearerTokenProvider struct {
	cognito     *Client
	accessToken string
}

// Tokens implements [amplify.TokenProvider].
func (p bearerTokenProvider) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	c := p.cognito
	if p.accessToken == "" || c.poolID == "" {
		return nil, amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
	s, err := c.bearerSession(ctx, p.accessToken)
	if err != nil {
		return nil, err
	}
	leeway, now := c.options.Leeway, c.now()
	switch {
	case now.Add(leeway).Before(s.notBefore):
		return nil, amplify.Unauthenticated(amplify.ReasonNotYetValid, nil)
	case !now.Add(-leeway).Before(s.expires):
		return nil, amplify.Unauthenticated(amplify.ReasonExpiredNoRefreshToken, nil)
	case in.ForceRefresh:
		return nil, errNoRefreshToken
	}
	return &amplify.Tokens{AccessToken: amplify.NewToken(p.accessToken, &s.accessClaims)}, nil
}
