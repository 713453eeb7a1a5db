package cognito

import (
	"context"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// KnownCredentials tells how many users' credentials c remembers.
func (c *Client) KnownCredentials() int {
	c.identities.users.given.CleanUp()
	return c.identities.users.given.EstimatedSize()
}

// KnownSessions tells how many verified sessions c remembers.
func (c *Client) KnownSessions() int {
	c.sessions.CleanUp()
	return c.sessions.EstimatedSize()
}

// Remembered tells how many entries other than sessions and credentials c remembers.
func (c *Client) Remembered() int {
	h := c.handoff
	return len(h.answers.entries) + len(h.codes.entries) + len(h.predecessors.entries) + len(c.ended.lineages.entries) +
		len(c.refusals.entries) + len(c.refusedCodes.entries) + len(c.unanswered.entries) + len(c.budget.used.entries)
}

// SignatureChecks judges the session in kv and tells how many signatures that took.
func (c *Client) SignatureChecks(ctx context.Context, kv amplify.KeyValueStorage) (int, error) {
	st := &stored{Values: sessionkey.Values{Prefix: c.prefix}}
	if err := st.read(kv); err != nil {
		return 0, err
	}
	v := c.newVerifier(st.maxBytes)
	err := c.choose(ctx, v, st, &current{}, nil)
	return v.Checks, err
}
