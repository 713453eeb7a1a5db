package e2e

// managedLogin signs in on the page of managed login that the tab has come to.
func (b *tab) managedLogin(email, password string) {
	b.t.Helper()
	b.fill("Email address", email)
	b.fill("Password", password)
	b.click("Sign in")
}
