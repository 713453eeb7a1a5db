// Package cognito keeps the sessions of an Amazon Cognito user pool: it reads and verifies the
// tokens that Amplify JS or a server wrote, refreshes them, gets AWS credentials for them, and
// starts and ends sessions.
//
// A [Client] lives as long as its App and holds what requests share: the public keys of the user
// pool, the sessions that have been verified already, the refreshes under way. For each request it
// makes providers on top of the storage that keeps the session:
//
//	client, err := cognito.New(app, cognito.Options{})
//	providers := client.Providers(kv) // kv: an amplify.KeyValueStorage
//
// # What makes a session
//
// Tokens are used only if their RS256 signature, issuer, app client, token_use and times are right,
// and if the ID token belongs to the user of the access token. LastAuthUser selects which tokens to
// look at. The identity always comes from the tokens. Each refusal has an [amplify.Reason].
//
// What cannot be judged at the moment is not refused. While the keys of the user pool or the user
// pool itself cannot be reached, calls return an error that does not match
// [amplify.ErrUnauthenticated], and no cookie is changed.
//
// # What the application must see to
//
// Two things lose sessions or slow requests down, and are logged once, as warnings:
//
// Several writers that give the session's cookies different Domains make a browser send each cookie
// twice. The session that verifies and was issued last is taken, but the browser goes on sending
// the older one.
//
// An app client that rotates refresh tokens without a grace period takes each of them once. Where
// browsers refresh as well as servers, the second to present a token ends the session. Set
// RetryGracePeriodSeconds of the app client's RefreshTokenRotation: 10 seconds do, 60 are the most.
//
// # What a request can cost
//
// Each distinct token is checked once a request, after everything that costs less, and at most
// eight signatures. Only sessions that have been verified leave anything in memory that requests
// share, and no text that a request chooses is a key there. Everything that is remembered is
// bounded.
package cognito
