// Package cognito takes the session of a request from Amazon Cognito user pools: the tokens in
// the cookies that Amplify JS or a server wrote, or a bearer token.
//
// A [Client] lives as long as its App and holds what requests share: the public keys of the user
// pool, the sessions that have been verified already, the refreshes under way. For each request it
// makes a token provider on top of whatever keeps the session:
//
//	cog, err := cognito.New(app, cognito.Options{})
//	tokens := cog.TokenProvider(kv) // kv: an amplify.KeyValueStorage
//
// # What makes a session
//
// Tokens are used only if their RS256 signature, issuer, app client, token_use and times are right,
// and if the ID token belongs to the user of the access token. The cookie LastAuthUser merely selects
// which cookies to look at; the identity always comes from the tokens. Everything that is refused has an
// [amplify.Reason].
//
// What cannot be judged at the moment is not refused: while the keys of the user pool or the user
// pool itself cannot be reached, calls return an error that does not match [amplify.ErrUnauthenticated],
// and no cookie is touched.
package cognito
