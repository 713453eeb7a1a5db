// Package login is managed login: the pages on which one signs up and signs in,
// and the OAuth 2.0 endpoints behind them, as Amazon Cognito serves them at a
// user pool's domain.
//
//	/oauth2/authorize   begins a sign-in; answers at once within a login session
//	/login /signup /confirm /forgotPassword /confirmForgotPassword /newPassword
//	/pretend/{provider} stands in for Google, Facebook, Amazon, Apple
//	/oauth2/token       code and refresh token grants
//	/oauth2/revoke /oauth2/userInfo
//	/logout             ends the login session
//
// Only the authorization code flow is served (RFC 6749 §4.1, RFC 7636 with S256).
// Each page carries the query of the authorization request in its own address
// and validates it anew, so that nothing that was decided for one request can be
// used for another. What lasts longer than a request (codes, login sessions, a
// sign-in in progress) is kept in the store under the SHA-256 of a random key
// that only the browser or the application has.
package login
