// Package idp serves a user pool as Amazon Cognito does: the user pools API in JSON 1.1, where every operation is
// a POST to / that X-Amz-Target names, and the pool's key set and OpenID configuration.
//
// Request and answer of every operation follow the API Reference of Amazon Cognito user pools. An operation that it does
// not know is refused loudly, so that nobody builds upon an answer that Cognito would not give.
package idp
