package cognito

import (
	"context"

	"github.com/amplify-go/amplify"
)

// Start implements [amplify.SessionKeeper].
func (p *provider) Start(ctx context.Context, t amplify.IssuedTokens) error {
	return p.cognito.StoreTokens(ctx, p.kv, t)
}

// End implements [amplify.SessionKeeper].
func (p *provider) End(ctx context.Context, in amplify.EndInput) error {
	p.cognito.Forget(p.kv)
	return nil
}

// Lifetime implements [amplify.SessionKeeper].
func (p *provider) Lifetime() context.Context { return context.Background() }

// CodeGrant is what managed login sent a user back with, and what proves the right to it
// (RFC 6749 §4.1.3, RFC 7636 §4.5).
type CodeGrant struct {
	Code, State string
	// Verifier is the code verifier of the attempt that State belongs to.
	Verifier string
	// RedirectURI is the address that the user was sent back to.
	RedirectURI string
}

// ExchangeCode redeems an authorization code at managed login's token endpoint.
//
// A code that arrives twice within a minute (a reload, a restored tab, a proxy that retries) is
// redeemed once: the second request gets the outcome of the first, or what the session has been
// refreshed to since.
//
// If Cognito refuses the code, the error's Name is the code of RFC 6749 §5.2, such as
// "invalid_grant", and its Reason is [amplify.ReasonCodeRefused], or [amplify.ReasonConfiguration]
// if the client itself is refused. Other failures have [amplify.ReasonServiceUnavailable].
func (c *Client) ExchangeCode(ctx context.Context, g CodeGrant) (amplify.IssuedTokens, error) {
	panic("later")
}
