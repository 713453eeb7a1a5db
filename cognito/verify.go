package cognito

import (
	"context"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

// verifier verifies the tokens that one request presents, by the rules of package token. It is not
// safe for concurrent use.
type verifier = token.Verifier[*keySet]

// newVerifier returns the verifier of a request whose tokens have up to maxBytes.
func (c *Client) newVerifier(maxBytes int) *verifier {
	return &verifier{Issuers: c.issuers, MaxBytes: maxBytes, Refuse: refuse}
}

// refuse returns the error of a token that is no good. It matches [amplify.ErrUnauthenticated].
func refuse(reason string, cause error) error {
	return amplify.Unauthenticated(amplify.Reason(reason), cause)
}

// verifyPair verifies an access and an ID token of this client.
func (c *Client) verifyPair(ctx context.Context, access, id string) (*token.Pair, error) {
	v := c.newVerifier(token.MaxBytes)
	a, i := v.Read(access, token.UseAccess, c.clientID), v.Read(id, token.UseID, c.clientID)
	p, err := v.Pair(ctx, a, i)
	c.adviseOnKeys(ctx, err)
	return p, err
}
