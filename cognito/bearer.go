package cognito

import (
	"context"
	"slices"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

// BearerTokenProvider returns the source of tokens for a request that carries an access token in
// its Authorization header: from a service, a mobile app, a single-page application. accessToken is
// that token, without "Bearer ".
//
// Such a session has an access token only. It cannot be refreshed or ended here: that is the
// caller's business.
func (c *Client) BearerTokenProvider(accessToken string) amplify.TokenProvider {
	return bearerTokenProvider{c, accessToken}
}

type bearerTokenProvider struct {
	client      *Client
	accessToken string
}

// Tokens implements [amplify.TokenProvider].
func (p bearerTokenProvider) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	c := p.client
	if p.accessToken == "" || c.poolID == "" {
		return nil, amplify.Unauthenticated(amplify.ReasonNoSession, nil)
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case c.now().Add(c.options.Leeway).Before(s.notBefore):
		return nil, amplify.Unauthenticated(amplify.ReasonNotYetValid, nil)
	case p.hasExpired(&s.accessClaims):
		return nil, errBearerExpired()
	case c.hasEnded(s):
		return nil, errSignedOut()
	case in.ForceRefresh:
		return nil, errNoRefreshToken
	}
	return &amplify.Tokens{AccessToken: amplify.NewToken(p.accessToken, &s.accessClaims)}, nil
}

// session returns the session of the access token, from memory if it has been verified before.
func (p bearerTokenProvider) session(ctx context.Context) (*session, error) {
	c := p.client
	v := c.newVerifier(token.MaxBytes)
	if size := len(p.accessToken); size > token.MaxBytes {
		return nil, v.TooLarge(size)
	}
	key := newSessionID("bearer", p.accessToken)
	if s := c.known(key); s != nil {
		return s, nil
	}
	t := v.Read(p.accessToken, token.UseAccess, append(slices.Clip(c.options.BearerClientIDs), c.clientID)...)
	if t.Err == nil && p.hasExpired((*amplify.Claims)(&t.Payload.Claims)) {
		return nil, errBearerExpired() // without a look at the signature
	}
	a, err := v.Verify(ctx, t)
	if err != nil {
		c.adviseOnKeys(ctx, err)
		return nil, err
	}
	s := newSession(a, nil)
	c.sessions.Set(key, s)
	return s, nil
}

func (p bearerTokenProvider) hasExpired(claims *amplify.Claims) bool {
	return !p.client.now().Add(-p.client.options.Leeway).Before(claims.ExpiresAt)
}

func errBearerExpired() error {
	return amplify.Unauthenticated(amplify.ReasonExpiredNoRefreshToken, nil)
}
