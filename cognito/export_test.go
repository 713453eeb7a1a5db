package cognito

// KnownCredentials tells how many users' credentials c remembers.
func (c *Client) KnownCredentials() int {
	c.identities.users.given.CleanUp()
	return c.identities.users.given.EstimatedSize()
}
