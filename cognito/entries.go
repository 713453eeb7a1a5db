package cognito

import (
	"context"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// Entries returns the session that tokens, a provider of this client, gives: as the keys and values
// that a storage keeps of it, refreshed if that was due. They are what another server of the same
// app client reads. There are none for bearer tokens, which no storage keeps.
//
// The refresh token is among them only if it is asked for: whoever has it can go on being the user
// for as long as it lasts, and two servers that redeem one refresh token can lose the session.
//
// Errors are those of the provider. It is safe for concurrent use.
func (c *Client) Entries(ctx context.Context, tokens amplify.TokenProvider, refreshToken bool) ([][2]string, error) {
	p, ok := tokens.(*provider)
	if !ok {
		_, err := tokens.Tokens(ctx, amplify.TokensInput{})
		return nil, err
	}
	cur, err := p.valid(ctx, amplify.TokensInput{})
	if err != nil {
		return nil, err
	}
	entries := c.entries(cur, cur.access.Reveal(), cur.id.Reveal())
	if !refreshToken {
		entries = slices.DeleteFunc(entries, func(e [2]string) bool {
			return strings.HasSuffix(e[0], "."+sessionkey.RefreshToken)
		})
	}
	return entries, nil
}
