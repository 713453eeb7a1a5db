// Package idp serves a user pool as Amazon Cognito does: the user pools API, and the pool's key set and OpenID
// configuration.
//
// Request and answer of every operation follow the API Reference of Amazon Cognito user pools.
package idp
