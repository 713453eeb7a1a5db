package cognito

// KnownCredentials tells how many users' credentials c remembers.
func (c *Client) KnownCredentials() int {
	c.identities.users.known.CleanUp()
	return c.identities.users.known.EstimatedSize()
}
