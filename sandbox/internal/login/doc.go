// Package login serves managed login as Amazon Cognito does at a user pool's domain:
// the pages to sign up and sign in, and the OAuth 2.0 endpoints behind them.
//
//	/oauth2/authorize   begins a sign-in; answers at once within a login session
//	/login /signup /confirm /forgotPassword /confirmForgotPassword /newPassword
//	/pretend/{provider} stands in for Google, Facebook, Amazon, Apple
//	/oauth2/token       grants: code, refresh token, client credentials
//	/oauth2/revoke /oauth2/userInfo
//	/logout             ends the login session
//	/error              says what is wrong with a request that no redirect URI vouches for
//
// To users it serves only the authorization code flow (RFC 6749 §4.1, RFC 7636 with S256). The
// address of each page contains the query of the authorization request, and each page
// validates that query again. So a decision for one request cannot serve another.
// Codes, login sessions and sign-ins in progress outlive a request. The store has them
// under the SHA-256 of a random key, which only the browser or the application knows.
//
// It is stricter than what Cognito documents in one point: a code that is used
// twice ends the session that the first use began (RFC 6749 §4.1.2).
package login
